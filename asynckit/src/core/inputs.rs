//! What a call waits for: its arguments, each there already, to be moved in, lent, or gathered.

use std::marker::PhantomData;
use std::mem::{ManuallyDrop, forget};
use std::ops::Deref;

use super::cell::{CellPtr, Home, value_ptr};
use super::edge::{Edge, Link, OnFailure};
use super::handle::Owner;
use super::hold;
use super::share::Holder;
use super::wish;
use crate::error::Error;
use crate::panic;

/// What is shown each edge of a task.
pub type VisitEdges<'a> = &'a mut dyn FnMut(&Edge);

/// How linking came out: how many inputs were there already, and whether one of these had failed.
#[derive(Clone, Copy, Default)]
pub struct Linked {
    pub(super) there: usize,
    pub(super) failed: bool,
}

/// One argument of a call.
///
/// # Safety
/// `edges` shows each edge, and these stay where the input is. Each input is used up once, by `take` or by
/// `let_go`; after both only its edges' memory is left, for `drop_edges`.
pub unsafe trait Input: Sized {
    /// What the call gets.
    type Value;
    /// How many edges it has, unless it is many.
    #[doc(hidden)]
    const EDGES: usize;
    #[doc(hidden)]
    const IS_MANY: bool = false;
    /// Whether a value moves in.
    #[doc(hidden)]
    const MOVES: bool = false;

    #[doc(hidden)]
    fn edges(&self, visit: VisitEdges<'_>);

    #[doc(hidden)]
    #[inline]
    fn count(&self) -> usize {
        Self::EDGES
    }

    /// An edge whose value is to move, and is lent.
    #[doc(hidden)]
    #[inline]
    fn lent(&self) -> Option<&Edge> {
        None
    }

    /// # Safety
    /// As `Edge::link`, for each.
    #[doc(hidden)]
    unsafe fn link(&self, dependent: CellPtr, home: *const Home) -> Linked;

    /// # Safety
    /// All inputs are there, and nothing is lent of what moves.
    #[doc(hidden)]
    unsafe fn take(this: *mut Self) -> Self::Value;

    /// After the call: ends what was lent to it; whether something is to be dropped later.
    ///
    /// # Safety
    /// After `take`, when the call does not look at the values any more.
    #[doc(hidden)]
    #[inline]
    unsafe fn end_loan(&self) -> bool {
        false
    }

    /// # Safety
    /// In place of `take`.
    #[doc(hidden)]
    unsafe fn let_go(this: *mut Self, cancelled: bool);

    /// # Safety
    /// After `let_go`, when no edge is linked any more.
    #[doc(hidden)]
    #[inline]
    unsafe fn drop_edges(_this: *mut Self) {}
}

/// The arguments of a call: nested pairs, so that there may be any number.
///
/// # Safety
/// As [`Input`].
pub unsafe trait Inputs: Sized {
    /// What the call gets, as nested pairs.
    type Values;
    /// [`AllReady`] or [`SomePending`].
    type State;
    #[doc(hidden)]
    const EDGES: usize;
    #[doc(hidden)]
    const IS_MANY: bool;
    #[doc(hidden)]
    const MOVES: bool;

    #[doc(hidden)]
    fn edges(&self, visit: VisitEdges<'_>);
    #[doc(hidden)]
    fn count(&self) -> usize;
    #[doc(hidden)]
    fn lent(&self) -> Option<&Edge>;
    /// # Safety
    /// As for one.
    #[doc(hidden)]
    unsafe fn link(&self, dependent: CellPtr, home: *const Home) -> Linked;
    /// # Safety
    /// As for one.
    #[doc(hidden)]
    unsafe fn take(this: *mut Self) -> Self::Values;
    /// # Safety
    /// As for one.
    #[doc(hidden)]
    unsafe fn end_loans(&self) -> bool;
    /// # Safety
    /// As for one.
    #[doc(hidden)]
    unsafe fn let_go(this: *mut Self, cancelled: bool);
    /// # Safety
    /// As for one.
    #[doc(hidden)]
    unsafe fn drop_edges(this: *mut Self);

    /// Takes arguments apart that are all there.
    #[inline]
    fn ready_values(self) -> Self::Values
    where
        Self: Inputs<State = AllReady>,
    {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: there are no edges, so that all is there; what was taken is not dropped.
        unsafe { Self::take(&raw mut *this) }
    }
}

/// No argument is a result: the call can be made at once.
#[derive(Debug, Clone, Copy)]
pub struct AllReady;

/// Some argument is a result: the call becomes a task.
#[derive(Debug, Clone, Copy)]
pub struct SomePending;

/// An argument that is there already.
pub struct Plain<X>(X);

impl<X> Plain<X> {
    /// Takes the argument as it is.
    #[inline]
    pub fn new(value: X) -> Plain<X> {
        Plain(value)
    }
}

// SAFETY: it has no edges; `take` and `let_go` each move the value out.
unsafe impl<X> Input for Plain<X> {
    type Value = X;
    const EDGES: usize = 0;

