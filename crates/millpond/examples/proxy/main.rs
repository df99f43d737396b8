//! A TCP proxy: each connection that comes in is copied to another server, and what that answers is copied back.
//!
//! ```text
//! $ cargo run --release --example proxy -- --workers 2 127.0.0.1:6380 127.0.0.1:6379
//! listening on 127.0.0.1:6380
//! worker     connections     open  no upstream    reset      to upstream        to client
//! 0                   49        0            0        0        3,621,524          575,467
//! 1                   52        0            0        0        4,478,553          824,582
//! total              101        0            0        0        8,100,077        1,400,049
//! served 101, panicked 0, cut off 0, refused 0
//! ```
//!
//! That was `redis-benchmark -p 6380 -t set,get`, and SIGTERM after it; SIGUSR1 prints the table at any time. Either
//! address is `host:port` or `unix:/path`.
//!
//! The life of a connection: `millpond::net` hands it to a worker, which counts it (`tally`) and connects to the other
//! server (`upstream`; `refusals` tells when that fails). There `relay` copies both ways at the same time, and `side` ends
//! each side as the other one did: in order, or by a reset (`reset`). `idle` ends a connection that nothing moves on.
//! `descriptors` says how many connections there may be, and `signals` what is asked of the program.

mod address;
mod args;
mod descriptors;
mod idle;
mod proxy;
mod refusals;
mod relay;
mod reset;
mod side;
mod signals;
mod tally;
mod upstream;

use std::error::Error;
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use flume::Receiver;
use futures_lite::future::or;
use millpond::Pool;
use millpond::net::{Listener, ServeReceipt, Server, ServerBuilder, Stream};

use address::Address;
use args::Args;
use proxy::Proxy;
use side::Socket;
use signals::Asked;

/// How long open connections may go on once the program is to stop: as long as Docker waits before it kills.
const STOP_LIMIT: Duration = Duration::from_secs(10);

const USAGE_STATUS: u8 = 2;

fn main() -> ExitCode {
    let args = match Args::from_env() {
        Ok(Some(args)) => args,
        Ok(None) => {
            say(args::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("proxy: {error}; try --help");
            return USAGE_STATUS.into();
        }
    };
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("proxy: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let asked = signals::install()?;
    let mut builder = Pool::builder();
    if let Some(workers) = args.workers {
        builder = builder.worker_threads(workers);
    }
    let pool = builder.build()?;
    let workers = pool.workers().len();
    let server = Server::builder()
        .balance(args.balance)
        .max_connections(descriptors::connections(args.max_connections, workers)?)
        .nodelay(true);
    let proxy = Arc::new(Proxy::new(args, workers)?);
    match &args.listen {
        Address::Tcp(name) => {
            let listener = TcpListener::bind(name).map_err(|error| format!("{name}: {error}"))?;
            let address = listener.local_addr()?.to_string();
            serve::<_, monoio::net::TcpStream>(&pool, server, listener, &address, proxy, asked)
        }
        Address::Unix(path) => {
            let listener = UnixListener::bind(path).map_err(|error| in_the_way(path, error))?;
            let _file = Removed(path);
            let address = args.listen.to_string();
            serve::<_, monoio::net::UnixStream>(&pool, server, listener, &address, proxy, asked)
        }
    }
}

/// Serves until a signal stops it, and prints the table.
fn serve<L, S>(
    pool: &Pool,
    server: ServerBuilder,
    listener: L,
    address: &str,
    proxy: Arc<Proxy>,
    asked: Receiver<Asked>,
) -> Result<(), Box<dyn Error>>
where
    L: Listener,
    S: Stream<Socket = L::Socket> + Socket,
{
    let shared = proxy.clone();
    let handler = move |client: S, _from: L::Addr| {
        let proxy = shared.clone();
        async move { proxy.serve(client).await }
    };
    let server = server.serve(pool, listener, handler).map_err(|error| error.to_string())?;
    say(&format!("listening on {address}\n"));
    let receipt = pool.block_on(async {
        tables_until_stop(&asked, &proxy).await;
        let tables = async {
            tables_until_stop(&asked, &proxy).await;
            std::future::pending().await
        };
        // Ended by the last connection's end, or else by the server's own timer.
        or(server.shutdown_timeout(STOP_LIMIT), tables).await
    });
    say(&format!("{}{}\n", proxy.table(), line(&receipt)));
    Ok(())
}

/// Prints a table whenever one is asked for.
async fn tables_until_stop(asked: &Receiver<Asked>, proxy: &Proxy) {
    // Ended by a signal. They are queued, and the thread that queues them lives as long as the process.
    while let Ok(Asked::Table) = asked.recv_async().await {
        say(&proxy.table());
    }
}

fn line(receipt: &ServeReceipt) -> String {
    let ServeReceipt { served, panicked, cut_off, refused, .. } = receipt;
    format!("served {served}, panicked {panicked}, cut off {cut_off}, refused {refused}")
}

/// Writes to standard output. If nobody reads there any more, connections are served all the same.
fn say(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

fn in_the_way(path: &Path, error: io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => "; remove it if no other process listens there",
        _ => "",
    };
    format!("unix:{}: {error}{hint}", path.display())
}

/// Removes the socket's file at the end: nobody could bind there otherwise.
struct Removed<'a>(&'a Path);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        // Removed by somebody else at worst.
        let _ = std::fs::remove_file(self.0);
    }
}
