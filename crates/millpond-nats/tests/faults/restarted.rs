//! Servers that go and come back.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use millpond_nats::{Failure, Job};

use crate::common::site::{DURABLE, STREAM, Site, adds_up, compute, number};
use crate::common::{Settings, unhung};
use crate::random::Random;

const JOBS: usize = 20_000;

/// Killed or stopped.
const RESTARTS: usize = 5;

/// Below `ack_wait`: after that the server begins with the same messages again.
const NUDGE_PERIOD: Duration = Duration::from_millis(500);

/// More than acks get lost with one server.
const NUDGES: usize = 1_000;

#[test]
fn a_server_that_restarts_under_load_loses_nothing_and_has_nothing_done_twice() {
    unhung("a_server_that_restarts_under_load_loses_nothing_and_has_nothing_done_twice", || {
        restarts_under_load(false);
    });
}

#[test]
fn so_it_is_with_acks_that_the_server_confirms() {
    unhung("so_it_is_with_acks_that_the_server_confirms", || restarts_under_load(true));
}

fn restarts_under_load(ack_sync: bool) {
    let mut site = Site::open(Settings::default());
    site.publish(JOBS);
    let mut random = Random::seeded(5);
    let (tell, told) = mpsc::channel();
    let handler = move |job: Job| {
        compute(Duration::from_micros(100));
        tell.send(number(&job)).expect("the test listens");
        std::future::ready(Ok::<(), Failure>(()))
    };
    let builder = site.consumer().ack_sync(ack_sync).ack_wait(Duration::from_secs(2)).max_in_flight(1_000);
    let consumer = site.wait(builder.run(&site.pool, handler)).expect("it starts");
    let mut runs = vec![0; JOBS];
    let mut kills = 0;
    for _ in 0..RESTARTS {
        // Each message tells of a job; there are enough of them for all rounds.
        let jobs = 1 + random.below((JOBS / (RESTARTS + 1)) as u64) as usize;
        (0..jobs).for_each(|_| runs[next_job(&site, &told)] += 1);
        if random.below(2) == 0 {
            site.server.kill();
            kills += 1;
        } else {
            site.server.stop();
        }
        site.server.restart();
    }
    let mut left = runs.iter().filter(|runs| **runs == 0).count();
    while left > 0 {
        let job = next_job(&site, &told);
        left -= usize::from(runs[job] == 0);
        runs[job] += 1;
    }
    let receipt = site.wait(consumer.stop());
    adds_up(&receipt);
    told.try_iter().for_each(|job| runs[job] += 1);
    let twice = runs.iter().filter(|runs| **runs > 1).count();
    // Of a server that was killed some keep what has been acked, and deliver it to nobody.
    let kept = site.left();
    println!(
        "{RESTARTS} restarts, {kills} of them kills, {JOBS} jobs: none lost, {twice} done twice, {kept} kept; {receipt:?}"
    );
    assert_eq!(twice, 0, "{receipt:?}");
}

/// The job that runs next.
fn next_job(site: &Site, told: &mpsc::Receiver<usize>) -> usize {
    loop {
        // Ended by a job, and by the time, which only has the server look again.
        match told.recv_timeout(NUDGE_PERIOD) {
            Ok(job) => return job,
            Err(RecvTimeoutError::Timeout) => nudge(site),
            Err(RecvTimeoutError::Disconnected) => panic!("the consumer has ended"),
        }
    }
}

/// A server of 2.9 that was killed may remember deliveries of messages that it has removed. Each time that something has it look
/// for what is to be delivered, it stumbles over one of them and looks no further, so that consumers wait for long. A request for
/// a message has it look; the answers go where nobody waits.
fn nudge(site: &Site) {
    site.wait(site.client.on_thread(|jetstream| async move {
        let client = jetstream.client();
        for _ in 0..NUDGES {
            let next = format!("$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{DURABLE}");
            let request = r#"{"batch":1,"no_wait":true}"#.into();
            client.publish_with_reply(next, "nobody.waits", request).await.expect("the client lives");
        }
        client.flush().await.expect("the client lives");
    }));
}
