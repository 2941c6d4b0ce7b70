//! Calls that wait for inputs, and may return a result to go on with.

use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit, forget};
use std::ptr::copy_nonoverlapping;

use super::super::cell::{
    CellKind, CellPtr, Home, Ran, Run, Table, drop_of, job_ptr, room_of, value_ptr,
};
use super::super::closure::Closure;
use super::super::edge::{Edge, OnFailure};
use super::super::handle::Owner;
use super::super::here::Here;
use super::super::inputs::{Inputs, Linked, VisitEdges};
use super::super::release;
use super::super::run;
use super::super::wish;
use super::{Outcome, TaskOf};
use crate::error::Error;
use crate::observe::TaskKind;
use crate::panic;

type ClosureOf<'w, L, T, Room> = Closure<'w, <L as Inputs>::Values, Outcome<T>, Room>;

/// A call with its inputs.
pub(crate) struct CallWithInputs<'w, L: Inputs, T, Room> {
    inputs: MaybeUninit<Waits<L>>,
    closure: MaybeUninit<ClosureOf<'w, L, T, Room>>,
}

/// What a call waits for: its inputs, and when it has returned a result, that.
union Waits<L> {
    inputs: ManuallyDrop<L>,
    _result: ManuallyDrop<Edge>,
}

impl<'w, L: Inputs, T, Room> CallWithInputs<'w, L, T, Room> {
    pub(crate) fn new(inputs: L, closure: ClosureOf<'w, L, T, Room>) -> Self {
        let waits = Waits { inputs: ManuallyDrop::new(inputs) };
        CallWithInputs { inputs: MaybeUninit::new(waits), closure: MaybeUninit::new(closure) }
    }
}

/// Calls `f`, which moves so many bytes: where these are many, in a frame of its own, so that they are not on the
/// stack once more while something else is called.
#[inline(always)]
fn apart<R>(bytes: usize, f: impl FnOnce() -> R) -> R {
    #[inline(never)]
    fn in_its_own_frame<R>(f: impl FnOnce() -> R) -> R {
        f()
    }
    if bytes > 256 { in_its_own_frame(f) } else { f() }
}

/// A place on the stack for the outcome of a call, of which no drop takes a look: nothing is left there at the end, nor
/// does anything panic from when it is there.
union OutcomePlace<R> {
    _outcome: ManuallyDrop<Option<R>>,
    nothing: (),
}

impl<R> OutcomePlace<R> {
    /// Where it goes: there is none yet.
    #[inline]
    fn of_none(&mut self) -> &mut Option<R> {
        let place = (&raw mut *self).cast::<Option<R>>();
        // SAFETY: there is room for it.
        unsafe {
            place.write(None);
            &mut *place
        }
    }
}

/// Work that is dropped before it is submitted is in a cell, which disposes of it; but a call may be dropped on
/// its way there.
struct TableOfCall<'w, L, T, Room>(PhantomData<(&'w (), L, T, Room)>);

impl<'w, L: Inputs, T, Room> TableOfCall<'w, L, T, Room> {
    const TABLE: Table = Table {
        run: Self::run,
        on_the_spot: run::on_the_spot,
        drop_job: Self::drop_job,
        drop_edges: Self::drop_edges,
        edges: Self::edges,
        loans: Self::loans,
        withdraw: Self::withdraw,
        awaited: |_, _| false,
        fail_await: |_, _| (),
        failed: Self::failed,
        drop_value: drop_of::<T>(),
        room: room_of::<T, CallWithInputs<'w, L, T, Room>>(),
        moves: L::MOVES,
        kind: CellKind::Task,
        shown_as: TaskKind::Call,
    };
    /// When the call has returned a result.
    const FORWARD: Table = Table {
        run: Self::run_forward,
        withdraw: Self::drop_forward,
        drop_job: Self::drop_forward,
        drop_edges: |_| (),
        edges: Self::edges_of_forward,
        loans: |_, _| (),
        failed: |_, _, _| (),
        moves: true,
        ..Self::TABLE
    };

    /// # Safety
    /// The cell is of these types.
    unsafe fn job(task: CellPtr) -> *mut CallWithInputs<'w, L, T, Room> {
        // SAFETY: the caller's promise.
        unsafe { job_ptr::<T, CallWithInputs<'w, L, T, Room>>(task) }
    }

