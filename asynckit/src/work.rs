//! Work: a call that has not been made yet.

use std::fmt;
use std::future::Future;
use std::marker::{PhantomData, PhantomPinned};
use std::panic::Location;

use crate::AsyncResult;
use crate::core::{
    Callable, Here, Inline, Inputs, Job, Jobbed, Missing, Outcome, Owner, Simple, Traits, Unsubmitted, fits,
};
use crate::error::{At, BoxError, Error, Hook, Hop};
use crate::future::Polled;
use crate::lift::{Lifting, flatten};
use crate::panic;
use crate::pool::{self, Free, Handle, Place, Set, Spawner};
use crate::sync::Deadline;
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
    /// A small closure.
    Inline(Inline<'w, T>),
    /// A large closure.
    Large(Unsubmitted<T>),
    /// A future, a call that waits for inputs, or work around work.
    Cell(Unsubmitted<T>),
}

impl<T, F: FnOnce() -> Result<T, BoxError>> Callable<T> for F {
    #[inline]
    fn call(self) -> Result<T, BoxError> {
        self()
    }
}

impl<T> Callable<T> for Inline<'_, T> {
    #[inline]
    fn call(self) -> Result<T, BoxError> {
        Inline::call(self)
    }
}

/// Work for the call of an annotated function.
#[track_caller]
pub(crate) fn new_work<'w, T, F>(name: &'static &'static str, call: F) -> Work<'w, T>
where
    T: Send + 'w,
    F: FnOnce() -> Result<T, BoxError> + Send + 'w,
{
    Making::MAKE(Hop::here(name), call)
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
        Work::of_form(hop, Form::Inline(Inline::new(call)))
    }

    fn cell(hop: Hop, call: F) -> Work<'w, T> {
        Work::of_form(hop, Form::Large(Unsubmitted::new(hop, Traits::PLAIN, Simple(call))))
    }
}

/// Work for the call of an annotated `async fn`.
#[track_caller]
pub(crate) fn new_async_work<'w, T: Send + 'w>(
    name: &'static &'static str,
    future: impl Future<Output = Result<T, BoxError>> + Send + 'w,
) -> Work<'w, T> {
    let hop = Hop::here(name);
    let future = async move { future.await.map(|value| Outcome::Done(Ok(value))) };
    Work::with_job(hop, Polled::new(future))
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
    new_work(&"closure", move || Ok(call()))
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
    new_work(&"closure", move || call().map_err(Into::into))
}

