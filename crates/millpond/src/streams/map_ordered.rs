//! Results in the order of the source.

use super::source::{Running, Source, checked_limit};
use crate::{Handle, JoinError};
use futures_core::Stream;
use futures_util::stream::FuturesOrdered;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// The results of jobs, one for each item of a stream, in the order of the source. Made by
/// [`Handle::map_ordered`].
///
/// Dropping it aborts the jobs in flight. It does nothing unless it is polled: the first poll sends the first jobs.
#[must_use = "it sends jobs only while it is polled"]
pub struct MapOrdered<St, F, T> {
    source: Source<St, F>,
    /// Counts those that have ended and wait for one before them: they too hold the source back.
    in_flight: FuturesOrdered<Running<T>>,
}

impl Handle {
    /// As [`map_unordered`](Self::map_unordered), with the results in the order of the source.
    ///
    /// A result that waits for those before it is in flight still. So one slow job holds the source back once `limit` items
    /// have been taken after it, and no more than that is kept in memory.
    ///
    /// ```
    /// use futures_util::{StreamExt, stream};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let pool = millpond::Pool::builder().worker_threads(2).build()?;
    /// let halves = pool.map_ordered(stream::iter([8, 0, 2]), 4, |n: u32| async move { 8 / n });
    /// let halves: Vec<_> = pool.block_on(halves.collect());
    /// assert_eq!((halves[0].as_ref().unwrap(), halves[2].as_ref().unwrap()), (&1, &4));
    /// assert!(halves[1].as_ref().unwrap_err().is_panic()); // divided by zero, and harms no other
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// If `limit` is 0.
    #[track_caller]
    pub fn map_ordered<St, F, Fut, T>(&self, stream: St, limit: usize, f: F) -> MapOrdered<St, F, T>
    where
        St: Stream<Item: Send + 'static>,
        F: Fn(St::Item) -> Fut + Send + Clone + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        MapOrdered::new(stream, self.located(), checked_limit("map_ordered", limit), f)
    }
}

impl<St: Stream, F, T> MapOrdered<St, F, T> {
    fn new(stream: St, pool: Handle, limit: usize, f: F) -> MapOrdered<St, F, T> {
        MapOrdered { source: Source::new(stream, pool, limit, f), in_flight: FuturesOrdered::new() }
    }
}

impl<St, F, Fut, T> Stream for MapOrdered<St, F, T>
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
impl<St, F, T> Unpin for MapOrdered<St, F, T> {}

impl<St, F, T> fmt::Debug for MapOrdered<St, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_flight = self.in_flight.len();
        f.debug_struct("MapOrdered").field("source", &self.source).field("in_flight", &in_flight).finish()
    }
}
