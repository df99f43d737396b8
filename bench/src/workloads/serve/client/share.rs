//! One thread's connections, and what wakes it.

use std::mem::MaybeUninit;
use std::time::Duration;

use rustix::event::{Timespec, epoll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;

use super::connection::{Connection, failed};

/// The connections that one wake can tell of; the others are told of by the next.
const MOST_READY: usize = 64;

#[derive(Debug)]
pub(super) struct Share {
    pub(super) connections: Vec<Connection>,
    pub(super) readiness: Readiness,
}

/// Knows the connections by their index.
#[derive(Debug)]
pub(super) struct Readiness {
    epoll: OwnedFd,
    /// By the last wake.
    ready: Vec<usize>,
}

impl Share {
    pub(super) fn of(connections: Vec<Connection>) -> Result<Self, String> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(failed)?;
        for (index, connection) in connections.iter().enumerate() {
            let index = epoll::EventData::new_u64(index as u64);
            epoll::add(&epoll, &connection.stream, index, epoll::EventFlags::IN).map_err(failed)?;
        }
        Ok(Share { connections, readiness: Readiness { epoll, ready: Vec::with_capacity(MOST_READY) } })
    }
}

impl Readiness {
    /// The connections of which there is something to read; none if `limit` has passed before.
    pub(super) fn wait(&mut self, limit: Option<Duration>) -> Result<&[usize], String> {
        let limit = limit
            .map(|limit| Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: limit.subsec_nanos().into() });
        let mut events = [MaybeUninit::uninit(); MOST_READY];
        // Ended by an answer, by the end of a connection, which a server that is killed leaves too, or by the kernel's timer.
        let ready = match epoll::wait(&self.epoll, &mut events, limit.as_ref()) {
            Ok((ready, _)) => ready,
            Err(Errno::INTR) => &mut [],
            Err(error) => return Err(failed(error)),
        };
        self.ready.clear();
        self.ready.extend(ready.iter().map(|event| event.data.u64() as usize));
        Ok(&self.ready)
    }
}
