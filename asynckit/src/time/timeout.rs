//! Limits of time.

use std::cell::Cell;
use std::time::Duration;

use super::{TimerKey, Timers};
use crate::core::{self, Awaits, Here, Job, Jobbed, Step, TaskRef, VisitEdges};
use crate::error::Error;
use crate::pool;
use crate::stage::start;
use crate::sync::{Arc, Deadline};
use crate::{AsyncResult, Work};

/// Fails a task that is not done at its moment; dropped, it lets the task be.
pub(crate) struct Alarm(Option<(Arc<Timers>, TimerKey)>);

impl Alarm {
    /// None yet.
    fn none() -> Alarm {
        Alarm(None)
    }

    fn set(timers: Arc<Timers>, task: TaskRef, limit: Duration) -> Alarm {
        let callback = move || {
            if !task.is_set() {
                task.give_up(Error::timed_out(task.hop, limit));
            }
        };
        let key = timers.after(limit, Box::new(callback));
        Alarm(Some((timers, key)))
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some((timers, key)) = self.0.take() {
            timers.cancel(key);
        }
    }
}

/// Where a limited job stands.
enum Limited<'w, T> {
    Work(Work<'w, T>),
    Result(AsyncResult<T>),
    Started,
}

/// Work, or a result, that is to be there in time.
struct Timed<'w, T> {
    inner: Cell<Limited<'w, T>>,
    /// `None`: it has a task of its own, and no limit.
    limit: Option<Duration>,
    alarm: Cell<Alarm>,
    awaits: Awaits<T>,
}

impl<'w, T> Timed<'w, T> {
    fn new(inner: Limited<'w, T>, limit: Option<Duration>) -> Timed<'w, T> {
        Timed {
            inner: Cell::new(inner),
            limit,
            alarm: Cell::new(Alarm::none()),
            awaits: Awaits::nothing(),
        }
    }

    /// The task's own pool's; or for a result, those that its work goes by.
    fn timers(&self) -> Arc<Timers> {
        let inner = self.inner.replace(Limited::Started);
        let timers = match &inner {
            Limited::Result(result) => timers_of(&result.owner().reference()),
            _ => timers_here(),
        };
        self.inner.set(inner);
        timers
    }
}

impl<T: Send> Job<T> for Timed<'_, T> {
    const IMMEDIATE: bool = true;
    const TIMED: bool = true;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.awaits.edges(visit);
    }

    fn run(&self, here: &Here<'_>) -> Step<T> {
        if let Some(outcome) = self.awaits.outcome() {
            drop(self.alarm.replace(Alarm::none()));
            return Step::Done(outcome);
        }
        if let Some(limit) = self.limit {
            self.alarm.set(Alarm::set(self.timers(), here.reference(), limit));
        }
        let result = match self.inner.replace(Limited::Started) {
            Limited::Work(inner) => start(inner, here),
            Limited::Result(result) => result.into_owner(),
            Limited::Started => unreachable!("work was started twice"),
        };
        self.awaits.result(result, true)
    }

    fn run_in_place(&self, here: &Here<'_>) -> Result<T, Error> {
        let until = self.limit.map(Deadline::after);
        let clock = Timers::virtual_here().map(|timers| (timers.now(), timers));
        let outcome = match self.inner.replace(Limited::Started) {
            Limited::Work(inner) => inner.run_until(until, here.hook()),
            Limited::Result(result) => Some(result.get()),
            Limited::Started => unreachable!("work was started twice"),
        };
        let late = until.is_some_and(|until| match &clock {
            Some((start, timers)) => timers.now().saturating_sub(*start) >= until.limit,
            None => until.is_over(),
        });
        match outcome {
            Some(outcome) if !late => outcome,
            _ => Err(Error::timed_out(here.hop(), self.limit.unwrap_or_default())),
        }
    }

    fn release(&self, cancelled: bool) {
        drop(self.alarm.replace(Alarm::none()));
        drop(self.inner.replace(Limited::Started));
        self.awaits.release(cancelled);
    }
}

impl<'w, T: Send + 'w> Work<'w, T> {
    /// The same work with a limit of time: it fails as [`TimedOut`](crate::ErrorKind::TimedOut)
    /// where it is not done so long after it was submitted.
    ///
    /// The time in which the work waits for its inputs, for a worker or for a
    /// [`Limit`](crate::Limit) counts. Work that has not begun then does not run. A function that
    /// runs is *not* stopped: it may ask [`is_cancelled`](crate::is_cancelled), and its later value
    /// is dropped; what waits for it goes on at once with the failure. What the work depended on
    /// is cancelled where nothing else needs it or holds it, as by [`AsyncResult::cancel`].
    ///
    /// [`run`](Work::run) in place waits no longer than that for inputs. It does not interrupt the
    /// function either, and fails when that comes back late.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::{AsyncResult, ErrorKind, Pool, async_work};
    ///
    /// #[async_work]
    /// fn double(n: u32) -> u32 { 2 * n }
    ///
    /// let pool = Pool::new(1);
    /// let in_time = double(21).timeout(Duration::from_secs(60)).spawn_on(&pool);
    /// assert_eq!(in_time.get()?, 42);
    ///
    /// let never = AsyncResult::<u32>::new();
    /// let late = never.clone().map(|n| n + 1).timeout(Duration::from_millis(5)).spawn_on(&pool);
    /// assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn timeout(self, limit: Duration) -> Work<'w, T> {
        let hop = self.hop();
        Work::with_job(hop, Timed::new(Limited::Work(self), Some(limit)))
    }
}

impl<T: Send + 'static> AsyncResult<T> {
    /// The same result with a limit of time: it fails as
    /// [`TimedOut`](crate::ErrorKind::TimedOut) where it is not set after so long.
    ///
    /// What it waited for is cancelled then, with all that led to it, where nothing else needs it
    /// or holds it (see [`cancel`](AsyncResult::cancel)): so this is a deadline for a whole chain.
    /// Functions that run are not stopped; they may ask [`is_cancelled`](crate::is_cancelled). For
    /// a tree of work that spawns more see [`CancelToken`](crate::CancelToken).
    ///
    /// The value owns all it uses, as the thread for timers may be the one that drops it. On a scope
    /// limit the work instead, by [`Work::timeout`].
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
        let hop = self.owner().hop;
        let task = Jobbed(Timed::new(Limited::Result(self), Some(limit)));
        AsyncResult::from_owner(core::submit_nowhere(hop, task))
    }
}

/// The same work as a task of its own, wherever it is called.
pub(crate) fn apart<'w, T: Send + 'w>(inner: Work<'w, T>) -> Work<'w, T> {
    Work::with_job(inner.hop(), Timed::new(Limited::Work(inner), None))
}

/// The timers that a task's pool goes by.
fn timers_of(task: &TaskRef) -> Arc<Timers> {
    pool::pool_of(task).map_or_else(Timers::system, |pool| pool.timers())
}

/// Those of the work that this thread does.
fn timers_here() -> Arc<Timers> {
    pool::place_here().map_or_else(Timers::system, |place| place.pool().timers())
}

/// A limit of time on the work that makes it, from now on, as long as it is kept.
pub struct TimeLimit {
    _alarm: Alarm,
}

impl TimeLimit {
    /// Limits the work that this thread is doing.
    pub(crate) fn begin(limit: Duration) -> TimeLimit {
        let Some(task) = pool::task_here() else {
            return TimeLimit { _alarm: Alarm::none() };
        };
        TimeLimit { _alarm: Alarm::set(timers_here(), task, limit) }
    }
}
