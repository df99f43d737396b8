use super::{Given, InFlight, NO_STREAM_PATIENCE, RECONNECT_PATIENCE};
use crate::{
    Codec, PublishError,
    publisher::{
        answer::Answer,
        outgoing::{Kind, MessageId, Outgoing},
        settled::Settled,
        slots::Token,
        waiting::{Answered, REST},
    },
};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

const TIMEOUT: Duration = Duration::from_secs(30);
const RESEND_AFTER: Duration = Duration::from_secs(5);

struct Fixture {
    in_flight: InFlight,
    settled: Settled,
    now: Instant,
    numbers: u64,
}

impl Fixture {
    fn disconnected() -> Fixture {
        let (in_flight, settled) = (InFlight::new(TIMEOUT, RESEND_AFTER), Settled::default());
        Fixture { in_flight, settled, now: Instant::now(), numbers: 0 }
    }

    fn connected() -> Fixture {
        let mut fixture = Fixture::disconnected();
        fixture.in_flight.connected(true, fixture.now);
        fixture
    }

    fn give(&mut self, id: MessageId) -> (Given, oneshot::Receiver<Answered>) {
        let number = self.numbers;
        self.numbers += 1;
        let kind = Kind::Value { codec: Codec::Json, version: 0 };
        let message = Outgoing { subject: "jobs".into(), payload: "1".into(), id, number, kind };
        let (answer, answered) = oneshot::channel();
        (self.in_flight.give(message, answer, self.now).expect("it is not ended"), answered)
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.in_flight.tick(self.now, "p.", &mut self.settled);
        self.settled.tell();
    }

    fn answer(&mut self, token: Token, answer: Answer<'_>) {
        self.in_flight.answered(token, answer, self.now, &mut self.settled);
        self.settled.tell();
    }

    fn stored(&mut self, token: Token, duplicate: bool) {
        self.answer(token, Answer::Stored { stream: "JOBS".into(), sequence: 1, duplicate });
    }

    /// Sends all that is queued; says which.
    fn send(&mut self) -> Vec<Token> {
        let mut sent = Vec::new();
        while let Some((token, _)) = self.in_flight.next_queued() {
            self.in_flight.sent(token, self.now);
            sent.push(token);
        }
        sent
    }
}

#[test]
fn with_a_connection_the_giver_sends_and_without_one_the_task_does() {
    let mut fixture = Fixture::disconnected();
    let (queued, _answer) = fixture.give(MessageId::Own);
    assert!(!queued.is_direct);
    assert_eq!(fixture.send(), []);
    fixture.in_flight.connected(true, fixture.now);
    // Nothing overtakes what is queued.
    let (behind, _answer) = fixture.give(MessageId::Own);
    assert!(!behind.is_direct);
    assert_eq!(fixture.send(), [queued.token, behind.token]);
    assert!(fixture.give(MessageId::Own).0.is_direct);
}

#[test]
fn a_new_connection_is_given_all_that_is_unanswered_in_its_order() {
    let mut fixture = Fixture::connected();
    let given: Vec<_> = (0..4).map(|_| fixture.give(MessageId::Own)).collect();
    fixture.stored(given[1].0.token, false);
    // It takes the place that was left, and comes after the others all the same.
    let (last, _answer) = fixture.give(MessageId::Own);
    fixture.in_flight.disconnected();
    assert_eq!(fixture.send(), []);
    fixture.in_flight.connected(false, fixture.now);
    assert_eq!(fixture.send(), [given[0].0.token, given[2].0.token, given[3].0.token, last.token]);
    assert_eq!(fixture.in_flight.metrics().resent, 4);
}

#[test]
fn what_the_client_had_no_room_for_is_sent_by_the_task() {
    let mut fixture = Fixture::connected();
    let (given, mut answer) = fixture.give(MessageId::Own);
    fixture.in_flight.defer(given.token);
    assert_eq!(fixture.send(), [given.token]);
    assert_eq!(fixture.in_flight.metrics().resent, 0);
    fixture.stored(given.token, false);
    assert!(answer.try_recv().unwrap().is_ok());
}

#[test]
fn an_unanswered_message_is_sent_again_until_its_deadline() {
    let mut fixture = Fixture::connected();
    let (given, mut answer) = fixture.give(MessageId::Own);
    fixture.pass(RESEND_AFTER - Duration::from_millis(1));
    assert_eq!(fixture.send(), []);
    for _ in 0..5 {
        fixture.pass(RESEND_AFTER);
        assert_eq!(fixture.send(), [given.token]);
    }
    fixture.pass(RESEND_AFTER);
    let error = answer.try_recv().unwrap().unwrap_err();
    assert!(
        matches!(&error, PublishError::TimedOut { attempts: 6, timeout: TIMEOUT, id, .. } if id == "p.0"),
        "{error:?}"
    );
    assert_eq!(fixture.in_flight.metrics().in_flight, 0);
}

#[test]
fn a_message_that_was_never_sent_says_so_when_its_time_is_up() {
    let mut fixture = Fixture::disconnected();
    let (_, mut answer) = fixture.give(MessageId::Own);
    fixture.pass(TIMEOUT);
    let error = answer.try_recv().unwrap().unwrap_err();
    assert!(matches!(error, PublishError::TimedOut { attempts: 0, .. }), "{error:?}");
}

