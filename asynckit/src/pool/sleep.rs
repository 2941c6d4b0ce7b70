//! Who sleeps, who waits, how many threads there are and should be; and when a pool is quiet.
//!
//! A thread of the pool is *active* (it runs or looks for work), *asleep* (nothing was queued when
//! it looked last), or *blocked* (its work waits for a result, or is in `blocking`). All of it is
//! under one lock, which is taken when a thread changes between these, not when work is queued:
//! that path looks at a few words (`attention.rs`).
//!
//! Named races:
//!
//! - *The unseen task*: work is queued while a worker goes to sleep. The worker enters the list of
//!   sleepers, fences, and looks at the queues once more; the submitter queues, and then looks for sleepers. One of them
//!   sees the other: both fence, or the worker has all threads do so (`attention.rs`).
//! - *The last one to go*: a pool is quiet when all its threads sleep or wait and nothing is
//!   queued. The last one that goes sees that, under the lock, and does what a stop has left to do; where it is one too
//!   many, it leaves for that at once.

use std::hint;
use std::time::Duration;

use crate::core::{MemoryRest, NAP};
use crate::pool::attention::Rouse;
use crate::pool::shared::Shared;
use crate::pool::threads::{Threads, has, remove};
use crate::sync::{Arc, Deadline, MutexGuard, Parker, lock, weakened, yield_now};
use crate::terms::stand_in;

/// How often a worker looks at the queues before it sleeps: that takes about as long as to put a
/// thread to sleep and to wake it.
const SPINS: u32 = if cfg!(asynckit_loom) { 1 } else { 200 };
/// After so many of these it lets others have its core: who brings the next work may wait for just that.
const TICK: u32 = 4;

/// How long a worker that is one too many waits to be needed again: waits within work come in swarms,
/// and to start a thread for each would take longer than most of them.
const RESERVE: Duration = Duration::from_millis(20);

