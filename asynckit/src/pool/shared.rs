//! What a pool's handle, its workers and its tasks share.

use std::io;
use std::sync::PoisonError;
use std::time::Duration;

use crate::core::{Entry, Homed, IsHome, Rest, Stacks, TaskRef, depth};
use crate::error::{Error, ErrorKind, Hook, Hop};
use crate::panic;
use crate::pool::attention::Attention;
use crate::pool::builder::Config;
use crate::pool::phase::Phase;
use crate::pool::queue::Queue;
use crate::pool::roots::Roots;
use crate::pool::seeded::Seeded;
use crate::pool::threads::Threads;
use crate::pool::{context, needed, registry, worker};
use crate::sync::{
    Arc, AtomicUsize, Condvar, Deadline, Mutex, MutexGuard, Ordering, Parker, fence, lock,
    yield_now,
};
use crate::terms::{AGAIN, Timers, no_thread};

/// A pool, as its tasks know it.
pub(crate) type Shared = Homed<State>;

/// How many tasks of a pool sleep until their moment. They were accepted, and a stop waits for them.
pub(crate) struct Sleeping(AtomicUsize);

impl Sleeping {
    fn none() -> Sleeping {
        Sleeping(AtomicUsize::new(0))
    }

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

pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) queue: Queue,
    pub(crate) threads: Mutex<Threads>,
    pub(crate) attention: Attention,
    /// Tasks that a timer will wake.
    pub(crate) sleeping: Sleeping,
    phase: Phase,
    /// What its threads are at.
    pub(crate) stacks: Stacks,
    /// What its tasks wait for that is not its own.
    pub(super) roots: Roots,
    /// What is told of failures that nobody looked at. Let go of when the pool is closed and its
    /// threads are gone: the pool's memory may stay for longer.
    hook: Mutex<Option<Hook>>,
    /// Signalled when the last thread goes to sleep, while somebody waits for that.
    rest: Condvar,
    /// Signalled when the pool is closed, under the lock of `threads`.
    closed: Condvar,
}

impl Shared {
    pub(crate) fn make(mut config: Config) -> Arc<Shared> {
        // A hosted pool may have to count on threads that wait for it.
        needed::count_workers(1, if config.host.is_some() { 0 } else { config.workers });
        panic::note_places(|| depth() > 0);
        let threads = Threads::wanting(config.workers);
        let seeded = config.seed.map(|seed| Seeded::new(seed, config.fault));
        let plain = seeded.is_none() && config.queue_capacity.is_none();
        let shared = Shared::new_home(State {
            queue: Queue::new(config.queue_capacity, seeded),
            threads: Mutex::new(threads),
            attention: Attention::new(),
            sleeping: Sleeping::none(),
            phase: Phase::open(plain),
            stacks: Stacks::none(),
            roots: Roots::none(),
            hook: Mutex::new(config.hook.take()),
            rest: Condvar::new(),
            closed: Condvar::new(),
            config,
        });
        registry::add(&shared);
        shared
    }

