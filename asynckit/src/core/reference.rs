//! References to cells, and what anybody who has one may look at.

use std::ops::Deref;

use super::cell::{self, CellKind, CellPtr, Header, Home};

/// A reference: keeps the memory, not the value. Derefs to nothing but what is safe to look at.
pub(crate) struct TaskRef(pub(super) CellPtr);

// SAFETY: what a reference leads to is atomic or never changes; what else a cell has goes to other threads only
// as `Work` and the results ask it of closures and values.
unsafe impl Send for TaskRef {}
// SAFETY: a `&TaskRef` leads to the same, and what is atomic or never changes may be looked at by many at once.
unsafe impl Sync for TaskRef {}

impl TaskRef {
    /// One more.
    ///
    /// # Safety
    /// The cell is alive, and stays so until this returns.
    pub(super) unsafe fn new(cell: CellPtr) -> TaskRef {
        // SAFETY: the caller's promise.
        unsafe { cell.as_ref() }.holds.add_ref();
        TaskRef(cell)
    }

    pub(super) fn raw(&self) -> CellPtr {
        self.0
    }

    pub(crate) fn is(&self, other: &TaskRef) -> bool {
        self.0 == other.0
    }

    pub(crate) fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }
}

impl Deref for TaskRef {
    type Target = Header;

    #[inline]
    fn deref(&self) -> &Header {
        // SAFETY: the reference keeps the cell.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> TaskRef {
        self.holds.add_ref();
        TaskRef(self.0)
    }
}

impl Drop for TaskRef {
    fn drop(&mut self) {
        // SAFETY: the reference is this one's.
        unsafe { cell::drop_ref(self.0) }
    }
}

impl std::fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.hop)
    }
}

impl Header {
    /// Whether the value or the failure is there.
    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        self.outcome.is_closed()
    }

    /// Whether a failure is there.
    #[inline]
    pub(crate) fn has_failed(&self) -> bool {
        self.outcome.is_failed()
    }

    /// Whether no work sets it, but the program.
    pub(crate) fn is_by_hand(&self) -> bool {
        self.kind() == CellKind::ByHand
    }

    /// Whether it ends by itself, after a time.
    pub(crate) fn is_timed(&self) -> bool {
        self.kind() == CellKind::Timed
    }

    /// Whether its value may borrow from a scope.
    pub(crate) fn borrows(&self) -> bool {
        self.state.borrows()
    }

    /// Whether nobody has begun it, and it could be.
    pub(crate) fn is_ready(&self) -> bool {
        self.state.is_ready()
    }

    /// Whether it lacks something.
    pub(crate) fn is_waiting(&self) -> bool {
        self.state.is_waiting()
    }

    /// Whether it is pending, and goes on when a waker is called.
    pub(crate) fn is_suspended(&self) -> bool {
        self.state.is_suspended()
    }

    /// Whether somebody runs it, or it is over.
    pub(crate) fn is_claimed(&self) -> bool {
        self.state.is_claimed()
    }

    /// Whether a hooked task is over: it runs no more, and nothing is left of its closure and inputs.
    pub(crate) fn is_over(&self) -> bool {
        self.state.is_over()
    }

    /// Whether the program has set it, and some who wait for it may not know yet.
    pub(crate) fn is_being_told(&self) -> bool {
        self.is_by_hand() && self.is_set() && !self.has_failed() && !self.state.is_over()
    }

    /// Whether it is done on the spot.
    pub(crate) fn is_immediate(&self) -> bool {
        self.state.is_immediate()
    }

    /// Whether its home is counted for it, and has something to see to when it is run.
    #[inline]
    pub(crate) fn is_hooked(&self) -> bool {
        self.state.is_hooked()
    }

    /// Whether its home, or who looks on, is told of it.
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        self.state.has_news()
    }

    /// Its home's address, to compare.
    pub(crate) fn home_address(&self) -> *const Home {
        self.home()
    }
}
