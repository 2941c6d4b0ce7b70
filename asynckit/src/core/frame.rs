//! What a thread is doing: the tasks on its stack, each in a frame of its own.
//!
//! A frame lies on the stack of the function that runs its task and is the head of a list for as long, so
//! that keeping count of what runs costs a few stores. Other threads may look at that list: a stop names
//! what still runs, and fails what waits for it.
//!
//! *Named race, "the late look":* a thread ends a frame while another one looks at it. The first takes the
//! frame off its list, fences lightly, and looks whether somebody is looking; the other says so, fences
//! heavily, and then looks at the list: so either it does not see the frame, or the first waits for it.

use std::ops::ControlFlow;
use std::ptr;

use super::cell::{CellPtr, Header, Home};
use super::fence;
use super::reference::TaskRef;
use crate::error::Hook;
use crate::observe::Row;
use crate::sync::{AtomicPtr, AtomicU32, Mutex, Ordering, lock, ordering, weakened, yield_now};

/// One task under way on this thread.
pub(crate) struct Frame {
    task: CellPtr,
    /// Whether the work is a part of that of the frame below: it was run in place.
    in_place: bool,
    below: *mut Frame,
}

/// A thread's frames.
struct Stack {
    top: AtomicPtr<Frame>,
    /// How many look at it from outside.
    looks: AtomicU32,
}

crate::sync::local! {
    static STACK: Stack = const {
        Stack { top: AtomicPtr::new(ptr::null_mut()), looks: AtomicU32::new(0) }
    };
}

/// Runs `f` as the work of `task`.
///
/// # Safety
/// The task is alive until `f` ends.
#[inline]
pub(super) unsafe fn within<R>(task: CellPtr, in_place: bool, f: impl FnOnce() -> R) -> R {
    /// Ends the frame, also where `f` panics.
    struct End<'a>(&'a Stack, *mut Frame);
    impl Drop for End<'_> {
        #[inline]
        fn drop(&mut self) {
            self.0.top.store(self.1, Ordering::Relaxed);
            fence::light();
            // ORDERING: Acquire pairs with the end of a look that is over: whoever frees the task next sees the
            // references that were added.
            let looks = self.0.looks.load(ordering("looked", Ordering::Acquire));
            if looks != 0 && !weakened("late look") {
                wait_for_looks(self.0);
            }
        }
    }
    STACK.with(|stack| {
        let below = stack.top.load(Ordering::Relaxed);
        let mut frame = Frame { task, in_place, below };
        // ORDERING: Release: who looks sees the frame as it is.
        stack.top.store(&raw mut frame, Ordering::Release);
        let _end = End(stack, below);
        f()
    })
}

#[cold]
#[inline(never)]
fn wait_for_looks(stack: &Stack) {
    // ORDERING: Acquire pairs with the end of the look, which must not come after the frame's end.
    while stack.looks.load(Ordering::Acquire) != 0 {
        yield_now();
    }
}

/// Shows each frame of the calling thread, the newest first, until one breaks.
pub(crate) fn each_frame<B>(mut look: impl FnMut(&Frame) -> ControlFlow<B>) -> Option<B> {
    let mut next = STACK.with(|stack| stack.top.load(Ordering::Relaxed));
    while !next.is_null() {
        // SAFETY: a frame is in its thread's list only while the function that has it on its stack waits
        // for what this thread does in it.
        let frame = unsafe { &*next };
        if let ControlFlow::Break(answer) = look(frame) {
            return Some(answer);
        }
        next = frame.below;
    }
    None
}

/// Whom to tell of the failures of a task that nobody looks at. One that is run in place is a part of what its
/// thread does.
///
/// # Safety
/// The task runs on this thread, and its home, if any, is alive.
pub(super) unsafe fn hook_of(task: CellPtr) -> Option<Hook> {
    let has = |home: &*const Home| !home.is_null();
    let around = || {
        each_frame(|frame| match Some(frame.home_address()).filter(has) {
            Some(home) => ControlFlow::Break(home),
            None => ControlFlow::Continue(()),
        })
    };
    // SAFETY: the caller's promise; the home of a task that runs is alive.
    unsafe {
        let home = Some(task.as_ref().home()).filter(has).or_else(around)?;
        ((*home).table.hook)(home)
    }
}

