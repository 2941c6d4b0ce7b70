//! Arguments that are results: their values are moved in, lent, or gathered.

use std::marker::PhantomData;
use std::ops::Deref;

use super::super::cell::{CellPtr, Home, value_ptr};
use super::super::edge::{Edge, Link, OnFailure};
use super::super::handle::Owner;
use super::super::release;
use super::super::wish;
use super::{Input, Linked, VisitEdges};
use crate::error::Error;

/// An edge that a `T` comes along, which lets go of its upstream when it is dropped unused.
struct TypedEdge<T>(Edge, PhantomData<fn(T) -> T>);

// SAFETY: an edge goes where its dependent goes, with the value that comes along it; its list is the
// upstream's business, on whatever thread.
unsafe impl<T: Send> Send for TypedEdge<T> {}

impl<T> TypedEdge<T> {
    #[inline]
    fn moving(owner: Owner<T>, on_failure: OnFailure) -> TypedEdge<T> {
        TypedEdge(Edge::moving(owner.into_holder(), on_failure), PhantomData)
    }

    #[inline]
    fn lending(owner: &Owner<T>) -> TypedEdge<T> {
        let holder = owner.holder();
        holder.add_loan();
        TypedEdge(Edge::lending(holder), PhantomData)
    }

    #[inline]
    fn lent(&self) -> Option<&Edge> {
        (self.0.is_open() && self.0.holder().is_lent()).then_some(&self.0)
    }

    /// # Safety
    /// As `Edge::link`.
    #[inline]
    unsafe fn link(&self, dependent: CellPtr, home: *const Home) -> Linked {
        // SAFETY: the caller's promise.
        match unsafe { self.0.link(dependent, home) } {
            Link::Pending => Linked { there: 0, failed: false },
            Link::There => Linked { there: 1, failed: false },
            Link::Failed => Linked { there: 1, failed: self.0.on_failure() == OnFailure::Skip },
        }
    }

    /// # Safety
    /// The upstream is closed with a value, of which nothing is lent by this holder.
    #[inline]
    unsafe fn take(&self) -> T {
        let Some((holder, _)) = self.0.take() else { unreachable!("an input was used twice") };
        // SAFETY: the caller's promise; the cell is for a `T` by this type's making.
        unsafe { release::take(holder) }
    }

    /// # Safety
    /// The upstream is closed, and nothing is lent by this holder.
    unsafe fn take_outcome(&self) -> Result<T, Error> {
        let Some((holder, _)) = self.0.take() else { unreachable!("an input was used twice") };
        // SAFETY: the caller's promise.
        unsafe { release::take_outcome(holder) }
    }

    /// # Safety
    /// The job is being disposed of.
    unsafe fn let_go(&self, cancelled: bool) {
        // SAFETY: the caller's promise.
        unsafe { wish::let_go(&self.0, cancelled) }
    }
}

impl<T> Drop for TypedEdge<T> {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_open() {
            self.end();
        }
    }
}

impl<T> TypedEdge<T> {
    /// Of an input that was not used.
    #[cold]
    #[inline(never)]
    fn end(&self) {
        if let Some((holder, owns)) = self.0.take() {
            // SAFETY: the edge had this hold, and is in no list: what is linked is not dropped so.
            unsafe { if owns { release::drop_owner(holder) } else { release::drop_loan(holder) } }
        }
    }
}

/// A result whose value moves in, or is cloned where there are other handles.
pub struct Moved<T>(TypedEdge<T>);

impl<T> Moved<T> {
    #[inline]
    pub(crate) fn of(owner: Owner<T>) -> Moved<T> {
        Moved(TypedEdge::moving(owner, OnFailure::Skip))
    }
}

/// What inputs with one edge have in common.
macro_rules! one_edge {
    () => {
        const EDGES: usize = 1;

        fn edges(&self, visit: VisitEdges<'_>) {
            visit(&self.0.0);
        }

        #[inline]
        unsafe fn link(&self, dependent: CellPtr, home: *const Home) -> Linked {
            // SAFETY: the caller's promise.
            unsafe { self.0.link(dependent, home) }
        }

        unsafe fn let_go(this: *mut Self, cancelled: bool) {
            // SAFETY: the caller's promise.
            unsafe { (*this).0.let_go(cancelled) }
        }
    };
}

// SAFETY: the one edge is shown and lies in it.
unsafe impl<T> Input for Moved<T> {
    type Value = T;
    const MOVES: bool = true;
    one_edge!();

    #[inline]
    fn lent(&self) -> Option<&Edge> {
        self.0.lent()
    }

    #[inline]
    unsafe fn take(this: *mut Self) -> T {
        // SAFETY: the caller's promise.
        unsafe { (*this).0.take() }
    }
}

/// A result whose value or failure goes in, whichever it is.
pub(crate) struct Either<T>(TypedEdge<T>);

impl<T> Either<T> {
    pub(crate) fn of(owner: Owner<T>) -> Either<T> {
        Either(TypedEdge::moving(owner, OnFailure::Look))
    }
}

// SAFETY: the one edge is shown and lies in it; that it looks at a failure changes nothing of where it is.
unsafe impl<T> Input for Either<T> {
    type Value = Result<T, Error>;
    const MOVES: bool = true;
    one_edge!();

    fn lent(&self) -> Option<&Edge> {
        self.0.lent()
    }

    unsafe fn take(this: *mut Self) -> Result<T, Error> {
        // SAFETY: the caller's promise.
        unsafe { (*this).0.take_outcome() }
    }
}

