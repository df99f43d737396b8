//! SIGTERM and Ctrl-C.

use std::io;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// From here on the first signal puts its number into the channel, and the second one ends the process.
pub(crate) fn install() -> io::Result<Receiver<i32>> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let (first, came) = mpsc::channel();
    // Detached: it waits for signals as long as the process lives.
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut signals = signals.forever();
        // Nobody there: the program is at its end already.
        let _ = signals.next().map(|signal| first.send(signal));
        if let Some(second) = signals.next() {
            std::process::exit(128 + second);
        }
    })?;
    Ok(came)
}
