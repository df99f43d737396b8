//! A typed job, its answer, and the proof of an answer.

use std::ops::RangeInclusive;

/// One division in so many is by zero.
const DIVISIONS_A_ZERO: u64 = 16;

/// The same jobs in every run.
const SEED: u64 = 0x6d69_6c6c_706f_6e64;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Add,
    Sub,
    Mul,
    Div,
}

/// The operands are half as wide as the answer, so nothing overflows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    /// From 1.
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    left: i32,
    right: i32,
}

/// Why a job has no number for an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DivisionByZero;

pub(crate) type Answer = Result<i64, DivisionByZero>;

impl Job {
    pub(crate) fn answer(&self) -> Answer {
        let (left, right) = self.operands();
        match self.kind {
            Kind::Add => Ok(left + right),
            Kind::Sub => Ok(left - right),
            Kind::Mul => Ok(left * right),
            Kind::Div => left.checked_div(right).ok_or(DivisionByZero),
        }
    }

    /// Whether this is the answer, by the inverse operation.
    pub(crate) fn is_proven_by(&self, answer: Answer) -> bool {
        let (left, right) = self.operands();
        match (self.kind, answer) {
            (Kind::Add, Ok(sum)) => sum - right == left,
            (Kind::Sub, Ok(difference)) => difference + right == left,
            (Kind::Mul, Ok(product)) if right == 0 => product == 0,
            (Kind::Mul, Ok(product)) => product % right == 0 && product / right == left,
            (Kind::Div, Ok(quotient)) => {
                // Rounded towards zero: the remainder is smaller than the divisor and has the sign of the dividend.
                let remainder = left - quotient * right;
                remainder.abs() < right.abs() && remainder.signum() * left.signum() >= 0
            }
            (Kind::Div, Err(DivisionByZero)) => right == 0,
            (_, Err(DivisionByZero)) => false,
        }
    }

    fn operands(&self) -> (i64, i64) {
        (self.left.into(), self.right.into())
    }
}

/// Draws jobs one by one.
#[derive(Debug)]
pub(crate) struct Jobs {
    numbers: RangeInclusive<u64>,
    random: SplitMix64,
}

impl Jobs {
    pub(crate) fn new(count: u64) -> Self {
        Self { numbers: 1..=count, random: SplitMix64(SEED) }
    }
}

impl Iterator for Jobs {
    type Item = Job;

    fn next(&mut self) -> Option<Job> {
        let number = self.numbers.next()?;
        let (choice, operands) = (self.random.next(), self.random.next());
        let kind = match choice % 4 {
            0 => Kind::Add,
            1 => Kind::Sub,
            2 => Kind::Mul,
            _ => Kind::Div,
        };
        let zero = matches!(kind, Kind::Div) && choice / 4 % DIVISIONS_A_ZERO == 0;
        let right = if zero { 0 } else { operands as i32 };
        Some(Job { number, kind, left: (operands >> 32) as i32, right })
    }
}

/// Vigna's generator: a counter that goes in steps of the golden ratio, mixed.
#[derive(Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }
}

/// Spreads each bit over all of them.
pub(crate) fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
