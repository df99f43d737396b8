//! Jobs that take longer than the server waits for an ack.

use std::sync::mpsc;
use std::time::Duration;

use millpond_nats::{Failure, Job};

use crate::common::site::{Site, adds_up, compute, number};
use crate::common::{Settings, unhung};

const ACK_WAIT: Duration = Duration::from_millis(400);

/// Most of them wait for a worker all the while; those that have one compute, or sleep.
#[test]
fn jobs_longer_than_ack_wait_run_once_though_many_wait_behind_them() {
    unhung("jobs_longer_than_ack_wait_run_once_though_many_wait_behind_them", || {
        const JOBS: usize = 400;
        let site = Site::open(Settings::default());
        site.publish(JOBS);
        let (tell, told) = mpsc::channel();
        let handler = move |job: Job| {
            let (tell, number) = (tell.clone(), number(&job));
            async move {
                tell.send(number).expect("the test listens");
                // The time that passes is what is under test.
                match number % 100 {
                    0 => compute(ACK_WAIT * 2),
                    1..40 => millpond::time::sleep(ACK_WAIT * 3).await,
                    _ => {}
                }
                Ok::<(), Failure>(())
            }
        };
        let consumer =
            site.wait(site.consumer().ack_wait(ACK_WAIT).run(&site.pool, handler)).expect("it starts");
        let mut runs = vec![0; JOBS];
        told.iter().take(JOBS).for_each(|job| runs[job] += 1);
        site.wait_until_empty();
        let receipt = site.wait(consumer.stop());
        adds_up(&receipt);
        told.try_iter().for_each(|job| runs[job] += 1);
        assert!(runs.iter().all(|runs| *runs == 1), "{runs:?} {receipt:?}");
        assert_eq!((receipt.acked, receipt.redelivered), (JOBS as u64, 0), "{receipt:?}");
        assert!(receipt.progress > 0, "{receipt:?}");
    });
}