/// Whether what this thread is at is a task of this home.
#[inline]
pub(crate) fn runs_for(home: *const Home) -> bool {
    let top = STACK.with(|stack| stack.top.load(Ordering::Relaxed));
    // SAFETY: the top of this thread's own stack is a frame of a function that has not returned, and that keeps its task.
    !top.is_null() && unsafe { (*top).home_address() } == home
}

/// How many tasks are on this thread's stack.
pub(crate) fn depth() -> usize {
    let mut depth = 0;
    let _: Option<()> = each_frame(|_| {
        depth += 1;
        ControlFlow::Continue(())
    });
    depth
}

impl Frame {
    /// The task.
    pub(crate) fn task(&self) -> TaskRef {
        // SAFETY: the promise of `within`.
        unsafe { TaskRef::new(self.task) }
    }

    /// What anybody may look at of it.
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: the promise of `within`.
        unsafe { self.task.as_ref() }
    }

    /// The address of its home.
    pub(super) fn home_address(&self) -> *const Home {
        // SAFETY: the promise of `within`.
        unsafe { self.task.as_ref() }.home()
    }

    /// Whether its result is there already, though it runs.
    pub(crate) fn is_set(&self) -> bool {
        // SAFETY: the promise of `within`: the task is kept as long as its frame is there, its result set or not.
        unsafe { self.task.as_ref() }.outcome.is_closed()
    }

    /// Whether the work is a part of that of the frame below.
    pub(crate) fn in_place(&self) -> bool {
        self.in_place
    }
}

/// The stacks of the threads that work for a pool, and which threads these are.
pub(crate) struct Stacks(Mutex<Vec<(StackPtr, Row)>>);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct StackPtr(*const Stack);

// SAFETY: a stack is made of atomics, and in a list only while its thread is there.
unsafe impl Send for StackPtr {}

impl Stacks {
    pub(crate) fn none() -> Stacks {
        Stacks(Mutex::new(Vec::new()))
    }

    /// This thread works for the pool while `f` runs.
    pub(crate) fn with_this<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Leave<'a>(&'a Stacks, StackPtr);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                let mut stacks = lock(&self.0.0);
                if let Some(own) = stacks.iter().position(|(stack, _)| *stack == self.1) {
                    stacks.swap_remove(own);
                }
            }
        }
        let own = StackPtr::own();
        lock(&self.0).push((own, Row::here()));
        let _leave = Leave(self, own);
        f()
    }

    /// All tasks that these threads are at.
    pub(crate) fn tasks(&self) -> Vec<TaskRef> {
        self.runs().into_iter().flat_map(|(_, tasks)| tasks).collect()
    }

    /// The tasks that each of these threads is at, the newest first.
    pub(crate) fn runs(&self) -> Vec<(Row, Vec<TaskRef>)> {
        let stacks = lock(&self.0);
        let all: Vec<StackPtr> = stacks.iter().map(|(stack, _)| *stack).collect();
        // SAFETY: a thread leaves the list, under its lock, before it ends.
        let tasks = unsafe { tasks_on(&all) };
        stacks.iter().map(|(_, row)| row.clone()).zip(tasks).collect()
    }
}

impl StackPtr {
    /// The calling thread's.
    pub(super) fn own() -> StackPtr {
        STACK.with(|stack| StackPtr(stack))
    }
}

/// All tasks that each of these threads is at.
///
/// # Safety
/// The threads are there meanwhile.
pub(super) unsafe fn tasks_on(stacks: &[StackPtr]) -> Vec<Vec<TaskRef>> {
    let mut all = Vec::new();
    // SAFETY: the caller's promise. Frames, and their tasks, stay as long as somebody looks at them.
    unsafe {
        for StackPtr(stack) in stacks {
            (**stack).looks.fetch_add(1, Ordering::SeqCst);
        }
        fence::heavy();
        for StackPtr(stack) in stacks {
            let mut tasks = Vec::new();
            let mut next = (**stack).top.load(Ordering::Acquire);
            while !next.is_null() {
                tasks.push((*next).task());
                next = (*next).below;
            }
            // ORDERING: Release pairs with the frame's end, and `wait_for_looks`.
            (**stack).looks.fetch_sub(1, Ordering::Release);
            all.push(tasks);
        }
    }
    all
}
