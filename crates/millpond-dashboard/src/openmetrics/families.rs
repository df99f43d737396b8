//! What is told of a pool: each family with its name, its words, and where its samples come from.

use super::text::Samples;
use millpond::metrics::{JobCounts, Metrics, WorkerMetrics};

/// A metric family. The name is without `_total`.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) r#type: Type,
    pub(super) unit: Option<&'static str>,
    pub(super) help: &'static str,
    pub(super) samples: fn(&mut Samples<'_>, &Metrics),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Counter,
    Gauge,
    Histogram,
}

const fn counter(name: &'static str, help: &'static str, samples: fn(&mut Samples<'_>, &Metrics)) -> Family {
    Family { name, r#type: Type::Counter, unit: None, help, samples }
}

const fn gauge(name: &'static str, help: &'static str, samples: fn(&mut Samples<'_>, &Metrics)) -> Family {
    Family { name, r#type: Type::Gauge, unit: None, help, samples }
}

const fn in_seconds(family: Family) -> Family {
    Family { unit: Some("seconds"), ..family }
}

pub(super) const FAMILIES: &[Family] = &[
    in_seconds(gauge("millpond_uptime_seconds", "How long the pool has been up.", |samples, pool| {
        samples.seconds(&[], pool.uptime);
    })),
    gauge("millpond_workers", "Workers of the pool.", |samples, pool| {
        samples.value(&[], pool.workers.len());
    }),
    gauge(
        "millpond_queue_capacity_jobs",
        "How many jobs the shared queue takes, and that of bulk jobs.",
        |samples, pool| {
            samples.value(&[], pool.queue_capacity);
        },
    ),
    gauge("millpond_shared_queue_jobs", "Jobs in the shared queue, but for bulk jobs.", |samples, pool| {
        samples.value(&[], pool.shared_queue);
    }),
    gauge("millpond_bulk_queue_jobs", "Bulk jobs in theirs.", |samples, pool| {
        samples.value(&[], pool.bulk_queue);
    }),
    gauge("millpond_queued_jobs", "Jobs accepted and not started, wherever they wait.", |samples, pool| {
        by_kind(samples, pool, |jobs| jobs.queued);
    }),
    gauge("millpond_tasks", "Jobs started and not over.", |samples, pool| {
        by_kind(samples, pool, |jobs| jobs.tasks);
    }),
    counter("millpond_jobs_accepted", "Jobs accepted.", |samples, pool| {
        by_kind(samples, pool, |jobs| jobs.accepted);
    }),
    counter("millpond_jobs_started", "Jobs started.", |samples, pool| {
        by_kind(samples, pool, |jobs| jobs.started);
    }),
    counter("millpond_jobs_ended", "Jobs that have ended, by how.", |samples, pool| {
        for (kind, jobs) in kinds(pool) {
            for (outcome, count) in outcomes(&jobs) {
                samples.value(&[("kind", &kind), ("outcome", &outcome)], count);
            }
        }
    }),
    in_seconds(Family {
        name: "millpond_queue_wait_seconds",
        r#type: Type::Histogram,
        unit: None,
        help: "From a job's acceptance to its start.",
        samples: |samples, pool| samples.histogram(&pool.queue_wait()),
    }),
    in_seconds(Family {
        name: "millpond_poll_seconds",
        r#type: Type::Histogram,
        unit: None,
        help: "How long a task held its worker, each time it was polled.",
        samples: |samples, pool| samples.histogram(&pool.poll_time()),
    }),
    in_seconds(counter("millpond_worker_busy_seconds", "Time in tasks and the loop.", |samples, pool| {
        for worker in &pool.workers {
            samples.seconds(&[("worker", &worker.id.index())], worker.busy);
        }
    })),
    in_seconds(counter(
        "millpond_worker_idle_seconds",
        "Time asleep, or looking for work.",
        |samples, pool| {
            for worker in &pool.workers {
                samples.seconds(&[("worker", &worker.id.index())], worker.idle);
            }
        },
    )),
    gauge("millpond_worker_tasks", "Jobs started here and not over.", |samples, pool| {
        by_worker(samples, pool, |worker| worker.tasks);
    }),
    gauge("millpond_worker_queued_jobs", "Jobs at hand or in the inbox, not started.", |samples, pool| {
        by_worker(samples, pool, |worker| worker.queued);
    }),
    counter(
        "millpond_worker_jobs_accepted",
        "Jobs sent to this worker alone, or spawned by its own jobs.",
        |samples, pool| by_worker(samples, pool, |worker| worker.accepted),
    ),
    counter("millpond_worker_jobs_started", "Jobs started here.", |samples, pool| {
        by_worker(samples, pool, |worker| worker.started);
    }),
    counter("millpond_worker_jobs_ended", "Jobs that have ended here, by how.", |samples, pool| {
        for worker in &pool.workers {
            for (outcome, count) in worker_outcomes(worker) {
                samples.value(&[("worker", &worker.id.index()), ("outcome", &outcome)], count);
            }
        }
    }),
    counter("millpond_worker_polls", "Times that a task was polled.", |samples, pool| {
        by_worker(samples, pool, |worker| worker.polls);
    }),
    counter("millpond_worker_stalls", "Tasks that held the worker for too long.", |samples, pool| {
        by_worker(samples, pool, |worker| worker.stalls);
    }),
    counter("millpond_worker_batches", "Takes off the shared queue.", |samples, pool| {
        by_worker(samples, pool, |worker| worker.batches);
    }),
    counter("millpond_worker_batch_jobs", "Jobs in those takes.", |samples, pool| {
        by_worker(samples, pool, |worker| worker.batch_jobs);
    }),
    counter("millpond_worker_steals", "Takes from what other workers had at hand.", |samples, pool| {
        by_worker(samples, pool, |worker| worker.steals);
    }),
    counter("millpond_worker_stolen_jobs", "Jobs in those takes.", |samples, pool| {
        by_worker(samples, pool, |worker| worker.stolen_jobs);
    }),
    counter("millpond_worker_parks", "Times that the worker went to sleep.", |samples, pool| {
        by_worker(samples, pool, |worker| worker.parks);
    }),
    counter("millpond_worker_wakes_sent", "Times that it woke another worker.", |samples, pool| {
        by_worker(samples, pool, |worker| worker.wakes_sent);
    }),
    counter("millpond_worker_wakes_received", "Times that it was woken.", |samples, pool| {
        by_worker(samples, pool, |worker| worker.wakes_received);
    }),
    counter("millpond_worker_driver_turns", "Turns given to the driver.", |samples, pool| {
        by_worker(samples, pool, |worker| worker.driver_turns);
    }),
];

/// The whole pool, taken apart: so the sum over the label is the whole, and nothing is counted twice.
fn kinds(pool: &Metrics) -> [(&'static str, JobCounts); 3] {
    let mut workers = pool.jobs;
    for part in [&pool.blocking, &pool.block_on] {
        workers.accepted = workers.accepted.saturating_sub(part.accepted);
        workers.started = workers.started.saturating_sub(part.started);
        workers.completed = workers.completed.saturating_sub(part.completed);
        workers.panicked = workers.panicked.saturating_sub(part.panicked);
        workers.aborted = workers.aborted.saturating_sub(part.aborted);
        workers.expired = workers.expired.saturating_sub(part.expired);
        workers.cut_off = workers.cut_off.saturating_sub(part.cut_off);
        workers.never_started = workers.never_started.saturating_sub(part.never_started);
        workers.queued = workers.queued.saturating_sub(part.queued);
        workers.tasks = workers.tasks.saturating_sub(part.tasks);
    }
    [("worker", workers), ("blocking", pool.blocking), ("block_on", pool.block_on)]
}

fn by_kind(samples: &mut Samples<'_>, pool: &Metrics, count: fn(&JobCounts) -> u64) {
    for (kind, jobs) in kinds(pool) {
        samples.value(&[("kind", &kind)], count(&jobs));
    }
}

fn by_worker(samples: &mut Samples<'_>, pool: &Metrics, count: fn(&WorkerMetrics) -> u64) {
    for worker in &pool.workers {
        samples.value(&[("worker", &worker.id.index())], count(worker));
    }
}

fn outcomes(jobs: &JobCounts) -> [(&'static str, u64); 6] {
    [
        ("completed", jobs.completed),
        ("panicked", jobs.panicked),
        ("aborted", jobs.aborted),
        ("expired", jobs.expired),
        ("cut_off", jobs.cut_off),
        ("never_started", jobs.never_started),
    ]
}

fn worker_outcomes(worker: &WorkerMetrics) -> [(&'static str, u64); 6] {
    [
        ("completed", worker.completed),
        ("panicked", worker.panicked),
        ("aborted", worker.aborted),
        ("expired", worker.expired),
        ("cut_off", worker.cut_off),
        ("never_started", worker.never_started),
    ]
}
