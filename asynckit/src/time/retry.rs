//! Trying again.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::core::{Awaits, Here, Job, JobStep, Outcome, TaskRef, VisitEdges};
use crate::error::{Error, ErrorKind, Hop, Sought};
use crate::observe::{TaskKind, tell};
use crate::pool::{self, Asleep, Shared};
use crate::sync::{Arc, thread};
use crate::terms::{TimerKey, jittered, left_in_place};
use crate::work::Work;

/// How often work is tried, and how long it rests in between.
///
/// Work is tried again where it failed as [`Failed`](ErrorKind::Failed),
/// [`TimedOut`](ErrorKind::TimedOut) or [`Lost`](ErrorKind::Lost); [`when`](Retry::when) says otherwise. The
/// failure of the last try is the failure of the whole, and [`tries`](Error::tries) tells how many there were.
///
/// Between tries no thread is held. The pauses begin with the [`backoff`](Retry::backoff) and
/// double from try to try; of each pause between half and all is waited, by chance, so that those
/// who failed together do not try again together. [`cancel`](crate::AsyncResult::cancel) ends it
/// all. A pool that is stopped finishes the tries of work that it has accepted, pauses included;
/// [`stop_timeout`](crate::Pool::stop_timeout) and [`stop_now`](crate::Pool::stop_now) don't.
///
/// `#[async_work(retry = 3, backoff = "100ms")]` does the same for each call of a function.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::time::Duration;
/// use asynckit::{Pool, Retry, async_work};
///
/// #[async_work]
/// fn flaky(calls: &'static AtomicU32) -> Result<&'static str, String> {
///     match calls.fetch_add(1, Ordering::SeqCst) {
///         0 | 1 => Err("busy".into()),
///         _ => Ok("done"),
///     }
/// }
///
/// static CALLS: AtomicU32 = AtomicU32::new(0);
/// let pool = Pool::new(1);
/// let retry = Retry::new(3).backoff(Duration::from_millis(1));
/// assert_eq!(retry.work(|| flaky(&CALLS)).spawn_on(&pool).get()?, "done");
/// assert_eq!(CALLS.load(Ordering::SeqCst), 3);
/// # Ok::<(), asynckit::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a policy does nothing until it makes work: `.work(|| f(x))`"]
pub struct Retry {
    retries: u32,
    backoff: Duration,
    max_backoff: Duration,
    when: Option<WorthIt>,
}

/// Whether a failure is worth another try.
type WorthIt = Arc<dyn Fn(&Error) -> bool + Send + Sync>;

impl Retry {
    /// At most so many tries after the first one, without pauses.
    ///
    /// ```
    /// use asynckit::{Retry, try_work};
    ///
    /// let mut calls = 0;
    /// let outcome = Retry::new(2).work(|| {
    ///     calls += 1;
    ///     let call = calls;
    ///     try_work(move || if call < 3 { Err("busy") } else { Ok(call) })
    /// });
    /// assert_eq!(outcome.run()?, 3); // the third try is the last
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub const fn new(retries: u32) -> Retry {
        Retry { retries, backoff: Duration::ZERO, max_backoff: Duration::from_secs(60), when: None }
    }

    /// The pause after the first try; each later one is twice as long.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::Retry;
    ///
    /// // After the tries it rests for about 100, 200 and 400 ms.
    /// const POLITELY: Retry = Retry::new(3).backoff(Duration::from_millis(100));
    /// # let _ = POLITELY;
    /// ```
    pub const fn backoff(mut self, first: Duration) -> Retry {
        self.backoff = first;
        self
    }

    /// The longest pause: a minute unless said.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::Retry;
    ///
    /// // 1, 2, 4, 5, 5, 5 .. seconds.
    /// let patient = Retry::new(100)
    ///     .backoff(Duration::from_secs(1))
    ///     .max_backoff(Duration::from_secs(5));
    /// # let _ = patient;
    /// ```
    pub const fn max_backoff(mut self, longest: Duration) -> Retry {
        self.max_backoff = longest;
        self
    }

