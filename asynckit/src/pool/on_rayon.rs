//! Pools on rayon's threads.

use std::cell::Cell;

use crate::pool::builder::PoolBuilder;
use crate::pool::config::{Call, Host};
use crate::pool::handle::Pool;
use crate::pool::stack;
use crate::sync::Arc;

/// A rayon pool; `None` is the global one.
struct Rayon(Option<Arc<rayon::ThreadPool>>);

thread_local! {
    /// How much of the stack this thread has left where rayon calls from its own loop; 0 while that is
    /// not known. A thread of rayon that waits calls from further up.
    static AT_TOP: Cell<usize> = const { Cell::new(0) };
    /// Whether the call under way is one of those.
    static NESTED: Cell<bool> = const { Cell::new(false) };
}

/// What rayon is given: one closure of one type, so that all are called from the same depth.
fn body(call: Option<Call>) -> impl FnOnce() + Send {
    move || called(call)
}

#[inline(never)]
fn called(call: Option<Call>) {
    let left = stack::left().unwrap_or(0);
    let top = AT_TOP.get().max(left);
    AT_TOP.set(top);
    let before = NESTED.replace(left < top);
    if let Some(call) = call {
        call();
    }
    NESTED.set(before);
}

impl Rayon {
    /// Has each thread see how deep its stack is when it has nothing else to do.
    fn look_at_stacks(self) -> Rayon {
        let look = |_: rayon::BroadcastContext<'_>| rayon::spawn(body(None));
        match &self.0 {
            Some(pool) => pool.spawn_broadcast(look),
            None => rayon::spawn_broadcast(look),
        }
        self
    }
}

impl Host for Rayon {
    fn call(&self, call: Call) {
        match &self.0 {
            Some(pool) => pool.spawn(body(Some(call))),
            None => rayon::spawn(body(Some(call))),
        }
    }

    fn is_nested(&self) -> bool {
        NESTED.get()
    }

    fn has_spares(&self) -> bool {
        false
    }

    fn is_here(&self) -> bool {
        match &self.0 {
            Some(pool) => pool.current_thread_index().is_some(),
            None => rayon::current_thread_index().is_some(),
        }
    }

    fn give_way(&self) {
        let _ = rayon::yield_now();
    }
}

impl Pool {
    /// A pool on the threads of a rayon pool: a program that has one needs no others.
    ///
    /// Needs the feature `rayon`. It is a [`Pool`] like any other, and keeps its promises; when it
    /// has nothing to do it holds none of rayon's threads. What differs:
    ///
    /// - A spare worker, which stands in while work waits, is a thread of the pool's own: rayon has
    ///   no others. It goes when it is no longer needed. (On it `par_iter` uses rayon's global
    ///   pool.)
    /// - A thread of the rayon pool that waits for this pool's work from outside of it (in
    ///   [`get`](crate::AsyncResult::get), say) meanwhile runs work of the pool, any of it: there
    ///   may be no other thread to do so. Inside of work a wait runs only what it needs, as ever.
    /// - Work that waits for *rayon* (in a `join` or a `par_iter`) does so in rayon's way: it
    ///   may run anything of rayon's meanwhile. No work of this pool is begun there, so that a lock which
    ///   the waiting work holds is not asked for on its own thread.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use asynckit::{Pool, async_work, chain};
    /// use rayon::prelude::*;
    ///
    /// #[async_work]
    /// fn squares(n: u64) -> Vec<u64> { (1..=n).into_par_iter().map(|n| n * n).collect() }
    /// #[async_work]
    /// fn sum(numbers: &[u64]) -> u64 { numbers.par_iter().sum() }
    ///
    /// let threads = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build()?);
    /// let pool = Pool::on_rayon(threads);
    /// let total = chain!(&pool, {
    ///     let numbers = squares(10);
    ///     sum(&numbers)
    /// });
    /// assert_eq!(total.get()?, 385);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    pub fn on_rayon(pool: Arc<rayon::ThreadPool>) -> Pool {
        Pool::builder().on_rayon(pool).made()
    }

    /// As [`on_rayon`](Pool::on_rayon), on rayon's global pool.
    ///
    /// ```
    /// let pool = asynckit::Pool::on_global_rayon();
    /// assert!(pool.spawn(|| rayon::current_thread_index().is_some()).get()?);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn on_global_rayon() -> Pool {
        Pool::builder().on_global_rayon().made()
    }
}

impl PoolBuilder {
    /// Runs the pool on the threads of a rayon pool; see [`Pool::on_rayon`]. It uses as many as
    /// there are, unless [`workers`](PoolBuilder::workers) then asks for fewer.
    pub fn on_rayon(self, pool: Arc<rayon::ThreadPool>) -> PoolBuilder {
        let threads = pool.current_num_threads();
        self.workers(threads).hosted(Rayon(Some(pool)).look_at_stacks())
    }

    /// Runs the pool on rayon's global pool; see [`on_rayon`](PoolBuilder::on_rayon).
    pub fn on_global_rayon(self) -> PoolBuilder {
        self.workers(rayon::current_num_threads()).hosted(Rayon(None).look_at_stacks())
    }
}
