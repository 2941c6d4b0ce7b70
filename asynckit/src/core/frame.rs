//! What a thread is doing: the tasks on its stack, each in a frame of its own.
//!
//! A frame lies on the stack of the function that runs its task and is the head of a list for as long, so
//! that keeping count of what runs costs a few stores.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::ptr;

use super::cell::CellPtr;
use super::handle::TaskRef;

/// One task under way on this thread.
pub(crate) struct Frame {
    task: CellPtr,
    /// Whether the work is a part of that of the frame below: it was run in place.
    in_place: bool,
    /// How many frames there are, with this one.
    depth: usize,
    below: *const Frame,
}

crate::sync::local! {
    static TOP: Cell<*const Frame> = const { Cell::new(ptr::null()) };
}

/// Runs `f` as the work of `task`.
///
/// # Safety
/// The task is alive until `f` ends.
#[inline]
pub(super) unsafe fn within<R>(task: CellPtr, in_place: bool, f: impl FnOnce() -> R) -> R {
    /// Ends the frame, also where `f` panics.
    struct End(*const Frame);
    impl Drop for End {
        #[inline]
        fn drop(&mut self) {
            TOP.with(|top| top.set(self.0));
        }
    }
    let below = TOP.with(Cell::get);
    // SAFETY: see `each_frame`.
    let depth = if below.is_null() { 1 } else { unsafe { (*below).depth + 1 } };
    let frame = Frame { task, in_place, depth, below };
    TOP.with(|top| top.set(&raw const frame));
    let _end = End(below);
    f()
}

/// Shows each frame of the calling thread, the newest first, until one breaks.
pub(crate) fn each_frame<B>(mut look: impl FnMut(&Frame) -> ControlFlow<B>) -> Option<B> {
    let mut next = TOP.with(Cell::get);
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

/// How many tasks are on this thread's stack.
pub(crate) fn depth() -> usize {
    let top = TOP.with(Cell::get);
    // SAFETY: as above.
    if top.is_null() { 0 } else { unsafe { (*top).depth } }
}

impl Frame {
    /// The task.
    pub(crate) fn task(&self) -> TaskRef {
        // SAFETY: the promise of `within`.
        unsafe { TaskRef::new(self.task) }
    }

    pub(crate) fn in_place(&self) -> bool {
        self.in_place
    }
}
