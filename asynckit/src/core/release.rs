//! What follows when somebody who holds a cell leaves.
//!
//! A value is dropped where its last owner or loan ends, before that end returns: as a plain variable
//! would be. That is what lets values borrow from a scope.

use super::cell::{self, CellPtr, Header};
use super::clones::{self, Whom};
use super::complete;
use super::fail;
use super::holds::cloning::Begun;
use super::holds::{Left, Take};
use super::lists;
use super::share::{Holder, Leaves};
use super::trampoline::{self, Step};
use super::watchers;
use crate::error::Error;
use crate::sync::weakened;

/// Ends an owner's hold.
///
/// # Safety
/// The caller has it.
#[inline]
pub(super) unsafe fn drop_owner(holder: Holder) {
    // SAFETY: the caller's promise.
    unsafe {
        if !holder.is_share() {
            let cell = holder.cell();
            let header = cell.as_ref();
            // In this order: see `is_only_owner`.
            if weakened("only") && header.holds.is_only_owner() && header.outcome.is_closed() {
                return end(cell);
            }
            if header.outcome.is_closed() && header.holds.is_only_owner() {
                return end(cell);
            }
        }
        leave(holder, true);
    }
}

/// Ends a loan.
///
/// # Safety
/// The caller has it.
#[inline]
pub(super) unsafe fn drop_loan(holder: Holder) {
    // SAFETY: the caller's promise.
    unsafe {
        if !holder.is_share() {
            let cell = holder.cell();
            let header = cell.as_ref();
            if header.outcome.is_closed() && header.holds.is_only_loan() {
                return end(cell);
            }
        }
        leave(holder, false);
    }
}

/// Ends a loan at the end of a run: where that drops the value, it is done when the run's own result is
/// closed, so that nobody waits for a slow drop. Whether it is to be done then.
///
/// # Safety
/// The caller has the loan, and empties the trampoline's queue after the close.
#[inline]
pub(super) unsafe fn drop_loan_after_run(holder: Holder) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        if !holder.is_share() {
            let cell = holder.cell();
            let header = cell.as_ref();
            if header.holds.end_loan_among_others() {
                return false;
            }
            // Closed it is: the run has used its value.
            if header.holds.is_only_loan() {
                if header.table().drop_value.is_none() {
                    cell::free(cell);
                    return false;
                }
                if must_not_wait(header) {
                    end(cell);
                    return false;
                }
                trampoline::queue(Step::new(end_step, cell.as_ptr().cast(), 0));
                return true;
            }
        }
        follow_after_run(holder)
    }
}

/// Whether a value is to be dropped at once: it may borrow from the stack of the step that is running, and the queue is
/// emptied after that.
#[cold]
fn must_not_wait(header: &Header) -> bool {
    header.state.borrows() && trampoline::is_running()
}

/// As `drop_loan_after_run`, where that is more than a step on the word.
///
/// # Safety
/// Likewise.
#[cold]
#[inline(never)]
unsafe fn follow_after_run(holder: Holder) -> bool {
    /// # Safety
    /// As `complete::drop_unheld`.
    unsafe fn drop_unheld(cell: *mut (), _: usize) {
        // SAFETY: the caller's promise.
        unsafe { complete::drop_unheld(CellPtr::new_unchecked(cell.cast())) }
    }
    // SAFETY: the caller's promise; the cell is closed, as the run has used its value.
    unsafe {
        let cell = holder.cell();
        let leaves = holder.drop_loan();
        match tell(holder, leaves) {
            Left::Unowned | Left::Wished { unowned: true } if !must_not_wait(cell.as_ref()) => {
                trampoline::queue(Step::new(drop_unheld, cell.as_ptr().cast(), 0));
                true
            }
            left => {
                follow(cell, left);
                false
            }
        }
    }
}

/// Drops the outcome of a closed cell that is the caller's alone, and frees it.
///
/// # Safety
/// It is.
#[inline]
unsafe fn end(cell: CellPtr) {
    // SAFETY: the caller's promise.
    unsafe { complete::drop_step(cell, end_step) }
}

