//! Each thread's queue of what is still to be done about completions.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::Waker;

use crate::panic;
use crate::pool::Place;
use crate::sync::Arc;
use crate::task::{Closing, Remains, TaskRef};

enum Deferred {
    Closed(TaskRef, Closing, bool),
    Cancel(TaskRef),
    Free(Remains),
    Call(Box<dyn FnOnce() + Send>),
    Wake(Waker),
}

struct Trampoline {
    active: Cell<bool>,
    queue: RefCell<VecDeque<Deferred>>,
    /// Scopes to leave once the queue is empty, so that whatever a member's end led to on this
    /// thread has happened before its scope can end.
    leaving: RefCell<Vec<Arc<Place>>>,
}

thread_local! {
    static TRAMPOLINE: Trampoline = const {
        Trampoline {
            active: Cell::new(false),
            queue: RefCell::new(VecDeque::new()),
            leaving: RefCell::new(Vec::new()),
        }
    };
}

impl Deferred {
    /// A panic of foreign code reaches neither who sets a result nor who waits for it.
    fn run(self) {
        match self {
            Deferred::Closed(cell, closing, departs) => super::closed(&cell, closing, departs),
            Deferred::Cancel(task) => drop(super::cancel(&task)),
            Deferred::Free(remains) => drop(remains),
            Deferred::Call(call) => drop(panic::contain(call)),
            Deferred::Wake(waker) => drop(panic::contain(|| waker.wake())),
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
            match step {
                Some(step) => step.run(),
                None => return,
            }
        }
    }
}

/// Runs `f` with the queue held open, and empties the queue after it.
pub(crate) fn enter<R>(f: impl FnOnce() -> R) -> R {
    struct Close<'a>(&'a Trampoline);
    impl Drop for Close<'_> {
        fn drop(&mut self) {
            self.0.empty();
            self.0.active.set(false);
        }
    }
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
/// Scopes are left later, when the step under way is done too.
pub(crate) fn drain() {
    let _ = TRAMPOLINE.try_with(|trampoline| {
        if trampoline.active.get() {
            trampoline.empty_queue();
        }
    });
}

pub(crate) fn defer_closed(cell: TaskRef, closing: Closing, departs: bool) {
    defer(Deferred::Closed(cell, closing, departs));
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
    defer(Deferred::Free(remains));
}

/// A member of a scope is over.
pub(crate) fn defer_leave(place: Arc<Place>) {
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
