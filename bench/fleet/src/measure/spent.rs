//! What something cost.

/// CPU time of the busiest server, and wall time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spent {
    pub(super) cpu_s: f64,
    pub(super) wall_s: f64,
}

impl Spent {
    /// Of the server's CPU, for each of `count`.
    pub(super) fn us(self, count: usize) -> f64 {
        self.cpu_s * 1e6 / count as f64
    }

    pub(super) fn line(self, what: &str, count: usize) -> String {
        let rate = count as f64 / self.wall_s;
        format!(
            "{what:<58} {:>7.2} us of CPU {:>9.0}/s {:>5.2} cores",
            self.us(count),
            rate,
            self.cpu_s / self.wall_s
        )
    }
}
