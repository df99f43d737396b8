//! What is served, and how.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use millpond::metrics::{JobCounts, Metrics};
use serde_json::Value;

use crate::common::unhung;
use crate::support::{curl, request, send, serve};
use crate::tools::{Service, tool};

const ROUTES: [(&str, &str); 3] = [
    ("/", "text/html; charset=utf-8"),
    ("/json", "application/json"),
    ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
];

#[test]
fn each_route_answers_get_and_head() {
    let served = serve();
    for (path, content_type) in ROUTES {
        let url = format!("http://{}{path}", served.addr());
        let (got, head) = (curl(&url, &[]), curl(&url, &["--head"]));
        assert_eq!((got.status, head.status), (200, 200), "{path}");
        assert_eq!(got.header("content-type"), Some(content_type), "{path}");
        assert_eq!(head.header("content-type"), Some(content_type), "{path}");
        assert_eq!(got.header("content-length"), Some(&*got.body.len().to_string()), "{path}");
        assert!(head.body.is_empty() && !got.body.is_empty(), "{path}");
        assert!(got.header("date").is_some_and(|date| date.ends_with(" GMT")), "{got:?}");
    }
    let head = send(served.addr(), request("HEAD", "/events", ""));
    assert_eq!(head.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert!(head.body.is_empty());
}

#[test]
fn a_query_changes_no_route() {
    let served = serve();
    assert_eq!(served.get("/json?from=a-bookmark").status, 200);
    assert_eq!(served.get("/?").status, 200);
}

#[test]
fn whatever_else_is_asked_for_is_refused_in_order() {
    let served = serve();
    for path in ["/favicon.ico", "/json/", "//", "/../etc/passwd", "/%2e%2e/", "/JSON", "*"] {
        assert_eq!(served.get(path).status, 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"] {
        let got = send(served.addr(), request(method, "/json", ""));
        assert_eq!((got.status, got.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    let url = format!("http://{}/json", served.addr());
    assert_eq!(curl(&url, &["--data", "a body that nobody wants"]).status, 405);
}

#[test]
fn an_answer_gives_nothing_away_and_lets_nothing_in() {
    let served = serve();
    for path in ["/", "/json", "/metrics", "/nothing"] {
        let got = served.get(path);
        let expected = [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-frame-options", "DENY"),
            ("connection", "close"),
        ];
        for (name, value) in expected {
            assert_eq!(got.header(name), Some(value), "{path}: {name}");
        }
        let policy = got.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(got.header("access-control-allow-origin"), None);
    }
}

#[test]
fn the_page_needs_nothing_that_is_not_in_it() {
    let page = String::from_utf8(serve().get("/").body).expect("text");
    for outside in ["src=", "@import", "url(", "<link rel=\"stylesheet", "https://", "import("] {
        assert!(!page.contains(outside), "the page has {outside:?} in it");
    }
}

#[test]
fn the_events_come_by_curl_a_second_apart() {
    unhung("the_events_come_by_curl_a_second_apart", || {
        let served = serve();
        let url = format!("http://{}/events", served.addr());
        let mut curl = tool("curl", "curl")
            .args(["--silent", "--no-buffer", "--max-time", "100", &url])
            .stdout(Stdio::piped())
            .spawn()
            .expect("curl runs");
        let lines =
            BufReader::new(curl.stdout.take().expect("a pipe")).lines().map(|line| line.expect("text"));
        // Ended by the third state.
        let lines: Vec<String> = lines
            .scan(0, |states, line| {
                *states += usize::from(line.starts_with("id: "));
                (*states < 4).then_some(line)
            })
            .collect();
        let _ = curl.kill();
        let _ = curl.wait();
        let ids: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("id: ")).collect();
        assert_eq!(lines[0], "retry: 2000");
        let ids: Vec<u64> = ids.iter().map(|id| id.parse().expect("a number")).collect();
        assert_eq!(ids, [ids[0], ids[0] + 1, ids[0] + 2]);
        let times =
            lines.iter().filter_map(|line| line.strip_prefix("data: {\"sequence\"").map(|_| &line[6..]));
        let times: Vec<u64> = times
            .map(|data| {
                serde_json::from_str::<Value>(data).expect("JSON")["time_ms"].as_u64().expect("a time")
            })
            .collect();
        // The first comes at once, the others at ticks: never two in one.
        assert!(times[2] - times[1] > 500, "{times:?}");
    });
}

/// Jobs that end in each way that a running pool has.
fn some_of_each(pool: &millpond::Pool) {
    let quiet = || async { std::panic::resume_unwind(Box::new("told to")) };
    let done: Vec<_> = (0..40).map(|_| pool.spawn(|| async {})).collect();
    let panicked: Vec<_> = (0..3).map(|_| pool.spawn(quiet)).collect();
    let aborted: Vec<_> = (0..2).map(|_| pool.spawn(std::future::pending::<()>)).collect();
    let blocking: Vec<_> = (0..7).map(|_| pool.spawn_blocking(|| {})).collect();
    aborted.iter().for_each(|job| job.abort());
    done.into_iter().for_each(|job| job.join().expect("it ends"));
    panicked.into_iter().for_each(|job| assert!(job.join().is_err_and(|error| error.is_panic())));
    aborted.into_iter().for_each(|job| assert!(job.join().is_err()));
    blocking.into_iter().for_each(|job| job.join().expect("it ends"));
}

fn counts(jobs: &JobCounts) -> [(&'static str, u64); 10] {
    [
        ("accepted", jobs.accepted),
        ("started", jobs.started),
        ("completed", jobs.completed),
        ("panicked", jobs.panicked),
        ("aborted", jobs.aborted),
        ("expired", jobs.expired),
        ("cut_off", jobs.cut_off),
        ("never_started", jobs.never_started),
        ("queued", jobs.queued),
        ("tasks", jobs.tasks),
    ]
}

/// Waits until nothing runs and nothing waits.
fn at_rest(pool: &millpond::Pool) -> Metrics {
    loop {
        let metrics = pool.metrics();
        if metrics.jobs.queued == 0 && metrics.jobs.tasks == 0 {
            return metrics;
        }
        std::thread::yield_now();
    }
}

#[test]
fn the_json_is_what_the_pool_says() {
    unhung("the_json_is_what_the_pool_says", || {
        let served = serve();
        some_of_each(&served.pool);
        let before = at_rest(&served.pool);
        let json = served.json();
        let after = at_rest(&served.pool);
        // What asks is a job itself; so those that moved lie between.
        for ((name, before), (_, after)) in counts(&before.jobs).into_iter().zip(counts(&after.jobs)) {
            let told = json["jobs"][name].as_u64().expect("a count");
            let most = after + u64::from(name == "tasks");
            assert!((before..=most).contains(&told), "{name} is {told}, not in {before}..={most}");
        }
        assert_eq!((&json["jobs"]["panicked"], &json["jobs"]["aborted"]), (&3.into(), &2.into()));
        for (name, count) in counts(&before.blocking) {
            assert_eq!(json["blocking"][name], count, "{name}");
        }
        assert_eq!(json["blocking"]["completed"], 7);
        assert_eq!(json["queue"]["capacity"], before.queue_capacity);
        let workers = json["workers"].as_array().expect("a list");
        assert_eq!(workers.len(), 2);
        for ((told, before), after) in workers.iter().zip(&before.workers).zip(&after.workers) {
            let started = told["totals"]["started"].as_u64().expect("a count");
            assert!((before.started..=after.started).contains(&started));
            let busy = told["totals"]["busy_s"].as_f64().expect("a time");
            assert!((before.busy.as_secs_f64()..=after.busy.as_secs_f64()).contains(&busy));
            assert!((0.0..=1.0).contains(&told["busy"].as_f64().expect("a share")), "{told}");
        }
    });
}

#[test]
fn what_events_tell_of_their_windows_adds_up_to_what_the_pool_did() {
    unhung("what_events_tell_of_their_windows_adds_up_to_what_the_pool_did", || {
        let served = serve();
        let mut events = served.events();
        let first = events.state().json();
        let mut ended = 0.0;
        let mut longest_ns = 0;
        let mut last = first.clone();
        for _ in 0..2 {
            some_of_each(&served.pool);
            let hold = || async { std::thread::sleep(std::time::Duration::from_millis(30)) };
            served.pool.spawn(hold).join().expect("it ends");
            last = events.state().json();
            ended +=
                last["rates"]["ended"].as_f64().expect("a rate") * last["window_s"].as_f64().expect("a time");
            longest_ns = longest_ns.max(last["poll_time"]["max_ns"].as_u64().expect("a time"));
        }
        let sum = |state: &Value| -> u64 {
            let outcomes = ["completed", "panicked", "aborted", "expired", "cut_off", "never_started"];
            outcomes.iter().map(|outcome| state["jobs"][*outcome].as_u64().expect("a count")).sum()
        };
        assert_eq!(ended.round() as u64, sum(&last) - sum(&first));
        assert!(longest_ns >= 30_000_000, "{longest_ns} ns");
        // What follows is of its own second.
        let polls = |state: &Value| state["poll_time"]["count"].as_u64().expect("a count");
        let quiet = events.state().json();
        assert!(polls(&quiet) < polls(&last), "{quiet} after {last}");
    });
}

#[test]
fn a_name_is_told_everywhere() {
    let served = crate::support::serve_with(millpond_dashboard::Dashboard::builder().name("pixel \"mill\""));
    assert_eq!(served.json()["name"], "pixel \"mill\"");
    let metrics = served.get("/metrics");
    assert!(
        metrics.text().contains("millpond_workers{pool=\"pixel \\\"mill\\\"\"} 2\n"),
        "{}",
        metrics.text()
    );
}

/// The example: cargo builds those beside the tests of a package.
#[test]
fn the_demo_serves() {
    unhung("the_demo_serves", || {
        let test = std::env::current_exe().expect("a test knows where it is");
        let profile = test.ancestors().nth(2).expect("a test lies in target/<profile>/deps");
        let demo = profile.join("examples/demo");
        assert!(demo.is_file(), "{demo:?} is missing: build it with `cargo build --example demo`");
        let mut service = Service::start(demo, &["127.0.0.1:0", "2"], |command| {
            command.stdout(Stdio::piped());
        });
        let mut url = String::new();
        let stdout = service.child().stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut url).expect("it says where it is");
        let json = format!("{}json", url.trim_end());
        // Ended by its first jobs.
        loop {
            let json: Value = serde_json::from_slice(&curl(&json, &[]).body).expect("JSON");
            assert_eq!(json["name"], "thumbnails");
            if json["blocking"]["completed"].as_u64() > Some(0) {
                break;
            }
        }
    });
}
