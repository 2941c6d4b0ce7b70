#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

// Each imports only what stands above it here.
mod error;

mod stamp;

mod context;
mod lossy;

pub mod attribute;
mod files;
mod record;

mod flights;
mod large;

mod disk;

mod entries;
mod explain;
mod writer;

mod carrier;

mod store;

#[doc = include_str!("../docs/run-it-again.md")]
pub mod run_it_again {}

pub use entries::{Entry, Stats};
pub use error::StoreError;
pub use explain::Why;
pub use files::{InputFile, OutputFile};
pub use store::{Store, StoreBuilder};
