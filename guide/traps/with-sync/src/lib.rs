//! The pool that is made by hand: a channel, N threads, and a runtime on each.

use std::future::Future;
use std::pin::Pin;
use std::thread::{self, JoinHandle};

use flume::Sender;

/// A closure that may go to any thread, and makes a future that stays there.
pub type Job = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

// ANCHOR: pool
/// Starts `workers` threads that take jobs from one channel.
pub fn pool(workers: usize) -> (Sender<Job>, Vec<JoinHandle<()>>) {
    let (sender, receiver) = flume::bounded::<Job>(1024);
    let start = |_| {
        let receiver = receiver.clone();
        thread::spawn(move || {
            let builder = monoio::RuntimeBuilder::<monoio::FusionDriver>::new().enable_timer();
            builder.build().expect("a runtime starts").block_on(async move {
                while let Ok(job) = receiver.recv_async().await {
                    monoio::spawn(job());
                }
            });
        })
    };
    let threads = (0..workers).map(start).collect();
    (sender, threads)
}
// ANCHOR_END: pool

/// `future` as a job.
pub fn job<F>(make: impl FnOnce() -> F + Send + 'static) -> Job
where
    F: Future<Output = ()> + 'static,
{
    Box::new(|| Box::pin(make()))
}
