//! The backtrace of another thread of this process, which is held.
//!
//! A signal interrupts the thread, and its handler walks the stack that it finds itself on. What it may do there is little:
//! the code that it interrupts may hold any lock, the allocator's too. So it writes bare addresses to a place that is there
//! beforehand, and the watch makes names of them.
//!
//! # What the walk rests on
//!
//! The unwinder of gcc 12 and later finds a frame's table by glibc's `_dl_find_object`, which takes no lock and is safe in a
//! handler by its documentation. Without that function (glibc before 2.35, musl) nothing is asked. The unwinder's own start,
//! and the binding of what is bound lazily, are over after a walk that is made before the handler is there. Neither the walk
//! nor the handler allocates.
//!
//! # The signal
//!
//! SIGURG: it is ignored by default, so that one that comes late, or to nobody's handler, harms nobody; debuggers pass it on;
//! and no library uses it for itself. Go's runtime chose it for the same reasons. Another handler of the process is called as
//! well, if it was there before, or is registered by way of `signal-hook`. It restarts system calls that can be restarted.
//!
//! # One answer at a time
//!
//! There is one place for an answer, [`SLOT`], and a request has it alone. Its state has the request's number, and steps as
//! follows:
//!
//! ```text
//!        ask               the handler begins        it is done
//! FREE ────────► ASKED ───────────────────► WALKING ────────────► ANSWERED
//!   ▲              │ too late                                         │ read
//!   └──────────────┴──────────────────────────────────────────────────┘
//! ```
//!
//! A handler takes the step to WALKING from the request that it has read, by number, on the thread that is asked; so one
//! that comes too late writes nothing. One that begins in time and does not come to its end keeps the place, and nobody else
//! is asked until it has.

