//! Work around other work: it starts that when the time has come, and waits for its result.
//!
//! Such a job has stages. In each it is a task that waits, for a result (`Awaits`) or for a call
//! of [`wake`], and holds no thread. What it is like from outside is what it is around: it has
//! the same name and place, and its failures are the same.

use std::cell::RefCell;

use crate::error::Error;
use crate::inputs::Outcome;
use crate::lift::Here;
use crate::pool;
use crate::task::{Header, Lease, OnFailure, Step, TaskRef, TypedEdge, VisitEdges};
use crate::{AsyncResult, Work};

/// The one result that a job waits for at a time.
pub(crate) struct Awaits<T>(RefCell<Option<Box<TypedEdge<T>>>>);

impl<T> Awaits<T> {
    /// None yet.
    pub(crate) fn nothing() -> Awaits<T> {
        Awaits(RefCell::new(None))
    }

    /// The job waits for this result now. The one before, if any, is set and was looked at.
    pub(crate) fn result(&self, result: AsyncResult<T>) -> Step<T> {
        self.wait_for(result);
        Step::Forwards
    }

    /// As `result`, for a job of another type.
    pub(crate) fn wait_for(&self, result: AsyncResult<T>) {
        let edge = TypedEdge::moving(result.into_owner(), OnFailure::Look);
        self.0.replace(Some(Box::new(edge)));
    }

    /// For `Job::edges`.
    pub(crate) fn edges(&self, visit: VisitEdges<'_>) {
        if let Some(edge) = &*self.0.borrow() {
            visit(edge.edge());
        }
    }

    /// The outcome of the result that the job has waited for, once.
    pub(crate) fn outcome(&self) -> Option<Result<T, Error>> {
        let edge = self.0.borrow();
        edge.as_ref().filter(|edge| edge.edge().is_open()).map(|edge| edge.take())
    }

    /// For `Job::release`.
    pub(crate) fn release(&self, cancelled: bool) {
        // The edge itself stays: the upstream's list may still have it.
        if let Some(edge) = &*self.0.borrow() {
            edge.edge().release(cancelled);
        }
    }
}

/// Submits the work that a job is around to its place. It takes over the job's place in the pool's
/// queue, where it can count as ready work itself.
pub(crate) fn start<T: Send>(
    inner: Work<'_, T>,
    task: &Header,
    place: Option<Lease>,
) -> AsyncResult<T> {
    let Some(place) = place else {
        unreachable!("work was started nowhere");
    };
    let mut counted = task.state.uncount();
    if counted && inner.waits() {
        place.pool().begun();
        counted = false;
    }
    inner.submit(place, counted)
}

/// Runs work as a part of a task: in place, or as a task of its own that this one waits for.
pub(crate) fn run_part<T: Send>(inner: Work<'_, T>, task: &Header) -> Outcome<T> {
    inner.finish_inside(&Here::of(task))
}

/// Has a task that sleeps (`Step::Pending`) go on.
pub(crate) fn wake(task: &TaskRef) {
    if task.state.wake() {
        pool::schedule(task.token_of_suspended());
    }
}
