//! What a consumer does with the messages of a stream.
#![allow(missing_docs)]

mod common;

use common::{
    Server, Settings,
    site::{Site, adds_up, number},
    unhung,
};
use futures_util::{FutureExt, StreamExt};
use millpond_nats::{Client, Consumer, ConsumerBuilder, Failure, Job, Poison, async_nats, headers};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

/// What is in the stream of the dead letters.
fn dead_letters(site: &Site, count: usize) -> Vec<async_nats::jetstream::Message> {
    site.wait(site.client.on_thread(move |jetstream| async move {
        let stream = jetstream.get_stream("JOBS-dead").await.unwrap();
        let config = async_nats::jetstream::consumer::pull::OrderedConfig::default();
        let letters = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
        letters.take(count).map(Result::unwrap).collect().await
    }))
}

/// Tells of each run, in an order.
fn telling() -> (impl Fn(Job) -> std::future::Ready<Result<(), Failure>> + Send + Sync, mpsc::Receiver<Job>) {
    let (tell, told) = mpsc::channel();
    let handler = move |job| {
        tell.send(job).unwrap_or_default();
        std::future::ready(Ok(()))
    };
    (handler, told)
}

#[test]
fn each_message_runs_once_and_is_acked() {
    unhung("each_message_runs_once_and_is_acked", || {
        let site = Site::open(Settings::default());
        const COUNT: usize = 5_000;
        site.publish(COUNT);
        let (handler, told) = telling();
        let consumer = site.wait(site.consumer().run(&site.pool, handler)).unwrap();
        let mut runs = vec![0; COUNT];
        told.iter().take(COUNT).for_each(|job| runs[number(&job)] += 1);
        assert!(runs.iter().all(|runs| *runs == 1));
        let receipt = site.wait(consumer.stop());
        adds_up(&receipt);
        assert_eq!((receipt.acked, receipt.pulled), (COUNT as u64, COUNT as u64));
        assert!(told.recv().is_err(), "no other run");
        site.wait_until_empty();
    });
}

#[test]
fn a_job_that_fails_has_its_tries_and_then_goes_to_the_dead_letters() {
    unhung("a_job_that_fails_has_its_tries_and_then_goes_to_the_dead_letters", || {
        let site = Site::open(Settings::default());
        site.publish(3);
        let runs = Arc::new(Mutex::new(HashMap::<usize, Vec<u64>>::new()));
        let theirs = Arc::clone(&runs);
        let (done, is_done) = mpsc::channel();
        let handler = move |job: Job| {
            let (number, done) = (number(&job), done.clone());
            theirs.lock().unwrap().entry(number).or_default().push(job.attempt());
            async move {
                match number {
                    0 => Err(Failure::retry("always")),
                    1 if job.attempt() < 3 => panic!("twice"),
                    1 => {
                        done.send(()).unwrap();
                        Ok(())
                    }
                    _ => Err(Poison::new("never will be").into()),
                }
            }
        };
        let consumer = site.wait(site.consumer().max_deliver(4).run(&site.pool, handler)).unwrap();
        let letters = dead_letters(&site, 2);
        is_done.recv().unwrap();
        let receipt = site.wait(consumer.stop());
        adds_up(&receipt);
        let expected = [(0, vec![1, 2, 3, 4]), (1, vec![1, 2, 3]), (2, vec![1])];
        assert_eq!(*runs.lock().unwrap(), HashMap::from(expected));
        assert_eq!((receipt.acked, receipt.retried, receipt.dead, receipt.panicked), (1, 5, 2, 2));
        for letter in letters {
            let headers = letter.headers.as_ref().unwrap();
            let header = |name| headers.get(name).unwrap().as_str();
            assert_eq!((header(headers::STREAM), header(headers::CONSUMER)), ("JOBS", "workers"));
            let told = (header(headers::SUBJECT), header(headers::REASON), header(headers::ATTEMPTS));
            match &*letter.payload {
                b"0" => assert_eq!(told, ("jobs.0", "always", "4")),
                b"2" => assert_eq!(told, ("jobs.2", "never will be", "1")),
                other => panic!("{other:?}"),
            }
        }
        site.wait_until_empty();
    });
}

