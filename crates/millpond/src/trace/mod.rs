//! What `tracing` is told of each job, in the words that tokio-console knows, and of stalls. Without the feature: nothing,
//! at no cost.
//!
//! A job's span is made where the job is spawned, before any lock of ours is taken: a subscriber is foreign code, and may
//! spawn. It is entered by whoever holds the task's `RUNNING`, and closed by the one that completes it, before its handle is
//! told. What wakers tell carries the span's number alone, so a waker that is kept does not keep the span.
//!
//! A subscriber that panics harms no job and no wake: each call of one is contained here.

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(feature = "tracing")]
mod on;

#[cfg(not(feature = "tracing"))]
pub(crate) use off::{Span, Traced, stall};
#[cfg(feature = "tracing")]
pub(crate) use on::{Span, Traced, stall};

/// What was done with a waker. The names are those that tokio-console knows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WakerOp {
    Clone,
    /// It ends the waker.
    Wake,
    WakeByRef,
    Drop,
}
