//! `/metrics`, as promtool and a real Prometheus see it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;

use millpond_dashboard::openmetrics::{self, Format};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::unhung;
use crate::support::{Served, curl, serve, serve_with};
use crate::tools::{Service, ensure, tool};

const OPENMETRICS: &str = "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5";

fn some_jobs(served: &Served) {
    let quiet = || async { std::panic::resume_unwind(Box::new("told to")) };
    for _ in 0..3 {
        assert!(served.pool.spawn(quiet).join().is_err());
    }
    for _ in 0..7 {
        served.pool.spawn_blocking(|| {}).join().expect("it ends");
    }
    let held = || async { thread::sleep(std::time::Duration::from_millis(15)) };
    served.pool.spawn(held).join().expect("it ends");
}

#[test]
fn promtool_finds_nothing_to_say() {
    let named = serve_with(millpond_dashboard::Dashboard::builder().name("a \"b\" \\ c"));
    for served in [serve(), named] {
        some_jobs(&served);
        let text = served.get("/metrics");
        let mut promtool = tool("promtool", "prometheus")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promtool runs");
        promtool.stdin.take().expect("a pipe").write_all(&text.body).expect("it reads");
        let output = promtool.wait_with_output().expect("it ends");
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
    }
}

/// The samples of a text, by name and labels.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let parsed = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name, value.parse().expect("a number"))
    });
    parsed.collect()
}

