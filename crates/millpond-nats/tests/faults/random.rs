//! Numbers by chance, which a seed brings back.

use std::env;

/// By SplitMix64.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// By the seed of the environment, or by this one. Said, for the run that is to be repeated.
    pub(crate) fn seeded(default: u64) -> Random {
        const SEED: &str = "MILLPOND_NATS_TEST_SEED";
        let told = env::var(SEED).ok().map(|seed| seed.parse().expect("a seed is a number"));
        let seed = told.unwrap_or(default);
        println!("{SEED}={seed}");
        Random(seed)
    }

    /// From 0 to one below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
