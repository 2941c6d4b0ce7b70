//! Limits of time: on a run, or on all that it takes.

use std::cell::Cell;
use std::time::Duration;

use crate::core::{Awaits, Header, Here, Job, JobStep, VisitEdges};
use crate::error::Error;
use crate::pool::{self, Inside, Place};
use crate::result::AsyncResult;
use crate::sync::Arc;
use crate::terms::{Stopwatch, Timers, measured};
use crate::work::{Begin, Term, Work, start_around, start_job};

/// A limit of time: counted from when work begins (`RUN`), or from its submission.
struct TimeLimit<const RUN: bool> {
    time: Duration,
    watch: Cell<Option<Arc<Stopwatch>>>,
}

impl<const RUN: bool> TimeLimit<RUN> {
    fn of(time: Duration) -> TimeLimit<RUN> {
        TimeLimit { time, watch: Cell::new(None) }
    }

    /// What measures this task; from now on, unless it is the run that counts.
    fn stopwatch(&self, task: &Header, timers: Arc<Timers>) -> Arc<Stopwatch> {
        let Some(own) = pool::task_here() else {
            unreachable!("a task runs as none");
        };
        let place = task.hooked_home::<Inside>();
        let around = place.and_then(|place| place.stopwatch().cloned());
        let watch = Stopwatch::new(self.time, own, timers, around);
        if !RUN {
            watch.begin_alone(task);
        }
        self.watch.set(Some(watch.clone()));
        watch
    }
}

impl<const RUN: bool> Term for TimeLimit<RUN> {
    // Whose value is known already does not run.
    const COMES_FIRST: bool = !RUN;
    const TIMED: bool = !RUN;

    fn begin(&self, place: Place, here: &Here<'_>) -> Begin {
        let watch = self.stopwatch(here.header(), place.pool().timers());
        // A deadline has begun already; who carries the work out elsewhere asks for it.
        Begin::On(place.with_stopwatch(watch))
    }

    fn ended(&self, here: &Here<'_>, has_value: bool) {
        let Some(watch) = self.watch.take() else { return };
        if has_value && watch.is_past() {
            // Who keeps the time has had no turn yet.
            here.reference().give_up(Error::timed_out(here.hop(), self.time));
        }
        watch.stop();
    }

    fn run_in_place<T>(
        &self,
        here: &Here<'_>,
        run: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let timers = pool::virtual_timers_here().unwrap_or_else(Timers::system);
        let watch = self.stopwatch(here.header(), timers);
        let outcome = measured(&watch, run);
        let late = watch.is_over();
        self.leave();
        if late { Err(Error::timed_out(here.hop(), self.time)) } else { outcome }
    }

    fn leave(&self) {
        if let Some(watch) = self.watch.take() {
            watch.stop();
        }
    }
}

/// A result that is to be there in time.
struct DueWork<T> {
    /// Until it is waited for.
    result: Cell<Option<AsyncResult<T>>>,
    limit: TimeLimit<false>,
    awaits: Awaits<T>,
}

impl<T> Job<T> for DueWork<T> {
    const IMMEDIATE: bool = true;
    const TIMED: bool = true;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.awaits.edges(visit);
    }

    fn run(&self, here: &Here<'_>) -> JobStep<T> {
        if let Some(outcome) = self.awaits.outcome() {
            self.limit.ended(here, outcome.is_ok());
            return JobStep::Done(outcome);
        }
        let Some(result) = self.result.take() else {
            unreachable!("a result was waited for twice");
        };
        // What is there is in time, also where there is none.
        if !result.is_set() {
            self.limit.stopwatch(here.header(), timers_of(result.owner()));
        }
        self.awaits.result(result.into_owner(), true)
    }

    fn run_in_place(&self, _here: &Here<'_>) -> Result<T, Error> {
        unreachable!("a result was waited for in place")
    }

    fn release(&self, cancelled: bool) {
        self.limit.leave();
        drop(self.result.take());
        self.awaits.release(cancelled);
    }
}

