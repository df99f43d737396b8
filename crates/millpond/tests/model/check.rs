//! What must be true of each job, and of the receipt, whatever the schedule was.

use crate::trace::{Accepted, Role, Said, State, Trace};
use millpond::Receipt;
use std::{collections::BTreeMap, fmt, sync::Arc};

/// A promise that was not kept.
#[derive(Debug)]
pub(crate) struct Broken(pub(crate) String);

/// The five counts of a receipt.
const COUNTS: [&str; 5] = ["completed", "panicked", "aborted", "cut_off", "never_started"];
const COMPLETED: usize = 0;
const PANICKED: usize = 1;
const ABORTED: usize = 2;
const CUT_OFF: usize = 3;
const NEVER_STARTED: usize = 4;

pub(crate) fn that<W: fmt::Display>(holds: bool, what: impl FnOnce() -> W) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken(what().to_string())) }
}

/// Once the pool has gone and every handle has resolved.
pub(crate) fn all(traces: &[Arc<Trace>], cuts_off: bool, receipt: Option<Receipt>) -> Result<(), Broken> {
    for trace in traces {
        let state = trace.state().clone();
        let job = Finished { trace, state: &state, cuts_off };
        job.check().map_err(|Broken(what)| {
            Broken(format!("job {}: {what}; {:?} {state:?}", trace.id, trace.does))
        })?;
    }
    keys(traces)?;
    locals(traces)?;
    let added_up = receipt.map_or(Ok(()), |receipt| add_up(traces, cuts_off, &receipt));
    added_up.map_err(|Broken(what)| {
        let jobs = traces.iter().map(|trace| format!("\n{} {:?} {:?}", trace.id, trace.does, *trace.state()));
        Broken(format!("{what}{}", jobs.collect::<String>()))
    })
}

/// A job of a pool that has gone.
struct Finished<'a> {
    trace: &'a Trace,
    state: &'a State,
    /// The pool's end may have dropped what had not ended.
    cuts_off: bool,
}

impl Finished<'_> {
    fn check(&self) -> Result<(), Broken> {
        let Finished { trace, state, .. } = self;
        that(state.wrong.is_empty(), || state.wrong.join(", "))?;
        that(state.starts <= 1, || "it ran more than once")?;
        that(!trace.is_alive(), || "something of it is still alive")?;
        if let (Role::On(worker), Some(ran_on)) = (trace.role, state.worker) {
            that(worker == ran_on, || "it ran on another worker than its own")?;
        }
        if let Some(said) = state.said {
            self.check_handle(said)?;
        }
        match state.accepted {
            Accepted::NotSent | Accepted::No => that(state.starts == 0, || "it ran though it was refused"),
            Accepted::Yes => that(!self.counts().is_empty(), || "it was lost"),
            Accepted::Maybe => that(state.starts == 0 || !self.counts().is_empty(), || "it was lost"),
        }
    }

    fn check_handle(&self, said: Said) -> Result<(), Broken> {
        let Finished { trace, state, .. } = self;
        let ended = state.ends > 0;
        match said {
            Said::Value(id) => {
                that(id == trace.id, || "its handle gave another value than it had returned")?;
                that(ended && !state.threw, || "its handle gave a value that it had not returned")
            }
            Said::Panicked(payload, worker) => {
                that(state.threw, || "its handle speaks of a panic that was none")?;
                that(payload == Some(trace.id), || "its handle gave another panic's payload")?;
                that(worker == state.worker, || "its panic is told of another worker")
            }
            Said::Aborted(worker) => {
                self.check_worker(worker)?;
                that(state.abort_called, || "its handle says aborted, and nobody had aborted it")?;
                that(!ended && !state.threw, || "its handle says aborted, and it came to its end")
            }
            Said::Shutdown(worker) => {
                let may = self.cuts_off || trace.role == Role::BlockOn || state.accepted != Accepted::Yes;
                that(may, || "its handle says shutdown, and the pool was drained")?;
                // A closure that blocks is given up, and may go on to any end.
                that(
                    trace.role == Role::Blocking || !ended && !state.threw,
                    || "its handle says shutdown, and it came to its end",
                )?;
                self.check_worker(worker)
            }
            Said::Other => that(false, || "its handle says what no job can end in"),
        }
    }

    /// An error names a worker if the job had started on one, and no other.
    fn check_worker(&self, worker: Option<usize>) -> Result<(), Broken> {
        match self.trace.role {
            // These start with their first poll; to the pool, they have started when they are sent.
            Role::Local => that(self.state.starts == 0 || worker == self.state.worker, || "it ran elsewhere"),
            Role::BlockOn | Role::Blocking => that(worker.is_none(), || "it ran on no worker"),
            Role::Shared | Role::On(_) | Role::Key(_) => that(
                worker == self.state.worker,
                || "its handle says that it had not started, and it ran; or where it had not run",
            ),
        }
    }

    /// The counts of the receipt that may count it.
    fn counts(&self) -> Vec<usize> {
        let Finished { trace, state, .. } = self;
        let mut counts = Vec::new();
        let cut = self.cuts_off || trace.role == Role::BlockOn;
        let started = state.starts > 0;
        if state.threw {
            counts.push(PANICKED);
        } else if state.ends > 0 {
            counts.push(COMPLETED);
        } else if state.abort_called {
            counts.push(ABORTED);
        }
        let over = state.threw || state.ends > 0;
        let is_local = matches!(trace.role, Role::Local | Role::BlockOn);
        let may_be_cut = if started { !over || trace.role == Role::Blocking } else { is_local };
        if cut && may_be_cut {
            counts.push(CUT_OFF);
        }
        if cut && !started {
            counts.push(NEVER_STARTED);
        }
        // The handle and the receipt tell the same.
        counts.retain(|&count| match state.said {
            None | Some(Said::Other) => true,
            Some(Said::Value(_)) => count == COMPLETED,
            Some(Said::Panicked(..)) => count == PANICKED,
            Some(Said::Aborted(_)) => count == ABORTED,
            Some(Said::Shutdown(_)) => count == CUT_OFF || count == NEVER_STARTED,
        });
        counts
    }
}

