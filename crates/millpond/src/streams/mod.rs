//! The items of a stream as jobs: what [`Handle::map_unordered`](crate::Handle::map_unordered),
//! [`map_ordered`](crate::Handle::map_ordered) and [`for_each`](crate::Handle::for_each) give.
//!
//! The source is a [`Stream`](https://docs.rs/futures-core/0.3/futures_core/stream/trait.Stream.html) of items that
//! are `Send`. It is polled by whoever polls the results, on any executor, and need not be `Send` itself. Of an iterator
//! `futures_util::stream::iter` makes one. Each item becomes a job of the pool:
//!
//! ```
//! use futures_util::{TryStreamExt, stream};
//!
//! #[millpond::main]
//! async fn main() -> Result<(), millpond::JoinError> {
//!     let pool = millpond::Handle::current();
//!     let squares = pool.map_ordered(stream::iter(1..=4), 2, |n| async move { n * n });
//!     assert_eq!(squares.try_collect::<Vec<u32>>().await?, [1, 4, 9, 16]);
//!     Ok(())
//! }
//! ```
//!
//! # How many at once
//! At most `limit` items are in flight: taken from the source and not yet given out as results. With so many, the source is
//! polled no more, so it is held back by the jobs, and those by whoever takes the results. A limit of a few times the number
//! of workers keeps them busy with jobs that compute; jobs that wait for I/O want as many as the device or the peer bears.
//!
//! A source and jobs that never let the poller wait do not keep its thread: every 256 items and results it gives way to others
//! there, and is woken at once. So the first poll sends the first 256 jobs at most.
//!
//! The jobs are sent with [`spawn`](crate::Handle::spawn), which the queue's capacity does not hold back: the limit does. They
//! have the handle's [options](crate::JobOptions): `pool.with_options(…).map_unordered(…)` sends bulk jobs, or named ones.
//!
//! # Errors
//! Each result is a `Result<T, JoinError>`, whose error says that this one job panicked or was ended. So whoever wants the
//! first error takes the results with `try_next` or `try_collect`, and drops the rest with the stream; whoever wants all of
//! them goes on with `next` or `collect`. What a job itself returns, a `Result` of its own too, is inside.
//!
//! A pool that shuts down is asked for no more: the items in flight give their results or an error each, and the stream ends.
//! That shows at an item: while the source has none to give and none is in flight, the stream waits for the source all the same.
//!
//! # Cancel safety
//! Taking a result (`next`) loses nothing when it is dropped before its end. Dropping the stream itself, or the future of
//! `for_each`, aborts the jobs in flight: those that have not started never do, the others are dropped at their next await. A
//! [`broadcast`](crate::Handle::broadcast) that is sent after it starts on no worker before the last poll of such a job there is
//! over. The drop of its future may come later.

mod for_each;
mod map_ordered;
mod map_unordered;
mod source;

pub use for_each::{CollectErrors, ForEach, ForEachError, ForEachOutput};
pub use map_ordered::MapOrdered;
pub use map_unordered::MapUnordered;
