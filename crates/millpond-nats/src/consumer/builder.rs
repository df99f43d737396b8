//! The settings of a consumer, and its start.

use super::{
    Consumer,
    acks::Acks,
    counts::Counts,
    dead_letters::DeadLetters,
    handed::{Hand, Hands},
    intake::{Api, Intake},
    room::Room,
    shared::{Settings, Shared},
};
use crate::{Client, ConsumerError, Failure, Job};
use async_nats::jetstream::consumer::{AckPolicy, pull};
use std::{future::Future, sync::Arc, time::Duration};

/// JetStream's own.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// The server's clock for redeliveries has a grain of some milliseconds, and progress has to reach it three times in it.
const SHORTEST_ACK_WAIT: Duration = Duration::from_millis(100);

/// A fault that passes is over after four more tries with the backoff below, some fifteen seconds.
const MAX_DELIVER: u64 = 5;

/// Doubled from try to try.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const DOUBLINGS: u32 = 6;

/// What 200,000 empty handlers a second get through in 20 ms, which hides the way to the server and back. It is as much as a
/// process that dies holds back from others until `ack_wait` is over.
const MAX_IN_FLIGHT: usize = 4096;

/// The client's subscription holds so many, and drops what comes beyond.
const MOST_IN_FLIGHT: usize = 64 * 1024;

/// For a fleet of a dozen consumers that all have their hands full, twice over: those that have died count until `ack_wait` is
/// over.
const MAX_ACK_PENDING: usize = 100_000;

/// An idle consumer has up to three pulls that wait, so this is for 5,000 consumers; the server's own 512 is for 170. Those beyond
/// are turned away, and ask again.
const MAX_WAITING: usize = 16 * 1024;

/// As orchestrators grant before they kill.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// The settings of a [`Consumer`]. Made by [`Consumer::builder`].
///
/// ```no_run
/// use millpond_nats::{Client, Consumer, Failure, Job};
/// use std::time::Duration;
///
/// # async fn run(client: Client, pool: millpond::Pool) -> Result<(), Box<dyn std::error::Error>> {
/// let consumer = Consumer::builder(&client, "JOBS", "resizers")
///     .filter_subject("jobs.resize.*")
///     // What a failure costs:
///     .max_deliver(4)
///     .backoff([1, 10, 60].map(Duration::from_secs))
///     .dead_letters("JOBS-DEAD")
///     // What a machine that dies costs, and an ack that is lost:
///     .ack_wait(Duration::from_secs(10))
///     .ack_sync(true)
///     // How much is here, and in the whole fleet:
///     .max_in_flight(256)
///     .max_ack_pending(10_000)
///     .max_waiting(1_000)
///     .stop_timeout(Duration::from_secs(20))
///     .run(&pool, |job: Job| async move { Ok::<(), Failure>(println!("{}", job.subject())) })
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `run`"]
pub struct ConsumerBuilder {
    client: Client,
    stream: String,
    durable: String,
    filter_subject: String,
    max_ack_pending: usize,
    max_waiting: usize,
    dead_letters: Option<String>,
    stop_timeout: Duration,
    settings: Settings,
}

impl ConsumerBuilder {
    pub(super) fn new(client: Client, stream: String, durable: String) -> ConsumerBuilder {
        ConsumerBuilder {
            client,
            stream,
            durable,
            filter_subject: String::new(),
            max_ack_pending: MAX_ACK_PENDING,
            max_waiting: MAX_WAITING,
            dead_letters: None,
            stop_timeout: STOP_TIMEOUT,
            settings: Settings {
                ack_wait: ACK_WAIT,
                ack_sync: false,
                max_deliver: MAX_DELIVER,
                max_in_flight: MAX_IN_FLIGHT,
                backoff: (0..=DOUBLINGS).map(|doublings| FIRST_BACKOFF * 2_u32.pow(doublings)).collect(),
            },
        }
    }

    /// Only messages of these subjects, with the wildcards `*` and `>`. By default all of the stream's. On a work queue the
    /// subjects of no two durable names may overlap.
    pub fn filter_subject(self, subject: impl Into<String>) -> ConsumerBuilder {
        ConsumerBuilder { filter_subject: subject.into(), ..self }
    }

