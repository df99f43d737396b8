//! Memory, open files, and the terminal.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::{Ran, Tree, content, line, program};

const MIB: u64 = 1024 * 1024;

const WORKERS: u64 = 2;

/// What each of 10,000 more files left behind would have to fit into 150 bytes, less than its path.
#[test]
fn memory_stays_bounded_whatever_the_tree() {
    let (small, large) = (peak_after(2), peak_after(12));
    assert!(large < (64 + 2 * WORKERS) * MIB, "{} MiB", large / MIB);
    assert!(large < small + MIB * 3 / 2, "from {small} to {large} bytes");
}

/// The most memory that the program had with so many directories of 1,000 files and a large file done and
/// printed: it is looked at while the program waits for a FIFO.
fn peak_after(directories: usize) -> u64 {
    const FILES: usize = 1000;
    let tree = Tree::new();
    for directory in 0..directories {
        for file in 0..FILES {
            tree.file(format!("t/{directory:0100}/{file:0100}"), "");
        }
    }
    tree.sparse("t/large", 256 * MIB);
    let fifo = tree.fifo("fifo");
    let mut child = tree.command(["--workers", "2", "t", "fifo"]).spawn().expect("the program starts");
    let lines = directories * FILES + 1;
    let printed = BufReader::new(child.stdout.as_mut().expect("a pipe")).lines().take(lines).count();
    assert_eq!(printed, lines);
    let peak = peak_bytes(child.id());
    fs::write(fifo, "").expect("a FIFO");
    let ran: Ran = child.wait_with_output().expect("the program ends").into();
    assert_eq!(ran.status, Some(0), "{:?}", ran.errors);
    peak
}

fn peak_bytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line of the kernel's");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number of KiB");
    kib * 1024
}

#[test]
fn few_file_descriptors_are_enough() {
    let tree = Tree::new();
    let mut expected = String::new();
    for index in 0..500 {
        expected += &tree.file(format!("t/{index:03}"), content(100_000, index));
    }
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 40 && exec \"$0\" \"$@\""]).arg(program()).args(["--workers", "2", "t"]);
    command.current_dir(tree.path("")).stdin(Stdio::null());
    Ran::from(command.output().expect("the program starts")).assert_prints(&expected);
}

/// The bar is drawn while the program waits for a FIFO; the FIFO is written once the bar is complete.
#[test]
fn a_terminal_gets_a_progress_bar() {
    let tree = Tree::new();
    let a = tree.file("a", "a");
    let fifo = tree.fifo("fifo");
    let (mut screen, terminal) = terminal();
    let child = tree.command(["a", "fifo"]).stderr(terminal).spawn().expect("the program starts");
    let mut shown = String::new();
    read_until(&mut screen, &mut shown, "ETA");
    fs::write(fifo, "x").expect("a FIFO");
    let output = child.wait_with_output().expect("the program ends");
    assert!(output.status.success());
    assert_eq!(Ran::from(output).stdout, a + &line(blake3::hash(b"x"), "fifo"));
    assert!(shown.contains("B/s"), "{shown}");
    read_until(&mut screen, &mut shown, "worker ");
}

/// Both ends of a terminal of our own.
fn terminal() -> (File, File) {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&screen).expect("a terminal");
    unlockpt(&screen).expect("a terminal");
    let name = ptsname(&screen, Vec::new()).expect("a name");
    let terminal = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("the other end");
    (screen.into(), terminal.into())
}

fn read_until(screen: &mut File, shown: &mut String, what: &str) {
    let mut part = [0; 1024];
    while !shown.contains(what) {
        let read = screen.read(&mut part).unwrap_or(0);
        assert_ne!(read, 0, "the screen ended without {what:?}: {shown}");
        shown.push_str(&String::from_utf8_lossy(&part[..read]));
    }
}
