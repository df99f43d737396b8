//! The `checksum` example, run as its users run it: as a program, held to exact bytes of output.

mod against_b3sum;
mod bounds;
mod check;
mod dashboard;
mod ending;
mod names;
mod sizes;
mod streams;
mod support;
mod trouble;
