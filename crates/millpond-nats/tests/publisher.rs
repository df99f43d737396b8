//! What a publisher promises, with a real server.

mod common;

use common::{Server, Settings, pool, unhung};
use futures_util::{FutureExt, StreamExt};
use millpond_nats::{
    Client, Codec, PublishError, Publisher,
    async_nats::{
        ConnectOptions, HeaderMap,
        jetstream::{
            self,
            message::StreamMessage,
            stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
        },
    },
    decode, headers,
};
use rustix::process::{Pid, Signal, kill_process};
use std::{error::Error, fs, thread, time::Duration};

type Checked = Result<(), Box<dyn Error + Send + Sync>>;

/// Runs a test against a server of its own, with a client, outside of any tokio.
fn with_server(name: &str, test: impl AsyncFnOnce(&mut Server, Client) -> Checked) {
    on(name, Settings::default(), test);
}

fn on(name: &str, settings: Settings, test: impl AsyncFnOnce(&mut Server, Client) -> Checked) {
    unhung(name, || {
        let mut server = settings.start();
        futures_lite::future::block_on(async {
            let client = Client::connect(server.url()).await.expect("the server is there");
            test(&mut server, client).await.expect(name);
        });
    });
}

/// In memory, so that a test waits for no disk. Those that restart the server have it on a file.
fn jobs() -> Config {
    Config {
        name: "JOBS".into(),
        subjects: vec!["jobs.>".into()],
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::Memory,
        ..Config::default()
    }
}

fn jobs_on_file() -> Config {
    Config { storage: StorageType::File, ..jobs() }
}

/// Asks JetStream until it answers: on a machine whose disk is busy, that is not always at once.
async fn ask<T, E, Fut>(client: &Client, ask: impl Fn(jetstream::Context) -> Fut + Send + 'static) -> T
where
    T: Send + 'static,
    E: Error,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
{
    let asking = client.on_thread(|jetstream| async move {
        loop {
            match ask(jetstream.clone()).await {
                Ok(answer) => return answer,
                Err(error) if error.to_string().contains("timed out") => {}
                Err(error) => panic!("{error}"),
            }
        }
    });
    asking.await
}

async fn create(client: &Client, config: Config) {
    ask(client, move |jetstream| {
        let config = config.clone();
        async move { jetstream.get_or_create_stream(config).await }
    })
    .await;
}

async fn stored(client: &Client, stream: &'static str) -> u64 {
    let stream = ask(client, move |jetstream| async move { jetstream.get_stream(stream).await }).await;
    stream.cached_info().state.messages
}

async fn message(client: &Client, sequence: u64) -> StreamMessage {
    let stream = ask(client, |jetstream| async move { jetstream.get_stream("JOBS").await }).await;
    ask(client, move |_| {
        let stream = stream.clone();
        async move { stream.get_raw_message(sequence).await }
    })
    .await
}

/// Waits for what comes by itself. Under `unhung`, should it not.
fn until(what: impl Fn() -> bool) {
    while !what() {
        thread::yield_now();
    }
}

/// Holds the server up, with its connections, until this is dropped.
struct Stopped(Pid);

impl Stopped {
    fn new(server: &Server) -> Stopped {
        let pid = server.pid().and_then(|pid| Pid::from_raw(pid as i32)).expect("it runs");
        kill_process(pid, Signal::STOP).expect("a process of ours");
        // Each of its threads goes on until it has seen the signal.
        until(|| is_stopped(pid));
        Stopped(pid)
    }
}

fn is_stopped(pid: Pid) -> bool {
    let threads = fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero())).expect("a process of ours");
    threads.flatten().all(|thread| {
        // The name is in brackets, and the state is behind it.
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, fields)| fields.starts_with('T'))
    })
}

impl Drop for Stopped {
    fn drop(&mut self) {
        kill_process(self.0, Signal::CONT).expect("a process of ours");
    }
}

fn publisher(client: &Client) -> Publisher {
    Publisher::builder(client).build().expect("settings that can be")
}

/// A publish that fails, at once or by its answer.
async fn failure(publisher: &Publisher, subject: &str, value: &str) -> PublishError {
    match publisher.publish(subject.to_owned(), value).await {
        Ok(publishing) => publishing.await.expect_err("it cannot be stored"),
        Err(error) => error,
    }
}

