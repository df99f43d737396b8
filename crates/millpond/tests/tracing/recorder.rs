//! A subscriber that writes down what it is told of each span. One for the process: jobs run on threads of their own.

use millpond::Handle;
use std::{
    collections::{BTreeMap, HashMap},
    fmt::Debug,
    sync::{
        LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Registry,
    layer::{Context, Layer, SubscriberExt},
    registry::LookupSpan,
};

/// How often it has panicked, as spans called `panics at …` ask it to.
pub(crate) static PANICS: AtomicUsize = AtomicUsize::new(0);
/// Where it spawns a job, at each call for a span called `makes the subscriber spawn`; and how many it has.
pub(crate) static SPAWNS: Mutex<Option<Handle>> = Mutex::new(None);
pub(crate) static SPAWNED: AtomicUsize = AtomicUsize::new(0);

/// What is known of one span.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    pub(crate) level: Level,
    pub(crate) parent: Option<u64>,
    pub(crate) follows: Vec<u64>,
    pub(crate) fields: BTreeMap<&'static str, String>,
    pub(crate) enters: usize,
    pub(crate) exits: usize,
    pub(crate) closed: usize,
}

/// All that was told so far.
#[derive(Default)]
pub(crate) struct Spans {
    told: Mutex<HashMap<u64, Told>>,
    /// By the number of the span and the operation.
    wakers: Mutex<BTreeMap<(u64, String), usize>>,
    /// The fields of each event of a stall.
    stalls: Mutex<Vec<BTreeMap<&'static str, String>>>,
}

static SPANS: LazyLock<Spans> = LazyLock::new(Spans::default);

/// What the subscriber has been told, which is set up if need be.
pub(crate) fn spans() -> &'static Spans {
    static SET_UP: LazyLock<()> = LazyLock::new(|| {
        tracing::subscriber::set_global_default(Registry::default().with(Recorder)).unwrap();
    });
    LazyLock::force(&SET_UP);
    &SPANS
}

pub(crate) fn by_name(name: &str) -> impl Fn(&Told) -> bool + '_ {
    move |span| span.fields.get("task.name").is_some_and(|theirs| theirs == name)
}

pub(crate) fn on_line(line: u32) -> impl Fn(&Told) -> bool {
    move |span| span.is_on(line)
}

impl Spans {
    pub(crate) fn get(&self, id: u64) -> Told {
        lock(&self.told)[&id].clone()
    }

    pub(crate) fn all(&self, picked: impl Fn(&Told) -> bool) -> Vec<Told> {
        lock(&self.told).values().filter(|span| picked(span)).cloned().collect()
    }

    pub(crate) fn only(&self, picked: impl Fn(&Told) -> bool) -> Told {
        let mut all = self.all(picked);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// How often each operation was done with wakers of the span.
    pub(crate) fn wakers(&self, id: u64) -> Vec<String> {
        let wakers = lock(&self.wakers);
        let theirs = wakers.iter().filter(|((of, _), _)| *of == id);
        theirs.map(|((_, op), times)| format!("{op} {times}")).collect()
    }

    /// A stall by jobs of this name.
    pub(crate) fn stall(&self, name: &str) -> Option<BTreeMap<&'static str, String>> {
        let named =
            |fields: &&BTreeMap<_, String>| fields.get("task.name").is_some_and(|theirs| theirs == name);
        lock(&self.stalls).iter().find(named).cloned()
    }

    pub(crate) fn wakers_told(&self, id: u64, op: &str) -> usize {
        lock(&self.wakers).get(&(id, op.to_owned())).copied().unwrap_or_default()
    }
}

impl Told {
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).unwrap_or_else(|| panic!("no field {name}: {self:?}"))
    }

    /// Whether it is a job that was spawned on this line of the tests.
    pub(crate) fn is_on(&self, line: u32) -> bool {
        let is = |field, value: &str| self.fields.get(field).is_some_and(|theirs| theirs == value);
        is("loc.line", &line.to_string()) && is("loc.file", "crates/millpond/tests/tracing/main.rs")
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed > 0
    }

    #[track_caller]
    pub(crate) fn assert_entered_and_closed(&self, times: usize) {
        assert_eq!((self.enters, self.exits, self.closed), (times, times, 1), "{self:?}");
    }

    /// It has been entered so often, and not exited from the last.
    #[track_caller]
    pub(crate) fn assert_open(&self, times: usize) {
        assert_eq!((self.enters, self.exits, self.closed), (times, times - 1, 0), "{self:?}");
    }
}

struct Recorder;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let parent = context.span(id).and_then(|span| Some(span.parent()?.id().into_u64()));
        trouble("new span", &fields.0);
        let told = Told {
            id: id.into_u64(),
            name: metadata.name(),
            target: metadata.target(),
            level: *metadata.level(),
            parent,
            follows: Vec::new(),
            fields: fields.0,
            enters: 0,
            exits: 0,
            closed: 0,
        };
        lock(&SPANS.told).insert(told.id, told);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        note(id, "record", |span| span.fields.extend(fields.0));
    }

    fn on_follows_from(&self, id: &Id, cause: &Id, _: Context<'_, S>) {
        note(id, "follows from", |span| span.follows.push(cause.into_u64()));
    }

    fn on_enter(&self, id: &Id, _: Context<'_, S>) {
        note(id, "enter", |span| span.enters += 1);
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        note(id, "exit", |span| span.exits += 1);
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        note(&id, "close", |span| span.closed += 1);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        match event.metadata().target() {
            "tokio::task::waker" => {}
            "millpond::stall" => return lock(&SPANS.stalls).push(fields.0),
            _ => return,
        }
        let id = fields.0["task.id"].parse().unwrap();
        let op = fields.0["op"].strip_prefix("waker.").unwrap().to_owned();
        *lock(&SPANS.wakers).entry((id, op)).or_default() += 1;
        note(&Id::from_u64(id), "event", |_| {});
    }
}

/// Writes down, and then makes the trouble that the span asks for.
fn note(id: &Id, what: &str, change: impl FnOnce(&mut Told)) {
    let fields = lock(&SPANS.told).get_mut(&id.into_u64()).map(|span| {
        change(span);
        span.fields.clone()
    });
    trouble(what, &fields.unwrap_or_default());
}

fn trouble(what: &str, fields: &BTreeMap<&'static str, String>) {
    let Some(name) = fields.get("task.name") else { return };
    if name.strip_prefix("panics at ") == Some(what) {
        PANICS.fetch_add(1, SeqCst);
        panic!("the subscriber panics at {what}");
    }
    if name == "makes the subscriber spawn" {
        let pool = lock(&SPAWNS).clone();
        if let Some(pool) = pool {
            SPAWNED.fetch_add(1, SeqCst);
            drop(pool.spawn(|| async {}));
        }
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
