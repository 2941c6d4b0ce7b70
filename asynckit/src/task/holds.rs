//! Who holds a cell, in one word: who owns its value, who borrows it, who keeps its memory.
//!
//! No memory is touched here: `handle.rs` has a type for each way to hold a cell, and acts on what
//! a release answers.

use crate::sync::{AtomicU64, Ordering};

/// Who holds a cell: owners of the value, borrowers of it, and references to the memory alone.
///
/// One word, so that the last owner and the last borrower can't miss each other.
pub(crate) struct Holds(AtomicU64);

/// A reference that keeps the memory: the queue's, a walker's.
const REFERENCE: u64 = 1;
/// The last owner waits until no borrower is left.
const MOVER: u64 = 1 << REFERENCE_BITS;
/// A dependent that was lent the value, a clone under way, a callback.
const BORROW: u64 = MOVER << 1;
/// A handle, or a dependent that the value moves into.
const OWNER: u64 = BORROW << BORROW_BITS;
const REFERENCES: u64 = MOVER - REFERENCE;
const BORROWS: u64 = OWNER - BORROW;

/// How the word is shared out: some 260,000 references, 4 million borrows, 8 million owners.
const REFERENCE_BITS: u32 = 18;
const BORROW_BITS: u32 = 22;
/// Each count stops well before it could run into its neighbour: no more threads than this can be
/// in `add` at once.
const MARGIN: u64 = 1 << 14;

/// What the last step of a holder left behind.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Left {
    /// Somebody still holds it.
    Held,
    /// The last owner waits for just this: the value is free to be taken.
    FreeToTake,
    /// No owner and no borrower is left, though somebody keeps the memory: the value is to be
    /// dropped. The caller has got a reference in place of its hold.
    Unowned,
    /// Nobody is left: the caller frees the cell.
    Nobody,
}

/// How a holder of an owner's right gets at the value.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Take {
    /// It is the last, and nobody borrows: it takes the value itself. (Of several owners that a
    /// task has, all but the last clone.)
    Itself,
    /// There are other owners: its right has become a borrow, to clone from.
    Clone,
    /// It is the last, but the value is lent.
    Lent,
}

impl Holds {
    /// For models: in the program it is memory for cells that is zero to begin with.
    #[cfg(asynckit_loom)]
    pub(crate) fn new(owners: u64, references: u64) -> Holds {
        Holds(AtomicU64::new(owners * OWNER + references * REFERENCE))
    }

    /// ORDERING: Relaxed for one more: whoever adds has a hold already, as with `Arc`.
    fn add(&self, one: u64) {
        let old = self.0.fetch_add(one, Ordering::Relaxed);
        let left = [
            (u64::MAX - old) / OWNER,
            (BORROWS - (old & BORROWS)) / BORROW,
            REFERENCES - (old & REFERENCES),
        ];
        if left.iter().any(|&left| left < MARGIN) {
            // As with `Arc`, there is no way to go on.
            eprintln!("asynckit: one result has too many handles or dependents ({self:?})");
            std::process::abort();
        }
    }

