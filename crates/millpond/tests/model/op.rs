//! What a case is made of: plain data, so that a failing case can be shrunk, printed and kept.

use proptest::{collection::vec, prelude::*};

/// A pool, what is done to it, and how it ends.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) workers: usize,
    pub(crate) capacity: usize,
    pub(crate) epoll: bool,
    pub(crate) ops: Vec<Op>,
    /// For a pool that no operation has ended.
    pub(crate) ending: Ending,
}

/// Picks one of what is there, by the remainder. Shrinks towards the first.
pub(crate) type Pick = u8;

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Send(Way, Work),
    /// Begins a `submit` and polls it once.
    Submit(Work),
    PollSubmit(Pick),
    DropSubmit(Pick),
    Broadcast(Body),
    Blocking(BlockingBody),
    /// A `block_on` whose future starts these beside itself and awaits those that end of their own.
    BlockOn(Vec<Body>),
    /// Returns once every worker is held up by a job.
    HoldWorkers,
    Release(Pick),
    ReleaseAll,
    /// Wakes a waiting job for nothing.
    Wake(Pick),
    Abort(Pick),
    KeepAbortHandle(Pick),
    AbortByHandle(Pick),
    DropHandle(Pick),
    PollHandle(Pick),
    /// Releases all that is held, and joins.
    Join(Pick),
    Shutdown(Ending),
}

/// How a job is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Spawn,
    TrySpawn,
    /// What comes back from a full queue is sent again, by `spawn`.
    TrySpawnOrSpawn,
    On(Pick),
    Key(u8),
}

#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) body: Body,
    pub(crate) children: Vec<(ChildWay, Body)>,
    pub(crate) awaits_children: bool,
}

/// How a job sends another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ChildWay {
    Spawn,
    TrySpawn,
    On(Pick),
    Local,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Return,
    Yield(u8),
    PanicInClosure,
    PanicInFuture,
    PanicInDrop,
    /// Pending until it is released.
    Wait,
    /// Blocks its thread until it is released.
    Hold,
}

/// What a closure of `spawn_blocking` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockingBody {
    Return,
    Panic,
    Hold,
}

/// How a pool is ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    /// `shutdown`, polled once now and to its end at the end of the case.
    Drain,
    DrainBlocking,
    /// As `Drain`, with a limit.
    TimeoutMs(u8),
    TimeoutBlockingMs(u8),
    Drop,
    /// A `shutdown` that is polled once and dropped.
    DropShutdown,
}

impl Ending {
    /// Whether it may drop what has not ended.
    pub(crate) fn cuts_off(self) -> bool {
        !matches!(self, Ending::Drain | Ending::DrainBlocking)
    }
}

/// As many operations as a case may have: enough for all workers to be held, the queue full, and some waiting for room.
const MAX_OPS: usize = 40;

pub(crate) fn case() -> impl Strategy<Value = Case> {
    (1..=3_usize, 1..=4_usize, any::<bool>(), vec(op(), 0..=MAX_OPS), ending())
        .prop_map(|(workers, capacity, epoll, ops, ending)| Case { workers, capacity, epoll, ops, ending })
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (way(), work()).prop_map(|(way, work)| Op::Send(way, work)),
        5 => work().prop_map(Op::Submit),
        3 => any::<Pick>().prop_map(Op::PollSubmit),
        1 => any::<Pick>().prop_map(Op::DropSubmit),
        1 => body().prop_map(Op::Broadcast),
        2 => blocking_body().prop_map(Op::Blocking),
        1 => vec(local_body(), 0..3).prop_map(Op::BlockOn),
        2 => Just(Op::HoldWorkers),
        3 => any::<Pick>().prop_map(Op::Release),
        1 => Just(Op::ReleaseAll),
        2 => any::<Pick>().prop_map(Op::Wake),
        3 => any::<Pick>().prop_map(Op::Abort),
        1 => any::<Pick>().prop_map(Op::KeepAbortHandle),
        2 => any::<Pick>().prop_map(Op::AbortByHandle),
        2 => any::<Pick>().prop_map(Op::DropHandle),
        2 => any::<Pick>().prop_map(Op::PollHandle),
        1 => any::<Pick>().prop_map(Op::Join),
        1 => ending().prop_map(Op::Shutdown),
    ]
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![
        Just(Way::Spawn),
        Just(Way::TrySpawn),
        Just(Way::TrySpawnOrSpawn),
        any::<Pick>().prop_map(Way::On),
        (0..3_u8).prop_map(Way::Key),
    ]
}

fn work() -> impl Strategy<Value = Work> {
    let child = (child_way(), body());
    (body(), prop_oneof![3 => Just(vec![]), 1 => vec(child, 1..3)], any::<bool>())
        .prop_map(|(body, children, awaits_children)| Work { body, children, awaits_children })
}

fn child_way() -> impl Strategy<Value = ChildWay> {
    prop_oneof![
        Just(ChildWay::Spawn),
        Just(ChildWay::TrySpawn),
        any::<Pick>().prop_map(ChildWay::On),
        Just(ChildWay::Local),
    ]
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        6 => local_body(),
        1 => Just(Body::PanicInClosure),
        1 => Just(Body::Hold),
    ]
}

/// What may run beside the test itself: nothing that holds its thread up.
fn local_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        3 => Just(Body::Return),
        2 => (1..=5_u8).prop_map(Body::Yield),
        1 => Just(Body::PanicInFuture),
        1 => Just(Body::PanicInDrop),
        3 => Just(Body::Wait),
    ]
}

fn blocking_body() -> impl Strategy<Value = BlockingBody> {
    prop_oneof![Just(BlockingBody::Return), Just(BlockingBody::Panic), Just(BlockingBody::Hold)]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        Just(Ending::Drain),
        Just(Ending::DrainBlocking),
        (0..3_u8).prop_map(Ending::TimeoutMs),
        (0..3_u8).prop_map(Ending::TimeoutBlockingMs),
        Just(Ending::Drop),
        Just(Ending::DropShutdown),
    ]
}
