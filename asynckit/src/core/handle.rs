//! The ways to hold a cell, for the layers above: as an owner of its value, by a loan of it, by a
//! reference to its memory, and by the entry that goes with a task that is ready. They are safe to use.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;

use super::cell::{self, CellPtr, Header, Home, Kind};
use super::complete::{self, Schedule, ToHomes};
use super::entry::{Claimed, Entry};
use super::fail;
use super::hold;
use super::lists;
use super::observers::{Event, Observer, Watch};
use super::run;
use super::share::Holder;
use super::state::{Claim, Seize};
use crate::error::Error;
use crate::sync::weakened;

/// A reference: keeps the memory, not the value. Derefs to nothing but what is safe to look at.
pub(crate) struct TaskRef(CellPtr);

// SAFETY: what a reference leads to is atomic or never changes; what else a cell has goes to other threads only
// as `Work` and the results ask it of closures and values.
unsafe impl Send for TaskRef {}
// SAFETY: as above.
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

    /// Fails it, whether it has begun or not; whether this call did. What it needed is cancelled, too.
    pub(crate) fn give_up(&self, error: Error) -> bool {
        // SAFETY: the reference.
        !self.is_set() && unsafe { fail::fail(self.0, error) }
    }

    /// Fails it if it has not begun, or waits again.
    pub(crate) fn fail_waiting(&self, error: Error, cancelled: bool) -> bool {
        // SAFETY: the reference.
        unsafe { fail::fail_waiting(self.0, error, cancelled) }
    }

    /// Fails all tasks that wait for it and are of such a home; whether there were any.
    ///
    /// # Safety
    /// The homes of tasks for which `is_of` is true are alive.
    pub(super) unsafe fn fail_dependents(
        &self,
        is_of: &dyn Fn(&Header) -> bool,
        error: &dyn Fn(&Header) -> Error,
    ) -> bool {
        // SAFETY: the reference; the caller's promise.
        unsafe { lists::fail_dependents_of(self.0, is_of, &|cell| error(cell.as_ref())) }
    }

    /// Has a suspended task go on: its entry, where the caller ended its sleep.
    pub(crate) fn wake(&self) -> Option<Entry> {
        // SAFETY: who ends a task's sleep has its entry.
        self.state.wake().then(|| unsafe { Entry::new(self.0) })
    }

    /// Claims a task that is ready, wherever its entry is: that stays there, and finds the task taken.
    pub(crate) fn claim(&self) -> Option<Claimed> {
        // For its entry.
        self.holds.add_ref();
        match self.state.claim() {
            // SAFETY: the claim.
            Claim::Won { .. } => Some(unsafe { Claimed::new(self.0) }),
            Claim::Lost | Claim::Lacking => {
                // SAFETY: added just now.
                unsafe { cell::drop_ref(self.0) }
                None
            }
        }
    }

    /// The right to fail a result that no work sets, where nobody has set it before.
    pub(crate) fn claim_by_hand(&self) -> Option<Claimed> {
        match self.state.seize() {
            // SAFETY: who has seized a cell without work may close it.
            Seize::Won(_) => Some(unsafe { Claimed::new(self.0) }),
            Seize::Claimed => None,
        }
    }

    /// What a task waits for, as far as it is not there: each once, shown while the task can't begin.
    pub(crate) fn each_missing(&self, mut show: impl FnMut(TaskRef)) {
        if !self.state.visit() {
            return;
        }
        let mut seen = HashSet::new();
        let mut last = None;
        if self.kind() != Kind::ByHand {
            // SAFETY: the visit keeps the edges as they are, and an open edge its upstream.
            unsafe {
                (self.table().edges)(self.0, &mut |edge| {
                    if edge.is_open() && !edge.upstream().outcome.is_closed() {
                        let upstream = edge.holder().cell();
                        if last.replace(upstream) != Some(upstream) && seen.insert(upstream) {
                            show(TaskRef::new(upstream));
                        }
                    }
                });
            }
        }
        self.state.unvisit();
    }

    /// Whether it is to use what this handle has lent, or does, and is not done with it.
    pub(crate) fn borrows_from(&self, lender: &Lender) -> bool {
        let mut borrows = false;
        // SAFETY: the reference keeps the cell, and these edges are only compared.
        unsafe {
            let loans = self.table().loans;
            loans(self.0, &mut |edge| borrows |= edge.borrows_by(lender.holder));
        }
        borrows
    }

    /// The tasks that wait for it now.
    pub(crate) fn dependents(&self) -> Vec<TaskRef> {
        // SAFETY: the reference keeps the cell; each of these comes with one.
        unsafe { lists::dependents(self.0) }.into_iter().map(TaskRef).collect()
    }

    /// Looks on until it is set; `Err` hands the observer back where it is.
    pub(crate) fn watch(&self, observer: Observer) -> Result<Watch, Observer> {
        let mut watch = Watch::enter(self.address(), Event::Set, observer);
        // For the mark, if this is the first.
        self.holds.add_ref();
        let (looks_on, first) = self.outcome.observe();
        if !first {
            // SAFETY: added just now.
            unsafe { cell::drop_ref(self.0) }
        }
        if looks_on || weakened("observe") {
            return Ok(watch);
        }
        // Unless it was told in between.
        match watch.take() {
            Some(observer) => Err(observer),
            None => Ok(watch),
        }
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
        self.kind() == Kind::ByHand
    }

    /// Whether it ends by itself, after a time.
    pub(crate) fn is_timed(&self) -> bool {
        self.kind() == Kind::Timed
    }

    /// Whether nobody has begun it, and it could be.
    pub(crate) fn is_ready(&self) -> bool {
        self.state.is_ready()
    }

    /// Whether it lacks something.
    pub(crate) fn is_waiting(&self) -> bool {
        self.state.is_waiting()
    }

    /// Whether somebody runs it, or it is over.
    pub(crate) fn is_claimed(&self) -> bool {
        self.state.is_claimed()
    }

    /// Whether a hooked task is over: it runs no more, and nothing is left of its closure and inputs.
    pub(crate) fn is_over(&self) -> bool {
        self.state.is_over()
    }

    /// Whether it is done on the spot.
    pub(crate) fn is_immediate(&self) -> bool {
        self.state.is_immediate()
    }

    /// Whether there is something to see to when it is run.
    #[inline]
    pub(crate) fn is_special(&self) -> bool {
        self.state.is_special()
    }

    /// Its home's address, to compare.
    pub(crate) fn home_address(&self) -> *const Home {
        self.home()
    }
}

