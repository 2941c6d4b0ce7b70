//! The threads of a pool: how many there are and should be, who sleeps, and who waits for what.

use crate::core::TaskRef;
use crate::error::At;
use crate::error::Error;
use crate::observe::Row;
use crate::pool::attention::Looks;
use crate::sync::thread::{JoinHandle, ThreadId};
use crate::sync::{Arc, OnceLock, Ordering, Parker, StaticCounter};
use crate::terms::{Permits, Share};

/// What the pool's lock guards.
#[derive(Default)]
pub(crate) struct Threads {
    /// How many active threads there should be.
    pub(crate) wanted: usize,
    /// How often they go to sleep or block.
    pub(super) looks: Looks,
    /// All threads of the pool, and those from outside that do its work.
    pub(crate) alive: usize,
    pub(super) sleepers: Vec<Arc<Parker>>,
    /// Workers that are one too many and are about to leave, unless they are needed as spares before.
    /// They don't count as alive.
    pub(super) reserve: Vec<Arc<Parker>>,
    /// The waits for results within its work, the newest last.
    pub(super) waits: Vec<Arc<Wait>>,
    /// Those from outside for its work.
    pub(super) outside: Vec<Arc<Wait>>,
    /// Workers that a host was asked for and that have not come yet.
    pub(crate) asked: usize,
    /// Threads outside of the pool that do its work.
    pub(crate) helpers: Vec<Arc<Parker>>,
    /// Threads in `blocking`.
    pub(super) blocking: usize,
    pub(crate) handles: Vec<JoinHandle<()>>,
    pub(crate) next_id: usize,
    /// Whether it is tried again soon to start a thread.
    pub(crate) tries_again: bool,
    /// Who waits for the pool to be still: scopes at their end.
    pub(super) watchers: Vec<Arc<Parker>>,
    /// How many wait for threads of the pool to come to their end.
    pub(crate) joining: usize,
    /// Threads that fail what has not begun, for a stop.
    pub(super) closers: Vec<Arc<Parker>>,
    /// Somebody was told what still runs, and waits for it no more.
    pub(crate) left_behind: bool,
    /// Who waits for something of all this: that the last thread goes to sleep, or that the pool is closed.
    pub(super) resters: Vec<Arc<Parker>>,
    /// Who tells those who look on that the pool has stopped, or has.
    pub(super) teller: Option<ThreadId>,
    /// Whether they were told.
    pub(super) has_told: bool,
}

/// Whether a wait is over: see `Goal::test`.
pub(crate) type Test = Box<dyn Fn() -> bool + Send + Sync>;

/// One thread's wait for a result.
pub(crate) struct Wait {
    pub(crate) parker: Arc<Parker>,
    pub(crate) row: Row,
    /// The tasks on the thread's stack: none of them goes on before this wait ends.
    pub(crate) stack: Vec<TaskRef>,
    /// The permits of work that the thread runs in place.
    pub(crate) in_place: Vec<Arc<Share>>,
    /// What it waits for.
    pub(crate) targets: Vec<TaskRef>,
    /// Whether any of these will do.
    pub(crate) any: bool,
    /// Whether there are no others that would do as well.
    pub(crate) is_whole: bool,
    /// The limit in whose line the thread stands itself.
    pub(crate) line: Option<Arc<Permits>>,
    /// Whether the wait is over, though the thread may not have noticed.
    pub(crate) reached: Test,
    pub(crate) timed: bool,
    pub(crate) at: At,
    /// Why the wait fails.
    pub(crate) failed: OnceLock<Error>,
}

impl Wait {
    /// Whether the thread stays where it is, for all that is known.
    pub(super) fn is_still(&self) -> bool {
        !self.timed && self.failed.get().is_none() && !(self.reached)()
    }

    /// Whether the thread stands in the line of one of these.
    pub(super) fn stands_in_any(&self, limits: &[&Permits]) -> bool {
        self.line.as_ref().is_some_and(|line| limits.iter().any(|limit| limit.is(line)))
    }

    pub(crate) fn fail(&self, error: Error) {
        let _ = self.failed.set(error);
        self.parker.unpark();
    }
}

