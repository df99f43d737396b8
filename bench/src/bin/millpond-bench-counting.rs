//! The contenders on the system's allocator, with each allocation counted. The runner starts it.

#[global_allocator]
static ALLOCATOR: millpond_bench::Counting = millpond_bench::Counting;

fn main() -> std::process::ExitCode {
    millpond_bench::main()
}
