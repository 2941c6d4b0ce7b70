//! Stopping a pool, and running it dry.

use std::fmt;
use std::time::Duration;

use crate::pool::handle::Pool;
use crate::pool::{context, help};
use crate::sync::{Deadline, thread};

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
