//! Runs each whole program of the guide, and holds it to what the chapter says that it prints.

use std::path::Path;
use std::process::Command;

/// What `program` writes to stdout when it runs in `folder`.
fn printed(program: &str, folder: &Path) -> String {
    let output = Command::new(program).current_dir(folder).output().expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} ended with {}: {stderr}", output.status);
    String::from_utf8(output.stdout).expect("it prints text")
}

/// An empty folder, in cargo's own for such things.
fn folder(name: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

#[test]
fn hello_writes_its_file_once() {
    let folder = folder("hello");
    assert_eq!(printed(env!("CARGO_BIN_EXE_hello"), &folder), "wrote to file!\n");
    assert_eq!(std::fs::read(folder.join("hello.txt")).expect("it is there"), b"world");
}
