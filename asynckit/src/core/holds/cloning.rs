//! Owners that clone: their holds are parts in clones meanwhile.

use super::{
    CLONE, CLONES, HIGH, Holds, LOAN, Left, MORE_OWNERS, OWNER, OWNERS, VALUE, WAITED, WISH, count,
    is_short, released,
};
use crate::sync::{Ordering, weakened};

/// How an owner that is perhaps not alone gets at the value.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Begun {
    /// It was alone: as `Take::Sole`.
    Takes,
    /// It clones, and has a part in that in place of its hold.
    Clones,
    /// It clones, and has a loan in place of its hold, as more clones are under way than can be counted.
    Looks,
    /// It is the last owner, and clones are under way.
    Waits,
}

impl Holds {
    /// An owner's hold becomes a part in a clone. The last owner's does not while others clone, which it waits for;
    /// unless it `may_not_wait`.
    #[inline]
    pub(crate) fn begin_clone(&self, may_not_wait: bool) -> Begun {
        let old = self.0.load(Ordering::Acquire);
        // The plain way: nothing is set aside, nobody waits, and there are other owners.
        if old < WISH && old & OWNERS > OWNER && old & CLONES != CLONES {
            // ORDERING: AcqRel, as in `release`.
            let new = old - OWNER + CLONE;
            if self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                return Begun::Clones;
            }
        }
        self.begin_clone_in_full(may_not_wait)
    }

    #[cold]
    #[inline(never)]
    fn begin_clone_in_full(&self, may_not_wait: bool) -> Begun {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & VALUE == OWNER {
                return Begun::Takes;
            }
            if is_short(old, OWNER) {
                old = self.bring_back(OWNER);
                continue;
            }
            if old & OWNERS == OWNER && old & CLONES != 0 && !may_not_wait {
                return Begun::Waits;
            }
            let (one, begun) = match old & CLONES {
                CLONES => (LOAN, Begun::Looks),
                _ => (CLONE, Begun::Clones),
            };
            // ORDERING: AcqRel, as in `release`.
            let new = old - OWNER + one;
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) if begun == Begun::Looks && count(old, LOAN) >= HIGH => self.set_aside(LOAN),
                Ok(_) => {}
                Err(now) => {
                    old = now;
                    continue;
                }
            }
            return begun;
        }
    }

    /// Ends a clone where that is all; else it is still there.
    #[inline]
    #[must_use]
    pub(crate) fn end_clone_among_others(&self) -> bool {
        self.release_among_others(CLONE)
    }

    /// A clone is over. `None` where the last owner waits for just this: nothing has changed then.
    #[must_use]
    pub(crate) fn end_clone(&self) -> Option<Left> {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & WAITED != 0 && old & CLONES == CLONE && !weakened("clone in the way") {
                return None;
            }
            let (new, left) = released(old, CLONE);
            // ORDERING: AcqRel, as in `release`.
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(left),
                Err(now) => old = now,
            }
        }
    }

    /// As `end_clone`, by one whom the last owner can't miss meanwhile; whether that waits for just this.
    #[cold]
    pub(crate) fn end_waited_clone(&self) -> (Left, bool) {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            let (new, left) = released(old, CLONE);
            // ORDERING: AcqRel, as in `release`.
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return (left, old & WAITED != 0 && new & WAITED == 0),
                Err(now) => old = now,
            }
        }
    }

    /// Whether one owns the value, and others clone it.
    #[inline]
    pub(crate) fn is_one_owner_cloned(&self) -> bool {
        let now = self.0.load(Ordering::Acquire);
        now & (OWNERS | MORE_OWNERS) == OWNER && now & CLONES != 0
    }

    /// The last owner is to be told when no clone is under way any more; false where none is, or it is not the last.
    #[cold]
    #[must_use]
    pub(crate) fn wait_for_clones(&self) -> bool {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & (OWNERS | MORE_OWNERS) != OWNER || old & CLONES == 0 {
                return false;
            }
            // ORDERING: AcqRel, as in `release`.
            let new = old | WAITED;
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
    }
}
