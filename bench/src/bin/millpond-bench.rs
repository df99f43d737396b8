//! The runner, and the contenders on the system's allocator.

fn main() -> std::process::ExitCode {
    millpond_bench::main()
}
