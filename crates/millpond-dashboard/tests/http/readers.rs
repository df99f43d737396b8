//! Readers of the events: many, slow ones, and those of a worker that computes.

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use millpond_dashboard::Dashboard;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::common::{hold, unhung};
use crate::support::{Event, Events, connect, request, send, serve, serve_with};

/// A name so long that events of it fill a socket's buffers within a few seconds.
fn long_name() -> String {
    "long ".repeat(20_000)
}

#[test]
fn an_event_says_what_a_browser_needs() {
    unhung("an_event_says_what_a_browser_needs", || {
        let served = serve();
        let mut events = served.events();
        assert!(events.head.contains("\r\nContent-Type: text/event-stream; charset=utf-8\r\n"));
        let stalls = events.next_event().expect("an event");
        assert_eq!((stalls.event.as_str(), events.retry), ("stalls", Some(2_000)));
        assert!(stalls.json()["recent_stalls"].is_array());
        let (first, second) = (events.state(), events.state());
        assert_eq!(second.id, first.id.map(|id| id + 1));
        assert_eq!(second.json()["sequence"].as_u64(), second.id);
    });
}

#[test]
fn a_thousand_readers_share_one_snapshot_a_second() {
    const READERS: usize = 1_000;
    unhung("a_thousand_readers_share_one_snapshot_a_second", || {
        let ours = getrlimit(Resource::Nofile);
        // Both ends of each connection are in this process, and ends of epoll and rings.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: ours.maximum, maximum: ours.maximum });
        let served = serve_with(Dashboard::builder().max_readers(READERS));
        let mut readers: Vec<Events> = (0..READERS).map(|_| served.events()).collect();
        served.wait_for_readers(READERS);
        // One that everybody is there for.
        let newest = served.events_or_refusal();
        assert_eq!(newest, Some(503), "one more than may");
        let begin = readers[0].state().id.expect("a number");
        let mut told: HashMap<u64, Event> = HashMap::new();
        for reader in &mut readers {
            loop {
                let state = reader.state();
                let id = state.id.expect("a number");
                let first = told.entry(id).or_insert_with(|| state.clone());
                assert_eq!(*first, state, "two readers were told different things of one second");
                if id >= begin + 4 {
                    break;
                }
            }
        }
        // Made for each of them there would be a thousand for each second.
        assert!(told.len() < READERS / 5, "{} snapshots", told.len());
        drop(readers);
        served.wait_for_readers(0);
        assert_eq!(served.pool.metrics().jobs.panicked, 0);
    });
}

impl crate::support::Served {
    /// The status of a request for the events, if it is refused.
    fn events_or_refusal(&self) -> Option<u16> {
        use std::io::Read as _;
        use std::io::Write as _;
        let mut stream = connect(self.addr());
        stream.write_all(request("GET", "/events", "").as_bytes()).expect("it listens");
        let mut status = [0; 12];
        stream.read_exact(&mut status).expect("an answer");
        let status = std::str::from_utf8(&status[9..]).expect("text").parse().expect("a number");
        (status != 200).then_some(status)
    }
}

#[test]
fn a_place_is_free_again_when_its_reader_has_gone() {
    unhung("a_place_is_free_again_when_its_reader_has_gone", || {
        let served = serve_with(Dashboard::builder().max_readers(1));
        let first = served.events();
        let refused = send(served.addr(), request("GET", "/events", ""));
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
        assert_eq!(served.get("/json").status, 200, "readers keep nobody else out");
        drop(first);
        // Ended by the write that finds it gone.
        while served.events_or_refusal().is_some() {
            thread::yield_now();
        }
    });
}

#[test]
fn nothing_runs_while_nobody_reads() {
    let served = serve();
    let before = served.json()["sequence"].as_u64().expect("a number");
    // The time is what is under test: two ticks in which nobody reads.
    thread::sleep(Duration::from_millis(2_100));
    assert_eq!(served.json()["sequence"].as_u64(), Some(before + 1));
}

#[test]
fn a_slow_reader_gets_the_newest_state_and_holds_back_nobody() {
    unhung("a_slow_reader_gets_the_newest_state_and_holds_back_nobody", || {
        let served = serve_with(Dashboard::builder().name(long_name()));
        let stream = connect(served.addr());
        // As little as the kernel grants.
        rustix::net::sockopt::set_socket_recv_buffer_size(&stream, 1).expect("a size");
        let mut slow = Events::from_stream(stream, "/events");
        served.wait_for_readers(1);
        let mut quick = served.events();
        let quick: Vec<u64> = (0..8).map(|_| quick.state().id.expect("a number")).collect();
        assert!(quick.windows(2).all(|pair| pair[1] == pair[0] + 1), "{quick:?} has gaps");
        let newest = *quick.last().expect("there are eight");
        slow.read_head();
        let mut seen = vec![slow.state().id.expect("a number")];
        while seen.last() < Some(&newest) {
            seen.push(slow.state().id.expect("a number"));
        }
        assert!(seen.windows(2).any(|pair| pair[1] > pair[0] + 1), "{seen:?} has no gaps");
    });
}

#[test]
fn a_reader_that_takes_nothing_is_cut_off() {
    unhung("a_reader_that_takes_nothing_is_cut_off", || {
        let patience = Duration::from_millis(200);
        let served = serve_with(Dashboard::builder().name(long_name()).write_timeout(patience));
        let mut slow = Events::from_stream(connect(served.addr()), "/events");
        served.wait_for_readers(1);
        served.wait_for_readers(0);
        slow.read_head();
        slow.drain();
        assert_eq!(served.get("/json").status, 200);
    });
}

#[test]
fn a_worker_that_computes_holds_back_its_own_readers_only() {
    unhung("a_worker_that_computes_holds_back_its_own_readers_only", || {
        let served = serve();
        // Connections are balanced, so each worker has one of the two.
        let readers = [served.events(), served.events()];
        served.wait_for_readers(2);
        let release = hold(&served.pool, 0);
        let (told, states) = mpsc::channel();
        let threads: Vec<_> = readers
            .into_iter()
            .enumerate()
            .map(|(reader, mut events)| {
                let told = told.clone();
                thread::spawn(move || {
                    while let Some(event) = events.next_event() {
                        if told.send((reader, event)).is_err() {
                            break;
                        }
                    }
                })
            })
            .collect();
        let mut counts = [0, 0];
        // Ended by the reader whose worker is free.
        while counts.iter().max() < Some(&5) {
            let (reader, _) = states.recv().expect("readers read");
            counts[reader] += 1;
        }
        drop(release);
        // And the other goes on when its worker does.
        while counts.iter().min() < Some(&5) {
            let (reader, _) = states.recv().expect("readers read");
            counts[reader] += 1;
        }
        served.dashboard.shutdown_blocking();
        threads.into_iter().for_each(|thread| thread.join().expect("it reads to the end"));
    });
}
