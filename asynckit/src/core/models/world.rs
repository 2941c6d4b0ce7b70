//! What the models share: a value that loom watches, a home, and ways to make tasks.

use ::loom::cell::UnsafeCell;
use ::loom::sync::Mutex;
use ::loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use super::super::cell::{Home, LIVE};
use super::super::closure::{Body, Closure};
use super::super::complete::ListRest;
use super::super::entry::{Claimed, Entry};
use super::super::handle::{Owner, TaskRef};
use super::super::here::Here;
use super::super::home::{Homed, IsHome};
use super::super::inputs::Inputs;
use super::super::schedule::{Schedule, ToHomes};
use super::super::state::Traits;
use super::super::task::{self, CallWithInputs, Outcome, Submitted};
use crate::Error;
use crate::error::{Hook, Hop};
use crate::sync::Arc;
use crate::sync::loom::{self, Bounds, FENCES};

/// A value that loom watches. It is dropped once.
pub(super) struct Part {
    inner: UnsafeCell<u32>,
    drops: Option<Arc<AtomicUsize>>,
    clone: bool,
}

// SAFETY: loom fails where two touch it at once.
unsafe impl Send for Part {}
// SAFETY: each look goes through loom's cell, which fails where another thread writes meanwhile.
unsafe impl Sync for Part {}

impl Part {
    /// Written by this thread.
    pub(super) fn new(drops: &Arc<AtomicUsize>) -> Part {
        let inner = UnsafeCell::new(0);
        // SAFETY: nobody else has it yet.
        inner.with_mut(|at| unsafe { *at = 1 });
        Part { inner, drops: Some(drops.clone()), clone: false }
    }
    pub(super) fn read(&self) -> u32 {
        // SAFETY: loom fails where it is written meanwhile.
        self.inner.with(|at| unsafe { *at })
    }
    pub(super) fn is_clone(&self) -> bool {
        self.clone
    }
}

impl Clone for Part {
    fn clone(&self) -> Part {
        self.read();
        let mut part = self.drops.as_ref().map(Part::new).unwrap();
        part.clone = true;
        part
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // SAFETY: it is being dropped; loom fails where anybody still looks at it.
        self.inner.with_mut(|at| unsafe { *at += 1 });
        if let Some(drops) = self.drops.take() {
            drops.fetch_add(1, SeqCst);
        }
    }
}

/// A queue.
pub(super) struct Queue {
    pub(super) entries: Mutex<Vec<Entry>>,
    pub(super) counted: AtomicUsize,
    pub(super) over: AtomicUsize,
}

pub(super) type Place = Arc<Homed<Queue>>;

impl IsHome for Queue {
    const KIND: u8 = 7;

    fn schedule(home: &Homed<Self>, entry: Entry) {
        home.entries.lock().unwrap().push(entry);
    }
    fn queue(home: &Homed<Self>, entry: Entry) {
        Self::schedule(home, entry);
    }
    fn rest(_: &Homed<Self>, rest: ListRest) {
        drop(rest);
    }
    fn meet(home: &Homed<Self>, _: &TaskRef) -> bool {
        Self::hold(home);
        true
    }
    fn hold(home: &Homed<Self>) {
        home.counted.fetch_add(1, SeqCst);
    }
    fn met(home: &Homed<Self>) {
        home.counted.fetch_sub(1, SeqCst);
    }
    fn sleeps(_: &Homed<Self>, _: &TaskRef, _: bool) {}
    fn over(home: &Homed<Self>, _: &TaskRef) {
        home.over.fetch_add(1, SeqCst);
    }
    fn hook(_: &Homed<Self>) -> Option<Hook> {
        Some(Arc::new(|_| ()))
    }
}

pub(super) fn place() -> Place {
    Homed::new_home(Queue {
        entries: Mutex::new(Vec::new()),
        counted: AtomicUsize::new(0),
        over: AtomicUsize::new(0),
    })
}

/// Runs what is queued.
pub(super) fn work(place: &Place) {
    loop {
        let entry = place.entries.lock().unwrap().pop();
        let Some(entry) = entry else { return };
        if let Some(task) = entry.claim() {
            place.run(task, &mut ToHomes);
        }
    }
}

/// A worker's part in a completion: keeps one task.
struct Keeping<'a> {
    home: &'a Place,
    next: Option<Claimed>,
}

impl Schedule for Keeping<'_> {
    fn keeps(&self, home: *const Home) -> bool {
        self.next.is_none() && std::ptr::eq(home, self.home.address())
    }
    fn keep(&mut self, task: Claimed) {
        self.next = Some(task);
    }
    fn ready(&mut self, entry: Entry) {
        ToHomes.ready(entry);
    }
    fn room(&self) -> usize {
        usize::MAX
    }
}

/// Runs what is queued, and next what that made ready.
pub(super) fn work_in_a_row(place: &Place) {
    loop {
        let entry = place.entries.lock().unwrap().pop();
        let Some(entry) = entry else { return };
        let mut next = entry.claim();
        while let Some(task) = next.take() {
            let mut to = Keeping { home: place, next: None };
            place.run(task, &mut to);
            next = to.next;
        }
    }
}

pub(super) fn hop() -> Hop {
    Hop::here(&"core::model")
}

pub(super) fn cancelled() -> Error {
    Error::cancelled(hop())
}

pub(super) fn submit<T, K: task::TaskOf<T>>(place: &Place, traits: Traits, kind: K) -> Owner<T> {
    let home = if traits.is_hooked() { place.hook_in() } else { place.address() };
    // SAFETY: the place outlives its tasks, or is counted.
    let (owner, submitted) = unsafe { task::submit(home, traits, hop(), kind, None) };
    if let Submitted::Ready(entry) = submitted {
        Queue::schedule(place, entry);
    }
    owner
}

pub(super) fn call<L: Inputs, T, F>(place: &Place, inputs: L, f: F) -> Owner<T>
where
    F: FnOnce(L::Values) -> T + Send + 'static,
{
    let call = move |_: &Here<'_>, values: L::Values| Outcome::Done(Ok(f(values)));
    fn closure<V, T, B: Body<V, Outcome<T>> + Send + 'static>(
        body: B,
    ) -> Closure<'static, V, Outcome<T>, B> {
        Closure::new(body)
    }
    submit(place, Traits::PLAIN, CallWithInputs::new(inputs, closure(call)))
}

/// A result that is set, with the one handle.
pub(super) fn set(part: Part) -> Owner<Part> {
    let (owner, setting) = task::channel(hop());
    assert!(setting.set(part).is_ok());
    owner
}

/// As `model`, of threads that others look at.
pub(super) fn model_with_looks(
    f: impl Fn(&Place, &Arc<AtomicUsize>) -> usize + Sync + Send + 'static,
) {
    FENCES.set(true);
    model(f);
    FENCES.set(false);
}

/// Each order of what `f` does; nothing must be left, and as many parts be dropped as it says.
pub(super) fn model(f: impl Fn(&Place, &Arc<AtomicUsize>) -> usize + Sync + Send + 'static) {
    let bounds = Bounds { unseen: 2, seen: 2, in_part: false };
    loom::model(bounds, move || {
        let before = LIVE.load(SeqCst);
        let (place, drops) = (place(), Arc::new(AtomicUsize::new(0)));
        let parts = f(&place, &drops);
        work(&place);
        assert_eq!(LIVE.load(SeqCst), before, "cells that are left");
        assert_eq!(drops.load(SeqCst), parts, "parts that were dropped");
        assert_eq!(place.counted.load(SeqCst), 0, "what was counted is over");
    });
}
