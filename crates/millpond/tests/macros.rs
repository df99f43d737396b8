//! `#[millpond::main]` and `#[millpond::test]`, used as a program uses them.

#![cfg(feature = "macros")]

use millpond::Pin;
use std::cell::Cell;
use std::error::Error;
use std::process::{Command, ExitCode, Termination};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

mod the_body {
    use super::*;

    static RUNS: AtomicUsize = AtomicUsize::new(0);

    #[millpond::main(worker_threads = 3)]
    async fn counts() {
        RUNS.fetch_add(1, Ordering::SeqCst);
        let workers = millpond::broadcast(|_| async {}).await;
        assert_eq!(workers.len(), 3);
    }

    #[test]
    fn runs_once_whatever_the_number_of_workers() {
        counts();
        assert_eq!(RUNS.load(Ordering::SeqCst), 1);
    }

    #[millpond::main(worker_threads = 1)]
    async fn thread() -> std::thread::ThreadId {
        std::thread::current().id()
    }

    #[test]
    fn runs_on_the_calling_thread() {
        assert_eq!(thread(), std::thread::current().id());
    }

    #[millpond::main(worker_threads = 2)]
    async fn holds_an_rc() -> u32 {
        let count = Rc::new(Cell::new(1));
        let local = millpond::spawn_local({
            let count = Rc::clone(&count);
            async move { count.set(count.get() + 1) }
        });
        let there = millpond::spawn(|| async { 40 }).await.unwrap();
        local.await.unwrap();
        there + count.get()
    }

    #[test]
    fn need_not_be_send_and_may_spawn() {
        assert_eq!(holds_an_rc(), 42);
    }

    #[millpond::main(worker_threads = 2)]
    async fn worker_ids() -> (millpond::WorkerId, millpond::WorkerId) {
        let inside = millpond::spawn(|| async { millpond::worker_id() }).await.unwrap();
        let again = millpond::spawn_on(inside, || async { millpond::worker_id() }).unwrap();
        (inside, again.await.unwrap())
    }

    #[test]
    fn jobs_know_their_worker() {
        let (inside, again) = worker_ids();
        assert!(inside.index() < 2);
        assert_eq!(inside, again);
    }

    #[millpond::main(worker_threads = 1)]
    async fn panics() {
        panic!("from the body");
    }

    #[test]
    #[should_panic(expected = "from the body")]
    fn panics_through() {
        panics();
    }
}

mod the_return_type {
    use super::*;

    #[millpond::main(worker_threads = 1)]
    async fn with_question_mark() -> Result<u32, Box<dyn Error>> {
        let text = millpond::spawn(|| async { "three" }).await?;
        Ok(text.parse::<u32>()?)
    }

    #[test]
    fn takes_a_question_mark() {
        assert_eq!(with_question_mark().unwrap_err().to_string(), "invalid digit found in string");
    }

    #[millpond::main(worker_threads = 1)]
    async fn with_return() -> &'static str {
        for worker in millpond::broadcast(|worker| async move { worker }).await {
            if worker.is_ok() {
                return "from the loop";
            }
        }
        "from the end"
    }

    #[test]
    fn takes_an_early_return() {
        assert_eq!(with_return(), "from the loop");
    }

    #[millpond::main(worker_threads = 1)]
    async fn coerced() -> Box<dyn Fn(u32) -> u32> {
        Box::new(|number| number + 1)
    }

    #[test]
    fn guides_the_bodys_inference() {
        assert_eq!(coerced()(2), 3);
    }

    #[millpond::main(worker_threads = 1)]
    async fn opaque() -> impl Termination {
        ExitCode::from(3)
    }

    #[test]
    fn may_be_opaque() {
        assert_eq!(format!("{:?}", opaque().report()), format!("{:?}", ExitCode::from(3)));
    }

    #[millpond::main(worker_threads = 1)]
    async fn never() -> ! {
        panic!("no return")
    }

    #[test]
    #[should_panic(expected = "no return")]
    fn may_be_never() {
        never()
    }
}

mod the_arguments {
    use super::*;

    #[millpond::main(worker_threads = 3)]
    async fn three_workers() -> usize {
        millpond::broadcast(|_| async {}).await.len()
    }

    #[millpond::main(threads = 2)]
    async fn two_threads() -> usize {
        millpond::broadcast(|_| async {}).await.len()
    }

    #[test]
    fn worker_threads_and_threads_set_the_number_of_workers() {
        assert_eq!(three_workers(), 3);
        assert_eq!(two_threads(), 2);
    }

    #[millpond::main(worker_threads = 1, driver = "epoll")]
    async fn over_epoll() -> bool {
        millpond::spawn(|| async { monoio::utils::is_legacy() }).await.unwrap()
    }

    #[test]
    fn driver_sets_the_driver() {
        assert!(over_epoll());
    }

    #[millpond::main(worker_threads = 1, thread_name = "mill")]
    async fn named() -> String {
        millpond::spawn(|| async { std::thread::current().name().unwrap_or_default().to_owned() })
            .await
            .unwrap()
    }

    #[test]
    fn thread_name_begins_the_name_of_the_threads() {
        let name = named();
        assert!(name.starts_with("mill"), "{name}");
    }

    #[millpond::main(worker_threads = 1, pin = "cores")]
    async fn pinned() -> u32 {
        millpond::spawn(|| async { allowed_cpus() }).await.unwrap()
    }

    #[millpond::main(worker_threads = 1, pin = "none")]
    async fn unpinned() -> u32 {
        millpond::spawn(|| async { allowed_cpus() }).await.unwrap()
    }

