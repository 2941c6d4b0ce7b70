//! The cell: one allocation that holds a task's closure and inputs, its result, and the list of
//! those who wait for it.

use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::panic::Location;
use std::ptr::NonNull;

use super::edge::VisitEdges;
use super::handle::{Owner, TaskRef, Token};
use super::header::{Facts, Header};
use super::holds::Left;
use super::job::{Job, Step};
use super::lease::Lease;
use super::slab;
use super::state::State;
use crate::continuation;
use crate::error::{Error, Hop};
use crate::future::Sleep;
use crate::panic;

/// What a cell's types are needed for. Each is generic in as little as can be: a program has many
/// closures, and these functions once for each.
pub(super) struct VTable {
    edges: unsafe fn(NonNull<Header>, VisitEdges<'_>),
    run: unsafe fn(NonNull<Header>, in_place: bool) -> Ran,
    withdraw: unsafe fn(NonNull<Header>, cancelled: bool),
    release: unsafe fn(NonNull<Header>, cancelled: bool),
    sleep: unsafe fn(NonNull<Header>) -> Option<NonNull<Sleep>>,
    write_error: unsafe fn(NonNull<Header>, Error),
    error: unsafe fn(NonNull<Header>) -> Option<NonNull<Error>>,
    drop_value: unsafe fn(NonNull<Header>),
    free: unsafe fn(NonNull<Header>),
    pub(super) facts: Facts,
}

/// The part that depends on the value's type alone.
#[repr(C)]
struct Slot<T> {
    header: Header,
    outcome: UnsafeCell<MaybeUninit<Result<T, Error>>>,
}

#[repr(C)]
struct Task<T, J> {
    slot: Slot<T>,
    job: J,
}

/// How a run came out.
#[must_use]
pub(crate) enum Ran {
    /// The outcome is settled; the cell has to be closed, unless somebody else did both before.
    /// `used_up`: nothing is left of its closure and inputs; else the caller disposes of these.
    Settled { first: bool, used_up: bool },
    /// The work returned a result, and goes on when that one is set.
    Forwards,
    /// A future is pending.
    Pending,
}

struct TableOf<T, J>(std::marker::PhantomData<(T, J)>);

impl<T, J: Job<T>> TableOf<T, J> {
    const TABLE: VTable = VTable {
        edges: edges::<T, J>,
        run: run::<T, J>,
        withdraw: withdraw::<T, J>,
        release: release::<T, J>,
        sleep: sleep::<T, J>,
        write_error: write_error::<T>,
        error: error::<T>,
        drop_value: drop_value::<T>,
        free: free::<T, J>,
        facts: Facts {
            size: slab::size_of_layout(Layout::new::<Task<T, J>>()),
            value_has_drop: std::mem::needs_drop::<T>(),
            is_simple: J::SIMPLE,
            waits: J::WAITS,
            is_manual: J::MANUAL,
            is_immediate: J::IMMEDIATE,
            cancels_inputs: J::CANCELS,
            continues: J::CONTINUES,
            is_timed: J::TIMED,
            is_set_by_hand: J::BY_HAND,
            is_of_scope: J::OF_SCOPE,
        },
    };
}

/// Makes a cell, with one owner and the task's token.
pub(crate) fn allocate<T, J: Job<T>>(
    hop: Hop,
    place: Option<Lease>,
    state: State,
    job: J,
) -> (Owner, Token) {
    let task: NonNull<Task<T, J>> = slab::take();
    let cell: NonNull<Header> = task.cast();
    // SAFETY: the memory is a task's, and nobody else knows what will be there.
    unsafe {
        (&raw mut (*task.as_ptr()).job).write(job);
        Header::begin(cell, const { &TableOf::<T, J>::TABLE }, state, hop);
        if let Some(place) = place {
            cell.as_ref().name_place(place);
        }
        (Owner::from_raw(cell), Token::from_raw(cell))
    }
}

/// # Safety
/// `cell` is a live `Task<T, J>`; for these five the types are those of its table, and the caller
/// has its claim or visits it.
unsafe fn edges<T, J: Job<T>>(cell: NonNull<Header>, visit: VisitEdges<'_>) {
    // SAFETY: the caller's promise; jobs are only ever lent as `&`.
    unsafe { &(*cell.cast::<Task<T, J>>().as_ptr()).job }.edges(visit);
}

unsafe fn withdraw<T, J: Job<T>>(cell: NonNull<Header>, cancelled: bool) {
    // SAFETY: as above.
    unsafe { &(*cell.cast::<Task<T, J>>().as_ptr()).job }.withdraw(cancelled);
}

unsafe fn release<T, J: Job<T>>(cell: NonNull<Header>, cancelled: bool) {
    // SAFETY: as above.
    unsafe { &(*cell.cast::<Task<T, J>>().as_ptr()).job }.release(cancelled);
}

unsafe fn sleep<T, J: Job<T>>(cell: NonNull<Header>) -> Option<NonNull<Sleep>> {
    // SAFETY: as above.
    unsafe { &(*cell.cast::<Task<T, J>>().as_ptr()).job }.sleep().map(NonNull::from)
}

unsafe fn run<T, J: Job<T>>(cell: NonNull<Header>, in_place: bool) -> Ran {
    // SAFETY: as above.
    let (header, job) = unsafe { (cell.as_ref(), &(*cell.cast::<Task<T, J>>().as_ptr()).job) };
    // Few names for the outcome: it may be large, and each is a place on the stack below the work.
    let step = if in_place { job.run_in_place(header) } else { job.run(header) };
    match &step {
        Step::Forwards => Ran::Forwards,
        Step::Pending => Ran::Pending,
        // SAFETY: the types are the cell's, and the work is its own.
        Step::Done(_) | Step::UsedUp(_) => unsafe { conclude(cell, step) },
    }
}

/// Ends a run, and writes the outcome, unless somebody has settled the cell before: then it is
/// dropped unseen.
///
/// # Safety
/// The cell's value is a `T`.
unsafe fn conclude<T>(cell: NonNull<Header>, step: Step<T>) -> Ran {
    let (outcome, used_up) = match step {
        Step::Done(outcome) => (outcome, false),
        Step::UsedUp(outcome) => (outcome, true),
        Step::Forwards | Step::Pending => unreachable!("a run ends with an outcome"),
    };
    // SAFETY: the caller's promise.
    let first = unsafe { cell.as_ref() }.state.conclude(outcome.is_err());
    if first {
        // SAFETY: the right to write was just won, and nobody reads before the cell is closed.
        unsafe { (*(*cell.cast::<Slot<T>>().as_ptr()).outcome.get()).write(outcome) };
    }
    Ran::Settled { first, used_up }
}

/// # Safety
/// The cell's value is a `T`, and the caller has the right to write the outcome.
unsafe fn write_error<T>(cell: NonNull<Header>, error: Error) {
    // SAFETY: the caller's promise; nobody reads before the cell is closed.
    unsafe { (*(*cell.cast::<Slot<T>>().as_ptr()).outcome.get()).write(Err(error)) };
}

/// # Safety
/// The cell's value is a `T`, and the cell is closed.
unsafe fn error<T>(cell: NonNull<Header>) -> Option<NonNull<Error>> {
    // SAFETY: a closed cell's outcome is written; an error stays until the cell is freed.
    unsafe {
        if !cell.as_ref().state.is_failed() {
            return None;
        }
        let outcome = (*(*cell.cast::<Slot<T>>().as_ptr()).outcome.get()).assume_init_ref();
        outcome.as_ref().err().map(NonNull::from)
    }
}

/// # Safety
/// The cell's value is a `T`, the cell is closed, and the caller alone has marked it as taken.
unsafe fn drop_value<T>(cell: NonNull<Header>) {
    // SAFETY: the caller's promise.
    unsafe { (*(*cell.cast::<Slot<T>>().as_ptr()).outcome.get()).assume_init_drop() }
}

/// # Safety
/// Nobody holds the cell, and its outcome is gone or was never written.
unsafe fn free<T, J>(cell: NonNull<Header>) {
    let task: NonNull<Task<T, J>> = cell.cast();
    /// Gives the memory back even where the job's drop panics.
    struct Memory<C>(NonNull<C>);
    impl<C> Drop for Memory<C> {
        fn drop(&mut self) {
            // SAFETY: the caller's promise.
            unsafe { slab::put(self.0) }
        }
    }
    // SAFETY: the cell came from `allocate`, with these types, and what is dropped here is used no
    // more. The rest of it has no drop.
    unsafe {
        let memory = Memory(task);
        cell.as_ref().give_up_place();
        (&raw mut (*task.as_ptr()).job).drop_in_place();
        drop(memory);
    }
}

/// What follows when a holder has left.
///
/// # Safety
/// `left` is the answer to the release of a hold on `cell`, which the caller uses no more.
pub(crate) unsafe fn let_go(cell: NonNull<Header>, left: Left) {
    match left {
        Left::Held => {}
        // SAFETY: nobody else is left, so that the cell may be freed, now or soon. Freeing it calls no
        // foreign code where it was closed, which leaves nothing of the job, and no value is there
        // that has a drop.
        Left::Nobody => unsafe {
            let header = cell.as_ref();
            if header.is_set() && !header.has_value_to_drop() {
                (header.vtable.free)(cell);
            } else {
                continuation::free(Remains::new(cell));
            }
        },
        Left::FreeToTake => {
            // SAFETY: this answer comes with a reference, which keeps the cell.
            let cell = unsafe { TaskRef::from_raw(cell) };
            continuation::tell_free(&cell);
        }
        Left::Unowned => {
            // SAFETY: likewise.
            let cell = unsafe { TaskRef::from_raw(cell) };
            // There may be nothing to it, which the last reference does on the side.
            if !cell.is_set() || cell.has_value_to_drop() {
                continuation::unowned(cell);
            }
        }
    }
}

/// A cell that nobody holds any more. Dropping it frees it, with the value.
pub(crate) struct Remains(NonNull<Header>);

// SAFETY: cells are made of parts that may go to other threads: `Work` and the results ask it of
// closures and values.
unsafe impl Send for Remains {}

impl Remains {
    /// # Safety
    /// The last hold on the cell was released.
    unsafe fn new(cell: NonNull<Header>) -> Remains {
        Remains(cell)
    }

