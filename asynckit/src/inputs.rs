//! What a call waits for: its arguments, each there already, to be moved in, lent, or gathered.

use std::cell::{Cell, OnceCell};
use std::marker::PhantomData;
use std::ops::Deref;

use crate::continuation;
use crate::error::Error;
use crate::result::AsyncResult;
use crate::task::{Borrow, Edge, EndEdge, OnFailure, Step, Typed, TypedEdge, VisitEdges};

/// What a call comes to.
pub enum Outcome<T> {
    /// Its value, or its failure.
    Done(Result<T, Error>),
    /// A result that stands for it.
    Flatten(AsyncResult<T>),
}

/// The result that work has returned, whose outcome is to be its own.
pub(crate) struct Forward<T>(OnceCell<Box<TypedEdge<T>>>);

impl<T> Forward<T> {
    /// None yet.
    pub(crate) fn new() -> Forward<T> {
        Forward(OnceCell::new())
    }

    /// The job waits for this result now.
    pub(crate) fn to(&self, result: AsyncResult<T>) -> Step<T> {
        let edge = TypedEdge::moving(result.into_owner(), OnFailure::Look);
        let first = self.0.set(Box::new(edge)).is_ok();
        debug_assert!(first, "work ended twice");
        Step::Forwards
    }

    pub(crate) fn edge(&self) -> Option<&Edge> {
        self.0.get().map(|edge| edge.edge())
    }

    /// The outcome of the result, if there is one to wait for; it is set by now.
    pub(crate) fn outcome(&self) -> Option<Result<T, Error>> {
        self.0.get().map(|edge| edge.take())
    }

    pub(crate) fn release(&self, cancelled: bool) {
        if let Some(edge) = self.edge() {
            edge.release(cancelled);
        }
    }
}

/// One argument of a call.
///
/// Each input is used up once: by `value`, when all are there, or by `release`.
pub trait Input {
    /// What the call gets.
    type Value;

    #[doc(hidden)]
    fn edges(&self, visit: VisitEdges<'_>);
    #[doc(hidden)]
    fn value(&self) -> Result<Self::Value, Error>;
    #[doc(hidden)]
    fn release(&self, cancelled: bool);
}

/// The arguments of a call: nested pairs, so that there may be any number.
pub trait Inputs {
    /// What the call gets, as nested pairs.
    type Values;
    /// [`AllReady`] or [`SomePending`].
    type State;
    /// Whether those that nobody else needs are cancelled where the call fails.
    #[doc(hidden)]
    const CANCELLED: bool = false;

    #[doc(hidden)]
    fn edges(&self, visit: VisitEdges<'_>);
    #[doc(hidden)]
    fn values(&self) -> Result<Self::Values, Error>;
    #[doc(hidden)]
    fn release(&self, cancelled: bool);

    /// Takes arguments apart that are all there.
    fn ready_values(self) -> Self::Values
    where
        Self: Inputs<State = AllReady> + Sized,
    {
        match self.values() {
            Ok(values) => values,
            Err(error) => unreachable!("an argument that is there failed: {error}"),
        }
    }
}

/// No argument is a result: the call can be made at once.
#[derive(Debug, Clone, Copy)]
pub struct AllReady;

/// Some argument is a result: the call becomes a task.
#[derive(Debug, Clone, Copy)]
pub struct SomePending;

/// An argument that is there already.
pub struct Plain<X>(Cell<Option<X>>);

impl<X> Plain<X> {
    /// Takes the argument as it is.
    pub fn new(value: X) -> Plain<X> {
        Plain(Cell::new(Some(value)))
    }
}

impl<X> Input for Plain<X> {
    type Value = X;

    fn edges(&self, _visit: VisitEdges<'_>) {}

    fn value(&self) -> Result<X, Error> {
        Ok(self.0.take().unwrap_or_else(|| unreachable!("an argument was used twice")))
    }

    fn release(&self, _cancelled: bool) {
        drop(self.0.take());
    }
}

/// A result whose value moves in, or is cloned where there are other handles.
pub struct Moved<T>(TypedEdge<T>);

impl<T> Moved<T> {
    /// The value of `result`, when it is there.
    pub fn new(result: AsyncResult<T>) -> Moved<T> {
        Moved(TypedEdge::moving(result.into_owner(), OnFailure::Skip))
    }
}

impl<T> Input for Moved<T> {
    type Value = T;

    fn edges(&self, visit: VisitEdges<'_>) {
        visit(self.0.edge());
    }

    fn value(&self) -> Result<T, Error> {
        self.0.take()
    }

    fn release(&self, cancelled: bool) {
        self.0.edge().release(cancelled);
    }
}

/// A result whose value or failure goes in, whichever it is.
pub(crate) struct Either<T>(TypedEdge<T>);

impl<T> Either<T> {
    pub(crate) fn new(result: AsyncResult<T>) -> Either<T> {
        Either(TypedEdge::moving(result.into_owner(), OnFailure::Look))
    }
}

impl<T> Input for Either<T> {
    type Value = Result<T, Error>;

    fn edges(&self, visit: VisitEdges<'_>) {
        visit(self.0.edge());
    }

    fn value(&self) -> Result<Result<T, Error>, Error> {
        Ok(self.0.take())
    }

    fn release(&self, cancelled: bool) {
        self.0.edge().release(cancelled);
    }
}

/// A result whose value is lent.
///
/// It goes to another thread only where `T: Send + Sync`, as an `Arc<T>` does.
pub struct Lent<T>(TypedEdge<T>, PhantomData<std::sync::Arc<T>>);

impl<T> Lent<T> {
    /// The value of `result`, when it is there; moving it waits until the call is over.
    pub fn new(result: &AsyncResult<T>) -> Lent<T> {
        Lent(TypedEdge::lending(result.owner()), PhantomData)
    }
}

impl<T> Input for Lent<T> {
    type Value = Borrowed<T>;

