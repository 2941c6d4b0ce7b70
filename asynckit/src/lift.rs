//! Calls as tasks: a call whose arguments are results is lifted to a task that makes it when they
//! are there.

use std::cell::Cell;

use crate::AsyncResult;
use crate::continuation;
use crate::error::{BoxError, Error, Hop};
use crate::future::Polled;
use crate::inputs::{Either, Forward, Inputs, Outcome};
use crate::pool::{self, Current, Handle, Place, Spawn, Spawner};
use crate::sync::Arc;
use crate::task::{At, Header, Job, Step, Token, VisitEdges, allocate};

/// A call with its arguments.
pub(crate) struct Lifted<L, F, T> {
    inputs: L,
    call: Cell<Option<F>>,
    forward: Forward<T>,
}

impl<L: Inputs, F, T> Lifted<L, F, T> {
    pub(crate) fn new(inputs: L, call: F) -> Lifted<L, F, T> {
        Lifted { inputs, call: Cell::new(Some(call)), forward: Forward::new() }
    }

    fn call(&self, here: &Here<'_>) -> Outcome<T>
    where
        F: FnOnce(&Here<'_>, L::Values) -> Outcome<T>,
    {
        let Some(call) = self.call.take() else { unreachable!("a call was made twice") };
        match self.inputs.values() {
            Ok(values) => call(here, values),
            Err(error) => Outcome::Done(Err(error.passed_on(here.0.hop))),
        }
    }
}

impl<L: Inputs, F, T> Job<T> for Lifted<L, F, T>
where
    F: FnOnce(&Here<'_>, L::Values) -> Outcome<T>,
{
    const SIMPLE: bool = false;

    fn edges(&self, visit: VisitEdges<'_>) {
        match self.forward.edge() {
            Some(edge) => visit(edge),
            None => self.inputs.edges(visit),
        }
    }

    fn run(&self, task: &Header) -> Step<T> {
        if let Some(outcome) = self.forward.outcome() {
            return Step::Done(outcome);
        }
        match self.call(&Here(task)) {
            Outcome::Done(outcome) => Step::Done(outcome),
            Outcome::Flatten(result) => self.forward.to(result),
        }
    }

    fn run_in_place(&self, task: &Header) -> Step<T> {
        match self.call(&Here(task)) {
            Outcome::Done(outcome) => Step::Done(outcome),
            Outcome::Flatten(result) => Step::Done(result.get()),
        }
    }

    fn release(&self, cancelled: bool) {
        drop(self.call.take());
        self.inputs.release(cancelled);
        self.forward.release(cancelled);
    }
}

/// The task that a lifted call runs as: work that the call returns runs where it does.
pub struct Here<'a>(&'a Header);

impl Here<'_> {
    /// Where this task runs.
    pub(crate) fn place(&self) -> Option<Arc<Place>> {
        self.0.place().cloned().or_else(pool::place_here)
    }

    /// The failure of this task, because of `cause`.
    pub(crate) fn failed(&self, cause: BoxError) -> Error {
        Error::failed(self.0.hop, cause, self.0.hook())
    }
}

/// Makes a call when its inputs are there.
pub(crate) fn lifted<'w, L, T>(
    name: &'static &'static str,
    at: At,
    inputs: L,
    spawner: &(impl Spawner<'w> + ?Sized),
    call: impl FnOnce(&Here<'_>, L::Values) -> Outcome<T> + Send + 'w,
) -> AsyncResult<T>
where
    L: Inputs + Send + 'w,
    T: Send + 'w,
{
    let Handle(place) = spawner.place();
    let (owner, token) = allocate(Hop { name, at }, Some(place), Lifted::new(inputs, call));
    start(token, false);
    AsyncResult::from_owner(owner)
}

/// Inputs to be collected into one value: foreign code is called for no more than clones and
/// collections.
struct Gathered<L, F> {
    inputs: L,
    shape: Cell<Option<F>>,
}

impl<L: Inputs, U, F: FnOnce(L::Values) -> U> Job<U> for Gathered<L, F> {
    const SIMPLE: bool = false;
    const IMMEDIATE: bool = true;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.inputs.edges(visit);
    }

    fn run(&self, _task: &Header) -> Step<U> {
        let Some(shape) = self.shape.take() else { unreachable!("inputs were gathered twice") };
        Step::Done(self.inputs.values().map(shape))
    }

    fn release(&self, cancelled: bool) {
        drop(self.shape.take());
        self.inputs.release(cancelled);
    }
}

/// Collects inputs when they are there, on whichever thread brings the last.
pub(crate) fn gather<L, U>(
    hop: Hop,
    inputs: L,
    shape: impl FnOnce(L::Values) -> U + Send,
) -> AsyncResult<U>
where
    L: Inputs + Send,
    U: Send,
{
    // What is gathered from a scope's work belongs to the scope, which must not end before. (Results
    // of one type: what it borrows outlives all their scopes.)
    let mut place = None;
    inputs.edges(&mut |edge| {
        let of_scope = edge.upstream().place().filter(|place| place.is_scope()).cloned();
        place = place.take().or(of_scope);
    });
    gather_at(hop, place, inputs, shape)
}

/// As `gather`, on a place that must not end before.
pub(crate) fn gather_at<L, U>(
    hop: Hop,
    place: Option<Arc<Place>>,
    inputs: L,
    shape: impl FnOnce(L::Values) -> U + Send,
) -> AsyncResult<U>
where
    L: Inputs + Send,
    U: Send,
{
    let (owner, token) = allocate(hop, place, Gathered { inputs, shape: Cell::new(Some(shape)) });
    start(token, false);
    AsyncResult::from_owner(owner)
}

/// Hands the outcome of `whole` over as soon as it is there.
pub(crate) fn hand_over<T: Send>(
    hop: Hop,
    whole: AsyncResult<T>,
    to: impl FnOnce(Result<T, Error>) + Send,
) {
    let inputs = (Either::new(whole), ());
    drop(gather(hop, inputs, |(outcome, ())| to(outcome)));
}

/// Makes a task of a future.
pub(crate) fn spawn_async<T: Send + 'static>(
    place: &Current,
    name: &'static &'static str,
    at: At,
    future: impl Future<Output = Result<Outcome<T>, BoxError>> + Send + 'static,
) -> AsyncResult<T> {
    let Handle(place) = place.place();
    let (owner, token) = allocate(Hop { name, at }, Some(place), Polled::new(future));
    start(token, false);
    AsyncResult::from_owner(owner)
}

/// Submits a task to its place, which may turn it down. `counted`: it has a place in the queue.
pub(crate) fn start(token: Token, counted: bool) {
    let Some(place) = token.place() else {
        return continuation::submit(token, counted);
    };
    if let Err(error) = place.admit(&token) {
        if counted {
            place.pool().begun();
        }
        continuation::fail(&token.reference(), error, false);
    } else if place.is_scope() {
        let task = token.reference();
        continuation::submit(token, counted);
        if let Some(place) = task.place() {
            place.show(&task);
        }
    } else {
        continuation::submit(token, counted);
    }
}
