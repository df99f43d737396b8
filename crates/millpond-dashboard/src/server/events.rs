//! The stream of events: for each reader the newest state, once a tick.

use super::{
    connection::{Site, write_all},
    feed::{Frame, StallsVersion},
    response::{Response, stream_head},
};
use futures_lite::future::or;
use millpond::time::sleep_until;
use monoio::net::TcpStream;
use std::{io, sync::Arc};

/// After how long a browser connects again when the stream has ended: soon enough to see a server that is started anew, and
/// no burden while there is none.
const RETRY_MS: u32 = 2_000;

/// Sends until the reader goes, or takes nothing for too long, or the server stops.
pub(crate) async fn send(stream: &mut TcpStream, site: &Site) {
    let Some(_place) = site.readers.enter() else {
        let full = Response::too_many_readers().into_bytes(true);
        let _ = write_all(stream, Arc::new(full), site.write_timeout).await;
        return;
    };
    // Ended by the stream, or by the stop, whose word stays: also in the midst of a write that a slow reader holds up. So a
    // pool that drains waits for no reader.
    or(
        async {
            let _gone = events(stream, site).await;
        },
        site.stopping.wait(),
    )
    .await;
}

async fn events(stream: &mut TcpStream, site: &Site) -> io::Result<()> {
    let mut frame = site.feed.frame();
    let mut told = frame.stalls_version;
    let head = format!("{}retry: {RETRY_MS}\n\n", stream_head());
    let first = [head.as_bytes(), &frame.stalls, &frame.state].concat();
    write_all(stream, Arc::new(first), site.write_timeout).await?;
    loop {
        // Ended by the worker's timers. A reader that was slow finds its next tick past, and gets the present one: those
        // between are not for it.
        sleep_until(site.feed.start_of(frame.tick + 1)).await;
        frame = site.feed.frame();
        tell(stream, site, &frame, &mut told).await?;
    }
}

async fn tell(
    stream: &mut TcpStream,
    site: &Site,
    frame: &Frame,
    told: &mut StallsVersion,
) -> io::Result<()> {
    if frame.stalls_version != *told {
        write_all(stream, Arc::clone(&frame.stalls), site.write_timeout).await?;
        *told = frame.stalls_version;
    }
    write_all(stream, Arc::clone(&frame.state), site.write_timeout).await
}
