//! Who sleeps, who waits, how many threads there are and should be; and when a pool is quiet.
//!
//! A thread of the pool is *active* (it runs or looks for work), *asleep* (nothing was queued when
//! it looked last), or *blocked* (its work waits for a result, or is in `blocking`). All of it is
//! under one lock, which is taken when a thread changes between these, not when work is queued:
//! that path looks at two words.
//!
//! Named races:
//!
//! - *The unseen task*: work is queued while a worker goes to sleep. The worker enters the list of
//!   sleepers, fences, and looks at the queues once more; the submitter queues, fences, and looks
//!   for sleepers. One of them sees the other.
//! - *The short pool*: likewise for a thread that blocks and leaves the pool short of active
//!   threads: whoever queues work then, or it itself if work is queued, starts a spare.
//! - *The last one to go*: a pool is quiet when all its threads sleep or wait and nothing is
//!   queued. The last one that goes sees that, under the lock, and does what a stop has left to do.

use std::hint;
use std::time::Duration;

use crate::error::Error;
use crate::pool::shared::Shared;
use crate::pool::wait::Test;
use crate::sync::thread::JoinHandle;
use crate::sync::{
    Arc, AtomicU8, AtomicUsize, Deadline, MutexGuard, OnceLock, Ordering, Parker, fence, lock,
};
use crate::task::{At, TaskRef};

/// How often a worker looks at the queues before it sleeps: that takes about as long as to put a
/// thread to sleep and to wake it.
const SPINS: u32 = 200;

/// How long a worker that is one too many waits to be needed again: waits within work come in swarms,
/// and to start a thread for each would take longer than most of them.
const RESERVE: Duration = Duration::from_millis(20);

/// What the lock guards.
#[derive(Default)]
pub(crate) struct Threads {
    /// How many active threads there should be.
    pub(crate) wanted: usize,
    /// All threads of the pool, and those from outside that do its work.
    pub(crate) alive: usize,
    sleepers: Vec<Arc<Parker>>,
    /// Workers that are one too many and are about to leave, unless they are needed as spares before.
    /// They don't count as alive.
    reserve: Vec<Arc<Parker>>,
    /// The waits for results, the newest last.
    waits: Vec<Arc<Wait>>,
    /// Threads outside of the pool that wait for its work.
    pub(crate) outside: Vec<Arc<Parker>>,
    /// Workers that a host was asked for and that have not come yet.
    pub(crate) asked: usize,
    /// Threads outside of the pool that do its work.
    pub(crate) helpers: Vec<Arc<Parker>>,
    /// Threads in `blocking`.
    blocking: usize,
    pub(crate) handles: Vec<JoinHandle<()>>,
    pub(crate) next_id: usize,
    pub(crate) closing: bool,
    /// Who waits for the pool to be still: scopes at their end.
    watchers: Vec<Arc<Parker>>,
    /// How many wait for the last thread to go to sleep.
    pub(crate) resting: usize,
    /// Who waits for that while they do the pool's work, and sleep as its threads do.
    resters: Vec<Arc<Parker>>,
}

/// One thread's wait for a result, from within work.
pub(crate) struct Wait {
    pub(crate) parker: Arc<Parker>,
    /// The tasks on the thread's stack: none of them goes on before this wait ends.
    pub(crate) stack: Vec<TaskRef>,
    /// What it waits for.
    pub(crate) targets: Vec<TaskRef>,
    /// Whether any of these will do.
    pub(crate) any: bool,
    /// Whether the wait is over, though the thread may not have noticed.
    pub(crate) reached: Test,
    pub(crate) timed: bool,
    pub(crate) at: At,
    /// Why the wait fails.
    pub(crate) failed: OnceLock<Error>,
}

impl Wait {
    /// Whether the thread stays where it is, for all that is known.
    fn is_still(&self) -> bool {
        !self.timed && self.failed.get().is_none() && !(self.reached)()
    }

    pub(crate) fn fail(&self, error: Error) {
        let _ = self.failed.set(error);
        self.parker.unpark();
    }
}

/// The words that the path of a submission looks at.
pub(crate) struct Attention {
    sleepers: AtomicUsize,
    /// Workers that were woken, or look on for a while, and are on their way to the queues: each will
    /// wake the next one if it finds more.
    searching: AtomicUsize,
    /// Whether a worker looks on for a while before it sleeps. One does at a time.
    spinning: AtomicU8,
    /// Threads are blocked, and fewer are active than wanted.
    short: AtomicU8,
    /// There are more active threads than wanted.
    surplus: AtomicU8,
}

impl Attention {
    pub(crate) fn new() -> Attention {
        Attention {
            sleepers: AtomicUsize::new(0),
            searching: AtomicUsize::new(0),
            spinning: AtomicU8::new(0),
            short: AtomicU8::new(0),
            surplus: AtomicU8::new(0),
        }
    }
}

