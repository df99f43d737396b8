//! What the command line may say.

use std::net::TcpListener;
use std::process::{Command, Output};

use crate::common::unhung;
use crate::program::{mortal, path};

/// Runs it to its end. One that is content with its arguments would serve.
fn run(args: &[&str]) -> Output {
    let mut output = None;
    unhung(&format!("proxy {args:?}"), || output = mortal(path()).args(args).output().ok());
    output.expect("setpriv starts")
}

#[track_caller]
fn assert_fails(output: &Output, status: i32, errors: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stdout).as_ref()), (Some(status), ""));
    assert!(stderr.lines().count() == 1 && errors.iter().all(|error| stderr.contains(error)), "{stderr}");
}

#[test]
fn a_wrong_command_line_is_status_2() {
    const ADDRESSES: [&str; 2] = ["127.0.0.1:0", "127.0.0.1:1"];
    for (options, error) in [
        (&["--frobnicate"][..], "invalid option '--frobnicate'"),
        (&["--workers", "0"], "number would be zero for non-zero type"),
        (&["--max-connections", "0"], "number would be zero for non-zero type"),
        (&["--max-connections", "many"], "cannot parse argument \"many\""),
        (&["--balance", "best"], "--balance can be least, round-robin or reuse-port"),
        (&["--idle-timeout", "0"], "--idle-timeout is a number of seconds above 0"),
        (&["--idle-timeout", "-1"], "--idle-timeout is a number of seconds above 0"),
        (&["127.0.0.1:2"], "unexpected argument"),
    ] {
        let output = run(&[&ADDRESSES, options].concat());
        assert_fails(&output, 2, &["proxy: ", error, "; try --help"]);
    }
    assert_fails(
        &run(&ADDRESSES[..1]),
        2,
        &["proxy: it takes two addresses, LISTEN and UPSTREAM; try --help"],
    );
}

#[test]
fn help_is_printed_on_standard_output() {
    let output = run(&["--help"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("Usage: proxy"), "{output:?}");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn what_cannot_be_listened_on_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let output = run(&[&address, "127.0.0.1:1"]);
    assert_fails(&output, 1, &[&format!("proxy: {address}: Address already in use")]);

    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("taken");
    std::fs::write(&path, "").expect("a new file");
    let address = format!("unix:{}", path.display());
    let hint = "remove it if no other process listens there";
    assert_fails(&run(&[&address, "127.0.0.1:1"]), 1, &[&address, "Address already in use", hint]);
    assert!(path.exists(), "it is not the proxy's to remove");
}

#[test]
fn a_unix_socket_cannot_share_its_port() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("socket");
    let listen = format!("unix:{}", path.display());
    let output = run(&["--balance", "reuse-port", &listen, "127.0.0.1:1"]);
    assert_fails(&output, 1, &["proxy: balance is ReusePort", "a Unix socket's address has one listener"]);
    assert!(!path.exists(), "the socket's file stayed behind");
}

#[test]
fn an_upstream_without_an_address_is_named() {
    assert_fails(&run(&["127.0.0.1:0", "127.0.0.1"]), 1, &["proxy: 127.0.0.1: invalid socket address"]);
}

#[test]
fn more_connections_than_open_files_are_refused_at_the_start() {
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 100 && exec \"$0\" \"$@\""]).arg(path());
    let output = limited
        .args(["--workers", "1", "--max-connections", "1000", "127.0.0.1:0", "127.0.0.1:1"])
        .output()
        .expect("a shell");
    assert_fails(
        &output,
        1,
        &["--max-connections is 1000, and the limit of 100 open files allows 30; raise it with `ulimit -n`"],
    );
}
