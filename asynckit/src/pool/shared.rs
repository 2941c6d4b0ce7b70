//! What a pool's handle, its workers and its tasks share.

use std::time::Instant;

use crate::core::{Entry, FewToHomes, Homed, Stacks, TaskRef};
use crate::error::{Error, ErrorKind, Hook, Hop};
use crate::observe::{CallbackId, Counts, Onlookers};
use crate::pool::attached::Keepers;
use crate::pool::attention::Attention;
use crate::pool::config::Config;
use crate::pool::known::Roots;
use crate::pool::phase::Phase;
use crate::pool::queue::Queue;
use crate::pool::threads::{Threads, count_workers};
use crate::sync::{Arc, AtomicUsize, Deadline, Mutex, OnceLock, Ordering, lock};
use crate::terms::Priority;

/// A pool, as its tasks know it.
pub(crate) type Shared = Homed<PoolState>;

/// How many tasks of a pool hold no thread and go on by themselves (`asleep.rs`). A stop waits for them.
#[derive(Default)]
pub(crate) struct Sleeping(AtomicUsize);

impl Sleeping {
    pub(crate) fn is_none(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }

    /// One more.
    pub(crate) fn begin(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// One less; whether it was the last.
    pub(crate) fn end(&self) -> bool {
        self.0.fetch_sub(1, Ordering::SeqCst) == 1
    }
}

/// What a look saw running, and since when that was seen.
#[derive(Default)]
pub(super) struct LastLook {
    pub(super) tasks: Vec<(TaskRef, Instant)>,
    pub(super) callbacks: Vec<(CallbackId, Instant)>,
}

pub(crate) struct PoolState {
    pub(crate) config: Config,
    pub(crate) queue: Queue,
    pub(crate) threads: Mutex<Threads>,
    pub(crate) attention: Attention,
    /// Tasks that a timer will wake.
    pub(crate) sleeping: Sleeping,
    /// Tasks that are carried out elsewhere.
    pub(crate) elsewhere: Sleeping,
    pub(super) phase: Phase,
    /// What its threads are at.
    pub(crate) stacks: Stacks,
    /// What its tasks wait for that is not its own.
    pub(super) roots: Roots,
    /// Who looks on.
    pub(super) onlookers: Arc<Onlookers>,
    /// What is counted for snapshots.
    pub(super) watch: Option<Arc<Counts>>,
    /// What the last look at it saw running.
    pub(super) looked_at: Mutex<LastLook>,
    /// What is kept for its workers.
    pub(crate) keepers: Keepers,
    /// Until when its work may come to an end, once it is told to.
    pub(super) ending: OnceLock<Deadline>,
}

impl Shared {
    /// Whether it is this pool.
    #[inline]
    pub(crate) fn is(&self, other: &Shared) -> bool {
        std::ptr::eq(self, other)
    }

    /// Whether it would be plain (`Phase::is_plain`), but for those who look on, to it or to everything.
    pub(crate) fn is_open_and_watched(&self) -> bool {
        let plain = self.queue.seeded().is_none() && !self.queue.has_capacity();
        plain && self.phase.is_open() && !self.phase.starves()
    }

    /// Whether all its tasks are here, and none of them sleeps until its moment.
    pub(crate) fn has_all_here(&self) -> bool {
        self.sleeping.is_none() && self.elsewhere.is_none()
    }

    pub(crate) fn hook(&self) -> Option<Hook> {
        self.onlookers.hook()
    }

    /// Whether it is closed, and its threads are gone.
    pub(crate) fn is_over(&self) -> bool {
        self.is_closed() && self.threads().has_nobody() && self.keepers.has_nobody()
    }

    /// Lets go of the hook, and of what was kept for workers, where nothing of the pool will need it any more.
    pub(crate) fn drop_hook(&self) {
        if self.is_over() {
            self.keepers.pool_ends();
            self.onlookers.drop_hook();
            self.forget_looks();
        }
    }

    /// Lets go of what a look has seen: its tasks keep their places, and these the pool.
    pub(super) fn forget_looks(&self) {
        let seen = std::mem::take(&mut *lock(&self.looked_at));
        drop(seen);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.phase.is_closed()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.phase.is_stopping()
    }

    /// A task that took a place in the queue has begun, or never will.
    pub(crate) fn begun(&self) {
        self.queue.leave();
        if self.queue.has_capacity() && (self.wanted() == 0 || self.is_hosted()) {
            // Those who wait for room do the pool's work meanwhile, and sleep where its helpers do.
            self.wake_all();
        }
    }

    /// The next task for a thread without a deque here.
    pub(crate) fn take_any(&self) -> Option<Entry> {
        if !self.queue.has_ranked() {
            return self.take_normal();
        }
        self.queue.order().into_iter().find_map(|priority| match priority {
            Priority::Normal => self.take_normal(),
            ranked => self.take_ranked(ranked),
        })
    }

    /// Of the usual priority.
    pub(crate) fn take_normal(&self) -> Option<Entry> {
        self.queue.take_injected().or_else(|| self.queue.steal(0)).or_else(|| {
            // The rest of a long list may have one.
            self.queue.take_rest()?.visit(&mut FewToHomes::new());
            self.queue.take_injected().or_else(|| self.queue.steal(0))
        })
    }

    /// The next task of this priority, which is not the usual one.
    pub(crate) fn take_ranked(&self, priority: Priority) -> Option<Entry> {
        let entry = self.queue.take_ranked(priority)?;
        if !self.queue.has_ranked() {
            self.attention.set_ranked(false);
            // Some may have come in between.
            if self.queue.has_ranked() {
                self.attention.set_ranked(true);
            }
        }
        Some(entry)
    }

    /// Why work of this pool is turned down.
    pub(crate) fn turned_down(&self, hop: Hop) -> Error {
        if self.phase.starves() && self.phase.is_open() {
            let words = "did not run: no thread could be started for its pool";
            return Error::outside(ErrorKind::Stopped, hop, words);
        }
        self.not_begun(hop)
    }

    /// Why work of a pool that is closed does not begin.
    pub(crate) fn not_begun(&self, hop: Hop) -> Error {
        if self.is_ending() { Error::ended(hop) } else { Error::stopped(hop) }
    }

    /// Whether it was told to end.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.get().is_some()
    }

    /// Whether it was told so, and the time for that is over.
    pub(crate) fn is_out_of_time(&self) -> bool {
        self.ending.get().is_some_and(Deadline::is_over)
    }

    pub(crate) fn wanted(&self) -> usize {
        lock(&self.threads).wanted
    }
}

impl Drop for PoolState {
    fn drop(&mut self) {
        count_workers(if self.config.host.is_some() { 0 } else { lock(&self.threads).wanted }, 1);
    }
}
