//! The doctor's judgements: facts in, verdicts with advice out.

use super::facts::Facts;
use super::{Check, Verdict};
use crate::cpus;
use crate::limits::{self, Kernel};

/// The name of the check that [`Report::io_uring`](super::Report::io_uring) looks for.
pub(super) const IO_URING: &str = "io_uring";

/// With less room than this for each worker, a server runs out of descriptors before it runs out of anything else.
const ROOMY_FDS_PER_WORKER: u64 = 256;
/// `spawn_blocking` grows to so many threads when asked for as many at a time.
const BLOCKING_THREADS: u64 = 500;

/// All checks, from the kernel up to the pool.
pub(super) fn all(facts: &Facts) -> Vec<Check> {
    vec![
        kernel(facts),
        io_uring(facts),
        locked_memory(facts),
        open_files(facts),
        cpus(facts),
        cpu_quota(facts),
        workers(facts),
        threads(facts),
    ]
}

fn fine(name: &'static str, found: String) -> Check {
    Check { name, verdict: Verdict::Fine, found, advice: None }
}

fn limited(name: &'static str, found: String, advice: impl Into<String>) -> Check {
    Check { name, verdict: Verdict::Limited, found, advice: Some(advice.into()) }
}

fn refused(name: &'static str, found: String, advice: impl Into<String>) -> Check {
    Check { name, verdict: Verdict::Refused, found, advice: Some(advice.into()) }
}

/// No more than limited, however old: a vendor may have brought io_uring to an old release, and the next check asks
/// the kernel itself.
fn kernel(facts: &Facts) -> Check {
    let found = format!("Linux {}", facts.kernel.release);
    if facts.kernel.version >= Kernel::HAS_IO_URING {
        return fine("kernel", found);
    }
    limited("kernel", found, "io_uring as monoio uses it came with Linux 5.7")
}

fn io_uring(facts: &Facts) -> Check {
    match &facts.io_uring {
        Ok(()) => fine(IO_URING, "the kernel made a ring".into()),
        Err(refusal) => {
            let advice = format!("{}; until then `Driver::Auto` runs on epoll", refusal.advice());
            refused(IO_URING, refusal.cause(), advice)
        }
    }
}

fn locked_memory(facts: &Facts) -> Check {
    const NAME: &str = "locked memory";
    let limit = limits::bytes(facts.memlock.current);
    if facts.kernel.version >= Kernel::CHARGES_RINGS_TO_CGROUP {
        return fine(NAME, format!("{limit}; this kernel does not count rings against it"));
    }
    if facts.locks_freely {
        return fine(NAME, format!("{limit}; not counted for this user"));
    }
    let needed = facts.allowance.workers as u64 * limits::ring_bytes(limits::DEFAULT_RING_ENTRIES);
    let found = format!("{limit}; the workers' rings take {}", limits::bytes(Some(needed)));
    if facts.memlock.current.is_none_or(|limit| limit >= needed) {
        return fine(NAME, found);
    }
    refused(
        NAME,
        found,
        "raise `ulimit -l` (systemd `LimitMEMLOCK=`, docker `--ulimit memlock=-1`), or lower `ring_entries`",
    )
}

fn open_files(facts: &Facts) -> Check {
    const NAME: &str = "open files";
    let open = facts.fds_open.unwrap_or(0);
    let workers = facts.allowance.workers as u64;
    let needed = workers * limits::FDS_PER_WORKER;
    let limit = limits::number(facts.fd_limit.current);
    let found = format!("{limit} allowed, {open} open, {needed} more taken by a pool");
    let advice = format!(
        "raise `ulimit -n`, here up to {} without being root (systemd `LimitNOFILE=`, docker `--ulimit nofile=`)",
        limits::number(facts.fd_limit.maximum)
    );
    let Some(limit) = facts.fd_limit.current else { return fine(NAME, found) };
    match limit.checked_sub(open + needed) {
        None => refused(NAME, found, advice),
        Some(room) if room < workers * ROOMY_FDS_PER_WORKER => limited(NAME, found, advice),
        Some(_) => fine(NAME, found),
    }
}

fn cpus(facts: &Facts) -> Check {
    const NAME: &str = "CPUs";
    let allowed = cpus::ranges(&facts.allowance.cpus);
    match &facts.cpus_online {
        _ if allowed.is_empty() => limited(
            NAME,
            "the affinity mask cannot be read".into(),
            "set `worker_threads`, and leave the workers unpinned (`Pin::None`)",
        ),
        None => fine(NAME, allowed),
        Some(online) if *online == allowed => fine(NAME, format!("{allowed}, all of the machine's")),
        Some(online) => limited(
            NAME,
            format!("{allowed} of {online}"),
            "the affinity mask leaves CPUs out (`taskset`, docker `--cpuset-cpus`, systemd `AllowedCPUs=`)",
        ),
    }
}

fn cpu_quota(facts: &Facts) -> Check {
    const NAME: &str = "CPU quota";
    match facts.quota {
        None => fine(NAME, "none".into()),
        Some(quota) if !facts.allowance.is_quota_limited() => {
            fine(NAME, format!("{quota:.2} CPUs' worth, not less than the mask"))
        }
        Some(quota) => limited(
            NAME,
            format!("{quota:.2} CPUs' worth of time"),
            "the cgroup grants less time than its CPUs have (docker `--cpus`, systemd `CPUQuota=`)",
        ),
    }
}

fn workers(facts: &Facts) -> Check {
    let pinned = !facts.allowance.is_quota_limited() && !facts.allowance.cpus.is_empty();
    let place = if pinned { "one pinned to each CPU" } else { "not pinned" };
    fine("workers", format!("{} by default, {place}", facts.allowance.workers))
}

