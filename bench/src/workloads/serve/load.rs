//! What the client asks of the server: how many connections, how much computing on each, and when.

use std::time::Duration;

use super::super::random::mixed;
use crate::measure::Case;

/// What a heavy request has the server compute for, undisturbed.
pub(super) const HEAVY: Duration = Duration::from_micros(200);

/// What heavy requests that fall due take of the server's CPUs. With an even share each worker keeps up, with the
/// client's part beside it; one that has half as much again does not.
const HEAVY_SHARE: f64 = 0.6;

/// Requests a second on each light connection, where they fall due.
const LIGHT_PER_SECOND: f64 = 100.0;

/// The connections of one measurement are opened anew so many times: by a hash of its address a connection falls to a worker
/// by chance, and each measurement is to have some of the luck and some of the bad luck.
const DRAWS: usize = 4;

/// A load, as client and server know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) heavy: usize,
    /// What they ask needs no computing.
    pub(super) light: usize,
    /// The heavy ones are opened anywhere among the others. If not, they are opened first, one after the other, as by one
    /// program that has much to ask.
    pub(super) is_scattered: bool,
    pub(super) pace: Pace,
    pub(super) draws: usize,
    /// In each draw: first not recorded, then recorded.
    pub(super) warm_up: Duration,
    pub(super) recorded: Duration,
}

/// When a connection's next request is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// Once the last one is answered.
    Closed,
    /// When it is due, or, if the connection still waits for an answer then, right after that. For each connection.
    Open { heavy_per_second: f64, light_per_second: f64 },
}

impl Load {
    /// `cpus` are those of the server's workers.
    pub(super) fn of(case: Case, cpus: usize) -> Result<Self, String> {
        // A closed loop on connections that are not alike would ask for less where it is answered late: the light ones of a
        // worker that has no heavy ones would be asked all the more, and an uneven share would look cheap.
        let (heavy, light, is_open) = match case.variant {
            "load=even" => (0, 64, false),
            "load=many" => (0, 256, false),
            "load=skewed" | "load=scattered" => (8, 56, true),
            "load=few" => (8, 0, false),
            "load=few-due" => (8, 0, true),
            other => return Err(format!("no variant is called `{other}`")),
        };
        let most_heavy_per_second = cpus as f64 / HEAVY.as_secs_f64();
        let heavy_per_second = HEAVY_SHARE * most_heavy_per_second / heavy as f64;
        let open = Pace::Open { heavy_per_second, light_per_second: LIGHT_PER_SECOND };
        Ok(Load {
            heavy,
            light,
            is_scattered: case.variant == "load=scattered",
            pace: if is_open { open } else { Pace::Closed },
            draws: case.size.of(DRAWS, 1, 1),
            warm_up: Duration::from_millis(case.size.of(20, 20, 5)),
            recorded: Duration::from_millis(case.size.of(225, 100, 20)),
        })
    }

    pub(super) fn connections(&self) -> usize {
        self.heavy + self.light
    }

    /// Whether each connection is heavy, in the order in which they are opened. Scattered they are where `draw` has them: each
    /// draw in other places.
    pub(super) fn heaviness(&self, draw: u64) -> Vec<bool> {
        let mut places: Vec<u64> = (0..self.connections() as u64).collect();
        if self.is_scattered {
            places.sort_by_key(|place| mixed(place ^ mixed(draw)));
        }
        places.into_iter().map(|place| place < self.heavy as u64).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Size;

    fn heavy_places(variant: &'static str, draw: u64) -> Vec<usize> {
        let case = Case { workers: 2, variant, size: Size::Full };
        let heaviness = Load::of(case, 2).expect("a load").heaviness(draw);
        assert_eq!(heaviness.len(), 64);
        heaviness.iter().enumerate().filter(|(_, heavy)| **heavy).map(|(place, _)| place).collect()
    }

    #[test]
    fn heavy_connections_are_first_or_scattered_anew_in_each_draw() {
        assert_eq!(heavy_places("load=skewed", 1), [0, 1, 2, 3, 4, 5, 6, 7]);
        let (one, two) = (heavy_places("load=scattered", 1), heavy_places("load=scattered", 2));
        assert_eq!((one.len(), two.len()), (8, 8));
        assert_ne!(one, two);
        assert_eq!(one, heavy_places("load=scattered", 1), "all contenders have the same places");
    }

    #[test]
    fn what_falls_due_takes_a_part_of_the_server_s_cpus() {
        let case = Case { workers: 4, variant: "load=few-due", size: Size::Full };
        let load = Load::of(case, 2).expect("a load");
        let Pace::Open { heavy_per_second, .. } = load.pace else { panic!("{load:?}") };
        let busy = heavy_per_second * load.heavy as f64 * HEAVY.as_secs_f64();
        assert!((busy - 2.0 * HEAVY_SHARE).abs() < 1e-9, "{busy}");
    }
}
