//! A pool's metrics as text, for Prometheus and all that reads what it reads.
//!
//! A dashboard serves this at `/metrics`. Who has an endpoint already uses it without one, with the crate's default features
//! off:
//!
//! ```
//! use millpond_dashboard::openmetrics::{self, Format};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = millpond::Pool::builder().worker_threads(2).build()?;
//! // What the scraper says that it understands.
//! let format = Format::for_accept("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5");
//! let (content_type, body) = (format.content_type(), openmetrics::encode(&pool.metrics(), format));
//! assert_eq!(content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
//! assert!(body.contains("\nmillpond_queue_capacity_jobs 65536\n") && body.ends_with(openmetrics::EOF));
//! # Ok(()) }
//! ```
//!
//! To put it behind the metrics of another library (`prometheus`, `prometheus-client`, `metrics-exporter-prometheus`), append
//! it to their text in the same format: all names begin with `millpond_`, so none meets another. In OpenMetrics take the other
//! text's [`EOF`] off first.
//!
//! # What there is
//!
//! Counters and gauges of the pool have the label `kind`: `worker` for jobs of the workers, `blocking` for closures of
//! `spawn_blocking`, `block_on` for tasks of bodies; their sum is the whole pool. Those of a worker have the label `worker`,
//! its number. Jobs that have ended have the label `outcome`. Times are in seconds. The two histograms are the whole pool's, as
//! they would else be half of all series: `millpond_queue_wait_seconds`, from accepted to started, and
//! `millpond_poll_seconds`, how long tasks hold their workers. Their bounds are powers of two of a nanosecond, at which
//! the pool's own buckets end, so no count is split by guess.
//!
//! # Why it is written here
//!
//! The official crate, `prometheus-client`, writes OpenMetrics alone. `promtool check metrics` and older scrapers read the
//! classic text, where a counter's family has its `_total` in its name. And it wants a registry and a trait object for each
//! metric, where a pool's are a table of functions of one snapshot: all figures of a scrape are of the same instant.

mod accept;
mod families;
mod text;

pub use text::EOF;

use millpond::metrics::Metrics;

/// Which text a scraper wants.
///
/// ```
/// use millpond_dashboard::openmetrics::Format;
///
/// let format = Format::for_accept("application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
/// assert_eq!(format, Format::OpenMetrics);
/// assert_eq!(format.content_type(), "application/openmetrics-text; version=1.0.0; charset=utf-8");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' classic text, version 0.0.4: read by everything.
    #[default]
    Text,
}

impl Format {
    /// What the `Accept` of a scraper asks for: OpenMetrics, if it names that and likes nothing better.
    pub fn for_accept(accept: &str) -> Format {
        accept::preferred(accept)
    }

    /// The `Content-Type` of such a text.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// A pool's metrics as text.
///
/// ```
/// use millpond_dashboard::openmetrics::{self, Format};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(1).queue_capacity(100).build()?;
/// let text = openmetrics::encode(&pool.metrics(), Format::Text);
/// assert!(text.contains("\nmillpond_queue_capacity_jobs 100\n"));
/// # Ok(()) }
/// ```
pub fn encode(metrics: &Metrics, format: Format) -> String {
    text::encode(&[(None, metrics)], format)
}

/// Several pools' metrics in one text, told apart by the label `pool`.
///
/// ```
/// use millpond_dashboard::openmetrics::{self, Format};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let requests = millpond::Pool::builder().worker_threads(1).build()?;
/// let thumbnails = millpond::Pool::builder().worker_threads(1).queue_capacity(100).build()?;
/// let (one, other) = (requests.metrics(), thumbnails.metrics());
/// let text = openmetrics::encode_named([("requests", &one), ("thumbnails", &other)], Format::Text);
/// assert!(text.contains("\nmillpond_queue_capacity_jobs{pool=\"thumbnails\"} 100\n"));
/// # Ok(()) }
/// ```
pub fn encode_named<'a>(pools: impl IntoIterator<Item = (&'a str, &'a Metrics)>, format: Format) -> String {
    let pools: Vec<_> = pools.into_iter().map(|(name, metrics)| (Some(name), metrics)).collect();
    text::encode(&pools, format)
}
