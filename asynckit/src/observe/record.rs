//! A task that somebody looks on to: its number, who is told, and what they were told last.
//!
//! A [`Record`] comes with each such task, and does not keep those who are told: to count them for each task would
//! have all threads meet at that count. Who has news of a task knows them otherwise, and tells by a [`Told`]: they
//! are kept by its pool, which is there as long as the task is open. Who gives a task up asks for them first
//! ([`Onlookers::of`]), as its pool may be gone once he has.
//!
//! *Named race, "the early bird":* a thread that waits for a task may run it as soon as it is ready, while the one that
//! has made it ready is about to tell so. Each has a word of its own: who begins the task waits until the other has
//! told, so that `ready` comes before `started`. It does not wait for ever, as an observer may do what it must not.

use std::time::Duration;

use super::clock::{Nanos, When};
use super::events::{Ending, TaskKind};
use super::ids::{Need, PoolId, TaskId};
use super::onlookers::{Among, Listeners, Moment, Onlookers, tell};
use crate::error::{Error, Hop};
use crate::sync::{Arc, AtomicU8, AtomicU64, Ordering, yield_now};

/// What those who look on have to know of a task.
///
/// As small as it can be: it comes with each task that is seen, and each line of memory that a task takes more is one
/// more that goes from thread to thread.
pub(crate) struct Record {
    pub(crate) id: TaskId,
    /// Whose onlookers are told, and which of them.
    pub(crate) pool: PoolId,
    among: Among,
    /// What was told of its being ready: a word of who has made it so.
    ready: AtomicU8,
    /// Whether it runs: a word of who does that.
    run: AtomicU8,
    /// When it was submitted, begun, or left its thread last, by its pool's clock.
    last: AtomicU64,
}

/// It waits for something, or nothing was told yet.
const WAITS: u8 = 0;
/// Somebody tells that it is ready.
const TELLS: u8 = 1;
const TOLD: u8 = 2;
/// Nobody has to tell.
const FOLLOWS: u8 = 3;

/// It has not begun.
const NEW: u8 = 0;
const RUNS: u8 = 1;
/// It has run before.
const LEFT: u8 = 2;

/// So often a thread looks whether another has told what it was about to.
const PATIENCE: usize = 10_000;

/// A task that somebody looks on to, and who is told.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    record: &'a Record,
    by: &'a Onlookers,
}

impl Record {
    /// Of a task that is to be told to these.
    #[inline]
    pub(crate) fn new(by: &Onlookers, among: Among) -> Record {
        let (ready, run, last) = (AtomicU8::new(WAITS), AtomicU8::new(NEW), AtomicU64::new(0));
        Record { id: TaskId::next(), pool: by.pool(), among, ready, run, last }
    }

    /// By those of its pool.
    #[inline]
    pub(crate) fn told<'a>(&'a self, by: &'a Onlookers) -> Told<'a> {
        debug_assert!(by.pool() == self.pool, "a task is told to the onlookers of another pool");
        Told { record: self, by }
    }

    /// Whether whoever is told of the other one is told of this.
    #[inline]
    pub(crate) fn is_told_to_all_of(&self, other: &Record) -> bool {
        self.pool == other.pool && self.among.newest() >= other.among.newest()
    }

    /// Likewise, and who they are.
    pub(crate) fn of(by: Listeners) -> (Record, Arc<Onlookers>) {
        (Record::new(&by.onlookers, by.among), by.onlookers)
    }

    /// Whether any of its pool's onlookers is told; not only who looks on to everything.
    pub(crate) fn is_told_to_any(&self) -> bool {
        self.among.newest() > 0
    }

    /// Who is told, of those of its pool.
    pub(crate) fn listeners(&self, onlookers: Arc<Onlookers>) -> Listeners {
        Listeners { onlookers, among: self.among }
    }

    /// Since when it runs.
    pub(crate) fn since(&self) -> Option<Duration> {
        self.runs().then(|| Duration::from_nanos(self.last.load(Ordering::Relaxed)))
    }

    /// That it is ready follows from what those who look on are told of its needs, and they can do without. It is about
    /// to be tied.
    pub(crate) fn ready_follows(&self) {
        // ORDERING: Relaxed: nobody else knows of the task yet.
        self.ready.store(FOLLOWS, Ordering::Relaxed);
    }

    fn set_last(&self, time: Nanos) {
        // ORDERING: Relaxed: who has to see it comes after another step that publishes, or only looks from outside.
        self.last.store(time, Ordering::Relaxed);
    }

    /// Whether this call is the one to tell that it is ready.
    fn begin_ready(&self) -> bool {
        if self.is_told() {
            return false;
        }
        // ORDERING: AcqRel: pairs with itself, with `Told::ready` and with `is_told`: who goes on from a step sees what
        // was told before it.
        let step = |ready: &AtomicU8| {
            ready.compare_exchange(WAITS, TELLS, Ordering::AcqRel, Ordering::Acquire)
        };
        step(&self.ready).is_ok()
    }

