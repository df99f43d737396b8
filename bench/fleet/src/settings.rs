//! What a fleet is made of: every number that a simulation goes by, and where its default comes from.

pub(crate) const US: u64 = 1_000;
pub(crate) const MS: u64 = 1_000 * US;
pub(crate) const S: u64 = 1_000 * MS;

/// How long jobs compute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum JobTime {
    /// All alike.
    Fixed { ns: f64 },
    /// Many short ones, few long ones.
    Exponential { mean_ns: f64 },
    /// Heavy-tailed, as in the workload `skew` of the bench: the longest is 850 times the shortest.
    Pareto { mean_ns: f64 },
}

impl JobTime {
    pub(crate) fn mean_ns(self) -> f64 {
        match self {
            JobTime::Fixed { ns } => ns,
            JobTime::Exponential { mean_ns } | JobTime::Pareto { mean_ns } => mean_ns,
        }
    }

    /// The same shape, about another mean.
    pub(crate) fn with_mean_ns(self, mean_ns: f64) -> Self {
        match self {
            JobTime::Fixed { .. } => JobTime::Fixed { ns: mean_ns },
            JobTime::Exponential { .. } => JobTime::Exponential { mean_ns },
            JobTime::Pareto { .. } => JobTime::Pareto { mean_ns },
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            JobTime::Fixed { .. } => "fixed",
            JobTime::Exponential { .. } => "exponential",
            JobTime::Pareto { .. } => "Pareto",
        }
    }
}

/// What the server spends on one stream, one thing after the other: a stream is one log, behind one lock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Costs {
    /// Storing a message and answering its publisher.
    pub(crate) publish_ns: u64,
    /// Sending one message to whoever has asked.
    pub(crate) deliver_ns: u64,
    /// Taking an ack and removing the message.
    pub(crate) ack_ns: u64,
    /// Taking in a pull request.
    pub(crate) pull_ns: u64,
}

/// CPU time of the server, as `--measure` had it in the median of five: nats-server 2.9.10, file storage, R1, 32 bytes, loopback,
/// two virtual CPUs that others used too. That a stream has one core's worth of it is assumed.
const MEASURED: Costs = Costs { publish_ns: 5_500, deliver_ns: 3_600, ack_ns: 6_400, pull_ns: 6_200 };

/// One simulated stream with the nodes that pull from it.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) nodes: usize,
    /// Workers of each node.
    pub(crate) workers: usize,
    pub(crate) job: JobTime,
    /// What a job costs its node beside itself: its way through client and pool.
    pub(crate) overhead_ns: f64,
    /// Jobs published in a second, at random.
    pub(crate) offered_per_s: f64,
    pub(crate) costs: Costs,
    /// There and back between a node, or a publisher, and the server.
    pub(crate) round_trip_ns: u64,
    /// At most so many messages at a node.
    pub(crate) max_in_flight: usize,
    /// What a node keeps queued, as time at its own rate.
    pub(crate) prefetch_ns: f64,
    /// And at least so many for each worker.
    pub(crate) prefetch_per_worker: usize,
    /// Delivered and not yet acked, of the whole fleet.
    pub(crate) max_ack_pending: usize,
    /// Pull requests that may wait at the server.
    pub(crate) max_waiting: usize,
    /// When a node whose request was refused asks again.
    pub(crate) retry_ns: u64,
    pub(crate) ack_wait_ns: u64,
    /// How long an ack stays in its node's buffer. A crash loses what is there.
    pub(crate) ack_linger_ns: u64,
    /// Mean time between two crashes of a node; none: it never crashes.
    pub(crate) between_crashes_ns: Option<f64>,
    /// From a crash to the first request after it.
    pub(crate) restart_ns: u64,
    /// Simulated before anything is counted.
    pub(crate) warm_up_ns: u64,
    /// What is counted.
    pub(crate) span_ns: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            seed: 7,
            nodes: 1,
            workers: 4,
            job: JobTime::Exponential { mean_ns: 20.0 * MS as f64 },
            // CPU time of the client's side, measured: 2.75 to 3.5 us.
            overhead_ns: 3_500.0,
            offered_per_s: 0.0,
            costs: MEASURED,
            // Another machine in the same zone.
            round_trip_ns: 500 * US,
            max_in_flight: 4_096,
            prefetch_ns: 50.0 * MS as f64,
            prefetch_per_worker: 2,
            max_ack_pending: 100_000,
            max_waiting: 16 * 1024,
            retry_ns: 250 * MS,
            ack_wait_ns: 30 * S,
            // A kill lost up to 78 acks at about 100,000 a second.
            ack_linger_ns: 500 * US,
            between_crashes_ns: Some(3_600.0 * S as f64),
            restart_ns: 10 * S,
            // What the first crashes took is back by then.
            warm_up_ns: 35 * S,
            span_ns: 60 * S,
        }
    }
}

impl Settings {
    /// Jobs that a node does in a second when it never waits.
    pub(crate) fn node_per_s(&self) -> f64 {
        self.workers as f64 * 1e9 / (self.job.mean_ns() + self.overhead_ns)
    }

    /// What all workers do at most, less the time in which nodes are down.
    pub(crate) fn workers_per_s(&self) -> f64 {
        let up = match self.between_crashes_ns {
            Some(between) => between / (between + self.restart_ns as f64),
            None => 1.0,
        };
        self.nodes as f64 * self.node_per_s() * up
    }

    /// What a node wants to be queued or asked for, beside what runs. A node that knows its own rate is assumed: it takes
    /// a second of work to learn it.
    pub(crate) fn prefetch(&self) -> usize {
        let by_time = (self.prefetch_ns / 1e9 * self.node_per_s()) as usize;
        by_time.max(self.prefetch_per_worker * self.workers).clamp(1, self.max_in_flight)
    }

    /// What a node has at hand at most, queued and running.
    pub(crate) fn at_hand(&self) -> usize {
        (self.workers + self.prefetch()).min(self.max_in_flight)
    }

    /// So much room is asked for in one request, so that requests are few beside messages.
    pub(crate) fn ask_from(&self) -> usize {
        (self.prefetch() / 2).max(1)
    }

    /// What one job costs the stream in all, its share of a pull request included.
    pub(crate) fn stream_ns_per_job(&self) -> f64 {
        let Costs { publish_ns, deliver_ns, ack_ns, pull_ns } = self.costs;
        (publish_ns + deliver_ns + ack_ns) as f64 + pull_ns as f64 / self.ask_from() as f64
    }

    /// What one stream does at most.
    pub(crate) fn stream_per_s(&self) -> f64 {
        let ns = self.stream_ns_per_job();
        if ns > 0.0 { 1e9 / ns } else { f64::INFINITY }
    }
}
