//! What a pool does where io_uring, file descriptors or locked memory are refused: for real, each in a process of its
//! own that takes them from itself.

#[path = "common/child.rs"]
mod child;

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::io::Write as _;
use std::thread;
use std::time::Duration;

use child::Holdings;
use millpond::{BuildError, Driver, DriverKind, Pin, Pool, Verdict};
use monoio::fs::File;
use monoio::io::{AsyncReadRentExt as _, AsyncWriteRentExt as _};
use monoio::net::{TcpListener, TcpStream};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

/// The number of `io_uring_setup`, the same on every architecture.
const IO_URING_SETUP: i64 = 425;

/// From here on `io_uring_setup` gives `errno` to this thread and to all it starts.
fn refuse_io_uring(errno: Errno) {
    let refused = SeccompAction::Errno(errno.raw_os_error().unsigned_abs());
    let calls = BTreeMap::from([(IO_URING_SETUP, Vec::new())]);
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, refused, ARCH.try_into().unwrap()).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    apply_filter(&program).unwrap();
}

/// Lowers the limit on a resource, as far as lifting it again goes: the soft one.
fn limit(resource: Resource, current: u64) {
    setrlimit(resource, Rlimit { current: Some(current), ..getrlimit(resource) }).unwrap();
}

fn workers_on(driver: Driver, count: usize) -> Result<Pool, BuildError> {
    Pool::builder().worker_threads(count).pin(Pin::None).driver(driver).build()
}

/// What users do with a pool, once on each driver's own path: sockets, timers, files, wakes from another thread.
fn assert_jobs_run(pool: &Pool) {
    assert_eq!(pool.handle().spawn(echo).join().unwrap(), b"over the wire");
    pool.handle().spawn(|| monoio::time::sleep(Duration::from_millis(1))).join().unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"from a file").unwrap();
    let path = file.path().to_owned();
    assert_eq!(pool.handle().spawn(|| read(path)).join().unwrap(), b"from a file");
    assert_foreign_wakes_arrive(pool);
}

/// One job that is both ends of a connection.
async fn echo() -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let echoing = millpond::spawn_local(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let (read, bytes) = connection.read_exact(vec![0; 13]).await;
        read.unwrap();
        connection.write_all(bytes).await.0.unwrap();
    });
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(b"over the wire".to_vec()).await.0.unwrap();
    let (read, bytes) = connection.read_exact(vec![0; 13]).await;
    read.unwrap();
    echoing.await.unwrap();
    bytes
}

async fn read(path: std::path::PathBuf) -> Vec<u8> {
    let file = File::open(path).await.unwrap();
    let (read, bytes) = file.read_exact_at(vec![0; 11], 0).await;
    read.unwrap();
    bytes
}

/// A value goes to and fro between a job and a thread that is not of the pool: each way someone must be woken.
fn assert_foreign_wakes_arrive(pool: &Pool) {
    const ROUNDS: u32 = 1_000;
    let (to_job, in_job) = flume::bounded::<u32>(1);
    let (to_thread, in_thread) = flume::bounded::<u32>(1);
    let job = pool.handle().spawn(move || async move {
        while let Ok(value) = in_job.recv_async().await {
            to_thread.send_async(value + 1).await.unwrap();
        }
    });
    let foreign = thread::spawn(move || {
        let mut value = 0;
        while value < ROUNDS {
            to_job.send(value).unwrap();
            // Ends with the job's answer; a lost wake hangs here.
            value = in_thread.recv().unwrap();
        }
        value
    });
    assert_eq!(foreign.join().unwrap(), ROUNDS);
    job.join().unwrap();
}

#[test]
fn auto_falls_back_to_epoll_under_seccomp_and_says_so_once() {
    let output = child::run("auto_falls_back_to_epoll_under_seccomp_and_says_so_once", || {
        refuse_io_uring(Errno::PERM);
        for _ in 0..3 {
            let pool = workers_on(Driver::Auto, 2).unwrap();
            assert_eq!(pool.driver(), DriverKind::Epoll);
            assert_jobs_run(&pool);
            pool.shutdown_blocking();
        }
    });
    let stderr = String::from_utf8(output.stderr).unwrap();
    let said: Vec<&str> = stderr.lines().filter(|line| line.contains("epoll")).collect();
    assert_eq!(said.len(), 1, "{stderr}");
    assert!(said[0].contains("millpond") && said[0].contains("seccomp"), "{stderr}");
}

#[test]
fn auto_falls_back_to_epoll_where_the_call_is_unknown() {
    let output = child::run("auto_falls_back_to_epoll_where_the_call_is_unknown", || {
        refuse_io_uring(Errno::NOSYS);
        let pool = workers_on(Driver::Auto, 2).unwrap();
        assert_eq!(pool.driver(), DriverKind::Epoll);
        assert_jobs_run(&pool);
    });
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.lines().filter(|line| line.contains("epoll")).count(), 1, "{stderr}");
}