impl<'w, T> Work<'w, T> {
    /// Work that is done by a job of any kind.
    pub(crate) fn with_job<J: Job<T>>(hop: Hop, job: J) -> Work<'w, T> {
        let traits = if J::IMMEDIATE { Traits::IMMEDIATE } else { Traits::PLAIN };
        Work::with_cell(hop, Unsubmitted::new(hop, traits, Jobbed(job)))
    }

    /// Work that has a cell.
    pub(crate) fn with_cell(hop: Hop, cell: Unsubmitted<T>) -> Work<'w, T> {
        Work::of_form(hop, Form::Cell(cell))
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
        matches!(&self.form, Some(Form::Cell(cell)) if cell.inputs() > 0)
    }

    fn take(&mut self) -> Form<'w, T> {
        self.form.take().unwrap_or_else(|| unreachable!("work was used twice"))
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
    #[inline]
    pub fn spawn_on(mut self, place: &(impl Spawner<'w> + ?Sized)) -> AsyncResult<T> {
        if let Some(pool) = place.pool()
            && let Some(Form::Inline(_)) = &self.form
            && pool.is_plain()
            && let Form::Inline(call) = self.take()
        {
            return AsyncResult::from_owner(pool::on_pool(pool, self.hop, Simple(call)));
        }
        let Handle(place) = place.place();
        self.spawn_at(place)
    }

    /// As `spawn_on`.
    pub(crate) fn spawn_at(self, place: Place) -> AsyncResult<T> {
        let shared = place.pool();
        let counted = self.counts_in(shared) && {
            if shared.is_helped_here() {
                // Nobody else makes room in such a pool.
                let _member = pool::Helping::begin(shared);
                while !shared.queue.try_enter() && !shared.is_stopping() {
                    pool::help_once(shared, None, &|| shared.queue.has_room());
                }
                !shared.is_stopping()
            } else {
                shared.queue.enter(|| shared.is_stopping())
            }
        };
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
    pub(crate) fn run_part(self, hook: Option<Hook>) -> Result<T, Error> {
        let outcome = self.run_until(None, hook);
        outcome.unwrap_or_else(|| unreachable!("an untimed wait ended without end"))
    }

    /// As `run_part`; `None` where the inputs are not there in time.
    #[track_caller]
    pub(crate) fn run_until(
        mut self,
        until: Option<Deadline>,
        hook: Option<Hook>,
    ) -> Option<Result<T, Error>> {
        let at = Location::caller();
        match self.take() {
            Form::Inline(call) => {
                let trace = Trace::new();
                trace.begin(self.hop);
                let outcome = trace.within(|| call_here(self.hop, || hook, call));
                trace.end(outcome.as_ref().err());
                Some(outcome)
            }
            Form::Large(cell) | Form::Cell(cell) => run_cell(self.hop, cell, until, at),
        }
    }

    /// Inside of a task: plain work is run in place, other work goes on as a task of its own. What the task's
    /// call was lent is lent until that one is over; what is run in place has come to its end here.
    #[track_caller]
    pub(crate) fn finish_inside(mut self, here: &Here<'_>) -> Outcome<T> {
        match self.take() {
            Form::Inline(call) => Outcome::Done(call_here(self.hop, || here.hook(), call)),
            form @ (Form::Large(_) | Form::Cell(_)) => match (form, pool::place_here()) {
                (Form::Cell(cell), Some(place)) if !here.is_in_place() => {
                    let loans = here.keep_loans();
                    let place = if loans.is_empty() { place } else { place.with_loans(loans) };
                    flatten(AsyncResult::from_owner(pool::made(&place, false, cell)))
                }
                (Form::Large(cell) | Form::Cell(cell), _) => {
                    let outcome = run_cell(self.hop, cell, None, Location::caller());
                    Outcome::Done(outcome.unwrap_or_else(|| unreachable!("an untimed wait")))
                }
                (Form::Inline(_), _) => unreachable!("that is above"),
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

    pub(crate) fn submit(mut self, place: Place, counted: bool) -> AsyncResult<T> {
        AsyncResult::from_owner(match self.take() {
            Form::Inline(call) => match &place {
                Place::Pool(pool) if !counted => pool::on_pool(pool, self.hop, Simple(call)),
                place => pool::on_place(place, counted, self.hop, Traits::PLAIN, Simple(call)),
            },
            Form::Large(cell) | Form::Cell(cell) => pool::made(&place, counted, cell),
        })
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

/// Does the work of a cell on this thread, as a part of what that does; `None` where its inputs are
/// not there in time.
fn run_cell<T>(
    hop: Hop,
    mut cell: Unsubmitted<T>,
    until: Option<Deadline>,
    at: At,
) -> Option<Result<T, Error>> {
    let trace = Trace::new();
    trace.begin(hop);
    let outcome = loop {
        match wait_for_inputs(&cell, until, at) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => break Err(error.passed_on(hop)),
        }
        match trace.within(|| cell.run_in_place()) {
            Ok(owner) => break take_here(owner, at),
            Err(again) => cell = again,
        }
    };
    trace.end(outcome.as_ref().err());
    Some(outcome)
}

fn take_here<T>(owner: Owner<T>, at: At) -> Result<T, Error> {
    // Its limit of time may have ended it, on another thread that is about to close it.
    pool::wait(&Set(&owner.reference()), None, at)?;
    owner.take()
}

/// Blocks until all inputs of work that is run in place are there; false where they are not in
/// time.
fn wait_for_inputs<T>(cell: &Unsubmitted<T>, until: Option<Deadline>, at: At) -> Result<bool, Error> {
    while let Some(missing) = cell.next_missing() {
        let there = match missing {
            Missing::Set(task) => pool::wait(&Set(&task), until, at)?,
            Missing::Failed(error) => return Err(error),
            Missing::Loans(lender) => pool::wait(&Free(lender), until, at)?,
        };
        if !there {
            return Ok(false);
        }
    }
    Ok(true)
}

impl<T> fmt::Debug for Work<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Work({})", self.hop)
    }
}