    /// Releases an owner or a borrow. Where the caller is left with something to do about the
    /// cell, its hold turns into a reference in the same step.
    ///
    /// ORDERING: AcqRel: all that a holder did with the cell comes before its release, and
    /// whoever frees, drops or takes next sees it. It acquires `wait_for_borrows`.
    fn release(&self, one: u64) -> Left {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            let rest = old - one;
            let references = rest & REFERENCES;
            // The wish of an owner who is gone is nobody's.
            let (new, left) = if rest & !MOVER == references {
                if references == 0 {
                    (0, Left::Nobody)
                } else {
                    (references + REFERENCE, Left::Unowned)
                }
            } else if rest & MOVER != 0 && rest & BORROWS == 0 {
                (rest - MOVER + REFERENCE, Left::FreeToTake)
            } else {
                (rest, Left::Held)
            };
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return left,
                Err(now) => old = now,
            }
        }
    }

    pub(crate) fn add_reference(&self) {
        self.add(REFERENCE);
    }

    pub(crate) fn add_owner(&self) {
        self.add(OWNER);
    }

    pub(crate) fn add_borrow(&self) {
        self.add(BORROW);
    }

    pub(crate) fn drop_reference(&self) -> Left {
        // ORDERING: AcqRel, as in `release`.
        if self.0.fetch_sub(REFERENCE, Ordering::AcqRel) == REFERENCE {
            Left::Nobody
        } else {
            Left::Held
        }
    }

    pub(crate) fn drop_owner(&self) -> Left {
        self.release(OWNER)
    }

    /// Ends the only hold there is, an owner's: true where nobody else has any, so that the caller
    /// is alone with the cell.
    #[must_use]
    pub(crate) fn end_sole_owner(&self) -> bool {
        // ORDERING: AcqRel, as in `release`. A step, not a look, as a walker may come to hold the cell
        // (`try_add_reference`) as long as anybody does.
        self.0.compare_exchange(OWNER, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Releases the reference of whoever has closed the cell. Where no owner and no borrower is
    /// left, but somebody keeps the memory, the caller keeps its reference (`Left::Unowned`).
    pub(crate) fn drop_closers_reference(&self) -> Left {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            let rest = old - REFERENCE;
            if rest != 0 && rest < MOVER {
                return Left::Unowned;
            }
            // ORDERING: AcqRel, as in `release`: a holder who leaves later sees the cell closed.
            match self.0.compare_exchange_weak(old, rest, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) if rest == 0 => return Left::Nobody,
                Ok(_) => return Left::Held,
                Err(now) => old = now,
            }
        }
    }

    /// A reference for somebody who has no hold; false where nobody has any (any more).
    #[must_use]
    pub(crate) fn try_add_reference(&self) -> bool {
        let mut old = self.0.load(Ordering::Relaxed);
        while old != 0 {
            let new = old + REFERENCE;
            // ORDERING: Acquire pairs with the Release in `begin`: the cell is all there.
            match self.0.compare_exchange_weak(old, new, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
        false
    }

    /// The first holds on a cell that is all there now, in memory that walkers may look at.
    pub(crate) fn begin(&self, owners: u64, references: u64) {
        // ORDERING: Release, see `try_add_reference`.
        self.0.store(owners * OWNER + references * REFERENCE, Ordering::Release);
    }

    pub(crate) fn drop_borrow(&self) -> Left {
        self.release(BORROW)
    }

    /// Settles how one owner gets at a value that is there.
    pub(crate) fn take(&self) -> Take {
        self.take_of(1, false)
    }

    /// As `take`, for a task that has several of the owners; `lent`: it also borrows, for as long
    /// as it runs, so that it can't have the value itself.
    pub(crate) fn take_of(&self, own: u64, lent: bool) -> Take {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old / OWNER <= own && !lent {
                return if old & BORROWS == 0 { Take::Itself } else { Take::Lent };
            }
            let new = old - OWNER + BORROW;
            // ORDERING: AcqRel as in `remove`: giving up ownership is a release.
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Take::Clone,
                Err(now) => old = now,
            }
        }
    }

    /// The last owner asks to be told when nobody borrows any more; false where nobody does.
    #[must_use]
    pub(crate) fn wait_for_borrows(&self) -> bool {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & BORROWS == 0 {
                return false;
            }
            // ORDERING: Release publishes whom to tell (the waiters' word) to the last borrower,
            // which acquires it by `remove`.
            let new = old | MOVER;
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
    }

    /// The last owner no longer waits. False where the last borrower was quicker: it tells, or
    /// has told, that the value is free.
    #[must_use]
    pub(crate) fn stop_waiting(&self) -> bool {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & MOVER == 0 {
                return false;
            }
            let new = old & !MOVER;
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
    }

    pub(crate) fn is_lent(&self) -> bool {
        self.0.load(Ordering::Acquire) & BORROWS != 0
    }

    /// Whether this is the only owner, and nobody borrows.
    pub(crate) fn is_sole(&self) -> bool {
        let now = self.0.load(Ordering::Acquire);
        now / OWNER == 1 && now & BORROWS == 0
    }

    /// Whether any owner or borrower is left.
    pub(crate) fn is_owned(&self) -> bool {
        // ORDERING: a read-modify-write, so that it and the last holder's release come one after
        // the other: that release either shows here, or sees all that came before this.
        self.0.fetch_add(0, Ordering::AcqRel) >= BORROW
    }
}

impl std::fmt::Debug for Holds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let now = self.0.load(Ordering::Acquire);
        let (owners, borrows) = (now / OWNER, (now & BORROWS) / BORROW);
        write!(f, "{owners} owners, {borrows} borrows, {} references", now & (MOVER - 1))
    }
}
