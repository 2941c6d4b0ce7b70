//! Inputs that are gathered to one result: where several of them fail, that has one failure, and the others count as
//! seen with it.

use super::super::cell::{CellPtr, Home};
use super::super::edge::Edge;
use super::{Inputs, Linked, VisitEdges};
use crate::error::{Company, Error};
use crate::sync::{Arc, Mutex, lock};

/// Such inputs. `CANCELS`: they are cancelled where the task fails and nobody else needs them.
pub(crate) struct Gathered<L, const CANCELS: bool> {
    inputs: L,
    failures: Mutex<ToldFailures>,
}

enum ToldFailures {
    /// Of inputs, told by threads that were faster than the one that says what the task fails with.
    Early(Vec<Error>),
    /// What it fails with is known.
    With(Arc<Company>),
}

impl<L, const CANCELS: bool> Gathered<L, CANCELS> {
    pub(crate) fn of(inputs: L) -> Self {
        Gathered { inputs, failures: Mutex::new(ToldFailures::Early(Vec::new())) }
    }
}

// SAFETY: as what is in it.
unsafe impl<L: Inputs, const CANCELS: bool> Inputs for Gathered<L, CANCELS> {
    type Values = L::Values;
    type State = L::State;
    const EDGES: usize = L::EDGES;
    const IS_MANY: bool = L::IS_MANY;
    const MOVES: bool = L::MOVES;
    const CANCELS: bool = CANCELS;
    const HEARS: bool = true;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.inputs.edges(visit);
    }

    fn count(&self) -> usize {
        self.inputs.count()
    }

    fn lent(&self) -> Option<&Edge> {
        self.inputs.lent()
    }

    fn loans(&self, visit: VisitEdges<'_>) {
        self.inputs.loans(visit);
    }

    #[cold]
    fn failed(&self, error: &Error, own: bool) {
        let mut failures = lock(&self.failures);
        if !own {
            match &mut *failures {
                ToldFailures::Early(early) => early.push(error.clone()),
                ToldFailures::With(first) => first.takes(error.company()),
            }
            return;
        }
        let first = error.company();
        let early = std::mem::replace(&mut *failures, ToldFailures::With(first.clone()));
        drop(failures);
        if let ToldFailures::Early(early) = early {
            early.iter().for_each(|error| first.takes(error.company()));
        }
        self.inputs.edges(&mut |edge| {
            if edge.is_open()
                && let Some(error) = edge.upstream().error()
            {
                first.takes(error.company());
            }
        });
    }

    unsafe fn link(&self, dependent: CellPtr, home: *const Home) -> Linked {
        // SAFETY: the caller's promise, which is the same for the inputs within.
        unsafe { self.inputs.link(dependent, home) }
    }

    unsafe fn take(this: *mut Self) -> L::Values {
        // SAFETY: the caller's promise: each edge was visited with a value, so that nothing fails any more that would
        // look at the failures, and the inputs are taken once.
        unsafe {
            (&raw mut (*this).failures).drop_in_place();
            L::take(&raw mut (*this).inputs)
        }
    }

    unsafe fn end_loans(&self) -> bool {
        // SAFETY: the caller's promise: the call is over, and looks at no value any more.
        unsafe { self.inputs.end_loans() }
    }

    unsafe fn let_go(this: *mut Self, cancelled: bool) {
        // SAFETY: the caller's promise: the task will not run, and its inputs were not taken.
        unsafe { L::let_go(&raw mut (*this).inputs, cancelled || CANCELS) }
    }

    unsafe fn drop_edges(this: *mut Self) {
        // SAFETY: the caller's promise: no edge is linked any more, so that none is left that could tell of a failure.
        unsafe {
            (&raw mut (*this).failures).drop_in_place();
            L::drop_edges(&raw mut (*this).inputs);
        }
    }
}
