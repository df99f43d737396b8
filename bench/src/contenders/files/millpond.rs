//! A job for each batch; the pool itself bounds how many are under way.

use std::io;
use std::sync::Arc;

use millpond::Pool;

use super::monoio::hash_batch;
use crate::workloads::files::{Files, Plan, Reader, Tally};

#[derive(Debug)]
pub(in crate::contenders) struct Millpond(Pool);

impl Reader for Millpond {
    fn start(workers: usize, plan: Plan) -> io::Result<Self> {
        let builder = Pool::builder().worker_threads(workers).max_tasks_per_worker(plan.in_flight);
        builder.build().map(Millpond).map_err(io::Error::other)
    }

    fn read(&self, files: &Arc<Files>) -> io::Result<Tally> {
        let spawn = |batch| {
            let files = Arc::clone(files);
            self.0.spawn(move || hash_batch(files, batch))
        };
        let jobs: Vec<_> = files.batches().map(spawn).collect();
        self.0.block_on(async {
            let mut tally = Tally::default();
            for job in jobs {
                // Ended by the job's end.
                tally += job.await.map_err(io::Error::other)??;
            }
            Ok(tally)
        })
    }
}
