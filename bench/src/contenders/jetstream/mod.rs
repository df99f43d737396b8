//! Consumers of a stream of NATS JetStream.

mod alone;
mod bridge;
mod millpond;

use crate::contender::Contender;
use crate::workloads::jetstream::{Consumer, empty, latency, millisecond};
use alone::Alone;
use bridge::{AsyncChannel, Bridge, Chunk, Flume, One};
use millpond::Millpond;

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        consumer::<Millpond>("millpond-nats"),
        consumer::<Alone>("async-nats"),
        consumer::<Bridge<Flume, One>>("flume+async-nats"),
        consumer::<Bridge<AsyncChannel, One>>("async-channel+async-nats"),
        consumer::<Bridge<AsyncChannel, Chunk>>("chunks+async-nats"),
    ]
}

fn consumer<C: Consumer>(name: &'static str) -> Contender {
    Contender::named(name)
        .workload("jetstream", empty::<C>)
        .workload("jetstream-1ms", millisecond::<C>)
        .workload("jetstream-latency", latency::<C>)
}
