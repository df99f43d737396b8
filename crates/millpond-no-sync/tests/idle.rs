//! An idle pool rests, on a monoio without `sync`.

#[path = "../../millpond/tests/idle.rs"]
mod idle;
