//! Who holds a cell: who owns its value, who was lent it, who keeps its memory. One word, so that
//! the last owner and the last loan can't miss each other.
//!
//! No memory is touched here; callers act on the answers.

use crate::sync::{AtomicU64, Ordering, ordering, weakened};

/// The word.
pub(crate) struct Holds(AtomicU64);

/// A handle, or an input that the value moves into.
const OWNER: u64 = 1;
/// An input that the value is lent to, or who else looks at the value for a while.
const LOAN: u64 = 1 << 23;
/// Keeps the memory alone.
const REF: u64 = 1 << 48;
/// The handle that the loans were made from waits until there is none.
const WISH: u64 = 1 << 63;
const OWNERS: u64 = LOAN - OWNER;
const LOANS: u64 = REF - LOAN;
const REFS: u64 = WISH - REF;
/// Who sees to it that the value is there.
const VALUE: u64 = OWNERS | LOANS;

/// What the last step of a holder left behind.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Left {
    /// Others hold the cell.
    Held,
    /// Nobody wants the value any more: the caller drops it, and has a reference in place of its
    /// hold.
    Unowned,
    /// That was the last loan, and somebody waits for just this: the caller tells, and has a
    /// reference in place of its hold. `unowned`: and nobody wants the value any more.
    Wished { unowned: bool },
}

/// How an owner gets at a value that is there.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Take {
    /// The value is the caller's, and so is the whole cell.
    Alone,
    /// The value is the caller's; others keep the memory. The hold is still there.
    Sole,
    /// Others own or look at it: the caller clones, or waits for those who do (`clones.rs`).
    Clone,
}

/// Ends the process where a count was half full before a step, as `Arc` does: there is no way to
/// go on, and so no count can run over.
#[inline]
pub(crate) fn check(old: u64, count: u64) {
    #[cold]
    #[inline(never)]
    fn too_many() -> ! {
        eprintln!("asynckit: one result has too many handles or dependents");
        std::process::abort()
    }
    if old & count & !(count >> 1) != 0 {
        too_many()
    }
}

impl Holds {
    /// Of a cell with one owner.
    #[inline]
    pub(crate) fn owned() -> Holds {
        Holds(AtomicU64::new(OWNER))
    }

    // ORDERING: Relaxed for one more, as with `Arc`: whoever adds has a hold, or knows that the cell
    // is open and so alive.
    #[inline]
    pub(crate) fn add_owner(&self) {
        check(self.0.fetch_add(OWNER, Ordering::Relaxed), OWNERS);
    }

    #[inline]
    pub(crate) fn add_loan(&self) {
        check(self.0.fetch_add(LOAN, Ordering::Relaxed), LOANS);
    }

    #[inline]
    pub(crate) fn add_ref(&self) {
        check(self.0.fetch_add(REF, Ordering::Relaxed), REFS);
    }

    #[inline]
    pub(crate) fn drop_owner(&self) -> Left {
        self.release(OWNER)
    }

    #[inline]
    pub(crate) fn drop_loan(&self) -> Left {
        self.release(LOAN)
    }

    /// ORDERING: AcqRel: all that a holder did with the cell comes before its release, and whoever
    /// drops, takes or frees next sees it. The last loan acquires the wish, and whom to tell.
    #[inline]
    fn release(&self, one: u64) -> Left {
        let mut old = self.0.load(ordering("release", Ordering::Acquire));
        loop {
            let rest = old - one;
            let (new, left) = if one == LOAN && rest & WISH != 0 && rest & LOANS == 0 {
                let unowned = rest & OWNERS == 0;
                let wish = if weakened("wish") { 0 } else { WISH };
                ((rest & !wish) + REF, Left::Wished { unowned })
            } else if rest & VALUE == 0 {
                (rest + REF, Left::Unowned)
            } else {
                (rest, Left::Held)
            };
            let success = ordering("release", Ordering::AcqRel);
            let failure = ordering("release", Ordering::Acquire);
            match self.0.compare_exchange_weak(old, new, success, failure) {
                Ok(_) => return left,
                Err(now) => old = now,
            }
        }
    }

