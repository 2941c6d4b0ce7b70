//! How one holds a cell: directly, or by a *share*, which every `.clone()` of a handle makes.
//!
//! Each handle is as if it had a value of its own: it waits for its own loans before it moves, and
//! never for another handle's. So a share owns its cell and has owners and loans of its own: its one
//! handle, and what was lent from that. When all of these have gone the share goes, and with it its
//! hold on the cell.
//!
//! So there are never more clones than were written: who takes the value clones only where somebody
//! else still owns or looks at it, and the last to take it, all others having gone, finds nobody; but
//! for loans of a handle that was itself dropped, whose clone was never made. It does not wait for these, as
//! that might never end: who has such a loan may itself wait for what the taker gives, and over a result that
//! the program sets by hand nobody could see that. Clones that are under way it waits for (`clones.rs`).

use std::alloc::Layout;
use std::ptr::NonNull;

use super::cell::{CellPtr, Header};
use super::clones;
use super::holds::{Holds, Left};
use super::outcome::OutcomeWord;
use super::slab;

/// A handle's own account with a cell.
pub(super) struct HandleShare {
    cell: CellPtr,
    holds: Holds,
    /// Whom to tell when nothing of it is lent any more.
    told: OutcomeWord,
}

/// In a holder's word: it is a share's address.
const SHARED: usize = 1 << 2;

/// One that holds a cell, as an owner or by a loan: the cell, or the share that it holds it by. Good as
/// long as that hold is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder(usize);

/// What the last step of a holder's left behind.
#[must_use]
pub(super) enum Leaves {
    /// Others hold by the same share; or by the cell, as it says.
    Nothing,
    /// This of the cell.
    Cell(Left),
    /// Whom to tell that nothing is lent any more: an edge, and whether somebody looks on; then comes
    /// `Holder::end_told`.
    Told { edge: usize, looks_on: bool, unowned: bool },
}

impl Leaves {
    /// What a loan of the cell itself, or a clone, has left behind.
    #[inline]
    pub(super) fn of_cell(header: &Header, left: Left) -> Leaves {
        match left {
            Left::Wished { unowned } => {
                let (edge, looks_on) = header.outcome.told();
                Leaves::Told { edge, looks_on, unowned }
            }
            left => Leaves::Cell(left),
        }
    }
}

impl Holder {
    /// One who holds the cell itself.
    #[inline]
    pub(super) fn of_cell(cell: CellPtr) -> Holder {
        Holder(cell.as_ptr().expose_provenance())
    }

    /// One more handle, with a share of its own, for a clone.
    #[cold]
    pub(super) fn share(cell: CellPtr) -> Holder {
        // SAFETY: the caller has a hold on the cell.
        unsafe { cell.as_ref() }.holds.add_owner();
        let share = slab::take::<HandleShare>();
        #[cfg(test)]
        super::cell::LIVE.fetch_add(1, crate::sync::Ordering::Relaxed);
        // SAFETY: the block is ours.
        unsafe {
            share.write(HandleShare { cell, holds: Holds::owned(), told: OutcomeWord::open() })
        };
        Holder(share.as_ptr().expose_provenance() | SHARED)
    }

    /// What lies beside the address in a holder's word.
    pub(super) const MARKS: usize = SHARED;

    #[inline]
    pub(super) fn into_word(self) -> usize {
        self.0
    }

    /// # Safety
    /// The word comes from `into_word`.
    #[inline]
    pub(super) unsafe fn from_word(word: usize) -> Holder {
        Holder(word)
    }

    /// Some address that is this holder's alone, as long as it waits for its loans to end.
    pub(super) fn address(self) -> usize {
        self.0 & !SHARED
    }

    #[inline]
    pub(super) fn is_share(self) -> bool {
        self.0 & SHARED != 0
    }

    fn share_ptr(self) -> NonNull<HandleShare> {
        let at = std::ptr::with_exposed_provenance_mut::<HandleShare>(self.0 & !SHARED);
        // SAFETY: an address of a share, which is never null.
        unsafe { NonNull::new_unchecked(at) }
    }

    /// The cell that it holds.
    #[inline]
    pub(super) fn cell(self) -> CellPtr {
        if self.is_share() {
            return self.cell_of_share();
        }
        let at = std::ptr::with_exposed_provenance_mut::<Header>(self.0);
        // SAFETY: an address of a cell, which is never null.
        unsafe { CellPtr::new_unchecked(at) }
    }

    #[cold]
    #[inline(never)]
    fn cell_of_share(self) -> CellPtr {
        // SAFETY: the hold keeps the share.
        unsafe { self.share_ptr().as_ref() }.cell
    }

    /// The words that count its holds and say whom to tell: the cell's own, or those of the share.
    fn account(&self) -> (&Holds, &OutcomeWord) {
        // SAFETY: the hold keeps what it is a hold on.
        unsafe {
            if self.is_share() {
                let share = self.share_ptr().as_ref();
                (&share.holds, &share.told)
            } else {
                let header = self.cell().as_ref();
                (&header.holds, &header.outcome)
            }
        }
    }

    #[inline]
    pub(super) fn add_loan(self) {
        if self.is_share() {
            return self.add_loan_of_share();
        }
        // SAFETY: the hold keeps the cell.
        unsafe { self.cell().as_ref() }.holds.add_loan();
    }

    #[cold]
    #[inline(never)]
    fn add_loan_of_share(self) {
        self.account().0.add_loan();
    }