#[test]
fn both_formats_have_the_same_samples_and_each_its_own_heads() {
    let served = serve();
    some_jobs(&served);
    let metrics = served.pool.metrics();
    let classic = openmetrics::encode(&metrics, Format::Text);
    let open = openmetrics::encode(&metrics, Format::OpenMetrics);
    assert_eq!(samples(&classic), samples(&open));
    assert!(classic.contains("# TYPE millpond_jobs_ended_total counter\n") && !classic.contains("# EOF"));
    assert!(open.contains("# TYPE millpond_jobs_ended counter\n"));
    assert!(open.contains("# UNIT millpond_queue_wait_seconds seconds\n") && open.ends_with("\n# EOF\n"));

    let url = format!("http://{}/metrics", served.addr());
    let (plain, asked) = (curl(&url, &[]), curl(&url, &["--header", OPENMETRICS]));
    assert_eq!(plain.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(
        asked.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    assert!(asked.text().ends_with("# EOF\n"));
}

#[test]
fn the_text_is_what_the_pool_says() {
    let served = serve();
    some_jobs(&served);
    let metrics = served.pool.metrics();
    let text = openmetrics::encode(&metrics, Format::Text);
    let samples = samples(&text);
    let whole = |family: &str| -> f64 {
        samples.iter().filter(|(name, _)| name.starts_with(family)).map(|(_, value)| value).sum()
    };
    assert_eq!(whole("millpond_jobs_accepted_total{"), metrics.jobs.accepted as f64);
    assert_eq!(whole("millpond_jobs_started_total{"), metrics.jobs.started as f64);
    assert_eq!(whole("millpond_jobs_ended_total{"), metrics.jobs.ended() as f64);
    assert_eq!(
        whole("millpond_worker_polls_total{"),
        metrics.workers.iter().map(|worker| worker.polls as f64).sum::<f64>()
    );
    assert_eq!(samples["millpond_jobs_ended_total{kind=\"worker\",outcome=\"panicked\"}"], 3.0);
    assert_eq!(samples["millpond_jobs_ended_total{kind=\"blocking\",outcome=\"completed\"}"], 7.0);
    assert_eq!(samples["millpond_queue_capacity_jobs"], metrics.queue_capacity as f64);
    for (family, histogram) in [
        ("millpond_queue_wait_seconds", metrics.queue_wait()),
        ("millpond_poll_seconds", metrics.poll_time()),
    ] {
        assert_eq!(samples[&*format!("{family}_count")], histogram.count() as f64);
        assert_eq!(samples[&*format!("{family}_sum")], histogram.sum().as_secs_f64());
        let bucket = format!("{family}_bucket{{le=\"");
        let mut buckets: Vec<(f64, f64)> = samples
            .iter()
            .filter_map(|(name, count)| {
                let bound = name.strip_prefix(&bucket)?.strip_suffix("\"}")?;
                Some((bound.parse().expect("a bound; `+Inf` is one"), *count))
            })
            .collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        for (bound, count) in buckets {
            let shorter = histogram.buckets().filter(|(upper, _)| upper.as_secs_f64() <= bound);
            assert_eq!(count, shorter.map(|(_, count)| count as f64).sum::<f64>(), "{family} {bound}");
        }
    }
}

/// A Prometheus of our own, in a folder of its own.
struct Prometheus {
    _service: Service,
    url: String,
    _folder: TempDir,
}

impl Prometheus {
    fn start(target: &str) -> Prometheus {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("prometheus.yml");
        let job = format!(
            "scrape_configs:\n- job_name: pool\n  scrape_interval: 1s\n  static_configs: [{{targets: ['{target}']}}]\n"
        );
        std::fs::write(&config, job).expect("a file");
        // Free now; and if another takes it before Prometheus does, that says so and the test fails with it.
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port")
            .port();
        let args = [
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.path().join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        let args = args.each_ref().map(String::as_str);
        ensure("prometheus", "prometheus");
        let mut service = Service::start("prometheus", &args, |command| {
            command.stderr(Stdio::piped());
        });
        let mut log = BufReader::new(service.child().stderr.take().expect("a pipe"));
        let mut line = String::new();
        // Ended by the line, or by its end.
        while !line.contains("Server is ready") {
            line.clear();
            assert!(log.read_line(&mut line).expect("a pipe") > 0, "prometheus has ended");
        }
        // Read on, so that it never waits for its own log. Ended by its end.
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Prometheus { _service: service, url: format!("http://127.0.0.1:{port}"), _folder: folder }
    }

    fn api(&self, path: &str) -> Value {
        let got = curl(&format!("{}/api/v1/{path}", self.url), &["--globoff"]);
        serde_json::from_slice::<Value>(&got.body).expect("JSON")["data"].clone()
    }

    /// The value of a query that has one.
    fn value(&self, query: &str) -> Option<f64> {
        let escaped: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let data = self.api(&format!("query?query={escaped}"));
        data["result"][0]["value"][1].as_str()?.parse().ok()
    }

    /// The same, once there is one: the first scrape may be a second away.
    fn wait_for(&self, query: &str) -> f64 {
        loop {
            if let Some(value) = self.value(query) {
                return value;
            }
            thread::yield_now();
        }
    }
}

#[test]
fn prometheus_gives_back_what_the_pool_says() {
    unhung("prometheus_gives_back_what_the_pool_says", || {
        let served = serve();
        some_jobs(&served);
        let before = served.pool.metrics();
        let prometheus = Prometheus::start(&served.addr().to_string());
        prometheus.wait_for("millpond_uptime_seconds > 0");
        let quiet = [
            ("millpond_workers", before.workers.len() as f64),
            ("millpond_queue_capacity_jobs", before.queue_capacity as f64),
            ("millpond_shared_queue_jobs", 0.0),
            ("millpond_jobs_ended_total{kind=\"worker\",outcome=\"panicked\"}", 3.0),
            ("sum(millpond_jobs_ended_total{kind=\"blocking\"})", before.blocking.ended() as f64),
            ("sum(millpond_jobs_accepted_total{kind=\"blocking\"})", 7.0),
            ("sum(millpond_queued_jobs)", 0.0),
        ];
        for (query, value) in quiet {
            assert_eq!(prometheus.wait_for(query), value, "{query}");
        }
        // Each scrape is a job of the pool itself, so these have moved on.
        let moved = [
            ("sum(millpond_jobs_accepted_total)", before.jobs.accepted, served.pool.metrics().jobs.accepted),
            ("millpond_poll_seconds_count", before.poll_time().count(), u64::MAX),
            ("millpond_queue_wait_seconds_count", before.queue_wait().count(), u64::MAX),
        ];
        for (query, least, _) in moved {
            let value = prometheus.wait_for(query);
            let most =
                served.pool.metrics().jobs.accepted.max(u64::from(query.ends_with("_count")) * u64::MAX);
            assert!(
                value >= least as f64 && value <= most as f64,
                "{query} is {value}, not in {least}..={most}"
            );
        }
        assert!(prometheus.wait_for("histogram_quantile(1, millpond_poll_seconds_bucket)") >= 0.015);
        // Units are told by OpenMetrics alone: so that is what it asked for and read.
        let metadata = prometheus.api("metadata?metric=millpond_queue_wait_seconds");
        assert_eq!(metadata["millpond_queue_wait_seconds"][0]["unit"], "seconds", "{metadata}");
        let health = prometheus.api("targets");
        assert_eq!(health["activeTargets"][0]["lastError"], "", "{health}");
    });
}