/// What a worker that found nothing does next.
pub(crate) enum Idle {
    /// Look again. `woken`: by somebody who counts on this thread to look (`end_search`).
    Search { woken: bool },
    /// The pool is quiet, and this thread is to do what a stop has left to do.
    Quiet,
    /// It is one too many, or the pool is closed.
    Leave,
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
        self.attention.set_blocked(blocked);
        let (sleepers, surplus) = (threads.sleepers.len(), active > threads.wanted);
        self.attention.publish(sleepers, short, surplus, &threads.looks);
    }

    /// Work was queued: sees to it that somebody comes for it.
    #[inline]
    pub(crate) fn notify(&self) {
        if self.attention.has_callable() {
            self.call_somebody();
        }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn call_somebody(&self) {
        match self.attention.call() {
            Rouse::Nobody => {}
            Rouse::Sleeper => self.wake_one(),
            Rouse::Spare => self.start_spare(),
            Rouse::Calm => self.attention.calm(&mut self.threads().looks),
        }
    }

    pub(super) fn wake_one(&self) {
        let mut threads = self.threads();
        let sleeper = threads.sleepers.pop();
        if sleeper.is_some() {
            // The woken one ends this when it has found something, or nothing.
            self.attention.begin_search(1);
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
        self.attention.begin_search(sleepers.len());
        self.publish(&threads);
        drop(threads);
        for parker in sleepers {
            parker.unpark();
        }
    }

    /// A worker that has found nothing looks on for some microseconds, unless another one does; whether
    /// it sees work. The caller then searches, and says when it is done (`end_search`).
    pub(crate) fn spin(&self) -> bool {
        // From here on nobody else is woken; whoever goes to sleep after this looks at the queues.
        if !self.attention.begin_spin() {
            return false;
        }
        let sees = !self.attention.has_surplus()
            && (0..SPINS).any(|spin| {
                if spin % TICK == TICK - 1 {
                    yield_now()
                } else {
                    hint::spin_loop()
                }
                !self.queue.is_empty()
            });
        self.attention.end_spin(sees);
        sees
    }

    /// Leaves, where there are more active threads than wanted, and nobody needs this one for a while.
    pub(crate) fn try_leave(&self) -> bool {
        let threads = self.threads();
        threads.active() > threads.wanted && !self.stay_in_reserve(threads, &Parker::current())
    }

    /// A thread has left: for those who wait for the last one.
    pub(crate) fn tell_left(&self, threads: &Threads) {
        threads.tell_rest();
        threads.tell_watchers();
    }

    /// Sleeps until there may be work, or `enough` holds, which is looked at under the lock. A worker
    /// leaves instead where it is one too many; a thread from outside (`worker: false`) only looks
    /// again.
    pub(crate) fn sleep(
        &self,
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
        if !weakened("publish") {
            self.publish(&threads);
        }
        self.attention.look_again(&mut threads.looks);
        let found = (!self.queue.is_empty() && !weakened("look")) || enough();
        let quiet = !found && self.is_quiet_now(&threads, 0) && !weakened("quiet");
        if weakened("publish") {
            self.publish(&threads);
        }
        if found || quiet {
            remove(&mut threads.sleepers, &parker);
            self.publish(&threads);
            // What it finds may have been queued while it searched, so that nobody was woken: as
            // one who was, it wakes the next if there is more.
            let woken = found && worker;
            if woken {
                self.attention.begin_search(1);
            }
            return if found { Idle::Search { woken } } else { Idle::Quiet };
        }
        threads.tell_rest();
        threads.tell_watchers();
        drop(threads);
        // A worker that has slept for a while gives back what memory it has; and one of those that rest looks
        // after what is free.
        let mut rest: Option<MemoryRest> = None;
        loop {
            let naps = worker && rest.as_ref().is_none_or(MemoryRest::has_to_look);
            let limits = [stand_in(), naps.then_some(NAP)];
            parker.park(Deadline::or_after(until, limits.into_iter().flatten().min()));
            let mut threads = self.threads();
            let woken = !has(&threads.sleepers, &parker);
            if woken {
                return Idle::Search { woken: true };
            }
            if !worker {
                remove(&mut threads.sleepers, &parker);
                self.publish(&threads);
                return Idle::Search { woken: false };
            }
            drop(threads);
            match &rest {
                None => rest = Some(MemoryRest::begin(&parker)),
                Some(rest) => rest.look(),
            }
        }
    }

    /// A worker that is one too many counts no more, and waits for a while to be needed as a spare;
    /// whether it is, and counts again.
    fn stay_in_reserve(&self, mut threads: MutexGuard<'_, Threads>, parker: &Arc<Parker>) -> bool {
        threads.alive -= 1;
        self.publish(&threads);
        self.tell_left(&threads);
        // A host's threads have other things to do; and the last one to go does at its end what a stop has left to do.
        let quiet = self.is_quiet_now(&threads, 0) && !weakened("quiet as it leaves");
        let stays = !self.is_closed() && !self.is_hosted() && !quiet;
        if stays {
            threads.reserve.push(parker.clone());
        }
        // What was queued while this thread searched is left to another one.
        self.attention.look_again(&mut threads.looks);
        drop(threads);
        if !self.queue.is_empty() && !weakened("reserve look") {
            self.notify();
        }
        if !stays {
            return false;
        }
        let until = Deadline::after(RESERVE);
        loop {
            parker.park(Some(until));
            let mut threads = self.threads();
            let called = !has(&threads.reserve, parker);
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
    pub(crate) fn add_sleeper(&self, parker: &Arc<Parker>) {
        let mut threads = self.threads();
        threads.sleepers.push(parker.clone());
        self.publish(&threads);
        threads.tell_rest();
        threads.tell_watchers();
        // As in `sleep`: it looks at this pool's queue from now on.
        self.attention.look_again(&mut threads.looks);
        drop(threads);
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
        if woken && !weakened("woken elsewhere") {
            self.attention.end_search();
        }
    }

    /// Whether a stop waits for quiet, and this is it. `besides`: 1 for a thread of the pool that
    /// asks while it has nothing else to do.
    pub(crate) fn is_quiet(&self, besides: usize) -> bool {
        let threads = self.threads();
        self.is_quiet_now(&threads, besides)
    }

    pub(super) fn is_quiet_now(&self, threads: &Threads, besides: usize) -> bool {
        self.is_stopping()
            && threads.all_still(besides)
            && self.queue.is_empty()
            && (self.has_all_here() || self.is_closed())
    }

    /// Whether nothing is queued and no thread runs anything, but for the calling one where it does
    /// the pool's work from outside.
    pub(crate) fn is_still(&self) -> bool {
        let threads = self.threads();
        let besides = usize::from(has(&threads.helpers, &Parker::current()));
        threads.all_still(besides) && self.queue.is_empty()
    }

    /// As `is_still`, where no task pauses until its moment, or is carried out elsewhere, either.
    pub(crate) fn is_out_of_work(&self) -> bool {
        self.is_still() && self.has_all_here()
    }

    /// Waits until that is so of the pool's threads; false where it is not by then. Both are looked at again when the
    /// pool's threads have come to rest (`tell_rest`), and when `tell_resters` says so.
    pub(crate) fn wait_until(
        &self,
        deadline: impl Fn() -> Option<Deadline>,
        is_so: impl Fn(&Threads) -> bool,
    ) -> bool {
        let parker = Parker::current();
        let mut threads = self.threads();
        threads.resters.push(parker.clone());
        loop {
            let (reached, until) = (is_so(&threads), deadline());
            if reached || until.is_some_and(|until| until.is_over()) {
                remove(&mut threads.resters, &parker);
                return reached;
            }
            drop(threads);
            parker.park(until);
            threads = self.threads();
        }
    }

    /// Whether nothing is queued and nobody is active.
    pub(crate) fn is_idle(&self) -> bool {
        let threads = self.threads();
        threads.at_rest() && self.queue.is_empty()
    }
}
