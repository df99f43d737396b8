//! Requests that wait at the server: what they cost to send, to keep, and beside each message.

use std::time::Duration;
use std::{io, thread};

use serde_json::json;

use super::client::failed;
use super::traffic::{Bench, CONSUMER, STREAM, WINDOW, ask_for, message};

/// So many wait, and so many messages come meanwhile.
const WAITING: [usize; 4] = [1, 100, 1_000, 10_000];
const SINGLE_MESSAGES: usize = 50_000;
/// Two heartbeats of each.
const IDLE_S: f64 = 11.0;

pub(super) fn run(bench: &Bench) -> Result<(), String> {
    WAITING.into_iter().try_for_each(|waiting| one(bench, waiting))
}

fn one(bench: &Bench, waiting: usize) -> Result<(), String> {
    bench.fresh()?;
    let mut client = bench.client()?;
    let sent = bench.spent(|| {
        let sent = (0..waiting).try_for_each(|which| ask_for(&mut client, 1 << 20, which));
        sent.and_then(|()| client.flush()).map_err(failed)?;
        let info = client.ask(&format!("CONSUMER.INFO.{STREAM}.{CONSUMER}"), &json!({}))?;
        let there = info["num_waiting"].as_u64();
        if there == Some(waiting as u64) { Ok(()) } else { Err(failed(format!("{there:?} requests wait"))) }
    })?;
    println!("{}", sent.line(&format!("each of {waiting} pull requests that wait"), waiting));
    let idle = bench.spent(|| {
        thread::sleep(Duration::from_secs_f64(IDLE_S));
        Ok(())
    })?;
    println!(
        "{:<58} {:>7.2} % of a core",
        format!("{waiting} of them waiting"),
        idle.cpu_s / idle.wall_s * 100.0
    );
    let beside = bench.spent(|| {
        thread::scope(|scope| {
            let publisher = scope.spawn(|| bench.publish(SINGLE_MESSAGES));
            let received: io::Result<()> = (0..SINGLE_MESSAGES).try_for_each(|got| {
                let arrived = message(&mut client)?;
                client.publish(&arrived.reply, "", b"+ACK")?;
                if got % WINDOW == 0 { client.flush() } else { Ok(()) }
            });
            received.and_then(|()| client.flush()).map_err(failed)?;
            // As in `both`.
            publisher.join().expect("the publisher does not panic")
        })
    })?;
    println!(
        "{}",
        beside.line(&format!("publish, deliver, ack beside {waiting} that wait"), SINGLE_MESSAGES)
    );
    Ok(())
}