    #[test]
    fn pin_sets_where_a_worker_may_run() {
        assert_eq!(pinned(), cpus_of_a_worker(Pin::Cores));
        assert_eq!(unpinned(), allowed_cpus());
    }

    #[millpond::main(worker_threads = 1, queue_capacity = 1)]
    async fn with_room_for_one() -> bool {
        let (hold, held) = flume::bounded::<()>(0);
        let (started, has_started) = flume::bounded(1);
        // The worker computes until `hold` is dropped, so what follows stays in the queue.
        let busy = millpond::spawn(move || async move {
            started.send(()).unwrap();
            // Ended by the drop of `hold`, below.
            held.recv().unwrap_err();
        });
        // Ended by the send above: the only worker has nothing before that job.
        has_started.recv_async().await.unwrap();
        let handle = millpond::Handle::current();
        let waits = handle.try_spawn(|| async {}).expect("room for one");
        let refused = matches!(handle.try_spawn(|| async {}), Err(millpond::TrySpawnError::Full(_)));
        drop(hold);
        busy.await.unwrap();
        waits.await.unwrap();
        refused
    }

    #[test]
    fn queue_capacity_bounds_the_queue() {
        assert!(with_room_for_one());
    }

    use ::millpond as pond;
    mod nested {
        pub(super) use ::millpond as pond;
    }

    #[pond::main(crate = "pond", worker_threads = 1, driver = "epoll")]
    async fn renamed() -> u32 {
        pond::spawn(|| async { 3 }).await.unwrap()
    }

    #[pond::main(worker_threads = 1, pin = "none", crate = "nested::pond")]
    async fn renamed_in_a_module() -> u32 {
        pond::spawn(|| async { 4 }).await.unwrap()
    }

    #[pond::main(worker_threads = 1, pin = "none", crate = nested::pond)]
    async fn renamed_without_quotes() -> u32 {
        pond::spawn(|| async { 5 }).await.unwrap()
    }

    #[test]
    fn crate_says_where_millpond_is() {
        assert_eq!(renamed() + renamed_in_a_module() + renamed_without_quotes(), 12);
    }
}

mod a_test {
    use super::*;

    static RUNS: AtomicUsize = AtomicUsize::new(0);

    #[millpond::test]
    async fn runs_once() {
        assert_eq!(RUNS.fetch_add(1, Ordering::SeqCst), 0);
    }

    #[millpond::test]
    async fn has_two_workers_that_are_not_pinned() {
        let cpus = millpond::broadcast(|_| async { allowed_cpus() }).await;
        let cpus: Vec<u32> = cpus.into_iter().map(Result::unwrap).collect();
        assert_eq!(cpus, [allowed_cpus(); 2]);
    }

    #[millpond::test(worker_threads = 1, pin = "cores")]
    async fn may_say_otherwise() {
        let cpus = millpond::broadcast(|_| async { allowed_cpus() }).await;
        let cpus: Vec<u32> = cpus.into_iter().map(Result::unwrap).collect();
        assert_eq!(cpus, [cpus_of_a_worker(Pin::Cores)]);
    }

    #[millpond::test(driver = "epoll")]
    #[should_panic(expected = "seen by the harness")]
    async fn may_be_expected_to_panic() {
        panic!("seen by the harness");
    }

    #[millpond::test]
    async fn may_return_a_result() -> Result<(), Box<dyn Error>> {
        let three = millpond::spawn(|| async { 3 }).await?;
        assert_eq!(u8::try_from(three)?, 3);
        Ok(())
    }
}

/// In the place of millpond: a pool that can never be built.
mod no_pool {
    #[derive(Debug)]
    pub(super) struct Pool;
    pub(super) struct Builder;

    impl Pool {
        pub(super) fn builder() -> Builder {
            Builder
        }

        pub(super) fn block_on<F: Future>(&self, _: F) -> F::Output {
            unreachable!("no pool was built")
        }
    }

    impl Builder {
        pub(super) fn build(self) -> Result<Pool, &'static str> {
            Err("no thread left")
        }

        pub(super) fn worker_threads(self, _: usize) -> Builder {
            self
        }

        pub(super) fn pin(self, _: Pin) -> Builder {
            self
        }
    }

    pub(super) enum Pin {
        None,
    }
}

mod without_a_pool {
    use super::*;

    #[millpond::test(crate = "no_pool")]
    #[should_panic(expected = "no thread left")]
    async fn a_test_panics_with_the_error() {}

    #[millpond::main(crate = "no_pool")]
    async fn ends_the_process() {}

    /// Set in the child process only.
    const IS_CHILD: &str = "MILLPOND_MACROS_TEST_CHILD";

    #[test]
    fn main_says_why_and_exits_with_1() {
        if std::env::var_os(IS_CHILD).is_some() {
            ends_the_process();
            return;
        }
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "without_a_pool::main_says_why_and_exits_with_1", "--nocapture"])
            .env(IS_CHILD, "1")
            .output()
            .unwrap();
        assert_eq!(child.status.code(), Some(1));
        let stderr = String::from_utf8(child.stderr).unwrap();
        assert!(stderr.contains("millpond: no thread left\n"), "{stderr}");
    }
}

/// How many CPUs the calling thread may run on.
fn allowed_cpus() -> u32 {
    rustix::thread::sched_getaffinity(None).unwrap().count()
}

/// The same for the worker of a pool built by hand. Not always 1 with [`Pin::Cores`]: under a CPU quota it pins nothing.
fn cpus_of_a_worker(pin: Pin) -> u32 {
    let pool = millpond::Pool::builder().worker_threads(1).pin(pin).build().unwrap();
    pool.spawn(|| async { allowed_cpus() }).join().unwrap()
}