use crate::{
    sync::unmodelled::{Mutex, lock},
    task,
};
use rustix::{
    fs::Timespec,
    process::getpid,
    thread::{Pid, futex, gettid},
};
use std::{
    fmt,
    sync::{
        Arc, LazyLock,
        atomic::{
            AtomicI32, AtomicU32, AtomicUsize,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    time::{Duration, Instant},
};

/// Deeper frames are left out: what blocks is at the top.
const MOST_FRAMES: usize = 128;
/// A thread that runs or waits answers within some 50 us. One that does not get the CPU, or has the signal blocked, is given
/// up after this.
const ANSWER_LIMIT: Duration = Duration::from_millis(100);

/// The state's low bits; the rest is the number of the request, which wraps.
const PHASE: u32 = 0b11;
const FREE: u32 = 0;
const ASKED: u32 = 1;
const WALKING: u32 = 2;
const ANSWERED: u32 = 3;
const ONE_REQUEST: u32 = PHASE + 1;

struct Slot {
    state: AtomicU32,
    /// The one that is asked. Written before `ASKED`.
    thread: AtomicI32,
    /// Written by the handler, between `WALKING` and `ANSWERED`.
    frames: [AtomicUsize; MOST_FRAMES],
    count: AtomicUsize,
}

static SLOT: Slot = Slot::new();

/// Whoever asks, one watch of the process at a time.
static ASKING: Mutex<()> = Mutex::new(());

/// Asks a thread where it is. `with_thread` gives its number to what sends the signal, and keeps it from its end meanwhile.
/// The addresses are those of the frames, from the one that was interrupted outwards.
pub(super) fn frames(with_thread: impl FnOnce(&dyn Fn(Pid) -> bool) -> Option<bool>) -> Option<Vec<usize>> {
    let _asking = lock(&ASKING);
    if !*IS_READY || SLOT.state.load(Acquire) & PHASE == WALKING {
        return None;
    }
    let request = (SLOT.state.load(Relaxed) & !PHASE).wrapping_add(ONE_REQUEST);
    let ask = |thread: Pid| {
        SLOT.thread.store(thread.as_raw_nonzero().get(), Relaxed);
        SLOT.state.store(request | ASKED, Release);
        send(thread)
    };
    if with_thread(&ask) == Some(true) && SLOT.is_answered(request) {
        let count = SLOT.count.load(Relaxed);
        let frames = SLOT.frames[..count].iter().map(|frame| frame.load(Relaxed)).collect();
        SLOT.state.store(request | FREE, Release);
        return Some(frames);
    }
    // A handler that has begun keeps the place.
    let _ = SLOT.state.compare_exchange(request | ASKED, request | FREE, AcqRel, Acquire);
    None
}

impl Slot {
    const fn new() -> Slot {
        Slot {
            state: AtomicU32::new(FREE),
            thread: AtomicI32::new(0),
            frames: [const { AtomicUsize::new(0) }; MOST_FRAMES],
            count: AtomicUsize::new(0),
        }
    }

    /// Waits for the answer, for a while.
    fn is_answered(&self, request: u32) -> bool {
        let begun = Instant::now();
        loop {
            let state = self.state.load(Acquire);
            if state == request | ANSWERED {
                return true;
            }
            let Some(left) = ANSWER_LIMIT.checked_sub(begun.elapsed()) else { return false };
            let left = Timespec { tv_sec: 0, tv_nsec: left.as_nanos() as _ };
            // Ended by the handler, which writes the state before it wakes: the kernel compares it with what was read here
            // before it waits. Or by the time.
            let _ = futex::wait(&self.state, futex::Flags::PRIVATE, state, Some(&left));
        }
    }

    /// Answers, if this thread is asked. In a signal's handler, so it takes no lock and no memory.
    fn answer(&self, signal_frame: usize) {
        let asked = self.state.load(Acquire);
        let is_asked = asked & PHASE == ASKED && self.thread.load(Relaxed) == gettid().as_raw_nonzero().get();
        let request = asked & !PHASE;
        if !is_asked || self.state.compare_exchange(asked, request | WALKING, AcqRel, Acquire).is_err() {
            return;
        }
        let mut count = 0;
        walk(|ip, sp| {
            // The handler's own frames lie below what the kernel has put onto the stack, what it interrupts above.
            if sp > signal_frame && ip != 0 {
                self.frames[count].store(ip, Relaxed);
                count += 1;
            }
            count < MOST_FRAMES
        });
        self.count.store(count, Relaxed);
        self.state.store(request | ANSWERED, Release);
        let _ = futex::wake(&self.state, futex::Flags::PRIVATE, 1);
    }
}

/// Gives the address and the stack pointer of each frame of this thread, from here outwards, for as long as it is asked to.
fn walk(mut each: impl FnMut(usize, usize) -> bool) {
    // SAFETY: what must not happen at the same time is the making of names. The walk alone touches nothing that is shared.
    unsafe { backtrace::trace_unsynchronized(|frame| each(frame.ip().addr(), frame.sp().addr())) };
}

/// The handler is there, and may walk. Found out once.
static IS_READY: LazyLock<bool> = LazyLock::new(|| has_lock_free_tables() && register());

fn has_lock_free_tables() -> bool {
    // SAFETY: a look for a name among the loaded libraries. What it finds is not used.
    !unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"_dl_find_object".as_ptr()) }.is_null()
}

fn register() -> bool {
    let mut frames = 0;
    walk(|_, _| {
        frames += 1;
        frames < MOST_FRAMES
    });
    // SAFETY: the action does what a handler may: see the page. The signal is one that can be handled. It stays for the life
    // of the process, since one may always be on its way.
    unsafe {
        signal_hook_registry::register_sigaction(libc::SIGURG, |info| SLOT.answer((&raw const *info).addr()))
    }
    .is_ok()
}

fn send(thread: Pid) -> bool {
    let (process, thread) = (getpid().as_raw_nonzero().get(), thread.as_raw_nonzero().get());
    // SAFETY: no pointer is passed. The caller keeps the thread from its end, so the number is still its own; and it could
    // not be one of another process.
    unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGURG) == 0 }
}

