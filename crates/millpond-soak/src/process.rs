//! What this process holds, read from /proc.

use std::{
    fmt, fs, thread,
    time::{Duration, Instant},
};

/// The memory that is in RAM, counted page by page.
pub(crate) fn resident_bytes() -> u64 {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let rss =
        rollup.lines().find_map(|line| line.strip_prefix("Rss:")?.split_whitespace().next()?.parse().ok());
    rss.unwrap_or(0_u64) * 1024
}

pub(crate) fn descriptors() -> usize {
    // One is the listing's own.
    fs::read_dir("/proc/self/fd").map_or(0, |listed| listed.count().saturating_sub(1))
}

/// The least of a few looks: the watchdog opens a file now and then.
fn at_rest() -> usize {
    (0..10).map(|_| descriptors()).min().unwrap_or_default()
}

/// What each descriptor points to.
fn open() -> Vec<String> {
    let listed = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    listed.filter_map(|entry| Some(fs::read_link(entry.path()).ok()?.display().to_string())).collect()
}

pub(crate) fn threads() -> usize {
    fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

/// What the process may grow by, between a warm-up and the end.
pub(crate) struct Bounds {
    begun: Instant,
    warm_up: Duration,
    /// Raised with each round after the warm-up.
    growth_bytes: u64,
    /// Before the first pool.
    descriptors: usize,
    /// The most at the end of any round of the warm-up.
    warm_bytes: u64,
    /// The most after it.
    most_bytes: u64,
}

/// monoio keeps about 180 bytes of each ring that was (12,000 pools of two workers; nothing of epoll, and nothing of a
/// job). A round has three rings on the average, those of nested pools among them; the bound allows for twice that.
const KEPT_BYTES_PER_ROUND: u64 = 1_024;
/// How long what has been closed may take to go.
const CLOSE_LIMIT: Duration = Duration::from_secs(20);

impl Bounds {
    pub(crate) fn new(warm_up: Duration, growth_bytes: u64) -> Bounds {
        Bounds {
            begun: Instant::now(),
            warm_up,
            growth_bytes,
            descriptors: at_rest(),
            warm_bytes: 0,
            most_bytes: 0,
        }
    }

    /// At the end of a round, when there is no pool.
    pub(crate) fn check(&mut self) -> Option<String> {
        let before = self.descriptors;
        let since = Instant::now();
        // The thread sanitizer opens pipes to a process that names functions for its suppressions, when it first needs one.
        while descriptors() > before && !cfg!(millpond_tsan) {
            if since.elapsed() > CLOSE_LIMIT {
                let open = open().join(", ");
                return Some(format!("more descriptors are open than the {before} that were before: {open}"));
            }
            // A pool that is dropped in its own job closes the last of its descriptors after that.
            thread::sleep(Duration::from_millis(1));
        }
        let now = resident_bytes();
        if self.begun.elapsed() < self.warm_up {
            self.warm_bytes = self.warm_bytes.max(now);
            return None;
        }
        self.most_bytes = self.most_bytes.max(now);
        self.growth_bytes += KEPT_BYTES_PER_ROUND;
        // A run that is all warm-up has nothing to compare.
        let grown = now.saturating_sub(self.warm_bytes);
        (self.warm_bytes > 0 && grown > self.growth_bytes).then(|| {
            format!(
                "{} MiB are resident, and {} MiB were after the warm-up",
                now >> 20,
                self.warm_bytes >> 20
            )
        })
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        write!(
            f,
            "resident: at most {:.1} MiB in the warm-up of {:?}, {:.1} MiB after it; {} descriptors between rounds",
            mib(self.warm_bytes),
            self.warm_up,
            mib(self.most_bytes),
            self.descriptors
        )
    }
}
