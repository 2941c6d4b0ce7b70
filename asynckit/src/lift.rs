//! Calls as tasks: a call whose arguments are results is lifted to a task that makes it when they
//! are there.

use std::cell::Cell;
use std::marker::PhantomData;

use crate::closure::{Body, Closure, by_room};
use crate::continuation;
use crate::error::{BoxError, Error, Hook, Hop};
use crate::future::Polled;
use crate::inputs::{Forward, Inputs, Outcome};
use crate::pool::{self, Current, Handle, Spawn, Spawner};
use crate::result::scope_of;
use crate::task::{
    At, Header, Job, Lease, Owner, State, Step, Token, VisitEdges, allocate, loans_of, submit_at,
};
use crate::time;
use crate::{AsyncResult, Work};

/// A call with its arguments.
pub(crate) struct Lifted<'w, L: Inputs, T, Room> {
    inputs: L,
    call: Closure<'w, L::Values, Outcome<T>, Room>,
    forward: Forward<T>,
}

/// What becomes of a call with inputs `L` and a closure `B`: of several functions the one with the
/// right room for the closure.
pub(crate) struct Lifting<'w, L, T, B>(PhantomData<(&'w (), L, T, B)>);

impl<'w, L, T, B> Lifting<'w, L, T, B>
where
    L: Inputs + Send + 'w,
    T: Send + 'w,
    B: Body<L::Values, Outcome<T>> + Send + 'w,
{
    /// Makes a task of the call.
    const START: fn(Hop, Lease, L, B) -> AsyncResult<T> = by_room!(B, start);
    /// Makes work of it.
    pub(crate) const WORK: fn(Hop, L, B) -> Work<'w, T> = by_room!(B, work);

    #[inline]
    fn start<Room>(hop: Hop, place: Lease, inputs: L, body: B) -> AsyncResult<T> {
        make_task(hop, Some(place), false, Lifted::<_, _, Room>::new(inputs, Closure::new(body)))
    }

    fn work<Room>(hop: Hop, inputs: L, body: B) -> Work<'w, T> {
        Work::with_cell(hop, Lifted::<_, _, Room>::new(inputs, Closure::new(body)))
    }
}

impl<'w, L: Inputs, T, Room> Lifted<'w, L, T, Room> {
    fn new(inputs: L, call: Closure<'w, L::Values, Outcome<T>, Room>) -> Self {
        Lifted { inputs, call, forward: Forward::new() }
    }

    /// Makes the call; fails where an input did.
    fn call(&self, here: &Here<'_>, outcome: &mut Option<Outcome<T>>) -> Result<(), Error> {
        let mut values = None;
        self.take_values(here, &mut values)?;
        self.call.call(here, &mut values, outcome);
        Ok(())
    }

    /// A function of its own, so that what it has on the stack is gone before the call.
    fn take_values(&self, here: &Here<'_>, values: &mut Option<L::Values>) -> Result<(), Error> {
        match self.inputs.values() {
            Ok(all) => *values = Some(all),
            Err(error) => return Err(error.passed_on(here.0.hop)),
        }
        Ok(())
    }

    /// What the result has come to that the call returned.
    fn forwarded(&self) -> Step<T> {
        match self.forward.outcome() {
            Some(outcome) => Step::UsedUp(outcome),
            None => unreachable!("a call went on without its result"),
        }
    }
}

