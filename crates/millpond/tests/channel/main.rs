//! `millpond::channel`: what it promises, over every flavour.

#[path = "../common/alone.rs"]
mod alone;
#[path = "../common/child.rs"]
#[allow(dead_code)] // Not what a process holds.
mod child;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/proc.rs"]
#[allow(dead_code)] // Only the memory.
mod proc;

mod cancelled;
mod delivery;
mod ending;
mod flavours;
mod foreign_code;
mod idle_workers;
mod memory;
mod room;
