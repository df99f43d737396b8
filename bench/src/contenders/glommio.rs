//! glommio by hand: the pool of `flume+monoio` on glommio's executors, and glommio's own tasks.

use std::future::Future;
use std::process;
use std::sync::mpsc;
use std::time::Duration;

use glommio::{ExecutorJoinHandle, LocalExecutorBuilder, Placement, Task};

use super::flume::{ByHand, Threads};
use crate::affinity::cpu_of_worker;
use crate::contender::Contender;
use crate::measure::{Case, Outcome};
use crate::workloads::local::{self, Local};

pub(crate) fn contenders() -> Vec<Contender> {
    vec![
        Contender::named("flume+glommio").pool::<ByHand<Glommio>>(),
        Contender::named("glommio").workload("local", local),
    ]
}

/// Executors of glommio, with its defaults.
#[derive(Debug)]
struct Glommio;

impl Threads for Glommio {
    fn start<Fut, B>(workers: usize, body: B) -> impl FnOnce()
    where
        B: Fn() -> Fut + Clone + Send + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        let executors = start(workers, body).unwrap_or_else(|error| give_up(&error));
        || executors.into_iter().for_each(|executor| executor.join().expect("the executor ends"))
    }

    fn spawn(future: impl Future<Output = ()> + 'static) {
        glommio::spawn_local(future).detach();
    }

    async fn sleep(pause: Duration) {
        // Ended by the executor's timer.
        glommio::timer::sleep(pause).await;
    }
}

/// Returns once all executors are up. It needs io_uring and 512 KiB of locked memory, and not every machine gives both.
fn start<Fut, B>(workers: usize, body: B) -> Result<Vec<ExecutorJoinHandle<()>>, String>
where
    B: Fn() -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let cpus: Vec<_> = (0..workers).map(cpu_of_worker).collect();
    let mut executors = Vec::with_capacity(workers);
    for cpu in cpus {
        let (up, is_up) = mpsc::channel();
        let body = body.clone();
        let executor = LocalExecutorBuilder::new(cpu.map_or(Placement::Unbound, Placement::Fixed))
            .spawn(move || {
                let _ = up.send(());
                body()
            })
            .map_err(|error| error.to_string())?;
        // Ended by the executor's start, or by the drop of what it would have run.
        if is_up.recv().is_err() {
            return Err(executor
                .join()
                .err()
                .map_or("it ended at once".to_owned(), |error| error.to_string()));
        }
        executors.push(executor);
    }
    Ok(executors)
}

/// The process is this measurement's own: what it writes last is what the row says.
fn give_up(error: &str) -> ! {
    eprintln!("bench: glommio does not start: {error}");
    process::exit(1)
}

fn local(case: Case) -> Outcome {
    let executor = LocalExecutorBuilder::new(Placement::Unbound).make();
    let executor = executor.map_err(|error| format!("glommio does not start: {error}"))?;
    executor.run(local::drive(OnThisThread, case))
}

#[derive(Debug)]
struct OnThisThread;

impl Local for OnThisThread {
    type Handle = Task<u64>;

    fn spawn(&self, future: impl Future<Output = u64> + 'static) -> Task<u64> {
        glommio::spawn_local(future)
    }

    fn output(output: u64) -> u64 {
        output
    }
}
