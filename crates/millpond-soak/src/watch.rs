//! The watchdog: says every ten seconds how far it is, and aborts with what was under way if nothing moves.

use crate::{ledger::Ledger, process};
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// Nothing in a round takes a second; a machine that gives a thread no time for a minute is no place for this.
const STILL_LIMIT: Duration = Duration::from_secs(60);
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Counts each start and end of a job, and each step of a thread that sends them.
static MOVED: AtomicU64 = AtomicU64::new(0);
pub(crate) static ROUNDS: AtomicU64 = AtomicU64::new(0);
pub(crate) static JOBS: AtomicU64 = AtomicU64::new(0);
/// What each thread of the program's own is about to do.
static DOING: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
/// The round under way.
static LEDGER: Mutex<Weak<Ledger>> = Mutex::new(Weak::new());

pub(crate) fn moved() {
    MOVED.fetch_add(1, Relaxed);
}

pub(crate) fn doing(what: impl FnOnce() -> String) {
    moved();
    let name = thread::current().name().unwrap_or("?").to_owned();
    DOING.lock().insert(name, what());
}

pub(crate) fn round(ledger: &Arc<Ledger>) {
    *LEDGER.lock() = Arc::downgrade(ledger);
}

/// For the life of the process.
pub(crate) fn start(seed: u64) {
    let start = Instant::now();
    let watch = move || {
        let (mut last, mut since, mut line) = (0, Instant::now(), Instant::now());
        loop {
            thread::sleep(LOOK_EVERY);
            let moved = MOVED.load(Relaxed);
            if moved != last {
                (last, since) = (moved, Instant::now());
            }
            if since.elapsed() > STILL_LIMIT {
                dump(seed);
                std::process::abort();
            }
            if line.elapsed() >= LINE_EVERY {
                line = Instant::now();
                println!("{}", progress(start, seed));
            }
        }
    };
    thread::Builder::new().name("watchdog".to_owned()).spawn(watch).expect("a thread starts");
}

pub(crate) fn progress(start: Instant, seed: u64) -> String {
    format!(
        "{:>5} s  seed {seed}  {} rounds  {} jobs  {} MiB resident  {} descriptors  {} threads",
        start.elapsed().as_secs(),
        ROUNDS.load(Relaxed),
        JOBS.load(Relaxed),
        process::resident_bytes() >> 20,
        process::descriptors(),
        process::threads()
    )
}

fn dump(seed: u64) {
    eprintln!("nothing has moved for {STILL_LIMIT:?}; seed {seed}, in round {}", ROUNDS.load(Relaxed));
    // A thread that hangs may hold a lock.
    match DOING.try_lock() {
        Some(doing) => doing.iter().for_each(|(thread, what)| eprintln!("{thread}: {what}")),
        None => eprintln!("what its threads do is locked"),
    }
    let ledger = LEDGER.try_lock().and_then(|ledger| ledger.upgrade());
    ledger.into_iter().flat_map(|ledger| ledger.unfinished()).for_each(|job| eprintln!("{job}"));
    for entry in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |file| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
        let (name, waits_in, stat) = (read("comm"), read("wchan"), read("stat"));
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('?');
        eprintln!("thread {:?} {} is {state} in {waits_in}", entry.file_name(), name.trim());
    }
}
