//! Work: a call that has not been made yet.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::marker::{PhantomData, PhantomPinned};
use std::panic::Location;

use crate::AsyncResult;
use crate::after::Follows;
use crate::continuation;
use crate::error::{BoxError, Error, Hook, Hop};
use crate::future::Polled;
use crate::inputs::{Inputs, Outcome};
use crate::lift::{Here, Lifting, make_task, submit_task};
use crate::panic;
use crate::pool::{self, Free, Handle, Set, Spawner};
use crate::sync::Deadline;
use crate::task::{
    At, Edge, EndEdge, Header, Inline, Job, Lease, Owner, Ran, State, Step, TaskRef, Token, Typed,
    allocate, dispose_of, each_edge, fits, run_claimed, within,
};
use crate::time;
use crate::trace::Trace;

/// A call that has not been made: what an `#[async_work]` function returns.
///
/// Nothing runs until the work is submitted ([`spawn_on`](Work::spawn_on),
/// [`detach_on`](Work::detach_on), a [`chain!`](crate::chain)) or run in place
/// ([`run`](Work::run)). Work that is dropped does not run.
///
/// `'w` is how long what the work borrows lives: on a [`Pool`](crate::Pool) it must be `'static`, on
/// a [`Scope`](crate::Scope) the scope's own.
#[must_use = "work does nothing until it is submitted with `.spawn_on(&pool)`, run in place with \
              `.run()`, or called in a `chain!`"]
pub struct Work<'w, T> {
    hop: Hop,
    /// Taken when the work is submitted or run.
    form: Option<Form<'w, T>>,
    /// Not `Unpin`: that is how `Pool::map` tells it from plain values.
    told_apart: PhantomData<PhantomPinned>,
}

/// What work is before it is submitted.
enum Form<'w, T> {
    Own(Own<'w, T>),
    /// Other work, which is to follow results.
    Later(Box<dyn Follows<T> + 'w>),
}

/// Work that is no other's.
enum Own<'w, T> {
    /// A small closure.
    Inline(Inline<'w, T>),
    /// A cell: of a large closure, a future, or a call that waits for inputs.
    Cell(Typed<Owner, T>, Token),
}

/// A closure as a job.
struct Call<C>(Cell<Option<C>>);

/// What can be called once: a closure, or an inline one.
trait Callable<T> {
    fn call(self) -> Result<T, BoxError>;
}

impl<T, F: FnOnce() -> Result<T, BoxError>> Callable<T> for F {
    fn call(self) -> Result<T, BoxError> {
        self()
    }
}

impl<T> Callable<T> for Inline<'_, T> {
    fn call(self) -> Result<T, BoxError> {
        Inline::call(self)
    }
}

impl<T, C: Callable<T>> Job<T> for Call<C> {
    const SIMPLE: bool = true;

    fn run(&self, task: &Header) -> Step<T> {
        let Some(call) = self.0.take() else { unreachable!("work was run twice") };
        Step::UsedUp(call.call().map_err(|error| Error::failed(task.hop, error, task.hook())))
    }

    fn release(&self, _cancelled: bool) {
        drop(self.0.take());
    }
}

/// Work for a call.
pub(crate) fn new_work<'w, T, F>(hop: Hop, call: F) -> Work<'w, T>
where
    T: Send + 'w,
    F: FnOnce() -> Result<T, BoxError> + Send + 'w,
{
    Making::MAKE(hop, call)
}

/// How work is made of a closure.
struct Making<'w, T, F>(PhantomData<(&'w (), T, F)>);

impl<'w, T, F> Making<'w, T, F>
where
    T: Send + 'w,
    F: FnOnce() -> Result<T, BoxError> + Send + 'w,
{
    /// Chosen in a constant, so that the other one is never compiled.
    const MAKE: fn(Hop, F) -> Work<'w, T> = if fits::<F>() { Self::inline } else { Self::cell };

    #[inline]
    fn inline(hop: Hop, call: F) -> Work<'w, T> {
        Work::of_form(hop, Form::Own(Own::Inline(Inline::new(call))))
    }

    fn cell(hop: Hop, call: F) -> Work<'w, T> {
        Work::with_cell(hop, Call(Cell::new(Some(call))))
    }
}

