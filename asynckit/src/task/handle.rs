//! The ways to hold a cell: as an owner of its value, as a borrower, as somebody who only needs
//! the memory, and by the token that travels with the task.

use std::marker::PhantomData;
use std::mem;
use std::ops::Deref;
use std::ptr::NonNull;

use super::cell::{self, Steps, let_go};
use super::header::Header;
use super::holds::Take;
use super::job::Job;
use super::lease::Lease;
use super::slab;
use super::state::{Arrival, State};
use crate::error::{Error, Hop};
use crate::pool::Shared;
use crate::sync::{Ordering, fence};

/// Makes a kind of handle: a pointer, how it is held, and that it may go to other threads.
macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $release:ident) => {
        $(#[$doc])*
        pub(crate) struct $name(NonNull<Header>);

        // SAFETY: the header is made of atomics and of parts that never change while it is shared;
        // what else a cell has may go to other threads (`Work` and the results ask it of closures
        // and values), and the protocol gives it to one thread at a time.
        unsafe impl Send for $name {}
        // SAFETY: as above: a shared handle leads to the header alone.
        unsafe impl Sync for $name {}

        impl $name {
            /// # Safety
            /// The caller has a hold of this kind on the cell, and gives it to the handle.
            pub(super) unsafe fn from_raw(cell: NonNull<Header>) -> Self {
                $name(cell)
            }
        }

        impl Steps for $name {
            fn raw(&self) -> NonNull<Header> {
                self.0
            }
        }

        impl Deref for $name {
            type Target = Header;

            fn deref(&self) -> &Header {
                self.header()
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                let left = self.holds.$release();
                // SAFETY: the handle's hold was released just now, and it is gone after this.
                unsafe { let_go(self.0, left) }
            }
        }
    };
}

handle! {
    /// A reference: keeps the memory, not the value.
    TaskRef, drop_reference
}
handle! {
    /// An owner's right to the value.
    Owner, drop_owner
}
handle! {
    /// A borrow: keeps the value where it is.
    Borrow, drop_borrow
}
handle! {
    /// The task's own reference, of which there is one: whoever has it brings the task on its way,
    /// from its inputs to the queue to the thread that runs it. While inputs are missing it is
    /// *held back*: it exists only as the count of what lacks, and the last visit gets it.
    Token, drop_reference
}

/// What tells a pool's tasks from others' by the sheet.
pub(crate) struct Mark(u64);

impl Mark {
    pub(crate) fn new() -> Mark {
        Mark(slab::new_mark())
    }

    pub(super) fn bit(&self) -> u64 {
        self.0
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        slab::drop_mark(self.0);
    }
}

/// Which of a pool's tasks are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    /// Those that may have to wait, for inputs or for a waker: their memory is marked.
    MayWait,
}

/// The tasks of a pool that somebody holds. Those that may wait are there if they were submitted before
/// their submitter has learnt, in sequentially consistent order, what the caller did before.
pub(crate) fn tasks_of(pool: &Shared, which: Which) -> Vec<TaskRef> {
    let mark = (which == Which::MayWait).then(|| pool.mark.bit());
    let mut tasks = walk(mark, Some(pool));
    // Some may have become others since they were looked at. These are let go of after the walk.
    tasks.retain(|task| task.place().is_some_and(|place| place.is_of(pool)));
    tasks
}

/// As `tasks_of`, the tasks of all pools that may wait.
pub(crate) fn tasks_that_may_wait() -> Vec<TaskRef> {
    let mut tasks = walk(Some(slab::ANY_MARK), None);
    tasks.retain(|task| task.place().is_some());
    tasks
}

/// Holds what looks like a task, in the sheets with the mark; of one pool, or of any.
fn walk(mark: Option<u64>, pool: Option<&Shared>) -> Vec<TaskRef> {
    fence(Ordering::SeqCst);
    let mut tasks = Vec::new();
    slab::each_block(mark, |cell| {
        // SAFETY: blocks are cells, or memory for them, whose three words may be read.
        if unsafe { Header::hold_if_task(cell, pool) } {
            // SAFETY: the reference was added just now.
            tasks.push(unsafe { TaskRef::from_raw(cell) });
        }
    });
    tasks
}

impl Clone for TaskRef {
    fn clone(&self) -> TaskRef {
        self.holds.add_reference();
        TaskRef(self.0)
    }
}

impl Clone for Owner {
    fn clone(&self) -> Owner {
        self.holds.add_owner();
        Owner(self.0)
    }
}

