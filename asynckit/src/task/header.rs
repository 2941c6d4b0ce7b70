//! What every cell begins with, whatever its types are: the words of the protocol, and what is known of
//! the task without them.

use std::ptr::NonNull;

use super::cell::VTable;
use super::holds::Holds;
use super::lease::Lease;
use super::slab;
use super::state::State;
use super::waiters::Waiters;
use crate::error::Hop;
use crate::pool::{Place, Shared};
use crate::sync::{AtomicPtr, Ordering};
use crate::trace::Trace;

/// What every cell begins with, whatever its types are.
#[repr(C)]
pub(crate) struct Header {
    pub(super) vtable: &'static VTable,
    pub(crate) waiters: Waiters,
    /// Zero while the memory is no cell: see `slab.rs`.
    pub(crate) holds: Holds,
    pub(crate) state: State,
    /// The name of the work and the place of its call.
    pub(crate) hop: Hop,
    /// Where it runs: a lease, or null where that is nowhere, and while it was not submitted.
    place: AtomicPtr<Place>,
    /// `fn(&T) -> T`, once somebody has cloned a handle.
    cloner: AtomicPtr<()>,
    /// The work's span, from its submission to its end; of no size without the feature `tracing`.
    pub(crate) trace: Trace,
}

const _: () = {
    let larger = cfg!(asynckit_loom) || cfg!(feature = "tracing");
    assert!(larger || size_of::<Header>() <= 64, "a line of the cache");
};

/// What is known of all cells of a type.
pub(super) struct Facts {
    /// Which size of blocks its memory has, unless it has been allocated by itself.
    pub(super) size: Option<usize>,
    pub(super) value_has_drop: bool,
    pub(super) is_simple: bool,
    pub(super) waits: bool,
    pub(super) is_manual: bool,
    pub(super) is_immediate: bool,
    pub(super) cancels_inputs: bool,
    pub(super) continues: bool,
    pub(super) is_timed: bool,
    pub(super) is_set_by_hand: bool,
    pub(super) is_of_scope: bool,
}

impl Header {
    /// Makes a cell, with one owner and one reference.
    ///
    /// # Safety
    /// `cell` is a block for a cell of the table's type, and what else the cell has is there. The block
    /// is the caller's, though walkers may look at its state, its holds and its place: these are not
    /// written but atomically, the holds when all the rest is there.
    pub(super) unsafe fn begin(
        cell: NonNull<Header>,
        vtable: &'static VTable,
        state: State,
        hop: Hop,
    ) {
        let header = cell.as_ptr();
        // SAFETY: the caller's promise.
        unsafe {
            (&raw mut (*header).vtable).write(vtable);
            (&raw mut (*header).waiters).write(Waiters::new());
            (*header).state.begin(state);
            (&raw mut (*header).hop).write(hop);
            (&raw mut (*header).cloner).write(AtomicPtr::new(std::ptr::null_mut()));
            (&raw mut (*header).trace).write(Trace::new());
            (*header).holds.begin(1, 1);
        }
    }

    /// Where the task runs; nowhere for one that completes on the spot, for work that was not
    /// submitted, and for a result that is no task at all.
    pub(crate) fn place(&self) -> Option<&Place> {
        // ORDERING: Acquire pairs with `name_place`, for walkers.
        let place = self.place.load(Ordering::Acquire);
        // SAFETY: the cell has a lease on it until it is freed.
        unsafe { place.as_ref() }
    }

    /// One more lease on the task's place.
    pub(crate) fn lease(&self) -> Option<Lease> {
        let place = NonNull::new(self.place.load(Ordering::Acquire))?;
        // SAFETY: the cell has a lease on it until it is freed.
        Some(unsafe { Lease::another(place) })
    }

    /// From now on walkers find the task.
    pub(super) fn name_place(&self, place: Lease) {
        // Nobody looks for tasks that never wait.
        if !self.vtable.facts.is_simple
            && let Some(size) = self.vtable.facts.size
        {
            slab::mark(NonNull::from(self), size, place.pool().mark.bit());
        }
        // ORDERING: Release, to `place`. What makes sure that walkers see it in time is the step on the
        // state by which the task comes to wait: see `hold_if_task`.
        self.place.store(place.into_raw(), Ordering::Release);
    }

    /// # Safety
    /// Nobody holds the cell.
    pub(super) unsafe fn give_up_place(&self) {
        let place = self.place.load(Ordering::Relaxed);
        if let Some(place) = NonNull::new(place) {
            // ORDERING: Relaxed: a walker that comes too late finds no holds.
            self.place.store(std::ptr::null_mut(), Ordering::Relaxed);
            // SAFETY: the cell had this lease.
            drop(unsafe { Lease::from_raw(place) });
        }
    }