/// Work for the call of an annotated `async fn`.
pub(crate) fn new_async_work<'w, T: Send + 'w>(
    hop: Hop,
    future: impl Future<Output = Result<T, BoxError>> + Send + 'w,
) -> Work<'w, T> {
    let future = async move { future.await.map(|value| Outcome::Done(Ok(value))) };
    Work::with_cell(hop, Polled::new(future))
}

/// Work that waits for inputs.
pub(crate) fn pending_work<'w, L, T>(
    hop: Hop,
    inputs: L,
    call: impl FnOnce(&Here<'_>, L::Values) -> Outcome<T> + Send + 'w,
) -> Work<'w, T>
where
    L: Inputs + Send + 'w,
    T: Send + 'w,
{
    Lifting::WORK(hop, inputs, call)
}

/// A closure as work; what it returns is the value, also if it is a `Result`.
///
/// ```
/// let pool = asynckit::Pool::new(1);
/// let result = asynckit::work(|| "4".parse::<i32>()).spawn_on(&pool);
/// assert_eq!(result.get()?, Ok(4));
/// # Ok::<(), asynckit::Error>(())
/// ```
#[track_caller]
pub fn work<'w, T: Send + 'w>(call: impl FnOnce() -> T + Send + 'w) -> Work<'w, T> {
    new_work(Hop::here(&"closure"), move || Ok(call()))
}

/// A closure as work that may fail: the value of `Ok` is the value, an error travels along the
/// chain.
///
/// ```
/// let pool = asynckit::Pool::new(1);
/// let result = asynckit::try_work(|| "four".parse::<i32>()).spawn_on(&pool);
/// assert_eq!(result.get().unwrap_err().to_string(), "closure failed: invalid digit found in string");
/// ```
#[track_caller]
pub fn try_work<'w, T, E>(call: impl FnOnce() -> Result<T, E> + Send + 'w) -> Work<'w, T>
where
    T: Send + 'w,
    E: Into<BoxError>,
{
    new_work(Hop::here(&"closure"), move || call().map_err(Into::into))
}

impl<'w, T> Work<'w, T> {
    /// Work that is done by a job of any kind.
    pub(crate) fn with_cell<J: Job<T>>(hop: Hop, job: J) -> Work<'w, T> {
        let (owner, token) = allocate(hop, None, State::unsubmitted(), job);
        Work::of_form(hop, Form::Own(Own::Cell(owner, token)))
    }

    /// The cell of work that has one.
    pub(crate) fn into_cell(mut self) -> (Typed<Owner, T>, Token) {
        match self.take() {
            Own::Cell(owner, token) => (owner, token),
            Own::Inline(_) => unreachable!("work without a cell was taken for a cell's"),
        }
    }

    fn of_form(hop: Hop, form: Form<'w, T>) -> Work<'w, T> {
        Work { hop, form: Some(form), told_apart: PhantomData }
    }

    /// What it is called, and where.
    pub(crate) fn hop(&self) -> Hop {
        self.hop
    }

    /// Whether it has inputs to wait for.
    pub(crate) fn waits(&self) -> bool {
        let mut waits = false;
        match &self.form {
            Some(Form::Own(Own::Cell(_, token))) if token.waits() => {
                each_edge(token, |_| waits = true);
            }
            Some(Form::Later(_)) => waits = true,
            _ => {}
        }
        waits
    }

    /// Has it follow one result more, the first by `later`.
    pub(crate) fn put_after(
        mut self,
        edge: EndEdge,
        later: impl FnOnce(EndEdge, Work<'w, T>) -> Box<dyn Follows<T> + 'w>,
    ) -> Work<'w, T> {
        if let Some(Form::Later(others)) = &mut self.form {
            others.add(edge);
            return self;
        }
        Work::of_form(self.hop, Form::Later(later(edge, self)))
    }

    /// Its closure, or the cell that it has become.
    fn take(&mut self) -> Own<'w, T> {
        match self.form.take() {
            Some(Form::Later(later)) => {
                let (owner, token) = later.into_cell();
                Own::Cell(owner, token)
            }
            Some(Form::Own(own)) => own,
            None => unreachable!("work was used twice"),
        }
    }
}

