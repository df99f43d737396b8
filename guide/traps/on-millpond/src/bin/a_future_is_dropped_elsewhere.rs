//! A future is dropped on the thread that made it, whoever keeps its waker.

use std::future::poll_fn;
use std::process::ExitCode;
use std::sync::mpsc;
use std::task::Poll;
use std::thread::{self, ThreadId};

use traps_seen::gone;

/// Something that may not leave its thread, such as an `Rc`. Tells where it is dropped.
struct Local(mpsc::Sender<ThreadId>, std::marker::PhantomData<std::rc::Rc<()>>);

impl Drop for Local {
    fn drop(&mut self) {
        let _ = self.0.send(thread::current().id());
    }
}

fn main() -> ExitCode {
    let (wakers, kept) = mpsc::channel();
    let (ends, ended) = mpsc::channel();
    // ANCHOR: holder
    let pool = millpond::Pool::builder().worker_threads(1).build().expect("a worker starts");
    let made = pool.spawn(|| async { thread::current().id() }).join().expect("the job ran");
    let _job = pool.spawn(move || {
        let local = Local(ends, std::marker::PhantomData); // made on the worker
        async move {
            let _local = local;
            poll_fn(|context| {
                let _ = wakers.send(context.waker().clone());
                Poll::<()>::Pending
            })
            .await
        }
    });
    let waker = kept.recv().expect("the job has begun");
    drop(pool);
    // ANCHOR_END: holder
    // ANCHOR: keeper
    let dropped = ended.recv().expect("the future was dropped");
    drop(waker); // long after
    println!("made on {made:?}, dropped on {dropped:?}");
    // ANCHOR_END: keeper
    gone(made == dropped)
}
