//! What a program attaches to a pool: hooks for the beginning and the end of its workers, contexts, and what workers keep.

use crate::error::{Error, Hook, Hop};
use crate::foreign;
use crate::observe::{Capture, Contexts, Onlooker};
use crate::panic;
use crate::sync::thread::{self, ThreadId};
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering, Weak, lock};

/// What is called on a worker.
#[derive(Clone)]
pub(crate) struct WorkerHook {
    hop: Hop,
    call: Arc<dyn Fn() + Send + Sync>,
}

impl WorkerHook {
    pub(crate) fn new(hop: Hop, call: impl Fn() + Send + Sync + 'static) -> WorkerHook {
        WorkerHook { hop, call: Arc::new(call) }
    }

    /// A panic is told to the pool's hook, and harms nobody else.
    fn call(&self, hook: impl FnOnce() -> Option<Hook>) {
        if let Err(payload) = panic::catch(|| foreign::noting(|| (self.call)())) {
            // Dropped unseen, it goes to the hook.
            drop(Error::panicked(self.hop, payload, hook()));
        }
    }
}

/// As the builder was told.
#[derive(Clone, Default)]
pub(crate) struct Attached {
    pub(crate) starts: Vec<WorkerHook>,
    pub(crate) stops: Vec<WorkerHook>,
    pub(crate) contexts: Vec<Capture>,
}

impl Attached {
    /// A worker begins.
    pub(crate) fn starts(&self, hook: impl Fn() -> Option<Hook>) {
        self.starts.iter().for_each(|one| one.call(&hook));
    }

    /// A worker ends: the last that was said first, as what begins later ends earlier.
    pub(crate) fn stops(&self, hook: impl Fn() -> Option<Hook>) {
        self.stops.iter().rev().for_each(|one| one.call(&hook));
    }

    /// Who sees to the contexts, if there are any.
    pub(crate) fn onlooker(&mut self) -> Option<Onlooker> {
        let contexts = std::mem::take(&mut self.contexts);
        (!contexts.is_empty()).then(|| Onlooker::new(Contexts::new(contexts)))
    }
}

/// What keeps something for a pool's workers.
pub(crate) trait Keeps: Send + Sync {
    /// The calling worker leaves: what it has made, and nobody uses now, is dropped.
    fn worker_leaves(&self);
    /// The pool has ended: so is all else.
    fn pool_ends(&self);
}

/// All that keep something, and for whom.
#[derive(Default)]
pub(crate) struct Keepers {
    all: Mutex<Vec<Weak<dyn Keeps>>>,
    /// The workers that are there: from before their first hook until after their last one.
    workers: Mutex<Vec<ThreadId>>,
    /// How many are about to have left.
    leaving: AtomicUsize,
}

impl Keepers {
    pub(crate) fn add(&self, keeper: Weak<dyn Keeps>) {
        let mut all = lock(&self.all);
        all.retain(|keeper| keeper.strong_count() > 0);
        all.push(keeper);
    }

    /// Those that are there, the newest first.
    fn all(&self) -> Vec<Arc<dyn Keeps>> {
        lock(&self.all).iter().rev().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn worker_comes(&self) {
        lock(&self.workers).push(thread::current().id());
    }

    /// `for_good`: the thread does not come again.
    pub(crate) fn worker_leaves(&self, for_good: bool) {
        // First, so that what it has used last and gives back is not taken for what nobody comes to drop.
        self.leaving.fetch_add(1, Ordering::SeqCst);
        let here = thread::current().id();
        let mut workers = lock(&self.workers);
        if let Some(at) = workers.iter().position(|worker| *worker == here) {
            workers.swap_remove(at);
        }
        drop(workers);
        if for_good {
            self.all().iter().for_each(|keeper| keeper.worker_leaves());
        }
        self.leaving.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether this thread is a worker that has not left.
    pub(crate) fn has_worker(&self, worker: ThreadId) -> bool {
        lock(&self.workers).contains(&worker)
    }

    /// Whether all workers have left.
    pub(crate) fn has_nobody(&self) -> bool {
        lock(&self.workers).is_empty() && self.leaving.load(Ordering::SeqCst) == 0
    }

    pub(crate) fn pool_ends(&self) {
        self.all().iter().for_each(|keeper| keeper.pool_ends());
    }
}