impl<'w, T: Send + 'w> Work<'w, T> {
    /// The same work with a limit of time on its run: it fails as
    /// [`TimedOut`](crate::ErrorKind::TimedOut) where it is not done so long after it has begun.
    ///
    /// The time in which it waits for its inputs, for a worker, or for room under a
    /// [`Limit`](crate::Limit) does not count; the time in which an `async fn` is suspended does. The
    /// limit is on what it is called on: `retry.work(|| f().timeout(d))` limits each try,
    /// `retry.work(f).timeout(d)` all tries together, pauses included, from when the first one begins.
    /// To count from the submission, call [`deadline`](Work::deadline).
    ///
    /// A function that runs is *not* stopped: it may ask [`is_cancelled`](crate::is_cancelled), and its
    /// later value is dropped; what waits for it goes on at once with the failure.
    ///
    /// [`run`](Work::run) in place does not interrupt the function either, and fails when that comes
    /// back late.
    ///
    /// `#[async_work(timeout = "5s")]` does the same for each call, and each try, of a function.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::{ErrorKind, Pool, async_work, is_cancelled};
    ///
    /// #[async_work]
    /// fn count(to: u64) -> u64 {
    ///     (0..to).take_while(|_| !is_cancelled()).count() as u64
    /// }
    ///
    /// let pool = Pool::new(1);
    /// let limit = Duration::from_millis(5);
    /// let late = count(u64::MAX).timeout(limit).spawn_on(&pool);
    /// let in_time = count(3).timeout(Duration::from_secs(60)).spawn_on(&pool); // waits for the worker
    /// assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
    /// assert_eq!(in_time.get()?, 3);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn timeout(self, limit: Duration) -> Work<'w, T> {
        self.under(TimeLimit::<true>::of(limit))
    }

    /// The same work with a deadline: it fails as [`TimedOut`](crate::ErrorKind::TimedOut) where it is
    /// not done so long after it was submitted, or after the call of [`run`](Work::run).
    ///
    /// All counts: the time in which the work waits for its inputs, for a worker or for a
    /// [`Limit`](crate::Limit), and its run. Work that has not begun then does not run. A function that
    /// runs is *not* stopped, as with a [`timeout`](Work::timeout). What the work depended on is
    /// cancelled where nothing else needs it or holds it, as by [`AsyncResult::cancel`].
    ///
    /// `run` in place waits no longer than that for inputs and for room under a limit.
    ///
    /// `#[async_work(deadline = "5s")]` does the same for each call of a function, all its tries
    /// together.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::{AsyncResult, ErrorKind, Pool, async_work};
    ///
    /// #[async_work]
    /// fn double(n: u32) -> u32 { 2 * n }
    ///
    /// let pool = Pool::new(1);
    /// let in_time = double(21).deadline(Duration::from_secs(60)).spawn_on(&pool);
    /// assert_eq!(in_time.get()?, 42);
    ///
    /// let never = AsyncResult::<u32>::new();
    /// let late = never.clone().map(|n| n + 1).deadline(Duration::from_millis(5)).spawn_on(&pool);
    /// assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn deadline(self, limit: Duration) -> Work<'w, T> {
        self.under(TimeLimit::<false>::of(limit))
    }
}

impl<T: Send + 'static> AsyncResult<T> {
    /// The same result with a limit of time: it fails as
    /// [`TimedOut`](crate::ErrorKind::TimedOut) where it is not set so long after this call.
    ///
    /// What it waited for is cancelled then, with all that led to it, where nothing else needs it
    /// or holds it (see [`cancel`](AsyncResult::cancel)): so this is a deadline for a whole chain.
    /// Functions that run are not stopped; they may ask [`is_cancelled`](crate::is_cancelled). For
    /// a tree of work that spawns more see [`CancelToken`](crate::CancelToken).
    ///
    /// In a chain a call with a pending argument is a result, too: `f(&a).timeout(d)` counts from there, so
    /// that it is a deadline for `a` as well. Say `#[async_work(timeout = "5s")]` to limit the run of `f`.
    ///
    /// The value owns all it uses, as the thread for timers may be the one that drops it. On a scope
    /// limit the work instead, by [`Work::timeout`] or [`Work::deadline`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::{ErrorKind, Pool, async_work, chain, is_cancelled};
    ///
    /// #[async_work]
    /// fn endless() -> u32 {
    ///     while !is_cancelled() {
    ///         std::thread::sleep(Duration::from_millis(1));
    ///     }
    ///     0
    /// }
    /// #[async_work]
    /// fn double(n: u32) -> u32 { 2 * n }
    ///
    /// let pool = Pool::new(1);
    /// let result = chain!(&pool, double(endless())).timeout(Duration::from_millis(5));
    /// assert_eq!(result.get().unwrap_err().kind(), ErrorKind::TimedOut);
    /// pool.stop(); // `endless` has seen that nobody wants its value
    /// ```
    pub fn timeout(self, limit: Duration) -> AsyncResult<T> {
        let (task, place) = (self.owner().reference(), self.scope());
        let (result, awaits) = (Cell::new(Some(self)), Awaits::nothing());
        let due = DueWork { result, limit: TimeLimit::of(limit), awaits };
        match place {
            Some(place) => start_job(task.hop, &place, due),
            None => start_around(&task, due),
        }
    }

    /// The same as [`timeout`](AsyncResult::timeout): of a result, whose work is on its way, both count
    /// from their call.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::Pool;
    ///
    /// let pool = Pool::new(1);
    /// let in_time = pool.spawn(|| 7).deadline(Duration::from_secs(60));
    /// assert_eq!(in_time.get()?, 7);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn deadline(self, limit: Duration) -> AsyncResult<T> {
        self.timeout(limit)
    }
}

/// The timers that a task's pool goes by; of a result that is no pool's, those of the work that this thread does.
fn timers_of(task: &Header) -> Arc<Timers> {
    let pool = pool::pool_of(task);
    pool.or_else(|| Some(pool::place_here()?.pool().clone()))
        .map_or_else(Timers::system, |pool| pool.timers())
}
