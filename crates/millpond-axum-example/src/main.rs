//! A file server on axum and tokio whose files are a pool's: tokio has the sockets, and io_uring reads and writes.
//!
//! ```text
//! $ cargo run --release -p millpond-axum-example -- DIR
//! listening on http://127.0.0.1:8080
//!
//! $ curl --upload-file notes.txt http://127.0.0.1:8080/files/notes.txt
//! $ curl http://127.0.0.1:8080/files
//! $ curl http://127.0.0.1:8080/files/notes.txt
//! ```
//!
//! Each transfer is one job, and a bounded channel of tokio's between the job and the request's task: `download` goes one way,
//! `upload` the other. Whoever is faster waits for the other, so a transfer takes a few hundred KiB, however large the file.
//! A client that goes away takes the job with it (`job`). `site` says how many transfers there may be at once, `refusal` what
//! a client is told otherwise, `listing` what is there.
//!
//! SIGTERM and Ctrl-C end it in order: first the server, whose transfers have a while to end, then the pool, whose receipt it
//! prints.

mod args;
mod download;
mod job;
mod listing;
mod refusal;
mod site;
mod upload;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use millpond::{JobOptions, Pool, Receipt};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::timeout;

use args::Args;
use site::Site;

const USAGE_STATUS: u8 = 2;

/// For the transfers that are under way when the server is told to end. What supervisors send SIGKILL after is longer:
/// Kubernetes waits 30 s, systemd 90, docker just these 10.
const GRACE: Duration = Duration::from_secs(9);

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

/// One thread of tokio's: all that it does is to pass on what the pool and the sockets have.
#[tokio::main(flavor = "current_thread")]
async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    if args.help {
        return Ok(io::stdout().write_all(args::HELP.as_bytes())?);
    }
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut builder = Pool::builder();
    if let Some(workers) = args.workers {
        builder = builder.worker_threads(workers);
    }
    let pool = builder.build()?;
    let transfers = pool.with_options(JobOptions::new().name("transfer"));
    let site = Site::new(args.folder, transfers, args.max_transfers, args.max_bytes)?;
    let listener = TcpListener::bind(&args.addr).await;
    let listener = listener.map_err(|error| format!("--addr {}: {error}", args.addr))?;
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;

    let (stop, stopping) = oneshot::channel::<()>();
    let until_stop = async move {
        // Ended by the drop of `stop`.
        let _ = stopping.await;
    };
    let server = axum::serve(listener, router(site)).with_graceful_shutdown(until_stop);
    let mut server = tokio::spawn(server.into_future());
    // Ended by the first signal. The server ends by itself only with an error, and never in practice.
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
        ended = &mut server => ended??,
    }
    drop(stop);
    end(server, pool).await
}

fn router(site: Site) -> Router {
    Router::new()
        .route("/files", get(listing::get))
        .route("/files/{name}", get(download::get).put(upload::put))
        .with_state(Arc::new(site))
}

/// Lets the transfers end, for a while. The pool outlives the server: what is cut off when the time is up are its jobs, and by
/// that their answers.
async fn end(mut server: tokio::task::JoinHandle<io::Result<()>>, pool: Pool) -> Result<(), Box<dyn Error>> {
    // Ended by the last connection, or by the grace.
    let in_time = timeout(GRACE, &mut server).await;
    if in_time.is_err() {
        complain("some transfers did not end in time");
    }
    // Ended by the last job. Those that still run wait for clients, and are cut off.
    let receipt = pool.shutdown_timeout(Duration::ZERO).await;
    let Receipt { completed, panicked, aborted, cut_off, never_started, .. } = receipt;
    writeln!(
        io::stdout(),
        "completed {completed}, panicked {panicked}, aborted {aborted}, cut off {cut_off}, never started {never_started}"
    )?;
    in_time.unwrap_or(Ok(Ok(())))??;
    Ok(())
}

/// On standard error. If that is gone, nobody is left to tell.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "millpond-axum-example: {message}");
}
