//! The plain model: a ticket for each job, and what must be true of all tickets when their pool has gone.

use crate::watch;
use millpond::{JoinError, Receipt};
use parking_lot::Mutex;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicU8, AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    thread::{self, ThreadId},
    time::Duration,
};

/// All jobs of one round, in the order in which they were thought of.
#[derive(Default)]
pub(crate) struct Ledger {
    tickets: Mutex<Vec<Arc<Ticket>>>,
    /// What must not be, seen where it happened.
    wrong: Mutex<Vec<String>>,
}

/// One job. Written where it is sent, where it runs and where its handle resolves.
pub(crate) struct Ticket {
    id: usize,
    pub(crate) kind: &'static str,
    /// A closure of `spawn_blocking`, which a cut-off gives up and does not end.
    is_blocking: bool,
    accepted: AtomicU8,
    abort_called: AtomicBool,
    starts: AtomicUsize,
    ends: AtomicUsize,
    threw: AtomicBool,
    /// Closures and futures of this job that have not been dropped.
    alive: AtomicUsize,
    said: AtomicU8,
}

/// Whether the pool took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Accepted {
    NotSent,
    /// Sent in a way that does not say, while the pool may have been ending.
    Maybe,
    Yes,
    No,
}

/// What its handle said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Said {
    Nothing,
    Value,
    Panicked,
    Aborted,
    /// It had not started.
    ShutdownBefore,
    Shutdown,
    Other,
}

/// Counts a part of a job while it lives.
pub(crate) struct Alive(Arc<Ticket>);

/// Sees that a future is dropped where it was made.
pub(crate) struct Home {
    ledger: Arc<Ledger>,
    ticket: Arc<Ticket>,
    thread: ThreadId,
}

impl Ledger {
    pub(crate) fn ticket(&self, kind: &'static str, is_blocking: bool) -> Arc<Ticket> {
        let mut tickets = self.tickets.lock();
        let ticket = Arc::new(Ticket {
            id: tickets.len(),
            kind,
            is_blocking,
            accepted: AtomicU8::new(Accepted::NotSent as u8),
            abort_called: AtomicBool::new(false),
            starts: AtomicUsize::new(0),
            ends: AtomicUsize::new(0),
            threw: AtomicBool::new(false),
            alive: AtomicUsize::new(0),
            said: AtomicU8::new(Said::Nothing as u8),
        });
        tickets.push(Arc::clone(&ticket));
        ticket
    }

    pub(crate) fn wrong(&self, what: impl Into<String>) {
        self.wrong.lock().push(what.into());
    }

    /// How many jobs there were.
    pub(crate) fn len(&self) -> usize {
        self.tickets.lock().len()
    }

    /// Jobs whose parts are alive or whose handles wait, for a dump.
    pub(crate) fn unfinished(&self) -> Vec<String> {
        let tickets = self.tickets.lock();
        let open = tickets.iter().filter(|ticket| ticket.alive.load(SeqCst) > 0);
        open.map(|ticket| format!("{ticket:?}")).collect()
    }

    /// Once the pool has gone and every handle that was kept has resolved. `ends_late`: one of its workers has not been
    /// waited for.
    pub(crate) fn check(&self, cut_off: bool, ends_late: bool, receipt: Option<Receipt>) -> Vec<String> {
        let tickets = self.tickets.lock();
        // A closure that was given up ends by itself; the watchdog sees to it that it does.
        while tickets.iter().any(|ticket| (ends_late || ticket.is_blocking) && ticket.alive.load(SeqCst) > 0)
        {
            thread::sleep(Duration::from_millis(1));
        }
        let mut wrong = std::mem::take(&mut *self.wrong.lock());
        for ticket in tickets.iter() {
            wrong.extend(ticket.check(cut_off).map(|what| format!("{ticket:?}: {what}")));
        }
        if let Some(receipt) = receipt {
            wrong.extend(add_up(&tickets, &receipt));
        }
        wrong
    }
}

/// The receipt adds up to what was accepted, and the jobs that came to an end are counted as that.
fn add_up(tickets: &[Arc<Ticket>], receipt: &Receipt) -> Option<String> {
    let count = |is: &dyn Fn(&Ticket) -> bool| tickets.iter().filter(|ticket| is(ticket)).count() as u64;
    let maybe = |ticket: &Ticket| ticket.accepted() == Accepted::Maybe;
    // A job that a shutdown came before, or that nobody has heard of, may have been refused.
    let unheard = |ticket: &Ticket| {
        let said = ticket.said();
        ticket.starts() == 0 && matches!(said, Said::Nothing | Said::ShutdownBefore | Said::Shutdown)
    };
    let sure = count(&|ticket| ticket.accepted() == Accepted::Yes || maybe(ticket) && !unheard(ticket));
    let perhaps = count(&|ticket| maybe(ticket) && unheard(ticket));
    let ended = |ticket: &Ticket| ticket.ends.load(SeqCst) > 0 && !ticket.threw.load(SeqCst);
    let (on_workers, blocking) = (
        count(&|ticket| ended(ticket) && !ticket.is_blocking),
        count(&|ticket| ended(ticket) && ticket.is_blocking),
    );
    let threw = |ticket: &Ticket| ticket.threw.load(SeqCst);
    let (threw_on_workers, threw_blocking) = (
        count(&|ticket| threw(ticket) && !ticket.is_blocking),
        count(&|ticket| threw(ticket) && ticket.is_blocking),
    );
    let fits = (sure..=sure + perhaps).contains(&receipt.accepted())
        && (on_workers..=on_workers + blocking).contains(&receipt.completed)
        && (threw_on_workers..=threw_on_workers + threw_blocking).contains(&receipt.panicked);
    (!fits).then(|| {
        format!(
            "{receipt:?} adds up to {}, and {sure} were accepted and perhaps {perhaps} more; {on_workers} and perhaps \
             {blocking} more completed, {threw_on_workers} and perhaps {threw_blocking} more panicked",
            receipt.accepted()
        )
    })
}

