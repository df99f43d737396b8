//! What all connections share.

use std::sync::Arc;

use millpond::net::Stopping;

use crate::folder::Folder;
use crate::limits::Limits;
use crate::tally::Tally;

/// Made before the server, and never changed.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) folder: Arc<Folder>,
    pub(crate) tally: Tally,
    pub(crate) limits: Limits,
    /// Says that the server takes no more connections, and that those it has are to come to their ends.
    pub(crate) stopping: Stopping,
}