/// The worker computes all the while: its own timers could not tell the server.
#[test]
fn a_job_that_takes_longer_than_ack_wait_runs_once() {
    unhung("a_job_that_takes_longer_than_ack_wait_runs_once", || {
        let site = Site::open(Settings::default());
        site.publish(3);
        let ack_wait = Duration::from_millis(300);
        let (tell, told) = mpsc::channel();
        let handler = move |job: Job| {
            tell.send(number(&job)).unwrap();
            let begun = std::time::Instant::now();
            // The time that passes is what is under test. The third waits as long in the queue.
            while begun.elapsed() < ack_wait * 4 {
                std::hint::spin_loop();
            }
            std::future::ready(Ok::<(), Failure>(()))
        };
        let consumer = site.wait(site.consumer().ack_wait(ack_wait).run(&site.pool, handler)).unwrap();
        let mut runs: Vec<usize> = told.iter().take(3).collect();
        let receipt = site.wait(consumer.stop());
        adds_up(&receipt);
        runs.sort_unstable();
        assert_eq!((runs, receipt.acked, receipt.redelivered), (vec![0, 1, 2], 3, 0));
        assert!(receipt.progress >= 3 && told.recv().is_err(), "{receipt:?}");
    });
}

#[test]
fn a_stop_gives_back_what_has_not_begun_and_others_get_it_at_once() {
    unhung("a_stop_gives_back_what_has_not_begun_and_others_get_it_at_once", || {
        let site = Site::open(Settings::default());
        const COUNT: usize = 50;
        site.publish(COUNT);
        let (begun, has_begun) = mpsc::channel();
        let gate = Arc::new((Mutex::new(false), std::sync::Condvar::new()));
        let theirs = Arc::clone(&gate);
        let handler = move |job: Job| {
            begun.send(number(&job)).unwrap();
            let (open, opened) = &*theirs;
            drop(opened.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
            std::future::ready(Ok::<(), Failure>(()))
        };
        // Long beside what comes at once, and short beside a hang.
        const ACK_WAIT: Duration = Duration::from_secs(40);
        let builder = site.consumer().ack_wait(ACK_WAIT);
        let consumer = site.wait(builder.run(&site.pool, handler)).unwrap();
        let first: Vec<usize> = has_begun.iter().take(2).collect();
        let stop = std::thread::scope(|scope| {
            let stopping = scope.spawn(|| common::block_on(consumer.stop()));
            let (handler, told) = telling();
            let other_pool = common::pool(1);
            let builder = site.consumer().ack_wait(ACK_WAIT);
            let other = site.wait(builder.run(&other_pool, handler)).unwrap();
            // All but the two that run, while these do.
            let at_once = || told.recv_timeout(ACK_WAIT / 4).ok();
            let mut others: Vec<usize> =
                std::iter::from_fn(at_once).take(COUNT - 2).map(|job| number(&job)).collect();
            // A 2.9 may lose sight of one for each pull that has just ended, until `ack_wait` is over.
            let late = COUNT - 2 - others.len();
            assert!(late <= 2, "{late} came late");
            others.extend(told.iter().take(late).map(|job| number(&job)));
            others.extend(&first);
            others.sort_unstable();
            assert_eq!(others, (0..COUNT).collect::<Vec<_>>());
            *gate.0.lock().unwrap() = true;
            gate.1.notify_all();
            let receipt = site.wait(other.stop());
            adds_up(&receipt);
            assert_eq!(receipt.acked, COUNT as u64 - 2);
            stopping.join().unwrap()
        });
        adds_up(&stop);
        assert_eq!((stop.acked, stop.cut_off), (2, 0));
        assert!(stop.returned >= 1, "{stop:?}");
        site.wait_until_empty();
    });
}

/// What cannot be ended goes on, and counts for nothing any more.
#[test]
fn a_stop_cuts_off_at_its_deadline_and_others_get_it_at_once() {
    unhung("a_stop_cuts_off_at_its_deadline_and_others_get_it_at_once", || {
        let site = Site::open(Settings::default());
        site.publish(2);
        let (begun, has_begun) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let handler = move |job: Job| {
            let (begun, gate, number) = (begun.clone(), Arc::clone(&gate), number(&job));
            async move {
                begun.send(()).unwrap();
                if number == 0 {
                    std::future::pending::<()>().await;
                }
                let _ = gate.lock().unwrap().recv();
                Ok::<(), Failure>(())
            }
        };
        let consumer = site.wait(site.consumer().run(&site.pool, handler)).unwrap();
        has_begun.iter().take(2).for_each(drop);
        let receipt = site.wait(consumer.stop_within(Duration::ZERO));
        adds_up(&receipt);
        assert_eq!((receipt.pulled, receipt.cut_off, receipt.acked), (2, 2, 0));
        let other_pool = common::pool(1);
        let (handler, told) = telling();
        let other = site.wait(site.consumer().run(&other_pool, handler)).unwrap();
        assert!(told.iter().take(2).all(|job| job.attempt() >= 2));
        drop(release);
        assert_eq!(site.wait(other.stop()).acked, 2);
    });
}

/// The reason tells what could not be decoded, and the message's own headers come along: each may be as large as a message.
#[test]
fn a_job_as_large_as_may_be_has_its_dead_letter() {
    unhung("a_job_as_large_as_may_be_has_its_dead_letter", || {
        let site = Site::open(Settings::default());
        let limit = site.client.nats().max_payload();
        let text = format!("\"{}\"", "é".repeat(limit / 2 - 10));
        let mut large_header = async_nats::HeaderMap::new();
        // A stream takes up to 64 KiB of them.
        large_header.insert("Large", "x".repeat(65_000));
        let publish = {
            let text = text.clone();
            site.client.on_thread(move |jetstream| async move {
                jetstream.publish("jobs.a", text.into()).await.unwrap().await.unwrap();
                let published = jetstream.publish_with_headers("jobs.b", large_header, "no number".into());
                published.await.unwrap().await.unwrap();
            })
        };
        site.wait(publish);
        let handler = |job: Job| std::future::ready(job.decode::<u32>().map(drop).map_err(Failure::from));
        let consumer = site.wait(site.consumer().run(&site.pool, handler)).unwrap();
        let letters = dead_letters(&site, 3);
        let receipt = site.wait(consumer.stop());
        adds_up(&receipt);
        assert_eq!((receipt.dead, receipt.retried), (2, 0));
        let payload_of = |subject: &str| {
            let of_subject = letters.iter().filter(|letter| {
                letter.headers.as_ref().unwrap().get(headers::SUBJECT).unwrap().as_str() == subject
            });
            of_subject.flat_map(|letter| letter.payload.to_vec()).collect::<Vec<u8>>()
        };
        assert!(payload_of("jobs.a") == text.as_bytes());
        assert_eq!(payload_of("jobs.b"), b"no number");
        site.wait_until_empty();
    });
}

/// As one does that takes its process with it.
#[test]
fn a_job_that_never_comes_to_an_end_goes_to_the_dead_letters_and_does_not_run_again() {
    unhung("a_job_that_never_comes_to_an_end_goes_to_the_dead_letters_and_does_not_run_again", || {
        let site = Site::open(Settings::default());
        site.publish(1);
        const TIMES: u64 = 2;
        let (begun, has_begun) = mpsc::channel();
        for attempt in 1..=TIMES {
            let begun = begun.clone();
            let handler = move |job: Job| {
                begun.send(job.attempt()).unwrap();
                std::future::pending::<Result<(), Failure>>()
            };
            let consumer = site.wait(site.consumer().max_deliver(TIMES).run(&site.pool, handler)).unwrap();
            assert_eq!(has_begun.recv().unwrap(), attempt);
            assert_eq!(site.wait(consumer.stop_within(Duration::ZERO)).cut_off, 1);
        }
        let (handler, told) = telling();
        let consumer = site.wait(site.consumer().max_deliver(TIMES).run(&site.pool, handler)).unwrap();
        let letters = dead_letters(&site, 1);
        assert_eq!(&*letters[0].payload, b"0");
        assert_eq!(letters[0].headers.as_ref().unwrap().get(headers::ATTEMPTS).unwrap().as_str(), "3");
        let receipt = site.wait(consumer.stop());
        adds_up(&receipt);
        assert_eq!((receipt.pulled, receipt.started, receipt.dead), (1, 0, 1));
        assert!(told.recv().is_err(), "no run");
        site.wait_until_empty();
    });
}

#[test]
fn a_consumer_holds_no_more_than_it_may() {
    unhung("a_consumer_holds_no_more_than_it_may", || {
        let site = Site::open(Settings::default());
        const COUNT: usize = 1_000;
        const MOST: usize = 7;
        site.publish(COUNT);
        let (tell, told) = mpsc::channel();
        let running = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let handler = move |_: Job| {
            let (tell, running) = (tell.clone(), Arc::clone(&running));
            async move {
                let now = running.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
                // So that as many as may be run at a time.
                millpond::time::sleep(Duration::from_millis(1)).await;
                running.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                tell.send(now).unwrap();
                Ok::<(), Failure>(())
            }
        };
        let consumer = site.wait(site.consumer().max_in_flight(MOST).run(&site.pool, handler)).unwrap();
        let most =
            told.iter().take(COUNT).inspect(|_| assert!(consumer.metrics().in_flight() <= MOST as u64)).max();
        assert!((2..=MOST).contains(&most.unwrap()), "{most:?}");
        adds_up(&site.wait(consumer.stop()));
    });
}

#[test]
fn a_full_pool_holds_messages_up_and_loses_none() {
    unhung("a_full_pool_holds_messages_up_and_loses_none", || {
        let mut site = Site::open(Settings::default());
        site.pool = common::builder(1).queue_capacity(2).build().unwrap();
        const COUNT: usize = 1_000;
        site.publish(COUNT);
        let (handler, told) = telling();
        let consumer = site.wait(site.consumer().run(&site.pool, handler)).unwrap();
        let mut numbers: Vec<usize> = told.iter().take(COUNT).map(|job| number(&job)).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..COUNT).collect::<Vec<_>>());
        adds_up(&site.wait(consumer.stop()));
    });
}

