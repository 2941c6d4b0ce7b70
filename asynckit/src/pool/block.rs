//! Threads that block in the midst of work: they are counted, so that a spare stands in.
//!
//! *Named race, "the short pool":* a thread blocks and leaves the pool short of active threads while
//! work is queued. It says so, fences, and looks at the queues; the submitter queues, and then looks whether the pool is
//! short. (Of the two fences one may be for all threads: `attention.rs`.) One of them starts a spare.

use crate::core;
use crate::pool::shared::Shared;
use crate::pool::threads::{Wait, remove};
use crate::pool::{context, words};
use crate::sync::{Arc, weakened};

impl Shared {
    /// A thread of the pool begins to wait for a result. The wait is failed where all threads of
    /// the pool wait and none may be added.
    pub(crate) fn block(&self, wait: &Arc<Wait>) {
        let mut threads = self.threads();
        threads.waits.push(wait.clone());
        self.publish(&threads);
        threads.tell_watchers();
        let waiting = threads.waits.iter().filter(|wait| wait.timed || wait.is_still()).count();
        let all_wait = threads.wanted > 0 && waiting >= threads.alive;
        let at_cap = threads.alive >= self.most_threads(&threads);
        let newest = threads.waits.iter().rfind(|wait| wait.is_still());
        let victim = if all_wait && at_cap && !self.is_closed() { newest.cloned() } else { None };
        let short = self.attention.is_short();
        self.attention.look_again(&mut threads.looks);
        let quiet = self.is_quiet_now(&threads, 0);
        drop(threads);
        if let Some(victim) = victim {
            victim.fail(words::out_of_threads(&victim, self.config.max_spares));
        } else if short && !self.queue.is_empty() && !weakened("wait") {
            self.start_spare();
        } else if quiet {
            self.finish_stop(0);
        }
    }

    pub(crate) fn unblock(&self, wait: &Arc<Wait>) {
        let mut threads = self.threads();
        remove(&mut threads.waits, wait);
        self.publish(&threads);
        drop(threads);
        self.send_surplus_home();
    }

    /// A thread of the pool goes into a call that blocks.
    pub(crate) fn begin_blocking(&self) {
        let mut threads = self.threads();
        threads.blocking += 1;
        self.publish(&threads);
        self.attention.look_again(&mut threads.looks);
        drop(threads);
        if self.attention.is_short() && !self.queue.is_empty() && !weakened("blocking") {
            self.start_spare();
        }
    }

    pub(crate) fn end_blocking(&self) {
        let mut threads = self.threads();
        threads.blocking -= 1;
        self.publish(&threads);
        drop(threads);
        self.send_surplus_home();
    }

    /// Wakes a sleeper that has become one too many, so that it goes.
    fn send_surplus_home(&self) {
        if self.attention.has_surplus() {
            self.wake_one();
        }
    }
}

/// Calls `f`, which blocks for another reason than a result of ours (a lock, a socket), and lets a
/// spare worker stand in meanwhile. Outside of a pool's work it just calls `f`.
///
/// ```
/// let pool = asynckit::Pool::new(1);
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let waits = pool.spawn(move || asynckit::blocking(|| receiver.recv()));
/// let sends = pool.spawn(move || sender.send(7));
/// assert_eq!(waits.get()?, Ok(7));
/// assert!(sends.get()?.is_ok());
/// # Ok::<(), asynckit::Error>(())
/// ```
pub fn blocking<R>(f: impl FnOnce() -> R) -> R {
    struct End(Arc<Shared>);
    impl Drop for End {
        fn drop(&mut self) {
            self.0.end_blocking();
        }
    }
    let begin = |pool: Arc<Shared>| {
        pool.begin_blocking();
        End(pool)
    };
    let _end = context::pool().map(|pool| {
        core::drain();
        (context::lender(&pool).map(begin), begin(pool))
    });
    f()
}
