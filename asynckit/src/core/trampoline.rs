//! What must not happen inside of something else, in queues of each thread.
//!
//! - *Steps* are our own and short: what goes along a graph (failures, cancels). So nothing recurses
//!   along a chain, and no step runs under a lock.
//! - *Errands* call user code that may take its time or block: callbacks and wakers. They are done when no
//!   step is left, so that they keep nobody waiting but each other. What user code sets off is followed up
//!   at once, step by step; the errands that it leads to are done when it has returned.
//! - *Disposals* drop what tasks leave behind that will not run. They come after both, but before user code
//!   that has led to them goes on. They do not nest, however long a line of such tasks is.
//!
//! Drops of values are neither: a value is dropped where its last owner is, as a plain variable would be
//! (`release.rs`).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem::ManuallyDrop;

use crate::foreign;

/// What is still to be done. It contains the panics of user code that it calls.
pub(crate) struct Step {
    run: unsafe fn(*mut (), usize),
    of: *mut (),
    with: usize,
}

struct Trampoline {
    steps: RefCell<VecDeque<Step>>,
    errands: RefCell<VecDeque<Step>>,
    /// Steps that drop what tasks leave behind: they come after errands.
    disposals: RefCell<VecDeque<Step>>,
    /// What a scope waits for, when the queues are empty: so that whatever a member's end led to on this
    /// thread has happened before.
    last: RefCell<Vec<Step>>,
    /// How many of these there were when what is under way began: it may be a consequence of what they
    /// come after.
    earlier: Cell<usize>,
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
            errands: RefCell::new(VecDeque::new()),
            disposals: RefCell::new(VecDeque::new()),
            last: RefCell::new(Vec::new()),
            earlier: Cell::new(0),
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
    /// Runs one step: what comes last is left to those that began before it.
    fn run(&self, step: Step) {
        let earlier = self.earlier.replace(self.last.borrow().len());
        step.run();
        self.earlier.set(earlier);
    }

    fn run_errand(&self, errand: Step) {
        let calls = foreign::set_foreign(true);
        foreign::set_ours(false);
        self.run(errand);
        foreign::set_ours(true);
        foreign::set_foreign(calls);
    }

    fn run_steps(&self) {
        loop {
            let step = self.steps.borrow_mut().pop_front();
            match step {
                Some(step) => self.run(step),
                None => return,
            }
        }
    }

    /// Disposes of what was given up since there were so many disposals queued.
    fn dispose_from(&self, before: usize) {
        self.run_steps();
        loop {
            let next = self.disposals.borrow_mut().remove(before);
            match next {
                Some(disposal) => self.run(disposal),
                None => return,
            }
            self.run_steps();
        }
    }

