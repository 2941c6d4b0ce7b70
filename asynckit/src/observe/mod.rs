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
//! - `ready` comes on the thread that has brought the last input, before the task is queued. Where it follows from
//!   `ended` of what the task needs, and all who look on can do without it
//!   ([`infers_ready`](Observer::infers_ready)), it may be left out before the first begin.
//! - `cancelled` comes once at most, on whichever thread sets the result, and may cross with `ended`.
//! - `stands_in_line` comes where there is no room for work under a limit, on the thread that has brought the last input, or
//!   that runs the work in place. One of two follows, of the same task and limit: `got_permit`, or `left_line` where it leaves
//!   the line without one. Where there is room at once, `got_permit` comes alone.
//! - `got_permit` comes before the work's own `submitted` (`part_of`), on the thread that has brought the last input, or on the
//!   one that has given a permit back; of work that is run in place on its thread. `gave_permit` comes when the work is
//!   really over, on whatever thread that is.
//! - `left_line` comes on the thread that gives the place up: by a cancel, a limit of time, a stop or a failed wait. Of a task
//!   that never began it comes right after its `ended`; of work that is run in place, before that returns.
//! - Work that waits under a limit that [lends](crate::Limit::lending) has `gave_permit` when it begins to wait, and before it
//!   goes on `got_permit` again, after `stands_in_line` where there was no room; all of them of the same task. While its thread
//!   stands there it may begin other work. Where that waits in turn, the work below can't go on before it: so it has `left_line`
//!   then, and stands in line again afterwards. One whose wait fails in line has `left_line`, and goes on without.
//! - `wait_begun` and `wait_ended` come on the thread that waits, nested. A result that is there at once, or whose
//!   work the thread can begin itself at once, is not waited for.
//! - `attempt` comes on the thread that begins the try.
//! - `note` comes on the thread whose code says it, between `started` and `ended` of the task that it is of. What a library keeps
//!   or has kept of a call's value is noted so as well.
//! - `ran_elsewhere` comes once at most, before `ended` of the same task, on the thread that has learnt of it. Its `began` and
//!   `ended` are times of the run itself, which may have been over a while before.
//! - `callback_registered`, then `callback_begun` and `callback_ended` on the thread that calls it; only the latter
//!   where it never is.
//! - `worker_busy` and `worker_idle` take turns on each thread that works for the pool.
//! - What gathers results is told to those who look on to the pool of one of them, as long as that pool is there.
//! - `callback_registered` comes on the thread that registers it; `pool_sized` on the one that makes or changes the pool, or has
//!   the observer look on; `pool_stopped` on the one that stops or drops the pool, or on the last of its threads.
//! - `pool_sized` comes first of all to each observer, `pool_stopped` once: before [`Pool::stop`](crate::Pool::stop)
//!   returns to who has stopped the pool, and before its drop is over.
//!
//! Events of different threads have no other order, and may come at the same time: an observer is shared.
//!
//! # How it ends
//!
//! An observer is told until its pool is gone, or until it [is over](Observer::is_over): who has seen enough says so. Then it
//! costs the tasks nothing any more, and a pool to which nobody else looks on does its work as if nobody ever had. The pool
//! keeps the observer itself to its own end, so it should let go of what it has gathered.
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
//! ([`Clock`]). They are kept as nanoseconds in 64 bits: a virtual time of more than 584 years is told as the last of these.
//!
//! What happens on one thread with no code of the program's in between may have one time: a task is ready when the last
//! of its inputs ended, and the one that a worker goes on with at once has begun then.
//!
//! With the feature `fast-clock` the clock of the process is the processor's counter, where it says that it has one that
//! is steady: to read it takes less than half the time. Its pace is measured when it is first asked for, which takes
//! some milliseconds, and may be off by some parts in a hundred thousand. Of one task times never go back; those of two
//! threads may be apart by some 100 ns. A machine that was asleep meanwhile may have stopped the counter, or have let it
//! run on: what was under way then has no good times.

mod clock;
mod contexts;
mod counts;
mod events;
mod ids;
mod in_place;
mod list;
mod observer;
mod onlookers;
mod record;
mod shelves;
mod snapshot;

pub(crate) use clock::OneMoment;
pub use clock::now;
pub use contexts::Context;
pub(crate) use contexts::{Capture, Contexts};
pub(crate) use counts::Counts;
pub use events::{
    AttemptBegun, CallbackBegun, CallbackEnded, CallbackRegistered, Clock, Ending, LineJoined,
    LineLeft, Noted, PermitGiven, PermitTaken, PoolSized, PoolStopped, RanElsewhere, TaskCancelled,
    TaskEnded, TaskKind, TaskReady, TaskResumed, TaskStarted, TaskSubmitted, TaskSuspended,
    WaitBegun, WaitEnded, WorkerBusy, WorkerIdle,
};
pub(crate) use ids::LimitFacts;
pub use ids::{CallbackId, LimitId, Need, PoolId, Row, RowId, RowKind, TaskId};
pub(crate) use in_place::InPlace;
pub(crate) use list::Onlooker;
pub use observer::Observer;
pub(crate) use onlookers::{Everywhere, Listeners, Moment, Onlookers, tell};
pub(crate) use record::{Record, Told};
#[cfg(feature = "tracing")]
pub(crate) use shelves::Shelves;
pub use snapshot::{
    CallSite, FunctionCounts, LimitUse, PoolPhase, Queued, Root, RunTime, Running, RunningCallback,
    Snapshot, Suspended, Waiting, Way, WayEnd,
};
