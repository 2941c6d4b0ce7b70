//! The end of a program: a pool is told to end, and what still runs may take so long for it.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::pool::handle::Pool;
use crate::pool::shared::Shared;
use crate::pool::words;
use crate::sync::{Arc, Deadline};
use crate::terms::Timers;

impl Pool {
    /// Tells the pool to end, and returns at once: what has not begun is cancelled, and what runs has so long to
    /// come to its end.
    ///
    /// What runs on a thread is not interrupted, but sees that [`is_cancelled`](crate::is_cancelled), and its
    /// value counts if it comes in time. All else fails as [`Cancelled`](crate::ErrorKind::Cancelled) at once: what
    /// is queued, what waits for an input, a turn or a moment, and what is submitted from now on. When the time
    /// is over, what still runs fails as `Cancelled`, too, and so does each wait inside of it: who waits for
    /// it from outside goes on.
    ///
    /// From then on nobody waits for the pool's threads any more. [`stop`](Pool::stop), a drop of the pool and
    /// [`run_until_idle`](Pool::run_until_idle) return when that time is over, at the latest; the first two
    /// name on standard error what still runs. [`stop_timeout`](Pool::stop_timeout) hands that out instead.
    ///
    /// Two things can't be left before they are over: a [`scope`](Pool::scope) whose work runs, as that may borrow, and
    /// work that the calling thread does itself, as it does on a pool without workers. It has to ask
    /// [`is_cancelled`](crate::is_cancelled).
    ///
    /// Of several calls the first one counts.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::{ErrorKind, Pool, is_cancelled};
    ///
    /// let pool = Pool::new(1);
    /// let (begun, begins) = std::sync::mpsc::channel();
    /// let sum = pool.spawn(move || {
    ///     begun.send(()).unwrap();
    ///     (0u64..).take_while(|_| !is_cancelled()).count() // goes on until it is told
    /// });
    /// begins.recv().unwrap();
    /// let queued = pool.spawn(|| 1);
    /// pool.end_within(Duration::from_secs(60));
    /// assert_eq!(queued.get().unwrap_err().kind(), ErrorKind::Cancelled);
    /// assert!(sum.get().is_ok()); // it came in time
    /// ```
    pub fn end_within(&self, grace: Duration) {
        self.shared().begin_end(grace);
    }
}

impl Shared {
    /// The pool is to end, within this time.
    pub(super) fn begin_end(&self, grace: Duration) {
        if self.ending.set(Deadline::after(grace)).is_err() {
            return;
        }
        let pool = Arc::downgrade(&self.arc());
        let out_of_time = move || {
            if let Some(pool) = pool.upgrade() {
                pool.give_up_running();
            }
        };
        // No sooner: what ends because its time is over must not make room for what is about to be cancelled.
        self.close_and(|| _ = Timers::system().after(grace, Box::new(out_of_time)));
        // Who waits for its threads waits no longer than that.
        self.threads().tell_resters();
    }

    /// What still runs comes too late: who waits for it is to go on.
    fn give_up_running(&self) {
        for task in self.stacks.tasks().iter().filter(|task| self.has(task)) {
            let words = "was cancelled: it still ran when the time for its pool to end was over";
            task.give_up(Error::outside(ErrorKind::Cancelled, task.hop, words));
        }
        let hopeless = self.threads().hopeless();
        for wait in hopeless {
            wait.fail(Error::ended(words::waiter(&wait)));
        }
        self.threads().tell_resters();
    }
}
