//! Setting up a pool.

use std::fmt;
use std::io;

use crate::error::Error;
use crate::observe::{Observer, Onlooker};
use crate::pool::config::Config;
#[cfg(any(feature = "rayon", feature = "tokio"))]
use crate::pool::config::Host;
use crate::pool::draw::Fault;
use crate::pool::handle::Pool;
use crate::pool::shared::Shared;
use crate::sync::{Arc, thread};

/// Sets up a [`Pool`]; made by [`Pool::builder`].
///
/// ```
/// let pool = asynckit::Pool::builder().workers(2).thread_name("crawler").build()?;
/// assert_eq!(pool.worker_count(), 2);
/// # Ok::<(), asynckit::BuildError>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder makes a pool with `.build()`"]
pub struct PoolBuilder {
    pub(super) config: Config,
}

impl PoolBuilder {
    pub(crate) fn new() -> PoolBuilder {
        PoolBuilder {
            config: Config {
                workers: thread::available_parallelism().map_or(1, |cores| cores.get()),
                thread_name: "asynckit".to_owned(),
                max_spares: 256,
                ..Config::default()
            },
        }
    }

    /// How many workers there are: one a core, unless said. With 0 the pool's work runs on threads
    /// that wait for it, in [`Pool::run_until_idle`] and in [`Pool::stop`].
    ///
    /// ```
    /// let pool = asynckit::Pool::builder().workers(3).build()?;
    /// assert_eq!(pool.worker_count(), 3);
    /// # Ok::<(), asynckit::BuildError>(())
    /// ```
    pub fn workers(mut self, workers: usize) -> PoolBuilder {
        self.config.workers = workers;
        self
    }

    /// What the threads' names begin with; a number follows. `asynckit` unless said.
    ///
    /// ```
    /// let pool = asynckit::Pool::builder().workers(1).thread_name("crawler").build()?;
    /// let name = pool.spawn(|| std::thread::current().name().map(str::to_owned));
    /// assert_eq!(name.get().unwrap().as_deref(), Some("crawler-1"));
    /// # Ok::<(), asynckit::BuildError>(())
    /// ```
    pub fn thread_name(mut self, prefix: impl Into<String>) -> PoolBuilder {
        self.config.thread_name = prefix.into();
        self
    }

    /// The workers' stack size in bytes; the standard library's choice unless said.
    ///
    /// ```
    /// fn deep(n: u32) -> u32 { if n == 0 { 0 } else { 1 + std::hint::black_box(deep)(n - 1) } }
    ///
    /// let pool = asynckit::Pool::builder().workers(1).stack_size(64 << 20).build()?;
    /// assert_eq!(pool.spawn(|| deep(100_000)).get().unwrap(), 100_000);
    /// # Ok::<(), asynckit::BuildError>(())
    /// ```
    pub fn stack_size(mut self, bytes: usize) -> PoolBuilder {
        self.config.stack_size = Some(bytes);
        self
    }

    /// How much work from outside may be queued before `spawn_on` blocks; no limit unless said.
    ///
    /// Only ready work that was submitted from outside the pool and has not begun counts. What
    /// the pool's own work submits, and what becomes ready because its inputs do, never blocks.
    ///
    /// ```
    /// let pool = asynckit::Pool::builder().workers(2).queue_capacity(16).build()?;
    /// for n in 0..1000 {
    ///     // However fast they come: no more than 16 wait in memory.
    ///     drop(pool.spawn(move || n));
    /// }
    /// # Ok::<(), asynckit::BuildError>(())
    /// ```
    pub fn queue_capacity(mut self, most: usize) -> PoolBuilder {
        self.config.queue_capacity = Some(most);
        self
    }

    /// How many spare workers may stand in for workers whose work waits; 256 unless said.
    ///
    /// ```
    /// // Work that waits for a lock (and says so by `blocking`) has at most two stand-ins.
    /// let pool = asynckit::Pool::builder().workers(2).max_spares(2).build()?;
    /// let lock = std::sync::Arc::new(std::sync::Mutex::new(1));
    /// let locked = pool.spawn(move || asynckit::blocking(|| *lock.lock().unwrap()));
    /// assert_eq!(locked.get().unwrap(), 1);
    /// # Ok::<(), asynckit::BuildError>(())
    /// ```
    pub fn max_spares(mut self, most: usize) -> PoolBuilder {
        self.config.max_spares = most;
        self
    }

