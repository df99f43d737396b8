//! The numbers on the page, against those of the pool.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use millpond::metrics::{JobCounts, Metrics};
use serde_json::Value;

use crate::browser::Browser;
use crate::common::unhung;
use crate::load::{Shown, show, some_of_each, stall, stall_with_backtrace};

fn counts(jobs: &JobCounts) -> [(&'static str, u64); 10] {
    [
        ("accepted", jobs.accepted),
        ("started", jobs.started),
        ("completed", jobs.completed),
        ("panicked", jobs.panicked),
        ("aborted", jobs.aborted),
        ("expired", jobs.expired),
        ("cut_off", jobs.cut_off),
        ("never_started", jobs.never_started),
        ("queued", jobs.queued),
        ("tasks", jobs.tasks),
    ]
}

/// The cells of the table of totals, and what is in them.
const TOTALS: &str = "Object.fromEntries([...document.querySelectorAll('#totals td')].map(td => [td.dataset.count, td.textContent]))";

fn with_commas(count: u64) -> String {
    let digits = count.to_string();
    let parts = digits.as_bytes().rchunks(3).rev();
    let parts: Vec<&str> = parts.map(|part| std::str::from_utf8(part).expect("digits")).collect();
    parts.join(",")
}

/// Whether the page shows just these numbers.
fn shows(totals: &Value, metrics: &Metrics) -> bool {
    let parts = [("jobs", &metrics.jobs), ("blocking", &metrics.blocking), ("block_on", &metrics.block_on)];
    parts.into_iter().all(|(part, jobs)| {
        let mut counts = counts(jobs).into_iter();
        counts.all(|(name, count)| totals[format!("{part}.{name}")] == with_commas(count))
    })
}

#[test]
fn the_page_shows_what_the_pool_says() {
    unhung("the_page_shows_what_the_pool_says", || {
        let Shown { dashboard, pool } = show(2);
        let browser = Browser::open(&dashboard.url());
        some_of_each(&pool);
        stall(&pool, "grindstone");
        // Quiet but for the page's own stream, which is one task: the next state shows all. A browser may hold another
        // connection in reserve, which is a task too, until it is told that it has been silent for too long.
        loop {
            let (totals, metrics) = (browser.eval(TOTALS), pool.metrics());
            if shows(&totals, &metrics) && metrics.jobs.tasks == 1 {
                assert_eq!((metrics.jobs.panicked, metrics.jobs.aborted), (3, 2));
                break;
            }
            thread::yield_now();
        }
        assert_eq!(browser.text("#name"), "the mill");
        assert_eq!(browser.text("#workers-count"), "2 workers");
        assert_eq!(browser.text("#tasks"), "1");
        assert_eq!(browser.text("#waiting"), "0");
        let stalls: u64 = pool.metrics().workers.iter().map(|worker| worker.stalls).sum();
        assert_eq!(browser.text("#stalls"), stalls.to_string());
        assert!(browser.text("title").ends_with(" · millpond / the mill"), "{}", browser.text("title"));
        assert_eq!(browser.complaints(), [""; 0], "the browser complains");
    });
}

/// Takes the states as another reader, and by the sequence finds the one that the page shows.
fn states(addr: std::net::SocketAddr) -> impl Iterator<Item = Value> {
    let mut stream = TcpStream::connect(addr).expect("the dashboard listens");
    stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("the dashboard listens");
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.filter_map(|line| {
        serde_json::from_str(line.strip_prefix("data: {\"sequence\"").map(|_| &line[6..])?).ok()
    })
}

/// All figures at once, of one state.
const FIGURES: &str = "(() => { const raw = id => Number(document.getElementById(id).dataset.value); return {
  sequence: Number(document.documentElement.dataset.sequence),
  waiting: raw('waiting'), tasks: raw('tasks'), ended: raw('ended'), busy: raw('busy'), wait: raw('wait'), poll: raw('poll'),
  texts: ['ended', 'busy', 'wait', 'poll'].map(id => document.getElementById(id).textContent),
  workers: [...document.querySelectorAll('.worker .busy')].map(busy => Number(busy.dataset.value)),
}; })()";