#[test]
fn a_pool_that_ends_gives_back_what_it_has() {
    unhung("a_pool_that_ends_gives_back_what_it_has", || {
        let site = Site::open(Settings::default());
        const COUNT: usize = 20;
        site.publish(COUNT);
        let other_pool = common::pool(1);
        let (begun, has_begun) = mpsc::channel();
        let handler = move |_: Job| {
            begun.send(()).unwrap();
            std::future::pending::<Result<(), Failure>>()
        };
        // Some servers lose sight of what comes back to a pull that ends at that moment, until this is over.
        let ack_wait = Duration::from_secs(2);
        let builder = site.consumer().ack_wait(ack_wait).stop_timeout(Duration::ZERO);
        let consumer = site.wait(builder.run(&other_pool, handler)).unwrap();
        has_begun.recv().unwrap();
        drop(other_pool);
        // It notices with the next message at the latest.
        site.publish(1);
        let receipt = site.wait(consumer.ended());
        adds_up(&receipt);
        assert_eq!((&receipt.end, receipt.acked), (&millpond_nats::End::PoolClosed, 0));
        let (handler, told) = telling();
        let other = site.wait(site.consumer().ack_wait(ack_wait).run(&site.pool, handler)).unwrap();
        assert_eq!(told.iter().take(COUNT + 1).count(), COUNT + 1);
        adds_up(&site.wait(other.stop()));
    });
}

