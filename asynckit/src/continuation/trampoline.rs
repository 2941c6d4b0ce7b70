//! Each thread's queue of what is still to be done about completions.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::task::Waker;

use super::{Closed, sweep};
use crate::panic;
use crate::task::{Lease, Remains, TaskRef, drop_unowned};

enum Deferred {
    Closed(Closed),
    Cancel(TaskRef),
    Unowned(TaskRef),
    Sweep(TaskRef),
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
    /// How many of these there were when the step under way began: it may be a consequence of what their
    /// members did.
    earlier: Cell<usize>,
}

/// Gives the queues' memory back when the thread ends.
struct Memory;

thread_local! {
    /// Without a drop, so that it stays until the thread's very end: what other values of the thread
    /// do when they are dropped needs no more stack than what is done before.
    static TRAMPOLINE: ManuallyDrop<Trampoline> = const {
        ManuallyDrop::new(Trampoline {
            active: Cell::new(false),
            in_foreign: Cell::new(false),
            depth: Cell::new(0),
            queue: RefCell::new(VecDeque::new()),
            leaving: RefCell::new(Vec::new()),
            earlier: Cell::new(0),
        })
    };
    static MEMORY: Memory = const { Memory };
}

impl Drop for Memory {
    fn drop(&mut self) {
        TRAMPOLINE.with(|trampoline| trampoline.give_memory_back());
    }
}

impl Deferred {
    /// A panic of foreign code reaches neither who sets a result nor who waits for it.
    fn run(self) {
        match self {
            Deferred::Closed(closed) => closed.run(),
            Deferred::Unowned(cell) => drop_unowned(&cell),
            Deferred::Sweep(cell) => sweep::sweep(&cell),
            Deferred::Cancel(task) => drop(super::cancel(&task)),
            Deferred::Free(remains) => drop(remains),
            Deferred::Call(call) => drop(foreign(|| panic::contain(call))),
            Deferred::Wake(waker) => drop(foreign(|| panic::contain(|| waker.wake()))),
        }
    }
}

fn defer(step: Deferred) {
    TRAMPOLINE.with(|trampoline| trampoline.push(step));
    enter(|| ());
}

impl Trampoline {
    fn push(&self, step: Deferred) {
        self.queue.borrow_mut().push_back(step);
    }

    fn empty(&self) {
        loop {
            self.empty_queue();
            let left = self.leaving.borrow_mut().pop();
            match left {
                Some(place) => self.leave(&place),
                None => break,
            }
        }
        let has_memory = self.queue.borrow().capacity() + self.leaving.borrow().capacity() > 0;
        // So that it is given back also if the thread is being torn down.
        if has_memory && MEMORY.try_with(|_| ()).is_err() {
            self.give_memory_back();
        }
    }

    /// Leaves a place. A value that was lent until now may borrow from the place's scope, and so is dropped
    /// before that is left.
    fn leave(&self, place: &Lease) {
        place.give_back();
        self.empty_queue();
        place.leave();
    }

    fn give_memory_back(&self) {
        self.queue.borrow_mut().shrink_to_fit();
        self.leaving.borrow_mut().shrink_to_fit();
    }

    fn empty_queue(&self) {
        loop {
            let step = self.queue.borrow_mut().pop_front();
            let Some(step) = step else { return };
            let before = self.in_foreign.replace(false);
            let earlier = self.earlier.replace(self.leaving.borrow().len());
            step.run();
            self.earlier.set(earlier);
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
    TRAMPOLINE.with(|trampoline| {
        if trampoline.active.replace(true) {
            return f();
        }
        let _close = Close(trampoline);
        f()
    })
}

/// Does what is queued now: before this thread blocks, and others wait for what it holds back.
/// Scopes that were to be left before the step under way began are left when that is done, too.
pub(crate) fn drain() {
    TRAMPOLINE.with(|trampoline| {
        if !trampoline.active.get() {
            return;
        }
        loop {
            trampoline.empty_queue();
            let mut leaving = trampoline.leaving.borrow_mut();
            let is_new = leaving.len() > trampoline.earlier.get();
            let left = if is_new { leaving.pop() } else { None };
            drop(leaving);
            match left {
                Some(place) => trampoline.leave(&place),
                None => return,
            }
        }
    });
}

/// How many calls of foreign code may nest before drops wait for the queue after all.
const DEEPEST: u32 = 64;

/// Calls foreign code: user's closures, drops, clones.
///
/// What it lets go of is dropped at once, as it would be without us; but not more than so deep, for values
/// that own values that own values. (A scope's values are dropped at once however deep, and wherever:
/// they may borrow. See `pool/scope.rs`.)
pub(crate) fn foreign<R>(f: impl FnOnce() -> R) -> R {
    struct Leave(bool);
    impl Drop for Leave {
        fn drop(&mut self) {
            TRAMPOLINE.with(|trampoline| {
                trampoline.in_foreign.set(self.0);
                trampoline.depth.set(trampoline.depth.get() - 1);
            });
        }
    }
    let _leave = TRAMPOLINE.with(|trampoline| {
        trampoline.depth.set(trampoline.depth.get() + 1);
        Leave(trampoline.in_foreign.replace(true))
    });
    f()
}

/// Whether foreign code runs on this thread, other than a task's own.
pub(crate) fn in_foreign() -> bool {
    TRAMPOLINE.with(|trampoline| trampoline.active.get() && trampoline.in_foreign.get())
}

/// Whether drops are to be done at once.
fn drops_at_once() -> bool {
    in_foreign() && TRAMPOLINE.with(|trampoline| trampoline.depth.get() < DEEPEST)
}

/// Does what follows a close: at once where nothing else is under way on this thread.
pub(super) fn after_close(closed: Closed) {
    TRAMPOLINE.with(|trampoline| {
        if trampoline.active.replace(true) {
            if closed.cell.is_of_scope() {
                // What nobody owns may borrow from who sets it, and so does not wait for its turn.
                drop_unowned(&closed.cell);
            }
            return trampoline.push(Deferred::Closed(closed));
        }
        let _close = Close(trampoline);
        let before = trampoline.in_foreign.replace(false);
        closed.run();
        trampoline.in_foreign.set(before);
    });
}

/// Cancels what nobody needs any more because of a cancelled dependent.
pub(crate) fn defer_cancel(task: TaskRef) {
    defer(Deferred::Cancel(task));
}

/// Looks through the list of a cell for what nobody needs.
pub(super) fn defer_sweep(cell: TaskRef) {
    defer(Deferred::Sweep(cell));
}

pub(crate) fn defer_call(call: Box<dyn FnOnce() + Send>) {
    defer(Deferred::Call(call));
}

pub(crate) fn defer_wake(waker: Waker) {
    defer(Deferred::Wake(waker));
}

/// Frees a cell that nobody holds any more.
pub(crate) fn free(remains: Remains) {
    if remains.is_of_scope() || drops_at_once() {
        drop(remains)
    } else {
        defer(Deferred::Free(remains))
    }
}

/// Drops the value of a cell that nobody owns or borrows any more.
pub(crate) fn unowned(cell: TaskRef) {
    if cell.is_of_scope() || drops_at_once() {
        drop_unowned(&cell)
    } else {
        defer(Deferred::Unowned(cell))
    }
}

/// A member of a scope is over.
pub(crate) fn defer_leave(place: Lease) {
    TRAMPOLINE.with(|trampoline| {
        if trampoline.active.get() {
            trampoline.leaving.borrow_mut().push(place);
        } else {
            enter(|| place.give_back());
            place.leave();
        }
    });
}
