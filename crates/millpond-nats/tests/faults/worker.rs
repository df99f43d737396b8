//! A process that consumes, and may be told to kill itself in the middle of it.

use std::env;
use std::future::ready;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use millpond_nats::{Client, Consumer, Failure, Job};
use rustix::process::{Signal, getpid, kill_process};

use crate::common::site::{DURABLE, STREAM, adds_up, compute, number};
use crate::common::{self, server::mortal};
use crate::effects::{Effect, Effects};

/// Set in such a process, to its order.
const ORDER: &str = "MILLPOND_NATS_TEST_CONSUMER";

/// The most messages that one has in its hands.
pub(crate) const IN_FLIGHT: usize = 256;

/// What a process that was killed had in its hands comes to others after this.
const ACK_WAIT: Duration = Duration::from_secs(1);

/// Before the effect, and after it: so that a signal finds jobs at each place.
const COMPUTE: Duration = Duration::from_micros(50);

/// What a process is to do.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) url: String,
    pub(crate) effects: PathBuf,
    /// The number of the process.
    pub(crate) by: u32,
    pub(crate) end: End,
}

/// When it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// When its standard input does.
    Stop,
    /// By SIGKILL in the job that is its so-manyth to begin.
    KilledBeforeEffect(u64),
    KilledAfterEffect(u64),
}

impl Order {
    fn words(&self) -> String {
        let (end, at) = match self.end {
            End::Stop => ("stop", 0),
            End::KilledBeforeEffect(at) => ("before", at),
            End::KilledAfterEffect(at) => ("after", at),
        };
        format!("{} {} {end} {at} {}", self.url, self.by, self.effects.display())
    }

    fn parse(words: &str) -> Order {
        let mut words = words.splitn(5, ' ');
        let mut word = || words.next().expect("five words").to_owned();
        let (url, by, end, at, effects) = (word(), word(), word(), word(), word());
        let at = at.parse().expect("a number");
        let end = match end.as_str() {
            "before" => End::KilledBeforeEffect(at),
            "after" => End::KilledAfterEffect(at),
            _ => End::Stop,
        };
        Order { url, effects: effects.into(), by: by.parse().expect("a number"), end }
    }
}

/// One that has been started. It ends with its test.
#[derive(Debug)]
pub(crate) struct Worker(Child);

impl Worker {
    /// By this test binary, with nothing but `test`, which has to call [`work_if_told`] first.
    pub(crate) fn start(test: &str, order: &Order) -> Worker {
        let mut command = mortal(&env::current_exe().expect("a test binary knows its path"));
        command.args([test, "--exact", "--nocapture"]).env(ORDER, order.words());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Worker(command.spawn().expect("setpriv starts"))
    }

    /// Waits for its end. What it said is for a failure.
    pub(crate) fn wait(mut self) -> (process::ExitStatus, String) {
        drop(self.0.stdin.take());
        let mut said = String::new();
        // Ended by its end, and so is the next.
        self.0.stdout.take().expect("a pipe").read_to_string(&mut said).expect("text");
        (self.0.wait().expect("a child of ours"), said)
    }

    /// The same, without a word that it may stop.
    pub(crate) fn wait_for_kill(mut self) -> (process::ExitStatus, String) {
        let stdin = self.0.stdin.take();
        let ended = self.wait();
        drop(stdin);
        ended
    }
}

/// In a process that was started for it, consumes and ends. Does nothing elsewhere.
pub(crate) fn work_if_told() {
    let Ok(words) = env::var(ORDER) else { return };
    let order = Order::parse(&words);
    let pool = common::pool(2);
    let client = pool.block_on(Client::connect(order.url.clone())).expect("the server is there");
    let handler = handler(order.end, Effects::open(&order.effects), order.by);
    let builder = Consumer::builder(&client, STREAM, DURABLE).ack_wait(ACK_WAIT).max_in_flight(IN_FLIGHT);
    // Killed processes are no fault of a message.
    let builder = builder.max_deliver(1_000).backoff([Duration::ZERO]);
    let consumer = pool.block_on(builder.run(&pool, handler)).expect("it starts");
    // Ended by the test.
    stdin().read_to_end(&mut Vec::new()).expect("a pipe");
    let receipt = pool.block_on(consumer.stop());
    adds_up(&receipt);
    println!("{receipt:?}");
    process::exit(0);
}

fn handler(
    end: End,
    effects: Effects,
    by: u32,
) -> impl Fn(Job) -> std::future::Ready<Result<(), Failure>> + Send + Sync {
    let begun = AtomicU64::new(0);
    move |job: Job| {
        let nth = begun.fetch_add(1, Relaxed) + 1;
        compute(COMPUTE);
        if end == End::KilledBeforeEffect(nth) {
            die();
        }
        effects.append(Effect { job: number(&job) as u32, by });
        if end == End::KilledAfterEffect(nth) {
            die();
        }
        compute(COMPUTE);
        ready(Ok(()))
    }
}

/// The signal that nothing can catch, whatever the other threads are at.
fn die() {
    kill_process(getpid(), Signal::KILL).expect("its own process");
}

/// Where the effects of a test go.
pub(crate) fn effects_in(folder: &Path) -> PathBuf {
    folder.join("effects")
}
