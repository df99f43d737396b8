//! Prints what this machine and container allow a pool, and what to do about it:
//!
//! ```text
//! $ cargo run --example doctor
//! kernel         fine     Linux 6.12.41
//! io_uring       fine     the kernel made a ring
//! locked memory  fine     8 MiB; this kernel does not count rings against it
//! open files     limited  1024 allowed, 4 open, 64 more taken by a pool
//! CPUs           fine     0-15, all of the machine's
//! CPU quota      fine     none
//! workers        fine     16 by default, one pinned to each CPU
//! threads        fine     62987 by RLIMIT_NPROC
//!
//! What to do:
//! - open files: raise `ulimit -n`, here up to 524288 without being root (systemd `LimitNOFILE=`, docker
//!   `--ulimit nofile=`)
//! ```
//!
//! The exit status is 0 when all is fine or merely limited, 1 when something is refused.

use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let report = millpond::doctor();
    // A reader that has seen enough (`| head`) is no failure.
    let _ = write!(io::stdout(), "{report}");
    if report.is_fine() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
