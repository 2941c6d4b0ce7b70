//! Lists of arguments.

use std::mem::forget;

use super::super::cell::{CellPtr, Home};
use super::super::edge::Edge;
use super::{
    AllReady, Earlier, Either, Input, Inputs, Lent, Linked, Many, Moved, Outcomes, Plain,
    SomePending, VisitEdges,
};

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

    fn loans(&self, _visit: VisitEdges<'_>) {}

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
    ($([$($generic:ident)?] $input:ty => $state:ty;)*) => { $(
        // SAFETY: as its parts.
        unsafe impl<$($generic,)? Rest: Inputs> Inputs for ($input, Rest) {
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

            fn loans(&self, visit: VisitEdges<'_>) {
                self.0.loans(visit);
                self.1.loans(visit);
            }

            #[inline(always)]
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
    [] Earlier => SomePending;
    [T] Many<T> => SomePending;
    [T] Outcomes<T> => SomePending;
}
