//! async-channel on monoio by hand.

use async_channel::{Receiver, Sender};

use super::monoio::Monoio;
use crate::channel::{Channel, Ends};
use crate::contender::Contender;

pub(crate) fn contenders() -> Vec<Contender> {
    vec![Contender::named("async-channel").channel::<AsyncChannel>()]
}

#[derive(Debug)]
struct AsyncChannel;

impl Ends for AsyncChannel {
    type Sender<M: Send + 'static> = Sender<M>;
    type Receiver<M: Send + 'static> = Receiver<M>;

    fn open<M: Send + 'static>(capacity: Option<usize>) -> (Sender<M>, Receiver<M>) {
        capacity.map_or_else(async_channel::unbounded, async_channel::bounded)
    }

    fn send<M: Send + 'static>(sender: &Sender<M>, message: M) {
        assert!(sender.send_blocking(message).is_ok(), "the receivers live");
    }
}

impl Channel for AsyncChannel {
    type Host = Monoio;
    type Ends = Self;

    async fn receive<M, E>(receiver: Receiver<M>, mut each: E)
    where
        M: Send + 'static,
        E: FnMut(M) + 'static,
    {
        // Ended by a message, or by the drop of the sender.
        while let Ok(message) = receiver.recv().await {
            each(message);
        }
    }
}