/// # Safety
/// A closed cell, which is the caller's alone.
unsafe fn end_step(cell: *mut (), _: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let cell = CellPtr::new_unchecked(cell.cast());
        cell::drop_outcome(cell);
        cell::free(cell);
    }
}

/// # Safety
/// The caller has the hold.
#[inline]
unsafe fn leave(holder: Holder, owner: bool) {
    let cell = holder.cell();
    let leaves = if owner { holder.drop_owner() } else { holder.drop_loan() };
    // SAFETY: the cell is there as far as the answers say.
    unsafe {
        follow_leaves(cell, holder, leaves);
    }
}

/// # Safety
/// `leaves` is what the end of a hold on the cell has answered.
#[inline]
unsafe fn follow_leaves(cell: CellPtr, holder: Holder, leaves: Leaves) {
    match leaves {
        Leaves::Nothing | Leaves::Cell(Left::Held) => {}
        // SAFETY: the caller's promise.
        leaves => unsafe { follow_told(cell, holder, leaves) },
    }
}

/// # Safety
/// `leaves` is what the end of a hold on the cell has answered.
#[cold]
#[inline(never)]
unsafe fn follow_told(cell: CellPtr, holder: Holder, leaves: Leaves) {
    // SAFETY: the caller's promise.
    unsafe { follow(cell, tell(holder, leaves)) }
}

/// Tells whoever waits for just this; what is left of the cell.
///
/// # Safety
/// `leaves` is what the end of a hold has answered.
unsafe fn tell(holder: Holder, leaves: Leaves) -> Left {
    match leaves {
        Leaves::Nothing => Left::Held,
        Leaves::Cell(left) => left,
        Leaves::Told { edge, looks_on, unowned } => {
            if edge != 0 {
                // SAFETY: the edge waits for this, and is named once.
                unsafe { complete::tell(edge) }
            }
            if looks_on {
                watchers::tell(holder.address(), watchers::CellEvent::Free);
            }
            holder.end_told(unowned)
        }
    }
}

/// # Safety
/// `left` is what the release of a hold on the cell has answered.
unsafe fn follow(cell: CellPtr, left: Left) {
    // SAFETY: the caller's promise.
    unsafe {
        match left {
            Left::Held => {}
            Left::Wished { unowned: false } => cell::drop_ref(cell),
            Left::Unowned | Left::Wished { unowned: true } => {
                // Who closes it will see this, or has closed it before.
                if cell.as_ref().outcome.unheld() {
                    complete::drop_unheld(cell);
                }
            }
        }
    }
}

/// Ends the hold of a task that will not run, and lets go of the cell. `cancelled`: if nobody else wants the
/// upstream, that need not run either.
///
/// # Safety
/// The caller has the hold.
#[cold]
pub(super) unsafe fn let_go(holder: Holder, owns: bool, cancelled: bool) {
    /// # Safety
    /// The caller has a reference.
    unsafe fn cancel(cell: *mut (), _: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let cell = CellPtr::new_unchecked(cell.cast());
            cell.as_ref().state.mark_unasked();
            let _ = fail::fail(cell, Error::cancelled(cell.as_ref().hop));
            cell::drop_ref(cell);
        }
    }
    /// # Safety
    /// The caller has a reference.
    unsafe fn sweep(cell: *mut (), _: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let cell = CellPtr::new_unchecked(cell.cast());
            lists::sweep(cell);
            cell::drop_ref(cell);
        }
    }
    // SAFETY: the caller's promise.
    unsafe {
        let cell = holder.cell();
        let header = cell.as_ref();
        if header.outcome.is_closed() {
            return if owns { drop_owner(holder) } else { drop_loan(holder) };
        }
        // The edge stays in the upstream's list until that is closed, or swept.
        let sweeps = header.state.note_dead();
        // To look at it once more. A step has a reference of its own: many may let go before the first comes.
        header.holds.add_ref();
        if owns {
            drop_owner(holder)
        } else {
            drop_loan(holder)
        }
        let cancels = cancelled && !header.holds.is_wanted();
        if sweeps && !cancels {
            header.holds.add_ref();
            trampoline::defer(Step::new(sweep, cell.as_ptr().cast(), 0));
        }
        if cancels {
            trampoline::defer(Step::new(cancel, cell.as_ptr().cast(), 0));
        } else {
            cell::drop_ref(cell);
        }
    }
}

