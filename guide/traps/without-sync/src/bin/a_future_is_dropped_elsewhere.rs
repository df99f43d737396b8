//! A future that may not leave its thread is dropped on another, by whoever holds its waker last.

use std::future::poll_fn;
use std::process::ExitCode;
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};

use traps_seen::shown;

fn main() -> ExitCode {
    let (wakers, kept) = mpsc::channel();
    let (ends, ended) = mpsc::channel();
    let made = thread::spawn(move || hold(wakers, ends)).join().expect("the runtime ends");
    // ANCHOR: keeper
    drop(kept); // and with it the waker, on this thread
    let dropped = ended.recv().expect("the future was dropped");
    println!("made on {made:?}, dropped on {dropped:?}");
    // ANCHOR_END: keeper
    shown(made != dropped)
}

/// Something that may not leave its thread, such as an `Rc`. Tells where it is dropped.
struct Local(mpsc::Sender<ThreadId>, std::marker::PhantomData<std::rc::Rc<()>>);

impl Drop for Local {
    fn drop(&mut self) {
        let _ = self.0.send(thread::current().id());
    }
}

// ANCHOR: holder
#[monoio::main]
async fn hold(wakers: mpsc::Sender<Waker>, ends: mpsc::Sender<ThreadId>) -> ThreadId {
    let local = Local(ends, std::marker::PhantomData);
    monoio::spawn(async move {
        let _local = local;
        poll_fn(|context| {
            let _ = wakers.send(context.waker().clone()); // as a channel or a timer keeps it
            Poll::<()>::Pending
        })
        .await
    });
    monoio::spawn(async {}).await; // the task gets its turn, and then the runtime ends
    thread::current().id()
}
// ANCHOR_END: holder
