//! Timers are served under load, on a monoio without `sync`.

#[path = "../../millpond/tests/timers.rs"]
mod timers;
