//! Jobs without results, but for their errors.

use super::{MapUnordered, source::checked_limit};
use crate::{Handle, JoinError};
use futures_core::Stream;
use std::{
    convert::Infallible,
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Waits until the jobs of all items of a stream have ended, or one has failed. Made by [`Handle::for_each`].
///
/// Dropping it aborts the jobs in flight. It does nothing unless it is polled.
#[must_use = "it sends jobs only while it is polled"]
pub struct ForEach<St, F, T> {
    /// `None` once the future is ready.
    results: Option<MapUnordered<St, F, T>>,
}

/// Waits until the jobs of all items have ended, whatever fails. Made by [`ForEach::collect_errors`].
///
/// Dropping it aborts the jobs in flight. It does nothing unless it is polled.
#[must_use = "it sends jobs only while it is polled"]
pub struct CollectErrors<St, F, T: ForEachOutput> {
    results: MapUnordered<St, F, T>,
    errors: Vec<ForEachError<T::Error>>,
}

/// Why a job of [`Handle::for_each`] failed.
///
/// ```
/// use futures_util::stream;
/// use millpond::streams::ForEachError;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let words = stream::iter(["1", "two", "3"]);
/// let each = pool.for_each(words, 2, |word| async move { word.parse::<u32>().map(drop) });
/// match pool.block_on(each) {
///     Err(ForEachError::Failed(error)) => println!("{error}"), // invalid digit found in string
///     Err(ForEachError::Join(error)) => println!("no answer: {error}"),
///     Ok(()) => unreachable!("`two` is no number"),
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub enum ForEachError<E> {
    /// It returned this error.
    Failed(E),
    /// It has not returned: it panicked, was ended, or never started.
    Join(JoinError),
}

/// What a job of [`Handle::for_each`] may return: nothing, or a `Result<(), E>`.
///
/// ```
/// use futures_util::stream;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let nothing = pool.for_each(stream::iter(0..3), 2, |number| async move { println!("{number}") });
/// pool.block_on(nothing)?;
/// let checked = pool.for_each(stream::iter(0..3), 2, |number| async move { u8::try_from(number).map(drop) });
/// pool.block_on(checked)?;
/// # Ok(()) }
/// ```
#[diagnostic::on_unimplemented(
    message = "a job of `for_each` returns `()` or a `Result<(), E>`, and not `{Self}`",
    label = "for the values of the jobs use `map_unordered` or `map_ordered`"
)]
pub trait ForEachOutput: sealed::Sealed {
    /// Of the jobs. A job that returns nothing has none.
    type Error;

    #[doc(hidden)]
    fn into_result(self) -> Result<(), Self::Error>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl<E> Sealed for Result<(), E> {}
}

impl ForEachOutput for () {
    type Error = Infallible;

