//! Files read and hashed, one thread a file: many small ones and a few big ones, from memory and from the disk.

mod buffer;
mod cache;
mod data;
mod tally;

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::Workload;
use crate::affinity;
use crate::alloc::Allocator;
use crate::measure::{Case, Failure, Outcome, Size, check, metric};
use crate::stopwatch::Stopwatch;
pub(crate) use buffer::Buffer;
use data::{Data, Shape};
pub(crate) use tally::Tally;

pub(crate) const WORKLOAD: Workload = Workload {
    workers: &[2],
    allocator_matters: true,
    // Seconds each. The allocator has little to do here, and nothing with the disk.
    most_runs: |case, allocator| match (allocator, case.variant) {
        (Allocator::System, _) => 3,
        (_, "set=small-warm" | "set=big-warm") => 1,
        _ => 0,
    },
    limit_seconds: |_| 25,
    prepare,
    variants: &["set=small-warm", "set=small-cold", "set=big-warm", "set=big-cold"],
    ..Workload::new("files", "20,000 files of 4 KiB, or 64 of 64 MiB, read and hashed by BLAKE3")
};

/// Read first, unmeasured: threads are up then, and rings and allocators have been used.
const WARM_UP: Shape = Shape { count: 128, file_bytes: 4 * KIB };

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The least part of a cold set that must come from the device, and the most of a warm one that may.
const COLD_LEAST: f64 = 0.9;
const WARM_MOST: f64 = 0.1;

/// A way to read files and hash them.
pub(crate) trait Reader: Sized {
    /// Not for a limit that reads only.
    const HASHES: bool = true;

    /// Starts the threads that will read. The process has as many CPUs as it has workers.
    fn start(workers: usize, plan: Plan) -> io::Result<Self>;

    /// Reads each file from its start until nothing more comes, and hashes it.
    fn read(&self, files: &Arc<Files>) -> io::Result<Tally>;
}

/// The files of one set, in the order in which they were written.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) plan: Plan,
}

/// What suits a set, as measured with several contenders. One that does better with other values has them in its own
/// file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The files of one job: enough that handing it over costs little, few enough to share out.
    pub(crate) batch_files: usize,
    pub(crate) buffer_bytes: usize,
    /// Jobs under way on each worker, so that a disk reads for one while another is hashed. All their buffers fit a core's
    /// cache of 1 MiB.
    pub(crate) in_flight: usize,
    pub(crate) is_cold: bool,
}

impl Plan {
    fn of(shape: Shape, is_cold: bool) -> Self {
        if shape.file_bytes > MIB {
            return Plan { batch_files: 1, buffer_bytes: 256 * KIB as usize, in_flight: 4, is_cold };
        }
        // Smaller ones for the few files of a smoke run.
        let batch = |most| (shape.count / 8).clamp(1, most);
        // A disk is the faster the more is asked of it at once: with 16 all contenders take a fifth to a half longer.
        let (batch_files, in_flight) = if is_cold { (batch(8), 64) } else { (batch(32), 16) };
        Plan { batch_files, buffer_bytes: 8 * KIB as usize, in_flight, is_cold }
    }

    /// The threads of a contender whose threads block: one a worker, or as many as others have jobs under way where a
    /// thread waits for the disk.
    pub(crate) fn blocking_threads(self, workers: usize) -> usize {
        if self.is_cold { workers * self.in_flight } else { workers }
    }
}

impl Files {
    pub(crate) fn batches(&self) -> impl Iterator<Item = Range<usize>> {
        let (count, step) = (self.paths.len(), self.plan.batch_files);
        (0..count).step_by(step).map(move |start| start..count.min(start + step))
    }
}

pub(crate) fn run<R: Reader>(case: Case) -> Outcome {
    let (shape, is_cold) = set(case)?;
    let plan = Plan::of(shape, is_cold);
    let (data, warm_up) = (Data::ready(shape)?, Data::ready(WARM_UP)?);
    affinity::keep_to_cpus_of(case.workers);
    let reader = R::start(case.workers, plan).map_err(|error| format!("it cannot be started: {error}"))?;
    read(&reader, &warm_up, plan)?;
    let prepared = if is_cold { cache::forget(&data.paths) } else { cache::learn(&data.paths) };
    prepared.map_err(|error| data.failed(&error))?;
    let device_before = cache::read_from_device()?;
    let stopwatch = Stopwatch::start();
    read(&reader, &data, plan)?;
    let lap = stopwatch.stop();
    let device_bytes = cache::read_from_device()? - device_before;
    check_source(is_cold, device_bytes as f64 / data.expected.bytes as f64)?;
    Ok(vec![
        metric("wall", lap.wall.as_secs_f64() * 1e3, "ms"),
        metric("cpu", lap.cpu.as_secs_f64() * 1e3, "ms"),
        metric("read", device_bytes as f64 / MIB as f64, "MiB"),
    ])
}

/// Writes the sets, unless they are there.
fn prepare(size: Size) -> Result<(), String> {
    for variant in WORKLOAD.variants {
        Data::ready(set(Case { workers: 1, variant, size })?.0)?;
    }
    Data::ready(WARM_UP).map(drop)
}

fn set(case: Case) -> Result<(Shape, bool), String> {
    let small = Shape { count: case.size.of(20_000, 2_000, 20), file_bytes: 4 * KIB };
    let big_bytes = if case.size == Size::Smoke { 256 * KIB } else { 64 * MIB };
    let big = Shape { count: case.size.of(64, 8, 2), file_bytes: big_bytes };
    match case.variant {
        "set=small-warm" => Ok((small, false)),
        "set=small-cold" => Ok((small, true)),
        "set=big-warm" => Ok((big, false)),
        "set=big-cold" => Ok((big, true)),
        other => Err(format!("no variant is called `{other}`")),
    }
}

fn read<R: Reader>(reader: &R, data: &Data, plan: Plan) -> Result<(), String> {
    let files = Arc::new(Files { paths: data.paths.clone(), plan });
    let mut tally = reader.read(&files).map_err(|error| data.failed(&error))?;
    if !R::HASHES {
        tally.sum = data.expected.sum;
    }
    check("the files, their bytes and the sum of their hashes", tally, data.expected)
        .map_err(|error| data.failed(&error))
}

/// Whether the bytes came from where the variant says.
fn check_source(is_cold: bool, share_of_device: f64) -> Result<(), Failure> {
    let percent = share_of_device * 100.0;
    if is_cold && share_of_device < COLD_LEAST {
        return Err(Failure::Unable(format!(
            "only {percent:.0} % came from the device: the page cache cannot be emptied here; build on a disk of its own \
             (CARGO_TARGET_DIR), and not in memory"
        )));
    }
    if !is_cold && share_of_device > WARM_MOST {
        let why = format!("{percent:.0} % came from the device: memory cannot hold the set; try --quick");
        return Err(Failure::Unable(why));
    }
    Ok(())
}