    /// What is called once for each failure of the pool's work (an error or a panic) that nobody
    /// has looked at when its last copy is dropped. A line on standard error unless said.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use asynckit::{Pool, try_work};
    ///
    /// let (told, tells) = mpsc::channel();
    /// let pool = Pool::builder()
    ///     .workers(1)
    ///     .on_unobserved_error(move |error| told.send(error.to_string()).unwrap())
    ///     .build()?;
    /// try_work(|| Err::<(), _>("no")).detach_on(&pool);
    /// assert_eq!(tells.recv().unwrap(), "closure failed: no");
    /// # Ok::<(), asynckit::BuildError>(())
    /// ```
    pub fn on_unobserved_error(
        mut self,
        hook: impl Fn(&Error) + Send + Sync + 'static,
    ) -> PoolBuilder {
        self.config.hook = Some(Arc::new(hook));
        self
    }

    /// Makes the pool a [deterministic](Pool::deterministic) one, which has no workers, whatever
    /// else was said.
    ///
    /// ```
    /// let pool = asynckit::Pool::builder().deterministic(7).build()?;
    /// assert_eq!(pool.worker_count(), 0);
    /// assert_eq!(pool.spawn(|| 1).get().unwrap(), 1); // on this thread
    /// # Ok::<(), asynckit::BuildError>(())
    /// ```
    pub fn deterministic(mut self, seed: u64) -> PoolBuilder {
        self.config.seed = Some(seed);
        self
    }

    /// Has `observer` look on to the pool's work; may be called for several. See [`observe`](crate::observe).
    ///
    /// ```
    /// use asynckit::observe::{Observer, TaskStarted};
    ///
    /// struct Prints;
    /// impl Observer for Prints {
    ///     fn started(&self, event: &TaskStarted<'_>) {
    ///         println!("{:?} {:?} begins on {}", event.time, event.task, event.row.name());
    ///     }
    /// }
    ///
    /// let pool = asynckit::Pool::builder().workers(1).observer(Prints).build()?;
    /// assert_eq!(pool.spawn(|| 42).get().unwrap(), 42);
    /// # Ok::<(), asynckit::BuildError>(())
    /// ```
    #[track_caller]
    pub fn observer(mut self, observer: impl Observer) -> PoolBuilder {
        self.config.onlookers.push(Onlooker::new(observer));
        self
    }

    /// Has counts kept for [`Pool::snapshot`]: of tasks by function, of which function waits for which, and of how long
    /// each has run. That is an observer of ours, which takes a lock or two at each event; its memory is bounded: 512 functions
    /// are counted one by one, and the rest as one; of about 65,536 tasks that are not over it is known what they are at,
    /// and of the rest only how many there were ([`more`](crate::observe::FunctionCounts::more)).
    ///
    /// ```
    /// use asynckit::{AsyncResult, Pool, async_work, chain};
    ///
    /// #[async_work]
    /// fn resize(page: u32) -> u32 { page / 2 }
    /// #[async_work]
    /// fn store(page: u32) -> u32 { page }
    ///
    /// let pool = Pool::builder().workers(1).watch(true).build()?;
    /// let page = AsyncResult::new();
    /// let stored = chain!(&pool, store(resize(page.clone())));
    /// let text = pool.snapshot().to_string();
    /// assert!(text.contains("store: 1 wait; wait for"), "{text}");
    /// page.set(2).unwrap();
    /// assert_eq!(stored.get().unwrap(), 1);
    /// # Ok::<(), asynckit::BuildError>(())
    /// ```
    pub fn watch(mut self, watch: bool) -> PoolBuilder {
        self.config.watch = watch;
        self
    }

    #[cfg(any(feature = "rayon", feature = "tokio"))]
    pub(crate) fn hosted(mut self, host: impl Host + 'static) -> PoolBuilder {
        self.config.host = Some(Arc::new(host));
        self
    }

    pub(crate) fn fault(mut self, fault: Option<Fault>) -> PoolBuilder {
        self.config.fault = fault;
        self
    }