    fn edges(&self, _visit: VisitEdges<'_>) {}

    #[inline]
    unsafe fn link(&self, _dependent: CellPtr, _home: *const Home) -> Linked {
        Linked::default()
    }

    #[inline]
    unsafe fn take(this: *mut Self) -> X {
        // SAFETY: the caller's promise: once.
        unsafe { (&raw mut (*this).0).read() }
    }

    unsafe fn let_go(this: *mut Self, _cancelled: bool) {
        // A panic must not keep the other inputs from letting go.
        // SAFETY: the caller's promise: once.
        let _ = panic::contain(|| unsafe { (&raw mut (*this).0).drop_in_place() });
    }
}

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
        unsafe { hold::take(holder) }
    }

    /// # Safety
    /// The upstream is closed, and nothing is lent by this holder.
    unsafe fn take_outcome(&self) -> Result<T, Error> {
        let Some((holder, _)) = self.0.take() else { unreachable!("an input was used twice") };
        // SAFETY: the caller's promise.
        unsafe { hold::take_outcome(holder) }
    }

    /// # Safety
    /// The job is being disposed of.
    unsafe fn let_go(&self, cancelled: bool) {
        // SAFETY: the caller's promise.
        unsafe { wish::let_go(&self.0, cancelled) }
    }
}

impl<T> Drop for TypedEdge<T> {
    /// Of an input that was not used.
    fn drop(&mut self) {
        if let Some((holder, owns)) = self.0.take() {
            // SAFETY: the edge had this hold, and is in no list: what is linked is not dropped so.
            unsafe { if owns { hold::drop_owner(holder) } else { hold::drop_loan(holder) } }
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

// SAFETY: as above.
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

// SAFETY: as above. The loan stays with the edge until the call is over.
unsafe impl<T> Input for Lent<T> {
    type Value = Borrowed<T>;
    one_edge!();

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
            Some((holder, _)) => unsafe { hold::drop_loan_after_run(holder) },
            None => false,
        }
    }
}

/// A value that a call has been lent, until it is over.
pub struct Borrowed<T>(*const T);

impl<T> Deref for Borrowed<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the call's inputs have the loan until it is over; only a call gets one of these.
        unsafe { &*self.0 }
    }
}

/// A result that is set first, and whose value does not go in.
pub(crate) struct Earlier<T>(TypedEdge<T>);

impl<T> Earlier<T> {
    pub(crate) fn of(owner: &Owner<T>) -> Earlier<T> {
        Earlier(TypedEdge::lending(owner))
    }
}

// SAFETY: as above.
unsafe impl<T> Input for Earlier<T> {
    type Value = ();
    one_edge!();

    unsafe fn take(this: *mut Self) {
        // SAFETY: the caller's promise. The loan ends when the work begins.
        unsafe {
            if let Some((holder, _)) = (*this).0.0.take() {
                hold::drop_loan(holder);
            }
        }
    }
}

/// Results whose values move in as a list.
pub struct Many<T> {
    edges: Box<[TypedEdge<T>]>,
    /// So that there is room for an edge here, when the call returns a result.
    _room: usize,
}

