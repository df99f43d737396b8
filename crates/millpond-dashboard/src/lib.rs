//! A live page for a millpond pool: is it full, who is slow, which worker is blocked, and why did a job wait?
//!
//! ```no_run
//! use millpond_dashboard as dashboard;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = millpond::Pool::builder().build()?;
//! let dashboard = dashboard::serve(&pool, "127.0.0.1:9900")?;
//! println!("the pool is shown at {}", dashboard.url());
//! # std::thread::park(); Ok(()) }
//! ```
//!
//! It runs on the pool itself: [`millpond::net`] accepts, and each connection is a job called `dashboard`. So it needs no
//! thread or runtime of its own but the one that accepts, and stands in the pool's figures: each reader is a task. A worker
//! that computes holds back the readers that it has, and no others.
//!
//! # What is served
//!
//! | path | what | for whom |
//! |---|---|---|
//! | `/` | one page with all that it needs in it, live | people |
//! | `/events` | server-sent events, a state each second | the page, and programs that want to see each second |
//! | `/json` | one snapshot, in full | scripts |
//! | `/metrics` | OpenMetrics 1.0, or Prometheus' classic text, as `Accept` says: see [`openmetrics`] | Prometheus and its like |
//!
//! # Who may read
//!
//! Figures tell of jobs, files and functions, so by default nobody beyond this machine: an address that others can reach is an
//! error unless a [token](Builder::token) is set. With a token, whoever has it may read. Without one the `Host` of a request
//! must be this machine's loopback, so that no page of another origin can read by way of a name of its own (DNS rebinding).
//! There is no TLS: for more than a trusted network, put a proxy in front, or come by `ssh -L`.
//!
//! # What it costs
//!
//! While nobody reads, nothing runs. Each second the first reader to come takes one snapshot, which all others get too, a
//! thousand as well as one. Readers that are slow get the newest state only, and those that take nothing for
//! [a while](Builder::write_timeout) are cut off.
//!
//! # The JSON
//!
//! Counts are of the pool's whole life, as in [`Metrics`](millpond::metrics::Metrics); what says *now* is of the instant.
//! Rates, busy shares and percentiles are of a window that ends now: of a second in events; in `/json` since a snapshot of
//! half a second ago or more, or else since the pool's start. `window_s` says how long it is.
//!
//! ```json
//! {
//!   "sequence": 42, "name": "thumbnails", "time_ms": 1795441673969, "uptime_s": 117.2, "window_s": 1.0,
//!   "queue": {"shared": 12, "waiting": 40, "capacity": 65536, "fill": 0.00018},
//!   "jobs": {"accepted": 73460, "started": 73420, "completed": 73400, "panicked": 3, "aborted": 2, "expired": 0, "cut_off": 0,
//!            "never_started": 0, "queued": 40, "tasks": 15},
//!   "blocking": {"accepted": 7, "…": 0}, "block_on": {"accepted": 0, "…": 0},
//!   "rates": {"accepted": 1010.0, "started": 1002.0, "ended": 998.0, "polls": 3004.0},
//!   "busy": 0.53,
//!   "queue_wait": {"count": 1002, "p50_ns": 8191, "p90_ns": 65535, "p99_ns": 102399, "max_ns": 2228223},
//!   "poll_time": {"count": 3004, "p50_ns": 4095, "p90_ns": 32767, "p99_ns": 655359, "max_ns": 1114111},
//!   "stalls": 1,
//!   "workers": [{"worker": 0, "busy": 0.5, "tasks": 8, "queued": 14, "started_rate": 501.0, "polls_rate": 1502.0, "stalls": 1,
//!                "totals": {"accepted": 20, "started": 36710, "completed": 36700, "panicked": 3, "aborted": 2, "expired": 0, "cut_off": 0,
//!                           "never_started": 0, "polls": 80120, "batches": 9000, "batch_jobs": 36000, "steals": 7,
//!                           "stolen_jobs": 19, "parks": 8000, "wakes_sent": 900, "wakes_received": 800,
//!                           "driver_turns": 4000, "busy_s": 60.1, "idle_s": 57.1}}],
//!   "recent_stalls": [{"worker": 0, "name": "sharpen", "location": "src/main.rs:70:26", "held_ns": 12000000,
//!                      "noticed_ms": 1795441673000, "backtrace": "…"}]
//! }
//! ```
//!
//! - `name` is there if [one is set](Builder::name). `capacity` is null where there is no limit. `fill` is the shared queue's
//!   share of it. `waiting` are all jobs that wait, `jobs.queued` again.
//! - `rates` are a second's. `busy` is a share, from 0 to 1: of one worker's time, or of all workers' together.
//! - Percentiles are 0 where `count` is.
//! - `location` is where the job was spawned. `name` is null for a job without one, and `backtrace` where millpond's feature
//!   `backtrace` is off or the thread did not answer.
//!
//! Events have no `totals` and no `recent_stalls`. The stalls come as an event of their own, called `stalls`, with
//! `{"recent_stalls": […]}`: at the beginning, and when there are new ones. An event's `id` is its `sequence`.
//!
//! Fields may be added; those that are here stay.
//!
//! # Features
//!
//! - `server` (on by default): all of it. Without, only [`openmetrics`] is left, for an endpoint of your own, and no dependency
//!   but millpond.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(feature = "server"), allow(rustdoc::broken_intra_doc_links))]

pub mod openmetrics;
#[cfg(feature = "server")]
mod server;

#[cfg(feature = "server")]
pub use server::{BadToken, Builder, Dashboard, DashboardError, serve};

#[cfg(all(doctest, feature = "server"))]
#[doc = include_str!("../README.md")]
struct Readme;