    /// # Safety
    /// The cell is of these types.
    unsafe fn inputs(task: CellPtr) -> *mut L {
        // SAFETY: only the address.
        unsafe { (&raw mut (*Self::job(task)).inputs).cast() }
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn run(task: CellPtr, how: Run) -> Ran {
        /// Ends what was lent to the call, and drops the closure where it was not called, also where something
        /// panics.
        struct Used<'w, L: Inputs, T, Room>(*mut L, *mut ClosureOf<'w, L, T, Room>);
        impl<L: Inputs, T, Room> Drop for Used<'_, L, T, Room> {
            fn drop(&mut self) {
                // SAFETY: the call is over, or never comes to be.
                unsafe {
                    let _ = panic::contain(|| (*self.1).release());
                    let _ = (*self.0).end_loans();
                }
            }
        }
        // SAFETY: the caller's promise: claimed, and each edge was visited. Inputs and closure are used once.
        unsafe {
            let inputs = Self::inputs(task);
            while L::MOVES
                && how != Run::Told
                && let Some(lent) = (*inputs).lent()
            {
                if !wish::wait_for_loans(task, lent) {
                    return Ran::Lent;
                }
            }
            let closure = Self::closure(task);
            let used = Used(inputs, closure);
            // Here, and nowhere else on the way: see `Body`.
            let mut values = None;
            let mut place = OutcomePlace { nothing: () };
            let outcome = place.of_none();
            apart(size_of::<L::Values>(), || values = Some(L::take(inputs)));
            (*closure).call(&Here::new(task, how == Run::InPlace), &mut values, outcome);
            forget(used);
            let later = (*inputs).end_loans();
            let Some(Outcome::Done(Ok(value))) = outcome else {
                return Self::without_value(task, outcome);
            };
            copy_nonoverlapping(value, value_ptr::<T>(task), 1);
            if later { Ran::ValueFirst } else { Ran::Value }
        }
    }

    /// What the run of a call comes to that gave no value.
    ///
    /// # Safety
    /// The caller runs the task, and nothing is left of its inputs.
    #[cold]
    #[inline(never)]
    unsafe fn without_value(task: CellPtr, outcome: &mut Option<Outcome<T>>) -> Ran {
        match outcome.take() {
            Some(Outcome::Done(Err(error))) => Ran::Failed(error),
            // SAFETY: the caller's promise.
            Some(Outcome::Flatten(result)) => unsafe { Self::forward(task, result.0) },
            _ => unreachable!("a call had no outcome"),
        }
    }

    /// # Safety
    /// The cell is of these types.
    unsafe fn closure(task: CellPtr) -> *mut ClosureOf<'w, L, T, Room> {
        // SAFETY: only the address.
        unsafe { (&raw mut (*Self::job(task)).closure).cast() }
    }

    /// # Safety
    /// The caller runs the task, and nothing is left of its inputs.
    #[cold]
    #[inline(never)]
    unsafe fn forward(task: CellPtr, result: Owner<T>) -> Ran {
        // SAFETY: the caller's promise: there is room for an edge.
        unsafe {
            let edge = Edge::moving(result.into_holder(), OnFailure::Look);
            Self::inputs(task).cast::<Edge>().write(edge);
            task.as_ref().change_table(&Self::FORWARD);
        }
        Ran::WaitsLast
    }

    /// # Safety
    /// As `Table` says; the call has returned a result.
    unsafe fn edge<'a>(task: CellPtr) -> &'a Edge {
        // SAFETY: `forward` has written it.
        unsafe { &*Self::inputs(task).cast::<Edge>() }
    }

    /// # Safety
    /// As `Table` says; the call has returned a result.
    unsafe fn run_forward(task: CellPtr, how: Run) -> Ran {
        // SAFETY: the caller's promise; the edge was visited.
        unsafe {
            let edge = Self::edge(task);
            while how != Run::Told && edge.holder().is_lent() {
                if !wish::wait_for_loans(task, edge) {
                    return Ran::Lent;
                }
            }
            let Some((holder, _)) = edge.take() else { unreachable!("a result was used twice") };
            match release::take_outcome::<T>(holder) {
                Ok(value) => {
                    value_ptr::<T>(task).write(value);
                    Ran::Value
                }
                Err(error) => Ran::Failed(error),
            }
        }
    }

    /// # Safety
    /// As `Table` says; the call has returned a result.
    unsafe fn drop_forward(task: CellPtr, cancelled: bool) {
        // SAFETY: the caller's promise.
        unsafe {
            task.as_ref().state.mark_deaf();
            wish::let_go(Self::edge(task), cancelled);
        }
    }

    /// # Safety
    /// As `Table` says; the call has returned a result.
    unsafe fn edges_of_forward(task: CellPtr, visit: VisitEdges<'_>) {
        // SAFETY: the caller's promise.
        visit(unsafe { Self::edge(task) });
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn withdraw(task: CellPtr, cancelled: bool) {
        // SAFETY: the caller's promise.
        unsafe {
            if cancelled || !L::HEARS {
                task.as_ref().state.mark_deaf();
            }
            let cancelled = cancelled || L::CANCELS;
            (*Self::inputs(task)).edges(&mut |edge| wish::let_go(edge, cancelled));
        }
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn drop_job(task: CellPtr, cancelled: bool) {
        // SAFETY: the caller's promise.
        unsafe {
            let inputs = Self::inputs(task);
            let _ = panic::contain(|| L::let_go(inputs, cancelled));
            let closure = Self::closure(task);
            let _ = panic::contain(|| closure.drop_in_place());
        }
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn drop_edges(task: CellPtr) {
        // SAFETY: the caller's promise.
        unsafe { L::drop_edges(Self::inputs(task)) }
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn edges(task: CellPtr, visit: VisitEdges<'_>) {
        // SAFETY: the caller's promise.
        unsafe { (*Self::inputs(task)).edges(visit) }
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn failed(task: CellPtr, error: &Error, own: bool) {
        // SAFETY: the caller's promise; the inputs stay until each edge was visited.
        unsafe { (*Self::inputs(task)).failed(error, own) }
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn loans(task: CellPtr, visit: VisitEdges<'_>) {
        // SAFETY: the caller's promise; the edges that lend lie in the inputs themselves.
        unsafe { (*Self::inputs(task)).loans(visit) }
    }
}

// SAFETY: the table is for these types.
unsafe impl<'w, L: Inputs, T, Room> TaskOf<T> for CallWithInputs<'w, L, T, Room> {
    const INPUTS: Option<usize> = if L::IS_MANY { None } else { Some(L::EDGES) };
    const TABLE: &'static Table = &TableOfCall::<'w, L, T, Room>::TABLE;

    fn count(&self) -> usize {
        // SAFETY: the inputs are there until the task is run.
        unsafe { &self.inputs.assume_init_ref().inputs }.count()
    }

    #[inline]
    unsafe fn link(&self, task: CellPtr, home: *const Home) -> Linked {
        // SAFETY: the caller's promise.
        unsafe { self.inputs.assume_init_ref().inputs.link(task, home) }
    }
}
