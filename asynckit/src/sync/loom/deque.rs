//! Queues as `crossbeam_deque` has them, which the model checker sees: no step promises more than to hand on what came
//! before the push, and a look from afar may see how long a queue has been.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

pub(crate) use crossbeam_deque::Steal;
use loom::sync::atomic::Ordering;

use super::AtomicUsize;

struct Inner<T> {
    /// How many there are: each step on it is followed by one on these.
    len: AtomicUsize,
    entries: Mutex<VecDeque<T>>,
}

impl<T> Inner<T> {
    fn new() -> Inner<T> {
        Inner { len: AtomicUsize::new(0), entries: Mutex::new(VecDeque::new()) }
    }

    fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    fn push(&self, entry: T) {
        self.len.fetch_add(1, Ordering::Release);
        self.entries.lock().unwrap().push_back(entry);
    }

    fn take(&self, how: impl Fn(&mut VecDeque<T>) -> Option<T>) -> Option<T> {
        let mut len = self.len();
        while len > 0 {
            match self.len.compare_exchange(len, len - 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return how(&mut self.entries.lock().unwrap()),
                Err(now) => len = now,
            }
        }
        None
    }

    fn steal(&self) -> Steal<T> {
        self.take(VecDeque::pop_front).map_or(Steal::Empty, Steal::Success)
    }

    /// Half of what there is.
    fn steal_batch(&self, to: &Worker<T>) -> Steal<()> {
        let most = self.len().div_ceil(2);
        let mut any = false;
        for _ in 0..most {
            if let Some(entry) = self.take(VecDeque::pop_front) {
                any = true;
                to.push(entry);
            }
        }
        if any { Steal::Success(()) } else { Steal::Empty }
    }
}

pub(crate) struct Injector<T>(Inner<T>);

impl<T> Default for Injector<T> {
    fn default() -> Injector<T> {
        Injector::new()
    }
}

impl<T> Injector<T> {
    pub(crate) fn new() -> Injector<T> {
        Injector(Inner::new())
    }

    pub(crate) fn push(&self, entry: T) {
        self.0.push(entry);
    }

    pub(crate) fn steal(&self) -> Steal<T> {
        self.0.steal()
    }

    pub(crate) fn steal_batch_and_pop(&self, to: &Worker<T>) -> Steal<T> {
        let first = self.0.steal();
        if first.is_success() {
            let _ = self.0.steal_batch(to);
        }
        first
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

pub(crate) struct Worker<T> {
    inner: Arc<Inner<T>>,
    newest_first: bool,
}

impl<T> Worker<T> {
    pub(crate) fn new_lifo() -> Worker<T> {
        Worker { inner: Arc::new(Inner::new()), newest_first: true }
    }

    pub(crate) fn new_fifo() -> Worker<T> {
        Worker { inner: Arc::new(Inner::new()), newest_first: false }
    }

    pub(crate) fn push(&self, entry: T) {
        self.inner.push(entry);
    }

    pub(crate) fn pop(&self) -> Option<T> {
        let newest_first = self.newest_first;
        let pop =
            |all: &mut VecDeque<T>| if newest_first { all.pop_back() } else { all.pop_front() };
        self.inner.take(pop)
    }

    pub(crate) fn stealer(&self) -> Stealer<T> {
        Stealer(self.inner.clone())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inner.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.inner.len()
    }
}

pub(crate) struct Stealer<T>(Arc<Inner<T>>);

impl<T> Stealer<T> {
    pub(crate) fn steal(&self) -> Steal<T> {
        self.0.steal()
    }

    pub(crate) fn steal_batch(&self, to: &Worker<T>) -> Steal<()> {
        self.0.steal_batch(to)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
