//! What a call waits for: its arguments, each there already, to be moved in, lent, or gathered.

mod earlier;
mod gathered;
mod list;
mod results;

use std::mem::ManuallyDrop;

use super::cell::{CellPtr, Home};
use super::edge::Edge;
use crate::error::Error;
use crate::panic;

pub(crate) use earlier::{Earlier, EndEdge};
pub(crate) use gathered::Gathered;
pub use results::{Borrowed, Lent, Many, Moved};
pub(crate) use results::{Either, Outcomes};

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

    /// The edges that lend.
    #[doc(hidden)]
    fn loans(&self, _visit: VisitEdges<'_>) {}

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
    /// Whether they are cancelled where the task fails and nobody else needs them.
    #[doc(hidden)]
    const CANCELS: bool = false;
    /// Whether those that fail after another one are of concern to the task that failed with that.
    #[doc(hidden)]
    const HEARS: bool = false;

    #[doc(hidden)]
    fn edges(&self, visit: VisitEdges<'_>);
    #[doc(hidden)]
    fn count(&self) -> usize;
    #[doc(hidden)]
    fn lent(&self) -> Option<&Edge>;
    #[doc(hidden)]
    fn loans(&self, visit: VisitEdges<'_>);
    /// The task is about to fail with this (`own`), or an input has failed with this after another one.
    #[doc(hidden)]
    fn failed(&self, _error: &Error, _own: bool) {}
    /// # Safety
    /// As [`Input::link`], for each of them.
    #[doc(hidden)]
    unsafe fn link(&self, dependent: CellPtr, home: *const Home) -> Linked;
    /// # Safety
    /// As [`Input::take`]: all are there.
    #[doc(hidden)]
    unsafe fn take(this: *mut Self) -> Self::Values;
    /// # Safety
    /// As [`Input::end_loan`], for each: after `take`, when the call is over.
    #[doc(hidden)]
    unsafe fn end_loans(&self) -> bool;
    /// # Safety
    /// As [`Input::let_go`]: in place of `take`.
    #[doc(hidden)]
    unsafe fn let_go(this: *mut Self, cancelled: bool);
    /// # Safety
    /// As [`Input::drop_edges`]: when no edge of theirs is linked any more.
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