impl Ticket {
    fn accepted(&self) -> Accepted {
        match self.accepted.load(SeqCst) {
            0 => Accepted::NotSent,
            1 => Accepted::Maybe,
            2 => Accepted::Yes,
            _ => Accepted::No,
        }
    }

    fn said(&self) -> Said {
        let all =
            [Said::Nothing, Said::Value, Said::Panicked, Said::Aborted, Said::ShutdownBefore, Said::Shutdown];
        all.into_iter().find(|said| *said as u8 == self.said.load(SeqCst)).unwrap_or(Said::Other)
    }

    fn starts(&self) -> usize {
        self.starts.load(SeqCst)
    }

    pub(crate) fn id(&self) -> usize {
        self.id
    }

    pub(crate) fn set_accepted(&self, accepted: Accepted) {
        self.accepted.store(accepted as u8, SeqCst);
    }

    /// Before the abort itself, whose effects may be seen at once.
    pub(crate) fn will_be_aborted(&self) {
        self.abort_called.store(true, SeqCst);
    }

    pub(crate) fn start(&self) {
        self.starts.fetch_add(1, SeqCst);
        watch::moved();
    }

    pub(crate) fn end(&self) {
        self.ends.fetch_add(1, SeqCst);
        watch::moved();
    }

    /// Panics without the panic hook's words.
    pub(crate) fn throw(&self) -> ! {
        self.threw.store(true, SeqCst);
        watch::moved();
        std::panic::resume_unwind(Box::new(self.id))
    }

    /// Its handle has resolved.
    pub(crate) fn say(&self, result: Result<usize, JoinError>) {
        let said = match result {
            Ok(id) if id == self.id => Said::Value,
            Ok(_) => Said::Other,
            Err(error) if error.is_aborted() => Said::Aborted,
            Err(error) if error.is_shutdown() && error.worker().is_none() => Said::ShutdownBefore,
            Err(error) if error.is_shutdown() => Said::Shutdown,
            Err(error) if error.is_panic() => match error.into_panic().downcast_ref::<usize>() {
                Some(id) if *id == self.id => Said::Panicked,
                _ => Said::Other,
            },
            Err(_) => Said::Other,
        };
        self.said.store(said as u8, SeqCst);
        watch::moved();
    }

    fn check(&self, cut_off: bool) -> Option<&'static str> {
        let (starts, ends) = (self.starts(), self.ends.load(SeqCst));
        let (threw, aborted) = (self.threw.load(SeqCst), self.abort_called.load(SeqCst));
        let over = ends > 0 || threw;
        let refused = matches!(self.accepted(), Accepted::NotSent | Accepted::No);
        if starts > 1 || ends > 1 {
            return Some("it ran more than once");
        }
        if self.alive.load(SeqCst) > 0 {
            return Some("something of it is still alive");
        }
        if refused && starts > 0 {
            return Some("it ran though it was refused");
        }
        let is_lost = !over && !aborted && !cut_off && (starts > 0 || self.accepted() == Accepted::Yes);
        if is_lost {
            return Some("it was lost");
        }
        let holds = match self.said() {
            Said::Nothing => true,
            Said::Value => ends == 1 && !threw,
            Said::Panicked => threw,
            Said::Aborted => aborted && !over,
            // A closure that blocks may go on to any end.
            Said::ShutdownBefore => self.is_blocking || starts == 0,
            // A `spawn_local` that is refused names the worker that it would have run on.
            Said::Shutdown => !over && (cut_off || starts == 0 && self.accepted() == Accepted::Maybe),
            Said::Other => false,
        };
        (!holds).then_some("its handle did not tell the truth")
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("accepted", &self.accepted())
            .field("abort_called", &self.abort_called.load(Relaxed))
            .field("starts", &self.starts())
            .field("ends", &self.ends.load(Relaxed))
            .field("threw", &self.threw.load(Relaxed))
            .field("alive", &self.alive.load(Relaxed))
            .field("said", &self.said())
            .finish()
    }
}

impl Alive {
    pub(crate) fn new(ticket: &Arc<Ticket>) -> Alive {
        ticket.alive.fetch_add(1, SeqCst);
        Alive(Arc::clone(ticket))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, SeqCst);
    }
}

impl Home {
    pub(crate) fn here(ledger: &Arc<Ledger>, ticket: &Arc<Ticket>) -> Home {
        Home { ledger: Arc::clone(ledger), ticket: Arc::clone(ticket), thread: thread::current().id() }
    }

    pub(crate) fn check(&self, how: &str) {
        if thread::current().id() != self.thread {
            self.ledger.wrong(format!("{:?} {how} on another thread than it was made on", self.ticket));
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.check("was dropped");
    }
}
