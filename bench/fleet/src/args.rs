//! The command line.

use std::path::PathBuf;

use lexopt::{Arg, Error, Parser, ValueExt};

use crate::settings::{JobTime, MS, S, Settings};

pub(crate) const HELP: &str = "\
A simulated fleet: consumers with pools of workers behind one JetStream stream, or behind several.

Usage: cargo xtask bench fleet [OPTIONS]

Without options: the fleets of the committed report, which they make anew. With any of these, fleets of your own:
  --consumers N[,…]      nodes; by default 10,30,100,300,1000,3000,10000
  --streams N            partitions; by default as many as leave each stream room
  --keys N               jobs go to partitions by so many equally busy keys; by default by a key each
  --workers N            workers of a node                                        4
  --job-ms MS            how long a job computes, in the mean                     20
  --job-time NAME        exponential, pareto or fixed                             exponential
  --load SHARE           what is published, by what the workers can do            0.8
  --rtt-ms MS            there and back between a node and the server             0.5
  --max-in-flight N      what a node has at hand at most, queued and running     4096
  --prefetch-ms MS       what a node keeps queued, as time at its own rate        50
  --max-ack-pending N    delivered and not acked, of each stream                  100000
  --max-waiting N        pull requests that may wait at a stream                  16384
  --ack-wait-s S         when what a dead node had is delivered again             30
  --crash-every-s S      mean time between two crashes of a node; 0: never        3600
  --restart-s S          how long a node is down then                             10
  --publish-us, --deliver-us, --ack-us, --pull-us US
                         the server's time for each, as `--measure` tells it
  --seconds S            what is counted, after the warm-up                       60
  --seed N               another seed, other chances                              7

Other things to do:
  --measure              what a real nats-server spends on a message here: NATS_SERVER, or the one in PATH
                         with --consumers and others of the above: that fleet for real, its jobs being waits,
                         beside its simulation
  --replicas N           with --measure: a stream on so many servers, all of them here          1
  --report FILE          simulates nothing: makes REPORT.md of these rows
  --page FILE            with the above, and without options: the tables of this page too
  --check                with --report: writes nothing, and fails if a file is not as the rows have it
  --out FILE             where the rows go
";

/// What to do.
#[derive(Debug)]
pub(crate) enum Args {
    Help,
    Simulate(Box<Simulate>),
    Beside(Box<Simulate>),
    Measure { replicas: usize },
    Report { rows: PathBuf, page: Option<PathBuf>, check: bool },
}

/// Which fleets, and where their rows go.
#[derive(Debug, Clone)]
pub(crate) struct Simulate {
    /// Fleets of the caller's, and not those of the report.
    pub(crate) is_own: bool,
    pub(crate) consumers: Vec<usize>,
    pub(crate) streams: Option<usize>,
    pub(crate) keys: Option<u64>,
    pub(crate) load: f64,
    pub(crate) settings: Settings,
    pub(crate) out: Option<PathBuf>,
    pub(crate) page: Option<PathBuf>,
}

impl Args {
    pub(crate) fn parse(mut parser: Parser) -> Result<Self, Error> {
        let mut simulate = Simulate {
            is_own: false,
            consumers: Vec::new(),
            streams: None,
            keys: None,
            load: 0.8,
            settings: Settings::default(),
            out: None,
            page: None,
        };
        let (mut report, mut check) = (None, false);
        let (mut measure, mut replicas) = (false, 1);
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Short('h') | Arg::Long("help") => return Ok(Args::Help),
                Arg::Long("measure") => measure = true,
                Arg::Long("replicas") => replicas = at_least_one("replicas", &mut parser)?,
                Arg::Long("report") => report = Some(parser.value()?.into()),
                Arg::Long("page") => simulate.page = Some(parser.value()?.into()),
                Arg::Long("out") => simulate.out = Some(parser.value()?.into()),
                Arg::Long("check") => check = true,
                Arg::Long(option) => {
                    let option = option.to_owned();
                    simulate.is_own = true;
                    simulate.option(&option, &mut parser)?;
                }
                other => return Err(other.unexpected()),
            }
        }
        if measure && simulate.is_own {
            return Ok(Args::Beside(Box::new(simulate)));
        }
        if measure {
            return Ok(Args::Measure { replicas });
        }
        match report {
            Some(rows) => Ok(Args::Report { rows, page: simulate.page, check }),
            None if check => Err("--check goes with --report".into()),
            None => Ok(Args::Simulate(Box::new(simulate))),
        }
    }
}

impl Simulate {
    fn option(&mut self, option: &str, parser: &mut Parser) -> Result<(), Error> {
        let settings = &mut self.settings;
        let mut number = |unit: f64| positive(option, parser).map(|value| value * unit);
        match option {
            "consumers" => {
                for word in parser.value()?.string()?.split(',') {
                    let count = word.parse().ok().filter(|&count| count > 0);
                    self.consumers
                        .push(count.ok_or_else(|| format!("--consumers: `{word}` is no number of nodes"))?);
                }
            }
            "streams" => self.streams = Some(at_least_one(option, parser)?),
            "keys" => self.keys = Some(at_least_one(option, parser)? as u64),
            "workers" => settings.workers = at_least_one(option, parser)?,
            "job-ms" => settings.job = settings.job.with_mean_ns(number(MS as f64)?),
            "job-time" => settings.job = job_time(&parser.value()?.string()?, settings.job.mean_ns())?,
            "load" => self.load = number(1.0)?,
            "rtt-ms" => settings.round_trip_ns = number(MS as f64)? as u64,
            "prefetch-ms" => settings.prefetch_ns = number(MS as f64)?,
            "max-in-flight" => settings.max_in_flight = at_least_one(option, parser)?,
            "max-ack-pending" => settings.max_ack_pending = at_least_one(option, parser)?,
            "max-waiting" => settings.max_waiting = at_least_one(option, parser)?,
            "ack-wait-s" => settings.ack_wait_ns = number(S as f64)? as u64,
            "crash-every-s" => settings.between_crashes_ns = Some(number(S as f64)?).filter(|&ns| ns > 0.0),
            "restart-s" => settings.restart_ns = number(S as f64)? as u64,
            "publish-us" => settings.costs.publish_ns = number(1e3)? as u64,
            "deliver-us" => settings.costs.deliver_ns = number(1e3)? as u64,
            "ack-us" => settings.costs.ack_ns = number(1e3)? as u64,
            "pull-us" => settings.costs.pull_ns = number(1e3)? as u64,
            "seconds" => settings.span_ns = number(S as f64)? as u64,
            "seed" => settings.seed = parser.value()?.parse()?,
            other => return Err(Arg::Long(other).unexpected()),
        }
        Ok(())
    }
}

fn positive(option: &str, parser: &mut Parser) -> Result<f64, Error> {
    let value: f64 = parser.value()?.parse()?;
    if value.is_finite() && value >= 0.0 {
        Ok(value)
    } else {
        Err(format!("--{option}: {value} is no amount").into())
    }
}

fn at_least_one(option: &str, parser: &mut Parser) -> Result<usize, Error> {
    let value: usize = parser.value()?.parse()?;
    if value > 0 { Ok(value) } else { Err(format!("--{option}: 0 is too few").into()) }
}

fn job_time(name: &str, mean_ns: f64) -> Result<JobTime, String> {
    match name {
        "exponential" => Ok(JobTime::Exponential { mean_ns }),
        "pareto" => Ok(JobTime::Pareto { mean_ns }),
        "fixed" => Ok(JobTime::Fixed { ns: mean_ns }),
        other => Err(format!("no job time is called `{other}`; there are exponential, pareto, fixed")),
    }
}