    /// Whether there is a value that may borrow.
    pub(crate) fn is_of_scope(&self) -> bool {
        // SAFETY: the cell is there until it is freed, by the drop.
        unsafe { self.0.as_ref() }.is_of_scope()
    }
}

impl Drop for Remains {
    fn drop(&mut self) {
        // SAFETY: nobody else has the cell. The table's types are the cell's own.
        unsafe {
            let header = self.0.as_ref();
            let table = header.vtable;
            if header.is_set() && header.has_value_to_drop() {
                foreign(|| (table.drop_value)(self.0));
            }
            foreign(|| (table.free)(self.0));
        }
    }
}

/// The steps that need the cell's types. Each handle on a cell has them.
pub(crate) trait Steps {
    fn raw(&self) -> NonNull<Header>;

    fn header(&self) -> &Header {
        // SAFETY: a handle keeps its cell.
        unsafe { self.raw().as_ref() }
    }

    /// The failure of a cell that is set, for who owns or borrows it; or that is about to be
    /// closed, for who has settled it.
    fn error(&self) -> Option<&Error> {
        if !self.header().state.is_failed() {
            return None;
        }
        // SAFETY: the caller is one of those above, and the table's type is the cell's own; a failed
        // outcome stays as long as anybody owns or borrows, and until the close.
        unsafe { (self.header().vtable.error)(self.raw()).map(|error| error.as_ref()) }
    }
}

/// Shows the edges of a task that the caller visits or has claimed.
pub(crate) fn each_edge(task: &impl Steps, mut visit: impl FnMut(&super::edge::Edge)) {
    // SAFETY: a handle keeps the cell; that it is visited or claimed is the protocol's part.
    unsafe { (task.header().vtable.edges)(task.raw(), &mut visit) }
}

/// Shows what is known of a pending future, if the task is one that waits.
pub(crate) fn with_sleep<R>(task: &impl Steps, show: impl FnOnce(&Sleep) -> R) -> Option<R> {
    let header = task.header();
    if !header.state.is_waiting() || !header.state.visit() {
        return None;
    }
    // SAFETY: a handle keeps the cell, and the task is visited until the end of this function.
    let shown = unsafe { (header.vtable.sleep)(task.raw()).map(|sleep| show(sleep.as_ref())) };
    header.state.unvisit();
    shown
}

/// Runs a claimed task, up to its outcome or its next wait.
pub(crate) fn run_claimed(task: &impl Steps, in_place: bool) -> Ran {
    let (cell, header) = (task.raw(), task.header());
    // SAFETY: as above.
    let run = || unsafe { (header.vtable.run)(cell, in_place) };
    let ran = continuation::foreign_call(|| panic::catch(run));
    ran.unwrap_or_else(|payload| {
        // It was the work that panicked, or the drop of a value that came too late.
        let first = header.state.conclude(true);
        if first {
            write_failure(task, Error::panicked(header.hop, payload, header.hook()));
        } else {
            continuation::foreign(|| panic::discard(payload));
        }
        Ran::Settled { first, used_up: false }
    })
}

/// Lets go of inputs, before the rest of a task that was kept from running is disposed of.
pub(crate) fn let_go_of_inputs(task: &impl Steps, cancelled: bool) {
    // SAFETY: a handle keeps the cell; that it was seized is the protocol's part.
    unsafe { (task.header().vtable.withdraw)(task.raw(), cancelled) }
}

/// Drops what is left of closure and inputs: all of it where a task was kept from running.
pub(crate) fn dispose_of(task: &impl Steps, cancelled: bool) {
    // A drop that panics must not keep the rest from being dropped. Each part is taken out before
    // it is dropped, so that every round gets further.
    // SAFETY: as above: whoever has run or seized a task disposes of it.
    let release = || unsafe { (task.header().vtable.release)(task.raw(), cancelled) };
    while foreign(release).is_none() {}
}

/// Writes a failure where the caller has won the right to.
pub(crate) fn write_failure(task: &impl Steps, error: Error) {
    // SAFETY: `State::settle` gives the right to one.
    unsafe { (task.header().vtable.write_error)(task.raw(), error) }
}

/// Calls foreign code whose panic concerns nobody; `None` where it panicked.
fn foreign<R>(f: impl FnOnce() -> R) -> Option<R> {
    continuation::foreign(|| panic::contain(f))
}

/// Ends the part of whoever has closed a cell: the value goes where nobody owns or borrows it.
pub(crate) fn end_close(closed: TaskRef) {
    match closed.holds.drop_closers_reference() {
        Left::Unowned => drop_unowned(&closed),
        left => {
            let cell = closed.into_raw();
            // SAFETY: the handle's reference was released just now.
            unsafe { let_go(cell, left) }
        }
    }
}

/// Drops the value of a cell that nobody owns or borrows any more, if it is closed. Whoever closes
/// it and whoever lets go of it last both look.
pub(crate) fn drop_unowned(task: &impl Steps) {
    let header = task.header();
    if !header.holds.is_owned() && header.is_set() && header.state.take_value() {
        // SAFETY: the cell is closed, nobody can become its owner again, and this thread alone
        // has marked the value as taken.
        foreign(|| unsafe { (header.vtable.drop_value)(task.raw()) });
    }
}

/// Submits work that nobody else knows yet to its place.
pub(crate) fn submit_at(token: &Token, place: Lease, state: State) {
    assert!(token.place().is_none() && !token.is_set(), "work is submitted once");
    token.state.begin(state);
    token.name_place(place);
}

/// Writes a value where the caller has won the right to.
///
/// # Safety
/// The cell's value is a `T`.
pub(crate) unsafe fn write_value<T>(task: &impl Steps, value: T) {
    // SAFETY: the caller's promise; `State::settle` gives the right to one.
    unsafe { (*(*task.raw().cast::<Slot<T>>().as_ptr()).outcome.get()).write(Ok(value)) };
}

/// The outcome of a closed cell whose value is there.
///
/// # Safety
/// The cell's value is a `T`, the cell is closed, and the value is not taken while the answer
/// lives.
pub(crate) unsafe fn outcome<'a, T>(cell: NonNull<Header>) -> &'a Result<T, Error> {
    // SAFETY: the caller's promise.
    unsafe { (*(*cell.cast::<Slot<T>>().as_ptr()).outcome.get()).assume_init_ref() }
}

/// Moves the value out of a closed cell.
///
/// # Safety
/// The cell's value is a `T`, the cell is closed, and the caller alone has marked it as taken.
pub(crate) unsafe fn take_outcome<T>(cell: NonNull<Header>) -> Result<T, Error> {
    // SAFETY: the caller's promise.
    unsafe { (*(*cell.cast::<Slot<T>>().as_ptr()).outcome.get()).assume_init_read() }
}

/// Moves the value out of a closed cell that nobody else knows, and frees the cell.
///
/// # Safety
/// The cell's value is a `T`; the cell is closed and not failed, its value was not taken, and the
/// caller has ended the only hold on it.
pub(crate) unsafe fn take_outcome_of_sole<T>(cell: NonNull<Header>) -> Result<T, Error> {
    // SAFETY: the caller's promise. Of a closed cell's job nothing is left, so that freeing it calls
    // no foreign code, and the value is not dropped with it.
    unsafe {
        let outcome = take_outcome::<T>(cell);
        (cell.as_ref().vtable.free)(cell);
        outcome
    }
}

/// A call site, for a hop.
pub(crate) type At = &'static Location<'static>;