impl Clone for Borrow {
    fn clone(&self) -> Borrow {
        self.holds.add_borrow();
        Borrow(self.0)
    }
}

impl Owner {
    pub(super) fn into_raw(self) -> NonNull<Header> {
        mem::ManuallyDrop::new(self).0
    }

    pub(super) fn as_raw(&self) -> NonNull<Header> {
        self.0
    }

    pub(crate) fn reference(&self) -> TaskRef {
        self.holds.add_reference();
        TaskRef(self.0)
    }

    /// Gives up ownership for a borrow where somebody else owns too: to clone.
    pub(super) fn into_borrow_by_take(self) -> Borrow {
        Borrow(self.into_raw())
    }
}

impl Owner {
    /// Whether this is the token of what it owns.
    pub(crate) fn is_of(&self, token: &Token) -> bool {
        self.0 == token.0
    }
}

impl TaskRef {
    pub(crate) fn is(&self, other: &TaskRef) -> bool {
        self.0 == other.0
    }

    pub(super) fn into_raw(self) -> NonNull<Header> {
        mem::ManuallyDrop::new(self).0
    }

    pub(crate) fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }

    /// The token of a suspended task, by whoever has ended its sleep (`State::wake`, or
    /// `State::seize` of a suspended one).
    pub(crate) fn token_of_suspended(&self) -> Token {
        Token(self.0)
    }

    /// A token, for a task that this thread has claimed.
    pub(crate) fn into_token(self) -> Token {
        Token(mem::ManuallyDrop::new(self).0)
    }
}

impl Token {
    /// The reference that a token is, for a task that is on its way no more.
    pub(crate) fn into_reference(self) -> TaskRef {
        TaskRef(mem::ManuallyDrop::new(self).0)
    }

    pub(crate) fn reference(&self) -> TaskRef {
        self.holds.add_reference();
        TaskRef(self.0)
    }

    /// Holds the token back: it comes again by `arrived` or `token_of_suspended`.
    pub(crate) fn hold_back(self) {
        mem::forget(self);
    }

    /// Counts an input as there.
    ///
    /// # Safety
    /// The task's token is held back, and one of what it lacks is the caller's to count.
    pub(super) unsafe fn arrived(cell: NonNull<Header>) -> Arrived {
        // SAFETY: the held back token keeps the cell until the last count.
        match unsafe { cell.as_ref() }.state.arrived() {
            Arrival::Lacking => Arrived::Lacking,
            Arrival::Last => Arrived::Last(Token(cell)),
            Arrival::Ready => Arrived::Ready(Token(cell)),
            Arrival::Visited => Arrived::Visited(Token(cell)),
        }
    }

    /// The inputs are tied: holds the token back, unless none is missing; see `State::tied`.
    pub(crate) fn tied(self, inputs: u32, there: u32, moves: bool) -> Option<Token> {
        let cell = mem::ManuallyDrop::new(self).0;
        // SAFETY: the caller's token keeps the cell until it is held back, just now.
        let arrival = unsafe { cell.as_ref() }.state.tied(inputs, there, moves);
        (arrival != Arrival::Lacking).then(|| Token(cell))
    }

    /// Values are lent that are to move in: holds the token back until they are free, unless they
    /// have become so meanwhile.
    pub(crate) fn wait_for_loans(self) -> Option<Token> {
        let cell = mem::ManuallyDrop::new(self).0;
        // SAFETY: as above.
        unsafe { cell.as_ref() }.state.prepared_in_part().then(|| Token(cell))
    }
}

/// What the arrival of an input came to.
#[must_use]
pub(crate) enum Arrived {
    Lacking,
    /// It was the last one: the task is to be prepared.
    Last(Token),
    /// It was the last one, and nothing is to be prepared: the task is to be queued.
    Ready(Token),
    /// It was the last one, and this thread visits the task to settle how values move in.
    Visited(Token),
}

/// A handle on a cell whose value is a `T`. Invariant in `T`: through a handle the value can be
/// both read and set.
pub(crate) struct Typed<H, T> {
    handle: H,
    value: PhantomData<fn(T) -> T>,
}

// SAFETY: the handle may go anywhere; the value goes with it (`T: Send`).
unsafe impl<H: Send, T: Send> Send for Typed<H, T> {}
// SAFETY: a shared typed handle gives `&T` only where a method asks for `T: Sync`, and moves the
// value only by handles of its own (`T: Send`).
unsafe impl<H: Sync, T: Send> Sync for Typed<H, T> {}

