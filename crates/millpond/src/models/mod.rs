//! Models of the protocols between threads, run by loom through every order of their steps; where three threads have too
//! many, through those with a few preemptions.
//!
//! Run by `cargo xtask loom`. For each protocol there are models that are broken on purpose, in the step that it is about:
//! loom must find their fault, or the sound ones' success would say nothing.

mod net;
mod queue;
mod sleep;
mod task;

use loom::sync::Notify;

/// A signal to wait on, as a driver's is: it stays set until a wait has seen it, and a wait may end without it.
pub(crate) struct Bell(Notify);

impl Bell {
    pub(crate) fn new() -> Bell {
        Bell(Notify::new())
    }

    /// Ended by `notify`. A bell that nobody rings is a deadlock, and loom reports it.
    pub(crate) fn wait(&self) {
        self.0.wait();
    }
}

impl crate::driver::Signal for Bell {
    fn notify(&self) {
        self.0.notify();
    }
}

/// A model that its threads share. Leaked, since loom's types panic if they are dropped while a deadlock that it found
/// unwinds, and a second panic would end the process before the test can see the first.
pub(crate) fn leak<T>(model: T) -> &'static T {
    Box::leak(Box::new(model))
}
