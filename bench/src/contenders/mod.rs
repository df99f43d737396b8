//! Who takes part. One file a contender, and one line here.

mod async_channel;
mod async_task;
mod compio;
mod cpu;
mod crossfire;
mod files;
mod floor;
mod flume;
mod glommio;
mod jetstream;
mod kanal;
mod limit_static;
mod limits;
mod millpond;
mod monoio;
mod rayon;
mod serve;
mod std_threads;
mod tokio;
mod tokio_local;

use crate::contender::Contender;

/// In the order in which they run; millpond first, as the others are compared with it.
pub(crate) fn all() -> Vec<Contender> {
    let files = [
        millpond::contenders(),
        cpu::contenders(),
        tokio::contenders(),
        tokio_local::contenders(),
        compio::contenders(),
        flume::contenders(),
        kanal::contenders(),
        crossfire::contenders(),
        async_channel::contenders(),
        rayon::contenders(),
        std_threads::contenders(),
        monoio::contenders(),
        async_task::contenders(),
        floor::contenders(),
        limit_static::contenders(),
        limits::contenders(),
        glommio::contenders(),
        files::contenders(),
        jetstream::contenders(),
    ];
    files.into_iter().flatten().collect()
}