/// What a worker that found nothing does next.
pub(crate) enum Idle {
    /// Look again. `woken`: by somebody who counts on this thread to look (`end_search`).
    Search { woken: bool },
    /// The pool is quiet, and this thread is to do what a stop has left to do.
    Quiet,
    /// It is one too many, or the pool is closed.
    Leave,
}

impl Threads {
    pub(crate) fn wanting(workers: usize) -> Threads {
        Threads { wanted: workers, ..Threads::default() }
    }

    fn active(&self) -> usize {
        self.workers().saturating_sub(self.waits.len() + self.blocking)
    }

    /// The pool's own threads.
    pub(crate) fn workers(&self) -> usize {
        self.alive - self.helpers.len()
    }

    /// The waits that nothing has ended yet. A thread that does a pool's work while it waits is
    /// among the sleepers when it does not.
    fn still_waits(&self) -> impl Iterator<Item = &Arc<Wait>> {
        self.waits.iter().filter(|wait| {
            wait.is_still()
                && !self.sleepers.iter().any(|sleeper| Arc::ptr_eq(sleeper, &wait.parker))
        })
    }

    /// Whether every thread but those `besides` sleeps or waits without a limit of time.
    fn all_still(&self, besides: usize) -> bool {
        self.sleepers.len() + self.still_waits().count() + besides >= self.alive
    }

    /// Wakes those who wait for stillness, if this may be it.
    fn tell_watchers(&self) {
        if self.all_still(0) {
            self.watchers.iter().for_each(|watcher| watcher.unpark());
        }
    }

    /// Whether every thread sleeps.
    pub(crate) fn at_rest(&self) -> bool {
        self.sleepers.len() >= self.alive
    }

    /// Has every thread that waits look again.
    pub(crate) fn rouse_waits(&self) {
        self.outside.iter().for_each(|parker| parker.unpark());
        self.waits.iter().for_each(|wait| wait.parker.unpark());
    }

    /// All untimed waits.
    pub(crate) fn hopeless(&self) -> Vec<Arc<Wait>> {
        self.waits.iter().filter(|wait| wait.is_still()).cloned().collect()
    }
}