#[test]
fn a_message_is_published_from_any_executor() {
    with_server("any executor", async |_server, client| {
        create(&client, jobs()).await;
        let publisher = publisher(&client);

        let on_this_thread = publisher.publish("jobs.a", "a").await?.await?;
        assert_eq!((&*on_this_thread.stream, on_this_thread.sequence), ("JOBS", 1));

        let pool = pool(1);
        let clone = publisher.clone();
        let in_a_job = pool.spawn(move || async move { clone.publish("jobs.b", "b").await?.await });
        assert_eq!(in_a_job.await.expect("the job ran")?.sequence, 2);

        let clone = publisher.clone();
        let inside_tokio = client.on_thread(|_| async move { clone.publish("jobs.c", "c").await?.await });
        assert_eq!(inside_tokio.await?.sequence, 3);
        Ok(())
    });
}

#[test]
fn a_message_carries_its_id_its_version_and_its_codec() {
    with_server("headers", async |_server, client| {
        create(&client, jobs()).await;
        let codecs = [
            Codec::Json,
            #[cfg(feature = "messagepack")]
            Codec::MessagePack,
            #[cfg(feature = "postcard")]
            Codec::Postcard,
        ];
        for codec in codecs {
            let publisher = Publisher::builder(&client).codec(codec).version(7).build()?;
            let published =
                publisher.publish_with_id("jobs.a", codec.content_type(), &("/a/b", 5_u64)).await?.await?;
            let message = message(&client, published.sequence).await;
            let header = |name| message.headers.get(name).map(|value| value.as_str());
            assert_eq!(header(headers::MESSAGE_ID), Some(codec.content_type()));
            assert_eq!(header(headers::VERSION), Some("7"));
            assert_eq!(header(headers::CONTENT_TYPE), Some(codec.content_type()));
            let work: (String, u64) = decode(Some(&message.headers), &message.payload)?;
            assert_eq!(work, ("/a/b".to_owned(), 5));
        }
        Ok(())
    });
}

#[test]
fn headers_of_the_users_own_go_as_they_are() {
    with_server("own headers", async |_server, client| {
        create(&client, jobs()).await;
        let publisher = publisher(&client);
        // The client's way to look into a stream knows only one value of each header.
        let mut heard = client.nats().subscribe("jobs.>").await?;
        let mut given = HeaderMap::new();
        given.append("Trace", "a");
        given.append("Trace", "b");
        given.insert(headers::MESSAGE_ID, "mine");
        let publishing = publisher.publish_with_headers("jobs.a", given.clone(), "\u{0}bytes".into()).await?;
        publishing.await?;
        let message = heard.next().await.expect("a message");
        assert_eq!((message.headers, &message.payload[..]), (Some(given), &b"\0bytes"[..]));

        let without_id = publisher.publish_with_headers("jobs.a", HeaderMap::new(), "".into()).await?;
        without_id.await?;
        let message = heard.next().await.expect("a message");
        assert!(message.headers.is_some_and(|headers| headers.get(headers::MESSAGE_ID).is_some()));
        Ok(())
    });
}

#[test]
fn a_message_published_twice_under_one_id_is_stored_once() {
    with_server("one id", async |_server, client| {
        create(&client, jobs()).await;
        let (one, another) = (publisher(&client), publisher(&client));
        let first = one.publish_with_id("jobs.a", "path:/a", "/a").await?.await?;
        let second = another.publish_with_id("jobs.a", "path:/a", "/a").await?.await?;
        assert_eq!((first.duplicate, second.duplicate), (false, true));
        assert_eq!((first.sequence, second.sequence, stored(&client, "JOBS").await), (1, 1, 1));
        Ok(())
    });
}

#[test]
fn publishers_never_take_each_others_messages_for_their_own() {
    with_server("own ids", async |server, client| {
        create(&client, jobs()).await;
        let others = Client::connect(server.url()).await?;
        let publishers = [publisher(&client), publisher(&client), publisher(&others)];
        for round in 0..100 {
            for publisher in &publishers {
                drop(publisher.publish("jobs.a", &round).await?);
            }
        }
        for publisher in &publishers {
            assert_eq!(publisher.flush().await.published, 100);
        }
        assert_eq!(stored(&client, "JOBS").await, 300);
        Ok(())
    });
}

