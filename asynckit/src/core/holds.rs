//! Who holds a cell: who owns its value, who was lent it, who keeps its memory. One word, so that
//! the last owner and the last loan can't miss each other.
//!
//! However many there are, no count overflows: what is more than the word has room for is counted in a
//! table beside it (`aside`).
//!
//! No memory is touched here; callers act on the answers.

mod aside;
pub(super) mod cloning;
#[cfg(all(test, not(asynckit_loom)))]
mod tests;

use crate::sync::{AtomicU64, Ordering, give_up, ordering, weakened};

/// The word.
pub(crate) struct Holds(AtomicU64);

/// A handle, or an input that the value moves into.
const OWNER: u64 = 1;
/// An input that the value is lent to, or who else looks at the value for a while.
const LOAN: u64 = OWNER << BITS;
/// Keeps the memory alone.
const REF: u64 = LOAN << BITS;
/// Looks at the value to clone it, for an owner that was.
const CLONE: u64 = REF << BITS;
/// The handle that the loans were made from waits until there is none, and no clone.
const WISH: u64 = 1 << 59;
/// The last owner waits until there is no clone (`clones.rs`).
const WAITED: u64 = WISH << 1;
/// Of this kind there are more than the word has, at the word's own count of at least one: the rest is
/// set aside.
const MORE_OWNERS: u64 = WISH << 2;
const MORE_LOANS: u64 = WISH << 3;
const MORE_REFS: u64 = WISH << 4;
const OWNERS: u64 = FIELD * OWNER;
const LOANS: u64 = FIELD * LOAN;
const CLONES: u64 = WISH - CLONE;
/// Who looks at the value.
const LOOKS: u64 = LOANS | CLONES;
/// Who sees to it that the value is there.
const VALUE: u64 = OWNERS | LOOKS | MORE_OWNERS | MORE_LOANS;

/// How much room the word has for the count of each of the first three kinds. There are no more clones at once
/// than threads and nested clones, for which what is left has to do.
const BITS: u32 = 16;
const FIELD: u64 = (1 << BITS) - 1;
/// From so many on some are set aside: well before a count could run into its neighbour, as no more
/// threads than this can be in `add` at once.
const HIGH: u64 = 1 << (BITS - 1);
/// How many are set aside, or brought back, at a time.
const BATCH: u64 = HIGH / 2;

/// How many of a kind the word has.
#[inline]
fn count(word: u64, one: u64) -> u64 {
    (word / one) & FIELD
}

/// The mark that there are more of a kind.
#[inline]
fn more(one: u64) -> u64 {
    match one {
        OWNER => MORE_OWNERS,
        LOAN => MORE_LOANS,
        _ => MORE_REFS,
    }
}

/// Whether the word has the last one of a kind, and there are more.
#[inline]
fn is_short(word: u64, one: u64) -> bool {
    word & more(one) != 0 && count(word, one) == 1
}

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

impl Holds {
    /// Of a cell with one owner.
    #[inline]
    pub(crate) fn owned() -> Holds {
        Holds(AtomicU64::new(OWNER))
    }

    /// ORDERING: Relaxed for one more, as with `Arc`: whoever adds has a hold, or knows that the cell
    /// is open and so alive.
    #[inline]
    fn add(&self, one: u64) {
        let old = self.0.fetch_add(one, Ordering::Relaxed);
        if old & (HIGH * one) != 0 {
            self.set_aside(one);
        }
    }

    #[inline]
    pub(crate) fn add_owner(&self) {
        self.add(OWNER);
    }

    #[inline]
    pub(crate) fn add_loan(&self) {
        self.add(LOAN);
    }

    #[inline]
    pub(crate) fn add_ref(&self) {
        self.add(REF);
    }

