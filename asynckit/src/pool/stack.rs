//! How much stack the calling thread has left. A wait runs the work it needs on top of the waiter, so
//! that waits nest; what a task takes of the stack is its own business. So they go by the room that is
//! left, not by a depth.

use std::cell::Cell;

use crate::core::depth;

thread_local! {
    /// The most that this thread was seen to have.
    static MOST: Cell<usize> = const { Cell::new(0) };
}

/// Whether a waiter may run work on top of itself: half of the stack is left for that. Where nothing is
/// known of the stack, as long as it is only one task that waits.
pub(crate) fn has_room() -> bool {
    let Some(left) = left() else { return depth() < 2 };
    let most = MOST.get().max(left);
    MOST.set(most);
    left >= most / 2
}

/// So many bytes, where that is known.
#[cfg(any(unix, windows))]
pub(super) fn left() -> Option<usize> {
    stacker::remaining_stack()
}

#[cfg(not(any(unix, windows)))]
pub(super) fn left() -> Option<usize> {
    None
}
