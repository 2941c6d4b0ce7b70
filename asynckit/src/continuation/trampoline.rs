//! Each thread's queues of what is still to be done about completions.
//!
//! There are two. *Steps* are our own and short: dependents are visited, failures passed on. *Errands*
//! call foreign code, which may take its time or block: callbacks, wakers, drops. Errands are done when
//! no step is left, and what has become ready by then is in sight of other threads; so foreign code
//! keeps nobody waiting but itself. What foreign code sets is followed up at once, step by step, and
//! what errands that leads to are done when the foreign code has returned.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::task::Waker;

use super::{Closed, sweep};
use crate::panic;
use crate::pool;
use crate::task::{Lease, Remains, TaskRef, dispose_of, drop_unowned};

enum Step {
    Closed(Closed),
    Cancel(TaskRef),
    Sweep(TaskRef),
    Note(Box<dyn FnOnce() + Send>),
}

enum Errand {
    Unowned(TaskRef),
    Free(Remains),
    Dispose { task: TaskRef, cancelled: bool },
    Call(Box<dyn FnOnce() + Send>),
    Wake(Waker),
}

struct Trampoline {
    active: Cell<bool>,
    /// Whether it is foreign code that runs now, rather than a step of ours.
    in_foreign: Cell<bool>,
    /// How many calls of foreign code are on the stack.
    depth: Cell<u32>,
    steps: RefCell<VecDeque<Step>>,
    errands: RefCell<VecDeque<Errand>>,
    /// Whether what a loan leaves behind is put aside.
    puts_aside: Cell<bool>,
    /// Whether a loan of the task that runs ends just now.
    ends_loan: Cell<bool>,
    /// What was put aside, until the task that runs is closed.
    aside: RefCell<Vec<Errand>>,
    /// Scopes to leave once the queues are empty, so that whatever a member's end led to on this
    /// thread has happened before its scope can end.
    leaving: RefCell<Vec<Lease>>,
    /// How many of these were there when what is under way began: it may be a consequence of what their
    /// members did.
    left_before: Cell<usize>,
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
            steps: RefCell::new(VecDeque::new()),
            errands: RefCell::new(VecDeque::new()),
            puts_aside: Cell::new(false),
            ends_loan: Cell::new(false),
            aside: RefCell::new(Vec::new()),
            leaving: RefCell::new(Vec::new()),
            left_before: Cell::new(0),
        })
    };
    static MEMORY: Memory = const { Memory };
}

impl Drop for Memory {
    fn drop(&mut self) {
        TRAMPOLINE.with(|trampoline| trampoline.give_memory_back());
    }
}

impl Step {
    fn run(self) {
        match self {
            Step::Closed(closed) => closed.run(),
            Step::Cancel(task) => drop(super::cancel(&task)),
            Step::Sweep(cell) => sweep::sweep(&cell),
            Step::Note(note) => note(),
        }
    }
}

impl Errand {
    /// From the queue: what has become ready is for others meanwhile.
    fn run_queued(self) {
        pool::offer_next(matches!(self, Errand::Call(_)));
        self.run();
    }

    /// A panic of foreign code reaches neither who sets a result nor who waits for it.
    fn run(self) {
        match self {
            Errand::Unowned(cell) => drop_unowned(&cell),
            Errand::Free(remains) => drop(remains),
            Errand::Dispose { task, cancelled } => {
                dispose_of(&task, cancelled);
                super::depart(&task);
            }
            Errand::Call(call) => drop(foreign(|| panic::contain(call))),
            Errand::Wake(waker) => drop(foreign(|| panic::contain(|| waker.wake()))),
        }
    }
}

impl Trampoline {
    /// Whether a step of ours is under way on this thread, which does the rest when it is done.
    fn is_busy(&self) -> bool {
        self.active.get() && !self.in_foreign.get()
    }

    fn take_steps(&self) {
        loop {
            let step = self.steps.borrow_mut().pop_front();
            let Some(step) = step else { return };
            self.within(|| step.run());
        }
    }

    /// Does one thing after the other, of which none leaves the scopes that those before it are to leave.
    fn within(&self, f: impl FnOnce()) {
        let before = self.left_before.replace(self.leaving.borrow().len());
        f();
        self.left_before.set(before);
    }

