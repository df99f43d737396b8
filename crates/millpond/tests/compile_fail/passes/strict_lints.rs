// The expansion brings no warning of its own into a strict crate.
#![deny(warnings, missing_docs, unused_qualifications, unreachable_pub, unsafe_code)]
#![no_implicit_prelude]

//! A program.

/// The start.
#[::millpond::main(threads = 1, driver = "epoll")]
async fn main() {}
