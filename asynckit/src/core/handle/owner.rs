//! The ways to hold a value: to own it, to have it on loan, to set it.

use std::marker::PhantomData;
use std::mem::{ManuallyDrop, needs_drop};
use std::num::NonZeroUsize;
use std::ops::Deref;

use super::super::cell::{self, CellPtr, Header};
use super::super::complete;
use super::super::entry::Claimed;
use super::super::fail;
use super::super::here::KeptLoans;
use super::super::holds::Take;
use super::super::release;
use super::super::schedule::FewToHomes;
use super::super::share::Holder;
use super::super::state::Seize;
use super::super::watchers::{CellEvent, Watch, Watcher};
use super::TaskRef;
use crate::error::Error;

/// An owner's right to the value of a cell, which is a `T`. Invariant in it, as by a handle the value can be
/// both read and set.
pub(crate) struct Owner<T> {
    /// A holder, with the mark SETS: never zero, so that a result that may be missing is one word as well.
    word: NonZeroUsize,
    value: PhantomData<fn(T) -> T>,
}

/// In a handle's word: it may set the result.
const SETS: usize = 1;

/// A holder's word.
#[inline]
fn word_of(holder: Holder) -> NonZeroUsize {
    match NonZeroUsize::new(holder.into_word()) {
        Some(word) => word,
        None => unreachable!("a cell at no address"),
    }
}

// SAFETY: the handle may go anywhere; the value goes with it (`T: Send`).
unsafe impl<T: Send> Send for Owner<T> {}
// SAFETY: a shared handle gives `&T` only where a method asks for `T: Sync`, and moves the value only by
// handles of its own (`T: Send`).
unsafe impl<T: Send> Sync for Owner<T> {}

impl<T> Owner<T> {
    /// # Safety
    /// The caller has an owner's hold on a cell that is for a `T`.
    #[inline]
    pub(in crate::core) unsafe fn new(cell: CellPtr) -> Owner<T> {
        Owner { word: word_of(Holder::of_cell(cell)), value: PhantomData }
    }

    /// As `new`, of a cell that its handles may set, one of which this is.
    ///
    /// # Safety
    /// As `new`; the cell's state counts this handle.
    pub(in crate::core) unsafe fn setting(cell: CellPtr) -> Owner<T> {
        Owner { word: word_of(Holder::of_cell(cell)) | SETS, value: PhantomData }
    }

    #[inline]
    pub(in crate::core) fn holder(&self) -> Holder {
        // SAFETY: the word was a holder's, but for the mark.
        unsafe { Holder::from_word(self.word.get() & !SETS) }
    }

    /// The hold, without the right to set.
    #[inline]
    pub(in crate::core) fn into_holder(mut self) -> Holder {
        self.give_up_setting();
        ManuallyDrop::new(self).holder()
    }

    #[inline]
    pub(crate) fn may_set(&self) -> bool {
        self.word.get() & SETS != 0
    }

    /// From now on this handle can't set the result.
    #[inline]
    pub(crate) fn give_up_setting(&mut self) {
        if self.may_set() {
            self.word = word_of(self.holder());
            // SAFETY: the hold goes on; the right was this handle's.
            unsafe { fail::drop_setter(self.holder().cell()) }
        }
    }

    #[inline]
    pub(crate) fn cell(&self) -> CellPtr {
        self.holder().cell()
    }

    pub(crate) fn reference(&self) -> TaskRef {
        // SAFETY: the hold keeps the cell.
        unsafe { TaskRef::new(self.cell()) }
    }

    /// One more handle, with an account of its own.
    pub(crate) fn share(&self) -> Owner<T>
    where
        T: Clone + Sync,
    {
        let cloner: fn(&T) -> T = T::clone;
        self.set_cloner(cloner as *mut ());
        if self.may_set() {
            self.state.add_setter();
        }
        let word = word_of(Holder::share(self.cell()));
        Owner { word: word | (self.word.get() & SETS), value: PhantomData }
    }

    /// A loan of the value.
    pub(crate) fn lend(&self) -> Loan<T> {
        self.holder().add_loan();
        Loan { holder: self.holder(), value: PhantomData }
    }

    /// The outcome of a set cell.
    pub(crate) fn outcome(&self) -> Result<&T, Error> {
        assert!(self.is_set(), "a result was read before it was set");
        match self.error() {
            Some(error) => Err((*error).clone()),
            // SAFETY: the cell is closed with a value, which is a `T`, and stays as long as this owner does.
            None => Ok(unsafe { &*cell::value_ptr::<T>(self.cell()) }),
        }
    }