impl<'w, T: Send> Work<'w, T> {
    /// Submits the work and gives a handle on its result.
    ///
    /// It blocks where the pool has a [queue capacity](crate::PoolBuilder::queue_capacity), the
    /// queue is full, and the caller is no work of this pool. On a stopped pool the result has
    /// failed as [`Stopped`](crate::ErrorKind::Stopped).
    ///
    /// What the caller did before happens before the work.
    pub fn spawn_on(self, place: &(impl Spawner<'w> + ?Sized)) -> AsyncResult<T> {
        let Handle(place) = place.place();
        self.spawn_at(place)
    }

    /// As `spawn_on`.
    pub(crate) fn spawn_at(self, place: Lease) -> AsyncResult<T> {
        let shared = place.pool();
        let counted = self.counts_in(shared) && pool::enter_queue(shared);
        self.submit(place, counted)
    }

    /// As [`spawn_on`](Work::spawn_on), without ever blocking.
    ///
    /// # Errors
    ///
    /// Hands the work back when the pool's queue is full, and when the pool has been stopped.
    pub fn try_spawn_on(
        self,
        place: &(impl Spawner<'w> + ?Sized),
    ) -> Result<AsyncResult<T>, Work<'w, T>> {
        let Handle(place) = place.place();
        if !place.pool().admits() {
            return Err(self);
        }
        let counted = self.counts_in(place.pool());
        if counted && !place.pool().queue.try_enter() {
            return Err(self);
        }
        Ok(self.submit(place, counted))
    }

    /// Submits the work without a handle. A failure goes to the pool's
    /// [`on_unobserved_error`](crate::PoolBuilder::on_unobserved_error).
    pub fn detach_on(self, place: &(impl Spawner<'w> + ?Sized)) {
        drop(self.spawn_on(place));
    }

    /// Runs the work here and now, on this thread. A panic is caught, as on a pool.
    ///
    /// Work that waits for results ([`AsyncResult::map`] and the like) blocks until they are set; an
    /// `async fn` is polled to its end.
    ///
    /// # Errors
    ///
    /// The failure of the work or of what it waited for.
    #[track_caller]
    pub fn run(self) -> Result<T, Error> {
        self.run_part(None).map_err(Error::observed)
    }

    /// As `run`, as a part of what the thread does, whose failures have that `hook`.
    #[track_caller]
    pub(crate) fn run_part(mut self, hook: Option<Hook>) -> Result<T, Error> {
        let at = Location::caller();
        match self.take() {
            Own::Inline(call) => {
                time::begin_in_place(None);
                let trace = Trace::new();
                trace.begin(self.hop);
                let call = || call_here(self.hop, || hook, call);
                let outcome = trace.within(|| panic::noting(call));
                trace.end(outcome.as_ref().err());
                outcome
            }
            Own::Cell(owner, token) => run_cell(owner, token, at),
        }
    }

    /// As `finish_inside`, of a task that has done nothing but wait for the work's turn.
    #[track_caller]
    pub(crate) fn begin_inside(self, here: &Here<'_>) -> Outcome<T> {
        if let Some(Form::Own(Own::Cell(_, token))) = &self.form
            && !token.is_simple()
        {
            here.begin_anew();
        }
        self.finish_inside(here)
    }

    /// Inside of a task: plain work is run in place, other work goes on as a task of its own. What the task's
    /// call was lent is lent until that one is over; what is run in place has come to its end here.
    #[track_caller]
    pub(crate) fn finish_inside(mut self, here: &Here<'_>) -> Outcome<T> {
        match self.take() {
            Own::Inline(call) => Outcome::Done(call_here(self.hop, || here.hook(), call)),
            Own::Cell(owner, token) => match here.place_of_part(&token) {
                Some(place) => {
                    submit_task(&owner, token, place, false);
                    Outcome::Flatten(AsyncResult::from_owner(owner))
                }
                None => Outcome::Done(run_cell(owner, token, Location::caller())),
            },
        }
    }

    /// Whether it takes a place in the pool's queue: ready work from outside does.
    fn counts_in(&self, shared: &pool::Shared) -> bool {
        if !shared.queue.has_capacity() || pool::works_for(shared) {
            return false;
        }
        !self.waits()
    }

    pub(crate) fn submit(mut self, place: Lease, counted: bool) -> AsyncResult<T> {
        match self.take() {
            Own::Inline(call) => {
                make_task(self.hop, Some(place), counted, Call(Cell::new(Some(call))))
            }
            Own::Cell(owner, token) => {
                submit_task(&owner, token, place, counted);
                AsyncResult::from_owner(owner)
            }
        }
    }
}

/// Calls a closure on this thread, as a part of what that does.
fn call_here<T>(
    hop: Hop,
    hook: impl FnOnce() -> Option<Hook>,
    call: Inline<'_, T>,
) -> Result<T, Error> {
    match panic::catch(|| call.call()) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Error::failed(hop, error, hook())),
        Err(payload) => Err(Error::panicked(hop, payload, hook())),
    }
}

