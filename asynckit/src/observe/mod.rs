//! Looking on: what a pool tells of its work while it does it.
//!
//! An [`Observer`] has one method for each kind of event, and all of them do nothing unless said. A pool gets one
//! by [`PoolBuilder::observer`](crate::PoolBuilder::observer), or later by
//! [`Pool::observe`](crate::Pool::observe): then it sees what is submitted from then on. Several may look on.
//! Where nobody does, a task costs what it costs without all of this.
//!
//! ```
//! use std::sync::atomic::{AtomicUsize, Ordering};
//! use std::sync::Arc;
//! use asynckit::observe::{Ending, Observer, TaskEnded};
//! use asynckit::{Pool, Results, async_work};
//!
//! /// Counts what fails.
//! #[derive(Default)]
//! struct Failures(AtomicUsize);
//!
//! impl Observer for Failures {
//!     fn ended(&self, event: &TaskEnded<'_>) {
//!         if matches!(event.how, Ending::Failed(_)) {
//!             self.0.fetch_add(1, Ordering::Relaxed);
//!         }
//!     }
//! }
//!
//! #[async_work]
//! fn parse(text: &'static str) -> Result<u32, std::num::ParseIntError> { text.parse() }
//!
//! let failures = Arc::new(Failures::default());
//! let pool = Pool::builder().workers(2).observer(failures.clone()).build()?;
//! let all = ["1", "x", "3"].into_iter().map(|text| parse(text).spawn_on(&pool)).settle_all();
//! assert_eq!(all.get()?.into_iter().filter(Result::is_ok).count(), 2);
//! assert_eq!(failures.0.load(Ordering::Relaxed), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Order
//!
//! Of one task, as each observer is told:
//!
//! ```text
//! submitted ─▶ ready ─▶ started ─▶ (suspended ─▶ [ready ─▶] resumed)* ─▶ ended
//! ```
//!
//! - `submitted` comes first, once, before anything else knows of the task. `ended` comes last, once, for every task
//!   that was submitted. What is skipped, cancelled or stopped has `ended` without `started`, or after `suspended`;
//!   what only hands on a result ends so as well.
//! - `started` and what follows, up to `suspended` or `ended`, come on the thread that runs the task's code,
//!   nested as the code is: a thread may, inside of a wait, start and end tasks that this wait needs. So a span may
//!   be entered in `started` and `resumed`, and left in `suspended` and `ended`.
//! - `ended` of a task comes before its result can be seen by anybody, so before `ready` of what depends on it, before
//!   a `get` returns, and before the task's callbacks begin. (A result that was set as failed while the code ran
//!   was seen before: `cancelled` tells of that.)
//! - `ready` comes on the thread that has brought the last input, before the task is queued.
//! - `cancelled` comes once at most, on whichever thread sets the result, and may cross with `ended`.
//! - `stands_in_line` comes before `got_permit`, and this before the work's own `submitted` (`part_of`).
//!   `gave_permit` comes when the work is really over, on whatever thread that is.
//! - `wait_begun` and `wait_ended` come on the thread that waits, nested. A result that is there at once, or whose
//!   work the thread can begin itself at once, is not waited for.
//! - `attempt` comes on the thread that begins the try.
//! - `callback_registered`, then `callback_begun` and `callback_ended` on the thread that calls it; only the latter
//!   where it never is.
//! - `worker_busy` and `worker_idle` take turns on each thread that works for the pool.
//! - `pool_sized` comes first of all to each observer, `pool_stopped` once: before [`Pool::stop`](crate::Pool::stop)
//!   returns to who has stopped the pool, and before its drop is over.
//!
//! Events of different threads have no other order, and may come at the same time: an observer is shared.
//!
//! # What an observer must not do
//!
//! It is called in the midst of the pool's work and holds that up: it should note what it sees, and nothing else. No
//! lock of ours is held meanwhile. It must not wait for the pool's work. What it submits to a pool that it
//! looks on to is told to it, too. A panic in it is told to the pool's
//! [`on_unobserved_error`](crate::PoolBuilder::on_unobserved_error) and harms nobody else.
//!
//! # Time
//!
//! The times of a pool's events are those of a clock that never goes back and is the same for all
//! pools of the process ([`now`]); only a [deterministic](crate::Pool::deterministic) pool has its own, which is virtual
//! ([`Clock`]).

mod events;
mod ids;

use std::fmt;
use std::time::{Duration, Instant};

pub use events::{
    AttemptBegun, CallbackBegun, CallbackEnded, CallbackRegistered, Clock, Ending, LineJoined,
    Noted, PermitGiven, PermitTaken, PoolSized, PoolStopped, TaskCancelled, TaskEnded, TaskKind,
    TaskReady, TaskResumed, TaskStarted, TaskSubmitted, TaskSuspended, WaitBegun, WaitEnded,
    WorkerBusy, WorkerIdle,
};
pub use ids::{CallbackId, LimitId, Need, PoolId, Row, RowId, RowKind, TaskId};

use crate::sync::{Arc, OnceLock};

