//! See a run of [asynckit]: a page with its timeline, its graph and its critical path; a trace for Perfetto; the graph
//! for Graphviz and Mermaid; a summary for the terminal; progress bars while it runs.
//!
//! ![A page: one sentence that says why the run took its time, the timeline of all workers, and below it the table of
//! functions and the graph][page.png]
//!
//! # Without a line of code more
//!
//! Have the pool's builder ask the environment, and set `ASYNCKIT_RECORD` when you want to know:
//!
//! ```
//! use asynckit::{Pool, async_work, chain};
//!
//! #[async_work]
//! fn load(n: u64) -> u64 { n }
//! #[async_work]
//! fn add(a: u64, b: u64) -> u64 { a + b }
//!
//! let pool = asynckit_view::from_env(Pool::builder().workers(4)).build()?;
//! assert_eq!(chain!(&pool, add(load(1), load(2))).get()?, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```sh
//! ASYNCKIT_RECORD=run.html cargo run --release    # the page
//! ASYNCKIT_RECORD=run.json cargo run --release    # a trace: open it at https://ui.perfetto.dev
//! ASYNCKIT_RECORD=run.svg  cargo run --release    # the graph; also .dot and .mmd
//! ```
//!
//! [`from_env`] says when the file is written, and when it is not.
//!
//! # By hand
//!
//! A [`Recording`] looks on to a pool, from its beginning or from now on, and [`finish`](Recording::finish)es to a
//! [`Run`].
//!
//! ```
//! use asynckit::{Pool, async_work, chain};
//! use asynckit_view::Recording;
//!
//! # #[async_work]
//! # fn load(n: u64) -> u64 { n }
//! # #[async_work]
//! # fn add(a: u64, b: u64) -> u64 { a + b }
//! let pool = Pool::new(4);
//! let recording = Recording::of(&pool);
//! chain!(&pool, add(load(1), load(2))).get()?;
//! let run = recording.finish();
//!
//! println!("{}", run.summary());
//! # let folder = std::env::temp_dir();
//! # let path = |name: &str| folder.join(name);
//! run.save_html(path("run.html"))?;
//! run.save_trace(path("run.json"))?;
//! assert!(run.graph().dot().starts_with("digraph"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It works on every pool: on threads, on rayon's or tokio's, without workers. A run of a
//! [deterministic](asynckit::Pool::deterministic) pool has virtual time, so the same seed gives the same page, byte by
//! byte.
//!
//! # While it runs
//!
//! [`progress::bar`] shows how far each function is. [`Pool::snapshot`](asynckit::Pool::snapshot) is what to print when a
//! program seems stuck; that is a part of asynckit itself.
//!
//! # Features
//!
//! - **`fast-clock`**, by default: turns on the feature of asynckit that reads times from the processor's own counter, where
//!   that is steady. To be recorded costs a task less then. Those of two threads may be apart by some 100 ns, and a machine
//!   that was asleep meanwhile has no good times: see [time](asynckit::observe#time). Turn it off with
//!   `default-features = false` to have the times of the system's clock.
//!
//! # How to read a page
//!
//! [`why_slow`] walks through three runs that are slower than they need be.

#![doc = ""]
#![doc = include_str!("../docs/pictures.md")]
#![forbid(unsafe_code)]

mod analysis;
mod env;
mod graph;
mod here;
mod live;
mod model;
mod names;
mod page;
pub mod progress;
mod record;
mod run;
mod save;
mod sites;
mod summary;
mod sync;
mod trace;
mod words;

pub use env::{VARIABLE, from_env, to_file, write_now};
pub use graph::Graph;
pub use record::Recording;
pub use run::Run;
pub use summary::Summary;

// The first of two definitions holds: here the pictures themselves, in the repository their files.
#[doc = include_str!("../docs/pictures.md")]
#[doc = include_str!("../docs/why-slow.md")]
pub mod why_slow {}

/// The programs of the README are tests as well.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod testing;