    /// Does all that is queued, and then what is to come last.
    fn empty(&self) {
        loop {
            self.run_steps();
            let errand = self.errands.borrow_mut().pop_front();
            if let Some(errand) = errand {
                self.run_errand(errand);
                continue;
            }
            let disposal = self.disposals.borrow_mut().pop_front();
            if let Some(disposal) = disposal {
                self.run(disposal);
                continue;
            }
            let mut last = self.last.borrow_mut();
            let next = if last.len() > self.earlier.get() { last.pop() } else { None };
            drop(last);
            match next {
                Some(step) => self.run(step),
                None => return,
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn drain(&self) {
        let ours = foreign::is_ours();
        foreign::set_ours(true);
        self.empty();
        foreign::set_ours(ours);
    }

    fn shrink(&self, kept: usize) {
        self.steps.borrow_mut().shrink_to(kept);
        self.errands.borrow_mut().shrink_to(kept);
        self.disposals.borrow_mut().shrink_to(kept);
        self.last.borrow_mut().shrink_to(kept);
    }
}

/// The running of steps, which ends with it, also where one panics.
struct RunningSteps<'a> {
    trampoline: &'a Trampoline,
    /// How many disposals were queued before: they are not this one's.
    disposals: usize,
}

impl<'a> RunningSteps<'a> {
    fn begin(trampoline: &'a Trampoline) -> RunningSteps<'a> {
        foreign::set_ours(true);
        RunningSteps { trampoline, disposals: trampoline.disposals.borrow().len() }
    }
}

impl Drop for RunningSteps<'_> {
    fn drop(&mut self) {
        let trampoline = self.trampoline;
        if foreign::is_foreign() {
            // User code that gives a task up sees it gone.
            trampoline.dispose_from(self.disposals);
            return foreign::set_ours(false);
        }
        trampoline.empty();
        foreign::set_ours(false);
        // Given back also where the thread is being torn down.
        let kept = if MEMORY.try_with(|_| ()).is_ok() { KEPT } else { 0 };
        trampoline.shrink(kept);
    }
}

/// Runs the step now if none is running on this thread, and then what came up meanwhile; else later.
pub(crate) fn defer(step: Step) {
    TRAMPOLINE.with(|trampoline| {
        if foreign::is_ours() {
            return trampoline.steps.borrow_mut().push_back(step);
        }
        let _running = RunningSteps::begin(trampoline);
        trampoline.run(step);
    });
}

/// As `defer`, for a caller that has something to do first, and then sees to it (`run_left`).
pub(super) fn leave(step: Step) {
    TRAMPOLINE.with(|trampoline| trampoline.steps.borrow_mut().push_back(step));
}

/// Does the steps that were left, if there are any; unless one is running, which will.
#[inline]
pub(crate) fn run_left() {
    let any = TRAMPOLINE.with(|trampoline| !trampoline.steps.borrow().is_empty());
    if any {
        run_queued();
    }
}

/// Has user code called when all steps are done: at once where none is running, and it is not user code
/// that has led to this.
pub(crate) fn call(errand: Step) {
    TRAMPOLINE.with(|trampoline| {
        if foreign::is_ours() || foreign::is_foreign() {
            return trampoline.errands.borrow_mut().push_back(errand);
        }
        let _running = RunningSteps::begin(trampoline);
        trampoline.run_errand(errand);
    });
}

/// Has what a task leaves behind dropped when all steps and errands are done; but before user code that
/// has led to this goes on.
pub(super) fn dispose(disposal: Step) {
    TRAMPOLINE.with(|trampoline| {
        if foreign::is_ours() {
            return trampoline.disposals.borrow_mut().push_back(disposal);
        }
        let _running = RunningSteps::begin(trampoline);
        trampoline.run(disposal);
    });
}

/// Does the steps that are queued, in the midst of one.
pub(super) fn run_steps() {
    TRAMPOLINE.with(|trampoline| trampoline.run_steps());
}

/// Queues an errand, for a caller that sees to it that the queue is emptied (`run_queued`).
pub(super) fn queue(errand: Step) {
    TRAMPOLINE.with(|trampoline| trampoline.errands.borrow_mut().push_back(errand));
}

/// Does what is queued, unless a step is running, which will, or user code, after which it is done.
pub(super) fn run_queued() {
    hold_back(|| ());
}

/// As `defer`, after all others and all errands.
pub(crate) fn defer_last(step: Step) {
    TRAMPOLINE.with(|trampoline| {
        if foreign::is_ours() || foreign::is_foreign() {
            trampoline.last.borrow_mut().push(step);
        } else {
            step.run();
        }
    });
}

/// As `defer_last`; where foreign code has led to this, which may itself be waited for, only after the steps
/// that are queued.
pub(crate) fn after_all(step: Step) {
    if foreign::is_foreign() { defer(step) } else { defer_last(step) }
}

/// Runs `f` as a step: what comes up meanwhile is done after it.
pub(crate) fn hold_back<R>(f: impl FnOnce() -> R) -> R {
    TRAMPOLINE.with(|trampoline| {
        if foreign::is_ours() {
            return f();
        }
        let _running = RunningSteps::begin(trampoline);
        f()
    })
}

/// Does what is queued now: before this thread blocks, and others wait for what it holds back. What was
/// to come last before the step under way began stays: that may be a part of what it comes after.
#[inline]
pub(crate) fn drain() {
    TRAMPOLINE.with(|trampoline| {
        if foreign::is_ours() || foreign::is_foreign() {
            trampoline.drain();
        }
    });
}

/// Whether a step or an errand is under way on this thread, so that what is queued has to wait for its end.
pub(super) fn is_running() -> bool {
    foreign::is_ours() || foreign::is_foreign()
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