    /// Makes the pool and starts its workers.
    ///
    /// # Errors
    ///
    /// A queue capacity of 0, a thread name with a NUL byte, or a thread that could not be
    /// started; no thread stays then.
    ///
    /// ```
    /// let none = asynckit::Pool::builder().queue_capacity(0).build();
    /// assert!(none.is_err());
    /// ```
    pub fn build(mut self) -> Result<Pool, BuildError> {
        if self.config.seed.is_some() {
            self.config.workers = 0;
            self.config.host = None;
        }
        if self.config.queue_capacity == Some(0) {
            return Err(BuildError::new("a queue capacity of 0 would take no work at all", None));
        }
        if self.config.thread_name.contains('\0') {
            return Err(BuildError::new("a thread's name can't have a NUL byte", None));
        }
        let pool = Pool { shared: Shared::make(self.config) };
        match pool.shared().start_workers() {
            Ok(()) => Ok(pool),
            Err(error) => Err(BuildError::new("a thread could not be started", Some(error))),
        }
    }

    /// Likewise, where that can fail for want of a thread alone, if at all.
    pub(super) fn made(self) -> Pool {
        self.build().unwrap_or_else(|error| panic!("{error}"))
    }
}

impl fmt::Debug for PoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolBuilder")
            .field("workers", &self.config.workers)
            .field("thread_name", &self.config.thread_name)
            .field("stack_size", &self.config.stack_size)
            .field("queue_capacity", &self.config.queue_capacity)
            .field("max_spares", &self.config.max_spares)
            .finish_non_exhaustive()
    }
}

/// Why a pool could not be made.
///
/// ```
/// let error = asynckit::Pool::builder().thread_name("a\0b").build().unwrap_err();
/// println!("{error}");
/// ```
#[derive(Debug)]
pub struct BuildError {
    what: &'static str,
    source: Option<io::Error>,
}

impl BuildError {
    pub(crate) fn new(what: &'static str, source: Option<io::Error>) -> BuildError {
        BuildError { what, source }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the pool could not be made: {}", self.what)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for BuildError {}

/// How pools are made.
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
        Pool::builder().workers(workers).made()
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

    /// A deterministic pool for one run of a test.
    pub(crate) fn of_plan(
        seed: u64,
        fault: Option<Fault>,
        hook: impl Fn(&Error) + Send + Sync + 'static,
    ) -> Pool {
        let builder = Pool::builder().deterministic(seed).on_unobserved_error(hook);
        builder.fault(fault).made()
    }

    /// A pool without threads that runs its work in an order which the seed decides: for tests,
    /// and for targets that have no threads.
    ///
    /// It is a pool of 0 workers: work runs on a thread that waits for it, in
    /// [`run_until_idle`](Pool::run_until_idle) and in [`stop`](Pool::stop). What differs:
    ///
    /// - Of all tasks that are ready, those from outside and those from inside of work, the seed
    ///   decides which is next. The same seed gives the same order again, on every machine, as
    ///   long as one thread uses the pool and the work itself is deterministic. (The standard
    ///   library's hash maps are not: they iterate in another order each time.)
    /// - A wait without end fails instead of hanging: when nothing is left to run that could end an
    ///   untimed wait, the wait fails as [`Deadlock`](crate::ErrorKind::Deadlock).
    /// - Time is virtual: it stands still while there is work to run, and where there is none a wait,
    ///   or a [`stop`](Pool::stop), lets it go on at once to the next moment at which something is to
    ///   happen. Limits of time and pauses between tries go by it.
    ///   [`virtual_time`](Pool::virtual_time) tells how late it is.
    /// - [`set_worker_count`](Pool::set_worker_count) does nothing.
    ///
    /// Tasks run one at a time and are not interrupted, so that the orders are those of whole
    /// tasks (of an `async fn`, of the parts between its `.await`s). A wait inside of work runs
    /// what it needs, else other work, on the same stack, and goes on after that work has ended.
    ///
    /// [`explore`](crate::explore) runs a test with many seeds.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use asynckit::Pool;
    ///
    /// let order = |seed| {
    ///     let (pool, order) = (Pool::deterministic(seed), Arc::new(Mutex::new(Vec::new())));
    ///     for n in 0..10 {
    ///         let order = order.clone();
    ///         drop(pool.spawn(move || order.lock().unwrap().push(n)));
    ///     }
    ///     pool.run_until_idle();
    ///     order.lock().unwrap().clone()
    /// };
    /// assert_eq!(order(7), order(7));
    /// assert_ne!(order(7), order(8));
    /// ```
    pub fn deterministic(seed: u64) -> Pool {
        Pool::builder().deterministic(seed).made()
    }
}

impl Default for Pool {
    /// One worker a core.
    fn default() -> Pool {
        Pool::builder().made()
    }
}
