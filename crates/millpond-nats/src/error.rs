//! What can go wrong before a job is there.

use std::{error::Error, fmt, sync::Arc};

/// There is no connection, and so no [`Client`](crate::Client).
#[derive(Debug)]
pub struct ConnectError {
    url: Arc<str>,
    source: Box<dyn Error + Send + Sync>,
}

impl ConnectError {
    pub(crate) fn new(url: &Arc<str>, source: impl Into<Box<dyn Error + Send + Sync>>) -> ConnectError {
        ConnectError { url: Arc::clone(url), source: source.into() }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The servers, without the passwords that addresses may hold.
        let servers =
            self.url.split(',').map(|server| server.rsplit_once('@').map_or(server, |(_, host)| host));
        let servers: Vec<&str> = servers.collect();
        write!(
            f,
            "no connection to NATS at {}: {}; is a server there? `ClientBuilder::wait_for_server` waits for one",
            servers.join(", "),
            self.source
        )
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// There is no consumer.
///
/// ```no_run
/// # async fn run(client: millpond_nats::Client, pool: millpond::Pool) {
/// use millpond_nats::{Consumer, ConsumerError, Failure, Job};
///
/// let consumer = Consumer::builder(&client, "NO-SUCH-STREAM", "printers")
///     .run(&pool, |job: Job| async move { Ok::<(), Failure>(println!("{}", job.subject())) })
///     .await;
/// let error: ConsumerError = consumer.unwrap_err();
/// eprintln!("{error}"); // which stream, and what the server says
/// # }
/// ```
#[derive(Debug)]
pub struct ConsumerError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ConsumerError {
    pub(crate) fn setting(setting: &str, value: impl fmt::Display, why: impl fmt::Display) -> ConsumerError {
        ConsumerError { message: format!("`{setting}` is {value}: {why}"), source: None }
    }

    pub(crate) fn refused(
        stream: &str,
        durable: &str,
        source: impl Error + Send + Sync + 'static,
    ) -> ConsumerError {
        let message = format!(
            "no consumer {durable} of the stream {stream}: {source}; is the stream there, with JetStream on, and were the \
             settings others when the consumer was made? `Client::create_work_queue` makes a stream"
        );
        ConsumerError { message, source: Some(source.into()) }
    }

    pub(crate) fn dead_letters(name: &str, subject: &str, why: &dyn Error) -> ConsumerError {
        let message = format!(
            "no stream {name} for the dead letters {subject}: {why}; `dead_letters` names another, which needs the subjects \
             {name}.> if it is there already"
        );
        ConsumerError { message, source: None }
    }
}

impl fmt::Display for ConsumerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ConsumerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_ref()?;
        Some(&**source)
    }
}
