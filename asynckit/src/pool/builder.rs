//! Setting up a pool.

use std::fmt;
use std::io;

use crate::error::{Error, Hook};
use crate::pool::hosted::Host;
use crate::pool::{Fault, Pool};
use crate::sync::{Arc, thread};

/// How a pool was asked to be.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) workers: usize,
    pub(crate) thread_name: String,
    pub(crate) stack_size: Option<usize>,
    pub(crate) queue_capacity: Option<usize>,
    pub(crate) max_spares: usize,
    pub(crate) hook: Option<Hook>,
    /// Of a deterministic pool.
    pub(crate) seed: Option<u64>,
    pub(crate) fault: Option<Fault>,
    /// Whose threads it runs on, if not its own.
    pub(crate) host: Option<Arc<dyn Host>>,
}

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
    config: Config,
}

impl PoolBuilder {
    pub(crate) fn new() -> PoolBuilder {
        PoolBuilder {
            config: Config {
                workers: thread::available_parallelism().map_or(1, |cores| cores.get()),
                thread_name: "asynckit".to_owned(),
                stack_size: None,
                queue_capacity: None,
                max_spares: 256,
                hook: None,
                seed: None,
                fault: None,
                host: None,
            },
        }
    }

    /// How many workers there are: one a core, unless said. With 0 the pool's work runs on threads
    /// that wait for it, in [`Pool::run_until_idle`] and in [`Pool::stop`].
    pub fn workers(mut self, workers: usize) -> PoolBuilder {
        self.config.workers = workers;
        self
    }

    /// What the threads' names begin with; a number follows. `asynckit` unless said.
    pub fn thread_name(mut self, prefix: impl Into<String>) -> PoolBuilder {
        self.config.thread_name = prefix.into();
        self
    }

    /// The workers' stack size in bytes; the standard library's choice unless said.
    pub fn stack_size(mut self, bytes: usize) -> PoolBuilder {
        self.config.stack_size = Some(bytes);
        self
    }

    /// How much work from outside may be queued before `spawn_on` blocks; no limit unless said.
    ///
    /// Only ready work that was submitted from outside the pool and has not begun counts. What
    /// the pool's own work submits, and what becomes ready because its inputs do, never blocks.
    pub fn queue_capacity(mut self, most: usize) -> PoolBuilder {
        self.config.queue_capacity = Some(most);
        self
    }

    /// How many spare workers may stand in for workers whose work waits; 256 unless said.
    pub fn max_spares(mut self, most: usize) -> PoolBuilder {
        self.config.max_spares = most;
        self
    }

    /// What is called once for each failure of the pool's work (an error or a panic) that nobody
    /// has looked at when its last copy is dropped. A line on standard error unless said.
    pub fn on_unobserved_error(
        mut self,
        hook: impl Fn(&Error) + Send + Sync + 'static,
    ) -> PoolBuilder {
        self.config.hook = Some(Arc::new(hook));
        self
    }

    /// Makes the pool a [deterministic](Pool::deterministic) one, which has no workers, whatever
    /// else was said.
    pub fn deterministic(mut self, seed: u64) -> PoolBuilder {
        self.config.seed = Some(seed);
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
        Pool::start(self.config)
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
