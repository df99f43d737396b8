//! Wakers equal their clones and may be kept, on a monoio without `sync`.

#[path = "../../millpond/tests/wakers.rs"]
mod wakers;
