//! The server of a dashboard, talked to by bare sockets, curl, promtool and Prometheus.

#[path = "../../../millpond/tests/common/mod.rs"]
mod common;

#[path = "../shared/tools.rs"]
mod tools;

mod access;
mod ending;
mod garbage;
mod openmetrics;
mod readers;
mod routes;
mod support;