    fn into_result(self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl<E> ForEachOutput for Result<(), E> {
    type Error = E;

    fn into_result(self) -> Result<(), E> {
        self
    }
}

impl Handle {
    /// Sends a job for each item of a stream, with at most `limit` in flight, and waits for all of them. The jobs return
    /// nothing, or a `Result<(), E>`. See [`streams`](crate::streams).
    ///
    /// ```
    /// use futures_util::stream;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let pool = millpond::Pool::builder().worker_threads(2).build()?;
    /// let dir = std::env::temp_dir().join(format!("millpond-for-each-{}", std::process::id()));
    /// std::fs::create_dir(&dir)?;
    /// let names = stream::iter((0..100).map(|n| dir.join(n.to_string())));
    /// pool.block_on(pool.for_each(names, 16, |name| async move {
    ///     let file = monoio::fs::File::create(name).await?;
    ///     file.write_all_at(b"hello".to_vec(), 0).await.0
    /// }))?;
    /// assert_eq!(std::fs::read_dir(&dir)?.count(), 100);
    /// # std::fs::remove_dir_all(&dir)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The first that comes, of a job or of its end. It aborts the jobs that are in flight then, and is given without waiting
    /// for their ends. [`collect_errors`](ForEach::collect_errors) runs all, and gives every error.
    ///
    /// # Panics
    /// If `limit` is 0.
    #[track_caller]
    pub fn for_each<St, F, Fut, T>(&self, stream: St, limit: usize, f: F) -> ForEach<St, F, T>
    where
        St: Stream<Item: Send + 'static>,
        F: Fn(St::Item) -> Fut + Send + Clone + 'static,
        Fut: Future<Output = T> + 'static,
        T: ForEachOutput + Send + 'static,
    {
        ForEach::new(stream, self.located(), checked_limit("for_each", limit), f)
    }
}

impl<St: Stream, F, T: ForEachOutput> ForEach<St, F, T> {
    fn new(stream: St, pool: Handle, limit: usize, f: F) -> ForEach<St, F, T> {
        ForEach { results: Some(MapUnordered::new(stream, pool, limit, f)) }
    }

    /// Runs the jobs of all items, and gives every error, in the order in which they came. Empty: none failed.
    ///
    /// ```
    /// use futures_util::stream;
    ///
    /// #[millpond::main]
    /// async fn main() {
    ///     let pool = millpond::Handle::current();
    ///     let odd = |n: u32| async move { if n % 2 == 0 { Ok(()) } else { Err(n) } };
    ///     let errors = pool.for_each(stream::iter(0..10), 4, odd).collect_errors().await;
    ///     assert_eq!(errors.len(), 5);
    /// }
    /// ```
    ///
    /// # Panics
    /// If the future has ended. One that was polled and is pending goes on, with every error from then on.
    pub fn collect_errors(self) -> CollectErrors<St, F, T> {
        let results = self.results.expect("ForEach::collect_errors: the future has ended");
        CollectErrors { results, errors: Vec::new() }
    }
}

fn flatten<T: ForEachOutput>(result: Result<T, JoinError>) -> Result<(), ForEachError<T::Error>> {
    result.map_err(ForEachError::Join)?.into_result().map_err(ForEachError::Failed)
}

impl<St, F, Fut, T> Future for ForEach<St, F, T>
where
    St: Stream<Item: Send + 'static>,
    F: Fn(St::Item) -> Fut + Send + Clone + 'static,
    Fut: Future<Output = T> + 'static,
    T: ForEachOutput + Send + 'static,
{
    type Output = Result<(), ForEachError<T::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let results = self.results.as_mut().expect("ForEach polled after its end");
        // Woken as the stream is, which ends with the source, or sooner at a shutdown.
        let end = loop {
            match ready!(Pin::new(&mut *results).poll_next(cx)).map(flatten) {
                Some(Ok(())) => {}
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            }
        };
        // Aborts what is in flight.
        self.results = None;
        Poll::Ready(end)
    }
}

impl<St, F, Fut, T> Future for CollectErrors<St, F, T>
where
    St: Stream<Item: Send + 'static>,
    F: Fn(St::Item) -> Fut + Send + Clone + 'static,
    Fut: Future<Output = T> + 'static,
    T: ForEachOutput + Send + 'static,
{
    type Output = Vec<ForEachError<T::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // Woken as the stream is.
        while let Some(result) = ready!(Pin::new(&mut this.results).poll_next(cx)) {
            this.errors.extend(flatten(result).err());
        }
        Poll::Ready(std::mem::take(&mut this.errors))
    }
}

// Nothing here is pinned.
impl<St, F, T: ForEachOutput> Unpin for CollectErrors<St, F, T> {}

impl<E: fmt::Display> fmt::Display for ForEachError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ForEachError::Failed(error) => error.fmt(f),
            ForEachError::Join(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for ForEachError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ForEachError::Failed(error) => error.source(),
            ForEachError::Join(error) => error.source(),
        }
    }
}

impl<St, F, T> fmt::Debug for ForEach<St, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForEach").field("results", &self.results).finish()
    }
}

impl<St, F, T: ForEachOutput> fmt::Debug for CollectErrors<St, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectErrors")
            .field("results", &self.results)
            .field("errors", &self.errors.len())
            .finish()
    }
}
