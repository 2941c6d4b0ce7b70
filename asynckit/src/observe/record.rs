//! A task that somebody looks on to: its number, who is told, and what they were told last.
//!
//! *Named race, "the early bird":* a thread that waits for a task may run it as soon as it is ready, while the one that
//! has made it ready is about to tell so. One of them tells, and the other waits until that is done: so `ready` comes
//! before `started`. It does not wait for ever, as an observer may do what it must not.

use std::time::Duration;

use super::events::{Ending, TaskKind};
use super::ids::{Need, TaskId};
use super::onlookers::Listeners;
use super::told::Told;
use crate::error::{Error, Hop};
use crate::sync::{AtomicU8, AtomicU64, Ordering, yield_now};

/// What those who look on have to know of a task.
pub(crate) struct Record {
    pub(crate) id: TaskId,
    pub(crate) by: Listeners,
    state: AtomicU8,
    /// When its run began, in nanoseconds of its pool's clock; zero where it does not run.
    since: AtomicU64,
}

/// It waits for something.
const WAITS: u8 = 0;
/// Somebody tells that it is ready.
const TELLS: u8 = 1;
const READY: u8 = 2;
const RUNS: u8 = 3;
const STATE: u8 = 3;
/// It has run before.
const BEGUN: u8 = 4;

/// So often a thread looks whether another has told what it was about to.
const PATIENCE: usize = 10_000;

impl Record {
    pub(crate) fn new(by: Listeners) -> Record {
        let (state, since) = (AtomicU8::new(WAITS), AtomicU64::new(0));
        Record { id: TaskId::next(), by, state, since }
    }

    fn tell(&self, told: &Told<'_>) -> Duration {
        self.by.tell(told)
    }

    /// It is about to be tied.
    pub(crate) fn submitted(
        &self,
        hop: Hop,
        kind: TaskKind,
        needs: &[Need],
        (by, part_of): (Option<TaskId>, Option<TaskId>),
    ) {
        self.tell(&Told::Submitted { task: self.id, hop, kind, needs, by, part_of });
    }

    /// Whether this call is the one to tell that it is ready.
    fn begin_ready(&self) -> bool {
        // ORDERING: AcqRel, here and below: who goes on from a step sees what was told before it.
        let step = |old: u8| (old & STATE == WAITS).then_some((old & BEGUN) | TELLS);
        self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, step).is_ok()
    }

    /// It is about to be queued.
    pub(crate) fn ready(&self) {
        if self.begin_ready() {
            self.tell(&Told::Ready(self.id));
            // Unless somebody did not wait for that.
            let step = |old: u8| (old & STATE == TELLS).then_some((old & BEGUN) | READY);
            let _ = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, step);
        }
    }

    /// Somebody may be about to tell that it is ready.
    fn wait_for_who_tells(&self) {
        let is_told = || self.state.load(Ordering::Acquire) & STATE != TELLS;
        for _ in 0..PATIENCE {
            if is_told() {
                break;
            }
            yield_now();
        }
    }

    /// It is run next, on this thread.
    pub(crate) fn begins(&self) {
        self.ready();
        self.wait_for_who_tells();
        let before = self.state.swap(RUNS | BEGUN, Ordering::AcqRel);
        let begins = before & BEGUN == 0;
        let time = self.tell(&if begins { Told::Started(self.id) } else { Told::Resumed(self.id) });
        // ORDERING: Relaxed, here and below: only for a look from outside.
        self.since.store(time.as_nanos() as u64 | 1, Ordering::Relaxed);
    }

    /// Since when it runs.
    pub(crate) fn since(&self) -> Option<Duration> {
        let since = self.since.load(Ordering::Relaxed);
        (since != 0).then(|| Duration::from_nanos(since))
    }

    /// It has left its thread, to go on later.
    pub(crate) fn waits(&self, on: &[Need]) {
        if self.runs() {
            self.tell(&Told::Suspended(self.id, on));
            self.since.store(0, Ordering::Relaxed);
            self.state.store(WAITS | BEGUN, Ordering::Release);
        }
    }

    fn runs(&self) -> bool {
        self.state.load(Ordering::Acquire) & STATE == RUNS
    }

    /// It has run to its end.
    pub(crate) fn ends(&self, error: Option<&Error>, late: bool) {
        let how = match error {
            _ if late => Ending::Late,
            None => Ending::Value,
            Some(error) => Ending::Failed(error),
        };
        self.tell(&Told::Ended { task: self.id, how, ran: self.runs() });
    }

    /// Its result was set so while somebody runs it.
    pub(crate) fn cut(&self, error: &Error) {
        self.tell(&Told::Cancelled(self.id, error));
    }

    /// It will not run, or go on.
    pub(crate) fn lost(&self, error: Option<&Error>) {
        let ran = self.runs();
        // It may be in the hand of somebody who is about to queue it, and then tells nobody any more.
        if !ran && !self.begin_ready() {
            self.wait_for_who_tells();
        }
        let how = match error {
            None => Ending::Late,
            Some(error) if ran => Ending::Failed(error),
            Some(error) => Ending::Skipped(error),
        };
        self.tell(&Told::Ended { task: self.id, how, ran });
    }
}
