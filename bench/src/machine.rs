//! What the figures were taken on: the header row.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::alloc;
use crate::args::Plan;

pub(crate) fn header(plan: &Plan) -> Value {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let first_line = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).ok();
    json!({
        "cpu": model.map(|(_, name)| name),
        "cores": std::thread::available_parallelism().map(usize::from).ok(),
        "kernel": first_line("/proc/sys/kernel/osrelease"),
        "load_average": first_line("/proc/loadavg"),
        "toolchain": env!("BENCH_RUSTC"),
        "optimised": !cfg!(debug_assertions),
        "allocator": alloc::NAME,
        "commit": commit(),
        "date": output("date", &["-u", "+%FT%TZ"]),
        "size": plan.size.name(),
        "runs": plan.runs,
    })
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