    /// Whether the caller's hold, an owner's, is the only one on a cell that it has seen *closed
    /// before*: then nobody is left who could add one, and no step is needed to end it. (While a
    /// cell is open, one who fails it may add a reference without having a hold.)
    #[inline]
    pub(crate) fn is_only_owner(&self) -> bool {
        // ORDERING: Acquire pairs with the release of whoever left last.
        self.0.load(ordering("alone", Ordering::Acquire)) == OWNER
    }

    /// Likewise of a loan.
    #[inline]
    pub(crate) fn is_only_loan(&self) -> bool {
        self.0.load(Ordering::Acquire) == LOAN
    }

    /// Ends a reference; true where the caller frees the cell.
    #[inline]
    #[must_use]
    pub(crate) fn drop_ref(&self) -> bool {
        // ORDERING: AcqRel, as in `release`.
        self.0.fetch_sub(REF, Ordering::AcqRel) == REF
    }

    /// How an owner gets at the value, all of its own loans being over.
    #[inline]
    pub(crate) fn take(&self) -> Take {
        match self.0.load(ordering("take", Ordering::Acquire)) {
            OWNER => Take::Alone,
            now if now & VALUE == OWNER => Take::Sole,
            _ => Take::Clone,
        }
    }

    /// Turns an owner's hold into a loan, to clone from; false where it is the last owner's, and that is not to.
    #[cold]
    #[must_use]
    pub(crate) fn begin_clone(&self, last_too: bool) -> bool {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & OWNERS == OWNER && !last_too {
                return false;
            }
            check(old, LOANS);
            // ORDERING: AcqRel, as in `release`.
            let new = old - OWNER + LOAN;
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
    }

    /// Whether one owns the value, and others look at it.
    #[cold]
    pub(crate) fn is_one_owner_lent(&self) -> bool {
        let now = self.0.load(Ordering::Acquire);
        now & OWNERS == OWNER && now & LOANS != 0
    }

    /// Ends the hold of an owner that was told `Sole` and has moved the value out; true where it
    /// frees the cell.
    #[cold]
    #[must_use]
    pub(crate) fn end_taken(&self) -> bool {
        // ORDERING: AcqRel, as in `release`.
        self.0.fetch_sub(OWNER, Ordering::AcqRel) == OWNER
    }

    #[inline]
    pub(crate) fn is_lent(&self) -> bool {
        self.0.load(Ordering::Acquire) & LOANS != 0
    }

    /// Whether anybody wants the value. If not, nobody will.
    #[cold]
    pub(crate) fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Acquire) & VALUE != 0
    }

    /// Whether one owner is all that wants the value.
    #[cold]
    pub(crate) fn is_one_owner(&self) -> bool {
        self.0.load(Ordering::Acquire) & VALUE == OWNER
    }

    /// The owner that lends asks to be told when nobody has a loan of it any more; false where that is so.
    #[cold]
    #[must_use]
    pub(crate) fn wish(&self) -> bool {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & LOANS == 0 {
                return false;
            }
            // ORDERING: AcqRel: Release publishes whom to tell to the last loan.
            let new = old | WISH;
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
    }

    /// It takes that back; false where the last loan was quicker, and tells.
    #[cold]
    #[must_use]
    pub(crate) fn unwish(&self) -> bool {
        let mut old = self.0.load(Ordering::Acquire);
        while old & WISH != 0 {
            let new = old & !WISH;
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
        false
    }
}

impl std::fmt::Debug for Holds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let now = self.0.load(Ordering::Acquire);
        let (owners, loans, refs) = (now & OWNERS, (now & LOANS) / LOAN, (now & REFS) / REF);
        write!(f, "{owners} owners, {loans} loans, {refs} references")
    }
}