#[test]
fn a_dropped_consumer_lets_what_runs_come_to_its_end() {
    unhung("a_dropped_consumer_lets_what_runs_come_to_its_end", || {
        let site = Site::open(Settings::default());
        site.publish(1);
        let (begun, has_begun) = mpsc::channel();
        let (release, gate) = flume::bounded::<()>(0);
        let handler = move |_: Job| {
            begun.send(()).unwrap();
            let gate = gate.clone();
            async move {
                let _ = gate.recv_async().await;
                Ok::<(), Failure>(())
            }
        };
        let consumer = site.wait(site.consumer().run(&site.pool, handler)).unwrap();
        has_begun.recv().unwrap();
        drop(consumer);
        drop(release);
        // Until its ack has come.
        site.wait_until_empty();
    });
}

#[test]
fn a_restarted_server_loses_nothing_and_stops_nobody() {
    unhung("a_restarted_server_loses_nothing_and_stops_nobody", || {
        let mut site = Site::open(Settings::default());
        const COUNT: usize = 300;
        let (tell, told) = mpsc::channel();
        let handler = move |job: Job| {
            let tell = tell.clone();
            async move {
                millpond::time::sleep(Duration::from_millis(1)).await;
                tell.send(number(&job)).unwrap();
                Ok::<(), Failure>(())
            }
        };
        site.publish(COUNT);
        let builder = site.consumer().max_in_flight(10).ack_wait(Duration::from_secs(2)).ack_sync(true);
        let consumer = site.wait(builder.run(&site.pool, handler)).unwrap();
        let mut runs = vec![0; COUNT];
        for number in told.iter().take(COUNT / 3) {
            runs[number] += 1;
        }
        site.server.kill();
        site.server.restart();
        while runs.contains(&0) {
            runs[told.recv().unwrap()] += 1;
        }
        let receipt = site.wait(consumer.stop());
        adds_up(&receipt);
        assert!(runs.iter().all(|runs| *runs == 1), "what was at work went on: {runs:?} {receipt:?}");
        assert_eq!(receipt.acked as usize, COUNT);
    });
}

