//! Does a case's operations to a pool, and keeps the plain model of what must be true after each.

use crate::{
    check::{self, Broken},
    common::poll_once,
    job::Job,
    op::{BlockingBody, Body, Case, ChildWay, Ending, Op, Pick, Way, Work},
    sut::{Fault, Refused, Submit, Sut},
    trace::{Accepted, Does, Output, Role, Said, Trace, World},
};
use millpond::{AbortHandle, Driver, JoinHandle, Pin, Pool, Receipt};
use std::{sync::Arc, task::Poll, thread, time::Duration};

/// One case under way.
pub(crate) struct Drive {
    capacity: usize,
    sut: Sut,
    stage: Stage,
    cuts_off: bool,
    world: Arc<World>,
    /// Every job, in the order in which they were thought of; a job that was sent comes before what it sends.
    traces: Vec<Arc<Trace>>,
    handles: Vec<(Arc<Trace>, JoinHandle<Output>)>,
    abort_handles: Vec<(Arc<Trace>, AbortHandle)>,
    /// Those that wait for room, in the order of their first polls.
    submits: Vec<(Arc<Trace>, Submit)>,
    /// Jobs that came into the shared queue since all workers are held up: nothing can have taken them.
    stuck: Vec<Arc<Trace>>,
}

enum Stage {
    Running(Pool),
    Ending(std::pin::Pin<Box<dyn Future<Output = Receipt>>>),
    /// With a receipt, unless the pool was dropped.
    Ended(Option<Receipt>),
}

/// Runs a case from start to end. `say` is told each operation before it is done.
pub(crate) fn run(case: &Case, fault: Fault, say: &dyn Fn(String)) -> Result<(), Broken> {
    let mut drive = Drive::start(case, fault);
    for op in &case.ops {
        say(format!("{op:?}"));
        drive.apply(op)?;
    }
    say(format!("the end, by {:?}", case.ending));
    drive.finish(case.ending)
}

impl Drive {
    fn start(case: &Case, fault: Fault) -> Drive {
        let driver = if case.epoll { Driver::Epoll } else { Driver::Auto };
        let builder = Pool::builder().worker_threads(case.workers).queue_capacity(case.capacity);
        let (pool, sut) = Sut::start(builder.pin(Pin::None).driver(driver), fault);
        Drive {
            capacity: case.capacity,
            sut,
            stage: Stage::Running(pool),
            cuts_off: false,
            world: Arc::default(),
            traces: Vec::new(),
            handles: Vec::new(),
            abort_handles: Vec::new(),
            submits: Vec::new(),
            stuck: Vec::new(),
        }
    }

    fn apply(&mut self, op: &Op) -> Result<(), Broken> {
        match op {
            Op::Send(way, work) => self.send(*way, work)?,
            Op::Submit(work) => self.submit(work)?,
            Op::PollSubmit(pick) => {
                if let Some(index) = nth(*pick, self.submits.len()) {
                    self.poll_submit(index)?;
                }
            }
            Op::DropSubmit(pick) => {
                if let Some(index) = nth(*pick, self.submits.len()) {
                    let (trace, submit) = self.submits.remove(index);
                    drop(submit);
                    trace.state().accepted = Accepted::No;
                }
            }
            Op::Broadcast(body) => self.broadcast(*body)?,
            Op::Blocking(body) => {
                let trace = self.trace(Role::Blocking, Does::Blocking(*body), vec![], false);
                let handle = self.sut.blocking(Job::new(&trace));
                self.sent(trace, handle, false)?;
            }
            Op::BlockOn(bodies) => self.block_on(bodies),
            Op::HoldWorkers => self.hold_workers()?,
            Op::Release(pick) => {
                let gated: Vec<_> = self.traces.iter().filter(|trace| is_gated(trace)).collect();
                if let Some(index) = nth(*pick, gated.len()) {
                    gated[index].gate.release();
                }
                self.stuck.clear();
            }
            Op::ReleaseAll => self.release_all(),
            Op::Wake(pick) => {
                if let Some(index) = nth(*pick, self.traces.len()) {
                    self.traces[index].gate.wake();
                }
            }
            Op::Abort(pick) => {
                if let Some(index) = nth(*pick, self.handles.len()) {
                    let (trace, handle) = &self.handles[index];
                    let (trace, handle) = (Arc::clone(trace), handle.abort_handle());
                    self.abort(&trace, &handle)?;
                }
            }
            Op::KeepAbortHandle(pick) => {
                if let Some(index) = nth(*pick, self.handles.len()) {
                    let (trace, handle) = &self.handles[index];
                    self.abort_handles.push((Arc::clone(trace), handle.abort_handle()));
                }
            }
            Op::AbortByHandle(pick) => {
                if let Some(index) = nth(*pick, self.abort_handles.len()) {
                    let (trace, handle) = self.abort_handles[index].clone();
                    self.abort(&trace, &handle)?;
                }
            }
            Op::DropHandle(pick) => {
                if let Some(index) = nth(*pick, self.handles.len()) {
                    drop(self.handles.remove(index));
                }
            }
            Op::PollHandle(pick) => {
                if let Some(index) = nth(*pick, self.handles.len()) {
                    self.poll_handle(index);
                }
            }
            Op::Join(pick) => {
                if let Some(index) = nth(*pick, self.handles.len()) {
                    self.release_all();
                    let (trace, handle) = self.handles.remove(index);
                    // Ended by the job, which nothing holds up any more.
                    trace.say(handle.join());
                }
            }
            Op::Shutdown(ending) => self.shut_down(*ending),
        }
        Ok(())
    }

