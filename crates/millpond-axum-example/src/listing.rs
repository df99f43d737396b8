//! What is in the folder.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;

use crate::refusal::Refusal;
use crate::site::Site;

/// A line for each file: its size in bytes, and its name.
pub(crate) async fn get(State(site): State<Arc<Site>>) -> Result<String, Refusal> {
    let folder = site.folder().to_owned();
    // io_uring cannot read folders, so this blocks, beside the workers. Ended when the folder is read.
    Ok(site.pool.spawn_blocking(move || list(folder)).await??)
}

fn list(folder: PathBuf) -> io::Result<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A name that is not UTF-8 is none that a client could ask for. Nor is one whose file has gone since.
        let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata()) else { continue };
        if metadata.is_file() && !name.starts_with('.') {
            files.push((name, metadata.len()));
        }
    }
    files.sort();
    let mut lines = String::new();
    for (name, bytes) in files {
        writeln!(lines, "{bytes} {name}").expect("a string takes all");
    }
    Ok(lines)
}
