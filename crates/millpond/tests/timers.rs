//! The driver gets its turn whatever the local load: timers, completions and wakes from other threads are served while
//! tasks yield for ever.
//!
//! How late they are is for the benchmarks to say.

mod common;

use common::{unhung, yield_now};
use millpond::{JoinHandle, Pool, time::sleep};
use monoio::fs::File;
use std::{cell::Cell, rc::Rc, thread, time::Duration};

const YIELDERS: usize = 8;
/// Some of them come while the driver has its turn, and some while tasks run.
const ANSWERS: usize = 100;
const SLEEP: Duration = Duration::from_millis(20);

/// A pool of one worker on each of the drivers.
fn pools() -> impl Iterator<Item = Pool> {
    common::pools_on(common::drivers(), 1)
}

/// Likewise, where there are files.
fn io_pools() -> impl Iterator<Item = Pool> {
    common::pools_on(common::io_drivers(), 1)
}

/// Tasks of one loop that are never done and never wait.
struct Load {
    stop: Rc<Cell<bool>>,
    polls: Rc<[Cell<u64>; YIELDERS]>,
    yielders: Vec<JoinHandle<()>>,
}

impl Load {
    fn start() -> Load {
        let stop = Rc::new(Cell::new(false));
        let polls: Rc<[Cell<u64>; YIELDERS]> = Rc::default();
        let yielders = (0..YIELDERS).map(|index| {
            let (stop, polls) = (Rc::clone(&stop), Rc::clone(&polls));
            millpond::spawn_local(async move {
                while !stop.get() {
                    polls[index].set(polls[index].get() + 1);
                    yield_now().await;
                }
            })
        });
        let yielders = yielders.collect();
        Load { stop, polls, yielders }
    }

    fn polls(&self) -> Vec<u64> {
        self.polls.iter().map(Cell::get).collect()
    }

    async fn stop(self) {
        self.stop.set(true);
        for yielder in self.yielders {
            yielder.await.unwrap();
        }
    }
}

/// Ends only if each of these is served by a driver whose loop never runs dry.
async fn all_is_served_under_load() {
    let load = Load::start();
    let before = load.polls();
    sleep(SLEEP).await;
    // Nor may the driver's turns starve the tasks. A thread that got no CPU in the meantime needs another round.
    while load.polls().iter().zip(&before).any(|(now, before)| now == before) {
        sleep(SLEEP).await;
    }

    let (ask, asked) = flume::unbounded::<flume::Sender<()>>();
    let answering = thread::spawn(move || asked.into_iter().for_each(|answer| answer.send(()).unwrap()));
    for _ in 0..ANSWERS {
        let (answer, answered) = flume::unbounded();
        ask.send(answer).unwrap();
        // Ended by the other thread's answer.
        answered.recv_async().await.unwrap();
    }
    drop(ask);
    answering.join().unwrap();
    load.stop().await;
}

/// The same for what the driver's own runtime serves.
async fn io_is_served_under_load() {
    let load = Load::start();
    monoio::time::sleep(SLEEP).await;
    let file = File::open("/proc/self/exe").await.unwrap();
    let (read, _) = file.read_at(vec![0; 64], 0).await;
    assert_eq!(read.unwrap(), 64);
    load.stop().await;
}

#[test]
fn timers_are_on_time_under_load_in_a_job() {
    for pool in pools() {
        unhung("in a job", || pool.spawn(all_is_served_under_load).join().unwrap());
    }
    for pool in io_pools() {
        unhung("in a job", || pool.spawn(io_is_served_under_load).join().unwrap());
    }
}

#[test]
fn timers_are_on_time_under_load_in_the_body_of_block_on() {
    for pool in pools() {
        unhung("in a body", || pool.block_on(all_is_served_under_load()));
    }
    for pool in io_pools() {
        unhung("in a body", || pool.block_on(io_is_served_under_load()));
    }
}

/// There the body itself is what never waits.
fn is_served_beside_the_body<F: Future<Output = ()> + 'static>(pool: &Pool, served: fn() -> F) {
    unhung("beside a body", || {
        pool.block_on(async {
            let served = millpond::spawn_local(served());
            while !served.is_finished() {
                yield_now().await;
            }
            served.await.unwrap();
        });
    });
}

#[test]
fn timers_are_on_time_under_load_beside_the_body_of_block_on() {
    pools().for_each(|pool| is_served_beside_the_body(&pool, all_is_served_under_load));
    io_pools().for_each(|pool| is_served_beside_the_body(&pool, io_is_served_under_load));
}
