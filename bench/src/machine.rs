//! What the figures are taken on: the header row, and what speaks against trusting them.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::measure::Size;
use crate::plan::Plan;
use crate::workloads::WORKLOADS;

/// What others may use of the machine when a run begins, in CPUs, before it is said to be busy.
const BUSY_LOAD_PER_CPU: f64 = 0.3;

pub(crate) fn header(plan: &Plan) -> Value {
    json!({
        "cpu": cpu(),
        "cores": cores(),
        "kernel": first_line("/proc/sys/kernel/osrelease"),
        "load_average": first_line("/proc/loadavg"),
        "governor": governor(),
        "toolchain": env!("BENCH_RUSTC"),
        "optimised": !cfg!(debug_assertions),
        "allocators": plan.allocators().iter().map(|allocator| allocator.name()).collect::<Vec<_>>(),
        "commit": commit(),
        "date": output("date", &["-u", "+%FT%TZ"]),
        "size": plan.size.name(),
        "rounds": plan.runs,
        "workloads": workloads(),
        "warnings": warnings(plan.size),
    })
}

/// What makes figures of this machine, as it is now, less than they could be. They stay comparable within the run.
fn warnings(size: Size) -> Vec<String> {
    if size == Size::Smoke {
        return Vec::new();
    }
    let mut warnings = Vec::new();
    if cfg!(debug_assertions) {
        warnings.push("not optimised: these figures mean nothing; run it with --release".to_owned());
    }
    let load = first_line("/proc/loadavg").and_then(|line| line.split(' ').next()?.parse::<f64>().ok());
    let cores = cores().unwrap_or(1);
    if let Some(load) = load.filter(|&load| load > BUSY_LOAD_PER_CPU * cores as f64) {
        warnings.push(format!("the machine is busy: a load of {load} on {cores} CPUs before the run"));
    }
    if let Some(governor) = governor().filter(|governor| governor != "performance") {
        warnings.push(format!(
            "the CPUs' governor is `{governor}`: clocks follow the load; `cpupower frequency-set -g performance` fixes them"
        ));
    }
    if fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains(" hypervisor")) {
        warnings.push("a virtual machine: others may use its CPUs meanwhile, and wakes cost more".to_owned());
    }
    if cores < 2 {
        warnings.push("one CPU: driver and workers share it".to_owned());
    }
    warnings
}

/// What each workload does, as it does it now: a report of these rows never tells of another size than was measured.
fn workloads() -> Value {
    WORKLOADS.iter().map(|workload| (workload.name, workload.about)).collect()
}

fn cpu() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let (_, name) = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "))?;
    Some(name.to_owned())
}

fn cores() -> Option<usize> {
    std::thread::available_parallelism().map(usize::from).ok()
}

/// None where the machine does not let it be seen, as many virtual ones.
fn governor() -> Option<String> {
    first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
}

fn first_line(path: &str) -> Option<String> {
    fs::read_to_string(path).map(|text| text.trim().to_owned()).ok()
}

/// The commit of the working tree, marked if the tree is not quite it.
fn commit() -> Option<String> {
    let dir = env!("CARGO_MANIFEST_DIR");
    let commit = output("git", &["-C", dir, "rev-parse", "--short=12", "HEAD"])?;
    let changed = output("git", &["-C", dir, "status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() { commit } else { format!("{commit}, changed") })
}

fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}
