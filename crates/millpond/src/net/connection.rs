//! One connection, from its accept to the end of its handler.

use super::{
    Listener, Stream,
    stage::{Progress, Stage},
    state::{Listed, Place, State},
};
use crate::{
    panics::contain,
    shared::Shared,
    sync::unmodelled::{Mutex, MutexGuard, lock},
};
use rustix::{fd::AsFd, net::sockopt::socket_cookie};
use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{
            AtomicUsize,
            Ordering::{AcqRel, Relaxed},
        },
    },
};

/// An accepted connection. Dropping it counts how it ended, and makes its place free.
#[derive(Debug)]
pub(super) struct Connection {
    progress: Progress,
    /// The socket's number for as long as the machine runs (`SO_COOKIE`, see socket(7)), by which it is known again when its
    /// stream is handed on. A descriptor's number may be another's by then.
    cookie: Option<u64>,
    place: Place,
}

/// A socket, where it comes from, and its connection: in this order, so that a refused one is closed before it gives up its
/// place.
type Accepted<L> = (<L as Listener>::Socket, <L as Listener>::Addr, Connection);

/// A connection on its way to a worker. Should that one be busy, another may take it.
#[derive(Debug)]
pub(super) struct Offer<L: Listener> {
    /// Emptied by the one that takes it.
    offered: Mutex<Option<Accepted<L>>>,
    /// Jobs that may still take it.
    claims: AtomicUsize,
}

/// A job's side of an offer. When the last one is dropped and none has taken it, because the jobs never ran, the connection is
/// refused.
struct Claim<L: Listener>(Arc<Offer<L>>);

impl Connection {
    fn new(mut place: Place, socket: &impl AsFd) -> Connection {
        place.fill();
        Connection { progress: Progress::accepted(), cookie: socket_cookie(socket).ok(), place }
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
    pub(super) fn new(place: Place, socket: L::Socket, addr: L::Addr) -> Arc<Offer<L>> {
        let connection = Connection::new(place, &socket);
        Arc::new(Offer { offered: Mutex::new(Some((socket, addr, connection))), claims: AtomicUsize::new(0) })
    }

    pub(super) fn is_taken(&self) -> bool {
        self.lock().is_none()
    }

    /// Takes it for a worker. `None`: another was sooner.
    fn take(&self, worker: usize) -> Option<Accepted<L>> {
        let mut taken = self.lock().take();
        if let Some((.., connection)) = &mut taken {
            connection.move_to(worker);
        }
        taken
    }

    /// Counts it at another worker. False: it was taken.
    pub(super) fn move_to(&self, worker: usize) -> bool {
        self.lock().as_mut().map(|(.., connection)| connection.move_to(worker)).is_some()
    }

    fn claim(self: Arc<Self>) -> Claim<L> {
        self.claims.fetch_add(1, Relaxed);
        Claim(self)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Accepted<L>>> {
        lock(&self.offered)
    }
}

impl<L: Listener> Drop for Claim<L> {
    fn drop(&mut self) {
        // The last one sees what those before it have done.
        if self.0.claims.fetch_sub(1, AcqRel) == 1 {
            let refused = self.0.lock().take();
            drop(refused);
        }
    }
}

/// Offers a connection to a worker: a job there takes it, if nobody was sooner, and has its handler run.
pub(super) fn send<L, S, H, Fut>(state: &Arc<State>, worker: usize, offer: Arc<Offer<L>>, handler: &H)
where
    L: Listener,
    S: Stream<Socket = L::Socket>,
    H: Fn(S, L::Addr) -> Fut + Send + Clone + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let (driver, claim) = (state.driver(), offer.claim());
    let mut cloned = None;
    contain(|| cloned = Some(handler.clone()));
    // The claim is dropped, and the connection refused.
    let Some(handler) = cloned else { return };
    let job = move |listed: Listed| async move {
        let _listed = listed;
        let taken = claim.0.take(worker);
        drop(claim);
        let Some((socket, addr, connection)) = taken else { return };
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
        // Dropped before the connection is counted: its stream has been dropped by then, and the driver closes it.
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

/// Takes the present handler's connection out of it, if the socket is that connection's, and the pool its server's.
pub(super) fn take_current(socket: &impl AsFd, pool: &Shared) -> Option<Connection> {
    let current = CURRENT.take();
    let _restore = Restore(current.clone());
    let cookie = socket_cookie(socket).ok();
    let is_its = |connection: &mut Connection| {
        connection.cookie.is_some()
            && connection.cookie == cookie
            && connection.state().pool.shared().id == pool.id
    };
    let connection = current?.borrow_mut().take_if(is_its);
    connection.inspect(|connection| connection.progress.end_poll())
}
