//! What the kernel knows of this process and its threads, read from /proc.
//!
//! Descriptors and the number of threads are counted by `child::Holdings`.

use std::fs;

/// One thread of this process. It must live as long as it is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThreadId(u32);

/// What a thread has done since its start. One that sleeps throughout reads the same before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Activity {
    /// Time on a CPU, in user space and in the kernel.
    pub(crate) cpu_ns: u64,
    /// How often it went to sleep; so one more for each time that it was woken in between.
    pub(crate) voluntary_switches: u64,
}

impl ThreadId {
    pub(crate) fn current() -> ThreadId {
        let link = fs::read_link("/proc/thread-self").expect("/proc is mounted");
        let name =
            link.file_name().and_then(|name| name.to_str()).expect("the link ends in the thread's number");
        ThreadId(name.parse().expect("the link ends in the thread's number"))
    }

    /// Those that there are now, each with the first 15 bytes of its name.
    pub(crate) fn all() -> Vec<(ThreadId, String)> {
        let entries = fs::read_dir("/proc/self/task").expect("/proc is mounted");
        let named = |number: String| {
            // One that has ended meanwhile has no name.
            let name = fs::read_to_string(format!("/proc/self/task/{number}/comm")).ok()?;
            Some((ThreadId(number.parse().expect("a thread's number")), name.trim_end().to_owned()))
        };
        entries.filter_map(|entry| named(entry.unwrap().file_name().into_string().unwrap())).collect()
    }

    /// The one of this name, once it has it: a thread names itself when it is up.
    pub(crate) fn called(name: &str) -> ThreadId {
        loop {
            if let Some((thread, _)) = ThreadId::all().into_iter().find(|(_, theirs)| theirs == name) {
                return thread;
            }
            std::thread::yield_now();
        }
    }

    pub(crate) fn activity(self) -> Activity {
        let schedstat = self.read("schedstat");
        let (cpu_ns, _) = schedstat.split_once(' ').expect("schedstat has three fields");
        Activity {
            cpu_ns: cpu_ns.parse().expect("the first is in nanoseconds"),
            voluntary_switches: field(&self.read("status"), "voluntary_ctxt_switches:"),
        }
    }

    /// It waits in the kernel, and nothing has woken it yet.
    pub(crate) fn is_asleep(self) -> bool {
        let stat = self.read("stat");
        // The state follows the thread's name, which is in brackets and may hold anything.
        let (_, rest) = stat.rsplit_once(") ").expect("stat has the name in brackets");
        rest.starts_with('S')
    }

    fn read(self, file: &str) -> String {
        let path = format!("/proc/self/task/{}/{file}", self.0);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

/// The memory of this process that is in RAM. Counted page by page: the figure in `status` is an estimate that may be
/// out by some MiB on a machine with many CPUs.
pub(crate) fn resident_bytes() -> u64 {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").expect("/proc is mounted");
    field(&rollup, "Rss:") * 1024
}

/// The number behind `name` at the start of a line.
fn field(text: &str, name: &str) -> u64 {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or_else(|| panic!("no {name} in {text}"));
    let number = value.split_whitespace().next().unwrap_or_default();
    number.parse().unwrap_or_else(|error| panic!("{name} {value}: {error}"))
}
