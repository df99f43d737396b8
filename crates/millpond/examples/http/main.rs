//! A server of static files: HTTP/1.1, and HTTP/2 without TLS, by hyper on the connections of `millpond::net`.
//!
//! ```sh
//! cargo run --release --example http -- DIR
//! cargo run --release --example http -- --addr 127.0.0.1:0 --workers 4 --balance least --max-connections 10000 DIR
//! cargo run --release --features backtrace --example http -- --dashboard 127.0.0.1:9900 DIR
//! ```
//!
//! It prints `listening on http://127.0.0.1:8080`, and at its end what became of the connections and which worker had
//! how many. Each connection stays on the worker that got it. Files are read through that worker's ring.
//!
//! The life of a request, and where to read about it: `connection` finds out what the client speaks (`protocol`) and lets
//! hyper speak it over `stream` (`reads`, `writes`), as long as `watch` allows; `answer` finds the file (`target`,
//! `folder`), says what it is (`kinds`, `validators`, `part`) and sends it (`body`). `limits` and `descriptors` have what
//! clients may cost, `signals` what ends the server.
//!
//! **hyper, not monoio-http.** hyper 1 knows no runtime, speaks both protocols, and is what most of Rust's web runs on:
//! what is wrong with it is found and mended soon. monoio-http moves bytes without a copy, but has few users, and its HTTP/2
//! is a copy of `h2` 0.3, which the mends of `h2` since then do not reach: the limits on streams that are reset again and
//! again are not in it.
//!
//! **`stream`, not monoio-compat.** Its `StreamWrapper` behind hyper-util's `TokioIo` works too, and for small files costs
//! the same: 10 µs of CPU a request on HTTP/1.1, 11 on HTTP/2. But it hands over 8 KiB at a time: 300 KB took 260 and 250 µs,
//! with `stream` 120 and 175. (Its feature `hyper` is no way: it turns on monoio's `poll-io`, and cargo would do so for every
//! crate of the build.)

mod answer;
mod args;
mod body;
mod connection;
mod descriptors;
mod folder;
mod kinds;
mod limits;
mod part;
mod protocol;
mod reads;
mod signals;
mod site;
mod stream;
mod tally;
mod target;
mod validators;
mod watch;
mod writes;

use std::error::Error;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use millpond::net::{ServeReceipt, Server};
use millpond::{Handle, JobOptions, Pool};
use millpond_dashboard::Dashboard;
use monoio::net::TcpStream;

use args::Args;
use folder::Folder;
use site::Site;
use tally::Tally;

const USAGE_STATUS: u8 = 2;

/// For the answers that are under way when the server is told to end. What supervisors send SIGKILL after is longer:
/// Kubernetes waits 30 s, systemd 90, docker just these 10.
const GRACE: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let args = match Args::from_env() {
        Ok(args) => args,
        Err(error) => {
            complain(&format!("{error}; try --help"));
            return USAGE_STATUS.into();
        }
    };
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<(), Box<dyn Error>> {
    if args.help {
        return Ok(io::stdout().write_all(args::HELP.as_bytes())?);
    }
    let signalled = signals::install()?;
    let folder = Folder::open(&args.folder).map_err(|error| format!("{}: {error}", args.folder.display()))?;
    let listener = TcpListener::bind(&args.addr).map_err(|error| format!("--addr {}: {error}", args.addr))?;
    let mut builder = Pool::builder();
    if let Some(workers) = args.workers {
        builder = builder.worker_threads(workers);
    }
    let pool = builder.build()?;
    let server = Server::builder()
        .balance(args.balance)
        .max_connections(descriptors::connections(args.max_connections, pool.workers().len())?)
        // A head and a small body are one write; the kernel has nothing to wait for.
        .nodelay(true)
        .on_accept_error(|error| complain(&format!("cannot accept: {error}")));
    let site = Arc::new(Site {
        folder: Arc::new(folder),
        tally: Tally::new(pool.workers().len()),
        limits: args.limits,
        stopping: server.stopping(),
    });
    let handler = {
        let site = Arc::clone(&site);
        move |stream: TcpStream, _: SocketAddr| connection::serve(stream, Arc::clone(&site))
    };
    let connections = pool.with_options(JobOptions::new().name("connection"));
    let server = server.serve(&connections, listener, handler)?;
    writeln!(io::stdout(), "listening on http://{}", server.local_addr())?;
    // Goes before the pool, and the page with it.
    let _dashboard = args.dashboard.as_deref().map(|addr| show(&pool, addr)).transpose()?;
    // Ended by the first signal: the thread that waits for them never goes.
    signalled.recv()?;
    // Ended by the last connection, or by the grace.
    let receipt = server.shutdown_timeout_blocking(GRACE);
    report(&site, &receipt)?;
    Ok(())
    // The pool ends here. It has nothing left to do but the requests that were cut off.
}

/// A live page of the pool, at an address of its own.
fn show(pool: &Handle, addr: &str) -> Result<Dashboard, Box<dyn Error>> {
    let dashboard = Dashboard::builder().name("http").serve(pool, addr);
    let dashboard = dashboard.map_err(|error| format!("--dashboard {addr}: {error}"))?;
    writeln!(io::stdout(), "the pool is shown at {}", dashboard.url())?;
    Ok(dashboard)
}

fn report(site: &Site, receipt: &ServeReceipt) -> io::Result<()> {
    let ServeReceipt { served, panicked, cut_off, refused, .. } = receipt;
    let line = format!("served {served}, panicked {panicked}, cut off {cut_off}, refused {refused}\n");
    io::stdout().write_all((site.tally.table() + &line).as_bytes())
}

/// On standard error. If that is gone, nobody is left to tell.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "http: {message}");
}