    fn edges(&self, visit: VisitEdges<'_>) {
        visit(self.0.edge());
    }

    fn value(&self) -> Result<Borrowed<T>, Error> {
        self.0.lend().map(|borrow| Borrowed(Some(borrow)))
    }

    fn release(&self, cancelled: bool) {
        self.0.edge().release(cancelled);
    }
}

/// A value that a call has been lent; the loan ends with it. (The work that the call returns has one of
/// its own: see `Work::finish_inside`.)
pub struct Borrowed<T>(Option<Typed<Borrow, T>>);

impl<T> Deref for Borrowed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self.0.as_ref().map(|borrow| borrow.outcome()) {
            Some(Ok(value)) => value,
            _ => unreachable!("a result was lent that has failed, or whose loan is over"),
        }
    }
}

impl<T> Drop for Borrowed<T> {
    fn drop(&mut self) {
        continuation::end_loan(self.0.take());
    }
}

/// Results that are set first, and whose values do not go in.
pub(crate) struct Earlier(Box<[EndEdge]>);

impl Earlier {
    pub(crate) fn new(edges: Vec<EndEdge>) -> Earlier {
        Earlier(edges.into())
    }
}

impl Input for Earlier {
    type Value = ();

    fn edges(&self, visit: VisitEdges<'_>) {
        self.0.iter().for_each(|edge| visit(edge.edge()));
    }

    fn value(&self) -> Result<(), Error> {
        self.0.iter().try_for_each(EndEdge::end)
    }

    fn release(&self, cancelled: bool) {
        self.0.iter().for_each(|edge| edge.edge().release(cancelled));
    }
}

/// Results whose values move in as a list.
pub struct Many<T>(Box<[TypedEdge<T>]>);

impl<T> Many<T> {
    /// The values of `results`, in their order, when all are there.
    pub fn new(results: impl IntoIterator<Item = AsyncResult<T>>) -> Many<T> {
        let edge = |result: AsyncResult<T>| TypedEdge::moving(result.into_owner(), OnFailure::Skip);
        Many(results.into_iter().map(edge).collect())
    }
}

impl<T> Input for Many<T> {
    type Value = Vec<T>;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.0.iter().for_each(|edge| visit(edge.edge()));
    }

    fn value(&self) -> Result<Vec<T>, Error> {
        self.0.iter().map(TypedEdge::take).collect()
    }

    fn release(&self, cancelled: bool) {
        self.0.iter().for_each(|edge| edge.edge().release(cancelled));
    }
}

/// Results whose values and failures go in as a list, whichever each is. The failures count as seen.
pub(crate) struct Outcomes<T>(Box<[TypedEdge<T>]>);

impl<T> Outcomes<T> {
    pub(crate) fn new(results: impl IntoIterator<Item = AsyncResult<T>>) -> Outcomes<T> {
        let edge = |result: AsyncResult<T>| TypedEdge::moving(result.into_owner(), OnFailure::Look);
        Outcomes(results.into_iter().map(edge).collect())
    }
}

impl<T> Input for Outcomes<T> {
    type Value = Vec<Result<T, Error>>;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.0.iter().for_each(|edge| visit(edge.edge()));
    }

    fn value(&self) -> Result<Self::Value, Error> {
        Ok(self.0.iter().map(|edge| edge.take().map_err(Error::observed)).collect())
    }

    fn release(&self, cancelled: bool) {
        self.0.iter().for_each(|edge| edge.edge().release(cancelled));
    }
}

impl Inputs for () {
    type Values = ();
    type State = AllReady;

    fn edges(&self, _visit: VisitEdges<'_>) {}

    fn values(&self) -> Result<(), Error> {
        Ok(())
    }

    fn release(&self, _cancelled: bool) {}
}

/// The list of inputs with one more in front.
macro_rules! inputs {
    ($([$($generic:tt)*] $input:ty => $state:ty;)*) => { $(
        impl<$($generic)* Rest: Inputs> Inputs for ($input, Rest) {
            type Values = (<$input as Input>::Value, Rest::Values);
            type State = $state;

            fn edges(&self, visit: VisitEdges<'_>) {
                self.0.edges(visit);
                self.1.edges(visit);
            }

            fn values(&self) -> Result<Self::Values, Error> {
                Ok((self.0.value()?, self.1.values()?))
            }

            fn release(&self, cancelled: bool) {
                self.0.release(cancelled);
                self.1.release(cancelled);
            }
        }
    )* };
}

inputs! {
    [] Earlier => SomePending;
    [X,] Plain<X> => Rest::State;
    [T,] Moved<T> => SomePending;
    [T,] Either<T> => SomePending;
    [T,] Lent<T> => SomePending;
    [T,] Many<T> => SomePending;
    [T,] Outcomes<T> => SomePending;
}

/// Inputs that are cancelled where the task fails and nobody else needs them.
pub(crate) struct OrCancelled<L>(pub(crate) L);

impl<L: Inputs> Inputs for OrCancelled<L> {
    type Values = L::Values;
    type State = L::State;
    const CANCELLED: bool = true;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.0.edges(visit);
    }

    fn values(&self) -> Result<L::Values, Error> {
        self.0.values()
    }

    fn release(&self, _cancelled: bool) {
        self.0.release(true);
    }
}
