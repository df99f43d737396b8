//! Has the kernel end a connection by a reset.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

/// Once it is closed, the peer gets RST in place of FIN: it learns that what it has read is not all. A Unix socket knows
/// no such thing, and is just closed.
pub(crate) fn reset_on_close(stream: &impl AsRawFd) {
    // SAFETY: `stream` owns the descriptor, and is borrowed for longer than this function. monoio's streams close theirs
    // no earlier than they are dropped, and do not give it away while they are borrowed.
    let fd = unsafe { BorrowedFd::borrow_raw(stream.as_raw_fd()) };
    // Refused at worst, where the peer has reset it already: no better way is left then than to close it.
    let _ = set_socket_linger(fd, Some(Duration::ZERO));
}
