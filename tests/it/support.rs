//! What the tests share: time bounds, gates, and values that count their drops and clones.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, Pool, async_work};

/// How long anything may take that should not take long at all.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Runs `body` on a thread of its own and fails the test if it is not done in time.
///
/// A body that hangs is left behind, so that the other tests go on.
#[track_caller]
pub fn within<R: Send + 'static>(limit: Duration, body: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, outcome) = mpsc::channel();
    let name = thread::current().name().unwrap_or("test").to_owned();
    thread::Builder::new()
        .name(name)
        .spawn(move || {
            let _ = done.send(catch_unwind(AssertUnwindSafe(body)));
        })
        .expect("a thread for the test");
    match outcome.recv_timeout(limit) {
        Ok(Ok(value)) => value,
        Ok(Err(payload)) => resume_unwind(payload),
        Err(_) => panic!("hangs: not done within {limit:?}"),
    }
}

/// [`within`] the usual limit.
#[track_caller]
pub fn soon<R: Send + 'static>(body: impl FnOnce() -> R + Send + 'static) -> R {
    within(LIMIT, body)
}

/// Drops something whose drop may panic, on this thread or on another.
pub fn drop_quietly<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}

/// Waits until the condition holds, and fails if it does not come to hold.
#[track_caller]
pub fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT / 2, "never came to be: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A gate that threads wait at, without the pool knowing, until it is opened.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn new() -> Gate {
        Gate::default()
    }

    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub fn is_open(&self) -> bool {
        *self.0.0.lock().unwrap()
    }

    /// Waits until the gate is open; panics when it stays shut.
    #[track_caller]
    pub fn pass(&self) {
        let shut = self.0.0.lock().unwrap();
        let (_open, timeout) = self.0.1.wait_timeout_while(shut, LIMIT / 2, |open| !*open).unwrap();
        assert!(!timeout.timed_out(), "nobody opened the gate");
    }
}

/// A worker that is kept busy until this is freed or dropped.
#[derive(Debug)]
pub struct Busy {
    gate: Gate,
    pub result: AsyncResult<()>,
}

impl Busy {
    pub fn free(self) {
        drop(self);
    }

    /// The gate that the worker stands at.
    pub fn gate(&self) -> Gate {
        self.gate.clone()
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.gate.open();
    }
}

/// Keeps one worker of the pool busy; returns when it is.
#[track_caller]
pub fn occupy(pool: &Pool) -> Busy {
    let (begun, gate) = (Gate::new(), Gate::new());
    let result = pool.spawn({
        let (begun, gate) = (begun.clone(), gate.clone());
        move || {
            begun.open();
            gate.pass();
        }
    });
    begun.pass();
    Busy { gate, result }
}

/// Counts events from many threads.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicUsize>);

impl Counter {
    pub fn new() -> Counter {
        Counter::default()
    }

    pub fn add(&self) -> usize {
        self.0.fetch_add(1, SeqCst) + 1
    }

    pub fn count(&self) -> usize {
        self.0.load(SeqCst)
    }

    pub fn reset(&self) {
        self.0.store(0, SeqCst);
    }

    /// A value that counts when it is dropped.
    pub fn on_drop(&self) -> OnDrop {
        OnDrop(self.clone())
    }
}

/// How many are inside, and how many were at most.
#[derive(Clone, Debug, Default)]
pub struct Inside(Arc<(AtomicUsize, AtomicUsize)>);

impl Inside {
    pub fn enter(&self) {
        self.enter_as(1);
    }

    pub fn leave(&self) {
        self.leave_as(1);
    }

    pub fn visit<R>(&self, visit: impl FnOnce() -> R) -> R {
        self.visit_as(1, visit)
    }

    /// By one that counts as so many.
    pub fn visit_as<R>(&self, many: usize, visit: impl FnOnce() -> R) -> R {
        self.enter_as(many);
        let value = visit();
        self.leave_as(many);
        value
    }

    fn enter_as(&self, many: usize) {
        let now = self.0.0.fetch_add(many, SeqCst) + many;
        self.0.1.fetch_max(now, SeqCst);
    }

    fn leave_as(&self, many: usize) {
        self.0.0.fetch_sub(many, SeqCst);
    }

    pub fn now(&self) -> usize {
        self.0.0.load(SeqCst)
    }

    pub fn most(&self) -> usize {
        self.0.1.load(SeqCst)
    }
}

/// A pool whose unobserved failures are counted.
pub fn reporting(workers: usize) -> (Pool, Counter) {
    let reports = Counter::new();
    let hook = reports.clone();
    let pool = Pool::builder().workers(workers).on_unobserved_error(move |_| {
        hook.add();
    });
    (pool.build().unwrap(), reports)
}

/// Counts its own drop. Not `Clone`.
pub struct OnDrop(Counter);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.add();
    }
}

/// A value that counts its clones and its drops.
pub struct Counted {
    pub value: u32,
    pub tally: Tally,
}

/// What happened to a [`Counted`] and to its clones.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub clones: Counter,
    pub drops: Counter,
}

impl Tally {
    pub fn new() -> Tally {
        Tally::default()
    }

    pub fn value(&self, value: u32) -> Counted {
        Counted { value, tally: self.clone() }
    }
}

impl Clone for Counted {
    fn clone(&self) -> Counted {
        self.tally.clones.add();
        Counted { value: self.value, tally: self.tally.clone() }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.tally.drops.add();
    }
}

/// An error of the tests' own.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken(pub u32);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "broken {}", self.0)
    }
}

impl std::error::Error for Broken {}

/// Neither `Clone` nor `Debug`.
pub struct Thing(pub u8);

/// Work that is lent a thing until the gate opens.
#[async_work]
pub fn hold(thing: &Thing, begun: Gate, gate: Gate) -> u8 {
    begun.open();
    gate.pass();
    thing.0
}