#[test]
fn messages_of_one_caller_are_stored_in_its_order() {
    with_server("order", async |_server, client| {
        create(&client, jobs()).await;
        let publisher = publisher(&client);
        let mut given = Vec::new();
        for number in 0..10_000 {
            given.push(publisher.publish("jobs.a", &number).await?);
        }
        for (publishing, expected) in given.into_iter().zip(1..) {
            assert_eq!(publishing.await?.sequence, expected);
        }
        Ok(())
    });
}

#[test]
fn a_client_that_is_nearly_always_full_loses_nothing_and_keeps_the_order() {
    with_server("full client", async |server, client| {
        create(&client, jobs()).await;
        // Room for one command at a time: most messages find none, and are sent by the publisher's task.
        let options = ConnectOptions::new().client_capacity(1);
        let narrow = Client::builder(server.url()).options(options).connect().await?;
        let publisher = publisher(&narrow);
        let mut given = Vec::new();
        for number in 0..5000 {
            given.push(publisher.publish("jobs.a", &number).await?);
        }
        for (publishing, expected) in given.into_iter().zip(1..) {
            assert_eq!(publishing.await?.sequence, expected);
        }
        Ok(())
    });
}

#[test]
fn no_more_than_max_in_flight_are_without_an_answer() {
    with_server("max_in_flight", async |server, client| {
        create(&client, jobs()).await;
        let publisher = Publisher::builder(&client).max_in_flight(10).build()?;
        let stopped = Stopped::new(server);
        for number in 0..10 {
            drop(publisher.publish("jobs.a", &number).await?);
        }
        let mut waits = Box::pin(publisher.publish("jobs.a", "waits"));
        let mut given_up = Box::pin(publisher.publish("jobs.a", "given up"));
        assert!(waits.as_mut().now_or_never().is_none());
        assert!(given_up.as_mut().now_or_never().is_none());
        assert_eq!(publisher.metrics().in_flight, 10);
        // What is dropped while it waits has published nothing.
        drop(given_up);
        drop(stopped);
        waits.await?.await?;
        let receipt = publisher.flush().await;
        assert_eq!((receipt.given(), receipt.published, stored(&client, "JOBS").await), (11, 11, 11));
        Ok(())
    });
}

#[test]
fn an_answer_that_is_late_makes_no_second_message() {
    with_server("late answers", async |server, client| {
        create(&client, jobs()).await;
        let publisher = Publisher::builder(&client).resend_after(Duration::from_millis(60)).build()?;
        publisher.publish("jobs.a", "the subscription is there").await?.await?;
        let stopped = Stopped::new(server);
        for number in 0..100 {
            drop(publisher.publish("jobs.a", &number).await?);
        }
        until(|| publisher.metrics().resent >= 100);
        drop(stopped);
        let receipt = publisher.flush().await;
        assert_eq!((receipt.published, receipt.duplicates, receipt.failed), (101, 0, 0));
        assert_eq!(stored(&client, "JOBS").await, 101);
        Ok(())
    });
}

#[test]
fn a_server_that_is_killed_again_and_again_stores_each_message_once() {
    const MESSAGES: u64 = 30_000;
    with_server("kills", async |server, client| {
        create(&client, jobs_on_file()).await;
        let publisher = publisher(&client);
        let pool = pool(1);
        let clone = publisher.clone();
        let publishes = pool.spawn(move || async move {
            for number in 0..MESSAGES {
                drop(clone.publish("jobs.a", &number).await?);
            }
            Ok::<_, PublishError>(())
        });
        for kill in 1..=5 {
            until(|| publisher.metrics().answered.published >= kill * MESSAGES / 8);
            server.kill();
            server.restart();
        }
        publishes.await.expect("the job ran")?;
        let receipt = publisher.flush().await;
        assert_eq!((receipt.published, receipt.duplicates, receipt.failed), (MESSAGES, 0, 0));
        assert_eq!(stored(&client, "JOBS").await, MESSAGES);
        // Kills in the midst of publishes lose answers: without resends this would not be the test that it is.
        assert!(publisher.metrics().resent > 0);
        Ok(())
    });
}

