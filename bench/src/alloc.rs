//! The allocator of all contenders, and a count of what it was asked for.

use std::ops::Sub;

#[cfg(all(feature = "mimalloc", not(feature = "count-allocations")))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(feature = "count-allocations")]
#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// The allocator's name.
pub(crate) const NAME: &str = if cfg!(feature = "mimalloc") { "mimalloc" } else { "system" };

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

/// The count up to now; none in a build that does not count.
pub(crate) fn count() -> Option<Count> {
    #[cfg(feature = "count-allocations")]
    return Some(counting::count());
    #[cfg(not(feature = "count-allocations"))]
    None
}

#[cfg(feature = "count-allocations")]
mod counting {
    use std::alloc::{GlobalAlloc, Layout};
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    #[cfg(feature = "mimalloc")]
    static INNER: mimalloc::MiMalloc = mimalloc::MiMalloc;
    #[cfg(not(feature = "mimalloc"))]
    static INNER: std::alloc::System = std::alloc::System;

    static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
    static BYTES: AtomicU64 = AtomicU64::new(0);

    #[derive(Debug)]
    pub(super) struct Counting;

    pub(super) fn count() -> super::Count {
        super::Count { allocations: ALLOCATIONS.load(Relaxed), bytes: BYTES.load(Relaxed) }
    }

    fn note(bytes: usize) {
        ALLOCATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add(bytes as u64, Relaxed);
    }

    // SAFETY: each call is passed on unchanged to an allocator that keeps the contract; counting touches no memory of
    // the heap.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            note(layout.size());
            // SAFETY: the caller's promise is `alloc`'s own.
            unsafe { INNER.alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: `block` came from `INNER`, as all do, with this layout, as the caller promises.
            unsafe { INNER.dealloc(block, layout) }
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            note(size.saturating_sub(layout.size()));
            // SAFETY: as for `dealloc`; the new size is the caller's promise.
            unsafe { INNER.realloc(block, layout, size) }
        }
    }
}
