//! The pieces of the chapter "Quick start".

use std::process::Command;

#[test]
fn a_job_gives_its_answer() {
    // ANCHOR: answer
    let pool = millpond::Pool::builder().worker_threads(2).build().expect("two workers start");
    let sum = pool.spawn(|| async { 19 + 23 });
    assert_eq!(sum.join().expect("the job ran"), 42);
    // ANCHOR_END: answer
}

#[test]
fn the_lines_of_each_file_are_counted_and_a_missing_file_harms_no_other() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("three"), "a\nb\nc\n").unwrap();
    std::fs::write(folder.path().join("many"), "line\n".repeat(100_000)).unwrap();
    let mut lines = Command::new(env!("CARGO_BIN_EXE_lines"));
    let output = lines.current_dir(&folder).args(["three", "none", "many"]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "3 three\n100000 many\n");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "none: No such file or directory (os error 2)\n");
}