    /// Whether something that was lent by this handle is not back yet.
    #[inline]
    pub(crate) fn is_lent(&self) -> bool {
        self.holder().is_lent()
    }

    /// Takes the value where it is there, and nobody else owns or looks at it: the plain way.
    #[inline]
    pub(crate) fn take_alone(self) -> Result<T, Owner<T>> {
        let Some(cell) = self.plain_cell() else { return Err(self) };
        // SAFETY: the hold keeps the cell, which is for a `T`. What is there and nobody else's is taken once.
        unsafe {
            let header = cell.as_ref();
            // In this order: see `is_only_owner`.
            if header.outcome.is_plain_value() {
                match header.holds.take() {
                    Take::Alone => {
                        let _ = ManuallyDrop::new(self);
                        return Ok(release::take_all(cell));
                    }
                    Take::Sole => {
                        let _ = ManuallyDrop::new(self);
                        return Ok(release::take_value(cell));
                    }
                    Take::Clone => {}
                }
            }
        }
        Err(self)
    }

    /// The cell, where the handle holds it directly and can't set it.
    #[inline]
    fn plain_cell(&self) -> Option<CellPtr> {
        let word = self.word.get();
        // SAFETY: the word was a holder's, without the mark.
        (word & (SETS | Holder::MARKS) == 0).then(|| unsafe { Holder::from_word(word) }.cell())
    }

    /// Takes the value of a set cell, or a clone where others own it too, or the failure. Nothing of this
    /// handle's is lent.
    #[inline]
    pub(crate) fn take(self) -> Result<T, Error> {
        assert!(self.is_set(), "a value was taken before it was there");
        let holder = self.into_holder();
        // SAFETY: the cell is closed and for a `T`; the hold is used up. Of what is lent no value moves: that
        // is a clone then, or the caller has waited.
        unsafe { release::take_outcome(holder) }
    }

    /// # Safety
    /// The handle is not used after this.
    #[inline(never)]
    unsafe fn end(&mut self) {
        self.give_up_setting();
        // SAFETY: the hold is this one's; the caller's promise.
        unsafe { release::drop_owner(self.holder()) }
    }

    /// Claims the task where it is ready, as `TaskRef::claim`.
    pub(crate) fn claim(&self) -> Option<Claimed> {
        // SAFETY: the hold keeps the cell.
        unsafe { complete::claim_ready(self.cell()) }
    }

    /// Writes the value where nobody has set the result before; else hands it back.
    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        // SAFETY: the hold keeps the cell, which is for a `T`.
        unsafe { set(self.cell(), value) }
    }

    /// The account that its loans are on. Good as long as the handle is there.
    pub(crate) fn lender(&self) -> Lender {
        // SAFETY: the hold keeps the cell.
        unsafe { Lender::new(self.holder()) }
    }
}

/// A handle's account of what it has lent.
#[derive(Clone)]
pub(crate) struct Lender {
    pub(super) holder: Holder,
    /// Keeps the memory of the cell; that of a share is its handle's.
    task: TaskRef,
}

// SAFETY: it reads and changes counts, which are atomics, and never the value; the reference keeps the memory, and may be
// given back on any thread.
unsafe impl Send for Lender {}
// SAFETY: what is behind a `&Lender` are counts, which are atomics, and the cell's memory, which the reference keeps.
unsafe impl Sync for Lender {}

impl Lender {
    /// # Safety
    /// The caller has the holder's hold, and keeps it as long as this.
    pub(in crate::core) unsafe fn new(holder: Holder) -> Lender {
        // SAFETY: the caller's promise.
        Lender { holder, task: unsafe { TaskRef::new(holder.cell()) } }
    }

    pub(crate) fn task(&self) -> &TaskRef {
        &self.task
    }

    pub(crate) fn is_lent(&self) -> bool {
        self.holder.is_lent()
    }

    /// The account, to compare.
    pub(crate) fn account(&self) -> Account {
        Account { holder: self.holder, task: self.task.clone() }
    }

    /// Looks on until nothing is lent any more. Where that is so already nobody is told.
    pub(crate) fn watch(&self, watcher: Watcher) -> Watch {
        let watch = Watch::enter(self.holder.address(), CellEvent::Free, watcher);
        let _ = self.holder.wish(0);
        watch
    }

