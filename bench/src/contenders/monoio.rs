//! monoio's threads, made by hand: what channels run on, and monoio's own tasks.

use std::future::Future;

use monoio::time::TimeDriver;
use monoio::{FusionDriver, FusionRuntime, IoUringDriver, LegacyDriver, RuntimeBuilder};

use super::std_threads::run_loops;
use crate::channel::Host;
use crate::contender::Contender;
use crate::measure::Case;
use crate::workloads::local::{self, Local};
use crate::workloads::serve;

pub(crate) fn contenders() -> Vec<Contender> {
    vec![
        Contender::named("monoio")
            .workload("local", |case: Case| runtime().block_on(local::drive(OnThisThread, case)))
            .workload("serve", serve::run::<super::serve::Monoio>),
    ]
}

/// As monoio's own macro makes it, with timers, which a pool's workers have.
pub(super) fn runtime() -> FusionRuntime<TimeDriver<IoUringDriver>, TimeDriver<LegacyDriver>> {
    RuntimeBuilder::<FusionDriver>::new().enable_timer().build().expect("the runtime starts")
}

/// Threads with a monoio runtime each, bound to the CPUs that a millpond pool's workers have.
#[derive(Debug)]
pub(super) struct Monoio;

impl Host for Monoio {
    fn run<T, Fut, B, D, R>(workers: usize, body: B, driver: D) -> (R, Vec<T>)
    where
        B: Fn(usize) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
        D: FnOnce() -> R,
    {
        let start = || {
            let mut runtime = runtime();
            move |body| runtime.block_on(body)
        };
        run_loops(workers, start, body, driver)
    }
}

#[derive(Debug)]
struct OnThisThread;

impl Local for OnThisThread {
    type Handle = monoio::task::JoinHandle<u64>;

    fn spawn(&self, future: impl Future<Output = u64> + 'static) -> Self::Handle {
        monoio::spawn(future)
    }

    fn output(output: u64) -> u64 {
        output
    }
}
