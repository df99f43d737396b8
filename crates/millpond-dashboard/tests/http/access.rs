//! Who gets a dashboard, and who gets an answer.

use std::error::Error;
use std::net::TcpListener;
use std::time::Duration;

use millpond::Driver;
use millpond_dashboard::{BadToken, Dashboard, DashboardError, serve};

use crate::common;
use crate::support::{TOKEN, curl, request, send, serve as serve_here, serve_with};

#[test]
fn an_address_that_others_reach_needs_a_token() {
    let pool = common::builder(1).driver(common::io_drivers()[0]).build().expect("a pool starts");
    for addr in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9900"] {
        let error = serve(&pool, addr).expect_err("no token is set");
        assert!(matches!(error, DashboardError::NeedsToken { .. }), "{error:?}");
        assert_eq!(error.setting(), Some("token"));
        let message = error.to_string();
        for part in [&addr[..addr.len() - 2], "token", "127.0.0.1"] {
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
    }
    let dashboard = Dashboard::builder().token(TOKEN).serve(&pool, "0.0.0.0:0").expect("it has one");
    let port = dashboard.local_addr().port();
    assert_eq!(dashboard.url(), format!("http://127.0.0.1:{port}/?token={TOKEN}"));
    assert_eq!(curl(&dashboard.url(), &[]).status, 200);
}

#[test]
fn a_setting_that_cannot_be_is_named_with_the_way_out() {
    let pool = common::builder(1).driver(common::io_drivers()[0]).build().expect("a pool starts");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = listener.local_addr().expect("an address");
    let builder = Dashboard::builder;
    let here = "127.0.0.1:0";
    let cases = [
        (builder().token("short").serve(&pool, here), "token", "has 5 characters; take 16 or more"),
        (builder().token("a token with spaces").serve(&pool, here), "token", "position 1"),
        (builder().max_readers(0).serve(&pool, here), "max_readers", "is 0"),
        (builder().head_timeout(Duration::ZERO).serve(&pool, here), "head_timeout", "is 0"),
        (builder().write_timeout(Duration::ZERO).serve(&pool, here), "write_timeout", "is 0"),
        (builder().serve(&pool, taken), "addr", "with port 0 the system chooses"),
        (builder().serve(&pool, "no port"), "addr", "cannot be listened on"),
    ];
    for (result, setting, part) in cases {
        let error = result.expect_err(setting);
        assert_eq!(error.setting(), Some(setting), "{error}");
        let message = error.to_string();
        assert!(message.starts_with(setting) && message.contains(part), "{message:?} lacks {part:?}");
    }
    let error = builder().token("x".repeat(15) + "é").serve(&pool, here).expect_err("no ASCII");
    let DashboardError::BadToken { reason } = error else { panic!("{error:?}") };
    assert_eq!(reason, BadToken::Character { at: 15 });
}

#[test]
fn a_pool_that_cannot_serve_is_an_error() {
    let pool = common::builder(1).driver(Driver::Park).build().expect("a pool starts");
    let error = serve(&pool, "127.0.0.1:0").expect_err("it has no sockets");
    assert_eq!(error.setting(), Some("driver"));
    assert!(error.source().is_some(), "{error}");

    let handle = pool.handle();
    pool.shutdown_blocking();
    let error = serve(&handle, "127.0.0.1:0").expect_err("it has ended");
    assert!(matches!(error, DashboardError::Serve { .. }), "{error}");
}

#[test]
fn without_its_token_nothing_is_told() {
    let served = serve_with(Dashboard::builder().token(TOKEN));
    let base = format!("http://{}", served.addr());
    for path in ["/", "/events", "/json", "/metrics", "/nothing"] {
        let wrong = "not-the-token-for-tests";
        for url in [path.to_owned(), format!("{path}?token={wrong}"), format!("{path}?token={}", &TOKEN[1..])]
        {
            let got = curl(&format!("{base}{url}"), &[]);
            assert_eq!(got.status, 401, "{url}");
            assert!(got.header("www-authenticate").is_some_and(|asks| asks.starts_with("Bearer ")));
            assert!(!got.text().contains(TOKEN));
        }
        let got = curl(&format!("{base}{path}"), &["--header", "Authorization: Bearer "]);
        assert_eq!(got.status, 401, "{path}");
    }
    assert!(!format!("{:?} {:?}", served.dashboard, Dashboard::builder().token(TOKEN)).contains(TOKEN));
}

#[test]
fn a_token_opens_by_header_and_by_address() {
    let served = serve_with(Dashboard::builder().token(TOKEN));
    let base = format!("http://{}", served.addr());
    for path in ["/", "/json", "/metrics"] {
        assert_eq!(curl(&format!("{base}{path}?token={TOKEN}"), &[]).status, 200, "{path}");
        let header = format!("Authorization: Bearer {TOKEN}");
        assert_eq!(curl(&format!("{base}{path}"), &["--header", &header]).status, 200, "{path}");
    }
    // By whatever name: it may stand behind a proxy. Who has the token is no stranger's page.
    let host = "Host: dashboards.example";
    assert_eq!(curl(&format!("{base}/json?token={TOKEN}"), &["--header", host]).status, 200);
}

/// A page of some other origin can have its own name resolve to 127.0.0.1 and then read what it gets (DNS rebinding). Its
/// browser sends that name.
#[test]
fn a_name_that_is_not_this_machines_gets_nothing() {
    let served = serve_here();
    let status = |host: &str| send(served.addr(), format!("GET /json HTTP/1.1\r\n{host}\r\n")).status;
    for host in
        ["localhost", "localhost:1234", "127.0.0.1", "127.3.2.1:80", "[::1]:80", "a.localhost", "LOCALHOST."]
    {
        assert_eq!(status(&format!("Host: {host}\r\n")), 200, "{host}");
    }
    for host in
        ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "0.0.0.0", "192.0.2.1", ""]
    {
        assert_eq!(status(&format!("Host: {host}\r\n")), 403, "{host}");
    }
    assert_eq!(status(""), 400);
    assert_eq!(status("Host: localhost\r\nHost: evil.example\r\n"), 400);
    let absolute = "GET http://evil.example/json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(send(served.addr(), absolute).status, 403);
    assert_eq!(send(served.addr(), request("GET", "http://localhost/json", "")).status, 200);
}