impl<T> Many<T> {
    pub(crate) fn of(owners: impl IntoIterator<Item = Owner<T>>) -> Many<T> {
        let edge = |owner| TypedEdge::moving(owner, OnFailure::Skip);
        Many { edges: owners.into_iter().map(edge).collect(), _room: 0 }
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

// SAFETY: there is nothing in it.
unsafe impl Inputs for () {
    type Values = ();
    type State = AllReady;
    const EDGES: usize = 0;
    const IS_MANY: bool = false;
    const MOVES: bool = false;

    fn edges(&self, _visit: VisitEdges<'_>) {}

    #[inline]
    fn count(&self) -> usize {
        0
    }

    #[inline]
    fn lent(&self) -> Option<&Edge> {
        None
    }

    #[inline]
    unsafe fn link(&self, _dependent: CellPtr, _home: *const Home) -> Linked {
        Linked::default()
    }

    #[inline]
    unsafe fn take(_this: *mut Self) {}

    #[inline]
    unsafe fn end_loans(&self) -> bool {
        false
    }

    unsafe fn let_go(_this: *mut Self, _cancelled: bool) {}

    unsafe fn drop_edges(_this: *mut Self) {}
}

/// Lets go of inputs that are not reached, where a clone of an earlier one panics.
struct Unreached<I: Inputs>(*mut I);

impl<I: Inputs> Drop for Unreached<I> {
    fn drop(&mut self) {
        // SAFETY: the inputs are ours to use up, and no edge of a task that runs is linked.
        unsafe {
            I::let_go(self.0, false);
            I::drop_edges(self.0);
        }
    }
}

/// The list of inputs with one more in front.
macro_rules! inputs {
    ($([$generic:ident] $input:ty => $state:ty;)*) => { $(
        // SAFETY: as its parts.
        unsafe impl<$generic, Rest: Inputs> Inputs for ($input, Rest) {
            type Values = (<$input as Input>::Value, Rest::Values);
            type State = $state;
            const EDGES: usize = <$input>::EDGES + Rest::EDGES;
            const IS_MANY: bool = <$input>::IS_MANY || Rest::IS_MANY;
            const MOVES: bool = <$input>::MOVES || Rest::MOVES;

            fn edges(&self, visit: VisitEdges<'_>) {
                self.0.edges(visit);
                self.1.edges(visit);
            }

            #[inline]
            fn count(&self) -> usize {
                self.0.count() + self.1.count()
            }

            #[inline]
            fn lent(&self) -> Option<&Edge> {
                self.0.lent().or_else(|| self.1.lent())
            }

            #[inline]
            unsafe fn link(&self, dependent: CellPtr, home: *const Home) -> Linked {
                // SAFETY: the caller's promise.
                let (a, b) = unsafe { (self.0.link(dependent, home), self.1.link(dependent, home)) };
                Linked { there: a.there + b.there, failed: a.failed | b.failed }
            }

            #[inline]
            unsafe fn take(this: *mut Self) -> Self::Values {
                // SAFETY: the caller's promise.
                unsafe {
                    let rest = &raw mut (*this).1;
                    let unreached = Unreached(rest);
                    let first = <$input>::take(&raw mut (*this).0);
                    forget(unreached);
                    (first, Rest::take(rest))
                }
            }

            #[inline]
            unsafe fn end_loans(&self) -> bool {
                // SAFETY: the caller's promise.
                unsafe { self.0.end_loan() | self.1.end_loans() }
            }

            unsafe fn let_go(this: *mut Self, cancelled: bool) {
                // SAFETY: the caller's promise.
                unsafe {
                    <$input>::let_go(&raw mut (*this).0, cancelled);
                    Rest::let_go(&raw mut (*this).1, cancelled);
                }
            }

            unsafe fn drop_edges(this: *mut Self) {
                // SAFETY: the caller's promise.
                unsafe {
                    <$input>::drop_edges(&raw mut (*this).0);
                    Rest::drop_edges(&raw mut (*this).1);
                }
            }
        }
    )* };
}

inputs! {
    [X] Plain<X> => Rest::State;
    [T] Moved<T> => SomePending;
    [T] Either<T> => SomePending;
    [T] Lent<T> => SomePending;
    [T] Earlier<T> => SomePending;
    [T] Many<T> => SomePending;
}
