//! The connection to NATS, and the one thread that runs it.

use crate::error::ConnectError;
use async_nats::{
    ConnectOptions, Event, ServerAddr,
    jetstream::{self, context::CreateStreamError, stream},
};
use std::{error::Error, fmt, future::Future, sync::Arc, thread, time::Duration};
use tokio::{
    runtime::{self, Runtime},
    sync::{oneshot, watch},
    time::timeout,
};

/// The name of the client's thread, as `top -H` shows it.
const THREAD_NAME: &str = "millpond-nats";

/// Commands to the connection that wait to be written: acks and publishes, most of all. The workers of a large machine add
/// that many between two turns of the client's thread. What finds it full waits, and no worker with it.
const CLIENT_CAPACITY: usize = 16 * 1024;

/// What a client that has gone has left to write is a few hundred KiB. A server that does not take that in so long is away.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// A connection to NATS, with the thread that runs it.
///
/// A cheap clone. When the last clone, the last [`Consumer`](crate::Consumer) and the last
/// [`Publisher`](crate::Publisher) have gone, the connection is closed and the thread ends; what was given to it before is
/// written first.
///
/// The thread has a tokio runtime, for `async-nats` needs one. None of that is seen from outside: what this crate offers is
/// awaited on any executor.
///
/// ```no_run
/// # async fn connect() -> Result<(), millpond_nats::ConnectError> {
/// let client = millpond_nats::Client::connect("nats://localhost:4222").await?;
/// println!("connected to {}", client.nats().server_info().server_name);
/// # Ok(()) }
/// ```
///
/// `builder` has more settings, see [`ClientBuilder`]. Once connected:
///
/// ```no_run
/// # async fn prepare(client: millpond_nats::Client) -> Result<(), Box<dyn std::error::Error>> {
/// client.create_work_queue("JOBS", ["jobs.>"]).await?; // as often as you like
/// client.nats().publish("jobs.hash", "\"/var/log/syslog\"".into()).await?; // with no answer to it
/// client.flush().await?; // now it is on its way
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    context: jetstream::Context,
    /// What the subjects of JetStream's requests begin with.
    api_prefix: String,
    /// Which connection it is. Written by the connection's events.
    epoch: watch::Receiver<Epoch>,
    thread: ClientThread,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.thread.end_after_writes_of(self.context.client());
    }
}

/// The connections of one [`Client`], one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Epoch {
    /// Counts the connections.
    pub(crate) number: u64,
    pub(crate) is_connected: bool,
}

/// The thread and its runtime. Dropping it ends both, at once.
struct ClientThread {
    runtime: runtime::Handle,
    /// Ends the thread: with a client, after that one's last writes. `None`: it has been told.
    end: Option<oneshot::Sender<async_nats::Client>>,
}

/// How to connect. Made by [`Client::builder`].
///
/// ```no_run
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// use millpond_nats::{Client, async_nats::ConnectOptions};
///
/// let client = Client::builder("nats://a:4222,nats://b:4222")
///     .options(ConnectOptions::with_credentials_file("/etc/jobs.creds").await?)
///     .domain("factory")
///     .wait_for_server(true)
///     .connect()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use = "a builder does nothing until `connect`"]
pub struct ClientBuilder {
    url: String,
    options: ConnectOptions,
    wait_for_server: bool,
    domain: Option<String>,
}

impl Client {
    /// Connects to a server, or to one of several with commas between them, as `nats://host:4222`.
    ///
    /// # Errors
    /// No server answers, or it turns the client away. [`ClientBuilder::wait_for_server`] waits instead.
    pub async fn connect(url: impl Into<String>) -> Result<Client, ConnectError> {
        Client::builder(url).connect().await
    }

