//! kanal on monoio by hand: one message at a time, and by `drain_into`.

use kanal::{AsyncReceiver, Sender};

use super::monoio::Monoio;
use crate::channel::{Channel, Ends};
use crate::contender::Contender;

pub(crate) fn contenders() -> Vec<Contender> {
    vec![
        Contender::named("kanal").channel::<Kanal>(),
        Contender::named("kanal-drain").channel::<KanalDrain>(),
    ]
}

/// The driver is a plain thread: kanal's sender that blocks, and its receiver that awaits.
#[derive(Debug)]
struct KanalEnds;

impl Ends for KanalEnds {
    type Sender<M: Send + 'static> = Sender<M>;
    type Receiver<M: Send + 'static> = AsyncReceiver<M>;

    fn open<M: Send + 'static>(capacity: Option<usize>) -> (Sender<M>, AsyncReceiver<M>) {
        let (sender, receiver) = capacity.map_or_else(kanal::unbounded, kanal::bounded);
        (sender, receiver.to_async())
    }

    fn send<M: Send + 'static>(sender: &Sender<M>, message: M) {
        assert!(sender.send(message).is_ok(), "the receivers live");
    }
}

#[derive(Debug)]
struct Kanal;

impl Channel for Kanal {
    type Host = Monoio;
    type Ends = KanalEnds;

    async fn receive<M, E>(receiver: AsyncReceiver<M>, mut each: E)
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

/// The loop on the page of `drain_into`.
#[derive(Debug)]
struct KanalDrain;

impl Channel for KanalDrain {
    type Host = Monoio;
    type Ends = KanalEnds;

    async fn receive<M, E>(receiver: AsyncReceiver<M>, mut each: E)
    where
        M: Send + 'static,
        E: FnMut(M) + 'static,
    {
        let mut messages = Vec::with_capacity(1024);
        // Ended by a message, or by the drop of the sender.
        while let Ok(message) = receiver.recv().await {
            each(message);
            while receiver.drain_into(&mut messages).is_ok_and(|count| count > 0) {
                messages.drain(..).for_each(&mut each);
            }
        }
    }
}
