//! The one result that a job waits for at a time.

use std::cell::RefCell;
use std::marker::PhantomData;

use super::edge::{Edge, OnFailure};
use super::handle::Owner;
use super::inputs::VisitEdges;
use super::release;
use super::task::JobStep;
use super::wish;
use crate::error::Error;

/// An edge to that result, in a box of its own, where it stays.
pub(crate) struct Awaits<T> {
    edge: RefCell<Option<Box<Edge>>>,
    value: PhantomData<fn(T) -> T>,
}

// SAFETY: an edge goes where its dependent goes, with the value that comes along it.
unsafe impl<T: Send> Send for Awaits<T> {}

impl<T> Awaits<T> {
    /// None yet.
    pub(crate) fn nothing() -> Awaits<T> {
        Awaits { edge: RefCell::new(None), value: PhantomData }
    }

    /// The job waits for this result now. The one before, if any, is set and was looked at. `last`: it stands for
    /// the job's own.
    pub(crate) fn result<U>(&self, result: Owner<T>, last: bool) -> JobStep<U> {
        let edge = Edge::moving(result.into_holder(), OnFailure::Look);
        self.edge.replace(Some(Box::new(edge)));
        JobStep::Waits { last }
    }

    /// For `Job::edges`.
    pub(crate) fn edges(&self, visit: VisitEdges<'_>) {
        if let Some(edge) = &*self.edge.borrow() {
            visit(edge);
        }
    }

    /// The outcome of the result that the job has waited for, once.
    pub(crate) fn outcome(&self) -> Option<Result<T, Error>> {
        let edge = self.edge.borrow();
        let (holder, _) = edge.as_ref()?.take()?;
        // SAFETY: the edge was made for a `T`. A job runs when what it waits for is set, and nothing is lent of
        // that.
        Some(unsafe { release::take_outcome(holder) })
    }

    /// For `Job::release`.
    pub(crate) fn release(&self, cancelled: bool) {
        // The edge itself stays: the upstream's list may still have it.
        if let Some(edge) = &*self.edge.borrow() {
            // SAFETY: the caller disposes of the job.
            unsafe { wish::let_go(edge, cancelled) }
        }
    }
}