    /// Connects with other settings than [`connect`](Self::connect).
    /// See [`ClientBuilder`].
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            url: url.into(),
            options: ConnectOptions::new().client_capacity(CLIENT_CAPACITY),
            wait_for_server: false,
            domain: None,
        }
    }

    /// The client of `async-nats`. Its `publish` works on any executor; what waits for an answer (`request`) needs
    /// [`on_thread`](Self::on_thread).
    pub fn nats(&self) -> async_nats::Client {
        self.context().client()
    }

    /// Runs a future on the client's thread, inside tokio, with all of JetStream at hand: to create streams, to look at
    /// consumers, or whatever else `async-nats` can do.
    ///
    /// The future shares the thread with the connection: it must not block or compute for long.
    ///
    /// ```no_run
    /// # async fn names(client: millpond_nats::Client) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    /// let jobs = client.on_thread(|jetstream| async move { jetstream.get_stream("JOBS").await }).await?;
    /// println!("{} jobs wait", jobs.cached_info().state.messages);
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// If the future does.
    ///
    /// # Cancel safety
    /// Dropped before its end, the future goes on, and its output is dropped.
    pub async fn on_thread<F, Fut, T>(&self, f: F) -> T
    where
        F: FnOnce(jetstream::Context) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let future = f(self.context().clone());
        // Ended by the future's end on the thread, which `self` keeps alive; a panic ends it too.
        match self.runtime().spawn(future).await {
            Ok(output) => output,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Makes a stream for jobs: on disk, each message once for one durable consumer, and gone with its ack. One that is there by
    /// the same settings is taken as it is.
    ///
    /// For replicas, limits or other storage make it by [`on_thread`](Self::on_thread) or the `nats` command: a consumer takes
    /// any stream.
    ///
    /// # Errors
    /// A stream of the name is there and different, another takes one of the subjects, or the server has no JetStream.
    pub async fn create_work_queue(
        &self,
        name: impl Into<String>,
        subjects: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), CreateStreamError> {
        let config = stream::Config {
            name: name.into(),
            subjects: subjects.into_iter().map(Into::into).collect(),
            retention: stream::RetentionPolicy::WorkQueue,
            ..stream::Config::default()
        };
        // Ended by the server's answer, or by the client's time for it.
        self.on_thread(|jetstream| async move { jetstream.create_stream(config).await.map(drop) }).await
    }

    /// Waits until all that was published, acked or asked for before is on its way: written to the socket.
    ///
    /// # Errors
    /// The connection has ended for good.
    pub async fn flush(&self) -> Result<(), async_nats::client::FlushError> {
        // Ended by the connection's task, when it has written what came before.
        self.nats().flush().await
    }

    pub(crate) fn context(&self) -> &jetstream::Context {
        &self.0.context
    }

    pub(crate) fn api_prefix(&self) -> &str {
        &self.0.api_prefix
    }

    pub(crate) fn runtime(&self) -> &runtime::Handle {
        &self.0.thread.runtime
    }

    pub(crate) fn epoch(&self) -> watch::Receiver<Epoch> {
        self.0.epoch.clone()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("epoch", &*self.epoch().borrow()).finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Credentials, TLS and all that `async-nats` can be told, in place of its defaults.
    ///
    /// Its `event_callback` is replaced, as this crate has to know of reconnects. They are written to `tracing` by
    /// `async-nats` itself.
    pub fn options(self, options: ConnectOptions) -> ClientBuilder {
        ClientBuilder { options, ..self }
    }

    /// Waits for a server that is away at the start, as long as it takes. Without it that is an error.
    pub fn wait_for_server(self, wait: bool) -> ClientBuilder {
        ClientBuilder { wait_for_server: wait, ..self }
    }

    /// The JetStream domain, where the streams are in another than the server's own.
    pub fn domain(self, domain: impl Into<String>) -> ClientBuilder {
        ClientBuilder { domain: Some(domain.into()), ..self }
    }

    /// Connects.
    ///
    /// # Errors
    /// The thread cannot start; the address makes no sense; or, unless it is to be [waited](Self::wait_for_server) for, no
    /// server answers or it turns the client away.
    ///
    /// # Cancel safety
    /// Dropped before its end, it leaves nothing behind.
    pub async fn connect(self) -> Result<Client, ConnectError> {
        let url: Arc<str> = self.url.as_str().into();
        let api_prefix = match &self.domain {
            Some(domain) => format!("$JS.{domain}.API"),
            None => "$JS.API".to_owned(),
        };
        let thread = ClientThread::start().map_err(|error| ConnectError::new(&url, error))?;
        let (report, epoch) = watch::channel(Epoch::default());
        let mut connected = epoch.clone();
        let connecting = thread.runtime.spawn(async move {
            let context = self.connect_inside(report).await?;
            // Ended by the event of the first connection, which is on its way already unless it is waited for.
            let _ = connected.wait_for(|epoch| epoch.is_connected).await;
            Ok::<_, Box<dyn Error + Send + Sync>>(context)
        });
        // Should this future be dropped, then `thread` with it, and so the runtime and what it runs.
        // Ended by the connection or its failure.
        match connecting.await {
            Ok(Ok(context)) => Ok(Client(Arc::new(Inner { context, api_prefix, epoch, thread }))),
            Ok(Err(error)) => Err(ConnectError::new(&url, error)),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    async fn connect_inside(
        self,
        report: watch::Sender<Epoch>,
    ) -> Result<jetstream::Context, Box<dyn Error + Send + Sync>> {
        let servers = self.url.split(',').map(|server| server.trim().parse());
        let servers = servers.collect::<Result<Vec<ServerAddr>, _>>()?;
        let options = self.options.event_callback(move |event| {
            report.send_if_modified(|epoch| epoch.learn(&event));
            std::future::ready(())
        });
        let options = if self.wait_for_server { options.retry_on_initial_connect() } else { options };
        let client = options.connect(servers).await?;
        Ok(match self.domain {
            Some(domain) => jetstream::with_domain(client, domain),
            None => jetstream::new(client),
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the address nor the options, which may have a password in them.
        f.debug_struct("ClientBuilder")
            .field("wait_for_server", &self.wait_for_server)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

impl Epoch {
    /// True: the event has changed it.
    fn learn(&mut self, event: &Event) -> bool {
        match event {
            Event::Connected => *self = Epoch { number: self.number + 1, is_connected: true },
            Event::Disconnected | Event::Closed => self.is_connected = false,
            _ => return false,
        }
        true
    }
}

impl ClientThread {
    fn start() -> std::io::Result<ClientThread> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        // Not joined: whoever drops the last handle may be a task of the thread itself.
        thread::Builder::new().name(THREAD_NAME.to_owned()).spawn(move || run(runtime, ended))?;
        Ok(ClientThread { runtime: handle, end: Some(end) })
    }

    fn end_after_writes_of(&mut self, client: async_nats::Client) {
        if let Some(end) = self.end.take() {
            let _ = end.send(client);
        }
    }
}

/// The whole life of the thread.
fn run(runtime: Runtime, ended: oneshot::Receiver<async_nats::Client>) {
    runtime.block_on(async {
        // Ended by the last handle's drop, or by that of a client which never came to be.
        if let Ok(client) = ended.await {
            // Ended by the connection's task, or by the time.
            let _ = timeout(LAST_WRITES, client.flush()).await;
        }
    });
}
