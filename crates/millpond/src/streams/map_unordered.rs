//! Results in the order in which the jobs end.

use super::source::{Running, Source, checked_limit};
use crate::{Handle, JoinError};
use futures_core::Stream;
use futures_util::stream::FuturesUnordered;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// The results of jobs, one for each item of a stream, in the order in which the jobs end. Made by
/// [`Handle::map_unordered`].
///
/// Dropping it aborts the jobs in flight. It does nothing unless it is polled: the first poll sends the first jobs.
#[must_use = "it sends jobs only while it is polled"]
pub struct MapUnordered<St, F, T> {
    source: Source<St, F>,
    /// Tells which of them have ended without a look at each.
    in_flight: FuturesUnordered<Running<T>>,
}

impl Handle {
    /// Sends a job for each item of a stream, with at most `limit` items in flight, and gives the results as the jobs end. An
    /// iterator becomes a stream by `futures_util::stream::iter`. See [`streams`](crate::streams).
    ///
    /// ```
    /// use futures_util::{StreamExt, stream};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let pool = millpond::Pool::builder().worker_threads(2).build()?;
    /// let paths = stream::iter(["/proc/self/stat", "/proc/self/status", "/no/such/file"]);
    /// let mut sizes = pool.map_unordered(paths, 16, |path| async move {
    ///     let (read, _buffer) = monoio::fs::File::open(path).await?.read_at(vec![0; 4096], 0).await;
    ///     read
    /// });
    /// let mut found = 0;
    /// pool.block_on(async {
    ///     while let Some(size) = sizes.next().await {
    ///         // The outer result is the job's: it may have panicked. The inner one is what it returned.
    ///         found += usize::from(size.unwrap().is_ok());
    ///     }
    /// });
    /// assert_eq!(found, 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// If `limit` is 0.
    #[track_caller]
    pub fn map_unordered<St, F, Fut, T>(&self, stream: St, limit: usize, f: F) -> MapUnordered<St, F, T>
    where
        St: Stream<Item: Send + 'static>,
        F: Fn(St::Item) -> Fut + Send + Clone + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        MapUnordered::new(stream, self.located(), checked_limit("map_unordered", limit), f)
    }
}

impl<St: Stream, F, T> MapUnordered<St, F, T> {
    pub(super) fn new(stream: St, pool: Handle, limit: usize, f: F) -> MapUnordered<St, F, T> {
        MapUnordered { source: Source::new(stream, pool, limit, f), in_flight: FuturesUnordered::new() }
    }
}

impl<St, F, Fut, T> Stream for MapUnordered<St, F, T>
where
    St: Stream<Item: Send + 'static>,
    F: Fn(St::Item) -> Fut + Send + Clone + 'static,
    Fut: Future<Output = T> + 'static,
    T: Send + 'static,
{
    type Item = Result<T, JoinError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        this.source.poll_result(&mut this.in_flight, cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint(self.in_flight.len())
    }
}

// The source is pinned in its box, and nothing else here is pinned.
impl<St, F, T> Unpin for MapUnordered<St, F, T> {}

impl<St, F, T> fmt::Debug for MapUnordered<St, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_flight = self.in_flight.len();
        f.debug_struct("MapUnordered").field("source", &self.source).field("in_flight", &in_flight).finish()
    }
}