    /// Does all that is queued.
    fn empty_queues(&self) {
        loop {
            self.take_steps();
            let errand = self.errands.borrow_mut().pop_front();
            let Some(errand) = errand else { return };
            self.within(|| errand.run_queued());
        }
    }

    /// Leaves a place. A value that was lent until now may borrow from the place's scope, and so is dropped
    /// before that is left.
    fn leave(&self, place: &Lease) {
        self.within(|| place.give_back());
        self.empty_queues();
        place.leave();
    }

    /// Does all that is queued, and leaves then the scopes that what is under way has led to.
    fn empty(&self) {
        loop {
            self.empty_queues();
            let mut leaving = self.leaving.borrow_mut();
            let left = if leaving.len() > self.left_before.get() { leaving.pop() } else { None };
            drop(leaving);
            match left {
                Some(place) => self.leave(&place),
                None => return,
            }
        }
    }

    fn end(&self) {
        self.empty();
        let has_memory = self.steps.borrow().capacity() > 0
            || self.errands.borrow().capacity() + self.leaving.borrow().capacity() > 0;
        // So that it is given back also if the thread is being torn down.
        if has_memory && MEMORY.try_with(|_| ()).is_err() {
            self.give_memory_back();
        }
    }

    fn give_memory_back(&self) {
        self.steps.borrow_mut().shrink_to_fit();
        self.errands.borrow_mut().shrink_to_fit();
        self.aside.borrow_mut().shrink_to_fit();
        self.leaving.borrow_mut().shrink_to_fit();
    }
}

/// Ends an activity of a trampoline, also where a step panics.
struct Close<'a> {
    trampoline: &'a Trampoline,
    was_active: bool,
    was_foreign: bool,
}

impl<'a> Close<'a> {
    /// From now on what comes up is queued.
    fn later(trampoline: &'a Trampoline) -> Close<'a> {
        let was_active = trampoline.active.replace(true);
        Close { trampoline, was_active, was_foreign: trampoline.in_foreign.replace(false) }
    }
}

impl Drop for Close<'_> {
    fn drop(&mut self) {
        let trampoline = self.trampoline;
        if !self.was_active {
            trampoline.end();
            trampoline.active.set(false);
        } else if self.was_foreign {
            trampoline.take_steps();
        }
        trampoline.in_foreign.set(self.was_foreign);
    }
}

/// Runs `f` with the queues held open, and follows up what it leads to.
pub(crate) fn enter<R>(f: impl FnOnce() -> R) -> R {
    TRAMPOLINE.with(|trampoline| {
        let _close = Close::later(trampoline);
        f()
    })
}

