//! The pool: queues, workers, sleep, waits, stopping.
//!
//! The way of a task through it: `spawner` (where it is submitted) → `queue` → `worker` (who runs
//! it); `sleep` wakes workers for it, `wait` and `needed` are for threads that wait for it.

mod attention;
mod block;
mod builder;
mod context;
mod deadlock;
mod help;
mod hosted;
mod needed;
#[cfg(feature = "rayon")]
mod on_rayon;
#[cfg(feature = "tokio")]
mod on_tokio;
mod phase;
mod place;
mod queue;
mod registry;
mod roots;
mod scope;
mod seeded;
mod shared;
mod sleep;
mod spawn;
mod spawner;
mod stack;
mod stop;
mod threads;
mod wait;
mod worker;

pub use builder::{BuildError, PoolBuilder};
pub use scope::Scope;
pub use seeded::Injected;
pub use spawner::{AsyncSpawner, Current, Spawner, current, try_current};
pub use stop::StillRunning;

pub(crate) use builder::Config;
pub(crate) use context::{
    place as place_here, task as task_here, virtual_timers as virtual_timers_here, works_for,
};
pub(crate) use deadlock::look_at_limits;
pub(crate) use help::enter_queue;
pub(crate) use needed::pools_of;
pub(crate) use place::{Inside, Place};
pub(crate) use registry::pool_of;
pub(crate) use seeded::{Fault, How};
pub(crate) use shared::Shared;
pub(crate) use spawn::{made, on_place, on_plain_pool, on_pool, takes_plainly};
pub(crate) use spawner::{Handle, Plain, Spawn, owned};
pub(crate) use wait::{AnySet, Free, Goal, Set, Test, run_at_once, wait};

use std::fmt;

use crate::error::Error;
use crate::sync::Arc;

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
    shared: Arc<Shared>,
}

impl Pool {
    /// A pool with this many workers.
    ///
    /// # Panics
    ///
    /// Where [`PoolBuilder::build`] errs: a thread could not be started.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(4);
    /// assert_eq!(pool.spawn(|| 6 * 7).get()?, 42);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn new(workers: usize) -> Pool {
        match Pool::builder().workers(workers).build() {
            Ok(pool) => pool,
            Err(error) => panic!("{error}"),
        }
    }

    /// Sets a pool up.
    ///
    /// ```
    /// let pool = asynckit::Pool::builder().workers(2).queue_capacity(100).build().unwrap();
    /// assert_eq!(pool.worker_count(), 2);
    /// ```
    pub fn builder() -> PoolBuilder {
        PoolBuilder::new()
    }

    fn start(config: Config) -> Result<Pool, BuildError> {
        let pool = Pool { shared: Shared::make(config) };
        match pool.shared().start_workers() {
            Ok(()) => Ok(pool),
            Err(error) => Err(BuildError::new("a thread could not be started", Some(error))),
        }
    }

    /// A deterministic pool for one run of a test.
    pub(crate) fn of_plan(
        seed: u64,
        fault: Option<Fault>,
        hook: impl Fn(&Error) + Send + Sync + 'static,
    ) -> Pool {
        let builder = Pool::builder().deterministic(seed).on_unobserved_error(hook);
        Pool::without_threads(builder.fault(fault))
    }

    /// A pool without threads of its own, which can't fail to start.
    fn without_threads(builder: PoolBuilder) -> Pool {
        match builder.build() {
            Ok(pool) => pool,
            Err(error) => unreachable!("a pool without threads could not be made: {error}"),
        }
    }

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
            needed::count_workers(threads.wanted, workers);
        }
        threads.wanted = workers;
        shared.publish(&threads);
        // Without workers it is they who do the work.
        shared.rouse_waits(&threads);
        drop(threads);
        shared.wake_all();
        shared.queue.wake_blocked();
        shared.want_workers();
    }
}

impl Default for Pool {
    /// One worker a core.
    fn default() -> Pool {
        match Pool::builder().build() {
            Ok(pool) => pool,
            Err(error) => panic!("{error}"),
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("workers", &self.worker_count()).finish_non_exhaustive()
    }
}

/// Whether nobody wants the result of the work that calls this any more: it was cancelled, or is
/// out of time, or its [`CancelToken`](crate::CancelToken) says so. It may stop early. False outside
/// of work.
///
/// ```
/// use asynckit::{Pool, is_cancelled, work};
///
/// let pool = Pool::new(1);
/// let search = work(|| (0u64..).take_while(|_| !is_cancelled()).count()).spawn_on(&pool);
/// search.cancel();
/// pool.stop(); // the search has seen it
/// ```
pub fn is_cancelled() -> bool {
    context::is_cancelled()
}

/// Calls `f`, which blocks for another reason than a result of ours (a lock, a socket), and lets a
/// spare worker stand in meanwhile. Outside of a pool's work it just calls `f`.
///
/// ```
/// let pool = asynckit::Pool::new(1);
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let waits = pool.spawn(move || asynckit::blocking(|| receiver.recv()));
/// let sends = pool.spawn(move || sender.send(7));
/// assert_eq!(waits.get()?, Ok(7));
/// assert!(sends.get()?.is_ok());
/// # Ok::<(), asynckit::Error>(())
/// ```
pub fn blocking<R>(f: impl FnOnce() -> R) -> R {
    struct End(Arc<Shared>);
    impl Drop for End {
        fn drop(&mut self) {
            self.0.end_blocking();
        }
    }
    let _end = context::pool().map(|pool| {
        crate::core::drain();
        pool.begin_blocking();
        End(pool)
    });
    f()
}
