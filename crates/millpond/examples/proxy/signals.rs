//! What signals ask of the program.

use std::io;
use std::thread;

use flume::Receiver;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// SIGUSR1.
    Table,
    /// SIGTERM, or Ctrl-C. The second one ends the process, as if it were not caught.
    Stop,
}

/// From here on signals come through the channel.
pub(crate) fn install() -> io::Result<Receiver<Asked>> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1])?;
    let (ask, asked) = flume::unbounded();
    let listen = move || {
        let mut stopping = false;
        // Ended by the process's end.
        for signal in signals.forever() {
            let stop = signal != SIGUSR1;
            if stop && stopping {
                let _ = emulate_default_handler(signal);
            }
            stopping |= stop;
            // Nobody is there once the program has ended by itself.
            let _ = ask.send(if stop { Asked::Stop } else { Asked::Table });
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(listen)?;
    Ok(asked)
}
