//! What is measured. One file a workload, and one line here.

pub(crate) mod burst;
pub(crate) mod channel;
pub(crate) mod classes;
pub(crate) mod compute;
mod counted;
pub(crate) mod cpu;
pub(crate) mod files;
mod held;
pub(crate) mod idle;
pub(crate) mod jetstream;
pub(crate) mod job;
pub(crate) mod local;
pub(crate) mod open_loop;
mod random;
mod room;
pub(crate) mod round_trip;
pub(crate) mod scale_depth;
pub(crate) mod scale_producers;
pub(crate) mod scale_workers;
pub(crate) mod serve;
pub(crate) mod skew;
pub(crate) mod spawn_join;
pub(crate) mod spread;
mod steps;
pub(crate) mod stranded;

use crate::alloc::Allocator;
use crate::measure::{Case, Size};

/// A workload, apart from how each contender runs it.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// The numbers of workers it runs with if none are named.
    pub(crate) workers: &'static [usize],
    /// Those that make sense at all.
    pub(crate) most_workers: usize,
    pub(crate) fewest_workers: usize,
    /// Its settings, each measured by itself; one empty name if there are none.
    pub(crate) variants: &'static [&'static str],
    /// Whether what it measures allocates: then it runs on each allocator.
    pub(crate) allocator_matters: bool,
    /// Whether the allocations of a job are told beside its times.
    pub(crate) counts_allocations: bool,
    /// How often a case is measured at most. Fewer for those that take long and vary little; not at all where its variant is
    /// too large for the size of the run, and must not be made smaller.
    pub(crate) most_runs: fn(Case, Allocator) -> usize,
    /// A case that takes longer hangs.
    pub(crate) limit_seconds: fn(Case) -> u64,
    /// What is done once before a run of that size, and is no part of any measurement.
    pub(crate) prepare: fn(Size) -> Result<(), String>,
}

/// In the order in which they run.
pub(crate) static WORKLOADS: &[Workload] = &[
    spawn_join::WORKLOAD,
    channel::WORKLOAD,
    round_trip::WORKLOAD,
    stranded::WORKLOAD,
    burst::WORKLOAD,
    compute::WORKLOAD,
    spread::WORKLOAD,
    local::WORKLOAD,
    skew::CPU,
    skew::IO,
    open_loop::WORKLOAD,
    scale_depth::WORKLOAD,
    classes::WORKLOAD,
    cpu::FULL,
    cpu::LIGHT,
    cpu::LARGE,
    files::WORKLOAD,
    serve::WORKLOAD,
    scale_producers::WORKLOAD,
    scale_workers::WORKLOAD,
    idle::WORKLOAD,
    jetstream::EMPTY,
    jetstream::MILLISECOND,
    jetstream::LATENCY,
];

impl Workload {
    const fn new(name: &'static str, about: &'static str) -> Self {
        Workload {
            name,
            about,
            workers: &[1, 2],
            fewest_workers: 1,
            most_workers: usize::MAX,
            variants: &[""],
            allocator_matters: false,
            counts_allocations: false,
            most_runs: |_, _| usize::MAX,
            // Several times what the slowest contender takes on two busy cores.
            limit_seconds: |_| 12,
            prepare: |_| Ok(()),
        }
    }
}

/// What `variant` sets `name` to.
fn number_of(variant: &str, name: &str) -> Result<u64, String> {
    let number = variant.split_once('=').filter(|(known, _)| *known == name);
    number
        .and_then(|(_, number)| number.parse().ok())
        .ok_or_else(|| format!("no {name} is called `{variant}`"))
}
