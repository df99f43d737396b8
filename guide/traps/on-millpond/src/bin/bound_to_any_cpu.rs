//! Workers are bound to CPUs that the process was given; any other is refused, by name.

use std::process::ExitCode;

use millpond::{Pin, Pool};
use monoio::utils::bind_to_cpu_set;
use traps_seen::{allowed_cpus, gone};

fn main() -> ExitCode {
    // ANCHOR: bind
    let absent = Pool::builder().worker_threads(1).pin(Pin::To(vec![1023])).build();
    println!("{}", absent.as_ref().expect_err("there is no such CPU"));

    bind_to_cpu_set([0]).expect("there is a first CPU"); // as `taskset -c 0 PROGRAM` does it
    let outside = Pool::builder().worker_threads(1).pin(Pin::To(vec![1])).build();
    println!("{}", outside.as_ref().expect_err("it is not ours"));

    let pool = Pool::builder().build().expect("a pool starts");
    let cpus = pool.spawn(|| async { allowed_cpus() }).join().expect("the job ran");
    println!("left to itself it has {} worker, which runs on CPU {cpus}", pool.workers().len());
    // ANCHOR_END: bind
    gone(absent.is_err() && outside.is_err() && pool.workers().len() == 1 && cpus == "0")
}
