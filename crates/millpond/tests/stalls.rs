//! A task that holds its worker is noticed while it does, and nothing else is taken for one.

#[path = "common/alone.rs"]
mod alone;
#[path = "common/child.rs"]
#[allow(dead_code)] // Not what a process holds.
mod child;
mod common;
#[path = "common/proc.rs"]
#[allow(dead_code)] // Not its memory.
mod proc;

use alone::alone;
use common::{drivers, unhung};
use millpond::{Builder, Driver, Handle, JobOptions, Pin, Pool, Stall, WorkerId};
use proc::ThreadId;
use rustix::{
    process::{getpriority_process, setpriority_process},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::{ClockId, clock_gettime},
};
use std::{
    panic::Location,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

const SHORT: Duration = Duration::from_millis(1);
/// For what must not be told of: a host may take the CPU from a short poll for tens of milliseconds, and then the guest's
/// kernel may count these as the poll's own.
const LONG: Duration = Duration::from_millis(100);

/// A pool of two workers that tells of its stalls.
fn watched(driver: Driver, threshold: Duration) -> (Pool, mpsc::Receiver<Stall>) {
    watched_by(common::builder(2).driver(driver).thread_name(format!("{driver:?}")), threshold)
}

fn watched_by(builder: Builder, threshold: Duration) -> (Pool, mpsc::Receiver<Stall>) {
    let (report, reports) = mpsc::channel();
    let hook = move |stall: &Stall| report.send(stall.clone()).unwrap_or_default();
    let pool = builder.stall_threshold(threshold).on_stall(hook).build().expect("a pool starts");
    (pool, reports)
}

/// A job that blocks its worker until it is let go.
struct Holding {
    job: millpond::JoinHandle<()>,
    release: mpsc::Sender<()>,
    location: &'static Location<'static>,
}

#[track_caller]
fn hold(handle: &Handle, worker: WorkerId) -> Holding {
    let (release, gate) = mpsc::channel::<()>();
    let closure = move || async move { gate.recv().unwrap_or_default() };
    let job = handle.spawn_on(worker, closure).unwrap();
    Holding { job, release, location: Location::caller() }
}

impl Holding {
    /// What is told of before this is, which shows that the watch was there.
    fn told_before(self, reports: &mpsc::Receiver<Stall>) -> Vec<Stall> {
        let told = reports.iter().take_while(|stall| stall.location != self.location).collect();
        self.end();
        told
    }

    fn end(self) {
        drop(self.release);
        self.job.join().unwrap();
    }
}

/// Has a worker held so many times until that is noticed, and nothing else.
fn stall(pool: &Pool, worker: WorkerId, reports: &mpsc::Receiver<Stall>, times: usize) {
    for _ in 0..times {
        let holding = hold(pool, worker);
        assert_eq!(reports.recv().unwrap().worker, worker, "of the other worker nothing is told");
        holding.end();
    }
}

#[test]
fn a_task_that_holds_its_worker_is_noticed_while_it_does() {
    unhung("a_task_that_holds_its_worker_is_noticed_while_it_does", || {
        for driver in drivers() {
            let threshold = Duration::from_millis(2);
            let (pool, reports) = watched(driver, threshold);
            let worker = pool.workers()[1];
            let named = pool.with_options(JobOptions::new().name("hold"));
            for (handle, name) in [(&named, Some("hold")), (&*pool, None)] {
                let holding = hold(handle, worker);
                let stall = reports.recv().unwrap();
                assert!(
                    !holding.job.is_finished(),
                    "it is noticed while the job blocks, which only this test ends"
                );
                assert_eq!((stall.worker, stall.name), (worker, name));
                assert_eq!(stall.location, holding.location);
                assert!(stall.held >= threshold && stall.noticed.elapsed().is_ok());
                let text = format!("{worker} is held for {} ms or more by", stall.held.as_millis());
                assert!(stall.to_string().starts_with(&text), "{stall}");
                assert!(stall.to_string().contains(&format!("{}", holding.location)), "{stall}");
                holding.end();
            }
            let stalls: Vec<u64> = pool.metrics().workers.iter().map(|worker| worker.stalls).collect();
            assert_eq!(stalls, [0, 2]);
            let names: Vec<_> = pool.stalls().iter().map(|stall| stall.name).collect();
            assert_eq!(names, [Some("hold"), None]);
        }
    });
}

/// In a later poll than its first, and as a task of `spawn_local`.
#[test]
fn a_task_that_holds_its_worker_after_an_await_is_noticed() {
    unhung("a_task_that_holds_its_worker_after_an_await_is_noticed", || {
        let (pool, reports) = watched(Driver::Auto, SHORT);
        let (release, gate) = mpsc::channel::<()>();
        let (tell, place) = mpsc::channel();
        let job = pool.spawn(|| async move {
            let location = Location::caller();
            let local = millpond::spawn_local(async move {
                common::yield_now().await;
                tell.send(location.line() + 1).unwrap();
                gate.recv().unwrap_or_default();
            });
            local.await.unwrap();
        });
        let line = place.recv().unwrap();
        // Ended by its report. The job's own poll before may have taken long too, on a busy machine.
        while reports.recv().unwrap().location.line() != line {}
        drop(release);
        job.join().unwrap();
    });
}

/// Its closure's drop, on the worker where its turn came.
#[test]
fn a_job_that_came_too_late_and_is_long_in_dropping_is_noticed() {
    unhung("a_job_that_came_too_late_and_is_long_in_dropping_is_noticed", || {
        struct Slow(mpsc::Receiver<()>);
        impl Drop for Slow {
            fn drop(&mut self) {
                self.0.recv().unwrap_or_default();
            }
        }
        let (pool, reports) = watched(Driver::Auto, SHORT);
        let late = pool.with_options(JobOptions::new().name("late").deadline(Instant::now()));
        let (release, gate) = mpsc::channel();
        let slow = Slow(gate);
        let job = late.spawn(move || async move { drop(slow) });
        assert_eq!(reports.recv().unwrap().name, Some("late"));
        drop(release);
        assert!(job.join().unwrap_err().is_expired());
    });
}

#[test]
fn a_stall_is_told_of_once_and_the_next_one_again() {
    unhung("a_stall_is_told_of_once_and_the_next_one_again", || {
        let (pool, reports) = watched(Driver::Auto, SHORT);
        let [one, other] = [0, 1].map(|worker| pool.workers()[worker]);
        for round in 1..=3 {
            let holding = hold(&pool, one);
            assert_eq!(reports.recv().unwrap().worker, one);
            // Long enough for several more looks at the first, which is held all the while.
            stall(&pool, other, &reports, 5);
            assert_eq!(pool.metrics().workers[0].stalls, round);
            holding.end();
        }
    });
}

#[test]
fn the_newest_32_are_kept_and_all_are_counted() {
    unhung("the_newest_32_are_kept_and_all_are_counted", || {
        let (pool, reports) = watched(Driver::Auto, SHORT);
        let name = |number: usize| -> &'static str { number.to_string().leak() };
        let names: Vec<&str> = (0..35).map(name).collect();
        for name in &names {
            let handle = pool.with_options(JobOptions::new().name(name));
            let holding = hold(&handle, pool.workers()[0]);
            reports.recv().unwrap();
            holding.end();
        }
        let kept: Vec<&str> = pool.stalls().iter().map(|stall| stall.name.unwrap()).collect();
        assert_eq!(kept, names[3..]);
        assert_eq!(pool.metrics().workers[0].stalls, 35);
        let handle = pool.handle();
        drop(pool);
        assert_eq!(handle.stalls().len(), 32, "a pool that has ended still tells");
    });
}

/// Has both workers poll for a while. Says what was told of it, and what the longest poll can have taken.
fn poll_shortly(driver: Driver, threshold: Duration) -> (Vec<Stall>, Duration) {
    let (pool, reports) = watched(driver, threshold);
    let job = move || async move {
        let (begun, mut last, mut longest) = (Instant::now(), Instant::now(), Duration::ZERO);
        // The time that passes is what is under test.
        while begun.elapsed() < threshold * 10 {
            common::yield_now().await;
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
        longest
    };
    let jobs: Vec<_> = pool.workers().iter().map(|worker| pool.spawn_on(*worker, job).unwrap()).collect();
    let longest = jobs.into_iter().map(|job| job.join().unwrap()).max().unwrap();
    (hold(&pool, pool.workers()[0]).told_before(&reports), longest)
}

#[test]
fn many_short_polls_are_no_stall() {
    unhung("many_short_polls_are_no_stall", || {
        let threshold = Duration::from_millis(50);
        for driver in drivers() {
            loop {
                let (told, longest) = poll_shortly(driver, threshold);
                if told.is_empty() {
                    break;
                }
                // Whoever has taken the CPU from one for so long has made a stall of it: again.
                assert!(longest >= threshold, "no poll took more than {longest:?}: {told:?}");
            }
        }
    });
}

#[test]
fn an_idle_worker_is_no_stall() {
    unhung("an_idle_worker_is_no_stall", || {
        for driver in drivers() {
            let (pool, reports) = watched(driver, LONG);
            let [idle, other] = [0, 1].map(|worker| pool.workers()[worker]);
            pool.spawn_on(idle, || async {}).unwrap().join().unwrap();
            stall(&pool, other, &reports, 2);
            assert_eq!(pool.metrics().workers[0].stalls, 0);
        }
    });
}

#[test]
fn a_task_that_waits_is_no_stall() {
    unhung("a_task_that_waits_is_no_stall", || {
        for driver in drivers() {
            let (pool, reports) = watched(driver, LONG);
            let [waiting, other] = [0, 1].map(|worker| pool.workers()[worker]);
            let (sender, receiver) = flume::bounded::<()>(0);
            let job = pool.spawn_on(waiting, move || async move { receiver.recv_async().await }).unwrap();
            let timer = || millpond::time::sleep(Duration::from_secs(3600));
            let timer = pool.spawn_on(waiting, timer).unwrap();
            stall(&pool, other, &reports, 2);
            assert_eq!(pool.metrics().workers[0].stalls, 0);
            drop(sender);
            assert!(job.join().unwrap().is_err());
            timer.abort();
        }
    });
}

/// Stalls of another pool, long enough that one of this thread would be told of beside them.
struct OthersStall(Pool, mpsc::Receiver<Stall>);

impl OthersStall {
    fn new() -> OthersStall {
        let (pool, reports) = watched(Driver::Auto, LONG);
        OthersStall(pool, reports)
    }
}

impl Drop for OthersStall {
    fn drop(&mut self) {
        // Each takes the threshold and a quarter at least, and one of this thread is told of by its half more.
        stall(&self.0, self.0.workers()[0], &self.1, 2);
    }
}

/// What takes long then is dropped at the cut-off, a task and a job that has not started, or done in the stop hook.
#[test]
fn the_end_of_a_pool_is_no_stall() {
    unhung("the_end_of_a_pool_is_no_stall", || {
        for driver in drivers() {
            let in_stop_hook = Mutex::new(Some(OthersStall::new()));
            // At its limit of tasks, so that the job waits until the end.
            let builder = common::builder(1).driver(driver).max_tasks_per_worker(1);
            let builder = builder.on_worker_stop(move |_| drop(in_stop_hook.lock().unwrap().take()));
            let (pool, reports) = watched_by(builder, LONG);
            let (started, unstarted) = (OthersStall::new(), OthersStall::new());
            let (begun, has_begun) = mpsc::channel();
            // In short polls until the end, so that something runs to the last.
            let running = pool.spawn(move || async move {
                let _started = started;
                begun.send(()).unwrap();
                loop {
                    common::yield_now().await;
                }
            });
            has_begun.recv().unwrap();
            let waiting = pool.spawn(move || async move { drop(unstarted) });
            drop(pool);
            let (running, waiting): (Result<(), _>, _) = (running.join(), waiting.join());
            assert!(running.unwrap_err().is_shutdown() && waiting.unwrap_err().is_shutdown());
            let told: Vec<Stall> = reports.try_iter().collect();
            assert!(told.is_empty(), "{told:?}");
        }
    });
}

/// What this thread has had of a CPU, by the kernel's account.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Spins until this thread has computed for so long, however long that takes.
fn compute(time: Duration) {
    let until = cpu_time() + time;
    while cpu_time() < until {
        std::hint::spin_loop();
    }
}

fn pin_to(cpu: usize) {
    let mut mask = CpuSet::new();
    mask.set(cpu);
    sched_setaffinity(None, &mask).unwrap();
}

/// A worker that shares its CPU with others, who are served first: its polls compute for a fraction of the threshold, and
/// last for a multiple of it.
#[test]
fn a_worker_that_gets_no_cpu_is_no_stall() {
    alone(module_path!(), "a_worker_that_gets_no_cpu_is_no_stall", || {
        const HOGS: usize = 4;
        const STARVED_POLLS: usize = 4;
        // Well above a tick of the kernel's clock, to within which the time on a CPU is known.
        let threshold = Duration::from_millis(20);
        let mask = sched_getaffinity(None).unwrap();
        let cpu = (0..CpuSet::MAX_CPU).find(|cpu| mask.is_set(*cpu)).unwrap();
        // Of this thread alone: the kernel's is a thread's own.
        let be_nice = move |_| {
            pin_to(cpu);
            setpriority_process(None, 19)?;
            assert_eq!(getpriority_process(None)?, 19);
            Ok(())
        };
        let builder = common::builder(1).pin(Pin::None).on_worker_start(be_nice);
        let (pool, reports) = watched_by(builder, threshold);
        let over = Arc::new(AtomicBool::new(false));
        let hogs: Vec<_> = (0..HOGS)
            .map(|_| {
                let over = Arc::clone(&over);
                thread::spawn(move || {
                    pin_to(cpu);
                    while !over.load(SeqCst) {
                        std::hint::spin_loop();
                    }
                })
            })
            .collect();
        let job = pool.spawn(move || async move {
            let (mut starved, mut charged, mut before) = (0, 0, cpu_time());
            while starved < STARVED_POLLS {
                let begun = Instant::now();
                compute(Duration::from_millis(1));
                starved += usize::from(begun.elapsed() > threshold * 3);
                common::yield_now().await;
                let now = cpu_time();
                charged += usize::from(now - before >= threshold / 4);
                before = now;
            }
            charged
        });
        let charged = job.join().unwrap();
        over.store(true, SeqCst);
        hogs.into_iter().for_each(|hog| hog.join().unwrap());
        // What a host takes from a CPU may be charged to whoever runs there, and is a stall then.
        let told = hold(&pool, pool.workers()[0]).told_before(&reports);
        assert!(told.len() <= charged, "{charged} polls got more of a CPU than they asked for: {told:?}");
    });
}

/// It is never blocked, so what it has of a CPU is all that tells of it.
#[test]
fn a_task_that_computes_is_noticed_while_it_does() {
    unhung("a_task_that_computes_is_noticed_while_it_does", || {
        for driver in drivers() {
            let (pool, reports) = watched(driver, SHORT);
            let over = Arc::new(AtomicBool::new(false));
            let theirs = Arc::clone(&over);
            let job = pool.spawn(move || async move {
                while !theirs.load(SeqCst) {
                    std::hint::spin_loop();
                }
            });
            reports.recv().unwrap();
            assert!(!job.is_finished());
            over.store(true, SeqCst);
            job.join().unwrap();
        }
    });
}

/// Nothing of the pool's runs while the runtime has its turn, and no job is to blame for what does.
#[test]
fn what_runs_in_the_runtime_is_held_against_no_job() {
    unhung("what_runs_in_the_runtime_is_held_against_no_job", || {
        for driver in common::io_drivers() {
            let (pool, _reports) = watched(driver, LONG);
            let others = OthersStall::new();
            let over = Arc::new(AtomicBool::new(false));
            let theirs = Arc::clone(&over);
            let job = pool.spawn(|| async move {
                let is_over = Arc::clone(&theirs);
                monoio::spawn(async move {
                    drop(others);
                    is_over.store(true, SeqCst);
                });
                while !theirs.load(SeqCst) {
                    common::yield_now().await;
                }
            });
            job.join().unwrap();
            assert!(over.load(SeqCst));
            assert_eq!(pool.stalls().len(), 0, "{:?}", pool.stalls());
        }
    });
}

/// The watch of a pool that `watched` has made on this driver.
fn watch_of(driver: Driver) -> ThreadId {
    ThreadId::called(&format!("{driver:?}-watch"))
}

/// Waits until a thread sleeps and has done nothing for so long. One whose CPU the host has taken looks the same meanwhile.
fn wait_until_at_rest(thread: ThreadId, time: Duration) {
    loop {
        let before = thread.activity();
        // Time that passes is what is looked at.
        thread::sleep(time);
        if thread.is_asleep() && thread.activity() == before {
            return;
        }
    }
}

#[test]
fn an_idle_pool_sleeps_for_good_with_its_watcher() {
    alone(module_path!(), "an_idle_pool_sleeps_for_good_with_its_watcher", || {
        for driver in drivers() {
            let (pool, reports) = watched(driver, SHORT);
            let watch = watch_of(driver);
            stall(&pool, pool.workers()[0], &reports, 3);
            // Two hundred thresholds, which hangs if the watch goes on to look.
            wait_until_at_rest(watch, SHORT * 200);
        }
    });
}

#[test]
fn a_watch_that_sleeps_is_woken_for_a_stall() {
    alone(module_path!(), "a_watch_that_sleeps_is_woken_for_a_stall", || {
        for driver in drivers() {
            let (pool, reports) = watched(driver, SHORT);
            let watch = watch_of(driver);
            for round in 0..20 {
                // Longer than between two looks.
                wait_until_at_rest(watch, SHORT * 20);
                stall(&pool, pool.workers()[round % 2], &reports, 1);
            }
        }
    });
}

/// However often a worker becomes busy, the watch is woken once in a quarter of the threshold.
#[test]
fn a_pool_that_is_busy_now_and_then_does_not_wake_its_watch_for_each_job() {
    alone(module_path!(), "a_pool_that_is_busy_now_and_then_does_not_wake_its_watch_for_each_job", || {
        for driver in drivers() {
            let threshold = Duration::from_millis(200);
            let (pool, _reports) = watched(driver, threshold);
            let watch = watch_of(driver);
            let (begun, before) = (Instant::now(), watch.activity());
            for _ in 0..2_000 {
                pool.spawn(|| async {}).join().unwrap();
            }
            let periods = begun.elapsed().as_micros() / (threshold / 4).as_micros() + 1;
            let switches = watch.activity().voluntary_switches - before.voluntary_switches;
            // A pause and a sleep in each.
            assert!(u128::from(switches) <= 2 * periods + 2, "{switches} in {periods} periods");
        }
    });
}

#[test]
fn nobody_looks_with_a_threshold_of_max() {
    alone(module_path!(), "nobody_looks_with_a_threshold_of_max", || {
        let pool = common::builder(1).stall_threshold(Duration::MAX).build().unwrap();
        pool.spawn(|| async {}).join().unwrap();
        let threads = ThreadId::all();
        assert!(threads.iter().any(|(_, name)| name == "millpond-0"), "{threads:?}");
        assert!(!threads.iter().any(|(_, name)| name.contains("watch")), "{threads:?}");
        assert_eq!(pool.stalls().len(), 0);
    });
}

#[test]
fn the_hook_is_inside_the_pool_and_its_panic_changes_nothing() {
    unhung("the_hook_is_inside_the_pool_and_its_panic_changes_nothing", || {
        let (report, reports) = mpsc::channel();
        let hook = move |stall: &Stall| {
            let handle = Handle::current();
            let told = handle.metrics().workers[0].stalls;
            let kept = handle.stalls().len();
            let elsewhere = millpond::spawn(|| async { 7 }).join().unwrap();
            report.send((told, kept, elsewhere)).unwrap();
            panic!("in the hook for {stall}");
        };
        let pool = common::builder(2).stall_threshold(SHORT).on_stall(hook).build().unwrap();
        for round in 1..=3 {
            let holding = hold(&pool, pool.workers()[0]);
            assert_eq!(reports.recv().unwrap(), (round, round as usize, 7));
            holding.end();
        }
    });
}

#[test]
fn a_pool_dropped_in_its_stall_hook() {
    unhung("a_pool_dropped_in_its_stall_hook", || {
        for driver in drivers() {
            let owner = Arc::new(Mutex::new(None::<Pool>));
            let theirs = Arc::clone(&owner);
            let (release, gate) = mpsc::channel::<()>();
            let (dropped, is_dropped) = mpsc::channel();
            let release = Mutex::new(Some(release));
            let hook = move |_: &Stall| {
                // The job ends, for which the drop waits.
                drop(release.lock().unwrap().take());
                drop(theirs.lock().unwrap().take());
                dropped.send(()).unwrap_or_default();
            };
            let builder = common::builder(2).driver(driver).stall_threshold(SHORT).on_stall(hook);
            let pool = builder.build().unwrap();
            let handle = pool.handle();
            *owner.lock().unwrap() = Some(pool);
            drop(handle.spawn(move || async move { gate.recv().unwrap_or_default() }));
            is_dropped.recv().unwrap();
            assert!(handle.spawn(|| async {}).join().unwrap_err().is_shutdown());
            // The watch has ended, and with it the hook.
            drop(handle);
            assert!(is_dropped.recv().is_err());
        }
    });
}

#[test]
fn a_pool_dropped_in_the_job_that_stalls() {
    unhung("a_pool_dropped_in_the_job_that_stalls", || {
        for driver in drivers() {
            let (pool, reports) = watched(driver, SHORT);
            let handle = pool.handle();
            let (gave, gate) = mpsc::channel::<()>();
            let job = handle.spawn(move || async move {
                gate.recv().unwrap();
                drop(pool);
                "still here"
            });
            reports.recv().unwrap();
            gave.send(()).unwrap();
            assert_eq!(job.join().unwrap(), "still here");
            // The watch has ended, and with it the hook.
            drop(handle);
            assert!(reports.recv().is_err());
        }
    });
}

#[cfg(feature = "backtrace")]
mod backtraces {
    use super::*;
    use std::{io::Read, os::unix::net::UnixStream};

    /// The functions of a backtrace, from the one that was interrupted outwards.
    fn functions(stall: &Stall) -> Vec<String> {
        let text = stall.backtrace.as_deref().expect("a backtrace");
        let numbered = text.lines().filter_map(|line| line.trim_start().split_once(": "));
        numbered
            .filter(|(number, _)| number.parse::<u32>().is_ok())
            .map(|(_, name)| name.to_owned())
            .collect()
    }

    /// One of them is `name`, none is of the signal's handler or of the pool's own, and the first is where it was.
    fn assert_shows(stall: &Stall, name: &str) {
        let functions = functions(stall);
        assert!(functions.iter().any(|function| function.ends_with(name)), "no {name} in {functions:#?}");
        for not_shown in
            ["signal_hook_registry", "millpond::stall", "millpond::task", "_Unwind", "restore_rt"]
        {
            assert!(
                !functions.iter().any(|function| function.contains(not_shown)),
                "{not_shown} in {functions:#?}"
            );
        }
    }

    #[inline(never)]
    fn spins_until(over: &AtomicBool) {
        while !over.load(SeqCst) {
            std::hint::spin_loop();
        }
    }

    #[inline(never)]
    fn blocks_in_a_read(mut from: UnixStream) -> std::io::Result<usize> {
        from.read(&mut [0])
    }

    /// Has a job spin until that is told of.
    fn spinning(pool: &Pool, worker: WorkerId, reports: &mpsc::Receiver<Stall>) -> Stall {
        let over = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&over);
        let job = pool.spawn_on(worker, move || async move { spins_until(&theirs) }).unwrap();
        let stall = reports.recv().unwrap();
        over.store(true, SeqCst);
        job.join().unwrap();
        stall
    }

    /// The same in a system call.
    fn reading(pool: &Pool, worker: WorkerId, reports: &mpsc::Receiver<Stall>) -> Stall {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let job = pool.spawn_on(worker, move || async move { blocks_in_a_read(theirs) }).unwrap();
        let stall = reports.recv().unwrap();
        drop(ours);
        assert_eq!(job.join().unwrap().unwrap(), 0, "the signal does not interrupt what can go on");
        stall
    }

    /// Again, until the thread answers in time, as it does not always on a busy machine.
    fn answered(mut stall: impl FnMut() -> Stall) -> Stall {
        loop {
            let stall = stall();
            if stall.backtrace.is_some() {
                return stall;
            }
        }
    }

    #[test]
    fn a_backtrace_shows_the_function_that_blocks() {
        unhung("a_backtrace_shows_the_function_that_blocks", || {
            for driver in drivers() {
                let (pool, reports) = watched(driver, SHORT);
                let worker = pool.workers()[1];
                assert_shows(&answered(|| spinning(&pool, worker, &reports)), "spins_until");
                assert_shows(&answered(|| reading(&pool, worker, &reports)), "blocks_in_a_read");
            }
        });
    }

    /// All of them wait for one signal's handler, and for one place to put the answer.
    #[test]
    fn each_of_two_pools_gets_its_own() {
        unhung("each_of_two_pools_gets_its_own", || {
            let pools = [watched(Driver::Auto, SHORT), watched(Driver::Auto, SHORT)];
            let rounds = |stall: fn(&Pool, WorkerId, &mpsc::Receiver<Stall>) -> Stall,
                          (pool, reports): &(Pool, mpsc::Receiver<Stall>),
                          name: &str| {
                let stall = || stall(pool, pool.workers()[0], reports);
                (0..20).for_each(|_| assert_shows(&answered(stall), name));
            };
            let [one, two] = pools;
            thread::scope(|scope| {
                scope.spawn(move || rounds(spinning, &one, "spins_until"));
                scope.spawn(move || rounds(reading, &two, "blocks_in_a_read"));
            });
        });
    }

    /// Whether the present thread takes the signal.
    fn set_blocked(blocked: bool) {
        let how = if blocked { libc::SIG_BLOCK } else { libc::SIG_UNBLOCK };
        // SAFETY: the set is plain data, which is initialised before it is used.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            libc::sigaddset(&mut set, libc::SIGURG);
            assert_eq!(libc::pthread_sigmask(how, &set, std::ptr::null_mut()), 0);
        }
    }

    #[test]
    fn a_thread_that_does_not_answer_is_told_of_without_a_backtrace() {
        unhung("a_thread_that_does_not_answer_is_told_of_without_a_backtrace", || {
            let (pool, reports) = watched(Driver::Auto, SHORT);
            let [mute, other] = [0, 1].map(|worker| pool.workers()[worker]);
            let (release, gate) = mpsc::channel::<()>();
            let job = move || async move {
                set_blocked(true);
                gate.recv().unwrap_or_default();
                // What was asked long ago is answered now, and nobody listens.
                set_blocked(false);
            };
            let job = pool.spawn_on(mute, job).unwrap();
            let stall = reports.recv().unwrap();
            assert_eq!((stall.worker, stall.backtrace), (mute, None));
            // Others answer meanwhile, and it does itself when it can.
            assert_shows(&answered(|| reading(&pool, other, &reports)), "blocks_in_a_read");
            release.send(()).unwrap();
            job.join().unwrap();
            assert_shows(&answered(|| reading(&pool, mute, &reports)), "blocks_in_a_read");
        });
    }
}
