//! What a client may cost.

use std::time::Duration;

/// The bytes of a request's head. Browsers stay below 8 KiB.
pub(crate) const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The fields of a head. Browsers send about 20.
pub(crate) const FIELDS_MAX: usize = 64;

/// For a head to come, if the builder is not told: enough for packets that are lost twice.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// For a client to take some bytes, if the builder is not told: what proxies and servers in use allow is 30 to 60 seconds.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// For a client to close its side after it was answered, and for answers under way when the server stops.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// What is read of a client that goes on sending after it was answered.
pub(crate) const UNREAD_BYTES_MAX: usize = 64 * 1024;

/// Readers of `/events` at the same time, if the builder is not told.
pub(crate) const READERS_DEFAULT: usize = 1024;

/// Connections beside those of the readers, for the page, the JSON and the metrics: each lasts as long as its answer.
pub(crate) const SHORT_CONNECTIONS: usize = 64;

/// What the kernel holds for a reader that does not read: several seconds' events, so that what it gets when it reads again
/// is not minutes old. The kernel doubles it for its own needs.
pub(crate) const SEND_BUFFER_BYTES: usize = 64 * 1024;
