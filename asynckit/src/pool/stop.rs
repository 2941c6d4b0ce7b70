//! Stopping a pool, running it dry, and telling it to end: what still runs may take so long for it then.

use std::fmt;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::pool::handle::Pool;
use crate::pool::shared::Shared;
use crate::pool::{context, help, words};
use crate::sync::{Arc, Deadline, thread};
use crate::terms::Timers;

impl Pool {
    /// Takes no more work from outside, finishes what was accepted, and joins the workers.
    ///
    /// Work under way may submit more until the pool is idle. When nothing is queued or running any
    /// more, what still waits for an input fails as [`Stopped`](crate::ErrorKind::Stopped), and so
    /// does a wait inside running work that nothing in the pool will end. Work that is submitted
    /// afterwards fails so at once. On a worker of the pool `stop` returns without waiting; anywhere else
    /// it waits, whoever has stopped the pool before, unless that is [to end](Pool::end_within) within a time.
    ///
    /// ```
    /// use asynckit::{ErrorKind, Pool, current, work};
    ///
    /// let pool = Pool::new(2);
    /// let first = pool.spawn(|| work(|| 1).spawn_on(&current()));
    /// pool.stop();
    /// assert_eq!(first.get()?.get()?, 1); // what it has submitted was done, too
    /// assert_eq!(pool.spawn(|| 2).get().unwrap_err().kind(), ErrorKind::Stopped);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn stop(&self) {
        let shared = self.shared();
        shared.begin_stop();
        if shared.is_served_here() {
            return;
        }
        self.drive_to_close(None);
        if self.join() {
            shared.tell_stopped(true);
        } else {
            let still = self.still_running();
            if !still.work.is_empty() {
                eprintln!("asynckit: {still}");
            }
        }
    }

    /// As [`stop`](Pool::stop), but at the deadline what has not begun fails as
    /// [`Stopped`](crate::ErrorKind::Stopped). May be repeated, to wait for what still ran; dropping the
    /// pool does not wait for that.
    ///
    /// # Errors
    ///
    /// When work still runs at the deadline: the error names it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::{Pool, is_cancelled, work};
    ///
    /// let pool = Pool::new(1);
    /// let endless = work(|| while !is_cancelled() { std::thread::yield_now() }).spawn_on(&pool);
    /// if let Err(still) = pool.stop_timeout(Duration::from_millis(20)) {
    ///     eprintln!("{still}"); // names the work and the place of its call
    /// }
    /// endless.cancel();
    /// pool.stop_timeout(Duration::from_secs(60)).expect("it has seen that nobody wants it");
    /// ```
    pub fn stop_timeout(&self, limit: Duration) -> Result<(), StillRunning> {
        let shared = self.shared();
        let deadline = Deadline::after(limit);
        shared.begin_stop();
        if shared.is_served_here() {
            return Err(self.still_running());
        }
        if !self.drive_to_close(Some(deadline)) {
            shared.close();
        }
        if self.join_until(deadline) {
            return Ok(());
        }
        shared.threads().left_behind = true;
        Err(self.still_running())
    }

    /// Fails what has not begun as [`Stopped`](crate::ErrorKind::Stopped) and waits for nothing:
    /// work that runs comes to its end by itself.
    ///
    /// ```
    /// use asynckit::{AsyncResult, ErrorKind, Pool};
    ///
    /// let pool = Pool::new(1);
    /// let never = AsyncResult::<u8>::new();
    /// let waits = never.clone().map(|n| n + 1).spawn_on(&pool);
    /// pool.stop_now();
    /// assert_eq!(waits.get().unwrap_err().kind(), ErrorKind::Stopped);
    /// ```
    pub fn stop_now(&self) {
        self.shared().close();
    }

    /// Waits until nothing is queued or running; on a pool without workers it runs the work
    /// itself. Work that waits for an input may be left. Inside the pool's own work it returns at
    /// once.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(0);
    /// let answer = pool.spawn(|| 42);
    /// assert!(!answer.is_set());
    /// pool.run_until_idle();
    /// assert!(answer.is_set());
    /// ```
    pub fn run_until_idle(&self) {
        let shared = self.shared();
        if context::works_for(shared) {
            return;
        }
        while !shared.is_idle() && !shared.is_out_of_time() {
            if shared.is_helped_here() {
                help::help_until_rest(shared);
            } else {
                shared.wait_for_rest();
            }
        }
    }

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

    /// Waits until the pool is closed, and does its work where it has no workers; false at the
    /// deadline.
    fn drive_to_close(&self, deadline: Option<Deadline>) -> bool {
        let shared = self.shared();
        // If all threads sleep already, nobody else will notice.
        shared.finish_stop(0);
        // Sleepers look once more, so that the last of them sees the stop.
        shared.wake_all();
        loop {
            // Until the pool is closed, or has lost its workers.
            if !shared.wait_closed(deadline) {
                return false;
            }
            if shared.is_closed() {
                return true;
            }
            let _member = help::Helping::begin(shared);
            while !shared.is_closed() && shared.is_helped_here() {
                if deadline.is_some_and(|deadline| deadline.is_over()) {
                    return false;
                }
                if !shared.go_on_for_sleepers() {
                    help::help_once(shared, deadline, &|| shared.is_closed());
                }
            }
        }
    }

    /// Waits until nobody does the pool's work any more; false where it is to end, and the time for that is over.
    fn join(&self) -> bool {
        let shared = self.shared();
        if !shared.wait_for_rest() {
            shared.threads().left_behind = true;
            return false;
        }
        let mut threads = shared.threads();
        let handles = std::mem::take(&mut threads.handles);
        threads.joining += 1;
        drop(threads);
        for handle in handles {
            // A worker catches the panics of what it runs.
            let _ = handle.join();
        }
        shared.end_joining();
        true
    }

    /// Joins the workers that come to their end before the deadline; whether all did.
    fn join_until(&self, deadline: Deadline) -> bool {
        loop {
            let threads = self.shared().threads();
            let running = !threads.has_ended() || threads.handles.iter().any(|h| !h.is_finished());
            drop(threads);
            // Threads that waited for the pool's work may have come to do some of it.
            if !running && self.still_running().work.is_empty() {
                self.join();
                self.shared().tell_stopped(true);
                return true;
            }
            let left = deadline.left();
            if left.is_zero() || self.shared().is_out_of_time() {
                return false;
            }
            thread::sleep(left.min(Duration::from_millis(1)));
        }
    }

    fn still_running(&self) -> StillRunning {
        let shared = self.shared();
        let tasks = shared.stacks.tasks();
        let running = tasks.iter().filter(|task| shared.has(task));
        StillRunning { work: running.map(|task| task.hop.to_string()).collect() }
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
        // Who waits for its threads is told of the close, and sees that he waits no longer than that.
        self.close_and(|| _ = Timers::system().after(grace, Box::new(out_of_time)));
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

impl Drop for Pool {
    /// [`stop`](Pool::stop); while panicking, and after a [`stop_timeout`](Pool::stop_timeout) that has
    /// said what still runs, [`stop_now`](Pool::stop_now).
    fn drop(&mut self) {
        if thread::panicking() || self.shared().threads().left_behind {
            self.stop_now();
        } else {
            self.stop();
        }
        self.shared().tell_stopped(true);
    }
}

/// What [`Pool::stop_timeout`] could not wait for.
///
/// ```
/// use std::time::Duration;
///
/// let pool = asynckit::Pool::new(1);
/// pool.stop_timeout(Duration::from_secs(60)).expect("nothing runs");
/// ```
#[derive(Debug, Clone)]
pub struct StillRunning {
    work: Vec<String>,
}

impl StillRunning {
    /// The work that still runs: each a name and the place of its call.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    /// use asynckit::Pool;
    ///
    /// let pool = Pool::new(1);
    /// let ((go, gate), (began, begun)) = (mpsc::channel::<()>(), mpsc::channel());
    /// let waits = pool.spawn(move || {
    ///     began.send(()).unwrap();
    ///     gate.recv().is_ok()
    /// });
    /// begun.recv().unwrap();
    /// let still = pool.stop_timeout(Duration::ZERO).unwrap_err();
    /// assert!(still.work().next().unwrap().starts_with("closure ("));
    /// go.send(()).unwrap();
    /// assert!(waits.get()?);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn work(&self) -> impl Iterator<Item = &str> {
        self.work.iter().map(String::as_str)
    }
}

impl fmt::Display for StillRunning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.work.as_slice() {
            [] => f.write_str("the pool's threads are still coming to their end"),
            work => write!(f, "still running: {}", work.join(", ")),
        }
    }
}

impl std::error::Error for StillRunning {}
