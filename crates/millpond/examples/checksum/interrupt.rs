//! Ctrl-C.

use std::time::Duration;

use flume::Receiver;

/// The exit status of a program that Ctrl-C ended: 128 and the signal's number.
pub(crate) const STATUS: u8 = 130;

/// How long the program may take to end in order. In that time the main thread hears of the signal and
/// the workers drop their jobs, unless something blocks that no program can interrupt: a terminal that was
/// stopped, a network file system that is gone. Half of the 100 ms in which Ctrl-C has to have worked.
const GRACE: Duration = Duration::from_millis(50);

/// From here on Ctrl-C puts something into the channel, and ends the process if that did not.
pub(crate) fn install() -> Result<Receiver<()>, ctrlc::Error> {
    let (signal, interrupted) = flume::bounded(1);
    ctrlc::set_handler(move || {
        // Full: Ctrl-C was pressed before. Nobody there: the program has ended by itself.
        let _ = signal.try_send(());
        std::thread::sleep(GRACE);
        std::process::exit(STATUS.into());
    })?;
    Ok(interrupted)
}
