//! A spawn in a scope for each batch.

use std::io;
use std::sync::{Arc, mpsc};

use rayon_core::{ThreadPool, ThreadPoolBuilder};

use super::blocking::hash_batch;
use crate::workloads::files::{Files, Plan, Reader, Tally};

#[derive(Debug)]
pub(in crate::contenders) struct Rayon(ThreadPool);

impl Reader for Rayon {
    fn start(workers: usize, plan: Plan) -> io::Result<Self> {
        let builder = ThreadPoolBuilder::new().num_threads(plan.blocking_threads(workers));
        builder.build().map(Rayon).map_err(io::Error::other)
    }

    fn read(&self, files: &Arc<Files>) -> io::Result<Tally> {
        let (done, results) = mpsc::channel();
        // Ended by the last spawn's end.
        self.0.in_place_scope_fifo(|scope| {
            for batch in files.batches() {
                let done = done.clone();
                scope.spawn_fifo(move |_| {
                    let _ = done.send(hash_batch(files, batch));
                });
            }
        });
        drop(done);
        let mut tally = Tally::default();
        for result in results {
            tally += result?;
        }
        Ok(tally)
    }
}
