//! Work: a call that has not been made yet.
//!
//! # The files
//!
//! Each imports only those above it: `future` (work that is polled),
//! `lift` (calls that wait for their inputs), `mod` (this one), `run` (in place), `spawn` (closures), `stage` and `after`
//! (work around work), `carried` (how calls are done that others may do).

mod after;
mod carried;
mod future;
mod lift;
mod run;
mod spawn;
mod stage;

pub(crate) use carried::described;
pub(crate) use lift::{
    flatten, gather, gather_at, lifted, spawn_async, start_around, start_job, try_gather,
};

pub(crate) use stage::{Begin, Term};

use std::fmt;
use std::future::Future;
use std::marker::{PhantomData, PhantomPinned};

use crate::core::{
    Callable, EndEdge, Here, Inline, Inputs, Job, Outcome, Owner, Simple, Traits, Unsubmitted, fits,
};
use crate::error::{BoxError, Error, Hook, Hop};
use crate::pool::{self, Handle, Place, PlainPool, Spawner};
use crate::result::AsyncResult;
use future::Polled;
use lift::pending_cell;

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
    Later(Box<AfterOthers<'w, T>>),
}

/// A call that the carriers of a place are asked about, if it has any (`carried.rs`).
trait Carriable<T>: Send {
    fn submit(self: Box<Self>, place: Place, counted: bool) -> Owner<T>;
    fn run_part(self: Box<Self>, hook: Option<Hook>) -> Result<T, Error>;
    /// `begins`: as for `Work::go_on_inside`.
    fn finish_inside(self: Box<Self>, here: &Here<'_>, begins: bool) -> Outcome<T>;
    /// Whether its value may be known already, which is looked for first.
    fn may_be_known(&self) -> bool;
    /// Puts what does it here under a term; or all of it, where that `comes_first`, the look for its value too.
    fn put_under(&mut self, comes_first: bool, wrap: Wrap<T>);
}

/// Puts work under a term.
type Wrap<T> = Box<dyn FnOnce(Unsubmitted<T>) -> Unsubmitted<T> + Send>;

/// Work that begins after others: so much of it follows many that it is not nested as often.
struct AfterOthers<'w, T> {
    earlier: Vec<EndEdge>,
    work: Work<'w, T>,
}

/// Work that follows no other.
enum Own<'w, T> {
    /// A small closure.
    Inline(Inline<'w, T>),
    /// A large closure.
    Large(Unsubmitted<T>),
    /// A future, a call that waits for inputs, or work around work.
    Cell(Unsubmitted<T>),
    /// A call that may be carried out elsewhere.
    Call(Box<dyn Carriable<T> + 'w>),
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
        let cell = Unsubmitted::new(hop, Traits::PLAIN, Simple(call));
        Work::of_form(hop, Form::Own(Own::Large(cell)))
    }
}

