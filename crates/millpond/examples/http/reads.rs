//! Bytes that come: reads that own their buffer, behind a look at what is there.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use monoio::buf::IoBufMut;
use monoio::io::{AsyncReadRent, OwnedReadHalf};
use monoio::net::TcpStream;

use crate::watch::Watch;

/// hyper's own first buffer has this size, and most heads fit. The kernel holds one for every connection that waits.
const BUFFER_BYTES: usize = 8 * 1024;

/// The reading side of a connection.
pub(crate) struct Reads {
    /// Reads each time that it is polled and finds a read wanted. Made once a connection: a read needs no memory.
    pump: Pin<Box<dyn Future<Output = Infallible>>>,
    /// Shared with the pump. Neither side holds the borrow while the other runs.
    slot: Rc<RefCell<Slot>>,
    watch: Rc<Watch>,
}

struct Slot {
    /// What has come, of which the first `taken` bytes are gone. Empty while it is read into.
    buffer: Vec<u8>,
    taken: usize,
    state: State,
}

enum State {
    /// No read is under way.
    Rest,
    /// The pump is to read behind what is in the buffer.
    Wanted,
    /// The kernel has the buffer.
    Reading,
    /// The client sends nothing more; with the reason, until somebody has heard it.
    Ended(Option<io::Error>),
}

impl Reads {
    pub(crate) fn new(half: OwnedReadHalf<TcpStream>, watch: Rc<Watch>) -> Self {
        let buffer = Vec::with_capacity(BUFFER_BYTES);
        let slot = Rc::new(RefCell::new(Slot { buffer, taken: 0, state: State::Rest }));
        Self { pump: Box::pin(pump(half, Rc::clone(&slot))), slot, watch }
    }

    /// Lends what is there and not taken yet.
    pub(crate) fn unread<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
        let slot = self.slot.borrow();
        look(&slot.buffer[slot.taken..])
    }

    pub(crate) fn take(&mut self, count: usize) {
        let mut slot = self.slot.borrow_mut();
        slot.taken += count;
        if slot.taken == slot.buffer.len() {
            slot.buffer.clear();
            slot.taken = 0;
        }
    }

    /// Ready once something is there, or the client sends nothing more.
    pub(crate) fn poll_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unread(|bytes| bytes.is_empty()) {
            return self.poll_more(cx).map_ok(drop);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads behind what is there, for which there must be room. False if the client sends nothing more.
    pub(crate) fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.slot.borrow_mut().want();
        // The pump leaves the waker with the read that it has under way.
        let Poll::Pending = self.pump.as_mut().poll(cx);
        match &mut self.slot.borrow_mut().state {
            State::Rest => {}
            State::Wanted | State::Reading => return Poll::Pending,
            State::Ended(reason) => return Poll::Ready(reason.take().map_or(Ok(false), Err)),
        }
        self.watch.received();
        Poll::Ready(Ok(true))
    }
}

async fn pump(mut half: OwnedReadHalf<TcpStream>, slot: Rc<RefCell<Slot>>) -> Infallible {
    loop {
        // Whoever wants a read polls the pump next.
        let buffer = poll_fn(|_| slot.borrow_mut().give()).await;
        let begin = buffer.len();
        // Ended by bytes, by the client's end, or by a reset: the kernel tells of each.
        let (result, buffer) = half.read(buffer.slice_mut(begin..)).await;
        slot.borrow_mut().get(buffer.into_inner(), result);
    }
}

impl Slot {
    fn want(&mut self) {
        if let State::Rest = self.state {
            self.state = State::Wanted;
        }
    }

    fn give(&mut self) -> Poll<Vec<u8>> {
        if !matches!(self.state, State::Wanted) {
            return Poll::Pending;
        }
        self.state = State::Reading;
        Poll::Ready(mem::take(&mut self.buffer))
    }

    fn get(&mut self, buffer: Vec<u8>, result: io::Result<usize>) {
        self.buffer = buffer;
        self.state = match result {
            Ok(0) => State::Ended(None),
            Ok(_) => State::Rest,
            Err(error) => State::Ended(Some(error)),
        };
    }
}