    /// There are many of a kind: sets some aside, so that the word has room.
    #[cold]
    #[inline(never)]
    fn set_aside(&self, one: u64) {
        aside::change(self.address(), one, |aside| {
            let mut old = self.0.load(Ordering::Acquire);
            while count(old, one) >= HIGH {
                let new = (old - BATCH * one) | more(one);
                match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return aside + BATCH,
                    Err(now) => old = now,
                }
            }
            aside
        });
    }

    /// The word has the last one of a kind that there are more of: brings some back. What it says now.
    #[cold]
    #[inline(never)]
    fn bring_back(&self, one: u64) -> u64 {
        aside::change(self.address(), one, |aside| {
            let mut old = self.0.load(Ordering::Acquire);
            while is_short(old, one) {
                let some = aside.min(BATCH);
                let mark = if some == aside { more(one) } else { 0 };
                let new = (old + some * one) & !mark;
                match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return aside - some,
                    Err(now) => old = now,
                }
            }
            aside
        });
        self.0.load(Ordering::Acquire)
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
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
        if self.release_among_others(one) { Left::Held } else { self.release_in_full(one) }
    }

    /// The plain way: nothing is set aside, nobody waits, and others want the value. False where it is not so, and
    /// nothing has changed.
    #[inline]
    fn release_among_others(&self, one: u64) -> bool {
        let old = self.0.load(ordering("release", Ordering::Acquire));
        let success = ordering("release", Ordering::AcqRel);
        let failure = ordering("release", Ordering::Acquire);
        old < WISH
            && (old - one) & (OWNERS | LOOKS) != 0
            && self.0.compare_exchange_weak(old, old - one, success, failure).is_ok()
    }

    /// Ends a loan where that is all; else it is still there.
    #[inline]
    #[must_use]
    pub(crate) fn end_loan_among_others(&self) -> bool {
        self.release_among_others(LOAN)
    }

    #[cold]
    #[inline(never)]
    fn release_in_full(&self, one: u64) -> Left {
        let mut old = self.0.load(ordering("release", Ordering::Acquire));
        loop {
            if is_short(old, one) {
                old = self.bring_back(one);
                continue;
            }
            let (new, left) = released(old, one);
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
        // ORDERING: Relaxed: where the mark is set after this look, the word has many.
        if self.0.load(Ordering::Relaxed) & MORE_REFS != 0 {
            return self.drop_ref_of_many();
        }
        // ORDERING: AcqRel, as in `release`.
        self.0.fetch_sub(REF, Ordering::AcqRel) == REF
    }

    #[cold]
    #[inline(never)]
    fn drop_ref_of_many(&self) -> bool {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if is_short(old, REF) {
                old = self.bring_back(REF);
                continue;
            }
            let new = old - REF;
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return new == 0,
                Err(now) => old = now,
            }
        }
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

    /// Ends the hold of an owner that was told `Sole` and has moved the value out; true where it
    /// frees the cell.
    #[inline]
    #[must_use]
    pub(crate) fn end_taken(&self) -> bool {
        // ORDERING: AcqRel, as in `release`.
        self.0.fetch_sub(OWNER, Ordering::AcqRel) == OWNER
    }

    #[inline]
    pub(crate) fn is_lent(&self) -> bool {
        self.0.load(Ordering::Acquire) & LOOKS != 0
    }

    /// Whether anybody wants the value. If not, nobody will.
    #[cold]
    pub(crate) fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Acquire) & VALUE != 0
    }

    /// The owner that lends asks to be told when nobody has a loan of it any more; false where that is so.
    #[cold]
    #[must_use]
    pub(crate) fn wish(&self) -> bool {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & LOOKS == 0 {
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

/// The word after one of a kind has left, which is not the last of more; and what that leaves behind.
#[inline]
fn released(old: u64, one: u64) -> (u64, Left) {
    let mut rest = old - one;
    if rest & CLONES == 0 {
        rest &= !WAITED;
    }
    if one != OWNER && rest & WISH != 0 && rest & LOOKS == 0 {
        let unowned = rest & OWNERS == 0;
        let wish = if weakened("wish") { 0 } else { WISH };
        ((rest & !wish) + REF, Left::Wished { unowned })
    } else if rest & VALUE == 0 {
        (rest + REF, Left::Unowned)
    } else {
        (rest, Left::Held)
    }
}

impl std::fmt::Debug for Holds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let now = self.0.load(Ordering::Acquire);
        let clones = (now & CLONES) / CLONE;
        let [owners, loans, refs] = [OWNER, LOAN, REF].map(|one| {
            let aside = if now & more(one) == 0 { 0 } else { aside::count(self.address(), one) };
            count(now, one) + aside
        });
        write!(f, "{owners} owners, {loans} loans, {clones} clones, {refs} references")
    }
}

/// Ends the process where a count was half full before a step, as `Arc` does: there is no way to
/// go on, and so no count can run over.
#[inline]
pub(crate) fn check(old: u64, count: u64) {
    if old & count & !(count >> 1) != 0 {
        give_up("one result has too many handles that may set it");
    }
}
