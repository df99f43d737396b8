//! Where the items come from, and the jobs that they become.

use crate::{Handle, JoinError, JoinHandle};
use futures_core::Stream;
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Items and results that go by before whoever polls is given back its thread, if the source and the jobs never let it wait: at
/// some 200 ns each, 50 µs. Well below the threshold of a stall, and long beside the 100 ns of a poll more.
const MOST_AT_A_STRETCH: u32 = 256;

/// Turns the items of a stream into jobs.
pub(super) struct Source<St, F> {
    /// In a box, as it may have to be pinned. `None` once it has ended or is asked no more.
    stream: Option<Pin<Box<St>>>,
    pool: Handle,
    /// Cloned for each job.
    f: F,
    /// The most items in flight.
    limit: usize,
    /// Items and results that may still go by before a pause.
    left: u32,
}

/// A job in flight. Dropping it aborts the job.
pub(super) struct Running<T>(JoinHandle<T>);

/// Jobs in flight, as a stream of their results in one order or another.
pub(super) trait InFlight<T>: Stream<Item = Result<T, JoinError>> + Unpin {
    fn add(&mut self, job: Running<T>);

    /// With those that have ended and were not given out.
    fn count(&self) -> usize;
}

/// With a limit of none in flight no item would ever be taken.
#[track_caller]
pub(super) fn checked_limit(what: &str, limit: usize) -> usize {
    assert!(limit > 0, "{what}: the limit is 0, so no job could ever be in flight; allow at least 1");
    limit
}

impl<St: Stream, F> Source<St, F> {
    pub(super) fn new(stream: St, pool: Handle, limit: usize, f: F) -> Source<St, F> {
        Source { stream: Some(Box::pin(stream)), pool, f, limit, left: MOST_AT_A_STRETCH }
    }

    /// The next result of the jobs in flight, which are made as many as may be.
    pub(super) fn poll_result<Fut, T>(
        &mut self,
        in_flight: &mut impl InFlight<T>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<T, JoinError>>>
    where
        St::Item: Send + 'static,
        F: Fn(St::Item) -> Fut + Send + Clone + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        if self.is_spent() {
            return self.pause(cx);
        }
        while let Poll::Ready(Some(job)) = self.poll_job(in_flight.count(), cx) {
            in_flight.add(job);
        }
        // Woken by the end of the job whose turn it is, or by the source, which was asked above if there was room; or at once,
        // after a pause.
        match Pin::new(in_flight).poll_next(cx) {
            Poll::Ready(Some(result)) => {
                self.heed(&result);
                Poll::Ready(Some(result))
            }
            Poll::Ready(None) if self.stream.is_none() => Poll::Ready(None),
            Poll::Ready(None) | Poll::Pending => self.pause(cx),
        }
    }

    /// The next item's job, which has been sent. `None`: there will be no more. Asked only while there is room for it, and
    /// before a pause is due: whoever is given a result polls again, and so asks again, and so does who is woken after a pause.
    fn poll_job<Fut, T>(&mut self, in_flight: usize, cx: &mut Context<'_>) -> Poll<Option<Running<T>>>
    where
        St::Item: Send + 'static,
        F: Fn(St::Item) -> Fut + Send + Clone + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        if in_flight >= self.limit || self.is_spent() {
            return Poll::Pending;
        }
        let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
        // Woken by the source itself, which keeps `cx`'s waker while it has nothing.
        match stream.as_mut().poll_next(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => {
                self.stream = None;
                Poll::Ready(None)
            }
            Poll::Ready(Some(item)) => {
                self.left -= 1;
                let f = self.f.clone();
                Poll::Ready(Some(Running(self.pool.spawn(move || f(item)))))
            }
        }
    }

    /// Takes note of a result that is given out: a pool that has shut down would refuse all that the source still has.
    fn heed<T>(&mut self, result: &Result<T, JoinError>) {
        self.left = self.left.saturating_sub(1);
        if result.as_ref().is_err_and(JoinError::is_shutdown) {
            self.stream = None;
        }
    }

    /// A pause is due.
    fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Pending, with whatever has been asked to wake `cx`. After a pause that was due it is woken at once.
    fn pause<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        if self.is_spent() {
            cx.waker().wake_by_ref();
        }
        self.left = MOST_AT_A_STRETCH;
        Poll::Pending
    }

    /// At least and at most so many results, with those in flight.
    pub(super) fn size_hint(&self, in_flight: usize) -> (usize, Option<usize>) {
        // What the source still has may not come: a shutdown ends the results early.
        let upper = self.stream.as_ref().map_or(Some(0), |stream| stream.size_hint().1);
        (in_flight, upper.and_then(|upper| upper.checked_add(in_flight)))
    }
}

impl<St, F> fmt::Debug for Source<St, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("pool", &self.pool)
            .field("limit", &self.limit)
            .field("over", &self.stream.is_none())
            .finish_non_exhaustive()
    }
}

impl<T> InFlight<T> for FuturesUnordered<Running<T>> {
    fn add(&mut self, job: Running<T>) {
        self.push(job);
    }

    fn count(&self) -> usize {
        self.len()
    }
}

impl<T> InFlight<T> for FuturesOrdered<Running<T>> {
    fn add(&mut self, job: Running<T>) {
        self.push_back(job);
    }

    fn count(&self) -> usize {
        self.len()
    }
}

impl<T> Future for Running<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Woken by the job's end: a handle always resolves.
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        // A job that is over does not mind.
        self.0.abort();
    }
}
