//! Numbers that look random and are the same in every run: SplitMix64.

use std::time::Duration;

/// The next number.
pub(super) fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed(*state)
}

/// The finish of SplitMix64: no two inputs give the same, and nothing of their order is left.
pub(super) fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// When things happen that nothing has to do with each other, up to `end`: a Poisson process. The gaps between two are
/// distributed exponentially.
pub(super) fn arrivals(seed: u64, per_second: f64, end: Duration) -> Vec<Duration> {
    let mut state = seed;
    let mut at = 0.0;
    let next = std::iter::from_fn(|| {
        at -= (1.0 - uniform(&mut state)).ln() / per_second;
        Some(Duration::from_secs_f64(at))
    });
    next.take_while(|due| *due < end).collect()
}

/// From 0 up to and without 1.
fn uniform(state: &mut u64) -> f64 {
    // As many bits as a float holds exactly.
    (draw(state) >> 11) as f64 / (1u64 << 53) as f64
}