#[test]
fn a_late_answer_finds_nobody_and_harms_nobody() {
    let mut fixture = Fixture::connected();
    let (first, _answer) = fixture.give(MessageId::Own);
    fixture.stored(first.token, false);
    let (second, mut answer) = fixture.give(MessageId::Own);
    fixture.answer(first.token, Answer::Full { stream: "JOBS".into(), reason: "full".into() });
    assert!(answer.try_recv().is_err());
    fixture.stored(second.token, false);
    assert!(answer.try_recv().unwrap().is_ok());
}

#[test]
fn a_missing_stream_is_an_error_once_patience_has_ended() {
    let mut fixture = Fixture::connected();
    let (given, mut answer) = fixture.give(MessageId::Own);
    fixture.answer(given.token, Answer::NoStream);
    assert_eq!(fixture.send(), []);
    fixture.pass(REST);
    assert_eq!(fixture.send(), [given.token]);
    fixture.pass(NO_STREAM_PATIENCE);
    fixture.answer(given.token, Answer::NoStream);
    assert!(matches!(answer.try_recv().unwrap(), Err(PublishError::NoStream { .. })));
}

#[test]
fn after_a_reconnect_a_missing_stream_has_longer_to_come_back() {
    let mut fixture = Fixture::connected();
    fixture.in_flight.disconnected();
    fixture.in_flight.connected(false, fixture.now);
    let (given, mut answer) = fixture.give(MessageId::Own);
    fixture.pass(RECONNECT_PATIENCE - Duration::from_millis(1));
    fixture.answer(given.token, Answer::NoStream);
    assert!(answer.try_recv().is_err());
    fixture.pass(REST);
    assert_eq!(fixture.send(), [given.token]);
    fixture.answer(given.token, Answer::NoStream);
    assert!(matches!(answer.try_recv().unwrap(), Err(PublishError::NoStream { .. })));
}

#[test]
fn a_busy_stream_is_asked_again_and_its_words_are_kept() {
    let mut fixture = Fixture::connected();
    let (given, mut answer) = fixture.give(MessageId::Own);
    let mut passed = Duration::ZERO;
    while passed < TIMEOUT - REST {
        fixture.answer(given.token, Answer::Busy { reason: "no leader".into() });
        fixture.pass(REST);
        passed += REST;
        assert_eq!(fixture.send(), [given.token]);
    }
    fixture.pass(REST);
    let error = answer.try_recv().unwrap().unwrap_err();
    assert!(error.to_string().ends_with("the server last said: no leader"), "{error}");
}

#[test]
fn an_answer_that_is_no_streams_is_not_the_answer() {
    let mut fixture = Fixture::connected();
    let (given, mut answer) = fixture.give(MessageId::Own);
    fixture.answer(given.token, Answer::Foreign);
    assert!(answer.try_recv().is_err());
    fixture.stored(given.token, false);
    assert!(answer.try_recv().unwrap().is_ok());
}

#[test]
fn only_a_given_id_can_be_a_duplicate() {
    let mut fixture = Fixture::connected();
    for (id, expected) in [(MessageId::Own, false), (MessageId::Given("a".into()), true)] {
        let (given, mut answer) = fixture.give(id);
        fixture.stored(given.token, true);
        assert_eq!(answer.try_recv().unwrap().unwrap().duplicate, expected);
    }
    let counts = fixture.in_flight.metrics().answered;
    assert_eq!((counts.published, counts.duplicates, counts.failed), (1, 1, 0));
}

#[test]
fn a_message_taken_back_was_never_given() {
    let mut fixture = Fixture::connected();
    let (given, _answer) = fixture.give(MessageId::Own);
    let mut flushed = fixture.in_flight.flush().unwrap_err();
    assert!(fixture.in_flight.take_back(given.token, &mut fixture.settled));
    fixture.settled.tell();
    assert_eq!(flushed.try_recv().unwrap().given(), 0);
    assert!(!fixture.in_flight.take_back(given.token, &mut fixture.settled));
}

#[test]
fn the_end_fails_all_and_takes_no_more() {
    let mut fixture = Fixture::connected();
    let (_, mut answer) = fixture.give(MessageId::Own);
    let mut flushed = fixture.in_flight.flush().unwrap_err();
    fixture.in_flight.end(&mut fixture.settled);
    fixture.settled.tell();
    assert!(matches!(answer.try_recv().unwrap(), Err(PublishError::ClientEnded { .. })));
    assert_eq!(flushed.try_recv().unwrap().failed, 1);
    let kind = Kind::Value { codec: Codec::Json, version: 0 };
    let message =
        Outgoing { subject: "jobs".into(), payload: "1".into(), id: MessageId::Own, number: 9, kind };
    assert!(fixture.in_flight.give(message, oneshot::channel().0, fixture.now).is_none());
}

#[test]
fn whoever_gives_a_message_wakes_the_task_that_sleeps_and_only_then() {
    let mut fixture = Fixture::connected();
    assert!(fixture.in_flight.fall_asleep());
    let (first, _answer) = fixture.give(MessageId::Own);
    assert!(first.wakes);
    assert!(!fixture.in_flight.fall_asleep());
    assert!(!fixture.give(MessageId::Own).0.wakes);
}