/// The value and the memory of a cell.
///
/// # Safety
/// The cell is for a `T`, closed with a value, and the caller's alone.
#[inline]
pub(super) unsafe fn take_all<T>(cell: CellPtr) -> T {
    // SAFETY: the caller's promise.
    unsafe {
        let value = cell::value_ptr::<T>(cell).read();
        cell::free(cell);
        value
    }
}

/// The value of a cell, of which others keep the memory.
///
/// # Safety
/// The cell is for a `T` and closed with a value; the caller has the hold of an owner that was told `Sole`.
#[inline]
pub(super) unsafe fn take_value<T>(cell: CellPtr) -> T {
    // SAFETY: the caller's promise.
    unsafe {
        let value = cell::value_ptr::<T>(cell).read();
        if cell.as_ref().holds.end_taken() {
            cell::free(cell);
        }
        value
    }
}

/// The value of a cell that is closed with one, by an owner that has nothing lent: moved out by the last one,
/// else cloned.
///
/// # Safety
/// The cell is for a `T` and closed with a value; the caller has the owner's hold, which this ends.
#[inline]
pub(super) unsafe fn take<T>(holder: Holder) -> T {
    let cell = holder.into_cell_hold();
    // SAFETY: the caller's promise.
    unsafe {
        let header = cell.as_ref();
        match header.holds.take() {
            Take::Alone => take_all(cell),
            Take::Sole => take_value(cell),
            Take::Clone => take_or_clone(cell),
        }
    }
}

/// As `take`, of a cell that is closed, perhaps with a failure.
///
/// # Safety
/// Otherwise as `take`.
pub(super) unsafe fn take_outcome<T>(holder: Holder) -> Result<T, Error> {
    // SAFETY: the caller's promise.
    unsafe {
        match holder.cell().as_ref().error() {
            None => Ok(take(holder)),
            Some(error) => {
                let error = (*error).clone();
                drop_owner(holder);
                Err(error)
            }
        }
    }
}

/// # Safety
/// As `take`, where others own the value or look at it.
#[cold]
#[inline(never)]
unsafe fn take_or_clone<T>(cell: CellPtr) -> T {
    /// Ends the clone, also where it panics.
    struct End(CellPtr, Begun);
    impl Drop for End {
        #[inline]
        fn drop(&mut self) {
            // SAFETY: it was begun.
            unsafe {
                if !clones::end(self.0, self.1) {
                    end_in_full(self.0, self.1);
                }
            }
        }
    }
    /// # Safety
    /// As `clones::end_in_full`.
    #[cold]
    #[inline(never)]
    unsafe fn end_in_full(cell: CellPtr, begun: Begun) {
        // SAFETY: the caller's promise; the cell is there as far as `left` says; the edge, if any, waits for this,
        // and is named once.
        unsafe {
            let (left, last) = clones::end_in_full(cell, begun);
            if left != Left::Held {
                let leaves = Leaves::of_cell(cell.as_ref(), left);
                follow_leaves(cell, Holder::of_cell(cell), leaves);
            }
            match last {
                None => {}
                Some(Whom::Edge(edge)) => complete::tell(edge),
                Some(Whom::Watcher(at)) => watchers::tell(at, watchers::CellEvent::Free),
                Some(Whom::Thread(parker)) => parker.unpark(),
            }
        }
    }
    // SAFETY: the caller's promise: the value is there and stays, by the hold.
    unsafe {
        let end = match clones::begin(cell) {
            Begun::Takes => return take(Holder::of_cell(cell)),
            begun => End(cell, begun),
        };
        // There were two owners, so that the cloner is there, and it was made for this type.
        let cloner = cell.as_ref().cloner();
        assert!(!cloner.is_null(), "a value was to be cloned that nobody has cloned a handle of");
        let cloner = std::mem::transmute::<*mut (), fn(&T) -> T>(cloner);
        let value = cloner(&*cell::value_ptr::<T>(cell));
        drop(end);
        value
    }
}