impl<L: Inputs, T, Room> Job<T> for Lifted<'_, L, T, Room> {
    const SIMPLE: bool = false;
    const WAITS: bool = true;

    fn edges(&self, visit: VisitEdges<'_>) {
        match self.forward.edge() {
            Some(edge) => visit(edge),
            None => self.inputs.edges(visit),
        }
    }

    fn run(&self, task: &Header) -> Step<T> {
        if self.forward.edge().is_some() {
            return self.forwarded();
        }
        let mut outcome = None;
        if let Err(error) = self.call(&Here(task), &mut outcome) {
            return Step::Done(Err(error));
        }
        match outcome {
            Some(Outcome::Done(outcome)) => Step::UsedUp(outcome),
            Some(Outcome::Flatten(result)) => self.forward.to(result),
            None => unreachable!("a call had no outcome"),
        }
    }

    fn run_in_place(&self, task: &Header) -> Step<T> {
        let mut outcome = None;
        if let Err(error) = self.call(&Here(task), &mut outcome) {
            return Step::Done(Err(error));
        }
        match outcome {
            Some(Outcome::Done(outcome)) => Step::UsedUp(outcome),
            Some(Outcome::Flatten(result)) => Step::UsedUp(result.get()),
            None => unreachable!("a call had no outcome"),
        }
    }

    fn release(&self, cancelled: bool) {
        self.call.release();
        self.inputs.release(cancelled);
        self.forward.release(cancelled);
    }
}

/// The task that a lifted call runs as: work that the call returns runs where it does.
pub struct Here<'a>(&'a Header);

impl<'a> Here<'a> {
    /// That of a task which runs now.
    pub(crate) fn of(task: &'a Header) -> Here<'a> {
        Here(task)
    }

    /// Where this task runs; nowhere if it was not submitted, but is run in place.
    pub(crate) fn place(&self) -> Option<Lease> {
        self.0.lease()
    }

    /// Where work runs that the call has returned and that goes on as a task of its own, if it does. It has
    /// been lent what the call was.
    pub(crate) fn place_of_part(&self, part: &Token) -> Option<Lease> {
        let place = self.place().filter(|_| !part.is_simple())?;
        let loans = pool::task_here().map(|task| loans_of(&task)).unwrap_or_default();
        Some(if loans.is_empty() { place } else { place.with_loans(loans) })
    }

    pub(crate) fn hook(&self) -> Option<Hook> {
        self.0.hook()
    }

    /// What this task runs waits on: the time of the run counts from when that begins.
    pub(crate) fn begin_anew(&self) {
        if let Some(place) = self.0.place() {
            if let Some(stopwatch) = place.stopwatch() {
                stopwatch.begin_anew(self.0);
            }
        } else {
            time::begin_anew_in_place(self.0);
        }
    }

    /// The failure of this task, because of `cause`.
    pub(crate) fn failed(&self, cause: BoxError) -> Error {
        Error::failed(self.0.hop, cause, self.hook())
    }
}

/// Makes a call when its inputs are there.
pub(crate) fn lifted<'w, L, T>(
    name: &'static &'static str,
    at: At,
    inputs: L,
    spawner: &(impl Spawner<'w> + ?Sized),
    call: impl Body<L::Values, Outcome<T>> + Send + 'w,
) -> AsyncResult<T>
where
    L: Inputs + Send + 'w,
    T: Send + 'w,
{
    let Handle(place) = spawner.place();
    Lifting::START(Hop { name, at }, place, inputs, call)
}

/// Inputs to be collected into one value: foreign code is called for no more than clones and
/// collections.
struct Gathered<L, F, const OF_SCOPE: bool> {
    inputs: L,
    shape: Cell<Option<F>>,
}

impl<L, U, F, const OF_SCOPE: bool> Job<U> for Gathered<L, F, OF_SCOPE>
where
    L: Inputs,
    F: FnOnce(L::Values) -> Result<U, Error>,
{
    const OF_SCOPE: bool = OF_SCOPE;
    const SIMPLE: bool = false;
    const WAITS: bool = true;
    const IMMEDIATE: bool = true;
    const CANCELS: bool = L::CANCELLED;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.inputs.edges(visit);
    }

