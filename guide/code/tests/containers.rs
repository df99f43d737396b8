//! The pieces of the chapter "Containers".

#[path = "../../../crates/millpond/tests/common/mod.rs"]
mod common;

use common::unhung;
use millpond::{BuildError, Driver, DriverKind, Pool};
use std::process::Command;

// ANCHOR: driver
/// Rather no pool than one that is slower than it was measured to be.
fn rings_or_nothing() -> Result<Pool, BuildError> {
    Pool::builder().worker_threads(2).driver(Driver::IoUring).build()
}

/// With `Driver::Auto`, the default, it is for you to look.
fn on_rings(pool: &Pool) -> bool {
    pool.driver() == DriverKind::IoUring
}
// ANCHOR_END: driver

#[test]
fn a_pool_on_rings_or_none() {
    unhung("a_pool_on_rings_or_none", || {
        let pool = rings_or_nothing();
        assert_eq!(pool.is_ok(), millpond::doctor().io_uring());
        assert!(pool.map_or_else(|error| error.setting() == Some("driver"), |pool| on_rings(&pool)));
    });
}

/// What was looked at: the first column of a report.
fn looked_at(report: &str) -> Vec<&str> {
    let found = millpond::doctor().checks;
    let width = found.iter().map(|check| check.name.len()).max().expect("there are checks") + 2;
    report.lines().take_while(|line| !line.is_empty()).map(|line| line[..width].trim()).collect()
}

#[test]
fn the_doctor_looks_at_what_the_chapter_shows() {
    let output = Command::new(env!("CARGO_BIN_EXE_doctor")).output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(looked_at(&report).contains(&"io_uring"), "{report}");
    for shown in [include_str!("doctor/bare.txt"), include_str!("doctor/container.txt")] {
        assert_eq!(looked_at(&report), looked_at(shown), "{report}");
    }
    assert_eq!(output.status.success(), millpond::doctor().is_fine());
}
