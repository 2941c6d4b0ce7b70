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

pub use failure::RemoteError;
pub use status::{RunningCall, Status, WorkerStatus};
pub use wire::CallId;
pub use worker::call_id;
