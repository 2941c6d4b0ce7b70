//! A small home for tests of the core: a queue, run by the test's own threads.

mod counted;

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::super::cell::{Home, LIVE};
use super::super::closure::Closure;
use super::super::complete::ListRest;
use super::super::entry::{Claimed, Entry};
use super::super::handle::{Owner, TaskRef};
use super::super::here::Here;
use super::super::home::{Homed, IsHome};
use super::super::inputs::Inputs;
use super::super::schedule::{Schedule, ToHomes};
use super::super::state::Traits;
use super::super::task::{
    self, CallWithInputs, Callable, Job, Jobbed, Outcome, Simple, Submitted, TaskOf,
};
use super::super::trampoline;
use crate::Error;
use crate::error::{BoxError, Hook, Hop};
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering::SeqCst, lock, thread};

pub(crate) use counted::{Counted, Gate, Tally};

pub(crate) type Place = Arc<Homed<Queue>>;

/// What waits to be run, and what the core has told.
pub(crate) struct Queue {
    entries: Mutex<VecDeque<Entry>>,
    rests: Mutex<Vec<ListRest>>,
    /// Tasks that came to wait again.
    pub(crate) slept: Mutex<Vec<TaskRef>>,
    /// What it has to live for.
    pub(crate) counted: AtomicUsize,
    pub(crate) over: AtomicUsize,
    /// How many tasks a thread readies at once.
    pub(crate) room: AtomicUsize,
    /// How often the rest of a list came.
    pub(crate) rested: AtomicUsize,
    /// Where it is told that it is gone.
    gone: Arc<AtomicBool>,
}

impl Drop for Queue {
    fn drop(&mut self) {
        let counted = self.counted.load(SeqCst);
        assert!(counted == 0 || thread::panicking(), "{counted} that were counted are not over");
        self.gone.store(true, SeqCst);
    }
}

impl IsHome for Queue {
    const KIND: u8 = 7;

    fn schedule(home: &Homed<Self>, entry: Entry) {
        lock(&home.entries).push_back(entry);
    }
    fn queue(home: &Homed<Self>, entry: Entry) {
        lock(&home.entries).push_back(entry);
    }
    fn rest(home: &Homed<Self>, rest: ListRest) {
        home.rested.fetch_add(1, SeqCst);
        lock(&home.rests).push(rest);
    }
    fn meet(home: &Homed<Self>, _: &TaskRef) -> bool {
        Self::hold(home);
        true
    }
    fn hold(home: &Homed<Self>) {
        home.counted.fetch_add(1, SeqCst);
    }
    fn met(home: &Homed<Self>) {
        assert_ne!(home.counted.fetch_sub(1, SeqCst), 0, "more is over than was counted");
    }
    fn sleeps(home: &Homed<Self>, task: &TaskRef, _: bool) {
        lock(&home.slept).push(task.clone());
    }
    fn over(home: &Homed<Self>, _: &TaskRef) {
        home.over.fetch_add(1, SeqCst);
    }
    fn hook(_: &Homed<Self>) -> Option<Hook> {
        Some(Arc::new(|_| ()))
    }
}

pub(crate) fn place() -> Place {
    place_that_tells(&Arc::default())
}

pub(crate) fn place_that_tells(gone: &Arc<AtomicBool>) -> Place {
    Homed::new_home(Queue {
        entries: Mutex::new(VecDeque::new()),
        rests: Mutex::new(Vec::new()),
        slept: Mutex::new(Vec::new()),
        counted: AtomicUsize::new(0),
        over: AtomicUsize::new(0),
        room: AtomicUsize::new(usize::MAX),
        rested: AtomicUsize::new(0),
        gone: gone.clone(),
    })
}

/// A worker's part in a completion: keeps one task, and queues the others.
struct Keeping<'a> {
    home: &'a Homed<Queue>,
    next: Option<Claimed>,
    room: usize,
}

impl Schedule for Keeping<'_> {
    fn keeps(&self, home: *const Home) -> bool {
        self.next.is_none() && std::ptr::eq(home, self.home.address())
    }
    fn keep(&mut self, task: Claimed) {
        self.next = Some(task);
    }
    fn ready(&mut self, entry: Entry) {
        self.room = self.room.checked_sub(1).expect("there is room");
        ToHomes.ready(entry);
    }
    fn room(&self) -> usize {
        self.room
    }
}

