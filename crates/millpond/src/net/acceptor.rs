//! The thread of one server: it accepts, and it sees to the server's end.
//!
//! It is no worker, so no handler can hold it up; and it hands everything on at once, so it holds up nobody.

use super::{
    intake::{Intakes, Want},
    state::State,
};
use crate::{JoinHandle, channel::Sender, cpus, shared::Watched};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fd::OwnedFd,
};
use std::{
    convert::Infallible,
    io,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

/// What the kernel shows of it, in 15 bytes.
const THREAD_NAME: &str = "millpond-accept";

/// All that the thread has.
pub(super) struct Acceptor {
    pub(super) state: Arc<State>,
    /// `None` where the workers themselves accept, in `loops`.
    pub(super) intake: Option<Box<dyn Intakes>>,
    pub(super) loops: Vec<JoinHandle<()>>,
    /// To wait for the alarm with.
    pub(super) alarm: OwnedFd,
    pub(super) idle_shutdown: Option<Duration>,
    /// Has the end of the pool ring the alarm.
    pub(super) _watched: Watched,
    /// Its drop tells that the server has ended. The last field: all else has been dropped by then.
    pub(super) _ended: Sender<Infallible>,
}

/// Starts the thread. What is sent by then, it runs.
pub(super) fn start() -> io::Result<(mpsc::Sender<Acceptor>, thread::JoinHandle<()>)> {
    let (acceptors, inbox) = mpsc::channel::<Acceptor>();
    let thread = thread::Builder::new().name(THREAD_NAME.to_owned()).spawn(move || {
        // Ended by the one message, or by the drop of the sender.
        if let Ok(acceptor) = inbox.recv() {
            acceptor.run();
        }
    })?;
    Ok((acceptors, thread))
}

impl Acceptor {
    fn run(mut self) {
        // Should anything here panic, no connection is left without an end, and whoever waits is told.
        let _on_panic = CutOffOnPanic(Arc::clone(&self.state));
        self.leave_the_workers_cpu();
        while self.state.is_accepting() {
            let idle_until = match self.idle_until() {
                Ok(idle_until) => idle_until,
                Err(IdleForLong) => {
                    self.state.stop(None);
                    break;
                }
            };
            if !self.state.pool.shared().is_running() {
                self.state.stop(None);
                break;
            }
            let want = match &mut self.intake {
                Some(intake) => intake.take_all(&self.state),
                None => Want { listen: false, until: None },
            };
            if self.state.is_accepting() {
                self.wait(Want { until: sooner(want.until, idle_until), ..want });
            }
        }
        if let Some(intake) = &mut self.intake {
            intake.close(&self.state);
        }
        self.see_to_the_end();
    }

    /// A server made in a job would else stay on that worker's CPU, and wait for it.
    fn leave_the_workers_cpu(&self) {
        if let Some(allowance) = &self.state.pool.shared().allowance {
            // Refused, it runs where it is.
            let _ = cpus::pin_current_thread(&allowance.cpus);
        }
    }

    /// When to look whether nobody has been connected for as long as is allowed.
    fn idle_until(&self) -> Result<Option<Instant>, IdleForLong> {
        let Some(limit) = self.idle_shutdown else { return Ok(None) };
        let idle = self.state.idle().unwrap_or_default();
        let left = limit.checked_sub(idle).filter(|left| !left.is_zero()).ok_or(IdleForLong)?;
        Ok(Instant::now().checked_add(left))
    }

    /// Waits until every connection has ended, and cuts off those that are left at the deadline.
    fn see_to_the_end(&mut self) {
        self.wait_until_empty();
        for accepts in self.loops.drain(..) {
            // Ended by the stop, which the loop's bell tells; or by the end of the pool.
            let _ = accepts.join();
        }
        // A loop that was late to hear of the stop may have taken some more.
        self.wait_until_empty();
    }

    fn wait_until_empty(&mut self) {
        while !self.state.room.is_empty_at_the_end() {
            let is_due = self.state.deadline().is_some_and(|deadline| deadline <= Instant::now());
            if is_due && !self.state.is_cut_off() {
                self.state.cut_off();
            }
            let mut until = self.intake.as_mut().and_then(|intake| intake.see_to_offers(&self.state));
            if !self.state.is_cut_off() {
                until = sooner(until, self.state.deadline());
            }
            if !self.state.room.is_empty_at_the_end() {
                self.wait(Want { listen: false, until });
            }
        }
    }

    /// Waits for what is wanted, or for the alarm.
    fn wait(&self, want: Want) {
        let listener = self.intake.as_ref().and_then(|intake| intake.listener()).filter(|_| want.listen);
        let mut fds = vec![PollFd::new(&self.alarm, PollFlags::IN)];
        fds.extend(listener.as_ref().map(|listener| PollFd::new(listener, PollFlags::IN)));
        let timeout = want.until.map(|until| timespec(until.saturating_duration_since(Instant::now())));
        // Ended by a connection, by the time, or by the alarm: which stays set until it is cleared below, so what was written
        // before it rang is seen by the next look. A signal ends it too, and an error would be one of memory: look again.
        let _ = poll(&mut fds, timeout.as_ref());
        if !fds[0].revents().is_empty() {
            self.state.alarm.clear();
        }
    }
}

struct CutOffOnPanic(Arc<State>);

impl Drop for CutOffOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.cut_off();
        }
    }
}

/// No connection has been open for as long as `idle_shutdown` says.
struct IdleForLong;

fn sooner(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

fn timespec(duration: Duration) -> Timespec {
    // Further away than a clock can count is for ever.
    Timespec::try_from(duration).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 })
}
