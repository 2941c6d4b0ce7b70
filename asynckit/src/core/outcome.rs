//! A cell's outcome: those who wait for it; then, how it came out. One word, and one step turns
//! the one into the other.
//!
//! While the cell is open the word is a list of edges, with the marks UNHELD and OBSERVED below.
//! When it is closed it has the mark CLOSED, and FAILED with the failure's address, or else the edge
//! to tell when the value is lent no more.

use crate::sync::{AtomicUsize, Ordering, ordering, weakened, yield_now};

/// The word.
pub(crate) struct OutcomeWord(AtomicUsize);

const CLOSED: usize = 1;
/// Closed: it has failed.
const FAILED: usize = 1 << 1;
/// Open: nobody wants the value.
const UNHELD: usize = 1 << 1;
/// Open: somebody who may leave again looks on (`watchers.rs`). Closed: one such waits for the value to
/// be lent no more.
const OBSERVED: usize = 1 << 2;
/// What lies below the addresses of edges and failures.
pub(super) const MARKS: usize = CLOSED | FAILED | OBSERVED;

/// What whoever closes a cell has to tend to.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Close {
    /// These edges.
    Waiters(usize),
    /// These edges, those who look on, and the value where nobody wants it.
    More { list: usize, observed: bool, unheld: bool },
    /// Somebody else was first: the caller drops its outcome, and ends a reference.
    Lost,
}

impl OutcomeWord {
    #[inline]
    pub(crate) fn open() -> OutcomeWord {
        OutcomeWord(AtomicUsize::new(0))
    }

    /// Enters an edge, whose `next` is set by `link`; false where the cell is closed.
    #[inline]
    #[must_use]
    pub(crate) fn push(&self, edge: usize, mut link: impl FnMut(usize)) -> bool {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & CLOSED != 0 {
                return false;
            }
            link(old & !MARKS);
            let new = edge | (old & MARKS);
            // ORDERING: Release publishes the edge to whoever closes. SeqCst: who ties a task looks
            // next whether its pool is closed (*the late task*). Acquire on failure: the outcome is
            // visible where the cell is closed.
            let success = ordering("push", Ordering::SeqCst);
            match self.0.compare_exchange_weak(old, new, success, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
    }

    #[inline]
    pub(crate) fn close_with_value(&self) -> Close {
        self.close(CLOSED)
    }

    #[cold]
    pub(crate) fn close_with_failure(&self, failure: usize) -> Close {
        self.close(failure | CLOSED | FAILED)
    }

    #[inline]
    fn close(&self, new: usize) -> Close {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & CLOSED != 0 {
                return Close::Lost;
            }
            // ORDERING: Release publishes the outcome to every reader of the closed word; Acquire
            // sees the edges in the list.
            let success = ordering("close", Ordering::AcqRel);
            match self.0.compare_exchange_weak(old, new, success, Ordering::Acquire) {
                Ok(_) => break,
                Err(now) => old = now,
            }
        }
        if old & MARKS == 0 {
            return Close::Waiters(old);
        }
        let (observed, unheld) = (old & OBSERVED != 0, old & UNHELD != 0);
        Close::More { list: old & !MARKS, observed, unheld }
    }

    /// Notes that nobody wants the value; true where the cell is closed, so that nobody else will
    /// see this.
    #[cold]
    #[must_use]
    pub(crate) fn unheld(&self) -> bool {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & CLOSED != 0 {
                return true;
            }
            let new = old | UNHELD;
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return false,
                Err(now) => old = now,
            }
        }
    }

    /// Notes that somebody looks on: whether that is of use, as the cell is open; and whether he is the first.
    #[cold]
    #[must_use]
    pub(crate) fn observe(&self) -> (bool, bool) {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & CLOSED != 0 {
                return (false, false);
            }
            // ORDERING: SeqCst, as in `push`.
            let new = old | OBSERVED;
            match self.0.compare_exchange_weak(old, new, Ordering::SeqCst, Ordering::Acquire) {
                Ok(_) => return (true, old & OBSERVED == 0),
                Err(now) => old = now,
            }
        }
    }

    // ORDERING: Acquire pairs with the close: the outcome is visible.

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.0.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Whether a value is there, and nobody is to be told of anything.
    #[inline]
    pub(crate) fn is_plain_value(&self) -> bool {
        self.0.load(Ordering::Acquire) == CLOSED
    }

    #[inline]
    pub(crate) fn is_failed(&self) -> bool {
        self.0.load(Ordering::Acquire) & (CLOSED | FAILED) == CLOSED | FAILED
    }

    /// The failure's address, where there is one.
    #[inline]
    pub(crate) fn failure(&self) -> Option<usize> {
        let word = self.0.load(Ordering::Acquire);
        (word & (CLOSED | FAILED) == CLOSED | FAILED).then_some(word & !MARKS)
    }

    /// Whom to tell when nobody has a loan of the value any more: an edge, or zero for one who looks on.
    /// Only the handle that lent it may, on a closed cell with a value, while nobody else is named.
    ///
    /// *The slow teller:* the last loan of an earlier wish may still be about to read who that was from. It
    /// takes the name away by that, and is waited for: else it would tell this one, too.
    #[cold]
    pub(crate) fn tell(&self, edge: usize) {
        // ORDERING: Acquire pairs with `told`, which comes before.
        while self.0.load(Ordering::Acquire) & !CLOSED != 0 && !weakened("slow teller") {
            yield_now();
        }
        let looks_on = if edge == 0 { OBSERVED } else { 0 };
        // ORDERING: Relaxed: published by `Holds::wish`.
        self.0.store(edge | looks_on | CLOSED, Ordering::Relaxed);
    }

    /// Nobody is to be told, and nobody will ask whom. Only the same handle may.
    #[cold]
    pub(crate) fn tell_nobody(&self) {
        // ORDERING: Relaxed: the next to read it is this handle, or is published to by it.
        self.0.store(CLOSED, Ordering::Relaxed);
    }

    /// Whom that was, once: an edge, and whether somebody looks on.
    #[cold]
    pub(crate) fn told(&self) -> (usize, bool) {
        // ORDERING: AcqRel: acquires whom to tell, though that came with the wish; Release pairs with `tell`.
        let word = self.0.swap(CLOSED, Ordering::AcqRel);
        (word & !MARKS, word & OBSERVED != 0)
    }

    /// Takes all edges away from an open cell; zero where it is closed.
    #[cold]
    pub(crate) fn take_list(&self) -> usize {
        let mut old = self.0.load(Ordering::SeqCst);
        loop {
            if old & CLOSED != 0 {
                return 0;
            }
            // ORDERING: SeqCst, against `push`: see *the late task*.
            let new = old & MARKS;
            match self.0.compare_exchange_weak(old, new, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return old & !MARKS,
                Err(now) => old = now,
            }
        }
    }

    /// Puts a list back of which `last` is the last edge, linked by `link`; false where the cell is closed.
    #[cold]
    #[must_use]
    pub(crate) fn put_back(&self, first: usize, link_last: impl FnMut(usize)) -> bool {
        self.push(first, link_last)
    }
}

impl std::fmt::Debug for OutcomeWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match (self.is_closed(), self.is_failed()) {
            (false, _) => "open",
            (true, false) => "value",
            (true, true) => "failed",
        })
    }
}