impl Threads {
    pub(crate) fn wanting(workers: usize) -> Threads {
        Threads { wanted: workers, ..Threads::default() }
    }

    pub(super) fn active(&self) -> usize {
        self.workers().saturating_sub(self.waits.len() + self.blocking)
    }

    /// The pool's own threads.
    pub(crate) fn workers(&self) -> usize {
        self.alive - self.helpers.len()
    }

    /// The waits that nothing has ended yet. A thread that does a pool's work while it waits is
    /// among the sleepers when it does not.
    fn still_waits(&self) -> impl Iterator<Item = &Arc<Wait>> {
        self.waits.iter().filter(|wait| wait.is_still() && !has(&self.sleepers, &wait.parker))
    }

    /// Whether every thread but those `besides` sleeps or waits without a limit of time.
    pub(super) fn all_still(&self, besides: usize) -> bool {
        self.sleepers.len() + self.still_waits().count() + besides >= self.alive
    }

    /// Wakes those who wait for stillness, if this may be it.
    pub(crate) fn tell_watchers(&self) {
        if self.all_still(0) {
            self.watchers.iter().for_each(|watcher| watcher.unpark());
        }
    }

    /// Whether every thread sleeps.
    pub(crate) fn at_rest(&self) -> bool {
        self.sleepers.len() >= self.alive
    }

    /// Whether no thread does anything for the pool, or will, but this one, which is about to be done.
    pub(super) fn has_nobody_but(&self, here: &Arc<Parker>) -> bool {
        self.alive == 0 && self.closers.iter().all(|closer| Arc::ptr_eq(closer, here))
    }

    /// Whether no thread does anything for the pool, or will.
    pub(super) fn has_nobody(&self) -> bool {
        self.alive == 0 && self.closers.is_empty()
    }

    /// Whether nobody does anything for a pool that is closed.
    pub(crate) fn has_ended(&self) -> bool {
        let here = Parker::current();
        let others_close = self.closers.iter().any(|one| !Arc::ptr_eq(one, &here));
        self.joining == 0 && !others_close && self.at_rest()
    }

    /// A thread went to sleep or left: tells those who wait for the last one.
    pub(crate) fn tell_rest(&self) {
        if self.at_rest() {
            self.tell_resters();
        }
    }

    /// Has those look again who wait for something of this.
    pub(crate) fn tell_resters(&self) {
        self.resters.iter().for_each(|rester| rester.unpark());
    }

    /// Has every thread that waits look again.
    pub(crate) fn rouse_waits(&self) {
        self.tell_resters();
        self.outside.iter().for_each(|wait| wait.parker.unpark());
        self.waits.iter().for_each(|wait| wait.parker.unpark());
    }

    /// All untimed waits.
    pub(crate) fn hopeless(&self) -> Vec<Arc<Wait>> {
        self.waits.iter().filter(|wait| wait.is_still()).cloned().collect()
    }
}

/// Whether a list has just this.
pub(crate) fn has<T>(list: &[Arc<T>], one: &Arc<T>) -> bool {
    list.iter().any(|other| Arc::ptr_eq(other, one))
}

/// Takes it out of a list.
pub(super) fn remove<T>(list: &mut Vec<Arc<T>>, one: &Arc<T>) {
    list.retain(|other| !Arc::ptr_eq(other, one));
}

/// Takes it out once, of a list that may have it more than once.
pub(super) fn remove_once<T>(list: &mut Vec<Arc<T>>, one: &Arc<T>) {
    if let Some(place) = list.iter().position(|other| Arc::ptr_eq(other, one)) {
        list.swap_remove(place);
    }
}

/// How many pools there are without workers.
static WITHOUT_WORKERS: StaticCounter = StaticCounter::new(0);

/// Keeps count of the pools without workers.
pub(crate) fn count_workers(before: usize, now: usize) {
    if before > 0 && now == 0 {
        WITHOUT_WORKERS.fetch_add(1, Ordering::SeqCst);
    } else if before == 0 && now > 0 {
        WITHOUT_WORKERS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether there are any: whose work those who wait have to do.
pub(crate) fn any_without_workers() -> bool {
    WITHOUT_WORKERS.load(Ordering::SeqCst) != 0
}
