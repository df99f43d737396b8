//! Where a job was spawned, and its name if it has one: what a report of it says.
//!
//! One word, `Copy` and good for ever, so that each job can carry it and another thread may read it of a task that ends
//! meanwhile. A plain job's is the location that the compiler made. A named one's is an entry of a table that only grows:
//! there are as many as pairs of a name and a call of a spawn in the program's text.

use crate::sync::unmodelled::{Mutex, lock};
use std::{
    collections::HashMap,
    fmt,
    panic::Location,
    ptr::{NonNull, null_mut},
    sync::{
        LazyLock,
        atomic::{
            AtomicPtr,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

/// Set in the pointer to a [`Named`]. The alignment of both targets leaves the bit free.
const NAMED: usize = 1;

/// A job's place in the program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin(NonNull<()>);

struct Named {
    name: &'static str,
    location: &'static Location<'static>,
}

// SAFETY: it points to what is never freed and never written again.
unsafe impl Send for Origin {}
// SAFETY: as above.
unsafe impl Sync for Origin {}

impl Origin {
    #[inline]
    pub(crate) fn new(location: &'static Location<'static>, name: Option<&'static str>) -> Origin {
        const { assert!(align_of::<Location<'_>>() > NAMED && align_of::<Named>() > NAMED) };
        match name {
            None => Origin(NonNull::from(location).cast()),
            Some(name) => {
                Origin(NonNull::from(named(location, name)).cast().map_addr(|address| address | NAMED))
            }
        }
    }

    #[inline]
    #[track_caller]
    pub(crate) fn here() -> Origin {
        Origin::new(Location::caller(), None)
    }

    pub(crate) fn name(self) -> Option<&'static str> {
        self.named().map(|named| named.name)
    }

    pub(crate) fn location(self) -> &'static Location<'static> {
        match self.named() {
            Some(named) => named.location,
            // SAFETY: without the mark it was made of such a reference.
            None => unsafe { self.0.cast().as_ref() },
        }
    }

    fn named(self) -> Option<&'static Named> {
        let is_named = self.0.addr().get() & NAMED != 0;
        // SAFETY: with the mark it was made of such a reference, of which this takes the mark away.
        is_named.then(|| unsafe { &*self.0.as_ptr().map_addr(|address| address & !NAMED).cast::<Named>() })
    }
}

/// The table's entry, which is made once.
fn named(location: &'static Location<'static>, name: &'static str) -> &'static Named {
    type Table = HashMap<(&'static str, usize), &'static Named>;
    static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(Mutex::default);
    let key = (name, std::ptr::from_ref(location).addr());
    lock(&TABLE).entry(key).or_insert_with(|| Box::leak(Box::new(Named { name, location })))
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name:?} at {}", self.location()),
            None => write!(f, "{}", self.location()),
        }
    }
}

/// A place for the origin of what a loop runs now. The loop writes it, others read it. Not of `sync`: see
/// [`Count`](crate::metrics).
#[derive(Debug, Default)]
pub(crate) struct Running(AtomicPtr<()>);

impl Running {
    /// Says whether nothing ran before.
    pub(crate) fn set(&self, origin: Origin) -> bool {
        let was_empty = self.0.load(Relaxed).is_null();
        // A release, for whoever reads the table's entry by it, and for what `stall` concludes from it.
        self.0.store(origin.0.as_ptr(), Release);
        was_empty
    }

    pub(crate) fn clear(&self) {
        self.0.store(null_mut(), Release);
    }

    pub(crate) fn get(&self) -> Option<Origin> {
        NonNull::new(self.0.load(Acquire)).map(Origin)
    }
}

#[cfg(all(test, not(any(millpond_loom, millpond_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn an_origin_gives_back_its_name_and_location() {
        let here = Location::caller();
        let (plain, named) = (Origin::new(here, None), Origin::new(here, Some("hash")));
        assert_eq!((plain.name(), plain.location()), (None, here));
        assert_eq!((named.name(), named.location()), (Some("hash"), here));
        let running = Running::default();
        assert!(running.get().is_none());
        assert_eq!((running.set(named), running.set(plain), running.get()), (true, false, Some(plain)));
        running.clear();
        assert!(running.get().is_none());
    }

    #[test]
    fn a_name_at_a_place_is_kept_once() {
        let here = Location::caller();
        // At an address of its own.
        static AGAIN: [u8; 5] = *b"twice";
        let again = std::str::from_utf8(&AGAIN).unwrap();
        assert_eq!(Origin::new(here, Some("twice")), Origin::new(here, Some(again)));
        assert_ne!(Origin::new(here, Some("twice")), Origin::new(here, Some("other")));
        assert_ne!(Origin::here(), Origin::here());
    }
}
