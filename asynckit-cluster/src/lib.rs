//! The same chains of asynckit in other processes and on other machines.
#![warn(missing_docs)]
// Until all is tied together.
#![allow(dead_code)]

// Each imports only what stands above it here.
mod wire;

mod status;

mod seam;

#[cfg(feature = "nats")]
mod nats;

#[cfg(feature = "nats")]
pub use nats::Server;
pub use status::{RunningCall, Status, WorkerStatus};
pub use wire::CallId;
