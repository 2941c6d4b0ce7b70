#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

// Each imports only what stands above it here.
mod clock;
mod error;
#[cfg(test)]
mod garble;
mod octets;
mod sync;
mod trace;
mod wire;

pub mod attribute;
mod status;

mod failure;
mod seam;

mod driver;
mod worker;

mod carrier;
mod processes;

#[cfg(all(unix, feature = "nats"))]
mod nats;

mod cluster;

mod builder;

pub use builder::ClusterBuilder;
pub use cluster::Cluster;
pub use error::ClusterError;
pub use failure::RemoteError;
#[cfg(all(unix, feature = "nats"))]
pub use nats::Server;
pub use processes::lines::Line;
pub use status::{RunningCall, Status, WorkerStatus};
pub use wire::CallId;
pub use worker::call_id;

/// Has this process be a worker, if it was started as one: then it does not come back. It has to be the first line of
/// `main`: what stands before it is done by each worker as well.
pub fn serve_if_asked() {
    #[cfg(unix)]
    processes::inside::serve_if_asked();
    #[cfg(all(unix, feature = "nats"))]
    nats::serve_if_asked();
}

#[cfg(all(unix, feature = "nats"))]
#[doc = include_str!("../docs/machines.md")]
pub mod machines {}
