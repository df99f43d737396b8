//! The close of the queue and of an inbox: a job got in before, and is found, or is given back.

use super::leak;
use crate::{
    backlog::Backlog,
    inbox::Inbox,
    queue::Queue,
    task::{Origin, Task},
    trace::Span,
};
use loom::thread;
use std::collections::VecDeque;

fn job() -> Task {
    let origin = Origin::here();
    Task::queued(0, origin, Span::of_job(origin, 0), || std::future::ready(())).0
}

fn drain(queue: &Queue) -> usize {
    std::iter::from_fn(|| queue.pop()).inspect(|job| assert!(job.never_start().is_some())).count()
}

#[test]
fn loom_a_job_is_found_by_the_drain_or_given_back() {
    loom::model(|| {
        let queue = leak(Queue::new(8));
        let producer = thread::spawn(move || queue.push(job(), false).is_ok());
        queue.close();
        let found = drain(queue);
        assert_eq!(producer.join().unwrap(), found + drain(queue) == 1);
    });
}

#[test]
#[should_panic]
fn loom_catches_a_drain_that_does_not_close_first() {
    loom::model(|| {
        let queue = leak(Queue::new(8));
        let producer = thread::spawn(move || queue.push(job(), false).is_ok());
        let found = drain(queue);
        queue.close();
        assert_eq!(producer.join().unwrap(), found == 1);
    });
}

#[test]
fn loom_each_job_is_taken_once() {
    loom::model(|| {
        let queue = leak(Queue::new(8));
        assert!(queue.push(job(), false).is_ok() && queue.push(job(), false).is_ok());
        let other = thread::spawn(move || drain(queue));
        assert_eq!(drain(queue) + other.join().unwrap(), 2);
    });
}

#[test]
fn loom_a_job_at_hand_is_started_by_its_owner_or_stolen() {
    loom::model(|| {
        let backlog = leak(Backlog::new());
        backlog.append(&mut VecDeque::from([job(), job()]));
        let thief = thread::spawn(move || {
            let mut batch = VecDeque::new();
            backlog.steal(&mut batch).into_iter().chain(batch).filter_map(|job| job.never_start()).count()
        });
        let own = std::iter::from_fn(|| backlog.pop()).filter_map(|job| job.never_start()).count();
        assert_eq!(own + thief.join().unwrap(), 2);
        assert!(backlog.is_empty());
    });
}

#[test]
fn loom_a_job_spawned_at_the_close_is_found_or_given_back() {
    loom::model(|| {
        let backlog = leak(Backlog::new());
        let shutdown = thread::spawn(move || backlog.close());
        let accepted = backlog.push(job(), false).is_ok();
        shutdown.join().unwrap();
        assert_eq!(backlog.pop().is_some(), accepted);
        assert!(backlog.push(job(), false).is_err());
    });
}

#[test]
fn loom_an_inbox_gives_what_came_before_its_close() {
    loom::model(|| {
        let inbox = leak(Inbox::new());
        let senders = [(); 2].map(|()| thread::spawn(move || inbox.push(job()).is_ok()));
        let taken = inbox.take().len() + inbox.close().len();
        let sent = senders.map(|sender| sender.join().unwrap());
        assert_eq!(sent.iter().filter(|sent| **sent).count(), taken);
        assert!(inbox.push(job()).is_err());
    });
}

#[test]
fn loom_an_inbox_closed_to_jobs_takes_wakes() {
    loom::model(|| {
        let inbox = leak(Inbox::new());
        let sender = thread::spawn(move || (inbox.push_job(job(), false).is_ok(), inbox.push(job()).is_ok()));
        inbox.close_to_jobs();
        let before = inbox.take().len();
        let (job, wake) = sender.join().unwrap();
        assert!(wake);
        assert_eq!(before + inbox.take().len(), usize::from(job) + 1);
    });
}
