//! Gives back the memory of a burst: an idle pool holds no more after it than before.

use slab::Slab;
use std::collections::VecDeque;

/// What an empty queue keeps: 32 KiB of pointers, which a burst of that size need not ask for again.
const KEPT_ENTRIES: usize = 4096;

/// Call it when the queue may have become empty.
pub(crate) fn emptied<T>(queue: &mut VecDeque<T>) {
    if queue.is_empty() && queue.capacity() > KEPT_ENTRIES {
        *queue = VecDeque::new();
    }
}

/// Call it when the table may have become empty.
pub(crate) fn emptied_table<T>(table: &mut Slab<T>) {
    if table.is_empty() && table.capacity() > KEPT_ENTRIES {
        *table = Slab::new();
    }
}
