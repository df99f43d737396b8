//! The loop of one worker that accepts from a listener of its own (`Balance::ReusePort`).

use super::{
    Listener, Stream,
    connection::{self, Offer},
    state::State,
    take::{FIRST_PAUSE, Taken, Troubles},
};
use crate::{channel::Receiver, time, yield_now::yield_now};
use rustix::io::ioctl_fionbio;
use std::{
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

/// Connections that one worker takes in a row before others have their turn: some hundred microseconds' worth.
const MOST_IN_A_ROW: usize = 16;

/// One worker's listener, and what it does with connections.
pub(super) struct AcceptLoop<L, S, H> {
    pub(super) state: Arc<State>,
    pub(super) worker: usize,
    pub(super) listener: L,
    pub(super) handler: H,
    pub(super) troubles: Troubles,
    /// What the kernel may hold when the server stops.
    pub(super) backlog: usize,
    /// Brings word that there may be room, and ends when the server stops.
    pub(super) bell: Receiver<()>,
    pub(super) stream: PhantomData<fn() -> S>,
}

/// What a loop waits for next.
enum Next {
    /// Nothing: it took a connection.
    Go,
    Connection,
    Room,
    Pause(Duration),
}

impl<L, S, H, Fut> AcceptLoop<L, S, H>
where
    L: Listener,
    S: Stream<Socket = L::Socket>,
    H: Fn(S, L::Addr) -> Fut + Send + Clone + 'static,
    Fut: Future<Output = ()> + 'static,
{
    /// Ends when the server stops accepting, and closes the listener with that.
    pub(super) async fn run(mut self) {
        let mut waiting = None;
        let mut in_a_row = 0;
        while self.state.is_accepting() {
            match self.take_one() {
                Next::Go => {
                    in_a_row += 1;
                    if in_a_row % MOST_IN_A_ROW == 0 {
                        yield_now().await;
                    }
                }
                Next::Room => {
                    // Ended when a place is given up, which rings, or by the stop, which ends the channel.
                    self.bell.recv().await;
                }
                Next::Connection => match self.dressed(&mut waiting) {
                    // Ended by the driver, when a connection comes; or by the bell.
                    Ok(waiting) => first_of(readable(waiting), self.bell.recv()).await,
                    // Ended by the timer or by the bell.
                    Err(pause) => first_of(time::sleep(pause), self.bell.recv()).await,
                },
                // As above.
                Next::Pause(pause) => first_of(time::sleep(pause), self.bell.recv()).await,
            }
        }
        // Clients know these as connected. Bounded, as more may come all the time.
        for taken in 1..=self.backlog {
            if self.state.is_cut_off() || !matches!(self.take_one(), Next::Go) {
                break;
            }
            if taken % MOST_IN_A_ROW == 0 {
                yield_now().await;
            }
        }
    }

    fn take_one(&mut self) -> Next {
        let (state, worker) = (&self.state, self.worker);
        let Some(place) = state.reserve(|| state.room.on(worker).map(|_| worker)) else { return Next::Room };
        match self.troubles.take(&self.listener) {
            Taken::Connection(socket, addr) => {
                let offer = Offer::<L>::new(place, socket, addr);
                connection::send(state, worker, offer, &self.handler);
                Next::Go
            }
            Taken::Nothing => Next::Connection,
            Taken::Trouble(pause) => Next::Pause(pause),
        }
    }

    /// The listener dressed as a stream, because that is what a driver can wait for. Too few descriptors are an error like
    /// those of an accept.
    fn dressed<'a>(&mut self, waiting: &'a mut Option<S>) -> Result<&'a S, Duration> {
        if waiting.is_none() {
            let dressed = self.listener.as_fd().try_clone_to_owned();
            let dressed = dressed.and_then(|fd| S::from_std(fd.into(), self.state.driver()));
            // It is the listener's own mode as well, which making the stream may have changed.
            let dressed = dressed
                .and_then(|stream| ioctl_fionbio(&self.listener, true).map(|()| stream).map_err(Into::into));
            *waiting = Some(dressed.map_err(|error| self.troubles.meet(&error))?);
        }
        Ok(waiting.as_ref().expect("just made"))
    }
}

/// Waits for the driver's word. An error that stays is not asked for in a loop without a pause.
async fn readable<S: Stream>(waiting: &S) {
    // Ended by the driver.
    if waiting.readable().await.is_err() {
        // Ended by the timer.
        time::sleep(FIRST_PAUSE).await;
    }
}

/// Waits for the first of two, and drops the other.
async fn first_of(one: impl Future, other: impl Future) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    // Ended by either: both have this task's waker from each poll.
    poll_fn(|cx| {
        let ready = one.as_mut().poll(cx).is_ready() || other.as_mut().poll(cx).is_ready();
        if ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