#[test]
fn a_message_too_large_names_size_and_limit_and_is_not_sent() {
    on("too large", Settings::default().max_payload(4096), async |_server, client| {
        create(&client, jobs()).await;
        let publisher = publisher(&client);
        let error = failure(&publisher, "jobs.a", &"x".repeat(5000)).await;
        assert!(
            matches!(error, PublishError::TooLarge { size_bytes, limit_bytes: 4096, .. } if size_bytes > 5000),
            "{error:?}"
        );
        assert!(error.to_string().contains("jobs.a") && error.to_string().contains("4096"), "{error}");
        assert_eq!((publisher.flush().await.given(), publisher.metrics().in_flight), (0, 0));

        // What is just within it goes: the server counts as we do, and ends a connection that sends more.
        let PublishError::TooLarge { size_bytes, .. } = error else { unreachable!("looked at above") };
        let room = "x".repeat(5000 - (size_bytes - 4096));
        assert_eq!(publisher.publish("jobs.a", &room).await?.await?.sequence, 1);
        assert!(publisher.publish("jobs.a", &format!("{room}x")).await.is_err());
        Ok(())
    });
}

#[test]
fn a_subject_without_a_stream_is_named() {
    with_server("no stream", async |_server, client| {
        let error = failure(&publisher(&client), "nobody.listens", "a").await;
        assert!(
            matches!(&error, PublishError::NoStream { subject } if subject == "nobody.listens"),
            "{error:?}"
        );
        assert!(error.to_string().contains("no stream listens to nobody.listens"), "{error}");
        Ok(())
    });
}

#[test]
fn a_full_stream_is_full_and_takes_again_when_it_has_room() {
    with_server("full", async |_server, client| {
        create(&client, Config { max_messages: 2, discard: DiscardPolicy::New, ..jobs() }).await;
        let publisher = publisher(&client);
        for number in 0..2 {
            publisher.publish("jobs.a", &number).await?.await?;
        }
        let error = failure(&publisher, "jobs.a", "one more").await;
        let PublishError::Full { stream, reason, .. } = &error else { panic!("{error:?}") };
        assert_eq!((stream.as_str(), reason.as_str()), ("JOBS", "maximum messages exceeded"));

        let stream = ask(&client, |jetstream| async move { jetstream.get_stream("JOBS").await }).await;
        ask(&client, move |_| {
            let stream = stream.clone();
            async move { stream.purge().await }
        })
        .await;
        publisher.publish("jobs.a", "one more").await?.await?;

        let receipt = publisher.flush().await;
        assert_eq!((receipt.published, receipt.failed, receipt.given()), (3, 1, 4));
        Ok(())
    });
}

#[test]
fn a_stream_full_of_bytes_is_full() {
    with_server("full of bytes", async |_server, client| {
        create(&client, Config { max_bytes: 1000, discard: DiscardPolicy::New, ..jobs() }).await;
        let error = failure(&publisher(&client), "jobs.a", &"x".repeat(2000)).await;
        assert!(
            matches!(&error, PublishError::Full { reason, .. } if reason.contains("maximum bytes")),
            "{error:?}"
        );
        Ok(())
    });
}