    fn trace(
        &mut self,
        role: Role,
        does: Does,
        children: Vec<(ChildWay, Arc<Trace>)>,
        awaits: bool,
    ) -> Arc<Trace> {
        let trace = Trace::new(&self.world, self.traces.len(), role, does, children, awaits);
        self.traces.push(Arc::clone(&trace));
        trace
    }

    fn work(&mut self, role: Role, work: &Work) -> Job {
        let workers = self.workers();
        let child = |(way, body): &(ChildWay, Body)| {
            let role = match way {
                ChildWay::Spawn | ChildWay::TrySpawn => Role::Shared,
                ChildWay::On(pick) => Role::On(usize::from(*pick) % workers),
                ChildWay::Local => Role::Local,
            };
            (*way, self.trace(role, Does::Task(*body), vec![], false))
        };
        let children = work.children.iter().map(child).collect();
        Job::new(&self.trace(role, Does::Task(work.body), children, work.awaits_children))
    }

    fn send(&mut self, way: Way, work: &Work) -> Result<(), Broken> {
        let role = match way {
            Way::Spawn | Way::TrySpawn | Way::TrySpawnOrSpawn => Role::Shared,
            Way::On(pick) => Role::On(usize::from(pick) % self.workers()),
            Way::Key(key) => Role::Key(key),
        };
        let (can_be_full, must_be_full) = (self.can_be_full(), self.must_be_full());
        let job = self.work(role, work);
        let trace = Arc::clone(&job.trace);
        let is_stuck = self.all_workers_are_held();
        match self.sut.send(way, job) {
            Ok(handle) => {
                let tried = matches!(way, Way::TrySpawn);
                check::that(!(tried && must_be_full), || "try_spawn took a job into a full queue")?;
                check::that(!tried || self.is_running(), || "try_spawn took a job after the end began")?;
                self.sent(trace, handle, is_stuck)
            }
            Err(Refused::Full) => {
                trace.state().accepted = Accepted::No;
                check::that(self.is_running(), || "a pool that ends is closed, not full")?;
                check::that(can_be_full, || "try_spawn found a queue full that cannot be")
            }
            Err(Refused::Closed) => {
                trace.state().accepted = Accepted::No;
                check::that(!self.is_running(), || "try_spawn found a running pool closed")
            }
        }
    }

    /// A job is on its way, and this is its handle. `is_stuck`: all workers were held up before.
    fn sent(&mut self, trace: Arc<Trace>, handle: JoinHandle<Output>, is_stuck: bool) -> Result<(), Broken> {
        if self.is_running() {
            trace.state().accepted = Accepted::Yes;
            if trace.role == Role::Shared && is_stuck {
                self.stuck.push(Arc::clone(&trace));
            }
        } else {
            trace.state().accepted = Accepted::No;
            check::that(handle.is_finished(), || "a spawn after the end began resolves at once")?;
        }
        self.handles.push((trace, handle));
        Ok(())
    }

    fn submit(&mut self, work: &Work) -> Result<(), Broken> {
        let job = self.work(Role::Shared, work);
        let trace = Arc::clone(&job.trace);
        let submit = self.sut.submit(job);
        self.submits.push((trace, submit));
        let must_be_full = self.must_be_full();
        let waiting = self.submits.len();
        self.poll_submit(waiting - 1)?;
        check::that(!must_be_full || self.submits.len() == waiting, || "submit put a job into a full queue")
    }

