//! What a consumer loses and does twice when processes are killed, servers go, messages are too large, jobs take too long and
//! disks are full: nothing, but for what was killed between its effect and its ack.

#[path = "../common/mod.rs"]
mod common;

mod effects;
mod full;
mod killed;
mod random;
mod restarted;
mod sizes;
mod slow;
mod worker;
