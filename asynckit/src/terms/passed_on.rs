//! Whether anything is passed on from work to what it submits: the tree of a token, carriers, a priority.
//!
//! One look at a counter, so that programs without any pay nothing for them.

use crate::sync::{Ordering, StaticCounter};

/// How many trees, lists of carriers and ranks there are.
static THERE: StaticCounter = StaticCounter::new(0);

/// One more was made.
pub(super) fn made() {
    THERE.fetch_add(1, Ordering::Relaxed);
}

/// One of them is gone.
pub(super) fn gone() {
    THERE.fetch_sub(1, Ordering::Relaxed);
}

/// Whether there are any at all.
///
/// ORDERING: Relaxed: work that has one has seen it being made before it began.
pub(crate) fn any() -> bool {
    THERE.load(Ordering::Relaxed) != 0
}
