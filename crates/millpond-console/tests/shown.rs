//! What tokio-console shows of a pool, read as it reads it: from the port of `console-subscriber`.
#![cfg(console_without_tokio_unstable)] // Without this flag `console-subscriber` asks for tokio's own.

#[path = "../../millpond/tests/common/mod.rs"]
mod common;

use common::{unhung, yield_now};
use console_api::{
    Location,
    field::{Name, Value},
    instrument::{InstrumentRequest, Update, instrument_client::InstrumentClient},
    tasks::{Stats, Task},
};
use console_subscriber::ConsoleLayer;
use millpond::JobOptions;
use std::{
    collections::HashMap,
    future::poll_fn,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, mpsc},
    task::{Poll, Waker},
    thread,
    time::Duration,
};

#[test]
fn tokio_console_shows_a_pools_tasks() {
    unhung("tokio_console_shows_a_pools_tasks", || {
        let address = free_address();
        let often = Duration::from_millis(20);
        ConsoleLayer::builder().server_addr(address).publish_interval(often).init();
        let pool = common::pool(2);
        let named = |name| pool.with_options(JobOptions::new().name(name));

        let woken_line = line!() + 1;
        let woken = named("woken").spawn(|| async {
            for _ in 0..5 {
                yield_now().await;
            }
        });
        woken.join().unwrap();
        let kept: Arc<Mutex<Option<Waker>>> = Arc::default();
        let theirs = Arc::clone(&kept);
        let waits = named("waits").spawn(|| async {
            let local = millpond::spawn_local(poll_fn(move |cx| {
                let is_second = theirs.lock().unwrap().replace(cx.waker().clone()).is_some();
                if is_second { Poll::Ready(()) } else { Poll::Pending }
            }));
            local.await.unwrap();
        });
        let (release, gate) = mpsc::channel::<()>();
        let blocks = named("blocks").spawn_blocking(move || gate.recv().unwrap_or_default());

        let (updates, mut shown) = (connect(address), Shown::default());
        let all_polled = |shown: &Shown| {
            let polled = |stats: &&Stats| stats.poll_stats.is_some_and(|stats| stats.polls > 0);
            shown.tasks.len() == 4 && shown.stats.values().filter(polled).count() == 4
        };
        shown.read_until(&updates, all_polled);
        let of_kind = |kind| shown.only(|task| text(task, "kind") == Some(kind));
        let (woken, waiting) = (shown.only(is_named("woken")), shown.only(is_named("waits")));
        let (blocking, local) = (shown.only(is_named("blocks")), of_kind("local"));
        assert_eq!((text(&woken, "kind"), text(&blocking, "kind")), (Some("task"), Some("blocking")));
        assert_eq!(text(&waiting, "kind"), Some("task"));
        assert_eq!(text(&local, "task.name"), None);
        let location = Location { line: Some(woken_line), ..woken.location.clone().unwrap() };
        assert_eq!(woken.location.as_ref(), Some(&location));
        assert!(location.file.is_some_and(|file| file.ends_with("tests/shown.rs")));

        let of_woken = shown.stats_of(&woken);
        assert_eq!((of_woken.wakes, of_woken.self_wakes, of_woken.poll_stats.unwrap().polls), (5, 5, 6));
        assert!(of_woken.dropped_at.is_some());
        for live in [&waiting, &blocking, &local] {
            assert_eq!(shown.stats_of(live).dropped_at, None, "{live:?}");
        }
        let of_local = shown.stats_of(&local);
        assert_eq!((of_local.waker_clones, of_local.waker_drops, of_local.wakes), (1, 0, 0));

        // The waker stays in its place: the second poll drops it.
        kept.lock().unwrap().as_ref().unwrap().wake_by_ref();
        drop(release);
        waits.join().unwrap();
        blocks.join().unwrap();
        drop(kept);
        shown.read_until(&updates, |shown| shown.stats.values().all(|stats| stats.dropped_at.is_some()));
        let of_local = shown.stats_of(&local);
        assert_eq!((of_local.wakes, of_local.self_wakes, of_local.poll_stats.unwrap().polls), (1, 0, 2));
        let of_waiting = shown.stats_of(&waiting);
        assert_eq!((of_waiting.wakes, of_waiting.poll_stats.unwrap().polls), (1, 2));
        assert_eq!(of_waiting.waker_clones, of_waiting.waker_drops);
        assert!(shown.stats_of(&blocking).poll_stats.unwrap().busy_time.is_some());
    });
}

/// One that no other program of this machine is likely to take meanwhile: loopback has 2^24 addresses.
fn free_address() -> SocketAddr {
    let [_, a, b, c] = std::process::id().to_be_bytes();
    let listener = TcpListener::bind((Ipv4Addr::new(127, a, b, c.max(1)), 0)).unwrap();
    listener.local_addr().unwrap()
}

/// What has been shown so far, by the tasks' numbers.
#[derive(Default)]
struct Shown {
    tasks: HashMap<u64, Task>,
    stats: HashMap<u64, Stats>,
}

impl Shown {
    /// Takes updates until what they add up to is as wanted.
    fn read_until(&mut self, updates: &mpsc::Receiver<Update>, wanted: impl Fn(&Shown) -> bool) {
        while !wanted(self) {
            // Ended by an update, of which there is one in each interval, also if nothing has changed.
            let update = updates.recv().expect("the console is connected").task_update.unwrap_or_default();
            assert_eq!(update.dropped_events, 0);
            self.tasks.extend(update.new_tasks.into_iter().map(|task| (number(&task), task)));
            self.stats.extend(update.stats_update);
        }
    }

    fn only(&self, picked: impl Fn(&Task) -> bool) -> Task {
        let found: Vec<_> = self.tasks.values().filter(|task| picked(task)).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }

    fn stats_of(&self, task: &Task) -> Stats {
        self.stats[&number(task)]
    }
}

/// The console's side of the port: what it is sent, until nobody reads it.
fn connect(address: SocketAddr) -> mpsc::Receiver<Update> {
    let (sent, received) = mpsc::channel();
    let read = async move {
        let mut client = loop {
            // The thread behind the port may not be up. It answers once it is.
            match InstrumentClient::connect(format!("http://{address}")).await {
                Ok(client) => break client,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        let mut updates = client.watch_updates(InstrumentRequest {}).await.unwrap().into_inner();
        while let Ok(Some(update)) = updates.message().await {
            if sent.send(update).is_err() {
                break;
            }
        }
    };
    thread::spawn(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(read)
    });
    received
}

fn number(task: &Task) -> u64 {
    task.id.expect("each task has a number").id
}

fn is_named(name: &str) -> impl Fn(&Task) -> bool + '_ {
    move |task| text(task, "task.name") == Some(name)
}

fn text<'a>(task: &'a Task, field: &str) -> Option<&'a str> {
    let is = |name: &Option<Name>| matches!(name, Some(Name::StrName(name)) if name == field);
    let field = task.fields.iter().find(|candidate| is(&candidate.name))?;
    match field.value.as_ref()? {
        Value::StrVal(text) => Some(text),
        _ => None,
    }
}