#[test]
fn under_load_the_page_shows_what_every_reader_is_told() {
    unhung("under_load_the_page_shows_what_every_reader_is_told", || {
        let Shown { dashboard, pool } = show(2);
        let browser = Browser::open(&dashboard.url());
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    let jobs: Vec<_> = (0..100).map(|_| pool.spawn(|| async { spin() })).collect();
                    jobs.into_iter().for_each(|job| job.join().expect("it ends"));
                }
            });
            let mut compared = 0;
            for state in states(dashboard.local_addr()) {
                let sequence = state["sequence"].as_u64().expect("a number");
                let shown = loop {
                    let shown = browser.eval(FIGURES);
                    if shown["sequence"].as_u64() >= Some(sequence) {
                        break shown;
                    }
                };
                // The page may be further already; then the next state is its.
                if shown["sequence"] == sequence {
                    assert_is(&shown, &state);
                    compared += u32::from(state["rates"]["ended"].as_f64() > Some(10.0));
                }
                if compared == 3 {
                    break;
                }
            }
            over.store(true, Relaxed);
        });
    });
}

fn spin() {
    (0..2_000).fold(1_u64, |sum, next| std::hint::black_box(sum.wrapping_mul(31) ^ next));
}

fn assert_is(shown: &Value, state: &Value) {
    let pairs = [
        ("waiting", &state["jobs"]["queued"]),
        ("tasks", &state["jobs"]["tasks"]),
        ("ended", &state["rates"]["ended"]),
        ("busy", &state["busy"]),
        ("wait", &state["queue_wait"]["p99_ns"]),
        ("poll", &state["poll_time"]["p99_ns"]),
    ];
    for (name, told) in pairs {
        assert_eq!(shown[name].as_f64(), told.as_f64(), "{name} of {state}");
    }
    let workers = state["workers"].as_array().expect("a list").iter().map(|worker| worker["busy"].as_f64());
    let cards = shown["workers"].as_array().expect("a list").iter().map(Value::as_f64);
    assert!(workers.eq(cards), "{shown} of {state}");
    assert!(shown["texts"].as_array().expect("a list").iter().all(|text| text != "–"), "{shown} of {state}");
}

#[test]
fn a_stall_is_shown_with_its_name_its_place_and_a_folded_backtrace() {
    unhung("a_stall_is_shown_with_its_name_its_place_and_a_folded_backtrace", || {
        let Shown { dashboard, pool } = show(2);
        let browser = Browser::open(&dashboard.url());
        assert_eq!(browser.eval("document.getElementById('stalls-none').hidden"), false);
        let told = stall_with_backtrace(&pool, "grindstone");
        let (backtrace, stalls) = (told.backtrace.expect("it is there"), pool.stalls().len());
        // However many it took.
        browser.run("allStalls = true; showStalls()");
        browser.wait(&format!("document.querySelectorAll('.stall').length === {stalls}"));
        assert_eq!(browser.text(".stall h3"), "grindstone");
        assert_eq!(browser.eval("document.getElementById('stalls-none').hidden"), true);
        let held = browser.text(".stall .held");
        assert!(held.starts_with(&format!("held worker {} for ", told.worker.index())), "{held}");
        assert_eq!(browser.text(".stall .where"), format!("spawned at {}", told.location));
        browser.wait("document.getElementById('verdict-state').textContent === 'A worker was blocked'");
        assert!(backtrace.contains("grind"), "{backtrace}");
        assert_eq!(browser.eval("document.querySelector('.stall details').open"), false);
        // Moved to the left, all of it alike.
        let shown = browser.text(".stall pre");
        assert!(
            shown.lines().map(str::trim).eq(backtrace.trim_end().lines().map(str::trim)),
            "{shown}\nis not\n{backtrace}"
        );
        browser.run("document.querySelector('.stall details').open = true");
        // The next one comes before it, and takes nothing from it.
        let before = browser.eval("document.querySelectorAll('.stall').length").as_u64();
        browser.run("window.first = document.querySelector('.stall')");
        stall(&pool, "millstone");
        browser.wait("document.querySelector('.stall h3')?.textContent === 'millstone'");
        assert_eq!(
            browser.eval("document.querySelector('.stall') !== window.first && window.first.isConnected"),
            true
        );
        assert_eq!(browser.eval("window.first.querySelector('details').open"), true);
        let after = browser.eval("document.querySelectorAll('.stall').length").as_u64();
        assert!(after > before && after <= Some(pool.stalls().len() as u64), "{after:?} after {before:?}");
    });
}