    /// Which failures are worth another try. It is asked after each try but the last one.
    ///
    /// As with [`recover`](crate::AsyncResult::recover), the closure may ask for the [`Error`], and sees
    /// every failure; or for what has caused it, and no other failure is worth another try.
    ///
    /// ```
    /// use std::io;
    /// use asynckit::{Error, ErrorKind, Retry};
    ///
    /// let interrupted = |error: &io::Error| error.kind() == io::ErrorKind::Interrupted;
    /// let these = Retry::new(3).when(interrupted);
    /// let also_panics = Retry::new(3).when(|error: &Error| error.kind() != ErrorKind::Cancelled);
    /// # let _ = (these, also_panics);
    /// ```
    pub fn when<E, How>(mut self, worth_it: impl Fn(&E) -> bool + Send + Sync + 'static) -> Retry
    where
        E: Sought<How>,
    {
        self.when = Some(Arc::new(move |error| E::sought(error).is_some_and(&worth_it)));
        self
    }

    /// Work that makes a call again as long as it fails and may be tried again. The closure is
    /// called once for each try, on the pool.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::{Pool, Retry, async_work};
    ///
    /// #[async_work]
    /// fn fetch(url: String) -> std::io::Result<usize> { Ok(url.len()) }
    ///
    /// let pool = Pool::new(1);
    /// let url = "https://a.example".to_owned();
    /// // Each try may take a second, and all of them five.
    /// let size = Retry::new(9)
    ///     .work(move || fetch(url.clone()).timeout(Duration::from_secs(1)))
    ///     .timeout(Duration::from_secs(5));
    /// assert_eq!(size.spawn_on(&pool).get()?, 17);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn work<'w, T, F>(&self, call: F) -> Work<'w, T>
    where
        T: Send + 'w,
        F: FnMut() -> Work<'w, T> + Send + 'w,
    {
        self.work_at(Hop::here(&"retry"), call)
    }

    /// As `work`, by another name.
    pub(crate) fn work_at<'w, T, F>(&self, hop: Hop, call: F) -> Work<'w, T>
    where
        T: Send + 'w,
        F: FnMut() -> Work<'w, T> + Send + 'w,
    {
        let retried = Retried {
            policy: self.clone(),
            call: RefCell::new(Some(call)),
            tries: Cell::new(0),
            before: Cell::new(None),
            pause: Cell::new(None),
            awaits: Awaits::nothing(),
        };
        Work::with_job(hop, retried)
    }

    /// Whether this failure of the `tries`-th try is followed by another, and after which pause.
    fn again(&self, error: &Error, tries: u32) -> Option<Duration> {
        if tries > self.retries {
            return None;
        }
        let worth_it = match &self.when {
            Some(when) => when(error),
            None => {
                matches!(error.kind(), ErrorKind::Failed | ErrorKind::TimedOut | ErrorKind::Lost)
            }
        };
        let pause = self.backoff.saturating_mul(2u32.saturating_pow(tries - 1));
        worth_it.then(|| pause.min(self.max_backoff))
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("retries", &self.retries)
            .field("backoff", &self.backoff)
            .field("max_backoff", &self.max_backoff)
            .finish_non_exhaustive()
    }
}

/// A task's sleep until its moment; dropped, it ends and wakes nobody.
struct Pause {
    key: TimerKey,
    asleep: Asleep,
}

impl Pause {
    /// Has a task of the pool woken after a while.
    fn begin(pool: &Arc<Shared>, task: TaskRef, delay: Duration) -> Pause {
        let timers = pool.timers();
        let asleep = Asleep::begin(pool);
        let key = timers.after(timers.jittered(delay), Box::new(move || task.resume()));
        Pause { key, asleep }
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        self.asleep.pool().timers().cancel(self.key);
    }
}

/// A pause in place, no longer than there is time.
fn rest(pause: Duration) {
    let left = left_in_place().unwrap_or(Duration::MAX);
    match pool::virtual_timers_here() {
        Some(timers) => timers.advance(timers.jittered(pause).min(left)),
        None => {
            let pause = jittered(pause, None).min(left);
            pool::blocking(|| thread::sleep(pause));
        }
    }
}

/// Work that is tried again. It is an ordinary task, as `call` is the user's code.
struct Retried<F, T> {
    policy: Retry,
    call: RefCell<Option<F>>,
    tries: Cell<u32>,
    /// Why the last try failed, for those who look on.
    before: Cell<Option<Error>>,
    pause: Cell<Option<Pause>>,
    awaits: Awaits<T>,
}

impl<F, T> Retried<F, T> {
    /// Tells of the next try.
    fn tell_try(&self) {
        let before = self.before.take();
        let number = self.tries.get() + 1;
        if let Some((task, by)) = pool::listeners_here() {
            tell!(by.moment(), AttemptBegun { task, number, before: before.as_ref() });
        }
    }

