//! Messages at the server's limit.

use std::future::ready;
use std::sync::mpsc;

use millpond_nats::async_nats::jetstream::Message;
use millpond_nats::async_nats::jetstream::consumer::pull::OrderedConfig;
use millpond_nats::{Failure, Job, headers};

use futures_util::StreamExt;

use crate::common::site::{Site, adds_up};
use crate::common::{Settings, unhung};

const LIMIT_BYTES: usize = 8_192;

#[test]
fn a_message_over_the_limit_is_refused_and_harms_no_other() {
    unhung("a_message_over_the_limit_is_refused_and_harms_no_other", || {
        let site = Site::open(Settings::default().max_payload(LIMIT_BYTES));
        let (tell, told) = mpsc::channel();
        let handler = move |job: Job| {
            tell.send(job.payload().len()).expect("the test listens");
            ready(Ok::<(), Failure>(()))
        };
        let consumer = site.wait(site.consumer().run(&site.pool, handler)).expect("it starts");
        for round in 1..=3 {
            site.try_publish(vec![b'x'; round]).expect("it is small");
            let refusal = site.try_publish(vec![b'x'; LIMIT_BYTES + round]).expect_err("it is too large");
            assert!(refusal.contains("payload"), "{refusal}");
            site.try_publish(vec![b'x'; LIMIT_BYTES]).expect("it is as large as it may be");
        }
        let mut lengths: Vec<usize> = told.iter().take(6).collect();
        lengths.sort_unstable();
        assert_eq!(lengths, [1, 2, 3, LIMIT_BYTES, LIMIT_BYTES, LIMIT_BYTES]);
        let receipt = site.wait(consumer.stop());
        adds_up(&receipt);
        site.wait_until_empty();
        assert_eq!((receipt.acked, receipt.redelivered, site.left()), (6, 0, 0));
    });
}

/// Its headers would take it over the limit.
#[test]
fn a_dead_letter_of_the_largest_message_is_whole() {
    unhung("a_dead_letter_of_the_largest_message_is_whole", || {
        let site = Site::open(Settings::default().max_payload(LIMIT_BYTES));
        let payload: Vec<u8> = (0..LIMIT_BYTES).map(|byte| (byte % 251) as u8).collect();
        site.try_publish(payload.clone()).expect("it is as large as it may be");
        let handler = |_: Job| ready(Err::<(), _>(Failure::poison("too much")));
        let consumer = site.wait(site.consumer().run(&site.pool, handler)).expect("it starts");
        let parts = dead_letters(&site, 2);
        let numbers: Vec<&str> = parts.iter().map(|part| header(part, headers::PART)).collect();
        assert_eq!(numbers, ["1/2", "2/2"]);
        assert!(parts.iter().all(|part| header(part, headers::REASON) == "too much"));
        let whole: Vec<u8> = parts.iter().flat_map(|part| part.payload.to_vec()).collect();
        assert!(whole == payload, "{} bytes", whole.len());
        let receipt = site.wait(consumer.stop());
        adds_up(&receipt);
        site.wait_until_empty();
        assert_eq!((receipt.dead, site.left()), (1, 0));
    });
}

fn header<'a>(message: &'a Message, name: &'static str) -> &'a str {
    message.headers.as_ref().and_then(|headers| headers.get(name)).map_or("", |value| value.as_str())
}

fn dead_letters(site: &Site, count: usize) -> Vec<Message> {
    site.wait(site.client.on_thread(move |jetstream| async move {
        let stream = jetstream.get_stream("JOBS-dead").await.expect("it is there");
        let letters = stream.create_consumer(OrderedConfig::default()).await.expect("it answers");
        // Ended by the letters.
        letters
            .messages()
            .await
            .expect("it answers")
            .take(count)
            .map(|letter| letter.expect("a letter"))
            .collect()
            .await
    }))
}