/// Work for the call of an annotated `async fn`.
pub(crate) fn new_async_work<'w, T: Send + 'w>(
    hop: Hop,
    future: impl Future<Output = Result<T, BoxError>> + Send + 'w,
) -> Work<'w, T> {
    let future = async move { future.await.map(|value| Outcome::Done(Ok(value))) };
    Work::with_job(hop, Polled::<_, false>::new(future))
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
    Work::with_cell(hop, pending_cell(hop, inputs, call))
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
    pub(crate) fn with_job<J: Job<T>>(hop: Hop, job: J) -> Work<'w, T> {
        Work::with_cell(hop, Unsubmitted::of_job(hop, job))
    }

    /// Work that has a cell.
    pub(crate) fn with_cell(hop: Hop, cell: Unsubmitted<T>) -> Work<'w, T> {
        Work::of_form(hop, Form::Own(Own::Cell(cell)))
    }

    fn of_form(hop: Hop, form: Form<'w, T>) -> Work<'w, T> {
        Work { hop, form: Some(form), told_apart: PhantomData }
    }

    /// Whether it has inputs to wait for.
    pub(crate) fn waits(&self) -> bool {
        match &self.form {
            Some(Form::Own(Own::Cell(cell))) => cell.inputs() > 0,
            Some(Form::Later(_)) => true,
            _ => false,
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
    ///
    /// ```
    /// use asynckit::{Pool, async_work};
    ///
    /// #[async_work]
    /// fn size(path: &'static str) -> std::io::Result<u64> {
    ///     Ok(std::fs::metadata(path)?.len())
    /// }
    ///
    /// let pool = Pool::new(2);
    /// let (a, b) = (size("Cargo.toml").spawn_on(&pool), size("README.md").spawn_on(&pool));
    /// assert!(a.get()? + b.get()? > 0); // both were on their way by then
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[inline(always)]
    pub fn spawn_on(self, place: &(impl Spawner<'w> + ?Sized)) -> AsyncResult<T> {
        if let Some(PlainPool(pool)) = place.plain()
            && pool::takes_plainly(pool)
        {
            return match self.form {
                Some(Form::Own(Own::Inline(call))) => {
                    let owner = pool::on_plain_pool(pool, self.hop, Simple(call));
                    AsyncResult::from_owner(owner)
                }
                form => Work { form, ..self }.spawn_in(place),
            };
        }
        self.spawn_in(place)
    }

    #[cold]
    #[inline(never)]
    fn spawn_in(self, place: &(impl Spawner<'w> + ?Sized)) -> AsyncResult<T> {
        let Handle(place) = place.place();
        self.spawn_at(place)
    }

    /// As `spawn_on`.
    pub(crate) fn spawn_at(self, place: Place) -> AsyncResult<T> {
        let shared = place.pool();
        let counted = self.counts_in(shared) && pool::enter_queue(shared);
        self.submit(place, counted)
    }

    /// As [`spawn_on`](Work::spawn_on), without ever blocking.
    ///
    /// # Errors
    ///
    /// Hands the work back when the pool's queue is full, and when the pool has been stopped.
    ///
    /// ```
    /// use asynckit::{Pool, work};
    ///
    /// let pool = Pool::builder().workers(0).queue_capacity(1).build().unwrap();
    /// let first = work(|| 1).try_spawn_on(&pool).expect("there is room for one");
    /// let Err(second) = work(|| 2).try_spawn_on(&pool) else { panic!("there was room for one") };
    /// assert_eq!(first.get()? + second.run()?, 3); // what was handed back is done here
    /// # Ok::<(), asynckit::Error>(())
    /// ```
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
    ///
    /// ```
    /// use asynckit::{Pool, async_work};
    ///
    /// #[async_work]
    /// fn log(line: String) -> std::io::Result<()> {
    ///     std::fs::write("/dev/null", line)
    /// }
    ///
    /// let pool = Pool::new(1);
    /// log("one more visit".to_owned()).detach_on(&pool);
    /// pool.stop(); // it has been written by then
    /// ```
    pub fn detach_on(self, place: &(impl Spawner<'w> + ?Sized)) {
        drop(self.spawn_on(place));
    }

    /// Whether it takes a place in the pool's queue: ready work from outside does.
    fn counts_in(&self, shared: &pool::Shared) -> bool {
        if !shared.queue.has_capacity() || pool::works_for(shared) {
            return false;
        }
        !self.waits()
    }

    #[inline]
    fn take(&mut self) -> Own<'w, T> {
        match self.form.take() {
            Some(Form::Own(own)) => own,
            Some(Form::Later(later)) => Own::Cell(later.into_cell()),
            None => unreachable!("work was used twice"),
        }
    }

    pub(crate) fn submit(mut self, place: Place, counted: bool) -> AsyncResult<T> {
        AsyncResult::from_owner(match self.take() {
            Own::Inline(call) => match &place {
                Place::Pool(pool) if !counted => pool::on_pool(pool, self.hop, Simple(call)),
                place => pool::on_place(place, counted, self.hop, Traits::PLAIN, Simple(call)),
            },
            Own::Large(cell) | Own::Cell(cell) => pool::made(&place, counted, cell),
            Own::Call(call) => call.submit(place, counted),
        })
    }
}

impl<T> fmt::Debug for Work<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Work({})", self.hop)
    }
}
