//! What this machine allows a pool.

// ANCHOR: all
fn main() {
    let report = millpond::doctor();
    print!("{report}");
    std::process::exit(if report.is_fine() { 0 } else { 1 });
}
// ANCHOR_END: all
