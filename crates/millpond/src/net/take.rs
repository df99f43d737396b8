//! One `accept`, and what its errors mean.

use super::Listener;
use crate::panics::contain;
use std::{
    fmt,
    io::{self, Write, stderr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// The pause after an error, the first and the longest. It is doubled from one to the other while the error stays: what is
/// short may come back at once, and where it does not, a look a second costs nothing.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Errors of single connections that are passed over at once. With more in a row it is something else, that stays: then as
/// with any other error.
const PASSED_OVER: usize = 16;

/// What an `accept` came to.
pub(super) enum Taken<L: Listener> {
    Connection(L::Socket, L::Addr),
    /// There is none.
    Nothing,
    /// It cannot be done now; to try at once would be for nothing.
    Trouble(Duration),
}

/// What the user wants to be told of errors.
pub(super) type Hook = Arc<dyn Fn(&io::Error) + Send + Sync>;

/// The errors of one listener.
#[derive(Clone)]
pub(super) struct Troubles {
    hook: Option<Hook>,
    /// Without a hook, stderr is told, once: by one of all that accept for the server.
    said: Arc<AtomicBool>,
    pause: Duration,
}

impl Troubles {
    pub(super) fn new(hook: Option<Hook>) -> Troubles {
        Troubles { hook, said: Arc::default(), pause: FIRST_PAUSE }
    }

    /// Takes the next connection.
    pub(super) fn take<L: Listener>(&mut self, listener: &L) -> Taken<L> {
        let mut left = PASSED_OVER;
        loop {
            match listener.accept() {
                Ok((socket, addr)) => {
                    self.pause = FIRST_PAUSE;
                    return Taken::Connection(socket, addr);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Taken::Nothing,
                Err(error) if left > 0 && is_of_one_connection(&error) => left -= 1,
                Err(error) => return Taken::Trouble(self.meet(&error)),
            }
        }
    }

    /// Tells of the error, and says how long to pause.
    pub(super) fn meet(&mut self, error: &io::Error) -> Duration {
        match &self.hook {
            Some(hook) => contain(|| hook(error)),
            None if !self.said.swap(true, Relaxed) => {
                // Where it cannot be written, a server that goes on is worth more than one that says why it does not.
                let _ = writeln!(
                    stderr(),
                    "millpond: no connection can be accepted: {error}; trying again until it can (for want of descriptors: \
                     raise ulimit -n, or set max_connections below it)"
                );
            }
            None => {}
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

/// The one that failed has gone; the next may be well. Among them errors of the network that a connection had already when it was
/// accepted, which accept(2) has its callers treat so.
fn is_of_one_connection(error: &io::Error) -> bool {
    use rustix::io::Errno;
    const ERRORS: [Errno; 11] = [
        Errno::INTR,
        Errno::CONNABORTED,
        Errno::CONNRESET,
        Errno::PROTO,
        Errno::NETDOWN,
        Errno::NETUNREACH,
        Errno::HOSTDOWN,
        Errno::HOSTUNREACH,
        Errno::NONET,
        Errno::NOPROTOOPT,
        // A security module or a firewall that refuses this one.
        Errno::PERM,
    ];
    Errno::from_io_error(error).is_some_and(|errno| ERRORS.contains(&errno))
}

impl fmt::Debug for Troubles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Troubles").field("pause", &self.pause).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_second_and_no_further() {
        let mut troubles = Troubles::new(Some(Arc::new(|_| {})));
        let full = io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error());
        let pauses: Vec<_> = (0..9).map(|_| troubles.meet(&full).as_millis()).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    }

    #[test]
    fn want_of_descriptors_is_no_fault_of_one_connection() {
        let of_one = |errno: rustix::io::Errno| is_of_one_connection(&errno.into());
        assert!(of_one(rustix::io::Errno::CONNABORTED));
        assert!(!of_one(rustix::io::Errno::MFILE) && !of_one(rustix::io::Errno::NFILE));
    }
}
