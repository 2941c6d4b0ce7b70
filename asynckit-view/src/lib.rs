//! See a run of [asynckit](asynckit).

#![forbid(unsafe_code)]

mod analysis;
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

pub use graph::Graph;
pub use record::Recording;
pub use run::Run;
pub use summary::Summary;

#[cfg(test)]
mod testing;
