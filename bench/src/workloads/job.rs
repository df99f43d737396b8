//! The typed jobs of `channel` and `compute`, their answers, and the sum that proves them.

use std::ops::{Add, Sub};

/// The same jobs in every run.
const SEED: u64 = 0x6d69_6c6c_706f_6e64;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Add,
    Sub,
    Mul,
    Div,
}

/// An operation on two operands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    kind: Kind,
    left: i64,
    right: i64,
}

/// How many answers were given, and their sum: a job that is lost, run twice or answered wrongly shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) jobs: u64,
    pub(crate) sum: i64,
}

impl Kind {
    fn of(number: u64) -> Self {
        match number {
            0 => Kind::Add,
            1 => Kind::Sub,
            2 => Kind::Mul,
            _ => Kind::Div,
        }
    }
}

impl Job {
    /// A division by zero answers zero.
    pub(crate) fn answer(&self) -> i64 {
        match self.kind {
            Kind::Add => self.left.wrapping_add(self.right),
            Kind::Sub => self.left.wrapping_sub(self.right),
            Kind::Mul => self.left.wrapping_mul(self.right),
            Kind::Div => self.left.checked_div(self.right).unwrap_or_default(),
        }
    }

    /// For what carries words and not types.
    pub(crate) fn to_words(self) -> [u64; 3] {
        [self.kind as u64, self.left as u64, self.right as u64]
    }

    pub(crate) fn from_words([kind, left, right]: [u64; 3]) -> Self {
        Job { kind: Kind::of(kind), left: left as i64, right: right as i64 }
    }
}

impl Tally {
    pub(crate) fn count(&mut self, answer: i64) {
        self.jobs += 1;
        self.sum = self.sum.wrapping_add(answer);
    }

    /// What is right, by one plain loop.
    pub(crate) fn expected(jobs: u64) -> Tally {
        let mut tally = Tally::default();
        self::jobs(jobs).for_each(|job| tally.count(job.answer()));
        tally
    }

    /// What is right where each job answers its own index.
    pub(super) fn of_indices(jobs: u64) -> Tally {
        let sum = (0..jobs).fold(0i64, |sum, index| sum.wrapping_add(index as i64));
        Tally { jobs, sum }
    }
}

impl Add for Tally {
    type Output = Tally;

    fn add(self, other: Tally) -> Tally {
        Tally { jobs: self.jobs + other.jobs, sum: self.sum.wrapping_add(other.sum) }
    }
}

impl Sub for Tally {
    type Output = Tally;

    fn sub(self, other: Tally) -> Tally {
        Tally { jobs: self.jobs - other.jobs, sum: self.sum.wrapping_sub(other.sum) }
    }
}

/// Draws `count` jobs: two steps of an LCG each, so that drawing costs next to nothing.
pub(crate) fn jobs(count: u64) -> impl Iterator<Item = Job> {
    let mut state = SEED;
    let mut draw = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state
    };
    (0..count).map(move |_| {
        let (first, second) = (draw(), draw());
        let kind = Kind::of(first >> 62);
        // Few bits on the right, so that some divisions are by zero.
        Job { kind, left: (first << 2) as i64 >> 20, right: (second >> 54) as i64 - 8 }
    })
}
