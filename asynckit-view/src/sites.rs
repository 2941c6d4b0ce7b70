//! Where tasks come from: the places in the source that call functions. And which place each task is of
//! that is under way.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use papaya::HashMap;

/// A function, called at a place.
pub(crate) struct Site {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    pub(crate) at: &'static Location<'static>,
    pub(crate) counts: Counts,
}

/// What became of its tasks.
#[derive(Default)]
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
    pub(crate) fn add(count: &AtomicU64, more: u64) {
        count.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(count: &AtomicU64) -> u64 {
        count.load(Ordering::Relaxed)
    }
}

/// All sites that were met. Nobody waits for anybody in it.
#[derive(Default)]
pub(crate) struct Sites {
    known: HashMap<(usize, usize), Arc<Site>>,
    last: AtomicU64,
}

impl Sites {
    /// The site of a call. Two that are met at the same time by two threads may take two numbers, of which one is
    /// never used.
    pub(crate) fn of(&self, name: &'static str, at: &'static Location<'static>) -> Arc<Site> {
        let known = self.known.pin();
        let key = key(name, at);
        if let Some(site) = known.get(&key) {
            return site.clone();
        }
        let number = u32::try_from(self.last.fetch_add(1, Ordering::Relaxed)).unwrap_or(u32::MAX);
        let site = Arc::new(Site { number, name, at, counts: Counts::default() });
        known.get_or_insert(key, site).clone()
    }

    /// In the order in which they were met.
    pub(crate) fn all(&self) -> Vec<Arc<Site>> {
        let mut all: Vec<_> = self.known.pin().values().cloned().collect();
        all.sort_unstable_by_key(|site| site.number);
        all
    }
}

/// A call is known by where its name and its place lie in memory.
pub(crate) fn key(name: &'static str, at: &'static Location<'static>) -> (usize, usize) {
    (name.as_ptr().addr(), std::ptr::from_ref(at).addr())
}

/// What is known of tasks under way.
pub(crate) struct Live<T>(HashMap<u64, T>);

impl<T> Default for Live<T> {
    fn default() -> Live<T> {
        Live(HashMap::new())
    }
}

impl<T: Clone> Live<T> {
    pub(crate) fn begin(&self, task: u64, what: T) {
        self.0.pin().insert(task, what);
    }

    pub(crate) fn has(&self, task: u64) -> bool {
        self.0.pin().contains_key(&task)
    }

    pub(crate) fn get(&self, task: u64) -> Option<T> {
        self.0.pin().get(&task).cloned()
    }

    pub(crate) fn end(&self, task: u64) -> Option<T> {
        self.0.pin().remove(&task).cloned()
    }
}