impl<H: Clone, T> Clone for Typed<H, T> {
    fn clone(&self) -> Self {
        Typed { handle: self.handle.clone(), value: PhantomData }
    }
}

impl<H, T> Deref for Typed<H, T> {
    type Target = H;

    fn deref(&self) -> &H {
        &self.handle
    }
}

/// Makes a cell whose value is a `T`.
pub(crate) fn allocate<T, J: Job<T>>(
    hop: Hop,
    place: Option<Lease>,
    state: State,
    job: J,
) -> (Typed<Owner, T>, Token) {
    let (owner, token) = cell::allocate::<T, J>(hop, place, state, job);
    (Typed { handle: owner, value: PhantomData }, token)
}

impl<H: Steps, T> Typed<H, T> {
    /// Writes the value; the caller has won the right to (`State::settle`), and closes the cell.
    pub(crate) fn write(&self, value: T) {
        // SAFETY: the cell's value is a `T` by this type's making.
        unsafe { cell::write_value(&self.handle, value) }
    }

    /// The outcome of a set cell, while this handle keeps it where it is.
    pub(crate) fn outcome(&self) -> Result<&T, &Error> {
        assert!(self.handle.header().is_set(), "a result was read before it was set");
        // SAFETY: the cell is closed and its value a `T`. An owner's value is taken only by value
        // of the last owner, and a borrower's not before the borrow ends.
        unsafe { cell::outcome::<T>(self.handle.raw()) }.as_ref()
    }
}

impl<T> Typed<Owner, T> {
    pub(crate) fn into_untyped(self) -> Owner {
        self.handle
    }

    /// Takes the value of a set cell, by its last owner when nobody borrows.
    pub(crate) fn take(self) -> Result<T, Error> {
        let owner = self.handle;
        assert!(owner.is_set(), "a value was taken before it was there");
        if !owner.state.is_failed() && owner.holds.end_sole_owner() {
            // Nobody else knows the cell any more.
            let cell = owner.into_raw();
            // SAFETY: the cell is closed and its value a `T`, and this thread is alone with it.
            return unsafe { cell::take_outcome_of_sole::<T>(cell) };
        }
        if let Some(error) = owner.error() {
            return Err(error.clone());
        }
        assert!(owner.holds.is_sole(), "a value was taken while others hold it: {:?}", owner.holds);
        assert!(owner.state.take_value(), "a value was taken twice");
        // SAFETY: the cell is closed, its value a `T`, and this thread alone has marked it taken.
        unsafe { cell::take_outcome::<T>(owner.raw()) }
    }

    /// As `take`, or a clone where there are other owners; nobody else borrows.
    pub(crate) fn take_or_clone(self) -> Result<T, Error> {
        if self.handle.state.is_failed() || self.holds.take() == Take::Itself {
            return self.take();
        }
        self.into_borrow().clone_value()
    }

    /// The borrow that this owner's right has become by `Take::Clone`.
    pub(crate) fn into_borrow(self) -> Typed<Borrow, T> {
        Typed { handle: self.handle.into_borrow_by_take(), value: PhantomData }
    }

    /// One more borrow of the value.
    pub(crate) fn borrow(&self) -> Typed<Borrow, T> {
        self.holds.add_borrow();
        Typed { handle: Borrow(self.raw()), value: PhantomData }
    }

    /// Remembers how the value is cloned, before there is a second owner.
    pub(crate) fn remember_clone(&self)
    where
        T: Clone + Sync,
    {
        let cloner: fn(&T) -> T = T::clone;
        self.set_cloner(cloner as *mut ());
    }
}

impl<T> Typed<Borrow, T> {
    /// Clones the value of a set cell for a handle that was cloned from another.
    ///
    /// # Panics
    /// Where `T::clone` does.
    pub(crate) fn clone_value(&self) -> Result<T, Error> {
        let value = self.outcome().map_err(Clone::clone)?;
        let cloner = self.cloner();
        assert!(!cloner.is_null(), "a value was to be cloned that nobody has cloned a handle of");
        // SAFETY: `remember_clone` alone stores this, and it stores a `fn(&T) -> T`.
        let cloner = unsafe { mem::transmute::<*mut (), fn(&T) -> T>(cloner) };
        Ok(cloner(value))
    }
}

/// Gives an edge's untyped hold its type back.
///
/// # Safety
/// The cell's value is a `T`.
pub(super) unsafe fn typed<H, T>(handle: H) -> Typed<H, T> {
    Typed { handle, value: PhantomData }
}