    /// Whether that it is ready was told, or has not to be.
    #[inline]
    pub(crate) fn is_told(&self) -> bool {
        matches!(self.ready.load(Ordering::Acquire), TOLD | FOLLOWS)
    }

    /// *The early bird*.
    #[cold]
    #[inline(never)]
    fn wait_for_who_tells(&self) {
        for _ in 0..PATIENCE {
            if self.is_told() {
                return;
            }
            yield_now();
        }
    }

    fn runs(&self) -> bool {
        self.run.load(Ordering::Acquire) == RUNS
    }
}

impl Told<'_> {
    /// What they know of it.
    pub(crate) fn record(&self) -> &Record {
        self.record
    }

    /// Whether none of them needs a `ready` that follows from what they were told.
    #[inline]
    pub(crate) fn infers_ready(&self) -> bool {
        self.by.infer_ready(self.record.among)
    }

    /// It is about to be tied.
    #[inline]
    pub(crate) fn submitted(
        &self,
        hop: Hop,
        kind: TaskKind,
        needs: &[Need],
        (by, part_of): (Option<TaskId>, Option<TaskId>),
    ) {
        let (task, name, at) = (self.record.id, hop.name(), hop.at);
        let moment = self.by.moment_of(When::Now, self.record.among);
        let time = tell!(moment, TaskSubmitted { task, name, at, kind, needs, by, part_of });
        self.record.set_last(time);
    }

    /// A moment at which the thread's clock may have been read a while ago, or shows less than another thread's. What
    /// has happened to the task on another thread comes first all the same.
    #[inline]
    fn moment_at(&self, when: When) -> Moment<'_> {
        let mut moment = self.by.moment_of(when, self.record.among);
        moment.time = moment.time.max(self.record.last.load(Ordering::Relaxed));
        moment
    }

    /// It is about to be queued, or run.
    pub(crate) fn ready(&self) {
        self.ready_at(When::Soon);
    }

    /// Likewise, as soon as it was submitted.
    pub(crate) fn ready_at_once(&self) {
        self.ready_at(When::Then);
    }

    fn ready_at(&self, when: When) {
        if self.record.begin_ready() {
            tell!(self.moment_at(when), TaskReady { task: self.record.id });
            // Unless somebody did not wait for that, and the task has left its thread since.
            // ORDERING: as in `begin_ready`.
            let _ = self.record.ready.compare_exchange(
                TELLS,
                TOLD,
                Ordering::Release,
                Ordering::Relaxed,
            );
        }
    }

    /// It is run next, on this thread; `then`: when what was told last on it has happened.
    pub(crate) fn begins(&self, then: bool) {
        if !self.record.is_told() {
            self.record.wait_for_who_tells();
            // Nobody else does, or he does not come to an end with it.
            self.ready();
        }
        let moment = self.moment_at(if then { When::Then } else { When::Now });
        let time = match self.record.run.load(Ordering::Acquire) {
            NEW => tell!(moment, TaskStarted { task: self.record.id }),
            _ => tell!(moment, TaskResumed { task: self.record.id }),
        };
        self.record.set_last(time);
        self.record.run.store(RUNS, Ordering::Release);
    }

    /// It has left its thread, to go on later.
    pub(crate) fn waits(&self, on: &[Need]) {
        if self.record.runs() {
            let time = tell!(self.moment_at(When::Now), TaskSuspended { task: self.record.id, on });
            self.record.set_last(time);
            // Whoever would have told that it was ready may not have come to that yet.
            if self.record.ready.load(Ordering::Relaxed) != FOLLOWS {
                // ORDERING: Relaxed: nobody can make it ready before the step that publishes its wait, which comes next.
                self.record.ready.store(WAITS, Ordering::Relaxed);
            }
            self.record.run.store(LEFT, Ordering::Release);
        }
    }

    /// It has run to its end.
    pub(crate) fn ends(&self, error: Option<&Error>, late: bool) {
        self.ended(match error {
            _ if late => Ending::Late,
            None => Ending::Value,
            Some(error) => Ending::Failed(error),
        });
    }

    #[inline]
    fn ended(&self, how: Ending<'_>) {
        tell!(
            self.moment_at(When::Now),
            TaskEnded { task: self.record.id, how, ran: self.record.runs() }
        );
    }

    /// Its result was set so while somebody runs it.
    pub(crate) fn cut(&self, error: &Error) {
        tell!(self.moment_at(When::Now), TaskCancelled { task: self.record.id, error });
    }

    /// It will not run, or go on.
    pub(crate) fn lost(&self, error: Option<&Error>) {
        // It may be in the hand of somebody who is about to queue it, and then tells nobody any more.
        if !self.record.runs() && !self.record.begin_ready() {
            self.record.wait_for_who_tells();
        }
        self.ended(match error {
            None => Ending::Late,
            Some(error) if self.record.runs() => Ending::Failed(error),
            Some(error) => Ending::Skipped(error),
        });
    }
}
