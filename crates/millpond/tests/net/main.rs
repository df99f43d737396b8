//! `millpond::net`: connections balanced over the workers, and what a server promises of each.

#[path = "../common/mod.rs"]
mod common;

// A process of its own for what limits hold for.
#[path = "../common/alone.rs"]
mod alone;
#[path = "../common/child.rs"]
mod child;

mod bad_input;
mod ending;
mod faults;
mod handoff;
mod sharing;
mod streams;
mod support;
