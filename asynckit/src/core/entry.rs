//! The rights that go with a task that is ready: to bring it on its way, and to run it.

use super::cell::CellPtr;

/// The right to bring a task on its way. There is one for each task that is ready: in a queue, or in
/// somebody's hand.
#[must_use]
pub(crate) struct Entry(pub(super) CellPtr);

// SAFETY: what an entry leads to goes to other threads as `Work` and the results ask it of closures and values.
unsafe impl Send for Entry {}

impl Entry {
    /// # Safety
    /// The caller has the task's entry.
    #[inline]
    pub(super) unsafe fn new(task: CellPtr) -> Entry {
        Entry(task)
    }
}

/// A task that this thread has the right to run.
#[must_use]
pub(crate) struct Claimed(pub(super) CellPtr);

impl Claimed {
    /// # Safety
    /// The caller has the claim.
    #[inline]
    pub(super) unsafe fn new(task: CellPtr) -> Claimed {
        Claimed(task)
    }
}