    /// Adds a reference to what may be a live task, of this pool or of any; false where it is none.
    ///
    /// # Safety
    /// `cell` is a block of the slab.
    pub(super) unsafe fn hold_if_task(cell: NonNull<Header>, pool: Option<&Shared>) -> bool {
        // SAFETY: these words are valid in every block and never written but atomically.
        let (state, place, holds) =
            unsafe { (&(*cell.as_ptr()).state, &(*cell.as_ptr()).place, &(*cell.as_ptr()).holds) };
        // ORDERING: Acquire pairs with the SeqCst step by which a task comes to wait (`State::tied`,
        // `State::suspend`): its place was named before. The caller has fenced, so that either that
        // step is seen here, or the task's thread has seen after it what the caller did before.
        let _ = state.is_waiting();
        // ORDERING: Acquire pairs with `name_place`: the holds are seen as they were by then.
        let Some(place) = NonNull::new(place.load(Ordering::Acquire)) else {
            return false;
        };
        // SAFETY: a cell's place is a lease, or was one.
        let is_of = |pool| unsafe { Lease::is_of(place, pool) };
        pool.is_none_or(is_of) && holds.try_add_reference()
    }

    /// Makes the words zero that walkers look at.
    ///
    /// # Safety
    /// `cell` is memory for a cell that nobody else knows.
    pub(super) unsafe fn clear(cell: NonNull<Header>) {
        // SAFETY: the caller's promise; zero is a value of the holds.
        unsafe {
            (&raw mut (*cell.as_ptr()).place).write(AtomicPtr::new(std::ptr::null_mut()));
            (&raw mut (*cell.as_ptr()).holds).write(std::mem::zeroed());
            (&raw mut (*cell.as_ptr()).state).write(State::unsubmitted());
        }
    }

    pub(crate) fn hook(&self) -> Option<crate::error::Hook> {
        self.place().and_then(|place| place.pool().hook())
    }

    pub(crate) fn is_set(&self) -> bool {
        self.waiters.is_closed()
    }

    /// Whether an outcome that was not taken has a drop that does anything.
    pub(super) fn has_value_to_drop(&self) -> bool {
        !self.state.is_taken() && (self.vtable.facts.value_has_drop || self.state.is_failed())
    }

    /// Whether its value may borrow: it is a scope's. Such a value ends with its last holder, at once.
    pub(crate) fn is_of_scope(&self) -> bool {
        self.vtable.facts.is_of_scope || self.place().is_some_and(Place::is_scope)
    }

    /// Whether running it in place comes to the same: no inputs, no future.
    pub(crate) fn is_simple(&self) -> bool {
        self.vtable.facts.is_simple
    }

    /// Whether it ends by itself, after a time.
    pub(crate) fn is_timed(&self) -> bool {
        self.vtable.facts.is_timed
    }

    /// Whether it may wait for inputs before it runs.
    pub(crate) fn waits(&self) -> bool {
        self.vtable.facts.waits
    }

    pub(crate) fn set_cloner(&self, cloner: *mut ()) {
        // ORDERING: Release pairs with the Acquire in `cloner`.
        self.cloner.store(cloner, Ordering::Release);
    }

    pub(crate) fn cloner(&self) -> *mut () {
        self.cloner.load(Ordering::Acquire)
    }

    /// Whether clones of its value were written.
    pub(crate) fn has_clones(&self) -> bool {
        !self.cloner().is_null()
    }

    /// Whether no work sets it, but the program.
    pub(crate) fn is_set_by_hand(&self) -> bool {
        self.vtable.facts.is_set_by_hand
    }

    /// Whether it is done on the thread that makes it ready, all of it or what is left of it: a
    /// failure is not to wait for a free worker.
    pub(crate) fn is_immediate(&self) -> bool {
        let facts = &self.vtable.facts;
        facts.is_immediate || (!facts.is_simple && !facts.continues && self.state.forwards())
    }

    /// Whether inputs that nobody else needs are cancelled where it fails.
    pub(crate) fn cancels_inputs(&self) -> bool {
        self.vtable.facts.cancels_inputs
    }

    /// Whether handles may set it: it came from `AsyncResult::new`.
    pub(crate) fn is_manual(&self) -> bool {
        self.vtable.facts.is_manual
    }
}
