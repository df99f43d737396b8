//! The program's arguments.

use lexopt::{
    Arg::{Long, Short},
    ValueExt,
};
use std::{process, time::Duration};

const HELP: &str = "\
Random work for millpond pools, with every job counted.

Usage: millpond-soak [--minutes N] [--seed S] [--workers W] [--round R] [--growth-mib G]

  --minutes N   how long, 1 if not given; may be a fraction
  --seed S      what the rounds are made from; by chance if not given, and printed
  --workers W   the most workers of a pool, 4 if not given
  --round R     the round to begin with, 0 if not given: a seed and a round's number bring that round back
  --growth-mib G
                what may come to be resident after the warm-up, 16 if not given, beside 1 KiB a round,
                which monoio keeps of its rings

What threads do to each other's time no seed brings back. The exit status is 0 if nothing was wrong, 1 if something
was, 2 if the arguments make no sense. If nothing moves for a minute, it says what was under way and aborts.";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Args {
    pub(crate) length: Duration,
    pub(crate) seed: u64,
    pub(crate) workers: usize,
    pub(crate) first_round: u64,
    pub(crate) growth_bytes: u64,
}

/// What an allocator's arenas differ by from round to round: rounds that chance has made larger than all of the warm-up's.
/// Seen were 2 MiB. A leak of one page in each round passes it within some minutes.
const GROWTH_BYTES: u64 = 16 << 20;

pub(crate) fn parse() -> Result<Args, lexopt::Error> {
    let mut args = Args {
        length: Duration::from_secs(60),
        seed: fastrand::u64(..),
        workers: 4,
        first_round: 0,
        growth_bytes: GROWTH_BYTES,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("minutes") => args.length = minutes(parser.value()?.parse()?)?,
            Long("seed") => args.seed = parser.value()?.parse()?,
            Long("workers") => args.workers = parser.value()?.parse::<usize>()?.max(1),
            Long("round") => args.first_round = parser.value()?.parse()?,
            Long("growth-mib") => args.growth_bytes = parser.value()?.parse::<u64>()? << 20,
            Long("help") | Short('h') => {
                println!("{HELP}");
                process::exit(0);
            }
            _ => return Err(arg.unexpected()),
        }
    }
    Ok(args)
}

fn minutes(count: f64) -> Result<Duration, lexopt::Error> {
    Duration::try_from_secs_f64(count * 60.0).map_err(|error| format!("--minutes {count}: {error}").into())
}
