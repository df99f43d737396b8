//! A place of its own in the caches for what several threads write.

use std::ops::Deref;

/// Keeps its content off the cache lines of its neighbours, so that a write here does not take their lines away.
///
/// 128 bytes: lines have 64 on today's x86-64, and are fetched in pairs (Intel's optimisation manual, on the spatial
/// prefetcher); on some aarch64 they have 128.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Padded<T>(pub(crate) T);

impl<T> Deref for Padded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
