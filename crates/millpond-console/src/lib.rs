//! A test of what tokio-console is shown of a pool; see `tests/`.