    /// Whether something that was lent by this handle is not back yet, or it would have to wait for a clone. A
    /// failure is never waited for: it is not moved out, but shared.
    #[inline]
    pub(super) fn is_lent(self) -> bool {
        if self.is_share() {
            return self.is_share_lent();
        }
        // SAFETY: the hold keeps the cell.
        unsafe { self.cell().as_ref() }.holds.is_lent() && !self.is_failed()
    }

    #[cold]
    #[inline(never)]
    fn is_share_lent(self) -> bool {
        // SAFETY: the hold keeps the share, and that the cell.
        unsafe {
            let share = self.share_ptr().as_ref();
            (share.holds.is_lent() || clones::are_in_way(share.cell)) && !self.is_failed()
        }
    }

    #[cold]
    fn is_failed(self) -> bool {
        // SAFETY: the hold keeps the cell.
        unsafe { self.cell().as_ref() }.outcome.is_failed()
    }

    /// The handle asks that an edge be told when nothing of it is lent any more, or one who looks on (zero);
    /// false where that is so already, and where a failure is there. On a closed cell.
    #[cold]
    #[must_use]
    pub(super) fn wish(self, edge: usize) -> bool {
        if self.is_failed() {
            // The word that says whom to tell has its address.
            return false;
        }
        // One that was left is over by this.
        let _ = self.unwish();
        let (holds, told) = self.account();
        told.tell(edge);
        let waits = holds.wish();
        if !waits {
            told.tell_nobody();
        }
        // SAFETY: the hold keeps the cell.
        waits || self.is_share() && unsafe { clones::wait(self.cell(), edge, self.address()) }
    }

    /// It takes that back; false where the last loan was quicker, and tells.
    #[cold]
    #[must_use]
    pub(super) fn unwish(self) -> bool {
        let (holds, told) = self.account();
        let taken_back = holds.unwish();
        if taken_back {
            told.tell_nobody();
        }
        // SAFETY: the hold keeps the cell.
        taken_back || self.is_share() && unsafe { clones::leave(self.cell(), self.address()) }
    }

    /// Ends an owner's hold.
    #[inline]
    pub(super) fn drop_owner(self) -> Leaves {
        if self.is_share() {
            return self.end_share_hold(true);
        }
        // SAFETY: the hold was there.
        Leaves::Cell(unsafe { self.cell().as_ref() }.holds.drop_owner())
    }

    /// Ends a loan.
    #[inline]
    pub(super) fn drop_loan(self) -> Leaves {
        if self.is_share() {
            return self.end_share_hold(false);
        }
        // SAFETY: the loan was there.
        let header = unsafe { self.cell().as_ref() };
        Leaves::of_cell(header, header.holds.drop_loan())
    }

    #[cold]
    #[inline(never)]
    fn end_share_hold(self, owner: bool) -> Leaves {
        let at = self.share_ptr();
        // SAFETY: the hold was there.
        let share = unsafe { at.as_ref() };
        let left = if owner { share.holds.drop_owner() } else { share.holds.drop_loan() };
        match left {
            Left::Held => Leaves::Nothing,
            Left::Unowned => Leaves::Cell(end_share(at)),
            Left::Wished { unowned } => {
                let (edge, looks_on) = share.told.told();
                Leaves::Told { edge, looks_on, unowned }
            }
        }
    }

    /// Whom `Leaves::Told` names was told: ends the reference that came with it. What is left of the cell.
    #[cold]
    pub(super) fn end_told(self, unowned: bool) -> Left {
        match (self.is_share(), unowned) {
            (true, true) => end_share(self.share_ptr()),
            (true, false) => {
                drop_ref(self.share_ptr());
                Left::Held
            }
            (false, true) => Left::Unowned,
            (false, false) => Left::Wished { unowned },
        }
    }

    /// The handle is about to take the value: a share of which nothing is lent ends, and the hold is the
    /// cell's own from now on.
    #[inline]
    pub(super) fn into_cell_hold(self) -> CellPtr {
        if self.is_share() {
            return self.end_own_share();
        }
        self.cell()
    }

    #[cold]
    #[inline(never)]
    fn end_own_share(self) -> CellPtr {
        // SAFETY: the handle is there.
        let &HandleShare { cell, ref holds, .. } = unsafe { self.share_ptr().as_ref() };
        if holds.is_only_owner() {
            // Nobody else knows it.
            free(self.share_ptr());
            return cell;
        }
        let left = holds.drop_owner();
        assert!(left == Left::Unowned, "a handle moved while its value was lent");
        drop_ref(self.share_ptr());
        cell
    }
}

/// Ends a share that nobody holds any more, and its hold on the cell. The caller has a reference to it.
fn end_share(at: NonNull<HandleShare>) -> Left {
    // SAFETY: the reference.
    let cell = unsafe { at.as_ref() }.cell;
    drop_ref(at);
    // SAFETY: the share was an owner of the cell.
    unsafe { cell.as_ref() }.holds.drop_owner()
}

/// Ends a reference to a share; whoever has the last one frees it. (*The last loan* reads whom to tell
/// after its step, when the handle may have seen that nothing is lent any more, and have gone.)
fn drop_ref(at: NonNull<HandleShare>) {
    // SAFETY: the caller's reference.
    if unsafe { at.as_ref() }.holds.drop_ref() {
        free(at);
    }
}

/// Gives a share's memory back, which nobody holds any more.
#[inline]
fn free(at: NonNull<HandleShare>) {
    const LAYOUT: Layout = Layout::new::<HandleShare>();
    #[cfg(test)]
    super::cell::LIVE.fetch_sub(1, crate::sync::Ordering::Relaxed);
    // SAFETY: the block was taken for this layout.
    unsafe { slab::put(at.cast(), const { slab::class_of(LAYOUT) }, LAYOUT) }
}
