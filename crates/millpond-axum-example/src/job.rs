//! A job that lives no longer than the request that it is for.

use millpond::{JoinError, JoinHandle};

/// Aborts the job when it is dropped. A bare [`JoinHandle`] would let it run on; and hyper drops a request's task, or the body
/// of its answer, when the client has gone.
#[derive(Debug)]
pub(crate) struct OwnedJob<T>(JoinHandle<T>);

impl<T> OwnedJob<T> {
    pub(crate) fn new(job: JoinHandle<T>) -> Self {
        Self(job)
    }

    pub(crate) async fn join(mut self) -> Result<T, JoinError> {
        // Ended by the job's end. The drop that follows finds a job that is over, and does nothing to it.
        (&mut self.0).await
    }
}

impl<T> Drop for OwnedJob<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