/// A server that lost its last messages gives their sequences to others, too.
#[test]
fn a_stream_made_anew_has_messages_of_its_own() {
    unhung("a_stream_made_anew_has_messages_of_its_own", || {
        let site = Site::open(Settings::default());
        site.publish(3);
        let (tell, told) = mpsc::channel();
        let (release, gate) = flume::bounded::<()>(0);
        let handler = move |job: Job| {
            let (gate, number) = (gate.clone(), number(&job));
            tell.send((number, job.sequence())).unwrap();
            async move {
                match number {
                    0 => Ok(()),
                    1 => Err(Failure::from(Poison::new("never will be"))),
                    _ => gate.recv_async().await.map_err(Failure::retry),
                }
            }
        };
        // While it is at the third it asks for nothing, and does not hear that the stream goes.
        let consumer = site.wait(site.consumer().max_in_flight(1).run(&site.pool, handler)).unwrap();
        assert_eq!(told.iter().take(3).collect::<Vec<_>>(), [(0, 1), (1, 2), (2, 3)]);
        site.wait(site.client.on_thread(|jetstream| async move {
            let durable: async_nats::jetstream::consumer::PullConsumer =
                jetstream.get_consumer_from_stream("workers", "JOBS").await.unwrap();
            let stream = jetstream.get_stream("JOBS").await.unwrap().cached_info().config.clone();
            jetstream.delete_stream("JOBS").await.unwrap();
            jetstream.create_stream(stream).await.unwrap();
            let config = durable.cached_info().config.clone();
            jetstream.create_consumer_strict_on_stream(config, "JOBS").await.unwrap();
        }));
        site.publish(2);
        release.send(()).unwrap();
        assert_eq!(told.iter().take(2).collect::<Vec<_>>(), [(0, 1), (1, 2)]);
        let receipt = site.wait(consumer.stop());
        adds_up(&receipt);
        assert_eq!((receipt.repeated, receipt.dead, receipt.acked), (0, 2, 3));
        assert_eq!(site.left_in("JOBS-dead"), 2, "a letter for each");
    });
}

