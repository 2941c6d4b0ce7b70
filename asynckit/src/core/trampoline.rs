//! Steps that must not happen inside of one another: what goes along a graph (failures, cancels), and
//! what calls user code on the way of something else (callbacks, wakers). Each thread has a queue of
//! them. So nothing recurses along a chain, and no step runs under a lock.
//!
//! Drops of values are no such steps: a value is dropped where its last owner is, as a plain variable
//! would be (`hold.rs`).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem::ManuallyDrop;

/// What is still to be done. It contains the panics of user code that it calls.
pub(crate) struct Step {
    run: unsafe fn(*mut (), usize),
    of: *mut (),
    with: usize,
}

struct Trampoline {
    steps: RefCell<VecDeque<Step>>,
    runs: Cell<bool>,
    /// What a scope waits for, when the queue is empty: so that whatever a member's end led to on this
    /// thread has happened before.
    last: RefCell<Vec<Step>>,
    /// How many drops of values are nested on this stack.
    drops: Cell<u32>,
}

/// So much room for steps a thread keeps.
const KEPT: usize = 256;

crate::sync::local! {
    /// Without a drop, so that it stays until the thread's very end: what other values of the thread do
    /// when they are dropped needs no more stack than what is done before.
    static TRAMPOLINE: ManuallyDrop<Trampoline> = const {
        ManuallyDrop::new(Trampoline {
            steps: RefCell::new(VecDeque::new()),
            runs: Cell::new(false),
            last: RefCell::new(Vec::new()),
            drops: Cell::new(0),
        })
    };
    static MEMORY: Memory = const { Memory };
}

/// Gives the queues' memory back when the thread ends.
struct Memory;

impl Drop for Memory {
    fn drop(&mut self) {
        if !cfg!(asynckit_loom) {
            TRAMPOLINE.with(|trampoline| trampoline.shrink(0));
        }
    }
}

impl Step {
    /// # Safety
    /// Whenever the step is run, once, `run` may be called with these.
    pub(super) unsafe fn new(run: unsafe fn(*mut (), usize), of: *mut (), with: usize) -> Step {
        Step { run, of, with }
    }

    /// A closure, which contains its own panics.
    pub(crate) fn of_closure<F: FnOnce() + 'static>(call: F) -> Step {
        /// # Safety
        /// `of` is a box of an `F`, for the callee.
        unsafe fn run<F: FnOnce()>(of: *mut (), _: usize) {
            // SAFETY: the caller's promise.
            let call = unsafe { Box::from_raw(of.cast::<F>()) };
            let _ = crate::panic::contain(*call);
        }
        // SAFETY: the box is the step's.
        unsafe { Step::new(run::<F>, Box::into_raw(Box::new(call)).cast(), 0) }
    }

    fn run(self) {
        // SAFETY: the promise of `new`: a step is run once, as it is used up.
        unsafe { (self.run)(self.of, self.with) }
    }
}

impl Trampoline {
    fn empty(&self, last: usize) {
        loop {
            let next = self.steps.borrow_mut().pop_front();
            let next = next.or_else(|| {
                let mut steps = self.last.borrow_mut();
                if steps.len() > last { steps.pop() } else { None }
            });
            match next {
                Some(step) => step.run(),
                None => return,
            }
        }
    }

    fn shrink(&self, kept: usize) {
        self.steps.borrow_mut().shrink_to(kept);
        self.last.borrow_mut().shrink_to(kept);
    }
}

/// Ends the running of steps, also where one panics.
struct Close<'a>(&'a Trampoline);

impl Drop for Close<'_> {
    fn drop(&mut self) {
        self.0.empty(0);
        self.0.runs.set(false);
        // Given back also where the thread is being torn down.
        let kept = if MEMORY.try_with(|_| ()).is_ok() { KEPT } else { 0 };
        self.0.shrink(kept);
    }
}

/// Runs the step now if none is running on this thread, and then what came up meanwhile; else later.
pub(crate) fn defer(step: Step) {
    TRAMPOLINE.with(|trampoline| {
        if trampoline.runs.replace(true) {
            return trampoline.steps.borrow_mut().push_back(step);
        }
        let _close = Close(trampoline);
        step.run();
    });
}

/// Queues a step, for a caller that sees to it that the queue is emptied (`run_queued`).
pub(super) fn queue(step: Step) {
    TRAMPOLINE.with(|trampoline| trampoline.steps.borrow_mut().push_back(step));
}

/// Does what is queued, unless a step is running, which will.
pub(super) fn run_queued() {
    hold_back(|| ());
}

/// As `defer`, after all others.
pub(crate) fn defer_last(step: Step) {
    TRAMPOLINE.with(|trampoline| {
        if trampoline.runs.get() {
            trampoline.last.borrow_mut().push(step);
        } else {
            step.run();
        }
    });
}

/// Runs `f` as a step: what comes up meanwhile is done after it.
pub(crate) fn hold_back<R>(f: impl FnOnce() -> R) -> R {
    TRAMPOLINE.with(|trampoline| {
        if trampoline.runs.replace(true) {
            return f();
        }
        let _close = Close(trampoline);
        f()
    })
}

/// Does what is queued now: before this thread blocks, and others wait for what it holds back. What is to
/// come last stays, as the step under way may be a part of what it comes after.
pub(crate) fn drain() {
    TRAMPOLINE.with(|trampoline| {
        if trampoline.runs.get() {
            let last = trampoline.last.borrow().len();
            trampoline.empty(last);
        }
    });
}

/// Whether a step is running on this thread.
pub(crate) fn is_running() -> bool {
    TRAMPOLINE.with(|trampoline| trampoline.runs.get())
}

/// How deep drops of values nest before they wait for the queue.
const DEEPEST: u32 = 64;

/// Drops something where it is; or as a step, where so many drops are under way on this stack and it
/// `may_wait`.
pub(super) fn drop_here(may_wait: bool, step: Step) {
    struct Leave<'a>(&'a Cell<u32>, u32);
    impl Drop for Leave<'_> {
        fn drop(&mut self) {
            self.0.set(self.1);
        }
    }
    TRAMPOLINE.with(|trampoline| {
        let depth = trampoline.drops.get();
        if may_wait && depth >= DEEPEST {
            return defer(step);
        }
        trampoline.drops.set(depth + 1);
        let _leave = Leave(&trampoline.drops, depth);
        step.run();
    });
}