impl Entry {
    #[inline]
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: an entry keeps its task, by its being open or by a reference.
        unsafe { self.0.as_ref() }
    }

    pub(crate) fn reference(&self) -> TaskRef {
        // SAFETY: as above.
        unsafe { TaskRef::new(self.0) }
    }

    /// Whether it is this task's.
    #[inline]
    pub(crate) fn is_of(&self, task: CellPtr) -> bool {
        self.0 == task
    }

    /// The task, for who only compares it.
    #[inline]
    pub(crate) fn task(&self) -> CellPtr {
        self.0
    }

    /// Claims the task, unless somebody has: then there is nothing left to be done about it.
    #[inline]
    pub(crate) fn claim(self) -> Option<Claimed> {
        // SAFETY: the entry is used up.
        unsafe { complete::claim(self.0).then(|| Claimed::new(self.0)) }
    }
}

impl Claimed {
    #[inline]
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: a claimed task is open until who has claimed it is done.
        unsafe { self.0.as_ref() }
    }

    /// Runs it.
    ///
    /// # Safety
    /// Its home is alive meanwhile.
    #[inline]
    pub(super) unsafe fn run(self, to: &mut impl Schedule) {
        // SAFETY: the claim is used up; the caller's promise.
        unsafe { run::run_claimed(self.0, to) }
    }

    /// Fails it instead.
    pub(crate) fn fail(self, error: Error) {
        // SAFETY: the claim is used up.
        unsafe { fail::fail_claimed(self.0, error) }
    }
}

/// An owner's right to the value of a cell, which is a `T`. Invariant in it, as by a handle the value can be
/// both read and set.
pub(crate) struct Owner<T> {
    /// A holder, with the mark SETS.
    word: usize,
    value: PhantomData<fn(T) -> T>,
}

/// In a handle's word: it may set the result.
const SETS: usize = 1;

