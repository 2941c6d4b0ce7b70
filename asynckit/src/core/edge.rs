//! Edges: how a dependent is tied to what it needs.
//!
//! An edge lies in its dependent's inputs and is itself the node in the upstream's list, so that
//! tying two tasks allocates nothing. Its hold, an owner's or a loan, keeps the upstream. The
//! upstream's list keeps the dependent: that can't be closed, or not be freed, before its edges were
//! visited.

pub use super::cell::Edge;
use super::cell::{CellPtr, Header, Home};
use super::share::Holder;
use crate::sync::{Cell, Peeked};

const OWNS: usize = 1;
const LENT: usize = 2;
/// In `dependent`: that wants to see a failure, rather than fail likewise.
const LOOKS: usize = 1;
/// In `dependent`: its home has counted the edge.
const CROSS: usize = 2;
/// In `dependent`: the edge waits to be told that nothing is lent any more of what is to move along it.
const WISHES: usize = 4;
const MARKS: usize = LOOKS | CROSS | WISHES;

/// What linking an edge found.
#[must_use]
#[derive(PartialEq, Eq, Debug, Clone, Copy)]
pub(crate) enum Link {
    Pending,
    There,
    Failed,
}

/// What a failure of the upstream means for the dependent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OnFailure {
    /// It fails likewise, at once.
    Skip,
    /// It wants to see it.
    Look,
}

impl Edge {
    /// The value moves along it: it takes the owner's hold over.
    #[inline]
    pub(super) fn moving(owner: Holder, on_failure: OnFailure) -> Edge {
        Edge::new(owner.into_word() | OWNS, on_failure)
    }

    /// The value is lent: it takes a loan over.
    #[inline]
    pub(super) fn lending(loan: Holder) -> Edge {
        Edge::new(loan.into_word() | LENT, OnFailure::Skip)
    }

    #[inline]
    fn new(upstream: usize, on_failure: OnFailure) -> Edge {
        let looks = if on_failure == OnFailure::Look { LOOKS } else { 0 };
        Edge { next: Cell::new(0), dependent: Cell::new(looks), upstream: Peeked::new(upstream) }
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.upstream.get() != 0
    }

    #[inline]
    pub(crate) fn moves(&self) -> bool {
        self.upstream.get() & OWNS != 0
    }

    /// What it holds.
    #[inline]
    pub(super) fn holder(&self) -> Holder {
        debug_assert!(self.is_open(), "an edge was used after it had let go");
        // SAFETY: the word was a holder's, and an edge that is open has its hold.
        unsafe { Holder::from_word(self.upstream.get() & !(OWNS | LENT)) }
    }

    /// Gives up the hold, to the caller; and whether that is an owner's.
    #[inline]
    pub(super) fn take(&self) -> Option<(Holder, bool)> {
        let word = self.upstream.replace(0);
        // SAFETY: a word that is not 0 was a holder's, whose hold the edge has had until now: it goes to the caller.
        let holder = |word| unsafe { Holder::from_word(word & !(OWNS | LENT)) };
        (word != 0).then(|| (holder(word), word & OWNS != 0))
    }

    /// Whether it has a loan by this holder.
    #[cold]
    pub(super) fn borrows_by(&self, holder: Holder) -> bool {
        self.upstream.get() == holder.into_word() | LENT
    }

    #[inline]
    pub(crate) fn upstream(&self) -> &Header {
        // SAFETY: an open edge has a hold on the cell.
        unsafe { self.holder().cell().as_ref() }
    }

    #[inline]
    pub(super) fn address(&self) -> usize {
        std::ptr::from_ref(self).expose_provenance()
    }

    /// # Safety
    /// The address of an edge whose memory is there.
    #[inline]
    pub(super) unsafe fn at<'a>(address: usize) -> &'a Edge {
        // SAFETY: the caller's promise.
        unsafe { &*std::ptr::with_exposed_provenance::<Edge>(address) }
    }

    /// Ties `dependent`, of this home, to the upstream.
    ///
    /// # Safety
    /// The edge lies in the dependent's job, where it stays; the home is alive.
    #[inline]
    pub(super) unsafe fn link(&self, dependent: CellPtr, home: *const Home) -> Link {
        let upstream = self.upstream();
        let mut word = dependent.as_ptr().expose_provenance() | (self.dependent.get() & LOOKS);
        if !std::ptr::eq(upstream.home(), home) {
            // SAFETY: the caller's promise; the edge keeps the upstream.
            word |= unsafe { meet(home, self.holder().cell()) };
        }
        self.dependent.set(word);
        if upstream.outcome.push(self.address(), |next| self.next.set(next)) {
            return Link::Pending;
        }
        if word & CROSS != 0 {
            // SAFETY: the home has counted the edge, and so is there.
            unsafe { self.met(home) };
        }
        if upstream.outcome.is_failed() { Link::Failed } else { Link::There }
    }

    /// Tells the home that has counted this edge.
    ///
    /// # Safety
    /// It has.
    #[cold]
    unsafe fn met(&self, home: *const Home) {
        // SAFETY: a home that counts an edge lives until it is told.
        unsafe { ((*home).table.met)(home) }
    }

    /// The cell whose input this is.
    ///
    /// # Safety
    /// The edge was linked, or told of, and is not visited yet.
    #[inline]
    pub(super) unsafe fn dependent(&self) -> CellPtr {
        let at = self.dependent.get() & !MARKS;
        // SAFETY: a cell's address, which is never null.
        unsafe { CellPtr::new_unchecked(std::ptr::with_exposed_provenance_mut(at)) }
    }

    /// From now on the edge waits to be told, on behalf of `dependent`. `counted`: its home has counted that.
    #[cold]
    pub(super) fn begin_wish(&self, dependent: CellPtr, counted: bool) {
        let looks = self.dependent.get() & LOOKS;
        let at = dependent.as_ptr().expose_provenance();
        self.dependent.set(at | looks | WISHES | if counted { CROSS } else { 0 });
    }

    /// There was nothing to wait for after all.
    #[cold]
    pub(super) fn end_wish(&self) {
        self.dependent.set(self.dependent.get() & !(CROSS | WISHES));
    }

    /// Whether it waits so, or has been told.
    #[inline]
    pub(super) fn wishes(&self) -> bool {
        self.dependent.get() & WISHES != 0
    }

    #[inline]
    pub(super) fn is_counted(&self) -> bool {
        self.dependent.get() & CROSS != 0
    }

    pub(super) fn on_failure(&self) -> OnFailure {
        if self.dependent.get() & LOOKS == 0 { OnFailure::Skip } else { OnFailure::Look }
    }
}

/// Tells the home of a cell that is not its own; the mark for the edge.
///
/// # Safety
/// The home is alive, and so is the cell.
#[cold]
#[inline(never)]
unsafe fn meet(home: *const Home, upstream: CellPtr) -> usize {
    if home.is_null() {
        return 0;
    }
    // SAFETY: the caller's promise.
    if unsafe { ((*home).table.meet)(home, upstream) } { CROSS } else { 0 }
}
