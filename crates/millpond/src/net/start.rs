//! The start of a server: all that it needs, or nothing.

use super::{
    Balance, Listener, Server, ServerBuilder, Stopping, Stream,
    accept_loop::AcceptLoop,
    acceptor::{self, Acceptor},
    balance::Chooser,
    builder::system,
    error::Refusal,
    intake::{Intake, Intakes},
    room::Room,
    state::State,
    take::Troubles,
};
use crate::{
    Handle, JoinHandle,
    channel::{self, Receiver},
};
use rustix::fd::OwnedFd;
use std::{
    future::Future,
    iter,
    marker::PhantomData,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

/// A server that has all it needs, and does nothing yet. Dropped, it gives all of it back.
pub(super) struct Prepared<L: Listener> {
    balance: Balance,
    troubles: Troubles,
    idle_shutdown: Option<Duration>,
    backlog: usize,
    /// The listeners of all workers but the first, where each has one.
    others: Vec<L>,
    local_addr: L::Addr,
    stopping: Stopping,
    state: Arc<State>,
    /// As many as accept loops on workers.
    bells: Vec<Receiver<()>>,
    alarm: OwnedFd,
    acceptors: mpsc::Sender<Acceptor>,
    thread: thread::JoinHandle<()>,
}

impl<L: Listener> Prepared<L> {
    /// All that may fail.
    pub(super) fn new<S>(builder: ServerBuilder, pool: Handle, listener: &L) -> Result<Prepared<L>, Refusal>
    where
        S: Stream<Socket = L::Socket>,
    {
        builder.check::<L, S>(&pool)?;
        let backlog = builder.set_up(listener)?;
        let shares_port = builder.balance == Balance::ReusePort;
        let workers = pool.workers().len();
        let others = if shares_port {
            let others = listener.share_port(workers - 1, backlog).map_err(system("balance"))?;
            others.iter().try_for_each(|other| builder.set_socket(other))?;
            others
        } else {
            Vec::new()
        };
        let local_addr = listener.local_addr().map_err(|error| Refusal::no_room("address", error))?;
        let stopping = builder.stopping();
        let loops = if shares_port { workers } else { 0 };
        let room = Room::new(builder.max_connections, builder.max_connections_per_worker, workers);
        let notes_time = builder.idle_shutdown.is_some();
        let (state, bells) = State::new(pool, room, notes_time, builder.stop.0, loops)
            .map_err(|error| Refusal::no_room("eventfd", error))?;
        let alarm = state.alarm.duplicate().map_err(|error| Refusal::no_room("eventfd", error))?;
        let (acceptors, thread) = acceptor::start().map_err(|error| Refusal::no_room("thread", error))?;
        Ok(Prepared {
            balance: builder.balance,
            troubles: Troubles::new(builder.on_accept_error),
            idle_shutdown: builder.idle_shutdown,
            // Positive, as was checked.
            backlog: usize::try_from(backlog).unwrap_or_default(),
            others,
            local_addr,
            stopping,
            state,
            bells,
            alarm,
            acceptors,
            thread,
        })
    }

    /// Nothing of this can fail.
    pub(super) fn start<S, H, Fut>(mut self, listener: L, handler: H) -> Server<L::Addr>
    where
        S: Stream<Socket = L::Socket>,
        H: Fn(S, L::Addr) -> Fut + Send + Clone + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        let (intake, loops) = if self.balance == Balance::ReusePort {
            (None, self.start_loops::<S, H, Fut>(listener, handler))
        } else {
            let (chooser, workers) = (Chooser::new(self.balance), self.state.workers());
            let intake =
                Intake::<L, S, H>::new(listener, handler, chooser, self.troubles, workers, self.backlog);
            (Some(Box::new(intake) as Box<dyn Intakes>), Vec::new())
        };
        let (tells_end, ended) = channel::unbounded();
        let watched = self.state.pool.shared().watch(Arc::clone(&self.state.alarm) as _);
        let acceptor = Acceptor {
            state: Arc::clone(&self.state),
            intake,
            loops,
            alarm: self.alarm,
            idle_shutdown: self.idle_shutdown,
            _watched: watched,
            _ended: tells_end,
        };
        // The thread waits for just this.
        let _ = self.acceptors.send(acceptor);
        Server::from_parts(self.state, self.local_addr, self.stopping, ended, self.thread)
    }

    fn start_loops<S, H, Fut>(&mut self, listener: L, handler: H) -> Vec<JoinHandle<()>>
    where
        S: Stream<Socket = L::Socket>,
        H: Fn(S, L::Addr) -> Fut + Send + Clone + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        let listeners = iter::once(listener).chain(self.others.drain(..));
        let on_worker = |(worker, (listener, bell))| {
            let accepts = AcceptLoop {
                state: Arc::clone(&self.state),
                worker,
                listener,
                handler: handler.clone(),
                troubles: self.troubles.clone(),
                backlog: self.backlog,
                bell,
                stream: PhantomData::<fn() -> S>,
            };
            self.state.send(worker, move |listed| async move {
                let _listed = listed;
                // Ends with the server.
                accepts.run().await;
            })
        };
        listeners.zip(self.bells.drain(..)).enumerate().map(on_worker).collect()
    }
}