/// Names for addresses, a line for each function and one for its place where that is known. The first time it reads the
/// symbols of the whole program, which can take a second.
pub(super) fn text(frames: &[usize]) -> Option<Arc<str>> {
    let mut functions = Vec::new();
    for (index, &ip) in frames.iter().enumerate() {
        // All but the first are where a call returns to, and what is named is what lies before that.
        let ip = std::ptr::without_provenance_mut(if index == 0 { ip + 1 } else { ip });
        let known = functions.len();
        // One for each that the compiler has made one of.
        backtrace::resolve(ip, |symbol| functions.push(Function::of(symbol)));
        if functions.len() == known {
            functions.push(Function { name: format!("<unknown> at {ip:?}"), place: None });
        }
    }
    // From there on it is the pool's own, and the same in each. Where the compiler has made one of all, it is shown.
    let ours = functions.iter().position(Function::is_ours).filter(|ours| *ours > 0);
    functions.truncate(ours.unwrap_or(functions.len()));
    let lines = functions.iter().enumerate().map(|(index, function)| format!("{index:4}: {function}\n"));
    Some(lines.collect::<String>().into()).filter(|text: &Arc<str>| !text.is_empty())
}

struct Function {
    name: String,
    place: Option<String>,
}

impl Function {
    fn of(symbol: &backtrace::Symbol) -> Function {
        let place = symbol.filename().zip(symbol.lineno());
        Function {
            // Without the hash.
            name: symbol.name().map_or_else(|| "<unknown>".to_owned(), |name| format!("{name:#}")),
            place: place.map(|(file, line)| format!("{}:{line}", file.display())),
        }
    }

    /// Of the code that runs tasks. Told by its file too: with line tables only, names come without their module.
    fn is_ours(&self) -> bool {
        let is_in_our_file =
            |place: &str| place.rsplit_once(':').is_some_and(|(file, _)| file.ends_with(task::CELL_FILE));
        self.name.trim_start_matches('<').starts_with("millpond::task::")
            || self.place.as_deref().is_some_and(is_in_our_file)
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.place.iter().try_for_each(|place| write!(f, "\n             at {place}"))
    }
}

#[cfg(all(test, not(any(millpond_loom, millpond_shuttle))))]
mod tests {
    use super::*;

    /// What a signal does to this thread, when the slot is in this state and that thread is asked.
    fn answer(state: u32, thread: i32) -> Slot {
        let slot = Slot::new();
        slot.state.store(state, Relaxed);
        slot.thread.store(thread, Relaxed);
        slot.answer(0);
        slot
    }

    #[test]
    fn a_thread_answers_when_it_is_asked_and_only_then() {
        const REQUEST: u32 = 5 * ONE_REQUEST;
        let this = gettid().as_raw_nonzero().get();
        let answered = answer(REQUEST | ASKED, this);
        assert_eq!(answered.state.load(Relaxed), REQUEST | ANSWERED);
        assert!(answered.is_answered(REQUEST) && answered.count.load(Relaxed) > 0);
        // Nobody asks, another thread is asked, or another signal's handler is at it.
        for (state, thread) in [(FREE, this), (ASKED, this + 1), (WALKING, this), (ANSWERED, this)] {
            let slot = answer(REQUEST | state, thread);
            assert_eq!((slot.state.load(Relaxed), slot.count.load(Relaxed)), (REQUEST | state, 0));
        }
    }

    #[test]
    fn who_does_not_answer_is_given_up_and_the_next_is_asked() {
        let nobody: Pid = Pid::from_raw(i32::MAX).unwrap();
        assert!(frames(|ask| Some(ask(nobody))).is_none(), "there is no such thread");
        assert!(frames(|_| None).is_none(), "it has ended");
        let asked_and_silent = |ask: &dyn Fn(Pid) -> bool| {
            ask(nobody);
            true
        };
        assert!(frames(|ask| Some(asked_and_silent(ask))).is_none(), "it does not answer");
        assert_eq!(SLOT.state.load(Relaxed) & PHASE, FREE);
        // A thread's own signal is there before the call returns.
        let frames = frames(|ask| Some(ask(gettid()))).expect("this thread answers");
        let text = text(&frames).expect("it has names");
        assert!(text.contains("who_does_not_answer"), "{text}");
    }
}
