//! Counts what was submitted and what is done, by function; and the thread that shows it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use asynckit::observe::{Ending, Observer, PoolStopped, TaskEnded, TaskKind, TaskSubmitted};

use super::draw::Drawing;
use crate::here::{Hand, Here};
use crate::live::{Live, LiveHere};
use crate::names::functions;
use crate::sites::{Counts, Sites, SitesHere};
use crate::sync::lock;

/// How far one function is.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Tally {
    pub(super) name: String,
    pub(super) total: u64,
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

#[derive(Default)]
pub(super) struct Counter {
    sites: Sites,
    /// Tasks that count: twice the number of its site, and one more if it is around others that don't.
    live: Live,
    over: Mutex<bool>,
    /// Nothing is counted any more, and nothing kept.
    is_gone: AtomicBool,
    told: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Counter {
    pub(super) fn new() -> Arc<Counter> {
        Arc::default()
    }

    /// Begins to show. Where no thread can be had, nothing is shown: that is no reason to fail.
    pub(super) fn start(self: &Arc<Counter>, mut drawing: Box<dyn Drawing>) {
        let counter = self.clone();
        let thread = thread::Builder::new().name("asynckit-progress".to_owned());
        let running = thread.spawn(move || {
            let begin = Instant::now();
            while !counter.sleep(drawing.every()) {
                drawing.show(&counter.tallies(), begin.elapsed());
            }
            drawing.end(&counter.tallies(), begin.elapsed());
        });
        *lock(&self.thread) = running.ok();
    }

    /// Whether it is over.
    fn sleep(&self, long: Duration) -> bool {
        let over = lock(&self.over);
        let (over, _) = self
            .told
            .wait_timeout_while(over, long, |over| !*over)
            .unwrap_or_else(PoisonError::into_inner);
        *over
    }

    /// The last is shown when this returns.
    pub(super) fn end(&self) {
        *lock(&self.over) = true;
        self.told.notify_all();
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            // If its output panics, that is said already.
            let _ = thread.join();
        }
        // ORDERING: Relaxed: a little later does as well.
        self.is_gone.store(true, Ordering::Relaxed);
        self.live.end();
        self.sites.end();
    }

    /// By function, in the order in which they were met.
    fn tallies(&self) -> Vec<Tally> {
        let sites = self.sites.all();
        let (names, function_of) = functions(&sites);
        let mut tallies: BTreeMap<u32, Tally> = BTreeMap::new();
        for (site, &function) in sites.iter().zip(&function_of) {
            let name = || names[function as usize].clone();
            let tally = tallies
                .entry(function)
                .or_insert_with(|| Tally { name: name(), ..Tally::default() });
            // What is done first, as there may be more meanwhile.
            tally.done += site.sum(|counts| &counts.ended);
            tally.failed += site.sum(|counts| &counts.failed);
            tally.skipped += site.sum(|counts| &counts.skipped);
            tally.total += site.sum(|counts| &counts.submitted);
        }
        tallies.into_values().collect()
    }
}

const IS_AROUND: u32 = 1;
/// In place of a site's number, of what is a part of a call that counts.
const NO_SITE: u32 = (u32::MAX >> 1) - 1;

/// What a thread has at hand of it.
struct CounterPart {
    sites: SitesHere,
    live: LiveHere,
}

impl Hand for CounterPart {
    #[inline(always)]
    fn live(&self) -> &LiveHere {
        &self.live
    }
}

thread_local! {
    static MINE: Here<CounterPart> = const { Here::new() };
}

impl Counter {
    #[inline(always)]
    fn with_mine(&self, f: impl FnOnce(&mut CounterPart)) {
        let new = || CounterPart { sites: SitesHere::new(), live: LiveHere::of(&self.live) };
        Here::with(&MINE, &self.live, new, f);
    }
}

impl Observer for Counter {
    fn infers_ready(&self) -> bool {
        true
    }

    fn is_over(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }

    fn submitted(&self, event: &TaskSubmitted<'_>) {
        if self.is_over() {
            return;
        }
        self.with_mine(|mine| {
            let around = event.part_of.and_then(|around| mine.live.get(&self.live, around.get()));
            let is_part = around.is_some_and(|known| known & IS_AROUND != 0);
            let is_around = matches!(event.kind, TaskKind::Around | TaskKind::Retry);
            if event.kind == TaskKind::Gather {
                return;
            }
            if is_part {
                // It may be around others of the same call itself.
                if is_around {
                    mine.live.begin(&self.live, event.task.get(), IS_AROUND | NO_SITE << 1);
                }
                return;
            }
            let site = mine.sites.number(&self.sites, event.name, event.at);
            let Some(counts) = mine.sites.counts(&self.sites, site) else { return };
            Counts::add(&counts.submitted, 1);
            mine.live.begin(&self.live, event.task.get(), site << 1 | u32::from(is_around));
        });
    }

    fn ended(&self, event: &TaskEnded<'_>) {
        if self.is_over() {
            return;
        }
        self.with_mine(|mine| {
            let Some(known) = mine.live.end(&self.live, event.task.get()) else { return };
            let Some(counts) = mine.sites.counts(&self.sites, known >> 1) else { return };
            match event.how {
                Ending::Failed(_) => Counts::add(&counts.failed, 1),
                Ending::Skipped(_) | Ending::Late => Counts::add(&counts.skipped, 1),
                _ => {}
            }
            Counts::add(&counts.ended, 1);
        });
    }

    fn pool_stopped(&self, _event: &PoolStopped<'_>) {
        self.end();
    }
}
