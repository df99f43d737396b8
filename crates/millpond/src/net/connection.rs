//! One connection, from its accept to the end of its handler.

use super::{
    Listener, Stream,
    stage::{Progress, Stage},
    state::{Listed, Place, State},
};
use crate::sync::unmodelled::{Mutex, MutexGuard, lock};
use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    os::fd::{AsRawFd, RawFd},
    pin::pin,
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
};

/// An accepted connection. Dropping it counts how it ended, and makes its place free.
#[derive(Debug)]
pub(super) struct Connection {
    progress: Progress,
    /// By which it is known again when its stream is handed on.
    fd: RawFd,
    place: Place,
}

/// A connection, its socket, and where it comes from.
type Accepted<L> = (Connection, <L as Listener>::Socket, <L as Listener>::Addr);

/// A connection on its way to a worker. Should that one be busy, another may take it.
#[derive(Debug)]
pub(super) struct Offer<L: Listener> {
    /// Emptied by the one that takes it.
    offered: Mutex<Option<Accepted<L>>>,
}

/// A job's side of an offer. Dropped before it has taken it, because the job never ran, it refuses the connection.
struct Claim<L: Listener> {
    offer: Arc<Offer<L>>,
    worker: usize,
}

impl Connection {
    pub(super) fn new(mut place: Place, socket: &impl AsRawFd) -> Connection {
        place.fill();
        Connection { progress: Progress::accepted(), fd: socket.as_raw_fd(), place }
    }

    pub(super) fn state(&self) -> &Arc<State> {
        self.place.state()
    }

    pub(super) fn move_to(&mut self, worker: usize) {
        if self.place.worker() != worker {
            self.place.move_to(worker);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let ended = &self.place.state().ended;
        let count = match self.progress.stage() {
            Stage::Accepted => &ended.refused,
            Stage::Open => &ended.cut_off,
            Stage::Polled => &ended.panicked,
            Stage::Served => &ended.served,
        };
        count.fetch_add(1, Relaxed);
    }
}

impl<L: Listener> Offer<L> {
    pub(super) fn new(connection: Connection, socket: L::Socket, addr: L::Addr) -> Arc<Offer<L>> {
        Arc::new(Offer { offered: Mutex::new(Some((connection, socket, addr))) })
    }

    pub(super) fn is_taken(&self) -> bool {
        self.lock().is_none()
    }

    /// Takes it for a worker. `None`: another was sooner.
    fn take(&self, worker: usize) -> Option<Accepted<L>> {
        let mut taken = self.lock().take();
        if let Some((connection, ..)) = &mut taken {
            connection.move_to(worker);
        }
        taken
    }

    /// Counts it at another worker. False: it was taken.
    pub(super) fn move_to(&self, worker: usize) -> bool {
        self.lock().as_mut().map(|(connection, ..)| connection.move_to(worker)).is_some()
    }

    /// Refuses it, if it is still that worker's to take.
    fn withdraw(&self, worker: usize) {
        let refused = self.lock().take_if(|(connection, ..)| connection.place.worker() == worker);
        drop(refused);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Accepted<L>>> {
        lock(&self.offered)
    }
}

impl<L: Listener> Drop for Claim<L> {
    fn drop(&mut self) {
        self.offer.withdraw(self.worker);
    }
}

/// Offers a connection to a worker: a job there takes it, if nobody was sooner, and has its handler run.
pub(super) fn send<L, S, H, Fut>(state: &Arc<State>, worker: usize, offer: Arc<Offer<L>>, handler: H)
where
    L: Listener,
    S: Stream<Socket = L::Socket>,
    H: Fn(S, L::Addr) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let (driver, claim) = (state.driver(), Claim { offer, worker });
    let job = move |listed: Listed| async move {
        let _listed = listed;
        let taken = claim.offer.take(worker);
        drop(claim);
        let Some((connection, socket, addr)) = taken else { return };
        if let Ok(stream) = S::from_std(socket, driver) {
            // Ended by the handler.
            conduct(connection, || handler(stream, addr)).await;
        }
    };
    drop(state.send(worker, job));
}

/// Runs a connection's handler, to which the connection belongs until it ends or hands it on.
pub(super) async fn conduct<Fut: Future>(
    connection: Connection,
    handler: impl FnOnce() -> Fut,
) -> Fut::Output {
    let current = Rc::new(RefCell::new(Some(connection)));
    let output = {
        // Dropped before the connection is counted: its stream is closed by then.
        let mut handler = pin!(within(&current, handler));
        // Ended by the handler, which is woken by what it waits for.
        poll_fn(|cx| within(&current, || handler.as_mut().poll(cx))).await
    };
    if let Some(connection) = &*current.borrow() {
        connection.progress.end();
    }
    output
}

type Current = Rc<RefCell<Option<Connection>>>;

thread_local! {
    /// The connection whose handler is being polled.
    static CURRENT: Cell<Option<Current>> = const { Cell::new(None) };
}

/// Puts back the connection that was current before.
struct Restore(Option<Current>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Calls `f`, a part of the connection's handler. If that panics, the stage stays: it tells.
fn within<R>(current: &Current, f: impl FnOnce() -> R) -> R {
    let _restore = Restore(CURRENT.replace(Some(Rc::clone(current))));
    if let Some(connection) = &*current.borrow() {
        connection.progress.begin_poll();
    }
    let output = f();
    if let Some(connection) = &*current.borrow() {
        connection.progress.end_poll();
    }
    output
}

/// Takes the present handler's connection out of it, if `fd` is that connection's.
pub(super) fn take_current(fd: RawFd) -> Option<Connection> {
    let current = CURRENT.take();
    let _restore = Restore(current.clone());
    let current = current?;
    let connection = current.borrow_mut().take_if(|connection| connection.fd == fd);
    connection.inspect(|connection| connection.progress.end_poll())
}