    /// Whether there is nothing to be seen to for its tasks one by one, and it takes them from anybody.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.phase.is_plain()
    }

    pub(crate) fn hook(&self) -> Option<Hook> {
        lock(&self.hook).clone()
    }

    /// Lets go of the hook where nothing of the pool will need it any more.
    pub(crate) fn drop_hook(&self) {
        if self.is_closed() && self.threads().alive == 0 {
            let hook = lock(&self.hook).take();
            drop(hook);
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.phase.is_closed()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.phase.is_stopping()
    }

    /// Whether the calling thread may submit: anybody to an open pool, its own tasks to one that
    /// is being stopped.
    pub(crate) fn admits(&self) -> bool {
        (self.phase.is_open() && !self.phase.starves())
            || (!self.phase.is_closed() && context::works_for(self))
    }

    /// A task that took a place in the queue has begun, or never will.
    pub(crate) fn begun(&self) {
        self.queue.leave();
        if self.queue.has_capacity() && (self.wanted() == 0 || self.is_hosted()) {
            // Those who wait for room do the pool's work meanwhile, and sleep where its helpers do.
            self.wake_all();
        }
    }

    /// No more from outside.
    pub(crate) fn begin_stop(&self) {
        let mut threads = self.threads();
        threads.closing = true;
        self.phase.begin_stop();
        drop(threads);
        self.queue.wake_blocked();
    }

    /// Nothing begins any more; what has not begun fails.
    pub(crate) fn close(&self) {
        let mut threads = self.threads();
        threads.closing = true;
        self.phase.close();
        drop(threads);
        self.closed.notify_all();
        self.queue.wake_blocked();
        self.fail_queued();
        self.fail_waiting();
        self.fail_dependents_of_running();
        self.wake_all();
        self.drop_hook();
    }

    /// Waits until the pool is closed, or this thread has to do its work; false at the deadline.
    pub(crate) fn wait_closed(&self, deadline: Option<Deadline>) -> bool {
        let mut threads = self.threads();
        while !self.is_closed() && !self.is_helped(&threads) {
            let Some(deadline) = deadline else {
                threads = self.closed.wait(threads).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.left();
            if left.is_zero() {
                return false;
            }
            let waited = self.closed.wait_timeout(threads, left);
            threads = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// The number of workers has changed: who waits looks again.
    pub(crate) fn rouse_waits(&self, threads: &Threads) {
        threads.rouse_waits();
        self.closed.notify_all();
    }

    /// Waits until the last thread goes to sleep.
    pub(crate) fn wait_for_rest(&self) {
        let mut threads = self.threads();
        if !threads.at_rest() {
            threads.resting += 1;
            let waited = self.rest.wait(threads);
            waited.unwrap_or_else(PoisonError::into_inner).resting -= 1;
        }
    }

    /// The caller has joined threads of a closed pool: waits for those that others join, or that are a
    /// host's, and for whoever helps.
    pub(crate) fn end_joining(&self) {
        let mut threads = self.threads();
        threads.joining -= 1;
        self.notify_rest();
        threads.resting += 1;
        while !threads.has_ended() {
            threads = self.rest.wait(threads).unwrap_or_else(PoisonError::into_inner);
        }
        threads.resting -= 1;
    }

    /// Whether the calling thread does this pool's work, or helps it to. It must not wait for itself.
    pub(crate) fn is_served_here(&self) -> bool {
        let here = Parker::current();
        context::works_for(self)
            || self.threads().helpers.iter().any(|helper| Arc::ptr_eq(helper, &here))
    }

    /// Wakes those in `wait_for_rest`.
    pub(crate) fn notify_rest(&self) {
        self.rest.notify_all();
    }

    /// Fails all that is queued, once the pool is closed: see "the late submission" in `phase.rs`.
    pub(crate) fn fail_queued(&self) {
        fence(Ordering::SeqCst);
        while let Some(entry) = self.take_any() {
            worker::stop_entry(entry);
        }
        while let Some(rest) = self.queue.take_rest() {
            drop(rest);
        }
    }

    /// The pool is quiet and is to stop (see `is_quiet` for `besides`): what still waits can't be
    /// helped any more. When nothing does, the pool is closed.
    pub(crate) fn finish_stop(&self, besides: usize) {
        let patience = Deadline::after(PATIENCE);
        loop {
            // Before the look at the queue: who had a task of ours in hand has queued it when that ends.
            let counted = self.is_counted();
            if !self.is_quiet(besides) {
                return;
            }
            // What has its input was accepted to run: its queueing is a matter of moments.
            if self.has_news() && !patience.is_over() {
                yield_now();
                continue;
            }
            if self.fail_waiting() {
                continue;
            }
            match (counted, self.is_counted()) {
                (false, _) => {}
                (true, false) => continue,
                // Somebody has a task of ours in hand, or is about to visit one, and says when it is queued.
                (true, true) => return,
            }
            let hopeless = self.threads().hopeless();
            if hopeless.is_empty() {
                return self.close();
            }
            // The work goes on with an error, and its worker comes back here when it is done.
            for wait in hopeless {
                wait.fail(super::deadlock::stopped(&wait));
            }
            return;
        }
    }

    /// The next task for a thread without a deque here.
    pub(crate) fn take_any(&self) -> Option<Entry> {
        self.queue.take_injected().or_else(|| self.queue.steal(0)).or_else(|| {
            // The rest of a long list may have one.
            self.queue.take_rest()?.visit(&mut crate::core::ToHomes);
            self.queue.take_injected().or_else(|| self.queue.steal(0))
        })
    }

    /// How many threads there may be, with the spare ones.
    pub(crate) fn most_threads(&self, threads: &Threads) -> usize {
        threads.wanted.saturating_add(self.config.max_spares)
    }

    /// One more worker, where threads are blocked and the cap allows it.
    pub(crate) fn start_spare(&self) {
        if let Some(host) = self.host() {
            return self.call_worker(host);
        }
        let mut threads = self.threads();
        let room = threads.alive < self.most_threads(&threads);
        if room && self.attention.is_short() && !self.call_reserve(&mut threads) {
            let started = worker::start(&self.arc(), &mut threads);
            self.try_again(threads, started);
        }
    }

    /// Brings the number of workers up to what is wanted.
    pub(crate) fn start_workers(&self) -> io::Result<()> {
        let mut threads = self.threads();
        // Those of a host come when there is work.
        self.publish(&threads);
        let is_open = !self.is_closed() && !self.is_hosted();
        let mut started = Ok(());
        while is_open && started.is_ok() && threads.workers() < threads.wanted {
            started = worker::start(&self.arc(), &mut threads);
        }
        self.phase.set_starves(started.is_err() && threads.workers() == 0);
        started
    }

    /// As `start_workers`; what can't be had now is tried again after a while.
    pub(crate) fn want_workers(&self) {
        let started = self.start_workers();
        self.try_again(self.threads(), started);
    }

    /// Where a thread could not be started it is tried again by time. It is a timer that does, or, where
    /// there is no thread for that either, whoever waits.
    pub(crate) fn try_again(&self, mut threads: MutexGuard<'_, Threads>, last: io::Result<()>) {
        let Err(error) = last else { return };
        if std::mem::replace(&mut threads.tries_again, true) {
            return;
        }
        drop(threads);
        no_thread(&error);
        let shared = Arc::downgrade(&self.arc());
        let again = move || {
            let Some(shared) = shared.upgrade() else { return };
            shared.threads().tries_again = false;
            shared.want_workers();
            if !shared.queue.is_empty() {
                shared.start_spare();
            }
        };
        let _ = Timers::system().after(AGAIN, Box::new(again));
        self.rouse_waits(&self.threads());
    }

    /// Why work of this pool is turned down.
    pub(crate) fn turned_down(&self, hop: Hop) -> Error {
        if self.phase.starves() && self.phase.is_open() {
            let words = "did not run: no thread could be started for its pool";
            return Error::outside(ErrorKind::Stopped, hop, words);
        }
        Error::stopped(hop)
    }

    pub(crate) fn wanted(&self) -> usize {
        lock(&self.threads).wanted
    }
}

/// How long a stop waits for those who have set a result to say so to what waits for it. They need no more
/// than to be on a processor; but one of them may have called the stop.
const PATIENCE: Duration = Duration::from_millis(500);

impl IsHome for State {
    const KIND: u8 = 0;

    #[inline]
    fn schedule(home: &Homed<Self>, entry: Entry) {
        worker::schedule(home, entry);
    }

    fn queue(home: &Homed<Self>, entry: Entry) {
        worker::inject(home, entry);
    }

    fn rest(home: &Homed<Self>, rest: Rest) {
        home.put_rest(rest);
    }

    fn meet(home: &Homed<Self>, upstream: &TaskRef) -> bool {
        home.meets(upstream)
    }

    fn hold(home: &Homed<Self>) {
        home.count_in();
    }

    fn met(home: &Homed<Self>) {
        home.count_out();
    }

    fn sleeps(home: &Homed<Self>, task: &TaskRef, hidden: bool) {
        home.sleeps(task, hidden);
    }

    fn over(_: &Homed<Self>, _: &TaskRef, _: Option<&Error>) {}

    fn hook(home: &Homed<Self>) -> Option<Hook> {
        home.hook()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        needed::count_workers(
            if self.config.host.is_some() { 0 } else { lock(&self.threads).wanted },
            1,
        );
    }
}