pub(crate) fn queue_entry(place: &Place, entry: Entry) {
    Queue::schedule(place, entry);
}

/// Runs a task, and those that it hands back.
pub(crate) fn run_one(place: &Place, task: Claimed) {
    let mut next = Some(task);
    while let Some(task) = next.take() {
        let mut to = Keeping { home: place, next: None, room: place.room.load(SeqCst) };
        place.run(task, &mut to);
        next = to.next;
    }
}

/// Runs all that is queued now, with room for so many for all of it.
pub(crate) fn run_with_room(place: &Place, room: usize) {
    let entries = std::mem::take(&mut *lock(&place.entries));
    let mut to = Keeping { home: place, next: None, room };
    for task in entries.into_iter().filter_map(Entry::claim) {
        place.run(task, &mut to);
    }
    if let Some(task) = to.next {
        run_one(place, task);
    }
}

/// One step of a worker; whether there was anything to do.
pub(crate) fn step(place: &Place) -> bool {
    let entry = lock(&place.entries).pop_front();
    if let Some(entry) = entry {
        if let Some(task) = entry.claim() {
            run_one(place, task);
        }
        return true;
    }
    let rest = lock(&place.rests).pop();
    let Some(rest) = rest else { return false };
    let mut to = Keeping { home: place, next: None, room: place.room.load(SeqCst) };
    rest.visit(&mut to);
    if let Some(task) = to.next {
        run_one(place, task);
    }
    true
}

/// Runs all that is ready; how many steps that took.
pub(crate) fn work(place: &Place) -> usize {
    let mut steps = 0;
    while step(place) {
        steps += 1;
    }
    steps
}

/// Drops the rests of lists that are to be visited.
pub(crate) fn drop_rests(place: &Place) {
    let rests = std::mem::take(&mut *lock(&place.rests));
    drop(rests);
}

/// How many tasks are queued.
pub(crate) fn queued(place: &Place) -> usize {
    lock(&place.entries).len()
}

/// Threads that work for a place until this is dropped.
pub(crate) struct Workers {
    ends: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

pub(crate) fn workers(place: &Place, count: usize) -> Workers {
    let ends = Arc::new(AtomicBool::new(false));
    let thread = |_| {
        let (place, ends) = (place.clone(), ends.clone());
        thread::spawn(move || {
            while !ends.load(SeqCst) || step(&place) {
                if !step(&place) {
                    thread::yield_now();
                }
            }
        })
    };
    Workers { threads: (0..count).map(thread).collect(), ends }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.ends.store(true, SeqCst);
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

#[track_caller]
pub(crate) fn hop() -> Hop {
    Hop::here(&"core::test")
}

struct Fun<F>(F);

impl<T, F: FnOnce() -> Result<T, BoxError>> Callable<T> for Fun<F> {
    fn call(self) -> Result<T, BoxError> {
        (self.0)()
    }
}

fn begin<T>(place: Option<&Place>, (owner, submitted): (Owner<T>, Submitted)) -> Owner<T> {
    match (submitted, place) {
        (Submitted::Ready(entry), Some(place)) => Queue::schedule(place, entry),
        (Submitted::Ready(_), None) => unreachable!("there is no queue"),
        (Submitted::Immediate(entry), _) => trampoline::hold_back(|| {
            if let Some(task) = entry.claim() {
                // SAFETY: the home, if any, is the caller's.
                unsafe { task.run(&mut ToHomes) }
            }
        }),
        (Submitted::Tied, _) => {}
    }
    owner
}

/// Submits a task to a place.
#[track_caller]
pub(crate) fn submit<T, K: TaskOf<T>>(place: &Place, traits: Traits, task: K) -> Owner<T> {
    let home = if traits == Traits::PLAIN { place.address() } else { hooked(place, traits) };
    // SAFETY: the place outlives its tasks, or is counted.
    begin(Some(place), unsafe { task::submit(home, traits, hop(), task, None) })
}

fn hooked(place: &Place, traits: Traits) -> *const Home {
    if traits.is_hooked() { place.hook_in() } else { place.address() }
}

#[track_caller]
pub(crate) fn spawn<T: 'static>(
    place: &Place,
    f: impl FnOnce() -> Result<T, BoxError> + 'static,
) -> Owner<T> {
    submit(place, Traits::PLAIN, Simple(Fun(f)))
}

#[track_caller]
pub(crate) fn spawn_hooked<T: 'static>(
    place: &Place,
    f: impl FnOnce() -> Result<T, BoxError> + 'static,
) -> Owner<T> {
    submit(place, Traits::HOOKED, Simple(Fun(f)))
}

