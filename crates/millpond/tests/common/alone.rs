//! Runs a test's body in a process of its own, where nothing else uses CPU and memory, and no descriptors come and go.

use super::{child, common::unhung};

/// `module` is where the test stands, as `module_path!()` says it, and `name` is its name.
pub(crate) fn alone(module: &str, name: &str, body: impl FnOnce()) {
    // The same file may be the root of one test crate and a module of another; the crate's own name does not count.
    let path = module.split_once("::").map_or(name.to_owned(), |(_, inner)| format!("{inner}::{name}"));
    child::run(&path, || unhung(name, body));
}
