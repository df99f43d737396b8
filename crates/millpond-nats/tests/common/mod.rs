//! What the tests of this crate share.
#![allow(dead_code, unreachable_pub, missing_docs, unused_imports)] // Each test binary uses a part of it.

#[path = "../../../millpond/tests/common/mod.rs"]
mod millpond;
pub mod port;
pub mod server;
pub mod site;

pub use millpond::{builder, hold, pool, unhung};
pub use server::{Server, Settings};

/// Runs `test` inside tokio, on this thread; ends the process with its name if it hangs.
pub fn in_tokio(name: &str, test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    unhung(name, || runtime.block_on(test));
}

/// On a plain thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    futures_lite::future::block_on(future)
}
