//! Where tasks come from: the places in the source that call functions.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use papaya::HashMap;

use crate::sync::{lock, map};

/// A function, called at a place.
pub(crate) struct Site {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    pub(crate) at: &'static Location<'static>,
    /// By threads, so that these seldom meet.
    counts: [Counts; PARTS],
}

const PARTS: usize = 8;

/// What became of its tasks. On a line of its own.
#[derive(Default)]
#[repr(align(64))]
pub(crate) struct Counts {
    pub(crate) submitted: AtomicU64,
    pub(crate) ended: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// Ended without having begun.
    pub(crate) skipped: AtomicU64,
    /// Nanoseconds of run time, of those that ran to their end.
    pub(crate) total: AtomicU64,
}

impl Counts {
    /// One more, or so much more, of something that is only looked at.
    #[inline]
    pub(crate) fn add(count: &AtomicU64, more: u64) {
        count.fetch_add(more, Ordering::Relaxed);
    }
}

impl Site {
    /// A count of all threads.
    pub(crate) fn sum(&self, of: impl Fn(&Counts) -> &AtomicU64) -> u64 {
        self.counts.iter().map(|counts| of(counts).load(Ordering::Relaxed)).sum()
    }
}

/// All sites that were met.
pub(crate) struct Sites {
    /// By name and place, so that nobody waits for anybody who asks for one that was met before.
    known: HashMap<(usize, usize), Arc<Site>>,
    /// By their numbers.
    all: Mutex<Vec<Arc<Site>>>,
}

impl Default for Sites {
    fn default() -> Sites {
        Sites { known: map(), all: Mutex::default() }
    }
}

impl Sites {
    /// The number of a call's site.
    fn number(&self, name: &'static str, at: &'static Location<'static>) -> u32 {
        let (known, key) = (self.known.pin(), key(name, at));
        if let Some(site) = known.get(&key) {
            return site.number;
        }
        let mut all = lock(&self.all);
        // Another thread may have met it meanwhile.
        let site = known.get_or_insert_with(key, || {
            let number = u32::try_from(all.len()).unwrap_or(u32::MAX);
            Arc::new(Site { number, name, at, counts: Default::default() })
        });
        if site.number as usize == all.len() {
            all.push(site.clone());
        }
        site.number
    }

    /// Lets go of all. Of what is met later there is nothing to be seen.
    pub(crate) fn end(&self) {
        self.known.pin().clear();
        *lock(&self.all) = Vec::new();
    }

    /// In the order in which they were met.
    pub(crate) fn all(&self) -> Vec<Arc<Site>> {
        lock(&self.all).clone()
    }
}

/// A call is known by where its name and its place lie in memory.
fn key(name: &'static str, at: &'static Location<'static>) -> (usize, usize) {
    (name.as_ptr().addr(), std::ptr::from_ref(at).addr())
}

/// What a thread has at hand of them.
pub(crate) struct SitesHere {
    /// Those that it has met last, with their numbers.
    met: Box<[((usize, usize), u32); AT_HAND]>,
    /// The first ones of all.
    all: Vec<Arc<Site>>,
    /// Its part of the counts.
    part: usize,
}

/// The sites that a thread keeps at hand.
const AT_HAND: usize = 64;

impl SitesHere {
    pub(crate) fn new() -> SitesHere {
        static LAST: AtomicUsize = AtomicUsize::new(0);
        let part = LAST.fetch_add(1, Ordering::Relaxed) % PARTS;
        SitesHere { met: Box::new([((0, 0), 0); AT_HAND]), all: Vec::new(), part }
    }

    /// The number of a site.
    #[inline]
    pub(crate) fn number(
        &mut self,
        sites: &Sites,
        name: &'static str,
        at: &'static Location<'static>,
    ) -> u32 {
        let key = key(name, at);
        let place = &mut self.met[((key.0 ^ key.1.rotate_right(7)) >> 3) % AT_HAND];
        if place.0 != key {
            *place = (key, sites.number(name, at));
        }
        place.1
    }

    /// Where this thread counts what becomes of the tasks of a site.
    #[inline]
    pub(crate) fn counts(&mut self, sites: &Sites, number: u32) -> Option<&Counts> {
        if self.all.len() <= number as usize {
            self.all = sites.all();
        }
        Some(&self.all.get(number as usize)?.counts[self.part])
    }
}
