//! A real Redis server behind the proxy, and Redis' own clients before it.

use std::io::{BufRead, BufReader};

use crate::common::unhung;
use crate::program::Proxy;
use crate::redis_server::{Redis, cli, client, succeeded};
use crate::relay::content;

/// Runs `test` with a proxy to a Redis server, by way of TCP and by way of Unix sockets.
fn through_redis(name: &str, test: impl Fn(&Proxy)) {
    unhung(name, || {
        let redis = Redis::start();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let unix = format!("unix:{}", folder.path().join("proxy.sock").display());
        for (listen, upstream) in [("127.0.0.1:0", redis.address.clone()), (&unix, redis.unix_address())] {
            let proxy = Proxy::start_at(listen, &["--workers", "2"], &upstream);
            test(&proxy);
            let ended = proxy.stop();
            assert!(ended.receipt.contains("panicked 0, cut off 0, refused 0"), "{}", ended.receipt);
            assert_eq!((ended.status, ended.errors), (Some(0), Vec::new()));
        }
    });
}

#[test]
fn a_large_value_comes_back_whole() {
    through_redis("a_large_value_comes_back_whole", |proxy| {
        let value = content(32 << 20, 7);
        assert_eq!(cli(proxy, &["-x", "SET", "large"], &value), b"OK\n");
        let mut got = cli(proxy, &["GET", "large"], b"");
        assert_eq!(got.pop(), Some(b'\n'), "redis-cli ends its output so");
        assert!(got == value, "another value came back than was set");
    });
}

#[test]
fn pipelined_commands_all_get_their_answer() {
    const COMMANDS: usize = 100_000;
    through_redis("pipelined_commands_all_get_their_answer", |proxy| {
        let commands: String = (0..COMMANDS).map(|key| format!("SET key:{key} value:{key}\r\n")).collect();
        let answers = cli(proxy, &["--pipe"], commands.as_bytes());
        let answers = String::from_utf8_lossy(&answers);
        assert!(answers.ends_with(&format!("errors: 0, replies: {COMMANDS}\n")), "{answers}");
        let last = COMMANDS - 1;
        assert_eq!(cli(proxy, &["GET", &format!("key:{last}")], b""), format!("value:{last}\n").into_bytes());
    });
}

#[test]
fn a_blocking_pop_gets_what_another_connection_pushes() {
    through_redis("a_blocking_pop_gets_what_another_connection_pushes", |proxy| {
        let pop = client("redis-cli", proxy).args(["BLPOP", "queue", "0"]).spawn().expect("setpriv starts");
        // Ended by the server, once it has heard of the pop.
        while !String::from_utf8_lossy(&cli(proxy, &["INFO", "clients"], b"")).contains("blocked_clients:1") {
        }
        assert_eq!(cli(proxy, &["RPUSH", "queue", "pushed"], b""), b"1\n");
        assert_eq!(succeeded(pop.wait_with_output().expect("a child of ours")), b"queue\npushed\n");
    });
}

#[test]
fn what_is_published_reaches_a_subscriber() {
    through_redis("what_is_published_reaches_a_subscriber", |proxy| {
        let mut subscriber =
            client("redis-cli", proxy).args(["SUBSCRIBE", "news"]).spawn().expect("setpriv starts");
        let mut heard =
            BufReader::new(subscriber.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        assert!(heard.by_ref().take(3).eq(["subscribe", "news", "1"]));
        for message in ["first", "second"] {
            assert_eq!(cli(proxy, &["PUBLISH", "news", message], b""), b"1\n");
            assert!(heard.by_ref().take(3).eq(["message", "news", message]));
        }
        subscriber.kill().expect("a child of ours");
        subscriber.wait().expect("a child of ours");
    });
}

#[test]
fn redis_benchmark_with_50_connections_ends_without_an_error() {
    through_redis("redis_benchmark_with_50_connections_ends_without_an_error", |proxy| {
        let mut benchmark = client("redis-benchmark", proxy);
        benchmark.args(["-c", "50", "-n", "20000", "-t", "set,get,lpush,lrange_100", "--csv"]);
        let rows = succeeded(benchmark.output().expect("setpriv starts"));
        let rows = String::from_utf8_lossy(&rows);
        assert!(rows.contains("\"SET\",") && rows.contains("\"GET\","), "{rows}");
        assert!(!rows.to_lowercase().contains("err"), "{rows}");
    });
}
