//! The server of the tests itself: what they rely on of it.
#![allow(missing_docs)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use async_nats::jetstream::{self, Context, stream};
use rustix::process::{Signal, getpid, kill_process};

use common::{Server, Settings, in_tokio};

async fn connect(server: &Server) -> Context {
    jetstream::new(async_nats::connect(server.url()).await.expect("it listens"))
}

async fn work_queue(jetstream: &Context) -> stream::Stream {
    let retention = stream::RetentionPolicy::WorkQueue;
    let config = stream::Config {
        name: "JOBS".to_owned(),
        subjects: vec!["jobs.>".to_owned()],
        retention,
        ..Default::default()
    };
    jetstream.get_or_create_stream(config).await.expect("JetStream answers")
}

/// Waits until the server has it.
async fn publish(jetstream: &Context, payload: &'static [u8]) -> Result<(), async_nats::Error> {
    jetstream.publish("jobs.one", payload.into()).await?.await?;
    Ok(())
}

async fn payloads(jetstream: &Context) -> Vec<Vec<u8>> {
    let stream = work_queue(jetstream).await;
    let mut payloads = Vec::new();
    for sequence in 1..=stream.get_info().await.expect("it answers").state.last_sequence {
        payloads.push(stream.get_raw_message(sequence).await.expect("it is there").payload.to_vec());
    }
    payloads
}

/// Whether there is such a process, and it has not ended.
fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the name, which is in brackets.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[test]
fn a_stored_message_survives_kills_stops_and_restarts() {
    in_tokio("a_stored_message_survives_kills_stops_and_restarts", async {
        let mut server = Server::start();
        let url = server.url();
        let jetstream = connect(&server).await;
        work_queue(&jetstream).await;
        publish(&jetstream, b"before the kill").await.expect("it is stored");
        server.kill();
        server.restart();
        assert_eq!(server.url(), url);
        // Connections of before come back by themselves in their own time: a new one need not wait for it.
        let jetstream = connect(&server).await;
        publish(&jetstream, b"before the stop").await.expect("it is stored");
        server.stop();
        server.restart();
        let jetstream = connect(&server).await;
        assert_eq!(payloads(&jetstream).await, [&b"before the kill"[..], b"before the stop"]);
        assert_eq!(server.log().matches("Server is ready").count(), 3, "{}", server.log());
    });
}

#[test]
fn a_server_that_runs_is_restarted_in_one_go() {
    in_tokio("a_server_that_runs_is_restarted_in_one_go", async {
        let mut server = Server::start();
        let first = server.pid().expect("it runs");
        server.restart();
        assert_ne!(server.pid().expect("it runs"), first);
        assert!(!runs(first));
        work_queue(&connect(&server).await).await;
    });
}

#[test]
fn nothing_of_a_server_is_left_behind() {
    common::unhung("nothing_of_a_server_is_left_behind", || {
        let server = Server::start();
        let (pid, folder) = (server.pid().expect("it runs"), server.folder().to_owned());
        assert!(runs(pid) && folder.join("store/jetstream").is_dir());
        drop(server);
        assert!(!runs(pid) && !folder.exists());
    });
}

/// Set in the process that is killed, to the folder for its temporary ones.
const KILLED: &str = "MILLPOND_NATS_TEST_KILLED";

#[test]
fn a_server_ends_with_the_process_of_its_test_however_that_ends() {
    let name = "a_server_ends_with_the_process_of_its_test_however_that_ends";
    if std::env::var_os(KILLED).is_some() {
        let server = Server::start();
        println!("the server is process {}.", server.pid().expect("it runs"));
        kill_process(getpid(), Signal::KILL).expect("its own process");
    }
    common::unhung(name, || {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let this = std::env::current_exe().expect("a test binary knows its path");
        let mut again = Command::new(this);
        again.args([name, "--exact", "--nocapture"]).env(KILLED, "").env("TMPDIR", folder.path());
        let output = again.output().expect("the test binary runs again");
        let stdout = String::from_utf8_lossy(&output.stdout);
        let (_, pid) = stdout.split_once("the server is process ").unwrap_or_else(|| panic!("{output:?}"));
        let pid = pid[..pid.find('.').expect("a full stop")].parse().expect("a number");
        // Ended by the kernel's signal, which is on its way.
        while runs(pid) {
            thread::yield_now();
        }
    });
}

/// A thread of a test may restart a server that goes on after it.
#[test]
fn a_server_does_not_end_with_the_thread_that_started_it() {
    in_tokio("a_server_does_not_end_with_the_thread_that_started_it", async {
        let server = thread::spawn(Server::start).join().expect("it starts");
        work_queue(&connect(&server).await).await;
    });
}

#[test]
fn servers_side_by_side_are_not_in_each_others_way() {
    in_tokio("servers_side_by_side_are_not_in_each_others_way", async {
        let servers = [Server::start(), Server::start(), Server::start()];
        for (server, payload) in servers.iter().zip([b"0", b"1", b"2"]) {
            let jetstream = connect(server).await;
            work_queue(&jetstream).await;
            publish(&jetstream, payload).await.expect("it is stored");
            assert_eq!(payloads(&jetstream).await, [payload]);
        }
    });
}

#[test]
fn settings_reach_the_server() {
    in_tokio("settings_reach_the_server", async {
        let store = tempfile::tempdir().expect("a temporary folder");
        let server = Settings::default()
            .store(store.path())
            .max_payload(1000)
            .max_file_store(300)
            .line("server_name: by-its-name")
            .start();
        let jetstream = connect(&server).await;
        work_queue(&jetstream).await;
        let info = jetstream.client().server_info();
        assert_eq!((info.max_payload, info.server_name.as_str()), (1000, "by-its-name"));
        assert!(holds_streams(store.path()) && !server.folder().join("store").exists());
        publish(&jetstream, &[0; 100]).await.expect("there is room");
        publish(&jetstream, &[0; 500]).await.expect("what goes over the limit is still taken");
        let error = publish(&jetstream, &[0; 10]).await.expect_err("there is no room");
        assert!(error.to_string().contains("insufficient"), "{error}");
    });
}

fn holds_streams(store: &Path) -> bool {
    store.join("jetstream/$G/streams/JOBS").is_dir()
}

#[test]
#[should_panic(expected = "did not start: nats-server: Parse error")]
fn a_server_that_does_not_start_says_why() {
    Settings::default().line("a block without an end {").start();
}
