//! Ordinary blocking Rust, run as a typed graph of tasks on threads.
#![warn(missing_docs)]

#[macro_use]
mod sync;

mod continuation;
mod error;
mod future;
mod inputs;
mod lift;
mod panic;
mod pool;
mod result;
mod task;
mod work;

#[doc(hidden)]
pub mod __private;

/// Marks functions as work.
pub use asynckit_macros::{async_work, chain};
pub use error::{BoxError, Error, ErrorKind, Result};
pub use pool::{
    BuildError, Current, Pool, PoolBuilder, Scope, Spawner, StillRunning, blocking, current,
    is_cancelled, try_current,
};
pub use result::{AsCompleted, AsyncResult, Awaited, AwaitedRef, Results, SetError, Setter};
pub use work::{Work, try_work, work};