/// Jobs of one key start on one worker, in the order in which they were sent.
fn keys(traces: &[Arc<Trace>]) -> Result<(), Broken> {
    let mut last: BTreeMap<u8, State> = BTreeMap::new();
    for trace in traces {
        if let (Role::Key(key), state) = (trace.role, trace.state().clone()) {
            if state.starts == 0 {
                continue;
            }
            if let Some(before) = last.get(&key) {
                that(before.worker == state.worker, || format!("key {key} fell to two workers"))?;
                that(before.order < state.order, || format!("jobs of key {key} started out of order"))?;
            }
            last.insert(key, state);
        }
    }
    Ok(())
}

/// What a job runs beside itself stays on its thread.
fn locals(traces: &[Arc<Trace>]) -> Result<(), Broken> {
    for parent in traces {
        let thread = parent.state().thread;
        for (_, child) in parent.children.iter().filter(|(_, child)| child.role == Role::Local) {
            let state = child.state();
            that(state.starts == 0 || state.thread == thread, || {
                format!("job {} left the thread of job {}", child.id, parent.id)
            })?;
        }
    }
    Ok(())
}

fn add_up(traces: &[Arc<Trace>], cuts_off: bool, receipt: &Receipt) -> Result<(), Broken> {
    let mut least = [0; COUNTS.len()];
    let mut most = [0; COUNTS.len()];
    let (mut accepted, mut perhaps) = (0, 0);
    for trace in traces {
        let state = trace.state().clone();
        let counts = Finished { trace, state: &state, cuts_off }.counts();
        // A job that a job had sent, and that nobody has heard of again, may have been refused.
        let unheard = state.starts == 0 && matches!(state.said, None | Some(Said::Shutdown(_)));
        match state.accepted {
            Accepted::NotSent | Accepted::No => continue,
            Accepted::Maybe if unheard => perhaps += 1,
            Accepted::Maybe | Accepted::Yes => {
                accepted += 1;
                if let [count] = counts[..] {
                    least[count] += 1;
                }
            }
        }
        counts.into_iter().for_each(|count| most[count] += 1);
    }
    let told = [receipt.completed, receipt.panicked, receipt.aborted, receipt.cut_off, receipt.never_started];
    for (count, name) in COUNTS.iter().enumerate() {
        let (least, most) = (least[count], most[count]);
        that((least..=most).contains(&told[count]), || {
            format!(
                "the receipt counts {} as {name}, which are from {least} to {most}: {receipt:?}",
                told[count]
            )
        })?;
    }
    that((accepted..=accepted + perhaps).contains(&receipt.accepted()), || {
        format!("the receipt adds up to another number than the {accepted} that were accepted: {receipt:?}")
    })
}