#[test]
fn a_server_without_room_is_full() {
    on("no room", Settings::default().max_file_store(100_000), async |_server, client| {
        create(&client, jobs_on_file()).await;
        let publisher = publisher(&client);
        let error = loop {
            match publisher.publish("jobs.a", &"x".repeat(2000)).await?.await {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(matches!(&error, PublishError::Full { .. }), "{error:?}");
        Ok(())
    });
}

#[test]
fn another_refusal_has_the_servers_words() {
    with_server("refused", async |_server, client| {
        create(&client, Config { max_message_size: 100, ..jobs() }).await;
        let error = failure(&publisher(&client), "jobs.a", &"x".repeat(200)).await;
        assert!(
            matches!(&error, PublishError::Refused { code: 10054, stream, .. } if stream == "JOBS"),
            "{error:?}"
        );
        Ok(())
    });
}

#[test]
fn what_cannot_be_a_subject_or_an_id_is_refused_at_once() {
    with_server("subjects", async |_server, client| {
        let publisher = publisher(&client);
        for subject in ["", "jobs.*", "jobs.>", "a b", "a..b"] {
            let error = publisher.publish(subject, "a").await.expect_err(subject);
            assert!(matches!(&error, PublishError::InvalidSubject { .. }), "{error:?}");
            assert!(error.to_string().contains(&format!("{subject:?}")), "{error}");
        }
        let error =
            publisher.publish_with_id("jobs.a", "a\r\nb", "a").await.expect_err("an id with a line break");
        assert!(matches!(&error, PublishError::InvalidId { .. }), "{error:?}");
        Ok(())
    });
}

#[test]
fn a_message_without_an_answer_is_given_up_at_its_deadline_and_makes_room() {
    with_server("deadline", async |server, client| {
        create(&client, jobs_on_file()).await;
        let builder = Publisher::builder(&client).max_in_flight(1);
        let publisher = builder.publish_timeout(Duration::from_millis(100)).build()?;
        server.kill();
        let publishing = publisher.publish_with_id("jobs.a", "path:/a", "/a").await?;
        // It waits for the other's deadline.
        let next = publisher.publish("jobs.a", "/b").await?;
        let error = publishing.await.expect_err("there is no server");
        assert!(matches!(&error, PublishError::TimedOut { id, .. } if id == "path:/a"), "{error:?}");
        for word in ["jobs.a", "100ms", "publish_timeout", "path:/a"] {
            assert!(error.to_string().contains(word), "{error}");
        }
        assert!(matches!(next.await, Err(PublishError::TimedOut { .. })));
        server.restart();
        // As soon as the client is back.
        while failed(publisher.publish("jobs.a", "/c").await?.await)? {}
        let receipt = publisher.flush().await;
        assert_eq!((receipt.published, receipt.given()), (1, receipt.failed + 1));
        Ok(())
    });
}

/// Whether a message was given up at its deadline.
fn failed<T>(answer: Result<T, PublishError>) -> Result<bool, PublishError> {
    match answer {
        Ok(_) => Ok(false),
        Err(PublishError::TimedOut { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

#[test]
fn the_receipt_of_a_flush_adds_up() {
    with_server("flush", async |_server, client| {
        create(&client, Config { max_messages: 50, discard: DiscardPolicy::New, ..jobs() }).await;
        let publisher = publisher(&client);
        assert_eq!(publisher.flush().await.given(), 0);
        for number in 0..40 {
            drop(publisher.publish_with_id("jobs.a", &format!("{}", number % 20), &number).await?);
        }
        let receipt = publisher.flush().await;
        assert_eq!((receipt.published, receipt.duplicates, receipt.failed), (20, 20, 0));
        for number in 0..40 {
            drop(publisher.publish("jobs.a", &number).await?);
        }
        drop(publisher.publish("nobody.listens", "a").await?);
        let receipt = publisher.clone().flush().await;
        assert_eq!(
            (receipt.published, receipt.duplicates, receipt.failed, receipt.given()),
            (50, 20, 11, 81)
        );
        Ok(())
    });
}

#[test]
fn a_flush_does_not_wait_for_what_comes_after_it() {
    with_server("flush before", async |server, client| {
        create(&client, jobs()).await;
        let publisher = publisher(&client);
        drop(publisher.publish("jobs.a", "before").await?);
        let mut flush = Box::pin(publisher.flush());
        let early = flush.as_mut().now_or_never();
        publisher.flush().await;
        let stopped = Stopped::new(server);
        drop(publisher.publish("jobs.a", "after").await?);
        let receipt = match early {
            Some(receipt) => receipt,
            None => flush.await,
        };
        assert_eq!((receipt.published, receipt.given()), (1, 1));
        drop(stopped);
        assert_eq!(publisher.flush().await.published, 2);
        Ok(())
    });
}

#[test]
fn all_of_many_are_published_and_counted() {
    with_server("publish_all", async |_server, client| {
        create(&client, jobs()).await;
        let publisher = Publisher::builder(&client).max_in_flight(100).build()?;
        let receipt = publisher.publish_all("jobs.a", 0..5000).await?;
        assert_eq!((receipt.published, receipt.given(), stored(&client, "JOBS").await), (5000, 5000, 5000));

        let paths = ["short".to_owned(), "x".repeat(2_000_000), "never given".to_owned()];
        let error = publisher.publish_all("jobs.a", &paths).await.expect_err("one is too large");
        assert!(matches!(error.first, PublishError::TooLarge { .. }), "{error:?}");
        assert_eq!((error.receipt.published, error.receipt.given()), (1, 1));

        let error = publisher.publish_all("nobody.listens", [1, 2]).await.expect_err("there is no stream");
        assert!(matches!(error.first, PublishError::NoStream { .. }), "{error:?}");
        assert_eq!((error.receipt.failed, error.receipt.given()), (2, 2));
        Ok(())
    });
}

#[test]
fn what_a_dropped_publisher_was_given_goes_on() {
    with_server("drop", async |server, client| {
        create(&client, jobs_on_file()).await;
        let others = Client::connect(server.url()).await?;
        let publisher = publisher(&client);
        publisher.publish("jobs.a", "the subscription is there").await?.await?;
        server.kill();
        let mut given = Vec::new();
        for number in 0..1000 {
            given.push(publisher.publish("jobs.a", &number).await?);
        }
        let awaited = given.split_off(500);
        drop((given, publisher, client));
        server.restart();
        for publishing in awaited {
            publishing.await?;
        }
        assert_eq!(stored(&others, "JOBS").await, 1001);
        // And then its connection ends: only that of the others is left.
        until(|| connections_to(server) == 1);
        Ok(())
    });
}

/// How many connections to the server this machine has, by the kernel's own account.
fn connections_to(server: &Server) -> usize {
    let port: u16 =
        server.url().rsplit(':').next().and_then(|port| port.parse().ok()).expect("it ends with a port");
    let is_to = |line: &str| {
        let mut fields = line.split_whitespace().skip(2);
        // 01 is a connection that is established.
        fields.next().is_some_and(|remote| remote.ends_with(&format!(":{port:04X}")))
            && fields.next() == Some("01")
    };
    fs::read_to_string("/proc/net/tcp").expect("Linux").lines().filter(|line| is_to(line)).count()
}

#[test]
fn a_client_that_has_ended_says_so() {
    with_server("ended", async |server, client| {
        create(&client, jobs()).await;
        let publisher = Publisher::builder(&client).max_in_flight(1).build()?;
        publisher.publish("jobs.a", "the subscription is there").await?.await?;
        let stopped = Stopped::new(server);
        let publishing = publisher.publish("jobs.a", "a").await?;
        let mut waits = Box::pin(publisher.publish("jobs.a", "b"));
        assert!(waits.as_mut().now_or_never().is_none());
        let mut flush = Box::pin(publisher.flush());
        assert!(flush.as_mut().now_or_never().is_none());

        client.nats().drain().await?;
        assert!(matches!(publishing.await, Err(PublishError::ClientEnded { .. })));
        assert!(matches!(waits.await, Err(PublishError::ClientEnded { .. })));
        let receipt = flush.await;
        assert_eq!((receipt.published, receipt.failed), (1, 1));
        let error = publisher.publish("jobs.a", "c").await.expect_err("the client has ended");
        assert!(error.to_string().contains("connect a new client"), "{error}");
        drop(stopped);
        Ok(())
    });
}

#[test]
fn an_answer_of_somebody_else_is_not_the_streams() {
    with_server("foreign", async |server, client| {
        let others = Client::connect(server.url()).await?;
        let mut heard = others.nats().subscribe("jobs.>").await?;
        // An answer on the same connection: the server knows of the subscription.
        create(&others, Config { subjects: vec!["other".into()], ..jobs() }).await;
        let publisher = Publisher::builder(&client).publish_timeout(Duration::from_millis(200)).build()?;
        let publishing = publisher.publish("jobs.a", "a").await?;
        let message = heard.next().await.expect("a message");
        others.nats().publish(message.reply.expect("a publish wants an answer"), "pong".into()).await?;
        let error = publishing.await.expect_err("no stream has it");
        assert!(matches!(&error, PublishError::TimedOut { .. }), "{error:?}");
        Ok(())
    });
}

#[test]
fn settings_that_cannot_be_are_named() {
    with_server("settings", async |_server, client| {
        let builder = || Publisher::builder(&client);
        let cases = [
            (builder().max_in_flight(0), "max_in_flight = 0"),
            (builder().max_in_flight(100_000), "max_in_flight = 100000"),
            (builder().publish_timeout(Duration::ZERO), "publish_timeout = 0"),
            (builder().resend_after(Duration::ZERO), "resend_after = 0"),
        ];
        for (builder, words) in cases {
            let error = builder.build().expect_err(words);
            assert!(error.to_string().contains(words), "{error}");
        }
        Ok(())
    });
}