/// Does what is queued now: before this thread blocks, and others wait for what it holds back.
/// Scopes that were to be left before the step under way began are left when that is done, too.
pub(crate) fn drain() {
    TRAMPOLINE.with(|trampoline| {
        if trampoline.active.get() {
            let before = trampoline.in_foreign.replace(false);
            trampoline.empty();
            trampoline.in_foreign.set(before);
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
    call_foreign(false, f)
}

/// As [`foreign`], for a task's own call: what the end of its loans leaves behind is put aside until the
/// task is closed, as a drop may take its time. See `with_aside`.
pub(crate) fn foreign_call<R>(f: impl FnOnce() -> R) -> R {
    call_foreign(true, f)
}

fn call_foreign<R>(puts_aside: bool, f: impl FnOnce() -> R) -> R {
    struct Leave {
        in_foreign: bool,
        puts_aside: bool,
    }
    impl Drop for Leave {
        fn drop(&mut self) {
            TRAMPOLINE.with(|trampoline| {
                trampoline.in_foreign.set(self.in_foreign);
                trampoline.puts_aside.set(self.puts_aside);
                trampoline.depth.set(trampoline.depth.get() - 1);
            });
        }
    }
    let _leave = TRAMPOLINE.with(|trampoline| {
        trampoline.depth.set(trampoline.depth.get() + 1);
        Leave {
            in_foreign: trampoline.in_foreign.replace(true),
            puts_aside: trampoline.puts_aside.replace(puts_aside),
        }
    });
    f()
}

/// Ends a loan of the task that runs.
pub(crate) fn end_loan<T>(loan: T) {
    TRAMPOLINE.with(|trampoline| {
        trampoline.ends_loan.set(trampoline.puts_aside.get());
        drop(loan);
        trampoline.ends_loan.set(false);
    });
}

/// Closes a task whose call is over, and drops then what was put aside.
pub(crate) fn with_aside(close: impl FnOnce()) {
    TRAMPOLINE.with(|trampoline| {
        if trampoline.aside.borrow().is_empty() {
            return close();
        }
        let _close = Close::later(trampoline);
        // Errands come after what is visited, and before the task's scope is left.
        trampoline.errands.borrow_mut().extend(trampoline.aside.borrow_mut().drain(..));
        close();
    });
}

/// Drops here and now what was put aside.
pub(crate) fn drop_aside() {
    TRAMPOLINE.with(|trampoline| {
        loop {
            let errand = trampoline.aside.borrow_mut().pop();
            let Some(errand) = errand else { return };
            enter(|| errand.run());
        }
    });
}

/// Whether foreign code runs on this thread, other than a task's own.
pub(crate) fn in_foreign() -> bool {
    TRAMPOLINE.with(|trampoline| trampoline.active.get() && trampoline.in_foreign.get())
}

/// Does what follows a close: at once where nothing else is under way on this thread.
pub(super) fn after_close(closed: Closed) {
    TRAMPOLINE.with(|trampoline| {
        if trampoline.is_busy() {
            if closed.cell.is_of_scope() {
                // What nobody owns may borrow from who sets it, and so does not wait for its turn.
                drop_unowned(&closed.cell);
            }
            return trampoline.steps.borrow_mut().push_back(Step::Closed(closed));
        }
        let _close = Close::later(trampoline);
        closed.run();
    });
}

fn defer(step: Step) {
    TRAMPOLINE.with(|trampoline| trampoline.steps.borrow_mut().push_back(step));
    enter(|| ());
}

/// Cancels what nobody needs any more because of a cancelled dependent.
pub(crate) fn defer_cancel(task: TaskRef) {
    defer(Step::Cancel(task));
}

/// Looks through the list of a cell for what nobody needs.
pub(super) fn defer_sweep(cell: TaskRef) {
    defer(Step::Sweep(cell));
}

/// Does something short of our own, not deeper on the stack.
pub(crate) fn defer_note(note: Box<dyn FnOnce() + Send>) {
    defer(Step::Note(note));
}

fn defer_errand(errand: Errand) {
    TRAMPOLINE.with(|trampoline| trampoline.errands.borrow_mut().push_back(errand));
    enter(|| ());
}

pub(crate) fn defer_call(call: Box<dyn FnOnce() + Send>) {
    defer_errand(Errand::Call(call));
}

pub(crate) fn defer_wake(waker: Waker) {
    defer_errand(Errand::Wake(waker));
}

/// Drops what a foreign call may have to drop: at once where foreign code has let go of it.
fn drop_soon(errand: Errand) {
    TRAMPOLINE.with(|trampoline| {
        if trampoline.ends_loan.get() {
            trampoline.aside.borrow_mut().push(errand);
        } else if in_foreign() && trampoline.depth.get() < DEEPEST {
            errand.run();
        } else {
            defer_errand(errand);
        }
    });
}

/// Frees a cell that nobody holds any more.
pub(crate) fn free(remains: Remains) {
    if remains.is_of_scope() {
        return drop(remains);
    }
    drop_soon(Errand::Free(remains));
}

/// Drops the value of a cell that nobody owns or borrows any more.
pub(crate) fn unowned(cell: TaskRef) {
    if cell.is_of_scope() {
        return drop_unowned(&cell);
    }
    drop_soon(Errand::Unowned(cell));
}

/// Drops closure and inputs of a task that will not run, which then leaves its place: at once where
/// it is foreign code that gives the task up.
pub(crate) fn dispose(task: TaskRef, cancelled: bool) {
    let errand = Errand::Dispose { task, cancelled };
    if TRAMPOLINE.with(|trampoline| trampoline.is_busy()) {
        defer_errand(errand);
    } else {
        enter(|| errand.run());
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
