//! The cluster: a place for work, whose remote calls travel.

use std::sync::Arc;

use asynckit::carry::{AsyncSpawner, Handle, Spawn, on};
use asynckit::{BoxError, Pool, Spawner};

use crate::carrier::OfCluster;
use crate::driver::Desk;
use crate::seam::Backend;
use crate::status::Status;

/// How often a call is delivered at most.
const DELIVERIES: u32 = 3;

/// A place for work: what is `remote` runs elsewhere, all else on a pool of this process.
pub struct Cluster {
    pool: Pool,
    desk: Arc<Desk>,
    carrier: OfCluster,
    backend: Arc<dyn Backend>,
}

/// Settings of a [`Cluster`].
#[derive(Debug, Default)]
pub struct Builder {
    pool: Option<Pool>,
    deliveries: Option<u32>,
}

impl Builder {
    /// The pool for work that is not `remote`.
    pub fn pool(mut self, pool: Pool) -> Builder {
        self.pool = Some(pool);
        self
    }

    /// How often a call goes out at most, where its worker ends while it runs: 3 unless said.
    pub fn deliveries(mut self, most: u32) -> Builder {
        self.deliveries = Some(most);
        self
    }

    /// A cluster of workers on any machine, over this NATS server.
    #[cfg(feature = "nats")]
    pub fn connect(self, server: impl Into<crate::Server>, app: &str) -> Result<Cluster, BoxError> {
        let desk = Desk::new();
        let build = crate::nats::build()?;
        let nats =
            crate::nats::Nats::connect(&server.into(), app, &build, desk.run(), desk.clone())?;
        self.build(desk, Arc::new(nats))
    }

    fn build(self, desk: Arc<Desk>, backend: Arc<dyn Backend>) -> Result<Cluster, BoxError> {
        desk.goes_by(backend.clone());
        let pool = match self.pool {
            Some(pool) => pool,
            None => Pool::builder().build()?,
        };
        let carrier = OfCluster::new(desk.clone(), self.deliveries.unwrap_or(DELIVERIES));
        Ok(Cluster { pool, desk, carrier, backend })
    }
}

impl Cluster {
    /// Settings.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A cluster of workers on any machine, over this NATS server.
    #[cfg(feature = "nats")]
    pub fn connect(server: impl Into<crate::Server>, app: &str) -> Result<Cluster, BoxError> {
        Cluster::builder().connect(server, app)
    }

    /// What is going on.
    pub fn status(&self) -> Status {
        self.desk.status()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.pool.stop();
        self.backend.stop();
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

impl Spawn for Cluster {
    fn place(&self) -> Handle {
        on(&self.pool, self.carrier.clone()).place()
    }
}
impl Spawner<'static> for Cluster {}
impl AsyncSpawner for Cluster {}

/// Serves calls, where this process is asked to.
pub fn serve_if_asked() {
    #[cfg(feature = "nats")]
    crate::nats::serve_if_asked(crate::nats::build);
}
