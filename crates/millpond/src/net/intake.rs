//! Takes connections from one listener and offers each to a worker: what a server's thread does while it accepts.

use super::{
    Listener, Stream,
    balance::Chooser,
    connection::{self, Offer},
    offers::Offers,
    state::State,
    take::{Taken, Troubles},
};
use std::{fmt, future::Future, marker::PhantomData, os::fd::BorrowedFd, sync::Arc, time::Instant};

/// The listener and the handler of one server. The listener is closed when the server stops accepting.
pub(super) struct Intake<L: Listener, S, H> {
    listener: Option<L>,
    handler: H,
    chooser: Chooser,
    offers: Offers<L>,
    troubles: Troubles,
    /// What the kernel may hold when the server stops.
    backlog: usize,
    stream: PhantomData<fn() -> S>,
}

/// What the thread waits for next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    /// A connection, besides all that rings the alarm.
    pub(super) listen: bool,
    pub(super) until: Option<Instant>,
}

/// The same for any types.
pub(super) trait Intakes: Send {
    /// Takes all that is there and has room.
    fn take_all(&mut self, state: &Arc<State>) -> Want;

    /// Takes what the kernel has ready, and closes the listener.
    fn close(&mut self, state: &Arc<State>);

    /// Looks after what no worker has taken yet. Returns when to do so again.
    fn see_to_offers(&mut self, state: &Arc<State>) -> Option<Instant>;

    fn listener(&self) -> Option<BorrowedFd<'_>>;
}

impl<L, S, H, Fut> Intake<L, S, H>
where
    L: Listener,
    S: Stream<Socket = L::Socket>,
    H: Fn(S, L::Addr) -> Fut + Send + Clone + 'static,
    Fut: Future<Output = ()> + 'static,
{
    pub(super) fn new(
        listener: L,
        handler: H,
        chooser: Chooser,
        troubles: Troubles,
        workers: usize,
        backlog: usize,
    ) -> Intake<L, S, H> {
        let (listener, offers) = (Some(listener), Offers::new(workers));
        Intake { listener, handler, chooser, offers, troubles, backlog, stream: PhantomData }
    }

    /// Takes one connection. An error: what to wait for.
    fn take_one(&mut self, state: &Arc<State>) -> Result<(), Want> {
        let until = self.see_to_offers(state);
        let Some(listener) = &self.listener else { return Err(Want { listen: false, until }) };
        // Ended by the alarm, which rings when a place is given up.
        let choose = || self.offers.choose(state, &self.chooser);
        let Some(place) = state.reserve(choose) else { return Err(Want { listen: false, until }) };
        match self.troubles.take(listener) {
            Taken::Connection(socket, addr) => {
                let worker = place.worker();
                self.chooser.chose(worker);
                let offer = Offer::new(place, socket, addr);
                self.offers.note(state, Arc::clone(&offer), worker, Instant::now());
                connection::send(state, worker, offer, &self.handler);
                Ok(())
            }
            Taken::Nothing => Err(Want { listen: true, until }),
            Taken::Trouble(pause) => {
                let until = [until, Instant::now().checked_add(pause)].into_iter().flatten().min();
                Err(Want { listen: false, until })
            }
        }
    }
}

impl<L, S, H, Fut> Intakes for Intake<L, S, H>
where
    L: Listener,
    S: Stream<Socket = L::Socket>,
    H: Fn(S, L::Addr) -> Fut + Send + Clone + 'static,
    Fut: Future<Output = ()> + 'static,
{
    fn take_all(&mut self, state: &Arc<State>) -> Want {
        while state.is_accepting() && state.pool.shared().is_running() {
            if let Err(want) = self.take_one(state) {
                return want;
            }
        }
        Want { listen: false, until: None }
    }

    fn close(&mut self, state: &Arc<State>) {
        // Clients know these as connected. Bounded, as more may come all the time.
        for _ in 0..self.backlog {
            if state.is_cut_off() || self.take_one(state).is_err() {
                break;
            }
        }
        self.listener = None;
    }

    fn see_to_offers(&mut self, state: &Arc<State>) -> Option<Instant> {
        let send = |worker, offer| connection::send(state, worker, offer, &self.handler);
        self.offers.see_to(state, &mut self.chooser, Instant::now(), send);
        self.offers.deadline()
    }

    fn listener(&self) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().map(L::as_fd)
    }
}

impl<L: Listener, S, H> fmt::Debug for Intake<L, S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("chooser", &self.chooser).finish_non_exhaustive()
    }
}
