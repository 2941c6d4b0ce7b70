//! See a run of [asynckit](asynckit).

#![forbid(unsafe_code)]

mod analysis;
mod env;
mod graph;
mod model;
mod names;
mod page;
pub mod progress;
mod record;
mod run;
mod save;
mod sites;
mod summary;
mod trace;
mod words;

pub use env::{VARIABLE, from_env, to_file, write_now};
pub use graph::Graph;
pub use record::Recording;
pub use run::Run;
pub use summary::Summary;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod testing;
