//! crossfire on monoio by hand. Its bounded and its unbounded channel are two types.

use crossfire::{MAsyncRx, MTx, detect_backoff_cfg, mpmc};

use super::monoio::Monoio;
use crate::channel::{Channel, Ends};
use crate::contender::Contender;

pub(crate) fn contenders() -> Vec<Contender> {
    vec![Contender::named("crossfire").channel::<Crossfire>()]
}

#[derive(Debug)]
struct Crossfire;

#[derive(Debug)]
enum Sender<M: Send + 'static> {
    Bounded(MTx<mpmc::Array<M>>),
    Unbounded(MTx<mpmc::List<M>>),
}

enum Receiver<M: Send + 'static> {
    Bounded(MAsyncRx<mpmc::Array<M>>),
    Unbounded(MAsyncRx<mpmc::List<M>>),
}

impl<M: Send + 'static> Clone for Receiver<M> {
    fn clone(&self) -> Self {
        match self {
            Receiver::Bounded(receiver) => Receiver::Bounded(receiver.clone()),
            Receiver::Unbounded(receiver) => Receiver::Unbounded(receiver.clone()),
        }
    }
}

impl Ends for Crossfire {
    type Sender<M: Send + 'static> = Sender<M>;
    type Receiver<M: Send + 'static> = Receiver<M>;

    fn open<M: Send + 'static>(capacity: Option<usize>) -> (Sender<M>, Receiver<M>) {
        // On the crate's page: up to twice as fast on virtual machines.
        detect_backoff_cfg();
        match capacity {
            Some(capacity) => {
                let (sender, receiver) = mpmc::bounded_blocking_async(capacity);
                (Sender::Bounded(sender), Receiver::Bounded(receiver))
            }
            None => {
                let (sender, receiver) = mpmc::unbounded_async();
                (Sender::Unbounded(sender), Receiver::Unbounded(receiver))
            }
        }
    }

    fn send<M: Send + 'static>(sender: &Sender<M>, message: M) {
        let sent = match sender {
            Sender::Bounded(sender) => sender.send(message).is_ok(),
            Sender::Unbounded(sender) => sender.send(message).is_ok(),
        };
        assert!(sent, "the receivers live");
    }
}

impl Channel for Crossfire {
    type Host = Monoio;
    type Ends = Self;

    async fn receive<M, E>(receiver: Receiver<M>, mut each: E)
    where
        M: Send + 'static,
        E: FnMut(M) + 'static,
    {
        // Each ended by a message, or by the drop of the sender.
        match receiver {
            Receiver::Bounded(receiver) => {
                while let Ok(message) = receiver.recv().await {
                    each(message);
                }
            }
            Receiver::Unbounded(receiver) => {
                while let Ok(message) = receiver.recv().await {
                    each(message);
                }
            }
        }
    }
}
