//! How long a connection may go on as it is: a state machine with one timer.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use millpond::time::{Sleep, sleep_until};

use crate::limits::Limits;

/// What is known of one connection, told by its stream (`reads`, `writes`) and by its requests.
///
/// hyper has a timer for the heads of HTTP/1 alone, in which the time between two requests counts as time of the second.
/// This one knows all waits apart, in both protocols, and costs a request no memory.
#[derive(Debug)]
pub(crate) struct Watch {
    state: Cell<State>,
    limits: Limits,
    /// Many requests share the connection, and bytes that come need not be those of a request.
    is_shared: Cell<bool>,
    /// A request was answered before all of it came.
    cut_short: Cell<bool>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Accepted, and nothing has come yet.
    Connected { since: Instant },
    /// A part of a head has come, and no request is under way.
    Receiving { since: Instant },
    /// Some requests are being answered. Bytes went either way at `moved`.
    Answering { requests: usize, moved: Instant },
    /// All requests are answered, and of a next one nothing has come.
    Idle { since: Instant },
    /// The server has said its end, and waits for the client's.
    Closing { since: Instant },
}

/// What to do when a state has lasted for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Close in order: the client has done nothing wrong.
    Close,
    CutOff,
}

/// A request under way. It ends with its drop, when the last of its answer is on its way.
#[derive(Debug)]
pub(crate) struct InFlight(Rc<Watch>);

/// The timer of a connection: waits for the deadline of a watch, wherever that moves meanwhile.
#[derive(Debug)]
pub(crate) struct Patience(Sleep);

impl Watch {
    pub(crate) fn new(limits: Limits) -> Rc<Self> {
        let state = Cell::new(State::Connected { since: Instant::now() });
        Rc::new(Self { state, limits, is_shared: Cell::new(false), cut_short: Cell::new(false) })
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The connection turns out to be one of HTTP/2.
    pub(crate) fn share(&self) {
        self.is_shared.set(true);
    }

    pub(crate) fn received(&self) {
        self.state.set(match self.state.get() {
            State::Connected { since } => State::Receiving { since },
            State::Answering { requests, .. } => State::Answering { requests, moved: Instant::now() },
            State::Idle { .. } if !self.is_shared.get() => State::Receiving { since: Instant::now() },
            same => same,
        });
    }

    pub(crate) fn sent(&self) {
        self.state.set(match self.state.get() {
            State::Answering { requests, .. } => State::Answering { requests, moved: Instant::now() },
            // The rest of an answer, whose request has ended.
            State::Idle { .. } => State::Idle { since: Instant::now() },
            same => same,
        });
    }

    /// A head has come in full.
    pub(crate) fn request(self: &Rc<Self>) -> InFlight {
        self.state.set(match self.state.get() {
            State::Closing { since } => State::Closing { since },
            State::Answering { requests, moved } => State::Answering { requests: requests + 1, moved },
            _ => State::Answering { requests: 1, moved: Instant::now() },
        });
        InFlight(Rc::clone(self))
    }

    /// The request is refused while the client may still send its body.
    pub(crate) fn cut_short(&self) {
        self.cut_short.set(true);
    }

    /// The server closes. If the client is in the midst of sending it is heard out, and what it says is thrown away: to
    /// bytes that come after a close the kernel answers with a reset, which may overtake what was sent to the client.
    /// True if so.
    pub(crate) fn hears_out(&self) -> bool {
        let hears = self.cut_short.get() || matches!(self.state.get(), State::Receiving { .. });
        if hears {
            self.closing();
        }
        hears
    }

    /// No request of the client is waited for any longer.
    pub(crate) fn closing(&self) {
        if !matches!(self.state.get(), State::Closing { .. }) {
            self.state.set(State::Closing { since: Instant::now() });
        }
    }

    /// Whether a close has nothing to wait for but the client's.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state.get(), State::Idle { .. } | State::Connected { .. })
    }

    fn deadline(&self) -> (Instant, Verdict) {
        let limits = &self.limits;
        match self.state.get() {
            State::Connected { since } => (since + limits.header, Verdict::Close),
            State::Receiving { since } => (since + limits.header, Verdict::CutOff),
            State::Answering { moved, .. } => (moved + limits.stall, Verdict::CutOff),
            State::Idle { since } => (since + limits.idle, Verdict::Close),
            State::Closing { since } => (since + limits.close, Verdict::CutOff),
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let state = &self.0.state;
        state.set(match state.get() {
            State::Answering { requests: 1, .. } => State::Idle { since: Instant::now() },
            State::Answering { requests, moved } => State::Answering { requests: requests - 1, moved },
            same => same,
        });
    }
}

impl Patience {
    pub(crate) fn new(watch: &Watch) -> Self {
        Self(sleep_until(watch.deadline().0))
    }

    /// Ready once the state of `watch` has lasted for too long. To be polled by the connection's own task, whenever that
    /// is polled: so it sees a deadline that has come nearer, and one that has moved away it finds when its timer ends.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>, watch: &Watch) -> Poll<Verdict> {
        loop {
            let (deadline, verdict) = watch.deadline();
            if deadline < self.0.deadline() {
                self.0 = sleep_until(deadline);
            }
            // Ended by the worker's timers.
            ready!(Pin::new(&mut self.0).poll(cx));
            if deadline <= self.0.deadline() {
                return Poll::Ready(verdict);
            }
            self.0 = sleep_until(deadline);
        }
    }
}
