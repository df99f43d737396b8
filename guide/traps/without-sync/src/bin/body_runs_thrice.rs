//! `threads = 3` runs the whole body on each of three threads.

use std::env;
use std::process::{Command, ExitCode};

// ANCHOR: body
#[monoio::main(threads = 3)]
async fn write_a_file() {
    let path = std::env::temp_dir().join("body_runs_thrice.txt");
    let file = monoio::fs::File::create(path).await.expect("the file can be made");
    file.write_all_at(b"world".to_vec(), 0).await.0.expect("there is room");
    println!("wrote to file!");
}
// ANCHOR_END: body

/// Runs itself, and counts what it prints.
fn main() -> ExitCode {
    if env::args().len() > 1 {
        write_a_file();
        return ExitCode::SUCCESS;
    }
    let program = env::current_exe().expect("it has a path");
    let output = Command::new(program).arg("write").output().expect("it starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    print!("{printed}");
    traps_seen::shown(printed.lines().count() == 3)
}