    /// How long the server waits for a sign of life before it gives a message to others, 30 s by default. A consumer that is up
    /// shows one for all that it has in its hands, three times in this, however long a job takes and whether its worker
    /// computes or not. So it is how long the jobs of a process that died wait, and no limit to a job.
    ///
    /// What a process had done when it died, and had not acked, is done again: acks may be gathered for 10 ms.
    pub fn ack_wait(mut self, ack_wait: Duration) -> ConsumerBuilder {
        self.settings.ack_wait = ack_wait;
        self
    }

    /// Has the server confirm each ack, and asks again until it does. What then counts as
    /// [`acked`](super::ConsumerMetrics::acked) will not come again, whatever happens; without it, an ack that was on its way
    /// when the connection broke may have been lost.
    ///
    /// It does not make effects exactly-once by itself: a process that dies between effect and ack runs the job again. For that
    /// the effect has to be stored together with [`Job::sequence`] or [`Job::message_id`].
    pub fn ack_sync(mut self, ack_sync: bool) -> ConsumerBuilder {
        self.settings.ack_sync = ack_sync;
        self
    }

    /// How many times a message is delivered before it goes to the dead letters, 5 by default. Each delivery counts, also those
    /// that a stop or a killed process has cut short; one beyond the limit, after which no handler has said anything, goes there
    /// too.
    pub fn max_deliver(mut self, times: u64) -> ConsumerBuilder {
        self.settings.max_deliver = times;
        self
    }

    /// How long a message that failed waits for its next try: the first of these after the first try, and so on, the last for
    /// all that follow. By default 1 s, doubled up to 64 s. [`Failure::retry_after`] overrules it.
    pub fn backoff(mut self, delays: impl IntoIterator<Item = Duration>) -> ConsumerBuilder {
        self.settings.backoff = delays.into_iter().collect();
        self
    }

    /// How many messages this consumer has in its hands at most, waiting and running, 4,096 by default. What waits is far less
    /// where jobs take longer: about as much as the pool does in 50 ms, so that other machines get the rest. 65,536 is the most.
    pub fn max_in_flight(mut self, messages: usize) -> ConsumerBuilder {
        self.settings.max_in_flight = messages;
        self
    }

    /// How many messages all consumers of this name have in their hands at most, 100,000 by default. It is the server's own
    /// limit for the whole fleet, and what died holds its part until [`ack_wait`](Self::ack_wait) is over: at least twice the
    /// number of consumers times [`max_in_flight`](Self::max_in_flight).
    pub fn max_ack_pending(self, messages: usize) -> ConsumerBuilder {
        ConsumerBuilder { max_ack_pending: messages, ..self }
    }

    /// How many requests for messages may wait at the server, 16,384 by default: up to three for each consumer of the fleet. It
    /// is set when the durable consumer is made, and some servers let nobody change it later.
    pub fn max_waiting(self, pulls: usize) -> ConsumerBuilder {
        ConsumerBuilder { max_waiting: pulls, ..self }
    }

    /// The stream for messages that no other try would mend, `{stream}-dead` by default. One that is not there is made, for the
    /// subjects `{name}.>`; the messages of this consumer are `{name}.{stream}.{durable}`. Each has its own headers and payload,
    /// and the [reason](crate::headers).
    pub fn dead_letters(self, stream: impl Into<String>) -> ConsumerBuilder {
        ConsumerBuilder { dead_letters: Some(stream.into()), ..self }
    }

    /// How long [`Consumer::stop`] waits for the jobs that run, 30 s by default.
    pub fn stop_timeout(self, timeout: Duration) -> ConsumerBuilder {
        ConsumerBuilder { stop_timeout: timeout, ..self }
    }

    /// Starts: makes the durable consumer, or takes the one that is there with these settings, and pulls.
    ///
    /// Each message is a job of the pool: one of the workers calls `handler` with it, and the future stays there. `Ok` acks it.
    /// An error is another try, after the [backoff](Self::backoff); so is a panic. [`Poison`](crate::Poison), and what cannot be
    /// [decoded](Job::decode), goes to the [dead letters](Self::dead_letters).
    ///
    /// # Errors
    /// A setting makes no sense; the stream is not there; the server refuses the consumer, or the stream of the dead letters.
    ///
    /// # Cancel safety
    /// Dropped before its end, no message has been pulled. The durable consumer may be there.
    pub async fn run<F, Fut, E>(self, pool: &millpond::Handle, handler: F) -> Result<Consumer, ConsumerError>
    where
        F: Fn(Job) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + 'static,
        E: Into<Failure> + 'static,
    {
        self.check()?;
        let workers = pool.workers().len();
        let hands = Box::new(Hand { pool: pool.clone(), handler: Arc::new(handler) });
        let client = self.client.clone();
        client.on_thread(move |_| self.start(hands, workers)).await
    }

