//! The allocators that contenders are measured on, and a count of what one was asked for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::Sub;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Which allocator all contenders use. A program has one, so each is a program of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocator {
    /// The system's.
    System,
    /// [mimalloc](https://docs.rs/mimalloc).
    Mimalloc,
    /// The system's behind a counter. Its times are not for comparison.
    Counting,
}

impl Allocator {
    /// The name in rows and tables.
    pub fn name(self) -> &'static str {
        match self {
            Allocator::System => "system",
            Allocator::Mimalloc => "mimalloc",
            Allocator::Counting => "counting",
        }
    }

    /// The program that is built with it: it lies beside the one that runs.
    pub(crate) fn program(self) -> Result<PathBuf, String> {
        let program = match self {
            Allocator::System => "millpond-bench",
            Allocator::Mimalloc => "millpond-bench-mimalloc",
            Allocator::Counting => "millpond-bench-counting",
        };
        let this = std::env::current_exe().map_err(|error| format!("where this program lies: {error}"))?;
        let path = this.with_file_name(program);
        if path.exists() {
            Ok(path)
        } else {
            Err(format!("{} is not there; `cargo xtask bench` builds all three programs", path.display()))
        }
    }
}

/// What the process has asked of its allocator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count {
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
}

impl Sub for Count {
    type Output = Count;

    fn sub(self, other: Count) -> Count {
        Count { allocations: self.allocations - other.allocations, bytes: self.bytes - other.bytes }
    }
}

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// The count up to now; none in a program that does not count, as each allocates before it measures.
pub(crate) fn count() -> Option<Count> {
    let count = Count { allocations: ALLOCATIONS.load(Relaxed), bytes: BYTES.load(Relaxed) };
    (count.allocations > 0).then_some(count)
}

/// The system's allocator, which counts.
#[derive(Debug)]
pub struct Counting;

fn note(bytes: usize) {
    ALLOCATIONS.fetch_add(1, Relaxed);
    BYTES.fetch_add(bytes as u64, Relaxed);
}

// SAFETY: each call is passed on unchanged to an allocator that keeps the contract; counting touches no memory of the
// heap.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise is `alloc`'s own.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `block` came from `System`, as all do, with this layout, as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size.saturating_sub(layout.size()));
        // SAFETY: as for `dealloc`; the new size is the caller's promise.
        unsafe { System.realloc(block, layout, size) }
    }
}
