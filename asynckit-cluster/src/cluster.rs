//! The cluster, as the program has it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use asynckit::carry::{self, AsyncSpawner, CarriedBy, Handle, Spawn};
use asynckit::{Pool, Spawner};

use crate::carrier::OfCluster;
use crate::driver::Desk;
use crate::error::ClusterError;
use crate::seam::{Backend, Driver};
use crate::status::Status;

/// A place for work whose calls with `remote` run in other processes: of this program, on this machine or others.
///
/// It is a [`Spawner`], as a pool is. The graph of the work stays here, in the *driver*; work without `remote` runs on
/// the cluster's local pool. Dropping it is [`stop`](Cluster::stop).
///
/// ```standalone_crate
/// use asynckit::{Error, async_work, chain};
/// use asynckit_cluster::Cluster;
///
/// #[async_work(remote, retry = 3, timeout = "10m")]
/// fn count(text: &str) -> usize { text.split_whitespace().count() }
///
/// #[async_work]
/// fn sum(parts: Vec<usize>) -> usize { parts.into_iter().sum() }
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     asynckit_cluster::serve_if_asked(); // this program is the worker as well
///     let cluster = Cluster::processes(2)?;
///     let texts = ["a b", "c", "d e f"];
///     let all = chain!(&cluster, {
///         let parts: Vec<_> = texts.iter().map(|text| count(text)).collect();
///         sum(parts)
///     });
///     assert_eq!(all.get()?, 6);
///     Ok(())
/// }
/// ```
pub struct Cluster {
    pool: Arc<Pool>,
    carrier: OfCluster,
    desk: Arc<Desk>,
    backend: Arc<dyn Backend>,
    is_stopped: AtomicBool,
}

impl Cluster {
    /// A cluster of so many processes of this program, with [what is usual](Cluster::builder). They are started when
    /// they are needed, and kept.
    ///
    /// # Errors
    ///
    /// Where this process is such a copy itself ([`serve_if_asked`](crate::serve_if_asked) has to come first), on a
    /// system without the means, and where the local pool can't be made.
    pub fn processes(n: usize) -> Result<Cluster, ClusterError> {
        Cluster::builder().processes(n)
    }

    /// A cluster of workers on any machine, which take calls from this NATS server, with
    /// [what is usual](Cluster::builder). A worker is this same program with `ASYNCKIT_WORKER` set to the address, as
    /// [Put it on machines](crate::machines) says. Drivers and workers of the same app find each other.
    ///
    /// ```no_run
    /// use asynckit_cluster::{Cluster, Server};
    ///
    /// let server = Server::at("tls://nats.example.org").credentials_file("films.creds");
    /// let cluster = Cluster::connect(server, "films")?;
    /// # Ok::<(), asynckit_cluster::ClusterError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where there is no connection, or the server is too old, has no JetStream, or has a stream of this name with
    /// other settings than it needs (the error says which); where the app can't be called so; and where the local pool
    /// can't be made.
    #[cfg(all(unix, feature = "nats"))]
    pub fn connect(server: impl Into<crate::Server>, app: &str) -> Result<Cluster, ClusterError> {
        Cluster::builder().connect(server, app)
    }

    /// What goes by this backend.
    pub(crate) fn over(
        pool: Arc<Pool>,
        deliveries: u32,
        backend: impl FnOnce(Weak<dyn Driver>) -> Result<Arc<dyn Backend>, ClusterError>,
    ) -> Result<Cluster, ClusterError> {
        let desk = Desk::new();
        let driver: Arc<dyn Driver> = desk.clone();
        let backend = backend(Arc::downgrade(&driver))?;
        desk.goes_by(backend.clone());
        let carrier = OfCluster::new(desk.clone(), deliveries);
        Ok(Cluster { pool, carrier, desk, backend, is_stopped: AtomicBool::new(false) })
    }

    /// A pool or a scope, for work whose remote calls this cluster carries out.
    pub fn on<'a, 'w, S: Spawner<'w> + ?Sized>(&self, place: &'a S) -> CarriedBy<'a, S> {
        carry::on(place, self.carrier.clone())
    }

    /// The local pool.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// What is going on: workers and what each runs, and what waits for them.
    pub fn status(&self) -> Status {
        self.desk.status()
    }

    /// Finishes what was accepted, as [`Pool::stop`] does, and then ends the workers. It is the same to call it again.
    pub fn stop(&self) {
        self.pool.stop();
        self.end();
    }

    /// As `stop`, where what is not finished in time is given up, as by [`Pool::stop_timeout`].
    pub fn stop_timeout(&self, limit: Duration) {
        let _ = self.pool.stop_timeout(limit);
        self.end();
    }

    fn end(&self) {
        if !self.is_stopped.swap(true, Ordering::SeqCst) {
            self.backend.stop();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Spawn for Cluster {
    fn place(&self) -> Handle {
        self.on(&*self.pool).place()
    }
}
impl Spawner<'static> for Cluster {}
impl AsyncSpawner for Cluster {}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("status", &self.status()).finish_non_exhaustive()
    }
}
