//! How much stack the calling thread has left. A wait runs the work it needs on top of the waiter, so
//! that waits nest; what a task takes of the stack is its own business. So they go by the room that is
//! left, not by a depth.

use std::cell::Cell;
use std::{hint, ptr};

use crate::core::depth;

thread_local! {
    /// What is known of the stack that this thread was on when that was last looked for, and of the first that it was on.
    static SEEN: Cell<[SeenStack; 2]> = const { Cell::new([SeenStack::NOTHING; 2]) };
}

/// Addresses on a stack: it ends at `end`, half of it is left at `half`, and `top` is the highest that was seen.
#[derive(Clone, Copy)]
struct SeenStack {
    /// The most that the thread was seen to have left on it.
    most: usize,
    end: usize,
    half: usize,
    top: usize,
}

impl SeenStack {
    const NOTHING: SeenStack = SeenStack { most: 0, end: 0, half: usize::MAX, top: 0 };
}

/// Whether a waiter may run work on top of itself: half of the stack is left for that. Where nothing is
/// known of the stack, as long as it is only one task that waits.
#[inline]
pub(crate) fn has_room() -> bool {
    let here = address();
    let [seen, _] = SEEN.get();
    (seen.half <= here && here <= seen.top) || look_for_room(here)
}

/// Likewise, looked for: below half of the stack, above all that was seen of it, or on another one.
#[cold]
#[inline(never)]
fn look_for_room(here: usize) -> bool {
    let Some(left) = left() else { return depth() < 2 };
    let end = address().saturating_sub(left);
    // A stack that the program has changed to has a half of its own.
    let [last, first] = SEEN.get();
    let known = [last, first].into_iter().find(|seen| seen.end == end);
    let (most, top) = known.map_or((left, here), |seen| (seen.most.max(left), seen.top.max(here)));
    let seen = SeenStack { most, end, half: end + most / 2, top };
    let is_first = [0, end].contains(&first.end);
    SEEN.set([seen, if is_first { seen } else { first }]);
    left >= most / 2
}

/// About how far the calling thread has got on its stack.
#[inline(always)]
fn address() -> usize {
    let here = 0_u8;
    ptr::from_ref(hint::black_box(&here)).addr()
}

/// So many bytes, where that is known.
#[cfg(all(any(unix, windows), not(asynckit_loom)))]
pub(super) fn left() -> Option<usize> {
    stacker::remaining_stack()
}

#[cfg(any(not(any(unix, windows)), asynckit_loom))]
pub(super) fn left() -> Option<usize> {
    None
}