    fn run(&self, _task: &Header) -> Step<U> {
        let Some(shape) = self.shape.take() else { unreachable!("inputs were gathered twice") };
        match self.inputs.values() {
            Ok(values) => Step::UsedUp(shape(values)),
            Err(error) => Step::Done(Err(error)),
        }
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
    try_gather(hop, inputs, |values| Ok(shape(values)))
}

/// As `gather`, where what comes of the inputs may be a failure.
pub(crate) fn try_gather<L, U>(
    hop: Hop,
    inputs: L,
    shape: impl FnOnce(L::Values) -> Result<U, Error> + Send,
) -> AsyncResult<U>
where
    L: Inputs + Send,
    U: Send,
{
    // What is gathered from a scope's work belongs to the scope, which ends when that is there.
    let (mut place, mut of_scope) = (None, false);
    inputs.edges(&mut |edge| {
        place = place.take().or_else(|| scope_of(edge.upstream()));
        of_scope |= edge.upstream().is_of_scope();
    });
    let shape = Cell::new(Some(shape));
    if of_scope && place.is_none() {
        // Set by hand, or left over from a scope that has ended: what comes of it may borrow as well.
        return make_task(hop, None, false, Gathered::<_, _, true> { inputs, shape });
    }
    make_task(hop, place, false, Gathered::<_, _, false> { inputs, shape })
}

/// As `gather`, on a place that must not end before.
pub(crate) fn gather_at<L, U>(
    hop: Hop,
    place: Option<Lease>,
    inputs: L,
    shape: impl FnOnce(L::Values) -> U + Send,
) -> AsyncResult<U>
where
    L: Inputs + Send,
    U: Send,
{
    let shape = |values| Ok(shape(values));
    make_task(hop, place, false, Gathered::<_, _, false> { inputs, shape: Cell::new(Some(shape)) })
}

/// Makes a task of a future.
pub(crate) fn spawn_async<T: Send + 'static>(
    place: &Current,
    name: &'static &'static str,
    at: At,
    future: impl Future<Output = Result<Outcome<T>, BoxError>> + Send + 'static,
) -> AsyncResult<T> {
    let Handle(place) = place.place();
    make_task(Hop { name, at }, Some(place), false, Polled::new(future))
}

/// Makes a task and submits it to its place, which may turn it down. `counted`: it has a place in
/// the queue.
pub(crate) fn make_task<T, J: Job<T>>(
    hop: Hop,
    place: Option<Lease>,
    counted: bool,
    job: J,
) -> AsyncResult<T> {
    let admitted = admit(hop, place.as_ref(), counted);
    let state = first_state(J::WAITS, counted, admitted.is_ok());
    let (owner, token) = allocate(hop, place, state, job);
    begin(&owner, token, admitted);
    AsyncResult::from_owner(owner)
}

/// Submits work that has a cell already.
pub(crate) fn submit_task(owner: &Owner, token: Token, place: Lease, counted: bool) {
    let admitted = admit(token.hop, Some(&place), counted);
    let state = first_state(token.waits(), counted, admitted.is_ok());
    submit_at(&token, place, state);
    begin(owner, token, admitted);
}

/// Whether the place takes a new task, which it counts either way.
fn admit(hop: Hop, place: Option<&Lease>, counted: bool) -> Result<(), Error> {
    let Some(place) = place else { return Ok(()) };
    let admitted = place.admit(hop);
    if counted && admitted.is_err() {
        place.pool().begun();
    }
    admitted
}

fn first_state(waits: bool, counted: bool, admitted: bool) -> State {
    match (admitted, waits) {
        (false, _) => State::unsubmitted(),
        (true, false) => State::ready(counted),
        (true, true) => State::tying(counted),
    }
}

fn begin(owner: &Owner, token: Token, admitted: Result<(), Error>) {
    if !token.is_immediate() {
        token.trace.begin(token.hop);
    }
    match admitted {
        Ok(()) => continuation::submit(owner, token),
        Err(error) => drop(continuation::fail(&owner.reference(), error, false)),
    }
    let Some(place) = owner.place() else { return };
    if place.lists() {
        place.show(&owner.reference());
    }
    if let Some(seeded) = place.pool().queue.seeded() {
        seeded.note(&owner.reference());
    }
}
