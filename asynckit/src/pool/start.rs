//! Making a pool, and starting its threads.

use std::io;
use std::time::Duration;

use crate::core::{Stacks, depth};
use crate::observe::{Counts, Onlooker, Onlookers};
use crate::panic;
use crate::pool::attached::Keepers;
use crate::pool::attention::Attention;
use crate::pool::config::Config;
use crate::pool::draw::Seeded;
use crate::pool::known::Roots;
use crate::pool::phase::Phase;
use crate::pool::queue::Queue;
use crate::pool::shared::{PoolState, Shared, Sleeping};
use crate::pool::threads::{Threads, count_workers};
use crate::pool::{life, registry};
use crate::sync::{Arc, Mutex, MutexGuard, OnceLock};
use crate::terms::{AGAIN, Timers, no_thread};

impl Shared {
    pub(crate) fn make(mut config: Config) -> Arc<Shared> {
        // A hosted pool may have to count on threads that wait for it.
        count_workers(1, if config.host.is_some() { 0 } else { config.workers });
        panic::note_places(|| depth() > 0);
        let threads = Threads::wanting(config.workers);
        let seeded = config.seed.map(|seed| Seeded::new(seed, config.fault));
        let clock = seeded.as_ref().map(|seeded| {
            let timers = seeded.timers().clone();
            Box::new(move || timers.now()) as Box<dyn Fn() -> Duration + Send + Sync>
        });
        let watch = config.watch.then(|| Arc::new(Counts::new()));
        let mut onlookers: Vec<Onlooker> = config.attached.onlooker().into_iter().collect();
        onlookers.append(&mut config.onlookers);
        onlookers.extend(watch.clone().map(Onlooker::new));
        let plain = seeded.is_none() && config.queue_capacity.is_none();
        let shared = Shared::new_home(PoolState {
            queue: Queue::new(config.queue_capacity, seeded),
            threads: Mutex::new(threads),
            attention: Attention::new(),
            sleeping: Sleeping::default(),
            elsewhere: Sleeping::default(),
            phase: Phase::open(plain),
            stacks: Stacks::none(),
            roots: Roots::default(),
            onlookers: Onlookers::none(config.hook.take(), clock),
            watch,
            looked_at: Mutex::default(),
            keepers: Keepers::default(),
            ending: OnceLock::new(),
            config,
        });
        registry::add(&shared);
        onlookers.into_iter().for_each(|onlooker| shared.observe(onlooker));
        shared
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
            let started = life::start(&self.arc(), &mut threads);
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
            started = life::start(&self.arc(), &mut threads);
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
        self.threads().rouse_waits();
    }
}