impl Shared {
    pub(crate) fn threads(&self) -> MutexGuard<'_, Threads> {
        lock(&self.threads)
    }

    /// Brings the words up to date with what the lock guards.
    pub(crate) fn publish(&self, threads: &Threads) {
        let active = threads.active();
        let blocked = threads.waits.len() + threads.blocking > 0;
        let short = match blocked {
            // Those that a host was asked for may never come, where it is its threads that wait.
            true => active < threads.wanted,
            false => self.is_hosted() && active + threads.asked < threads.wanted,
        };
        self.attention.sleepers.store(threads.sleepers.len(), Ordering::SeqCst);
        self.attention.short.store(u8::from(short), Ordering::SeqCst);
        self.attention.surplus.store(u8::from(active > threads.wanted), Ordering::SeqCst);
    }

    /// Work was queued: sees to it that somebody comes for it.
    pub(crate) fn notify(self: &Arc<Self>) {
        // ORDERING: SeqCst fence, against the one in `sleep` and `block`: either this sees the
        // sleeper, or the sleeper sees the work.
        fence(Ordering::SeqCst);
        let attention = &self.attention;
        if attention.sleepers.load(Ordering::Relaxed) > 0 {
            if attention.searching.load(Ordering::Relaxed) == 0 {
                self.wake_one();
            }
        } else if attention.short.load(Ordering::Relaxed) != 0 {
            self.start_spare();
        }
    }

    fn wake_one(&self) {
        let mut threads = self.threads();
        let sleeper = threads.sleepers.pop();
        if sleeper.is_some() {
            // The woken one ends this when it has found something, or nothing.
            self.attention.searching.fetch_add(1, Ordering::SeqCst);
            self.publish(&threads);
        }
        drop(threads);
        if let Some(parker) = sleeper {
            parker.unpark();
        }
    }

    pub(crate) fn wake_all(&self) {
        let mut threads = self.threads();
        // Those who are about to leave look once more whether they may.
        while self.call_reserve(&mut threads) {}
        let sleepers = std::mem::take(&mut threads.sleepers);
        self.attention.searching.fetch_add(sleepers.len(), Ordering::SeqCst);
        self.publish(&threads);
        drop(threads);
        for parker in sleepers {
            parker.unpark();
        }
    }

    /// A worker that has found nothing looks on for some microseconds, unless another one does; whether
    /// it sees work. The caller then searches, and says when it is done (`end_search`).
    pub(crate) fn spin(&self) -> bool {
        let attention = &self.attention;
        if attention.spinning.swap(1, Ordering::Acquire) != 0 {
            return false;
        }
        // From here on nobody else is woken; whoever goes to sleep after this looks at the queues.
        attention.searching.fetch_add(1, Ordering::SeqCst);
        let sees = !self.has_surplus()
            && (0..SPINS).any(|_| {
                hint::spin_loop();
                !self.queue.is_empty()
            });
        attention.spinning.store(0, Ordering::Release);
        if !sees {
            self.end_search();
        }
        sees
    }

    /// A woken thread has found work, or none.
    pub(crate) fn end_search(&self) {
        self.attention.searching.fetch_sub(1, Ordering::SeqCst);
    }

    pub(crate) fn has_surplus(&self) -> bool {
        self.attention.surplus.load(Ordering::Relaxed) != 0
    }

    /// Leaves, where there are more active threads than wanted, and nobody needs this one for a while.
    pub(crate) fn try_leave(&self) -> bool {
        let threads = self.threads();
        threads.active() > threads.wanted && !self.stay_in_reserve(threads, &Parker::current())
    }

    /// A thread has left: for those who wait for the last one.
    pub(crate) fn tell_left(&self, threads: &Threads) {
        self.tell_rest(threads);
        threads.tell_watchers();
    }

    /// Sleeps until there may be work, or `enough` holds, which is looked at under the lock. A worker
    /// leaves instead where it is one too many; a thread from outside (`worker: false`) only looks
    /// again.
    pub(crate) fn sleep(
        self: &Arc<Self>,
        worker: bool,
        until: Option<Deadline>,
        enough: &dyn Fn() -> bool,
    ) -> Idle {
        let parker = Parker::current();
        let mut threads = self.threads();
        if worker && (threads.active() > threads.wanted || self.is_closed()) {
            let stays = self.stay_in_reserve(threads, &parker);
            return if stays { Idle::Search { woken: false } } else { Idle::Leave };
        }
        if worker && self.is_hosted() {
            drop(threads);
            return self.leave_or_search();
        }
        threads.sleepers.push(parker.clone());
        self.publish(&threads);
        fence(Ordering::SeqCst);
        let found = !self.queue.is_empty() || enough();
        let quiet = !found && self.is_quiet_now(&threads, 0);
        if found || quiet {
            remove(&mut threads.sleepers, &parker);
            self.publish(&threads);
            return if found { Idle::Search { woken: false } } else { Idle::Quiet };
        }
        self.tell_rest(&threads);
        threads.tell_watchers();
        drop(threads);
        loop {
            parker.park(until);
            let mut threads = self.threads();
            let woken = !threads.sleepers.iter().any(|sleeper| Arc::ptr_eq(sleeper, &parker));
            if woken {
                return Idle::Search { woken: true };
            }
            if !worker {
                remove(&mut threads.sleepers, &parker);
                self.publish(&threads);
                return Idle::Search { woken: false };
            }
        }
    }

    /// A worker that is one too many counts no more, and waits for a while to be needed as a spare;
    /// whether it is, and counts again.
    fn stay_in_reserve(&self, mut threads: MutexGuard<'_, Threads>, parker: &Arc<Parker>) -> bool {
        threads.alive -= 1;
        self.publish(&threads);
        self.tell_left(&threads);
        // A host's threads have other things to do.
        if self.is_closed() || self.is_hosted() {
            return false;
        }
        threads.reserve.push(parker.clone());
        drop(threads);
        let until = Deadline::after(RESERVE);
        loop {
            parker.park(Some(until));
            let mut threads = self.threads();
            let called = !threads.reserve.iter().any(|other| Arc::ptr_eq(other, parker));
            if called || until.is_over() {
                remove(&mut threads.reserve, parker);
                return called;
            }
        }
    }

    /// A thread of the reserve works again, if there is one.
    pub(crate) fn call_reserve(&self, threads: &mut Threads) -> bool {
        let Some(parker) = threads.reserve.pop() else {
            return false;
        };
        threads.alive += 1;
        self.publish(threads);
        parker.unpark();
        true
    }

    /// A thread that goes to sleep at another pool counts as asleep here too.
    pub(crate) fn add_sleeper(self: &Arc<Self>, parker: &Arc<Parker>) {
        let mut threads = self.threads();
        threads.sleepers.push(parker.clone());
        self.publish(&threads);
        self.tell_rest(&threads);
        threads.tell_watchers();
        drop(threads);
        // ORDERING: SeqCst fence, as in `sleep`: it looks at this pool's queue from now on.
        fence(Ordering::SeqCst);
        if self.is_quiet(0) {
            self.finish_stop(0);
        }
    }

    pub(crate) fn remove_sleeper(&self, parker: &Arc<Parker>) {
        let mut threads = self.threads();
        let there = threads.sleepers.len();
        remove(&mut threads.sleepers, parker);
        let woken = threads.sleepers.len() == there;
        self.publish(&threads);
        drop(threads);
        if woken {
            self.end_search();
        }
    }

    /// Whether a stop waits for quiet, and this is it. `besides`: 1 for a thread of the pool that
    /// asks while it has nothing else to do.
    pub(crate) fn is_quiet(&self, besides: usize) -> bool {
        let threads = self.threads();
        self.is_quiet_now(&threads, besides)
    }

    fn is_quiet_now(&self, threads: &Threads, besides: usize) -> bool {
        threads.closing
            && threads.all_still(besides)
            && self.queue.is_empty()
            && (self.sleeping.is_none() || self.is_closed())
    }

    /// Whether nothing is queued and no thread runs anything, but for the calling one where it does
    /// the pool's work from outside.
    pub(crate) fn is_still(&self) -> bool {
        let threads = self.threads();
        let here = Parker::current();
        let besides = threads.helpers.iter().any(|helper| Arc::ptr_eq(helper, &here));
        let besides = usize::from(besides);
        threads.all_still(besides) && self.queue.is_empty()
    }

    pub(crate) fn watch_stillness(&self, parker: &Arc<Parker>) {
        self.threads().watchers.push(parker.clone());
    }

    pub(crate) fn unwatch_stillness(&self, parker: &Arc<Parker>) {
        remove(&mut self.threads().watchers, parker);
    }

    pub(crate) fn watch_rest(&self, parker: &Arc<Parker>) {
        self.threads().resters.push(parker.clone());
    }

    pub(crate) fn unwatch_rest(&self, parker: &Arc<Parker>) {
        remove(&mut self.threads().resters, parker);
    }

    /// A thread went to sleep or left.
    pub(crate) fn tell_rest(&self, threads: &Threads) {
        if threads.at_rest() {
            if threads.resting > 0 {
                self.notify_rest();
            }
            threads.resters.iter().for_each(|rester| rester.unpark());
        }
    }

    /// Whether nothing is queued and nobody is active.
    pub(crate) fn is_idle(&self) -> bool {
        let threads = self.threads();
        threads.at_rest() && self.queue.is_empty()
    }

    /// A thread of the pool begins to wait for a result. The wait is failed where all threads of
    /// the pool wait and none may be added.
    pub(crate) fn block(self: &Arc<Self>, wait: &Arc<Wait>) {
        let mut threads = self.threads();
        threads.waits.push(wait.clone());
        self.publish(&threads);
        threads.tell_watchers();
        let waiting = threads.waits.iter().filter(|wait| wait.timed || wait.is_still()).count();
        let all_wait = threads.wanted > 0 && waiting >= threads.alive;
        let at_cap = threads.alive >= threads.wanted + self.config.max_spares;
        let newest = threads.waits.iter().rfind(|wait| wait.is_still());
        let victim = if all_wait && at_cap && !self.is_closed() { newest.cloned() } else { None };
        let short = self.attention.short.load(Ordering::Relaxed) != 0;
        fence(Ordering::SeqCst);
        let quiet = self.is_quiet_now(&threads, 0);
        drop(threads);
        if let Some(victim) = victim {
            victim.fail(super::deadlock::out_of_threads(&victim, self.config.max_spares));
        } else if short && !self.queue.is_empty() {
            self.start_spare();
        } else if quiet {
            self.finish_stop(0);
        }
    }

    pub(crate) fn unblock(&self, wait: &Arc<Wait>) {
        let mut threads = self.threads();
        threads.waits.retain(|other| !Arc::ptr_eq(other, wait));
        self.publish(&threads);
        drop(threads);
        self.send_surplus_home();
    }

    /// A thread of the pool goes into a call that blocks.
    pub(crate) fn begin_blocking(self: &Arc<Self>) {
        let mut threads = self.threads();
        threads.blocking += 1;
        self.publish(&threads);
        drop(threads);
        fence(Ordering::SeqCst);
        if self.attention.short.load(Ordering::Relaxed) != 0 && !self.queue.is_empty() {
            self.start_spare();
        }
    }

    pub(crate) fn end_blocking(&self) {
        let mut threads = self.threads();
        threads.blocking -= 1;
        self.publish(&threads);
        drop(threads);
        self.send_surplus_home();
    }

    /// Wakes a sleeper that has become one too many, so that it goes.
    fn send_surplus_home(&self) {
        if self.has_surplus() {
            self.wake_one();
        }
    }
}

fn remove(list: &mut Vec<Arc<Parker>>, parker: &Arc<Parker>) {
    list.retain(|other| !Arc::ptr_eq(other, parker));
}

impl Attention {
    pub(crate) fn is_short(&self) -> bool {
        self.short.load(Ordering::Relaxed) != 0
    }
}