    /// Polls one that waits for room. If it has got it, those that waited longer have too.
    fn poll_submit(&mut self, index: usize) -> Result<(), Broken> {
        // It waits among those that wait for room itself.
        let can_be_full = self.may_wait() + self.submits.len() > self.capacity;
        let is_stuck = self.all_workers_are_held();
        match poll_once(self.submits[index].1.as_mut()) {
            Poll::Pending => {
                check::that(self.is_running(), || "submit waits for a pool that ends")?;
                check::that(can_be_full, || "submit waits though there is room")
            }
            Poll::Ready(Err(_)) => {
                self.submits.remove(index).0.state().accepted = Accepted::No;
                check::that(!self.is_running(), || "submit found a running pool closed")
            }
            Poll::Ready(Ok(handle)) => {
                check::that(self.is_running(), || "submit took a job after the end began")?;
                let (trace, _) = self.submits.remove(index);
                self.sent(trace, handle, is_stuck)?;
                for _ in 0..index {
                    let waited = self.submits.len();
                    self.poll_submit(0)?;
                    check::that(self.submits.len() < waited, || "submit served one that came later first")?;
                }
                Ok(())
            }
        }
    }

    fn broadcast(&mut self, body: Body) -> Result<(), Broken> {
        let traces: Vec<_> = (0..self.workers())
            .map(|worker| self.trace(Role::On(worker), Does::Task(body), vec![], false))
            .collect();
        let jobs = traces.clone();
        let results =
            self.sut.handle.broadcast(move |worker| Job::new(&jobs[worker.index()]).call()).into_handles();
        for (trace, handle) in traces.into_iter().zip(results) {
            self.sent(trace, handle, false)?;
        }
        Ok(())
    }

    fn block_on(&mut self, bodies: &[Body]) {
        if !self.is_running() {
            return;
        }
        let make = |body: &Body| self.trace(Role::BlockOn, Does::Task(*body), vec![], false);
        let traces: Vec<_> = bodies.iter().map(make).collect();
        let Stage::Running(pool) = &self.stage else { unreachable!("looked at above") };
        pool.block_on(async {
            for trace in &traces {
                trace.state().accepted = Accepted::Yes;
            }
            let sent = |trace| millpond::spawn_local(Job::new(trace).local());
            let handles: Vec<_> = traces.iter().map(|trace| (trace, sent(trace))).collect();
            for (trace, handle) in handles {
                if trace.does != Does::Task(Body::Wait) {
                    // Ended by the job beside this one, which waits for nothing.
                    trace.say(handle.await);
                }
            }
        });
    }

    /// Sends to each worker that is not held up a job that holds it, and waits for its start.
    fn hold_workers(&mut self) -> Result<(), Broken> {
        if !self.is_running() {
            return Ok(());
        }
        for worker in 0..self.workers() {
            let trace = self.trace(Role::On(worker), Does::Task(Body::Hold), vec![], false);
            let handle = self.sut.spawn_on(worker, Job::new(&trace));
            self.sent(trace, handle, false)?;
        }
        // Ended by the start of each such job, or of another that holds its worker.
        self.world.wait_until(|| self.all_workers_are_held());
        Ok(())
    }

    fn abort(&mut self, trace: &Arc<Trace>, handle: &AbortHandle) -> Result<(), Broken> {
        // Before the call: what comes of it may be seen at once.
        trace.state().abort_called = true;
        let must_be_called_off =
            self.all_workers_are_held() && self.stuck.iter().any(|stuck| Arc::ptr_eq(stuck, trace));
        self.sut.abort(handle, trace);
        if must_be_called_off {
            check::that(handle.is_finished(), || "an abort of an unstarted job leaves its handle waiting")?;
            let alive = trace.state().said.is_none() && trace.is_alive();
            check::that(!alive, || "an abort of an unstarted job keeps its closure")?;
        }
        Ok(())
    }

    fn poll_handle(&mut self, index: usize) {
        let (trace, handle) = &mut self.handles[index];
        if let Poll::Ready(result) = poll_once(handle) {
            trace.say(result);
            drop(self.handles.remove(index));
        }
    }

    fn shut_down(&mut self, ending: Ending) {
        if !self.is_running() {
            return;
        }
        let Stage::Running(pool) = std::mem::replace(&mut self.stage, Stage::Ended(None)) else { return };
        self.cuts_off = ending.cuts_off();
        self.stuck.clear();
        self.stage = match ending {
            Ending::Drain => self.begin(Box::pin(pool.shutdown())),
            Ending::TimeoutMs(ms) => {
                self.begin(Box::pin(pool.shutdown_timeout(Duration::from_millis(ms.into()))))
            }
            Ending::DrainBlocking => Stage::Ended(Some(self.while_released(|| pool.shutdown_blocking()))),
            Ending::TimeoutBlockingMs(ms) => {
                let limit = Duration::from_millis(ms.into());
                Stage::Ended(Some(self.while_released(|| pool.shutdown_timeout_blocking(limit))))
            }
            Ending::Drop => {
                self.while_released(|| drop(pool));
                Stage::Ended(None)
            }
            Ending::DropShutdown => {
                let begun = self.begin(Box::pin(pool.shutdown()));
                self.while_released(|| drop(begun));
                Stage::Ended(None)
            }
        };
    }