/// A result whose value is lent.
///
/// It goes to another thread only where `T: Send + Sync`, as an `Arc<T>` does.
pub struct Lent<T>(TypedEdge<T>, PhantomData<std::sync::Arc<T>>);

impl<T> Lent<T> {
    #[inline]
    pub(crate) fn of(owner: &Owner<T>) -> Lent<T> {
        Lent(TypedEdge::lending(owner), PhantomData)
    }
}

// SAFETY: the one edge is shown, to be visited and as a loan, and lies in it. The loan stays with it until the call is
// over.
unsafe impl<T> Input for Lent<T> {
    type Value = Borrowed<T>;
    one_edge!();

    fn loans(&self, visit: VisitEdges<'_>) {
        visit(&self.0.0);
    }

    #[inline]
    unsafe fn take(this: *mut Self) -> Borrowed<T> {
        // SAFETY: the caller's promise: the upstream is closed with a value, which is a `T` by this type's
        // making.
        unsafe { Borrowed(value_ptr::<T>((*this).0.0.holder().cell())) }
    }

    #[inline]
    unsafe fn end_loan(&self) -> bool {
        match self.0.0.take() {
            // SAFETY: the caller's promise: nobody looks at the value by this loan any more.
            Some((holder, _)) => unsafe { release::drop_loan_after_run(holder) },
            None => false,
        }
    }
}

/// A value that a call has been lent, until it is over.
pub struct Borrowed<T>(*const T);

// SAFETY: it is a `&T`.
unsafe impl<T: Sync> Send for Borrowed<T> {}
// SAFETY: a `&&T` gives no more than a `&T`, which `T: Sync` lets several threads have.
unsafe impl<T: Sync> Sync for Borrowed<T> {}

impl<T> Deref for Borrowed<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the call's inputs have the loan until it is over; only a call gets one of these.
        unsafe { &*self.0 }
    }
}

/// Results whose values move in as a list.
pub struct Many<T> {
    edges: Box<[TypedEdge<T>]>,
}

impl<T> Many<T> {
    pub(crate) fn of(owners: impl IntoIterator<Item = Owner<T>>) -> Many<T> {
        let edge = |owner| TypedEdge::moving(owner, OnFailure::Skip);
        Many { edges: owners.into_iter().map(edge).collect() }
    }
}

// SAFETY: the edges are in a box, which stays where it is, and are shown.
unsafe impl<T> Input for Many<T> {
    type Value = Vec<T>;
    const EDGES: usize = 0;
    const IS_MANY: bool = true;
    const MOVES: bool = true;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.edges.iter().for_each(|edge| visit(&edge.0));
    }

    fn count(&self) -> usize {
        self.edges.len()
    }

    fn lent(&self) -> Option<&Edge> {
        self.edges.iter().find_map(TypedEdge::lent)
    }

    unsafe fn link(&self, dependent: CellPtr, home: *const Home) -> Linked {
        let mut all = Linked::default();
        for edge in &self.edges {
            // SAFETY: the caller's promise.
            let linked = unsafe { edge.link(dependent, home) };
            all.there += linked.there;
            all.failed |= linked.failed;
        }
        all
    }

    unsafe fn take(this: *mut Self) -> Vec<T> {
        // SAFETY: the caller's promise: the box is used once, and what a clone's panic leaves in it is
        // dropped with it.
        unsafe { (&raw mut (*this).edges).read().iter().map(|edge| edge.take()).collect() }
    }

    unsafe fn let_go(this: *mut Self, cancelled: bool) {
        // SAFETY: the caller's promise; the box stays until no edge is linked.
        unsafe { (*this).edges.iter().for_each(|edge| edge.let_go(cancelled)) }
    }

    unsafe fn drop_edges(this: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe { (&raw mut (*this).edges).drop_in_place() }
    }
}

/// Results whose values and failures go in as a list, whichever each is. The failures count as seen.
pub(crate) struct Outcomes<T>(Many<T>);

impl<T> Outcomes<T> {
    pub(crate) fn of(owners: impl IntoIterator<Item = Owner<T>>) -> Outcomes<T> {
        let edge = |owner| TypedEdge::moving(owner, OnFailure::Look);
        Outcomes(Many { edges: owners.into_iter().map(edge).collect() })
    }
}

// SAFETY: as `Many`, but for what is taken.
unsafe impl<T> Input for Outcomes<T> {
    type Value = Vec<Result<T, Error>>;
    const EDGES: usize = 0;
    const IS_MANY: bool = true;
    const MOVES: bool = true;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.0.edges(visit);
    }

    fn count(&self) -> usize {
        self.0.count()
    }

    fn lent(&self) -> Option<&Edge> {
        self.0.lent()
    }

    unsafe fn link(&self, dependent: CellPtr, home: *const Home) -> Linked {
        // SAFETY: the caller's promise.
        unsafe { self.0.link(dependent, home) }
    }

    unsafe fn take(this: *mut Self) -> Self::Value {
        // SAFETY: the caller's promise: the box is used once, and what a clone's panic leaves in it is
        // dropped with it.
        unsafe {
            let edges = (&raw mut (*this).0.edges).read();
            edges.iter().map(|edge| edge.take_outcome().map_err(Error::observed)).collect()
        }
    }

    unsafe fn let_go(this: *mut Self, cancelled: bool) {
        // SAFETY: the caller's promise.
        unsafe { Many::let_go(&raw mut (*this).0, cancelled) }
    }

    unsafe fn drop_edges(this: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe { Many::drop_edges(&raw mut (*this).0) }
    }
}
