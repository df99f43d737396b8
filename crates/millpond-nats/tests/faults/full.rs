//! Servers that have no room left.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;

use millpond_nats::{Failure, Job};

use crate::common::site::{Site, adds_up};
use crate::common::{Settings, unhung};

const MIB: u64 = 1024 * 1024;

/// So many of them fill a few MiB soon.
const PAYLOAD_BYTES: usize = 64 * 1024;

/// The payload of this number.
fn payload(number: usize) -> Vec<u8> {
    let mut payload = vec![0; PAYLOAD_BYTES];
    payload[..8].copy_from_slice(&(number as u64).to_le_bytes());
    payload
}

/// Publishes until that is refused. How many are stored, and the refusal.
fn fill(site: &Site, first: usize) -> (usize, String) {
    let mut stored = first;
    loop {
        match site.try_publish(payload(stored)) {
            Ok(()) => stored += 1,
            Err(refusal) => return (stored, refusal),
        }
    }
}

/// Consumes these, each once.
fn consume(site: &Site, numbers: std::ops::Range<usize>) {
    let (tell, told) = mpsc::channel();
    let handler = move |job: Job| {
        let number = job.payload().first_chunk().map(|bytes| u64::from_le_bytes(*bytes) as usize);
        tell.send(number.expect("eight bytes")).expect("the test listens");
        std::future::ready(Ok::<(), Failure>(()))
    };
    let consumer = site.wait(site.consumer().run(&site.pool, handler)).expect("it starts");
    let mut runs: Vec<usize> = told.iter().take(numbers.len()).collect();
    site.wait_until_empty();
    let receipt = site.wait(consumer.stop());
    adds_up(&receipt);
    runs.extend(told.try_iter());
    runs.sort_unstable();
    assert_eq!(runs, numbers.collect::<Vec<_>>());
}

/// The limit that the server keeps itself.
#[test]
fn a_server_at_its_limit_refuses_messages_and_loses_none() {
    unhung("a_server_at_its_limit_refuses_messages_and_loses_none", || {
        let site = Site::open(Settings::default().max_file_store(4 * MIB));
        let (stored, refusal) = fill(&site, 0);
        assert!(refusal.contains("insufficient"), "{refusal}");
        assert!(stored > 10, "{stored}: {refusal}");
        consume(&site, 0..stored);
        // There is room again.
        let (stored_then, _) = fill(&site, stored);
        assert!(stored_then > stored + 10, "{stored_then}");
        consume(&site, stored..stored_then);
    });
}

/// Set in the process that sees the file system.
const INSIDE: &str = "MILLPOND_NATS_TEST_OWN_MOUNTS";

/// Runs `body` in a process with mounts of its own, by this test binary and with nothing but `test`. No other process sees what
/// is mounted there, and nothing is left of it however that ends.
fn with_own_mounts(test: &str, body: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        return body();
    }
    let this = env::current_exe().expect("a test binary knows its path");
    let mut inside = Command::new("unshare");
    inside.args(["--map-root-user", "--mount"]).arg(this).args([
        test,
        "--exact",
        "--include-ignored",
        "--nocapture",
    ]);
    let status = inside.env(INSIDE, "").status().expect("unshare is there");
    assert!(status.success(), "{status}");
}

/// A file system in memory.
struct Disk(PathBuf);

impl Disk {
    fn mount(folder: &Path, bytes: u64) -> Disk {
        let disk = Disk(folder.to_owned());
        disk.run(&["-t", "tmpfs", "-o", &format!("size={bytes}"), "none"]);
        disk
    }

    fn grow(&self, bytes: u64) {
        self.run(&["-o", &format!("remount,size={bytes}")]);
    }

    fn run(&self, mount: &[&str]) {
        let status = Command::new("mount").args(mount).arg(&self.0).status().expect("mount is there");
        assert!(status.success(), "mount {mount:?}: {status}");
    }
}

#[test]
#[ignore = "mounts a file system, which not every machine lets one do"]
fn a_server_whose_disk_is_full_has_all_that_it_confirmed_once_there_is_room() {
    let name = "full::a_server_whose_disk_is_full_has_all_that_it_confirmed_once_there_is_room";
    unhung(name, || with_own_mounts(name, fills_its_disk));
}

fn fills_its_disk() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let disk = Disk::mount(folder.path(), 16 * MIB);
    // It believes that there is more.
    let mut site = Site::open(Settings::default().store(folder.path()).max_file_store(1024 * MIB));
    let (stored, refusal) = fill(&site, 0);
    println!("{stored} messages of {PAYLOAD_BYTES} bytes on a disk of 16 MiB, then: {refusal}");
    assert!(stored > 10, "{stored}: {refusal}");
    disk.grow(64 * MIB);
    // A server that has met a full disk may answer nobody, and end at no other signal.
    site.server.kill();
    site.server.restart();
    // It never said that the last one is stored, and may have it all the same.
    let kept = site.left() as usize;
    assert!((stored..=stored + 1).contains(&kept), "{kept} of {stored}");
    consume(&site, 0..kept);
    site.try_publish(payload(kept)).expect("there is room again");
    consume(&site, kept..kept + 1);
    drop(site);
    // For the folder, which goes last.
    let _ = Command::new("umount").arg(&disk.0).status();
}