    /// Nobody looks on any more.
    pub(crate) fn ignore(&self) {
        let _ = self.holder.unwish();
    }
}

/// The account that loans are on, for who only compares it: its handle may be gone.
pub(crate) struct Account {
    holder: Holder,
    task: TaskRef,
}

impl Account {
    pub(in crate::core) fn holder(&self) -> Holder {
        self.holder
    }

    pub(crate) fn task(&self) -> &TaskRef {
        &self.task
    }

    /// Whether these loans are on it.
    pub(crate) fn has(&self, kept: &KeptLoans) -> bool {
        kept.is_from(self.holder)
    }
}

/// Sets a result that the program sets.
///
/// # Safety
/// The cell is for a `T`, and the caller has a hold.
unsafe fn set<T>(cell: CellPtr, value: T) -> Result<(), T> {
    // SAFETY: the caller's promise; who has seized a cell without work may write its value.
    unsafe {
        match cell.as_ref().state.seize() {
            Seize::Claimed => Err(value),
            Seize::Won(_) => {
                cell::value_ptr::<T>(cell).write(value);
                complete::close_with_value(cell, &mut FewToHomes::new());
                cell.as_ref().state.mark_over();
                Ok(())
            }
        }
    }
}

impl<T> Deref for Owner<T> {
    type Target = Header;

    #[inline]
    fn deref(&self) -> &Header {
        // SAFETY: the hold keeps the cell.
        unsafe { self.cell().as_ref() }
    }
}

impl<T> Drop for Owner<T> {
    #[inline]
    fn drop(&mut self) {
        // The plain way: nothing is to be dropped, and nobody else holds the cell.
        if !needs_drop::<T>()
            && let Some(cell) = self.plain_cell()
        {
            // SAFETY: the hold is this one's. In this order: see `is_only_owner`.
            unsafe {
                let header = cell.as_ref();
                if header.outcome.is_plain_value() && header.holds.is_only_owner() {
                    return cell::free(cell);
                }
            }
        }
        // SAFETY: it is being dropped.
        unsafe { self.end() }
    }
}

/// A loan of a cell's value, which is a `T`.
pub(crate) struct Loan<T> {
    holder: Holder,
    value: PhantomData<fn(T) -> T>,
}

// SAFETY: it leads to `&T`, and may be the one that drops the `T`.
unsafe impl<T: Send + Sync> Send for Loan<T> {}
// SAFETY: a `&Loan` leads to `&T` on several threads at once, which is what `T: Sync` allows.
unsafe impl<T: Send + Sync> Sync for Loan<T> {}

impl<T> Loan<T> {
    pub(crate) fn outcome(&self) -> Result<&T, Error> {
        // SAFETY: the loan keeps the cell.
        let header = unsafe { self.holder.cell().as_ref() };
        assert!(header.is_set(), "a result was read before it was set");
        match header.error() {
            Some(error) => Err((*error).clone()),
            // SAFETY: the cell is closed with a value, which is a `T`, and stays as long as the loan does.
            None => Ok(unsafe { &*cell::value_ptr::<T>(self.holder.cell()) }),
        }
    }
}

impl<T> Drop for Loan<T> {
    fn drop(&mut self) {
        // SAFETY: the loan is this one's.
        unsafe { release::drop_loan(self.holder) }
    }
}

/// The right to set a result, of which there is one.
pub(crate) struct Setting<T> {
    task: TaskRef,
    value: PhantomData<fn(T) -> T>,
}

impl<T> Setting<T> {
    /// # Safety
    /// The cell is for a `T`, and no work sets it.
    pub(in crate::core) unsafe fn new(task: TaskRef) -> Setting<T> {
        Setting { task, value: PhantomData }
    }

    pub(crate) fn task(&self) -> &TaskRef {
        &self.task
    }

    /// Writes the value where nobody has set the result before; else hands it back.
    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        // SAFETY: the reference keeps the cell, which is for a `T`.
        unsafe { set(self.task.raw(), value) }
    }
}

// SAFETY: the value goes through it.
unsafe impl<T: Send> Send for Setting<T> {}
// SAFETY: a `&Setting` lets many threads try to set the value, of which one does, by an atomic step: `T: Send` lets its
// value go to who gets it.
unsafe impl<T: Send> Sync for Setting<T> {}