/// Does the work of a cell on this thread, as a part of what that does.
fn run_cell<T>(owner: Typed<Owner, T>, token: Token, at: At) -> Result<T, Error> {
    let task = token.reference();
    task.trace.begin(task.hop);
    if let Err(error) = wait_for_inputs(&token, time::end_in_place(), at) {
        task.trace.end(Some(&error));
        continuation::discard(&token);
        return Err(error.passed_on(token.hop));
    }
    if !task.is_immediate() {
        time::begin_in_place(Some(&task));
    }
    task.state.claim_unsubmitted();
    let ran = within(&task, true, || task.trace.within(|| run_claimed(&task, true)));
    let Ran::Settled { first, used_up } = ran else {
        unreachable!("work in place ends in an outcome")
    };
    if !used_up {
        dispose_of(&task, false);
    }
    continuation::drop_aside();
    if first {
        continuation::close(task, false);
    } else {
        // Its limit of time has ended it, on another thread that is about to close it.
        pool::wait(&Set(&task), None, at)?;
    }
    drop(token);
    owner.take()
}

/// Blocks until all inputs of work that is run in place are there. It fails where one does, and where
/// they are not there in time.
fn wait_for_inputs(token: &Token, until: Option<Deadline>, at: At) -> Result<(), Error> {
    let in_time = |waited: Result<bool, Error>| match (waited?, until) {
        (false, Some(until)) => Err(Error::timed_out(token.hop, until.limit)),
        _ => Ok(()),
    };
    let mut upstream: Vec<TaskRef> = Vec::new();
    each_edge(token, |edge: &Edge| {
        // One reference to each, as there may be many edges to one result.
        if !edge.upstream().is_set() && upstream.last().is_none_or(|last| !edge.comes_from(last)) {
            upstream.push(edge.upstream_ref());
        }
    });
    for cell in &upstream {
        in_time(pool::wait(&Set(cell), until, at))?;
    }
    loop {
        let mut lent = None;
        each_edge(token, |edge| {
            if lent.is_none() && !edge.settle_here() {
                lent = Some(edge.upstream_ref());
            }
        });
        let Some(cell) = lent else { return Ok(()) };
        in_time(pool::wait(&Free(&cell), until, at))?;
    }
}

impl<T> Drop for Work<'_, T> {
    fn drop(&mut self) {
        if let Some(Form::Own(Own::Cell(_, token))) = &self.form {
            continuation::discard(token);
        }
    }
}

impl<T> fmt::Debug for Work<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Work({})", self.hop)
    }
}