    fn next_try<'w>(&self) -> Work<'w, T>
    where
        F: FnMut() -> Work<'w, T>,
    {
        self.tries.set(self.tries.get() + 1);
        match &mut *self.call.borrow_mut() {
            Some(call) => call(),
            None => unreachable!("work that is over was tried again"),
        }
    }

    /// Whether a try was the last one, or the pause that follows it.
    fn after(&self, outcome: Result<T, Error>) -> ControlFlow<Result<T, Error>, Duration> {
        let error = match outcome {
            Ok(value) => return ControlFlow::Break(Ok(value)),
            Err(error) => error,
        };
        let tries = self.tries.get();
        let Some(pause) = self.policy.again(&error, tries) else {
            return ControlFlow::Break(Err(error.tried(tries)));
        };
        // Somebody has looked at it: this has.
        let error = error.observed();
        if pool::listeners_here().is_some() {
            self.before.set(Some(error));
        }
        ControlFlow::Continue(pause)
    }
}

impl<'w, F, T> Job<T> for Retried<F, T>
where
    T: Send + 'w,
    F: FnMut() -> Work<'w, T>,
{
    const SHOWN_AS: TaskKind = TaskKind::Retry;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.awaits.edges(visit);
    }

    fn run(&self, here: &Here<'_>) -> JobStep<T> {
        drop(self.pause.take());
        let mut outcome = self.awaits.outcome();
        loop {
            let tried = match outcome.take() {
                Some(outcome) => outcome,
                None => {
                    self.tell_try();
                    match self.next_try().finish_inside(here) {
                        Outcome::Done(outcome) => outcome,
                        Outcome::Flatten(result) => return self.awaits.result(result.0, false),
                    }
                }
            };
            let pause = match self.after(tried) {
                ControlFlow::Break(outcome) => return JobStep::Done(outcome),
                ControlFlow::Continue(pause) => pause,
            };
            if here.header().is_set() {
                // Somebody has given it up.
                return JobStep::Done(Err(Error::cancelled(here.hop())));
            }
            if !pause.is_zero()
                && let Some(place) = pool::place_here()
            {
                self.pause.set(Some(Pause::begin(place.pool(), here.reference(), pause)));
                return JobStep::Pending;
            }
        }
    }

    fn run_in_place(&self, here: &Here<'_>) -> Result<T, Error> {
        loop {
            match self.after(self.next_try().run_part(here.hook())) {
                ControlFlow::Break(outcome) => return outcome,
                ControlFlow::Continue(pause) => rest(pause),
            }
            if let Some(left @ Duration::ZERO) = left_in_place() {
                return Err(Error::timed_out(here.hop(), left));
            }
        }
    }

    fn release(&self, cancelled: bool) {
        drop(self.pause.take());
        drop(self.before.take());
        drop(self.call.take());
        self.awaits.release(cancelled);
    }
}
