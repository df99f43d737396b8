//! Which worker gets the next connection.

/// How connections are shared out over the workers.
///
/// ```
/// use millpond::net::{self, Balance};
/// use std::net::{SocketAddr, TcpListener};
///
/// async fn handle(_stream: monoio::net::TcpStream, _peer: SocketAddr) {}
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let server = net::serve(&pool, TcpListener::bind("127.0.0.1:0")?, Balance::ReusePort, handle)?;
/// # server.shutdown_blocking(); Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Balance {
    /// To the worker with the fewest open connections; among several with as few, to each in turn.
    ///
    /// The counts are those of this instant, of this server: a connection counts from its accept to the end of its handler.
    /// One thread accepts, so no two choices are made by the same counts.
    #[default]
    LeastConnections,
    /// To each worker in turn, however long connections stay.
    RoundRobin,
    /// The kernel chooses, by a hash of the addresses: a listener for each worker on the same port (`SO_REUSEPORT`, see
    /// socket(7)), from which the worker itself accepts. TCP only.
    ///
    /// For very many short connections, where one thread that accepts is too little. With few, or long ones, some workers
    /// get several times what others get, and a worker that computes leaves its own waiting.
    ///
    /// The added listeners have the first one's address, `SO_REUSEADDR`, `TCP_NODELAY` and keep-alive, and no other option of
    /// its own. Accepting is a task on each worker, so a pool with a
    /// [limit of tasks](crate::Builder::max_tasks_per_worker) is refused.
    ReusePort,
}

/// Chooses worker after worker.
#[derive(Debug)]
pub(super) struct Chooser {
    least: bool,
    /// Where the next search begins: behind the last one that got a connection, so that equals take turns. One that always
    /// began at the first worker would give it more than its share.
    next: usize,
}

impl Chooser {
    pub(super) fn new(balance: Balance) -> Chooser {
        Chooser { least: balance != Balance::RoundRobin, next: 0 }
    }

    /// The worker for the next connection. `open` gives the connections of a worker, or `None` for one that takes none now.
    /// `None`: no worker takes one.
    pub(super) fn choose(&self, workers: usize, open: impl Fn(usize) -> Option<usize>) -> Option<usize> {
        let in_turn = (0..workers).map(|step| (self.next + step) % workers);
        let mut candidates = in_turn.filter_map(|worker| Some((open(worker)?, worker)));
        // The first of equals.
        let chosen = if self.least { candidates.min_by_key(|(open, _)| *open) } else { candidates.next() };
        chosen.map(|(_, worker)| worker)
    }

    /// The worker got it.
    pub(super) fn chose(&mut self, worker: usize) {
        self.next = worker + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(balance: Balance, count: usize, open: impl Fn(usize, &[usize]) -> Option<usize>) -> Vec<usize> {
        let (mut chooser, mut chosen) = (Chooser::new(balance), Vec::new());
        for _ in 0..count {
            if let Some(worker) = chooser.choose(3, |worker| open(worker, &chosen)) {
                chooser.chose(worker);
                chosen.push(worker);
            }
        }
        chosen
    }

    #[test]
    fn equals_take_turns() {
        assert_eq!(chosen(Balance::LeastConnections, 7, |_, _| Some(5)), [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn the_least_is_chosen_wherever_it_stands() {
        let open = |worker, chosen: &[usize]| {
            Some([3, 1, 2][worker] + chosen.iter().filter(|&&known| known == worker).count())
        };
        let chosen = chosen(Balance::LeastConnections, 6, open);
        assert_eq!(chosen[..3], [1, 2, 1], "one with 1, then the first of those with 2, in turn");
        let count = |worker| chosen.iter().filter(|&&known| known == worker).count();
        assert_eq!([count(0), count(1), count(2)], [1, 3, 2], "all have 4");
    }

    #[test]
    fn round_robin_goes_by_turns_alone_and_passes_over_the_full() {
        assert_eq!(chosen(Balance::RoundRobin, 4, |worker, _| Some(worker)), [0, 1, 2, 0]);
        assert_eq!(chosen(Balance::RoundRobin, 4, |worker, _| (worker != 1).then_some(0)), [0, 2, 0, 2]);
    }

    #[test]
    fn there_may_be_none() {
        assert_eq!(chosen(Balance::LeastConnections, 2, |_, _| None), []);
    }
}