/// Who looks on to the work of pools: see the [module](self).
///
/// Each method is called at its event, on the thread that the event is of.
pub trait Observer: Send + Sync + 'static {
    /// A task was submitted; nothing else knows of it yet.
    fn submitted(&self, _event: &TaskSubmitted<'_>) {}

    /// A task has all that it needs.
    fn ready(&self, _event: &TaskReady<'_>) {}

    /// Work stands in the line of a limit.
    fn stands_in_line(&self, _event: &LineJoined<'_>) {}

    /// Work has got a permit of a limit.
    fn got_permit(&self, _event: &PermitTaken<'_>) {}

    /// A permit has come back to its limit.
    fn gave_permit(&self, _event: &PermitGiven<'_>) {}

    /// A task begins, on this thread.
    fn started(&self, _event: &TaskStarted<'_>) {}

    /// A task's code waits for results, on this thread.
    fn wait_begun(&self, _event: &WaitBegun<'_>) {}

    /// The newest wait of this thread is over.
    fn wait_ended(&self, _event: &WaitEnded<'_>) {}

    /// A task has left this thread, to go on later.
    fn suspended(&self, _event: &TaskSuspended<'_>) {}

    /// A task goes on, on this thread.
    fn resumed(&self, _event: &TaskResumed<'_>) {}

    /// A try of work begins.
    fn attempt(&self, _event: &AttemptBegun<'_>) {}

    /// A task is over.
    fn ended(&self, _event: &TaskEnded<'_>) {}

    /// A task's result was set as failed while its code was under way.
    fn cancelled(&self, _event: &TaskCancelled<'_>) {}

    /// A callback was registered.
    fn callback_registered(&self, _event: &CallbackRegistered<'_>) {}

    /// A callback begins, on this thread.
    fn callback_begun(&self, _event: &CallbackBegun<'_>) {}

    /// A callback is over.
    fn callback_ended(&self, _event: &CallbackEnded<'_>) {}

    /// A worker has nothing to do.
    fn worker_idle(&self, _event: &WorkerIdle<'_>) {}

    /// A worker has something to do.
    fn worker_busy(&self, _event: &WorkerBusy<'_>) {}

    /// How many workers a pool is to have.
    fn pool_sized(&self, _event: &PoolSized<'_>) {}

    /// A pool has stopped.
    fn pool_stopped(&self, _event: &PoolStopped<'_>) {}

    /// Work says something of itself.
    fn note(&self, _event: &Noted<'_>) {}
}

/// The same observer, kept by others as well.
impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn submitted(&self, event: &TaskSubmitted<'_>) {
        (**self).submitted(event);
    }

    fn ready(&self, event: &TaskReady<'_>) {
        (**self).ready(event);
    }

    fn stands_in_line(&self, event: &LineJoined<'_>) {
        (**self).stands_in_line(event);
    }

    fn got_permit(&self, event: &PermitTaken<'_>) {
        (**self).got_permit(event);
    }

    fn gave_permit(&self, event: &PermitGiven<'_>) {
        (**self).gave_permit(event);
    }

    fn started(&self, event: &TaskStarted<'_>) {
        (**self).started(event);
    }

    fn wait_begun(&self, event: &WaitBegun<'_>) {
        (**self).wait_begun(event);
    }

    fn wait_ended(&self, event: &WaitEnded<'_>) {
        (**self).wait_ended(event);
    }

    fn suspended(&self, event: &TaskSuspended<'_>) {
        (**self).suspended(event);
    }

    fn resumed(&self, event: &TaskResumed<'_>) {
        (**self).resumed(event);
    }

    fn attempt(&self, event: &AttemptBegun<'_>) {
        (**self).attempt(event);
    }

    fn ended(&self, event: &TaskEnded<'_>) {
        (**self).ended(event);
    }

    fn cancelled(&self, event: &TaskCancelled<'_>) {
        (**self).cancelled(event);
    }

    fn callback_registered(&self, event: &CallbackRegistered<'_>) {
        (**self).callback_registered(event);
    }

    fn callback_begun(&self, event: &CallbackBegun<'_>) {
        (**self).callback_begun(event);
    }

    fn callback_ended(&self, event: &CallbackEnded<'_>) {
        (**self).callback_ended(event);
    }

    fn worker_idle(&self, event: &WorkerIdle<'_>) {
        (**self).worker_idle(event);
    }

    fn worker_busy(&self, event: &WorkerBusy<'_>) {
        (**self).worker_busy(event);
    }

    fn pool_sized(&self, event: &PoolSized<'_>) {
        (**self).pool_sized(event);
    }

    fn pool_stopped(&self, event: &PoolStopped<'_>) {
        (**self).pool_stopped(event);
    }

    fn note(&self, event: &Noted<'_>) {
        (**self).note(event);
    }
}

/// How late it is by the clock of the process: since a moment before the first event of all.
///
/// ```
/// let earlier = asynckit::observe::now();
/// assert!(asynckit::observe::now() >= earlier);
/// ```
pub fn now() -> Duration {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    BEGIN.get_or_init(Instant::now).elapsed()
}

/// Says something of the work that calls this, to whoever looks on to it
/// ([`Observer::note`]): which file it is at, how many bytes it has read. Where nobody
/// looks on, and outside of work, it does nothing.
///
/// ```
/// use asynckit::{Pool, work};
///
/// let pool = Pool::new(1);
/// let size = work(|| {
///     let page = "a page".to_owned();
///     asynckit::note("bytes", page.len());
///     page.len()
/// });
/// assert_eq!(size.spawn_on(&pool).get()?, 6);
/// # Ok::<(), asynckit::Error>(())
/// ```
pub fn note(key: &str, value: impl fmt::Display) {
    let _ = (key, format_args!("{value}"));
}
