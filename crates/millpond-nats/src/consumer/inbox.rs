//! Where the messages of the pulls arrive: one subscription for as long as a connection lasts.

use super::pulls::{Arrival, Pulls};
use crate::Client;
use async_nats::{Message, Subscriber, client::SubscribeError};
use bytes::Bytes;
use futures_util::Stream;
use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

/// Taken in one go, and then handed to the pool. Enough for one look at the clock and one at the room not to count among them.
const CHUNK: usize = 256;

/// Of one connection. A new one has a new inbox: what the server still knows of the old one's pulls then goes nowhere, and
/// comes again.
#[derive(Debug)]
pub(super) struct Inbox {
    nats: async_nats::Client,
    subscriber: Subscriber,
    /// The server sends here what is pulled.
    pull: String,
    /// We send here ourselves, to see what came before.
    marker: String,
    /// Where messages are asked for.
    next: String,
    pulls: Pulls,
}

impl Inbox {
    pub(super) async fn open(client: &Client, next: String) -> Result<Inbox, SubscribeError> {
        let nats = client.nats();
        let base = nats.new_inbox();
        // Ended by the connection's task, which takes what is in its channel.
        let subscriber = nats.subscribe(format!("{base}.*")).await?;
        let (pull, marker) = (format!("{base}.pull"), format!("{base}.marker"));
        Ok(Inbox { nats, subscriber, pull, marker, next, pulls: Pulls::default() })
    }

    /// Messages that were asked for, and have not come.
    pub(super) fn credit(&self) -> usize {
        self.pulls.credit()
    }

    /// Asks for so many.
    pub(super) async fn pull(&mut self, messages: usize) {
        let request = self.pulls.request(messages);
        // Ended as the subscription is. If the connection has ended for good, the subscription tells.
        let _ = self.nats.publish_with_reply(self.next.clone(), self.pull.clone(), request).await;
    }

    /// Has the server send back a marker.
    pub(super) async fn mark(&self) {
        let _ = self.nats.publish(self.marker.clone(), Bytes::new()).await;
    }

    /// Waits for what has come. False: nothing will any more.
    ///
    /// # Cancel safety
    /// Dropped before its end, it has taken nothing.
    pub(super) async fn arrivals(&mut self, arrivals: &mut Vec<Arrival>) -> bool {
        // Ended by the connection's task, as messages come, or when the connection or the subscription has ended.
        poll_fn(|cx| self.poll_arrivals(cx, arrivals)).await
    }

    fn poll_arrivals(&mut self, cx: &mut Context<'_>, arrivals: &mut Vec<Arrival>) -> Poll<bool> {
        while arrivals.len() < CHUNK {
            match Pin::new(&mut self.subscriber).poll_next(cx) {
                Poll::Ready(Some(message)) => arrivals.push(self.arrived(message)),
                Poll::Ready(None) if arrivals.is_empty() => return Poll::Ready(false),
                Poll::Pending if arrivals.is_empty() => return Poll::Pending,
                // With the waker left behind, which is of no harm.
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        Poll::Ready(true)
    }

    fn arrived(&mut self, message: Message) -> Arrival {
        self.pulls.arrived(message, &self.marker)
    }

    /// What has come already, and no more.
    pub(super) fn rest(mut self, arrivals: &mut Vec<Arrival>) {
        let mut context = Context::from_waker(std::task::Waker::noop());
        while let Poll::Ready(Some(message)) = Pin::new(&mut self.subscriber).poll_next(&mut context) {
            let arrival = self.arrived(message);
            arrivals.push(arrival);
        }
    }

    /// Ends the subscription, and with it the pulls. What the server has sent until then still comes, and then the end.
    pub(super) async fn close(&mut self) {
        // Ended by the connection's task; a connection that has ended has ended the subscription.
        let _ = self.subscriber.drain().await;
    }
}