    fn check(&self) -> Result<(), ConsumerError> {
        let Settings { ack_wait, max_deliver, max_in_flight, ref backoff, .. } = self.settings;
        if ack_wait < SHORTEST_ACK_WAIT {
            let why = format!("the server needs {SHORTEST_ACK_WAIT:?} or more to hear of jobs in time");
            return Err(ConsumerError::setting("ack_wait", format!("{ack_wait:?}"), why));
        }
        if max_deliver == 0 {
            return Err(ConsumerError::setting("max_deliver", "0", "a job needs one try or more"));
        }
        if backoff.is_empty() {
            return Err(ConsumerError::setting("backoff", "[]", "give one delay or more; zero is one"));
        }
        if max_in_flight == 0 || max_in_flight > self.max_ack_pending.min(MOST_IN_FLIGHT) {
            let why = format!(
                "it has to be 1 to {MOST_IN_FLIGHT}, and no more than max_ack_pending ({}), which is for the whole fleet",
                self.max_ack_pending
            );
            return Err(ConsumerError::setting("max_in_flight", max_in_flight, why));
        }
        if self.max_waiting == 0 {
            return Err(ConsumerError::setting("max_waiting", "0", "each consumer has a pull that waits"));
        }
        for (setting, name) in [("stream", &self.stream), ("durable", &self.durable)]
            .into_iter()
            .chain(self.dead_letters.iter().map(|name| ("dead_letters", name)))
        {
            if name.is_empty()
                || name.contains(|c: char| ".*>/\\".contains(c) || c.is_whitespace() || c.is_control())
            {
                let why = "a name is one word, without . * > / \\ and blanks";
                return Err(ConsumerError::setting(setting, format!("{name:?}"), why));
            }
        }
        Ok(())
    }

    /// On the client's thread.
    async fn start(self, hands: Box<dyn Hands>, workers: usize) -> Result<Consumer, ConsumerError> {
        let jetstream = self.client.context().clone();
        // Ended by the server's answer, or by the client's time for it; so are those below.
        let made = jetstream.create_consumer_on_stream(self.config(), self.stream.as_str()).await;
        made.map_err(|error| ConsumerError::refused(&self.stream, &self.durable, error))?;
        let dead = self.dead_letters.clone().unwrap_or_else(|| format!("{}-dead", self.stream));
        let dead_letters = DeadLetters::open(self.client.clone(), dead, &self.stream, &self.durable).await?;
        let api =
            |verb| format!("{}.CONSUMER.{verb}.{}.{}", self.client.api_prefix(), self.stream, self.durable);
        let api = Api { next: api("MSG.NEXT"), info: api("INFO") };
        let shared = Arc::new(Shared {
            nats: self.client.nats(),
            client: self.client,
            stream: self.stream,
            durable: self.durable,
            settings: self.settings,
            dead_letters,
            counts: Counts::default(),
            room: Room::new(),
            acks: Acks::default(),
        });
        let intake = Intake::open(Arc::clone(&shared), hands, workers, api).await;
        let intake =
            intake.map_err(|error| ConsumerError::refused(&shared.stream, &shared.durable, error))?;
        Ok(Consumer::start(shared, self.stop_timeout, intake))
    }

    fn config(&self) -> pull::Config {
        pull::Config {
            durable_name: Some(self.durable.clone()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.settings.ack_wait,
            // Ours is the one that counts: what the server gives up stays on a work queue for ever, and nobody is told.
            max_deliver: -1,
            filter_subject: self.filter_subject.clone(),
            max_ack_pending: i64::try_from(self.max_ack_pending).unwrap_or(i64::MAX),
            max_waiting: i64::try_from(self.max_waiting).unwrap_or(i64::MAX),
            ..pull::Config::default()
        }
    }
}
