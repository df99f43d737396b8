//! The `http` example, run as its users run it: as a program, and talked to by curl, h2load, wrk and bare sockets.

mod conditions;
mod connections;
mod dashboard;
mod ending;
mod files;
mod limits;
mod load;
mod paths;
mod ranges;
mod support;