#[test]
fn a_stop_ends_while_the_server_is_away_and_nothing_more_can_be_sent() {
    unhung("a_stop_ends_while_the_server_is_away_and_nothing_more_can_be_sent", || {
        let mut site = Site::open(Settings::default());
        site.publish(2);
        let (begun, has_begun) = mpsc::channel();
        let handler = move |_: Job| {
            begun.send(()).unwrap();
            std::future::pending::<Result<(), Failure>>()
        };
        let consumer = site.wait(site.consumer().run(&site.pool, handler)).unwrap();
        has_begun.iter().take(2).for_each(drop);
        site.server.kill();
        let nats = site.client.nats();
        while nats.connection_state() == async_nats::connection::State::Connected {
            std::thread::yield_now();
        }
        // Nobody takes it now.
        while nats.publish("fill", "".into()).now_or_never().is_some() {}
        let receipt = site.wait(consumer.stop_within(Duration::ZERO));
        adds_up(&receipt);
        assert_eq!((receipt.pulled, receipt.cut_off), (2, 2));
    });
}

#[test]
fn settings_that_make_no_sense_are_named() {
    unhung("settings_that_make_no_sense_are_named", || {
        let site = Site::open(Settings::default());
        let handler = |_: Job| std::future::ready(Ok::<(), Failure>(()));
        let refusal =
            |builder: ConsumerBuilder| site.wait(builder.run(&site.pool, handler)).unwrap_err().to_string();
        let cases = [
            (site.consumer().ack_wait(Duration::ZERO), "`ack_wait` is 0ns"),
            (site.consumer().max_deliver(0), "`max_deliver` is 0"),
            (site.consumer().backoff([]), "`backoff` is []"),
            (site.consumer().max_in_flight(0), "`max_in_flight` is 0"),
            (site.consumer().max_in_flight(65_537), "`max_in_flight` is 65537"),
            (site.consumer().max_ack_pending(10), "no more than max_ack_pending (10)"),
            (site.consumer().max_waiting(0), "`max_waiting` is 0"),
            (site.consumer().dead_letters("a.b"), "`dead_letters` is \"a.b\""),
            (site.consumer().dead_letters("JOBS"), "no stream JOBS for the dead letters"),
            (Consumer::builder(&site.client, "", "workers"), "`stream` is \"\""),
            (Consumer::builder(&site.client, "JOBS", "a b"), "`durable` is \"a b\""),
            (Consumer::builder(&site.client, "NONE", "workers"), "no consumer workers of the stream NONE"),
        ];
        for (builder, text) in cases {
            let refusal = refusal(builder);
            assert!(refusal.contains(text), "{text}: {refusal}");
        }
    });
}

#[test]
fn a_server_that_is_away_is_an_error_or_waited_for() {
    unhung("a_server_that_is_away_is_an_error_or_waited_for", || {
        let mut server = Server::start();
        server.stop();
        let pool = common::pool(1);
        let error = pool.block_on(Client::connect(server.url())).unwrap_err().to_string();
        assert!(error.contains("wait_for_server") && error.contains("127.0.0.1"), "{error}");
        let connecting = Client::builder(server.url()).wait_for_server(true).connect();
        let connecting = pool.spawn(move || connecting);
        server.restart();
        let client = connecting.join().unwrap().unwrap();
        pool.block_on(client.create_work_queue("JOBS", ["jobs.>"])).unwrap();
    });
}
