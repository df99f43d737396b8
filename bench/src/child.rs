//! One measurement in a process of its own: allocators, threads and thread-locals of the last one are gone, and its
//! peak of memory is its own.

use std::io::Read;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::alloc::Allocator;
use crate::contenders;
use crate::measure::{Case, Failure, Metric, Outcome, metric};
use crate::memory::peak_bytes;
use crate::plan::Task;
use crate::workloads::WORKLOADS;

const MIB: f64 = (1u64 << 20) as f64;

/// How a child says that it cannot run here, apart from a wrong answer (1) and a panic (101).
const UNABLE_STATUS: u8 = 3;

/// The child's side: measures, and writes one line.
pub(crate) fn measure(task: &Task) -> ExitCode {
    match measured(task) {
        Ok(metrics) => {
            println!("{}", line(&metrics));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{}", failure.message());
            match failure {
                Failure::Wrong(_) | Failure::Hung(_) => ExitCode::FAILURE,
                Failure::Unable(_) => UNABLE_STATUS.into(),
            }
        }
    }
}

fn measured(task: &Task) -> Outcome {
    let workload = WORKLOADS.iter().find(|workload| workload.name == task.workload);
    let variants = workload.map_or(&[][..], |workload| workload.variants);
    let variant = variants.iter().find(|variant| **variant == task.variant).ok_or("no such case")?;
    let contender = contenders::all().into_iter().find(|contender| contender.name == task.contender);
    let run = contender.and_then(|contender| contender.run_of(&task.workload)).ok_or("no such case")?;
    let mut metrics = run(Case { workers: task.workers, variant, size: task.size })?;
    metrics.push(metric("peak memory", peak_bytes()? as f64 / MIB, "MiB"));
    Ok(metrics)
}

/// The runner's side: starts the child, and reads its line.
pub(crate) fn run(task: &Task, allocator: Allocator, limit: Duration) -> Outcome {
    let mut child = Command::new(allocator.program()?)
        .args(task.words())
        // A panic's message is enough, and the last line of it.
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("it cannot be started: {error}"))?;
    let mut stdout = child.stdout.take().expect("stdout was asked for as a pipe");
    let mut stderr = child.stderr.take().expect("stderr was asked for as a pipe");
    // Both end when the child does, which the watch sees to. Two threads, as a full pipe would hold the child up.
    let errors = thread::spawn(move || read(&mut stderr));
    let child = Arc::new(Mutex::new(child));
    let (ended, watch) = watch(Arc::clone(&child), limit);
    let line = read(&mut stdout);
    let errors = errors.join().expect("the reader does not panic");
    drop(ended);
    let late = watch.join().expect("the watch does not panic");
    let status = child.lock().expect("nothing panics under the lock").wait();
    let status = status.map_err(|error| format!("it cannot be waited for: {error}"))?;
    if late {
        return Err(Failure::Hung(format!("it hung: ended after {} s", limit.as_secs())));
    }
    if !status.success() {
        // A panic's message comes before its note on backtraces.
        let error = errors.trim().lines().rfind(|line| !line.starts_with("note: "));
        let error = error.map_or(status.to_string(), str::to_owned);
        let unable = status.code() == Some(UNABLE_STATUS.into());
        return Err(if unable { Failure::Unable(error) } else { Failure::Wrong(error) });
    }
    parse(&line).ok_or_else(|| format!("it wrote {line:?}").into())
}

/// Kills `child` at the limit, unless the sender is dropped before. The thread returns whether it did.
fn watch(child: Arc<Mutex<Child>>, limit: Duration) -> (mpsc::Sender<()>, thread::JoinHandle<bool>) {
    let (ended, limit_or_end) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        let late = limit_or_end.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
        if late {
            let _ = child.lock().expect("nothing panics under the lock").kill();
        }
        late
    });
    (ended, watch)
}

fn read(pipe: &mut impl Read) -> String {
    let mut text = String::new();
    let _ = pipe.read_to_string(&mut text);
    text
}

/// As [`parse`] reads it.
pub(crate) fn line(metrics: &[Metric]) -> String {
    let rows = metrics.iter().map(|metric| json!([metric.name, metric.value, metric.unit]));
    Value::from_iter(rows).to_string()
}

pub(crate) fn parse(line: &str) -> Option<Vec<Metric>> {
    let rows: Value = serde_json::from_str(line).ok()?;
    let row = |row: &Value| Some(metric(row[0].as_str()?, row[1].as_f64()?, row[2].as_str()?));
    rows.as_array()?.iter().map(row).collect()
}
