//! What a channel holds on to.

use crate::{alone::alone, proc::resident_bytes};
use millpond::channel::unbounded;

const BURST: usize = 1_000_000;
/// A burst takes 24 MB. What may stay is a few blocks, and what the allocator keeps.
const KEPT_BYTES: u64 = 4 << 20;

#[test]
fn an_emptied_channel_gives_the_memory_of_a_burst_back() {
    alone(module_path!(), "an_emptied_channel_gives_the_memory_of_a_burst_back", || {
        let (to, from) = unbounded::<[u64; 3]>();
        let before = resident_bytes();
        (0..BURST).for_each(|_| to.try_send([1; 3]).unwrap());
        assert!(resident_bytes() > before + 20_000_000, "the burst is not seen");
        (0..BURST).for_each(|_| assert!(from.try_recv().is_ok()));
        let after = resident_bytes();
        assert!(after < before + KEPT_BYTES, "{} bytes are kept", after - before);
        assert!(from.is_empty() && !from.is_closed());
    });
}
