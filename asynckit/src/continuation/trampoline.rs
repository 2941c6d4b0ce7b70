//! Each thread's queue of what is still to be done about completions.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::Waker;

use super::Closed;
use crate::panic;
use crate::task::{Lease, Remains, TaskRef, drop_unowned};

enum Deferred {
    Closed(Closed),
    Cancel(TaskRef),
    Unowned(TaskRef),
    Free(Remains),
    Call(Box<dyn FnOnce() + Send>),
    Wake(Waker),
}

struct Trampoline {
    active: Cell<bool>,
    /// Whether it is foreign code that runs now, called by a step of ours.
    in_foreign: Cell<bool>,
    /// How many calls of foreign code are on the stack.
    depth: Cell<u32>,
    queue: RefCell<VecDeque<Deferred>>,
    /// Scopes to leave once the queue is empty, so that whatever a member's end led to on this
    /// thread has happened before its scope can end.
    leaving: RefCell<Vec<Lease>>,
}

thread_local! {
    static TRAMPOLINE: Trampoline = const {
        Trampoline {
            active: Cell::new(false),
            in_foreign: Cell::new(false),
            depth: Cell::new(0),
            queue: RefCell::new(VecDeque::new()),
            leaving: RefCell::new(Vec::new()),
        }
    };
}

impl Deferred {
    /// A panic of foreign code reaches neither who sets a result nor who waits for it.
    fn run(self) {
        match self {
            Deferred::Closed(closed) => closed.run(),
            Deferred::Unowned(cell) => drop_unowned(&cell),
            Deferred::Cancel(task) => drop(super::cancel(&task)),
            Deferred::Free(remains) => drop(remains),
            Deferred::Call(call) => drop(foreign(|| panic::contain(call))),
            Deferred::Wake(waker) => drop(foreign(|| panic::contain(|| waker.wake()))),
        }
    }
}

fn defer(step: Deferred) {
    let mut step = Some(step);
    let queued = TRAMPOLINE.try_with(|trampoline| {
        trampoline.queue.borrow_mut().extend(step.take());
    });
    if queued.is_ok() {
        enter(|| ());
    }
    // A thread that is being torn down has no queue any more: the step is done here and now.
    if queued.is_err()
        && let Some(step) = step
    {
        step.run();
    }
}

impl Trampoline {
    fn empty(&self) {
        loop {
            self.empty_queue();
            let left = self.leaving.borrow_mut().pop();
            match left {
                Some(place) => place.leave(),
                None => return,
            }
        }
    }

    fn empty_queue(&self) {
        loop {
            let step = self.queue.borrow_mut().pop_front();
            let Some(step) = step else { return };
            let before = self.in_foreign.replace(false);
            step.run();
            self.in_foreign.set(before);
        }
    }
}

/// Ends the activity of a trampoline, also where a step panics.
struct Close<'a>(&'a Trampoline);

impl Drop for Close<'_> {
    fn drop(&mut self) {
        self.0.empty();
        self.0.active.set(false);
    }
}

/// Runs `f` with the queue held open, and empties the queue after it.
pub(crate) fn enter<R>(f: impl FnOnce() -> R) -> R {
    let mut f = Some(f);
    let entered = TRAMPOLINE.try_with(|trampoline| {
        let f = f.take()?;
        if trampoline.active.replace(true) {
            return Some(f());
        }
        let _close = Close(trampoline);
        Some(f())
    });
    match (entered, f) {
        (Ok(Some(answer)), _) => answer,
        (_, Some(f)) => f(),
        _ => unreachable!("the closure was neither called nor kept"),
    }
}

/// Does what is queued now: before this thread blocks, and others wait for what it holds back.
/// Scopes that were to be left before are left later, when the step under way is done too: it may
/// be a consequence of what their members did.
pub(crate) fn drain() {
    let _ = TRAMPOLINE.try_with(|trampoline| {
        if !trampoline.active.get() {
            return;
        }
        let before = trampoline.leaving.borrow().len();
        loop {
            trampoline.empty_queue();
            let mut leaving = trampoline.leaving.borrow_mut();
            let left = if leaving.len() > before { leaving.pop() } else { None };
            drop(leaving);
            match left {
                Some(place) => place.leave(),
                None => return,
            }
        }
    });
}

/// How many calls of foreign code may nest before drops wait for the queue after all.
const DEEPEST: u32 = 64;

/// Calls foreign code: user's closures, drops, clones.
///
/// What it lets go of is dropped at once, as that may borrow from its own stack; but not more than
/// so deep, for values that own values that own values.
pub(crate) fn foreign<R>(f: impl FnOnce() -> R) -> R {
    struct Leave(bool);
    impl Drop for Leave {
        fn drop(&mut self) {
            let _ = TRAMPOLINE.try_with(|trampoline| {
                trampoline.in_foreign.set(self.0);
                trampoline.depth.set(trampoline.depth.get() - 1);
            });
        }
    }
    let _leave = TRAMPOLINE.try_with(|trampoline| {
        trampoline.depth.set(trampoline.depth.get() + 1);
        Leave(trampoline.in_foreign.replace(true))
    });
    f()
}

/// Whether drops are to be done at once.
fn drops_at_once() -> bool {
    TRAMPOLINE
        .try_with(|trampoline| {
            trampoline.active.get()
                && trampoline.in_foreign.get()
                && trampoline.depth.get() < DEEPEST
        })
        .unwrap_or(false)
}

/// Does what follows a close: at once where nothing else is under way on this thread.
pub(super) fn after_close(closed: Closed) {
    let mut closed = Some(closed);
    let _ = TRAMPOLINE.try_with(|trampoline| {
        if trampoline.active.replace(true) {
            trampoline.queue.borrow_mut().extend(closed.take().map(Deferred::Closed));
            return;
        }
        let _close = Close(trampoline);
        let before = trampoline.in_foreign.replace(false);
        if let Some(closed) = closed.take() {
            closed.run();
        }
        trampoline.in_foreign.set(before);
    });
    // A thread that is being torn down has no queue any more.
    if let Some(closed) = closed {
        closed.run();
    }
}

/// Cancels what nobody needs any more because of a cancelled dependent.
pub(crate) fn defer_cancel(task: TaskRef) {
    defer(Deferred::Cancel(task));
}

pub(crate) fn defer_call(call: Box<dyn FnOnce() + Send>) {
    defer(Deferred::Call(call));
}

pub(crate) fn defer_wake(waker: Waker) {
    defer(Deferred::Wake(waker));
}

/// Frees a cell that nobody holds any more.
pub(crate) fn free(remains: Remains) {
    if drops_at_once() { drop(remains) } else { defer(Deferred::Free(remains)) }
}

/// Drops the value of a cell that nobody owns or borrows any more.
pub(crate) fn unowned(cell: TaskRef) {
    if drops_at_once() { drop_unowned(&cell) } else { defer(Deferred::Unowned(cell)) }
}

/// A member of a scope is over.
pub(crate) fn defer_leave(place: Lease) {
    let mut place = Some(place);
    let _ = TRAMPOLINE.try_with(|trampoline| {
        if trampoline.active.get() {
            trampoline.leaving.borrow_mut().extend(place.take());
        }
    });
    if let Some(place) = place {
        place.leave();
    }
}
