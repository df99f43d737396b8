//! Tests of millpond on a monoio that is built without its `sync` feature; see `tests/`.
