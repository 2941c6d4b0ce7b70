//! Pools on tokio's threads for blocking work.

use tokio::runtime::Handle;

use crate::pool::builder::PoolBuilder;
use crate::pool::config::{Call, Host};
use crate::pool::handle::Pool;

struct Tokio(Handle);

impl Host for Tokio {
    fn call(&self, call: Call) {
        drop(self.0.spawn_blocking(call));
    }

    fn has_spares(&self) -> bool {
        true
    }

    fn is_here(&self) -> bool {
        // Those that wait are others: its workers, or further threads for blocking work.
        false
    }

    fn give_way(&self) {}
}

impl Pool {
    /// A pool on the threads that a tokio runtime has for blocking work: a program that has a
    /// runtime needs no others.
    ///
    /// Needs the feature `tokio`. It is a [`Pool`] like any other, and keeps its promises; when it
    /// has nothing to do it holds none of the threads. It uses as many as there are cores, or as
    /// [`workers`](PoolBuilder::workers) says, so that the runtime is left with others; spare
    /// workers, which stand in while work waits, are the runtime's too. What differs:
    ///
    /// - Work may use the runtime: `tokio::spawn`, and in an `async fn` its timers and sockets.
    /// - Where the runtime has been shut down, the pool is stopped: what has not begun fails as
    ///   [`Stopped`](crate::ErrorKind::Stopped) at the latest when more is submitted.
    /// - A runtime has a highest number of such threads (512 unless said). Where all of them are
    ///   blocked otherwise, the pool's work waits for them.
    ///
    /// In a future use `.await`, as [`get`](crate::AsyncResult::get) and dropping the pool block.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::{Pool, async_work, chain};
    ///
    /// #[async_work]
    /// async fn fetch(n: u32) -> u32 {
    ///     tokio::time::sleep(Duration::from_millis(1)).await;
    ///     n
    /// }
    /// #[async_work]
    /// fn add(a: u32, b: u32) -> u32 { a + b }
    ///
    /// let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    /// let pool = Pool::on_tokio(runtime.handle().clone());
    /// let sum = runtime.block_on(async { chain!(&pool, add(fetch(1), fetch(2))).await })?;
    /// assert_eq!(sum, 3);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    pub fn on_tokio(handle: Handle) -> Pool {
        Pool::builder().on_tokio(handle).made()
    }
}

impl PoolBuilder {
    /// Runs the pool on the threads that a tokio runtime has for blocking work; see
    /// [`Pool::on_tokio`].
    pub fn on_tokio(self, handle: Handle) -> PoolBuilder {
        self.hosted(Tokio(handle))
    }
}
