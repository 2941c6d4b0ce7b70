//! How a cluster is to be.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use asynckit::Pool;

use crate::clock::EVER;
use crate::cluster::Cluster;
use crate::error::ClusterError;
use crate::processes::lines::{self, Line, OnLine};
#[cfg(unix)]
use crate::processes::{Options, Processes, inside};

/// How a [`Cluster`] is to be.
#[must_use = "`processes` makes the cluster"]
pub struct ClusterBuilder {
    pool: Option<Arc<Pool>>,
    deliveries: u32,
    threads: usize,
    max_calls: Option<u64>,
    memory: Option<u64>,
    arguments: Vec<String>,
    grace: Duration,
    lease: Duration,
    on_line: OnLine,
}

impl Cluster {
    /// A cluster with other settings than the usual ones.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit_cluster::Cluster;
    ///
    /// let builder = Cluster::builder()
    ///     .deliveries(2)
    ///     .max_calls(1_000)
    ///     .memory(2 << 30)
    ///     .grace(Duration::from_secs(1));
    /// # drop(builder);
    /// ```
    pub fn builder() -> ClusterBuilder {
        ClusterBuilder {
            pool: None,
            deliveries: 3,
            threads: 1,
            max_calls: None,
            memory: None,
            arguments: Vec::new(),
            grace: Duration::from_secs(2),
            lease: Duration::from_secs(10),
            on_line: Arc::new(lines::print),
        }
    }
}

impl ClusterBuilder {
    /// The local pool, for work without `remote`. The cluster stops it when it stops. Unless said it is a pool of its
    /// own, with a worker for each processor.
    pub fn pool(mut self, pool: impl Into<Arc<Pool>>) -> ClusterBuilder {
        self.pool = Some(pool.into());
        self
    }

    /// How often a call goes out at most, where the process that runs it ends: 3 times unless said here or at the
    /// function, as `remote(deliveries = 1)`. Then it fails as [`Lost`](asynckit::ErrorKind::Lost).
    /// A call that goes out once has its process to itself, and none is sent ahead of its turn.
    pub fn deliveries(mut self, most: u32) -> ClusterBuilder {
        self.deliveries = most;
        self
    }

    /// How many calls a process runs at once: one unless said. A process that runs several is not ended for the sake
    /// of one of them: a call that is cancelled or out of time may ask [`is_cancelled`](asynckit::is_cancelled). If
    /// it goes on past its grace it holds its thread until nothing else runs there, or all threads are held like that:
    /// then the process is replaced. A call of a function with `remote(memory = ..)` fails here, and says so.
    /// A call that ends its process takes with it what runs beside it, which goes out again; but a call with
    /// `deliveries = 1` has its process to itself, with all of its threads: it waits for one that runs nothing, and
    /// nothing is sent there until it has ended.
    pub fn threads(mut self, threads: usize) -> ClusterBuilder {
        self.threads = threads;
        self
    }

    /// A process is replaced after so many calls, one at least: against what libraries leave behind.
    pub fn max_calls(mut self, most: u64) -> ClusterBuilder {
        self.max_calls = Some(most);
        self
    }

    /// How much memory a process may take, in bytes, unless a function says, as `remote(memory = "2GB")`. It counts what
    /// is allocated, on Linux. A process that wants more than that ends, and the call with it. What a function says is
    /// for a process that runs one call at a time: with [`threads`](Self::threads) its calls fail, and say so.
    pub fn memory(mut self, bytes: u64) -> ClusterBuilder {
        self.memory = Some(bytes);
        self
    }

    /// The arguments that processes are started with: none unless said. A test of this crate's users, in which the copy
    /// has to get to the line with [`serve_if_asked`](crate::serve_if_asked), says
    /// `args(["--exact", "its_name", "--nocapture"])`.
    pub fn args<A: Into<String>>(
        mut self,
        arguments: impl IntoIterator<Item = A>,
    ) -> ClusterBuilder {
        self.arguments = arguments.into_iter().map(Into::into).collect();
        self
    }