// SAFETY: the handle may go anywhere; the value goes with it (`T: Send`).
unsafe impl<T: Send> Send for Owner<T> {}
// SAFETY: a shared handle gives `&T` only where a method asks for `T: Sync`, and moves the value only by
// handles of its own (`T: Send`).
unsafe impl<T: Send> Sync for Owner<T> {}

impl<T> Owner<T> {
    /// # Safety
    /// The caller has an owner's hold on a cell that is for a `T`.
    #[inline]
    pub(super) unsafe fn new(cell: CellPtr) -> Owner<T> {
        Owner { word: Holder::of_cell(cell).into_word(), value: PhantomData }
    }

    /// As `new`, of a cell that its handles may set, one of which this is.
    ///
    /// # Safety
    /// As `new`; the cell's state counts this handle.
    pub(super) unsafe fn setting(cell: CellPtr) -> Owner<T> {
        Owner { word: Holder::of_cell(cell).into_word() | SETS, value: PhantomData }
    }

    #[inline]
    pub(super) fn holder(&self) -> Holder {
        // SAFETY: the word was a holder's, but for the mark.
        unsafe { Holder::from_word(self.word & !SETS) }
    }

    /// The hold, without the right to set.
    #[inline]
    pub(super) fn into_holder(mut self) -> Holder {
        self.give_up_setting();
        ManuallyDrop::new(self).holder()
    }

    #[inline]
    pub(crate) fn may_set(&self) -> bool {
        self.word & SETS != 0
    }

    /// From now on this handle can't set the result.
    #[inline]
    pub(crate) fn give_up_setting(&mut self) {
        if self.may_set() {
            self.word &= !SETS;
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
        let word = Holder::share(self.cell()).into_word();
        Owner { word: word | (self.word & SETS), value: PhantomData }
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

    /// Takes the value of a set cell, or a clone where others own it too, or the failure. Nothing of this
    /// handle's is lent.
    #[inline]
    pub(crate) fn take(self) -> Result<T, Error> {
        assert!(self.is_set(), "a value was taken before it was there");
        let holder = self.into_holder();
        // SAFETY: the cell is closed and for a `T`; the hold is used up. Of what is lent no value moves: that
        // is a clone then, or the caller has waited.
        unsafe { hold::take_outcome(holder) }
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
    holder: Holder,
    /// Keeps the memory of the cell; that of a share is its handle's.
    task: TaskRef,
}

// SAFETY: as for `TaskRef`.
unsafe impl Send for Lender {}
// SAFETY: as above.
unsafe impl Sync for Lender {}

impl Lender {
    /// # Safety
    /// The caller has the holder's hold, and keeps it as long as this.
    pub(super) unsafe fn new(holder: Holder) -> Lender {
        // SAFETY: the caller's promise.
        Lender { holder, task: unsafe { TaskRef::new(holder.cell()) } }
    }

    pub(crate) fn task(&self) -> &TaskRef {
        &self.task
    }

    pub(crate) fn is_lent(&self) -> bool {
        self.holder.is_lent()
    }

    /// Whether these loans are of this handle.
    pub(crate) fn lends(&self, kept: &super::here::Kept) -> bool {
        kept.is_from(self.holder)
    }

    /// Looks on until nothing is lent any more. Where that is so already nobody is told.
    pub(crate) fn watch(&self, observer: Observer) -> Watch {
        let watch = Watch::enter(self.holder.address(), Event::Free, observer);
        let _ = self.holder.wish(0);
        watch
    }

    /// Nobody looks on any more.
    pub(crate) fn ignore(&self) {
        let _ = self.holder.unwish();
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
                complete::close_with_value(cell, &mut ToHomes);
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
        self.give_up_setting();
        // SAFETY: the hold is this one's.
        unsafe { hold::drop_owner(self.holder()) }
    }
}

/// A loan of a cell's value, which is a `T`.
pub(crate) struct Loan<T> {
    holder: Holder,
    value: PhantomData<fn(T) -> T>,
}

// SAFETY: it leads to `&T`, and may be the one that drops the `T`.
unsafe impl<T: Send + Sync> Send for Loan<T> {}
// SAFETY: likewise.
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
        unsafe { hold::drop_loan(self.holder) }
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
    pub(super) unsafe fn new(task: TaskRef) -> Setting<T> {
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
// SAFETY: as for `Owner`.
unsafe impl<T: Send> Sync for Setting<T> {}
