//! A dashboard of a pool that has something to do.
//!
//! ```sh
//! cargo run --release -p millpond-dashboard --example demo                  # and open what it prints
//! cargo run --release -p millpond-dashboard --example demo -- 127.0.0.1:9900 8 60
//! ```
//!
//! The arguments are where to listen, how many workers there are, and for how many seconds to go on: by default a free port,
//! the machine's, and until it is killed. It plays a service that makes thumbnails: pictures are fetched, which is a wait,
//! and scaled, which is a few hundred microseconds of computing. They come in waves, and once in a while somebody sharpens a
//! picture in one go, which holds a worker for far too long.

use std::{
    env,
    error::Error,
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

use millpond::{Handle, JobOptions, Pool};
use millpond_dashboard::Dashboard;

/// How often pictures come in.
const STEP: Duration = Duration::from_millis(5);
/// From one high tide to the next.
const WAVE_S: f64 = 40.0;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let addr = args.first().map_or("127.0.0.1:0", String::as_str);
    let mut builder = Pool::builder().queue_capacity(2_000);
    if let Some(workers) = args.get(1) {
        builder = builder.worker_threads(workers.parse()?);
    }
    let pool = builder.build()?;
    let dashboard = Dashboard::builder().name("thumbnails").serve(&pool, addr)?;
    println!("{}", dashboard.url());
    let until = args.get(2).map(|seconds| seconds.parse()).transpose()?.map(Duration::from_secs);
    load(&pool, until.unwrap_or(Duration::MAX));
    Ok(())
}

fn load(pool: &Handle, until: Duration) {
    let named = |name| pool.with_options(JobOptions::new().name(name));
    let (fetches, sharpens, saves) = (named("fetch"), named("sharpen"), named("save"));
    let begun = Instant::now();
    let mut step = 0_u32;
    while begun.elapsed() < until {
        let tide = 0.5 - 0.5 * (begun.elapsed().as_secs_f64() / WAVE_S * std::f64::consts::TAU).cos();
        let pictures = 1.0 + 11.0 * tide;
        for picture in 0..pictures as u32 {
            let wait = Duration::from_millis(u64::from(1 + (step * 7 + picture * 13) % 24));
            // A full queue turns pictures away.
            drop(fetches.try_spawn(move || fetch(wait)));
        }
        if step % 40 == 7 {
            drop(saves.spawn_blocking(|| thread::sleep(Duration::from_millis(30))));
        }
        if step % 4_000 == 1_900 {
            drop(sharpens.spawn(|| async { sharpen() }));
        }
        step += 1;
        thread::sleep(STEP);
    }
}

async fn fetch(wait: Duration) {
    millpond::time::sleep(wait).await;
    scale(wait);
}

fn scale(size: Duration) {
    compute_for(Duration::from_micros(100) + size / 40);
}

/// In one go, with no await between the passes. Kept apart, as functions of some size are, for the backtrace.
#[inline(never)]
fn sharpen() {
    for pass in 0..3 {
        blur(Duration::from_millis(25 + pass));
    }
}

#[inline(never)]
fn blur(time: Duration) {
    let pixels = compute_for(time);
    black_box(pixels);
}

#[inline(never)]
fn compute_for(time: Duration) -> u64 {
    let begun = Instant::now();
    let mut pixel = 0_u64;
    while begun.elapsed() < time {
        pixel = black_box((0..200).fold(pixel, |pixel, next| pixel.wrapping_mul(31) ^ next));
    }
    pixel
}
