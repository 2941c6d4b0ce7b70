//! The same chains of asynckit in other processes and on other machines.
#![warn(missing_docs)]
// Until all is tied together.
#![allow(dead_code)]

// Each imports only what stands above it here.
mod wire;

pub mod attribute;
mod status;

mod failure;
mod seam;

mod driver;
mod worker;

mod carrier;

#[cfg(feature = "nats")]
mod nats;

mod cluster;

pub use cluster::{Builder, Cluster, serve_if_asked};
pub use failure::RemoteError;
#[cfg(feature = "nats")]
pub use nats::Server;
pub use status::{RunningCall, Status, WorkerStatus};
pub use wire::CallId;
pub use worker::call_id;
