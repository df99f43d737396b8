//! Binding to a CPU by its number fails where there is none of it, and elsewhere leaves the CPUs that the process was given.

use std::process::ExitCode;
use std::thread;

use monoio::utils::bind_to_cpu_set;
use traps_seen::{allowed_cpus, shown};

fn main() -> ExitCode {
    // ANCHOR: bind
    let absent = bind_to_cpu_set([1023]);
    println!("a CPU that is not there: {absent:?}");

    bind_to_cpu_set([0]).expect("there is a first CPU"); // as `taskset -c 0 PROGRAM` does it
    let worker = thread::spawn(|| {
        println!("this process may use CPU {}", allowed_cpus());
        let bound = bind_to_cpu_set([1]);
        println!("its worker is bound to CPU 1: {bound:?}, and runs on CPU {}", allowed_cpus());
        bound.is_ok()
    });
    let escaped = worker.join().expect("it does not panic");
    // ANCHOR_END: bind
    // One CPU alone cannot show the second half.
    let several =
        std::fs::read_to_string("/sys/devices/system/cpu/online").is_ok_and(|list| list.trim() != "0");
    shown(absent.is_err() && escaped == several)
}