    /// Polls a shutdown once: from here on the pool takes nothing.
    fn begin(&self, mut shutdown: std::pin::Pin<Box<dyn Future<Output = Receipt>>>) -> Stage {
        match poll_once(shutdown.as_mut()) {
            Poll::Ready(receipt) => Stage::Ended(Some(receipt)),
            Poll::Pending => Stage::Ending(shutdown),
        }
    }

    /// Blocks until `end` has, while another thread releases what the pool's jobs wait for.
    fn while_released<R>(&self, end: impl FnOnce() -> R) -> R {
        let traces = &self.traces;
        thread::scope(|scope| {
            scope.spawn(|| traces.iter().for_each(|trace| trace.gate.release()));
            end()
        })
    }

    fn finish(&mut self, ending: Ending) -> Result<(), Broken> {
        self.shut_down(ending);
        self.release_all();
        let receipt = match std::mem::replace(&mut self.stage, Stage::Ended(None)) {
            Stage::Running(_) => unreachable!("it was shut down"),
            // Ended by the last worker: all is released.
            Stage::Ending(shutdown) => Some(futures_lite::future::block_on(shutdown)),
            Stage::Ended(receipt) => receipt,
        };
        while !self.submits.is_empty() {
            self.poll_submit(0)?;
        }
        for (trace, handle) in self.handles.drain(..) {
            // Over already: the pool has ended.
            trace.say(handle.join());
        }
        // A closure of `spawn_blocking` that was given up ends by itself; it was released, and its end is noticed.
        let off_the_workers = self.traces.iter().filter(|trace| trace.role == Role::Blocking);
        off_the_workers.for_each(|trace| self.world.wait_until(|| !trace.is_alive()));
        // Kept beyond the pool, and harmless.
        self.abort_handles.iter().for_each(|(_, handle)| handle.abort());
        self.traces.iter().for_each(|trace| trace.gate.wake());
        check::all(&self.traces, self.cuts_off, receipt.map(|receipt| self.sut.receipt(receipt)))
    }

    fn release_all(&mut self) {
        self.stuck.clear();
        self.traces.iter().for_each(|trace| trace.gate.release());
    }

    fn workers(&self) -> usize {
        self.sut.handle.workers().len()
    }

    fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Running(_))
    }

    fn all_workers_are_held(&self) -> bool {
        (0..self.workers()).all(|worker| self.traces.iter().any(|trace| trace.holds(worker)))
    }

    /// Whether there may be no room: jobs that may wait in the shared queue, and those to whom a place may be promised.
    /// Asked before the queue is: what waits then, may have started since.
    fn can_be_full(&self) -> bool {
        self.may_wait() + self.submits.len() >= self.capacity
    }

    /// An upper bound of the jobs in the shared queue.
    fn may_wait(&self) -> usize {
        let may_wait = |trace: &&Arc<Trace>| {
            let state = trace.state();
            trace.role == Role::Shared && state.starts == 0 && state.accepted != Accepted::No
        };
        let waits_for_room = self.submits.len();
        self.traces.iter().filter(may_wait).count() - waits_for_room
    }

    /// Nothing can have taken what came since all workers are held, and that is as much as there is room for.
    fn must_be_full(&self) -> bool {
        let waiting = self.stuck.iter().filter(|trace| !trace.state().abort_called).count();
        self.is_running() && self.all_workers_are_held() && waiting >= self.capacity
    }
}

impl Drop for Drive {
    /// A case that was broken off must not keep its pool's end waiting.
    fn drop(&mut self) {
        self.release_all();
    }
}

/// What `pick` picks of `length` things.
fn nth(pick: Pick, length: usize) -> Option<usize> {
    (length > 0).then(|| usize::from(pick) % length)
}

fn is_gated(trace: &Trace) -> bool {
    let gated =
        matches!(trace.does, Does::Task(Body::Wait | Body::Hold) | Does::Blocking(BlockingBody::Hold));
    gated && !trace.gate.is_released() && !matches!(trace.state().said, Some(Said::Value(_)))
}
