//! A durable consumer of a stream, whose messages are jobs of a pool.

mod acks;
mod builder;
mod counts;
mod dead_letters;
mod done;
mod handed;
mod in_flight;
mod inbox;
mod intake;
mod prefetch;
mod pulls;
mod room;
mod shared;
mod stopping;

pub use builder::ConsumerBuilder;
pub use counts::{ConsumerMetrics, End, Receipt};

use crate::Client;
use intake::Intake;
use shared::Shared;
use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};
use stopping::Grace;
use tokio::sync::{oneshot, watch};

/// A consumer at work: it pulls the messages of a stream, and each is a job of the pool.
///
/// Dropping it stops it, and waits for nothing: it pulls no more, what has not begun goes back to the server at once, and what
/// runs goes on to its end and its ack, as long as the pool and the process last. [`stop`](Self::stop) waits for that, and says
/// what came of everything.
///
/// ```no_run
/// use millpond_nats::{Client, Consumer, Failure, Job};
///
/// # #[derive(serde::Deserialize)] struct Resize { path: String }
/// # async fn resize(_: Resize) -> std::io::Result<()> { Ok(()) }
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().build()?;
/// let client = Client::connect("nats://localhost:4222").await?;
/// let consumer = Consumer::builder(&client, "JOBS", "resizers")
///     .run(&pool, |job: Job| async move {
///         resize(job.decode()?).await?; // an error is another try
///         Ok::<(), Failure>(())
///     })
///     .await?;
/// // … until the process is to end:
/// let receipt = consumer.stop().await;
/// println!("{} done, {} given back", receipt.acked, receipt.returned + receipt.cut_off);
/// # Ok(()) }
/// ```
///
/// # What is promised
///
/// Each message runs at least once, and is never lost: it stays in the stream until the server has its ack, or the dead letters
/// have it. It runs a second time only if the ack of the first did not reach the server: the process or the machine died
/// between the handler's effect and the ack, or the server did. Within one process even that is known, and answered without a
/// run. For effects that must not be doubled see [`Job::sequence`](crate::Job::sequence).
/// # How it is, and how it ends
///
/// ```no_run
/// use millpond_nats::{Consumer, ConsumerMetrics, End, Receipt};
/// use std::time::Duration;
///
/// # async fn watch(consumer: Consumer, other: Consumer) {
/// let metrics: ConsumerMetrics = consumer.metrics();
/// println!("{} in its hands, {} over", metrics.in_flight(), metrics.ended());
/// consumer.stop_within(Duration::from_secs(5)).await;
///
/// let receipt: Receipt = other.ended().await; // by itself: somebody has deleted the stream, say
/// if let End::Deleted(what) = &receipt.end {
///     println!("{what}; {} were done", receipt.acked);
/// }
/// # }
/// ```
#[must_use = "dropped, it stops"]
pub struct Consumer {
    shared: Arc<Shared>,
    stop_timeout: Duration,
    /// Says how to stop. Dropped without a word: as said above.
    stop: oneshot::Sender<Grace>,
    /// Set at the end, once.
    receipt: watch::Receiver<Option<Receipt>>,
}

impl Consumer {
    /// A consumer by this durable name of the stream, which must be there. All consumers of the name, wherever they are, share
    /// the stream's messages.
    pub fn builder(
        client: &Client,
        stream: impl Into<String>,
        durable: impl Into<String>,
    ) -> ConsumerBuilder {
        ConsumerBuilder::new(client.clone(), stream.into(), durable.into())
    }

    fn start(shared: Arc<Shared>, stop_timeout: Duration, intake: Intake) -> Consumer {
        let (stop, stopped) = oneshot::channel();
        let (report, receipt) = watch::channel(None);
        drop(shared.client.runtime().spawn(live(intake, stop_timeout, stopped, report)));
        Consumer { shared, stop_timeout, stop, receipt }
    }

    /// What it has done so far, and has in its hands.
    pub fn metrics(&self) -> ConsumerMetrics {
        self.shared.counts.read()
    }

    /// Stops: pulls no more, gives back what has not begun, so that others get it at once, and waits for what runs, up to the
    /// [`stop_timeout`](ConsumerBuilder::stop_timeout). What still runs then is given back as well, and its job aborted.
    ///
    /// # Cancel safety
    /// Dropped before its end, the stop goes on all the same.
    pub async fn stop(self) -> Receipt {
        let timeout = self.stop_timeout;
        self.stop_within(timeout).await
    }

    /// As [`stop`](Self::stop), within another time.
    pub async fn stop_within(self, timeout: Duration) -> Receipt {
        let now = Instant::now();
        let grace = now.checked_add(timeout).map_or(Grace::Unlimited, Grace::Until);
        let Consumer { stop, receipt, .. } = self;
        // Nobody listens if it has ended by itself.
        let _ = stop.send(grace);
        received(receipt).await
    }

    /// Waits until it ends by itself: the pool has closed, or the stream is no more. What was in its hands has been answered.
    ///
    /// # Cancel safety
    /// Dropped before its end, it has done nothing.
    pub async fn ended(&self) -> Receipt {
        received(self.receipt.clone()).await
    }
}

async fn received(mut receipt: watch::Receiver<Option<Receipt>>) -> Receipt {
    // Ended by the intake's task, which sets it when it ends; the client that it holds keeps its thread until then.
    let receipt = receipt.wait_for(Option::is_some).await.map(|receipt| receipt.clone());
    receipt.ok().flatten().expect("the intake ends with a receipt")
}

/// The whole life of a consumer, on the client's thread.
async fn live(
    mut intake: Intake,
    stop_timeout: Duration,
    mut stopped: oneshot::Receiver<Grace>,
    report: watch::Sender<Option<Receipt>>,
) {
    let mut grace = Grace::Unlimited;
    let stop = async { grace = (&mut stopped).await.unwrap_or(Grace::Unlimited) };
    let end = intake.serve(stop).await;
    if end != End::Stopped {
        grace = Grace::Until(Instant::now() + stop_timeout);
    }
    let receipt = intake.stop(end, grace).await;
    report.send_replace(Some(receipt));
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("stream", &self.shared.stream)
            .field("durable", &self.shared.durable)
            .field("metrics", &self.metrics())
            .finish_non_exhaustive()
    }
}
