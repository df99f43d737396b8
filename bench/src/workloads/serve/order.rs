//! What the client's process is told: whom to ask, and what.

use std::net::SocketAddr;

use super::WORKLOAD;
use crate::measure::{Case, Size};

/// A client's work, as words of a command line.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(super) case: Case,
    pub(super) address: SocketAddr,
    /// That a heavy request asks for.
    pub(super) heavy_steps: u64,
    /// How many CPUs the server's workers have.
    pub(super) server_cpus: usize,
    /// The client's: it has one thread on each.
    pub(super) client_cpus: Vec<usize>,
}

impl Order {
    pub(crate) const WORDS: usize = 7;

    /// The server has the first of `cpus`, one for each worker, and the client as many of the others. Where no others are,
    /// both share them all, so that the client is in no worker's way more than in another's.
    pub(super) fn of(case: Case, heavy_steps: u64, cpus: &[usize], address: SocketAddr) -> Self {
        let server_cpus = case.workers.min(cpus.len());
        let others = &cpus[server_cpus..];
        let client_cpus = if others.is_empty() { cpus } else { others };
        let client_cpus = client_cpus.iter().copied().take(case.workers).collect();
        Order { case, address, heavy_steps, server_cpus, client_cpus }
    }

    pub(super) fn words(&self) -> [String; Self::WORDS] {
        let cpus: Vec<String> = self.client_cpus.iter().map(usize::to_string).collect();
        [
            self.case.variant.to_owned(),
            self.case.workers.to_string(),
            self.case.size.name().to_owned(),
            self.address.to_string(),
            self.heavy_steps.to_string(),
            self.server_cpus.to_string(),
            cpus.join(","),
        ]
    }

    pub(crate) fn from_words(words: [String; Self::WORDS]) -> Result<Self, String> {
        let [variant, workers, size, address, heavy_steps, server_cpus, client_cpus] = words;
        let variant = WORKLOAD.variants.iter().find(|known| **known == variant);
        let size = Size::named(&size)?;
        Ok(Order {
            case: Case { variant: variant.ok_or("no such load")?, workers: number(&workers)?, size },
            address: address.parse().map_err(|error| format!("`{address}`: {error}"))?,
            heavy_steps: number(&heavy_steps)?,
            server_cpus: number(&server_cpus)?,
            client_cpus: client_cpus.split(',').map(number).collect::<Result<_, _>>()?,
        })
    }
}

fn number<N: std::str::FromStr>(word: &str) -> Result<N, String> {
    word.parse().map_err(|_| format!("`{word}` is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(cpus: &[usize], workers: usize) -> Order {
        let case = Case { workers, variant: "load=even", size: Size::Smoke };
        Order::of(case, 7, cpus, SocketAddr::from(([127, 0, 0, 1], 80)))
    }

    #[test]
    fn the_client_has_the_cpus_that_the_server_has_not() {
        assert_eq!(order(&[0, 2, 4, 6, 8], 2).client_cpus, [4, 6]);
        assert_eq!(order(&[0, 2, 4], 2).client_cpus, [4]);
        assert_eq!(order(&[0, 1], 2).client_cpus, [0, 1], "there are no others");
        assert_eq!(order(&[0, 1], 4).client_cpus, [0, 1], "there are no others");
        assert_eq!((order(&[0, 1], 4).server_cpus, order(&[0, 1, 2], 2).server_cpus), (2, 2));
    }

    #[test]
    fn its_words_make_the_same_order() {
        let words = order(&[0, 1, 2, 3], 2).words();
        let again = Order::from_words(words.clone()).expect("an order");
        assert_eq!(again.words(), words);
    }
}
