//! Threads fed with batches of files by a flume channel.

use std::io;
use std::ops::Range;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use flume::{Receiver, Sender};

use crate::affinity::{cpu_of_worker, pin};
use crate::workloads::files::{Files, Tally};

/// One batch to be read.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) files: Arc<Files>,
    pub(super) batch: Range<usize>,
    pub(super) done: mpsc::Sender<io::Result<Tally>>,
}

/// The threads, each bound as a pool's workers are; more threads than workers share the workers' CPUs.
#[derive(Debug)]
pub(super) struct Fed {
    /// None once it is being dropped.
    orders: Option<Sender<Order>>,
    threads: Vec<JoinHandle<()>>,
}

impl Fed {
    /// `body` runs on each thread, until the channel is closed.
    pub(super) fn start(
        workers: usize,
        threads: usize,
        body: impl Fn(Receiver<Order>) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let (orders, receiver) = flume::unbounded();
        let mut fed = Fed { orders: Some(orders), threads: Vec::new() };
        for index in 0..threads {
            let (body, receiver, cpu) = (body.clone(), receiver.clone(), cpu_of_worker(index % workers));
            let run = move || {
                pin(cpu);
                body(receiver);
            };
            fed.threads.push(thread::Builder::new().spawn(run)?);
        }
        Ok(fed)
    }

    pub(super) fn read(&self, files: &Arc<Files>) -> io::Result<Tally> {
        let (done, results) = mpsc::channel();
        for batch in files.batches() {
            let order = Order { files: Arc::clone(files), batch, done: done.clone() };
            let orders = self.orders.as_ref().expect("it is not being dropped");
            orders.send(order).map_err(|_| io::Error::other("the threads are gone"))?;
        }
        drop(done);
        let mut tally = Tally::default();
        // Ended by the last order's end: its sender goes with it.
        for result in results {
            tally += result?;
        }
        Ok(tally)
    }
}

impl Drop for Fed {
    fn drop(&mut self) {
        self.orders = None;
        // Each ended by the close of the channel.
        self.threads.drain(..).for_each(|thread| thread.join().expect("the thread ends"));
    }
}
