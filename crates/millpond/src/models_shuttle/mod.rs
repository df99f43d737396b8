//! Models of whole pools, on the driver without I/O: shuttle runs them in random orders of their steps.
//!
//! Run by `cargo xtask shuttle`. What loom shows of each protocol in every order, these show of all of them together, in
//! many: no order may hang, lose a job or count it twice. shuttle takes every atomic for sequentially consistent, so what
//! rests on weaker orders is for loom alone.

mod lossy;
mod pool;

use crate::{Driver, JoinError, Pin, Pool, Receipt};
use shuttle::{
    Config, MaxSteps, Runner,
    scheduler::{PctScheduler, RandomScheduler},
};

/// Orders tried of each model, in each of two ways, unless `MILLPOND_SHUTTLE_ORDERS` says how many: a minute for
/// all the models.
const ORDERS: usize = 20_000;
/// How often the second way lets another thread come in before its turn. The faults that need more are rare.
const PREEMPTIONS: usize = 3;
/// Without optimisation the frames of a pool take more than shuttle's 32 KiB.
const STACK_BYTES: usize = 256 << 10;
/// Far more than any model takes; a thread that runs in circles gets there.
const MOST_STEPS: usize = 1_000_000;

fn explore(model: fn()) {
    let orders = std::env::var("MILLPOND_SHUTTLE_ORDERS").ok();
    let orders = orders.map_or(ORDERS, |orders| orders.parse().expect("MILLPOND_SHUTTLE_ORDERS is a number"));
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.max_steps = MaxSteps::FailAfter(MOST_STEPS);
    // Of weak orders, which are loom's to try.
    config.silence_warnings = true;
    Runner::new(RandomScheduler::new(orders), config.clone()).run(model);
    Runner::new(PctScheduler::new(PREEMPTIONS, orders), config).run(model);
}

fn pool(workers: usize) -> Pool {
    Pool::builder()
        .worker_threads(workers)
        .pin(Pin::None)
        .driver(Driver::Park)
        .build()
        .expect("a pool starts")
}

/// What the handles said: each is asked once.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answers {
    completed: u64,
    aborted: u64,
    shut_down: u64,
}

impl Answers {
    fn add<T>(&mut self, answer: &Result<T, JoinError>) {
        match answer {
            Ok(_) => self.completed += 1,
            Err(error) if error.is_aborted() => self.aborted += 1,
            Err(error) if error.is_shutdown() => self.shut_down += 1,
            Err(error) => panic!("no job here ends like this: {error}"),
        }
    }

    /// The receipt says the same. A job that was refused had its answer and was never accepted.
    fn assert_agree(&self, receipt: Receipt) {
        assert_eq!((receipt.completed, receipt.aborted), (self.completed, self.aborted), "{receipt:?}");
        assert_eq!(receipt.panicked, 0, "{receipt:?}");
        assert!(receipt.cut_off + receipt.never_started <= self.shut_down, "{receipt:?}, {self:?}");
    }
}
