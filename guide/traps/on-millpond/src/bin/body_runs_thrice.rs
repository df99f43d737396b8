//! `worker_threads = 3` makes three workers. The body runs once, and sends them jobs.

use std::env;
use std::process::{Command, ExitCode};

// ANCHOR: body
#[millpond::main(worker_threads = 3)]
async fn write_a_file() -> std::io::Result<()> {
    let wrote = millpond::spawn(|| async {
        let path = std::env::temp_dir().join("body_runs_once.txt");
        let file = monoio::fs::File::create(path).await?;
        file.write_all_at(b"world".to_vec(), 0).await.0
    });
    wrote.await.expect("the job ran")?;
    println!("wrote to file!");
    Ok(())
}
// ANCHOR_END: body

/// Runs itself, and counts what it prints.
fn main() -> ExitCode {
    if env::args().len() > 1 {
        write_a_file().expect("the file can be written");
        return ExitCode::SUCCESS;
    }
    let program = env::current_exe().expect("it has a path");
    let output = Command::new(program).arg("write").output().expect("it starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    print!("{printed}");
    traps_seen::gone(printed.lines().count() == 1)
}
