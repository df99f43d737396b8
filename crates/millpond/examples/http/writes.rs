//! Bytes that go: writes that own their buffer, behind ones that lend it.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use monoio::buf::IoBuf;
use monoio::io::{AsyncWriteRent, OwnedWriteHalf};
use monoio::net::TcpStream;

use crate::watch::Watch;

/// As much may be gathered for one write: a step of a file and its head, or the frames of many answers. More than that
/// waits for the write that is under way.
const GATHER_BYTES: usize = 128 * 1024;

/// A buffer of up to this size stays with its connection. Answers of small files fit, a few at once too; the memory of a step
/// of a large one goes back, as connections that have once sent one may be many.
const KEEP_BYTES: usize = 32 * 1024;

/// The writing side of a connection: what is written is gathered until it is flushed. hyper flushes whenever it has nothing
/// more at hand, so an answer in pieces, and the many small frames of HTTP/2, are one write.
pub(crate) struct Writes {
    /// Writes each time that it is polled and finds something to do. Made once a connection.
    pump: Pin<Box<dyn Future<Output = Infallible>>>,
    /// Shared with the pump. Neither side holds the borrow while the other runs.
    slot: Rc<RefCell<Slot>>,
}

struct Slot {
    /// What is to be written next.
    gathered: Vec<u8>,
    state: State,
}

enum State {
    /// No write is under way.
    Rest,
    /// The pump is to write what is gathered, or to close this side.
    Wanted(Order),
    /// The kernel has what was gathered.
    Writing,
    /// The client is told that nothing follows.
    Closed,
    /// It is gone; with the reason, until somebody has heard it.
    Broken(Option<io::Error>),
}

#[derive(Clone, Copy)]
enum Order {
    Write,
    Close,
}

impl Writes {
    pub(crate) fn new(half: OwnedWriteHalf<TcpStream>, watch: Rc<Watch>) -> Self {
        let slot = Rc::new(RefCell::new(Slot { gathered: Vec::new(), state: State::Rest }));
        Self { pump: Box::pin(pump(half, Rc::clone(&slot), watch)), slot }
    }

    /// Takes a copy of as many bytes as there is room for; if there is none, once there is.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.slot.borrow().gathered.len() >= GATHER_BYTES {
            // A write takes all that is gathered with it when it begins.
            match self.poll_flush(cx) {
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if self.slot.borrow().gathered.len() >= GATHER_BYTES => return Poll::Pending,
                Poll::Pending | Poll::Ready(Ok(())) => {}
            }
        }
        Poll::Ready(Ok(self.slot.borrow_mut().gather(parts)))
    }

    /// Ready once all that was taken is with the kernel.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.slot.borrow_mut().is_done() {
                return Poll::Ready(Ok(()));
            }
            // The pump leaves the waker with the write that it has under way.
            let Poll::Pending = self.pump.as_mut().poll(cx);
            match &mut self.slot.borrow_mut().state {
                // There may be more by now.
                State::Rest => {}
                State::Wanted(_) | State::Writing => return Poll::Pending,
                State::Closed => return Poll::Ready(Ok(())),
                State::Broken(reason) => {
                    return Poll::Ready(Err(reason.take().unwrap_or_else(|| ErrorKind::BrokenPipe.into())));
                }
            }
        }
    }

    /// Ready once all is written and the client is told that nothing follows.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // A side that is broken is closed as well.
        if ready!(self.poll_flush(cx)).is_ok() && self.slot.borrow_mut().wants_close() {
            let Poll::Pending = self.pump.as_mut().poll(cx);
        }
        Poll::Ready(())
    }
}

async fn pump(mut half: OwnedWriteHalf<TcpStream>, slot: Rc<RefCell<Slot>>, watch: Rc<Watch>) -> Infallible {
    loop {
        // Whoever has an order polls the pump next.
        let (order, buffer) = poll_fn(|_| slot.borrow_mut().give()).await;
        match order {
            Order::Write => {
                let (result, buffer) = write_all(&mut half, buffer, &watch).await;
                slot.borrow_mut().get(buffer, result);
            }
            Order::Close => {
                // Waits for nothing: it is a plain call. A client that is gone by now needs no word.
                let _ = half.shutdown().await;
                slot.borrow_mut().state = State::Closed;
            }
        }
    }
}

async fn write_all(
    half: &mut OwnedWriteHalf<TcpStream>,
    mut buffer: Vec<u8>,
    watch: &Watch,
) -> (io::Result<()>, Vec<u8>) {
    let mut written = 0;
    while written < buffer.len() {
        // Ended when the kernel takes some, or by a reset. A client that takes nothing is the watch's to end.
        let (result, rest) = half.write(buffer.slice(written..)).await;
        buffer = rest.into_inner();
        match result {
            Ok(0) => return (Err(ErrorKind::WriteZero.into()), buffer),
            Ok(count) => written += count,
            Err(error) => return (Err(error), buffer),
        }
        watch.sent();
    }
    (Ok(()), buffer)
}

impl Slot {
    fn gather(&mut self, parts: &[IoSlice<'_>]) -> usize {
        let before = self.gathered.len();
        for part in parts {
            let room = GATHER_BYTES - self.gathered.len();
            self.gathered.extend_from_slice(&part[..part.len().min(room)]);
        }
        self.gathered.len() - before
    }

    /// Whether nothing is left to write. If something is, and nothing is under way, it is wanted from here on.
    fn is_done(&mut self) -> bool {
        let rests = matches!(self.state, State::Rest);
        if rests && !self.gathered.is_empty() {
            self.state = State::Wanted(Order::Write);
        }
        rests && self.gathered.is_empty()
    }

    fn wants_close(&mut self) -> bool {
        let rests = matches!(self.state, State::Rest);
        if rests {
            self.state = State::Wanted(Order::Close);
        }
        rests
    }

    fn give(&mut self) -> Poll<(Order, Vec<u8>)> {
        let State::Wanted(order) = self.state else { return Poll::Pending };
        self.state = State::Writing;
        Poll::Ready((order, mem::take(&mut self.gathered)))
    }

    fn get(&mut self, mut buffer: Vec<u8>, result: io::Result<()>) {
        buffer.clear();
        if self.gathered.capacity() == 0 && buffer.capacity() <= KEEP_BYTES {
            self.gathered = buffer;
        }
        self.state = result.map_or_else(|error| State::Broken(Some(error)), |()| State::Rest);
    }
}