#[test]
fn epoll_by_choice_is_not_announced() {
    let output = child::run("epoll_by_choice_is_not_announced", || {
        refuse_io_uring(Errno::PERM);
        let pool = workers_on(Driver::Epoll, 2).unwrap();
        assert_eq!(pool.driver(), DriverKind::Epoll);
        assert_jobs_run(&pool);
    });
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

/// Asks for io_uring where it answers with `errno`, and returns the error's words.
fn refusal_of_io_uring(errno: Errno) -> String {
    refuse_io_uring(errno);
    let before = Holdings::now();
    let error = workers_on(Driver::IoUring, 3).expect_err("io_uring is refused");
    before.assert_restored();
    error.to_string()
}

#[test]
fn io_uring_blocked_by_seccomp_is_an_error_with_a_way_out() {
    child::run("io_uring_blocked_by_seccomp_is_an_error_with_a_way_out", || {
        let error = refusal_of_io_uring(Errno::PERM);
        for word in ["driver", "seccomp", "--security-opt seccomp=", "epoll"] {
            assert!(error.to_lowercase().contains(word), "no {word:?} in: {error}");
        }
    });
}

#[test]
fn io_uring_that_is_unknown_is_an_error_with_a_way_out() {
    child::run("io_uring_that_is_unknown_is_an_error_with_a_way_out", || {
        let error = refusal_of_io_uring(Errno::NOSYS);
        // A kernel with a switch for io_uring has io_uring: there the filter gets the blame.
        let known = std::path::Path::new("/proc/sys/kernel/io_uring_disabled").exists();
        for word in ["driver", if known { "seccomp" } else { "ENOSYS" }] {
            assert!(error.contains(word), "no {word:?} in: {error}");
        }
    });
}

#[test]
fn the_doctor_tells_of_the_filter() {
    child::run("the_doctor_tells_of_the_filter", || {
        refuse_io_uring(Errno::PERM);
        let report = millpond::doctor();
        assert!(!report.io_uring() && !report.is_fine(), "{report}");
        let check = report.checks.iter().find(|check| check.name == "io_uring").unwrap();
        assert_eq!(check.verdict, Verdict::Refused);
        assert!(check.found.contains("seccomp") && check.advice.is_some(), "{report}");
    });
}

/// Builds eight workers with room for more and more file descriptors until they fit: each time before that must be an
/// error that names the limit, wherever in the middle of starting it struck, and must leave nothing behind.
fn build_with_more_and_more_fds(driver: Driver) {
    const WORKERS: usize = 8;
    /// Far more than eight workers take: the loop must end by a pool that was built.
    const ENOUGH_FDS: u64 = 200;
    let whole = getrlimit(Resource::Nofile);
    let before = Holdings::now();
    let open = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64 - 1;
    for room in 0..ENOUGH_FDS {
        limit(Resource::Nofile, open + room);
        let built = workers_on(driver, WORKERS);
        setrlimit(Resource::Nofile, whole).unwrap();
        match built {
            Ok(pool) => {
                assert!(room >= WORKERS as u64, "each worker has a driver of its own");
                println!("{:?}: {room} descriptors for {WORKERS} workers", pool.driver());
                assert_jobs_run(&pool);
                return;
            }
            Err(error) => {
                let words = error.to_string();
                assert!(words.to_lowercase().contains("nofile") && words.contains("ulimit -n"), "{words}");
                before.assert_restored();
            }
        }
    }
    panic!("{ENOUGH_FDS} descriptors do not do for {WORKERS} workers");
}

#[test]
fn too_few_file_descriptors_is_an_error_that_leaves_nothing_behind() {
    child::run("too_few_file_descriptors_is_an_error_that_leaves_nothing_behind", || {
        build_with_more_and_more_fds(Driver::Auto);
    });
}

#[test]
fn too_few_file_descriptors_for_epoll_is_an_error_that_leaves_nothing_behind() {
    child::run("too_few_file_descriptors_for_epoll_is_an_error_that_leaves_nothing_behind", || {
        build_with_more_and_more_fds(Driver::Epoll);
    });
}

#[test]
fn a_pool_comes_up_without_locked_memory() {
    child::run("a_pool_comes_up_without_locked_memory", || {
        limit(Resource::Memlock, 0);
        let pool = workers_on(Driver::Auto, 2).unwrap();
        // Old kernels refuse a ring then; the doctor asks this kernel.
        let expected = if millpond::doctor().io_uring() { DriverKind::IoUring } else { DriverKind::Epoll };
        assert_eq!(pool.driver(), expected);
        println!("without locked memory: {expected:?}");
        assert_jobs_run(&pool);
    });
}
