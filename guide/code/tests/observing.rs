//! The pieces of the chapter "Observing".

#[path = "../../../crates/millpond/tests/common/mod.rs"]
mod common;

use common::unhung;
use millpond::{JobOptions, Pool};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;

// ANCHOR: metrics
fn report(pool: &Pool) -> String {
    let metrics = pool.metrics(); // of this instant; it holds no worker up
    let mut text = format!(
        "{} jobs wait, {} are under way; 99 in 100 waited for less than {:?}\n",
        metrics.jobs.queued,
        metrics.jobs.tasks,
        metrics.queue_wait().quantile(0.99),
    );
    for worker in &metrics.workers {
        let busy = worker.busy.as_secs_f64() / (worker.busy + worker.idle).as_secs_f64();
        text += &format!("{}: {} started, {:.0} % busy\n", worker.id, worker.started, 100.0 * busy);
    }
    text
}
// ANCHOR_END: metrics

#[test]
fn a_report_tells_of_each_worker() {
    unhung("a_report_tells_of_each_worker", || {
        let (pool, release) = common::held(8);
        let waits = pool.spawn(|| async {});
        let report = report(&pool);
        assert!(report.starts_with("1 jobs wait, 1 are under way;"), "{report}");
        assert!(report.contains("\nworker 0: 1 started, "), "{report}");
        drop(release);
        waits.join().unwrap();
    });
}

// ANCHOR: stalls
/// A pool that says which job holds a worker, while it does.
fn watched(tell: mpsc::Sender<String>) -> Result<Pool, millpond::BuildError> {
    let say = move |stall: &millpond::Stall| tell.send(stall.to_string()).expect("somebody listens");
    Pool::builder().worker_threads(1).on_stall(say).build()
}

/// A job that blocks its worker where it should have awaited.
fn sharpen(pool: &Pool, gate: mpsc::Receiver<()>) -> millpond::JoinHandle<bool> {
    let named = pool.with_options(JobOptions::new().name("sharpen"));
    named.spawn(move || async move { gate.recv().is_err() })
}
// ANCHOR_END: stalls

#[test]
fn a_stall_is_told_while_it_lasts() {
    unhung("a_stall_is_told_while_it_lasts", || {
        let (tell, told) = mpsc::channel();
        let pool = watched(tell).unwrap();
        let (go_on, gate) = mpsc::channel();
        let job = sharpen(&pool, gate);
        let said = told.recv().unwrap();
        assert!(
            said.starts_with("worker 0 is held for ") && said.contains(" by sharpen, spawned at "),
            "{said}"
        );
        drop(go_on);
        assert!(job.join().unwrap());
        assert_eq!((pool.stalls().len(), pool.metrics().workers[0].stalls), (1, 1));
    });
}

// ANCHOR: dashboard
/// Serves the page, `/json` and `/metrics`, from the pool itself and to this machine
/// only.
fn show(pool: &Pool) -> Result<millpond_dashboard::Dashboard, millpond_dashboard::DashboardError> {
    millpond_dashboard::serve(pool, "127.0.0.1:0") // 0: any free port
}
// ANCHOR_END: dashboard

fn get(url: &str, path: &str) -> io::Result<String> {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn prometheus_finds_the_pool() {
    unhung("prometheus_finds_the_pool", || {
        for pool in common::pools_on(common::io_drivers(), 2) {
            (0..10).for_each(|_| pool.spawn(|| async {}).join().unwrap());
            let dashboard = show(&pool).unwrap();
            let metrics = get(&dashboard.url(), "/metrics").unwrap();
            for shown in [
                "millpond_jobs_accepted_total",
                "millpond_queue_wait_seconds_bucket",
                "millpond_worker_stalls_total",
            ] {
                assert!(metrics.contains(shown), "{shown}: {metrics}");
            }
            assert!(get(&dashboard.url(), "/json").unwrap().contains("\"workers\""));
        }
    });
}