fn threads(facts: &Facts) -> Check {
    const NAME: &str = "threads";
    let limits::ThreadLimit { count, set_by } = facts.threads;
    if count == u64::MAX {
        return fine(NAME, "unlimited".into());
    }
    let found = format!("{count} by {}", set_by.name());
    let advice = format!("raise {set_by}");
    // One thread is the caller's.
    let spare = count.saturating_sub(1);
    match spare.checked_sub(facts.allowance.workers as u64) {
        None => refused(NAME, found, advice),
        Some(room) if room < BLOCKING_THREADS => limited(NAME, found, advice),
        Some(_) => fine(NAME, found),
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::Rlimit;

    use super::*;
    use crate::allowance::Allowance;
    use crate::limits::{IoUringRefusal, ThreadLimit, ThreadSetting};

    fn allowing(cpus: &[usize], workers: usize) -> Allowance {
        Allowance { cpus: cpus.to_vec(), workers }
    }

    /// A machine with nothing in the way: four CPUs, a new kernel.
    fn roomy() -> Facts {
        let limit = |limit| Rlimit { current: Some(limit), maximum: Some(limit) };
        Facts {
            kernel: Kernel::parse("6.12.1"),
            io_uring: Ok(()),
            memlock: limit(0),
            locks_freely: false,
            fd_limit: limit(20_000),
            fds_open: Some(5),
            allowance: allowing(&[0, 1, 2, 3], 4),
            cpus_online: Some("0-3".into()),
            quota: None,
            threads: ThreadLimit { count: 10_000, set_by: ThreadSetting::UserProcesses },
        }
    }

    /// What this machine's checks say, one `name: verdict` for each that is not fine.
    fn complaints(facts: &Facts) -> Vec<String> {
        let checks = all(facts).into_iter().filter(|check| check.verdict != Verdict::Fine);
        checks.map(|check| format!("{}: {}", check.name, check.verdict)).collect()
    }

    #[test]
    fn a_roomy_machine_is_fine() {
        assert_eq!(complaints(&roomy()), [""; 0]);
        let found: Vec<_> = all(&roomy()).into_iter().map(|check| check.found).collect();
        assert!(found.contains(&"4 by default, one pinned to each CPU".into()), "{found:?}");
    }

    #[test]
    fn a_refused_ring_says_why_and_what_runs_instead() {
        let facts = Facts { io_uring: Err(IoUringRefusal::BlockedBySeccomp), ..roomy() };
        assert_eq!(complaints(&facts), ["io_uring: refused"]);
        let check = io_uring(&facts);
        assert!(check.found.contains("seccomp") && check.advice.unwrap().contains("epoll"));
    }

    #[test]
    fn old_kernels_count_rings_as_locked_memory() {
        let old = || Facts { kernel: Kernel::parse("5.10.0-30-amd64"), ..roomy() };
        assert_eq!(complaints(&old()), ["locked memory: refused"]);
        assert_eq!(complaints(&Facts { locks_freely: true, ..old() }), [""; 0]);
        let unlimited = Rlimit { current: None, maximum: None };
        assert_eq!(complaints(&Facts { memlock: unlimited, ..old() }), [""; 0]);
        let older = Facts { kernel: Kernel::parse("5.4.0-190-generic"), memlock: unlimited, ..roomy() };
        assert_eq!(complaints(&older), ["kernel: limited"]);
    }

    #[test]
    fn descriptors_must_do_for_the_workers_and_leave_room() {
        let allowing =
            |limit| Facts { fd_limit: Rlimit { current: Some(limit), maximum: Some(4096) }, ..roomy() };
        let needed = 5 + 4 * limits::FDS_PER_WORKER;
        assert_eq!(complaints(&allowing(needed - 1)), ["open files: refused"]);
        assert_eq!(complaints(&allowing(needed)), ["open files: limited"]);
        assert_eq!(complaints(&allowing(needed + 4 * ROOMY_FDS_PER_WORKER)), [""; 0]);
        assert!(open_files(&allowing(1)).advice.unwrap().contains("up to 4096"));
    }

    #[test]
    fn fewer_cpus_than_the_machine_has_is_a_limit() {
        let masked = Facts { allowance: allowing(&[0, 2], 2), ..roomy() };
        assert_eq!(complaints(&masked), ["CPUs: limited"]);
        assert_eq!(cpus(&masked).found, "0,2 of 0-3");
        let quota = Facts { quota: Some(1.5), allowance: allowing(&[0, 1, 2, 3], 1), ..roomy() };
        assert_eq!(complaints(&quota), ["CPU quota: limited"]);
        assert_eq!(workers(&quota).found, "1 by default, not pinned");
        let generous = Facts { quota: Some(4.0), ..roomy() };
        assert_eq!(complaints(&generous), [""; 0]);
        let unreadable = Facts { allowance: allowing(&[], 4), ..roomy() };
        assert_eq!(complaints(&unreadable), ["CPUs: limited"]);
        let unlisted = Facts { cpus_online: None, ..roomy() };
        assert_eq!(complaints(&unlisted), [""; 0]);
    }

    #[test]
    fn threads_must_do_for_the_workers_and_for_blocking_calls() {
        let allowing = |count| ThreadLimit { count, set_by: ThreadSetting::CgroupPids };
        assert_eq!(complaints(&Facts { threads: allowing(4), ..roomy() }), ["threads: refused"]);
        assert_eq!(complaints(&Facts { threads: allowing(5), ..roomy() }), ["threads: limited"]);
        assert_eq!(complaints(&Facts { threads: allowing(505), ..roomy() }), [""; 0]);
        let check = threads(&Facts { threads: allowing(5), ..roomy() });
        assert!(check.advice.unwrap().contains("--pids-limit"));
    }
}
