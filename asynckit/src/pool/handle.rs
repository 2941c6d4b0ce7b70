//! `Pool`, as the program has it.

use std::fmt;
use std::time::Duration;

use crate::observe::{Observer, Onlooker};
use crate::pool::draw::Seeded;
use crate::pool::shared::Shared;
use crate::pool::threads::count_workers;
use crate::sync::{Arc, weakened};

/// Worker threads that run work.
///
/// A pool runs what is submitted to it, [`stop`](Pool::stop) and drop finish what was accepted.
/// Share it as `&pool` or `Arc<Pool>`.
///
/// Work may wait for other work of its pool: a wait runs what it needs, and a spare worker stands
/// in while it blocks; a wait that could never end is an error of kind
/// [`Deadlock`](crate::ErrorKind::Deadlock).
///
/// ```
/// let pool = asynckit::Pool::new(2);
/// let answer = pool.spawn(|| 6 * 7);
/// assert_eq!(answer.get()?, 42);
/// # Ok::<(), asynckit::Error>(())
/// ```
pub struct Pool {
    pub(super) shared: Arc<Shared>,
}

impl Pool {
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// How many workers there should be; spare ones don't count.
    ///
    /// ```
    /// assert_eq!(asynckit::Pool::new(3).worker_count(), 3);
    /// ```
    pub fn worker_count(&self) -> usize {
        self.shared().wanted()
    }

    /// Changes how many workers there should be, while the pool is in use.
    ///
    /// More are started at once; of fewer, each that is one too many goes when its task ends. A
    /// [deterministic](Pool::deterministic) pool has none, and stays as it is.
    ///
    /// Where a thread can't be started the pool goes on with those it has, and tries again after a
    /// while. As long as it has none at all, what is submitted fails as
    /// [`Stopped`](crate::ErrorKind::Stopped).
    ///
    /// ```
    /// let pool = asynckit::Pool::new(1);
    /// pool.set_worker_count(4); // for the time of much work
    /// assert_eq!(pool.worker_count(), 4);
    /// ```
    pub fn set_worker_count(&self, workers: usize) {
        let shared = self.shared();
        if shared.queue.seeded().is_some() {
            return;
        }
        let mut threads = shared.threads();
        if !shared.is_hosted() {
            count_workers(threads.wanted, workers);
        }
        threads.wanted = workers;
        shared.publish(&threads);
        // Without workers it is they who do the work.
        if !weakened("rouse") {
            threads.rouse_waits();
        }
        drop(threads);
        shared.wake_all();
        shared.queue.wake_blocked();
        shared.tell_size();
        shared.want_workers();
    }
}

impl Pool {
    /// Has `observer` look on to the pool's work from now on: to what is submitted after this has returned. It does so
    /// until the pool is gone, or until it [is over](crate::observe::Observer::is_over). See [`observe`](crate::observe).
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use asynckit::observe::{Observer, TaskSubmitted};
    ///
    /// struct Names(mpsc::Sender<&'static str>);
    /// impl Observer for Names {
    ///     fn submitted(&self, event: &TaskSubmitted<'_>) {
    ///         let _ = self.0.send(event.name);
    ///     }
    /// }
    ///
    /// let (sender, names) = mpsc::channel();
    /// let pool = asynckit::Pool::new(1);
    /// drop(pool.spawn(|| "unseen"));
    /// pool.observe(Names(sender));
    /// drop(pool.spawn(|| 1).map(|n| n + 1).spawn_on(&pool));
    /// assert_eq!([names.recv().unwrap(), names.recv().unwrap()], ["closure", "map"]);
    /// ```
    #[track_caller]
    pub fn observe(&self, observer: impl Observer) {
        self.shared().observe(Onlooker::new(observer));
    }
}

impl Pool {
    /// How late it is for a [deterministic](Pool::deterministic) pool, counted from when it was
    /// made; `None` for others, which go by the time of day.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::{AsyncResult, Pool};
    ///
    /// let pool = Pool::deterministic(1);
    /// let never = AsyncResult::<u32>::new();
    /// let waits = never.clone().map(|n| n + 1).spawn_on(&pool);
    /// let hour = Duration::from_secs(3600);
    /// assert!(!waits.wait_timeout(hour)); // returns at once
    /// assert_eq!(pool.virtual_time(), Some(hour));
    /// # drop(never);
    /// ```
    pub fn virtual_time(&self) -> Option<Duration> {
        self.shared().queue.seeded().map(Seeded::now)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("workers", &self.worker_count()).finish_non_exhaustive()
    }
}
