//! Counts the lines of files, on two threads with a ring each that are fed by a channel.

use std::path::{Path, PathBuf};
use std::thread;

// ANCHOR: job
struct Job {
    path: PathBuf,
    reply: flume::Sender<(PathBuf, usize)>,
}
// ANCHOR_END: job

// ANCHOR: main
fn main() {
    let (jobs, queue) = flume::bounded(1024);
    let start = |cpu| {
        let queue = queue.clone();
        thread::spawn(move || worker(cpu, queue))
    };
    let threads: Vec<_> = (0..2).map(start).collect();

    let (reply, replies) = flume::unbounded();
    for path in std::env::args_os().skip(1).map(PathBuf::from) {
        jobs.send(Job { path, reply: reply.clone() }).expect("a worker lives");
    }
    drop(reply); // so that the replies end with the last job
    let mut counted: Vec<_> = replies.iter().collect();
    counted.sort(); // they come as they are done
    for (path, lines) in counted {
        println!("{lines:>7} {}", path.display());
    }

    drop(jobs); // so that the workers end
    for thread in threads {
        thread.join().expect("no job panicked");
    }
}
// ANCHOR_END: main

// ANCHOR: worker
fn worker(cpu: usize, queue: flume::Receiver<Job>) {
    monoio::utils::bind_to_cpu_set([cpu]).expect("there is such a CPU");
    let builder = monoio::RuntimeBuilder::<monoio::FusionDriver>::new().enable_timer();
    builder.build().expect("a runtime starts").block_on(async move {
        while let Ok(job) = queue.recv_async().await {
            monoio::spawn(async move {
                let lines = lines(&job.path).await.expect("the file can be read");
                let _ = job.reply.send((job.path, lines));
            });
        }
    });
}
// ANCHOR_END: worker

// ANCHOR: lines
async fn lines(path: &Path) -> std::io::Result<usize> {
    let bytes = monoio::fs::read(path).await?;
    Ok(bytes.iter().filter(|byte| **byte == b'\n').count())
}
// ANCHOR_END: lines
