//! The way of a pool to its end: open, stopping, closed.

use std::time::Duration;

use crate::core::{self, Deferred, fence};
use crate::pool::shared::Shared;
use crate::pool::threads::{Threads, remove_once};
use crate::pool::{words, worker};
use crate::sync::{Deadline, MutexGuard, Parker, weakened, yield_now};

impl Shared {
    /// No more from outside.
    pub(crate) fn begin_stop(&self) {
        // Under the lock, as whoever looks whether the pool is quiet has that.
        let threads = self.threads();
        self.phase.begin_stop();
        drop(threads);
        self.queue.wake_blocked();
    }

    /// The pool is quiet and is to stop (see `is_quiet` for `besides`): what still waits can't be
    /// helped any more. When nothing does, the pool is closed.
    pub(crate) fn finish_stop(&self, besides: usize) {
        let patience = Deadline::after(PATIENCE);
        loop {
            if !self.is_quiet(besides) {
                return;
            }
            // Before the look at the queue: who had a task of ours in hand has queued it when that ends.
            let (counted, news) = (self.is_counted(), self.has_news());
            if !self.is_quiet(besides) {
                return;
            }
            // What has its input was accepted to run: its queueing is a matter of moments.
            if news && !patience.is_over() && !weakened("news") {
                yield_now();
                continue;
            }
            let closing = Closing::begin(self, self.threads());
            let any = self.fail_waiting();
            drop(closing);
            if any {
                continue;
            }
            match (counted, self.is_counted()) {
                (false, _) => {}
                (true, false) if !weakened("counted in between") => continue,
                (true, false) => {}
                // Somebody has a task of ours in hand, or is about to visit one, and says when it is queued.
                (true, true) if !weakened("counted") => {
                    // It may have been interrupted just now: who comes back here at once must not keep it from going on.
                    if !weakened("gives way") {
                        yield_now();
                    }
                    return;
                }
                (true, true) => {}
            }
            let hopeless = self.threads().hopeless();
            if hopeless.is_empty() {
                return self.close();
            }
            if self.is_ending() {
                // They have their time: what they wait for may be under way elsewhere (`stop.rs`).
                return;
            }
            // The work goes on with an error, and its worker comes back here when it is done.
            for wait in hopeless {
                wait.fail(words::stopped(&wait));
            }
            return;
        }
    }

    /// Nothing begins any more; what has not begun fails.
    pub(crate) fn close(&self) {
        self.close_and(|| {});
    }

    /// As `close`, and does this between the two: when nothing begins any more, and before code of the program's runs
    /// because of what fails.
    pub(crate) fn close_and(&self, once_closed: impl FnOnce()) {
        let threads = self.threads();
        self.phase.close();
        let _closing = Closing::begin(self, threads);
        once_closed();
        self.threads().tell_resters();
        self.queue.wake_blocked();
        self.fail_queued();
        self.fail_waiting();
        self.fail_dependents_of_running();
        self.wake_all();
    }

    /// Fails all that is queued, once the pool is closed: see "the late submission" in `phase.rs`.
    pub(crate) fn fail_queued(&self) {
        if !weakened("close") {
            fence::heavy();
        }
        while let Some(entry) = self.take_any() {
            worker::stop_entry(self, entry);
        }
        while let Some(rest) = self.queue.take_rest() {
            drop(rest);
        }
    }

    /// Waits until the pool is closed, or this thread has to do its work; false at the deadline.
    pub(crate) fn wait_closed(&self, deadline: Option<Deadline>) -> bool {
        self.wait_until(|| deadline, |threads| self.is_closed() || self.is_helped(threads))
    }

    /// Waits until the last thread goes to sleep; false where the pool is to end, and the time for that is over.
    pub(crate) fn wait_for_rest(&self) -> bool {
        self.wait_until(|| self.ending.get().copied(), Threads::at_rest)
    }

    /// The caller has joined threads of a closed pool: waits for those that others join, or that are a
    /// host's, and for whoever helps.
    pub(crate) fn end_joining(&self) {
        let mut threads = self.threads();
        threads.joining -= 1;
        threads.tell_resters();
        drop(threads);
        self.wait_until(|| self.ending.get().copied(), Threads::has_ended);
    }
}

/// A thread fails what has not begun, for a stop: no other one returns before what that has led to here is done.
struct Closing<'a>(&'a Shared);

impl<'a> Closing<'a> {
    fn begin(pool: &'a Shared, mut threads: MutexGuard<'_, Threads>) -> Closing<'a> {
        threads.closers.push(Parker::current());
        Closing(pool)
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let (pool, here) = (self.0.arc(), Parker::current());
        core::after_all(Deferred::of_closure(move || {
            pool.tell_stopped(false);
            let mut threads = pool.threads();
            remove_once(&mut threads.closers, &here);
            threads.tell_resters();
            drop(threads);
            pool.drop_hook();
        }));
    }
}

/// How long a stop waits for those who have set a result to say so to what waits for it. They need no more
/// than to be on a processor; but one of them may have called the stop.
const PATIENCE: Duration = Duration::from_millis(500);