/// Whose value may borrow.
#[track_caller]
pub(crate) fn spawn_borrowing<T: 'static>(
    place: &Place,
    f: impl FnOnce() -> Result<T, BoxError> + 'static,
) -> Owner<T> {
    submit(place, Traits::BORROWS, Simple(Fun(f)))
}

fn a_call<L, T, F>(inputs: L, f: F) -> CallWithInputs<'static, L, T, F>
where
    L: Inputs,
    F: FnOnce(&Here<'_>, L::Values) -> Outcome<T> + Send + 'static,
{
    CallWithInputs::new(inputs, Closure::new::<F>(f))
}

/// A call whose value is what the closure returns.
#[track_caller]
pub(crate) fn call<L: Inputs, T>(
    place: &Place,
    inputs: L,
    f: impl FnOnce(L::Values) -> T + Send + 'static,
) -> Owner<T> {
    submit(place, Traits::PLAIN, a_call(inputs, move |_: &Here<'_>, v| Outcome::Done(Ok(f(v)))))
}

#[track_caller]
pub(crate) fn call_hooked<L: Inputs, T>(
    place: &Place,
    inputs: L,
    f: impl FnOnce(L::Values) -> T + Send + 'static,
) -> Owner<T> {
    submit(place, Traits::HOOKED, a_call(inputs, move |_: &Here<'_>, v| Outcome::Done(Ok(f(v)))))
}

/// A call that returns any outcome.
#[track_caller]
pub(crate) fn call_to<L: Inputs, T>(
    place: &Place,
    traits: Traits,
    inputs: L,
    f: impl FnOnce(L::Values) -> Outcome<T> + Send + 'static,
) -> Owner<T> {
    submit(place, traits, a_call(inputs, move |_: &Here<'_>, v| f(v)))
}

/// A call that is done on the spot, and belongs to no place.
#[track_caller]
pub(crate) fn gather<L: Inputs, T>(
    inputs: L,
    f: impl FnOnce(L::Values) -> T + Send + 'static,
) -> Owner<T> {
    let call = a_call(inputs, move |_: &Here<'_>, v| Outcome::Done(Ok(f(v))));
    // SAFETY: there is no home.
    begin(None, unsafe { task::submit(std::ptr::null(), Traits::IMMEDIATE, hop(), call, None) })
}

#[track_caller]
pub(crate) fn job<T, J: Job<T>>(place: &Place, traits: Traits, job: J) -> Owner<T> {
    submit(place, traits, Jobbed(job))
}

/// The handle, or a clone of it in its place.
pub(crate) fn or_its_clone<T: Clone + Sync>(owner: Owner<T>, clone: bool) -> Owner<T> {
    if clone { owner.share() } else { owner }
}

pub(crate) fn cancelled() -> Error {
    Error::cancelled(hop())
}

pub(crate) fn failed(why: &str) -> Error {
    Error::failed(hop(), why.into(), Some(Arc::new(|_| ())))
}

/// Waits until it is set, and takes it when nothing of it is lent any more.
pub(crate) fn get<T>(owner: Owner<T>) -> Result<T, Error> {
    eventually(|| owner.is_set() && !owner.is_lent());
    owner.take()
}

pub(crate) const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn eventually(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < LIMIT / 2, "never came to be");
        thread::yield_now();
    }
}

/// Tests of the core run one at a time, as each looks whether it has left a cell behind.
static ONE: Mutex<()> = Mutex::new(());

/// Runs a test on a thread of its own, with a limit of time; all cells that it has made must be gone.
#[track_caller]
pub(crate) fn leaves_nothing(test: impl FnOnce() + Send + 'static) {
    let _one = lock(&ONE);
    let before = LIVE.load(SeqCst);
    let (done, outcome) = mpsc::channel();
    let thread = thread::spawn(move || {
        test();
        done.send(()).unwrap();
    });
    match outcome.recv_timeout(LIMIT) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("hangs: not done within {LIMIT:?}"),
        _ => thread.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload)),
    }
    let left = LIVE.load(SeqCst).wrapping_sub(before) as isize;
    assert_eq!(left, 0, "cells and shares that are left");
}
