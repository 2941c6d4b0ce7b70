//! What comes earlier: results that are set first, and whose values do not go in.

use super::super::cell::{CellPtr, Home};
use super::super::edge::{Edge, Link, OnFailure};
use super::super::handle::Owner;
use super::super::release;
use super::super::wish;
use super::{Input, Linked, VisitEdges};

/// An edge along which nothing comes but that its upstream is set.
pub(crate) struct EndEdge(Edge);

// SAFETY: the loan that it has may be the last hold on a value, which may go to other threads by `of`'s bound.
unsafe impl Send for EndEdge {}

impl EndEdge {
    pub(crate) fn of<T: Send>(owner: &Owner<T>) -> EndEdge {
        let holder = owner.holder();
        holder.add_loan();
        EndEdge(Edge::lending(holder))
    }

    fn end(&self) {
        if let Some((holder, _)) = self.0.take() {
            // SAFETY: the edge had this loan, and is in no list.
            unsafe { release::drop_loan(holder) }
        }
    }
}

impl Drop for EndEdge {
    /// Of one that was not used.
    fn drop(&mut self) {
        self.end();
    }
}

/// Results that are set first, and whose values do not go in.
pub(crate) struct Earlier(Box<[EndEdge]>);

impl Earlier {
    pub(crate) fn of(edges: Vec<EndEdge>) -> Earlier {
        Earlier(edges.into_boxed_slice())
    }
}

// SAFETY: the edges are in a box, which stays where it is, and are shown.
unsafe impl Input for Earlier {
    type Value = ();
    const EDGES: usize = 0;
    const IS_MANY: bool = true;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.0.iter().for_each(|edge| visit(&edge.0));
    }

    fn count(&self) -> usize {
        self.0.len()
    }

    fn loans(&self, visit: VisitEdges<'_>) {
        self.edges(visit);
    }

    unsafe fn link(&self, dependent: CellPtr, home: *const Home) -> Linked {
        let mut all = Linked::default();
        for EndEdge(edge) in &self.0 {
            // SAFETY: the caller's promise.
            let linked = unsafe { edge.link(dependent, home) };
            all.there += usize::from(linked != Link::Pending);
            all.failed |= linked == Link::Failed && edge.on_failure() == OnFailure::Skip;
        }
        all
    }

    unsafe fn take(this: *mut Self) {
        // The loans end when the work begins.
        // SAFETY: the caller's promise: the box is used once.
        unsafe { (&raw mut (*this).0).read().iter().for_each(EndEdge::end) }
    }

    unsafe fn let_go(this: *mut Self, cancelled: bool) {
        // SAFETY: the caller's promise; the box stays until no edge is linked.
        unsafe { (*this).0.iter().for_each(|EndEdge(edge)| wish::let_go(edge, cancelled)) }
    }

    unsafe fn drop_edges(this: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe { (&raw mut (*this).0).drop_in_place() }
    }
}
