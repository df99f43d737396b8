//! How much memory this process has, and how much it could have.

use std::fs;

/// Of this process, in memory now. In whole pages; kernels before 6.17 are a few dozen pages for each CPU behind.
pub(crate) fn resident_bytes() -> Result<u64, String> {
    let statm = read("/proc/self/statm")?;
    let pages: Option<u64> = statm.split_whitespace().nth(1).and_then(|word| word.parse().ok());
    Ok(pages.ok_or("/proc/self/statm has no second number")? * rustix::param::page_size() as u64)
}

/// The most that this process ever had.
pub(crate) fn peak_bytes() -> Result<u64, String> {
    bytes_of("/proc/self/status", "VmHWM:")
}

/// What the kernel could give to this process without swapping.
pub(crate) fn available_bytes() -> Result<u64, String> {
    bytes_of("/proc/meminfo", "MemAvailable:")
}

fn bytes_of(path: &str, key: &str) -> Result<u64, String> {
    let text = read(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let kib: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    Ok(kib.ok_or(format!("{path} has no {key}"))? * 1024)
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}
