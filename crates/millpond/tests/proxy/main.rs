//! The `proxy` example, run as its users run it: as a program, between clients and servers, a real Redis among them.

#[path = "../common/mod.rs"]
mod common;

mod balance;
mod command_line;
mod ending;
mod program;
mod redis;
mod redis_server;
mod refusals;
mod relay;
mod table;
