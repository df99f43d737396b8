//! The programs that the guide shows.
//!
//! Pieces of code are tests, in `tests/`, a file for each chapter. Whole programs are in `src/bin/`, and a test in
//! `tests/` runs each and reads what it prints. So `cargo test -p millpond-guide` runs all that a reader sees.
//!
//! A chapter includes what stands between `// ANCHOR: name` and `// ANCHOR_END: name`:
//!
//! ````markdown
//! ```rust
//! {{#include ../code/tests/quick_start.rs:answer}}
//! ```
//! ````
//!
//! `cargo xtask guide` fails at an anchor that is not there, at Rust code that is pasted into a chapter, and at a program in
//! `src/bin/` that no test runs.

/// The code on the first page of the project is run with the guide's.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct ProjectsReadme;