    /// How long the code of a call that is cancelled or out of time may go on, so that it can ask
    /// [`is_cancelled`](asynckit::is_cancelled) and clean up, before its process is killed: 2 seconds unless said. The
    /// end of the cluster waits for that, too. What the process has started is killed with it, but for what has made a
    /// process group of its own.
    pub fn grace(mut self, grace: Duration) -> ClusterBuilder {
        self.grace = grace;
        self
    }

    /// A process that runs a call and shows no sign of life for so long is killed, and the call goes out again: 10
    /// seconds unless said. (It shows one by itself, however long the call takes; a process that was stopped by a
    /// signal does not.)
    pub fn lease(mut self, lease: Duration) -> ClusterBuilder {
        self.lease = lease;
        self
    }

    /// What is done with each line that a process prints. Unless said it is printed, with the name of the worker.
    pub fn on_line(
        mut self,
        on_line: impl Fn(&Line<'_>) + Send + Sync + 'static,
    ) -> ClusterBuilder {
        self.on_line = Arc::new(on_line);
        self
    }

    /// The cluster, of so many processes of this program.
    ///
    /// # Errors
    ///
    /// As [`Cluster::processes`].
    #[cfg(unix)]
    pub fn processes(self, n: usize) -> Result<Cluster, ClusterError> {
        let deliveries = (self.deliveries as usize, "deliveries");
        let calls = (self.max_calls.map_or(1, |most| most.min(1) as usize), "max_calls");
        let numbers = [(n, "processes"), (self.threads, "threads"), deliveries, calls];
        let pool = local_pool(self.pool, &numbers)?;
        let options = Options {
            name: "worker".to_owned(),
            processes: n,
            threads: self.threads,
            max_calls: self.max_calls,
            memory: self.memory,
            arguments: self.arguments.into_iter().map(Into::into).collect(),
            grace: self.grace.min(EVER),
            lease: self.lease.clamp(Duration::from_millis(20), EVER),
            on_line: self.on_line,
        };
        Cluster::over(pool, self.deliveries, |driver| {
            Ok(Arc::new(Processes::start(options, driver).map_err(ClusterError::Io)?))
        })
    }

    /// The cluster, of workers on any machine, over this server; as [`Cluster::connect`]. The local pool and the
    /// deliveries are as said here; all else is for processes.
    ///
    /// # Errors
    ///
    /// As [`Cluster::connect`].
    #[cfg(all(unix, feature = "nats"))]
    pub fn connect(
        self,
        server: impl Into<crate::Server>,
        app: &str,
    ) -> Result<Cluster, ClusterError> {
        let pool = local_pool(self.pool, &[(self.deliveries as usize, "deliveries")])?;
        let server = server.into();
        Cluster::over(pool, self.deliveries, |driver| {
            let nats = crate::nats::Nats::connect(&server, app, driver);
            Ok(Arc::new(nats.map_err(ClusterError::Server)?))
        })
    }

    /// There are none on this system.
    #[cfg(not(unix))]
    pub fn processes(self, _: usize) -> Result<Cluster, ClusterError> {
        Err(ClusterError::Unsupported)
    }
}

/// The local pool of a cluster, where this process may have one, and none of these numbers is zero.
#[cfg(unix)]
fn local_pool(
    pool: Option<Arc<Pool>>,
    numbers: &[(usize, &str)],
) -> Result<Arc<Pool>, ClusterError> {
    if inside::is_copy() {
        return Err(ClusterError::IsWorker);
    }
    if let Some((_, what)) = numbers.iter().find(|(number, _)| *number == 0) {
        return Err(ClusterError::Invalid(format!("`{what}` has to be one at least, and is 0")));
    }
    match pool {
        Some(pool) => Ok(pool),
        None => Ok(Arc::new(Pool::builder().build().map_err(ClusterError::Pool)?)),
    }
}

impl fmt::Debug for ClusterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterBuilder")
            .field("deliveries", &self.deliveries)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}
