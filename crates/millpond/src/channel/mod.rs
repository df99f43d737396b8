//! A channel of typed jobs, for workers that each run a loop: many senders, many receivers, and each message to exactly
//! one of them.
//!
//! [`spawn`](crate::spawn) sends a closure, in a heap cell of its own. Where all jobs are of one type, a channel of that
//! type needs no cell and no closure for each: a worker's loop receives them, one at a time or
//! [many at once](Receiver::recv_many).
//!
//! ```
//! use millpond::channel;
//!
//! enum Job {
//!     Add(u64, u64),
//!     Div(u64, u64),
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = millpond::Pool::builder().worker_threads(2).build()?;
//! let (jobs, queue) = channel::bounded(1024);
//! let sums = pool.broadcast(move |_worker| {
//!     let queue = queue.clone();
//!     async move {
//!         let mut sum = 0;
//!         while let Some(job) = queue.recv().await {
//!             sum += match job {
//!                 Job::Add(a, b) => a + b,
//!                 Job::Div(a, b) => a / b,
//!             };
//!         }
//!         sum
//!     }
//! });
//! for number in 0..1000 {
//!     let job = if number % 2 == 0 { Job::Add(number, 1) } else { Job::Div(number, 1) };
//!     jobs.send_blocking(job)?; // on a plain thread; in a job, `jobs.send(job).await`
//! }
//! drop(jobs); // the end of the loops
//! assert_eq!(sums.join().into_iter().map(Result::unwrap).sum::<u64>(), 500_000);
//! # Ok(()) }
//! ```
//!
//! # Who gets a message
//!
//! Messages come out in the order in which they went in. None is assigned to a receiver beforehand: it waits in the
//! channel, and whoever is free takes it. If receivers wait on a pool's workers, one is woken whose worker is asleep, and
//! so can run it at once. If all the workers with receivers are awake, and may be computing, a receiver on each is woken,
//! and the worker that is free first takes the message. So it never waits behind a busy worker while a receiver waits on an
//! idle one.
//!
//! Receivers on other executors, tokio's or a plain `block_on`, work as well. How busy those are cannot be seen from here:
//! the one that has waited longest is woken.
//!
//! # The end
//!
//! A channel closes when its last [`Sender`] or its last [`Receiver`] is dropped, or when `close` is called on either.
//! Receivers then get what is still in it, and after that its end. When the last receiver goes, what is in the channel is
//! dropped at once, and every send that waits gets its message back.
//!
//! # Executors
//!
//! Either end can be awaited on any executor, and used on plain threads, as
//! [`send_blocking`](Sender::send_blocking) and [`recv_blocking`](Receiver::recv_blocking). On somebody's bare monoio
//! runtime the wakes need the feature `sync`, which is on by default.

mod blocks;
mod error;
mod hints;
mod linger;
mod lock;
/// With the other models, and a part of this module: they look behind the two ends.
#[cfg(all(test, millpond_loom))]
#[path = "../models/channel.rs"]
mod models;
mod receiver;
mod receivers;
mod sender;
mod sending;
mod state;
mod taking;

pub use error::{SendError, TryRecvError, TrySendError};
pub use receiver::{Receiver, RecvFuture, RecvManyFuture};
pub use sender::{SendFuture, Sender};

pub(crate) use hints::{Hints, NO_TASK};

use state::Channel;
use std::sync::Arc;

/// A channel that holds up to `capacity` messages. A send that finds it full waits for room, or fails, as it is asked to.
///
/// Memory is taken for what is in it, not for the capacity.
///
/// ```
/// let (jobs, queue) = millpond::channel::bounded(1);
/// jobs.try_send("first").unwrap();
/// assert!(jobs.try_send("second").unwrap_err().is_full());
/// assert_eq!(queue.recv_blocking(), Some("first"));
/// ```
///
/// # Panics
/// If `capacity` is 0: a message would never get in.
#[track_caller]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(
        capacity > 0,
        "channel::bounded(0): a channel of capacity 0 would never take a message; give it at least 1, or use unbounded()"
    );
    channel(capacity)
}

/// A channel that holds any number of messages. A send never waits; what is not received piles up in memory.
///
/// ```
/// let (jobs, queue) = millpond::channel::unbounded();
/// (0..10_000).for_each(|number| jobs.try_send(number).unwrap());
/// assert_eq!(queue.len(), 10_000);
/// ```
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    channel(usize::MAX)
}

fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Channel::new(capacity));
    (Sender::new(Arc::clone(&channel)), Receiver::new(channel))
}
