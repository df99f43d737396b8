//! Who takes part, and in which workloads.

use crate::channel::Channel;
use crate::measure::{Case, Outcome};
use crate::pool::Pool;
use crate::workloads::{
    burst, channel, compute, idle, open_loop, round_trip, scale_depth, scale_producers, scale_workers, skew,
    spawn_join, spread, stranded,
};

/// Runs one workload for one contender, in a process of its own.
pub(crate) type Run = fn(Case) -> Outcome;

/// One way to do the work. A file of `contenders/` may hold several: the same crate with different settings.
#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    /// By the name of the workload.
    runs: Vec<(&'static str, Run)>,
    /// Variants in which it takes no part, by the workload and its variant.
    except: Vec<(&'static str, &'static str)>,
}

impl Contender {
    /// One that takes part in nothing yet.
    pub(crate) fn named(name: &'static str) -> Self {
        Contender { name, runs: Vec::new(), except: Vec::new() }
    }

    /// All workloads about jobs.
    pub(crate) fn pool<P: Pool>(self) -> Self {
        self.workload("spawn-join", spawn_join::run::<P>)
            .workload("compute", compute::pool::<P>)
            .workload("round-trip", round_trip::run::<P>)
            .workload("stranded", stranded::pool::<P>)
            .workload("burst", burst::pool::<P>)
            .workload("spread", spread::run::<P>)
            .workload("skew", skew::cpu::<P>)
            .workload("skew-io", skew::io::<P>)
            .workload("open-loop", open_loop::pool::<P>)
            .workload("scale-depth", scale_depth::run::<P>)
            .workload("scale-producers", scale_producers::run::<P>)
            .workload("scale-workers", scale_workers::run::<P>)
            .workload("idle", idle::run::<P>)
            .except("compute", compute::DEEP)
            .except("scale-depth", scale_depth::DEEP)
    }

    /// All workloads about messages.
    pub(crate) fn channel<C: Channel>(self) -> Self {
        self.workload("channel", channel::run::<C>)
            .workload("stranded", stranded::channel::<C>)
            .workload("burst", burst::channel::<C>)
            .workload("open-loop", open_loop::channel::<C>)
            .workload("compute", compute::channel::<C>)
    }

    pub(crate) fn workload(mut self, name: &'static str, run: Run) -> Self {
        self.runs.push((name, run));
        self
    }

    /// For what this contender cannot do.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.runs.retain(|(known, _)| *known != name);
        self
    }

    /// For one variant that this contender cannot do.
    pub(crate) fn except(mut self, workload: &'static str, variant: &'static str) -> Self {
        self.except.push((workload, variant));
        self
    }

    /// For a pool that can queue 100 M jobs, and that does so in the time of one measurement.
    pub(crate) fn deep(mut self) -> Self {
        let deep = [("compute", compute::DEEP), ("scale-depth", scale_depth::DEEP)];
        self.except.retain(|except| !deep.contains(except));
        self
    }

    pub(crate) fn takes_part(&self, workload: &str, variant: &str) -> bool {
        self.run_of(workload).is_some() && !self.except.contains(&(workload, variant))
    }

    /// For a driver on a worker: it would be in the way where another worker must be idle, where all must be held, and
    /// where it sleeps; where it waits by sending one more job, that job may overtake the others.
    pub(crate) fn without_a_thread_for_its_driver(self) -> Self {
        self.without("stranded")
            .without("burst")
            .without("compute")
            .without("open-loop")
            .without("scale-depth")
            .without("scale-producers")
            .without("idle")
    }

    pub(crate) fn run_of(&self, workload: &str) -> Option<Run> {
        self.runs.iter().find(|(name, _)| *name == workload).map(|(_, run)| *run)
    }
}
