//! What is on its way: things that take equally long, and so arrive in the order in which they were sent.

use std::collections::VecDeque;

/// Things under way, each with the time of its arrival.
#[derive(Debug)]
pub(crate) struct Wire<T> {
    under_way: VecDeque<(u64, T)>,
}

impl<T> Wire<T> {
    pub(crate) fn new() -> Self {
        Wire { under_way: VecDeque::new() }
    }

    /// `at_ns` is never before that of what was sent earlier.
    pub(crate) fn send(&mut self, at_ns: u64, thing: T) {
        debug_assert!(self.under_way.back().is_none_or(|(last, _)| *last <= at_ns));
        self.under_way.push_back((at_ns, thing));
    }

    /// When the next arrives.
    pub(crate) fn next_ns(&self) -> u64 {
        self.under_way.front().map_or(u64::MAX, |(at, _)| *at)
    }

    pub(crate) fn arrive(&mut self) -> T {
        self.under_way.pop_front().expect("something is under way: its time was asked for").1
    }

    pub(crate) fn len(&self) -> usize {
        self.under_way.len()
    }
}
