//! What is ready to run: a queue for what comes from outside, and a deque for each worker, from
//! which the others steal.

use crate::core::{Entry, ListRest, TaskRef};
use crate::observe::Queued;
use crate::pool::draw::Seeded;
use crate::sync::deque::{Injector, Steal, Stealer, Worker as Deque};
use crate::sync::{AtomicU32, AtomicUsize, Condvar, Mutex, Ordering, RwLock, lock};
use crate::terms::Priority;

pub(crate) struct Queue {
    injected: Injector<Entry>,
    ranked: Ranked,
    stealers: RwLock<Vec<Stealers>>,
    /// The rest of long lists of dependents, for who has nothing else to do.
    rests: Mutex<Vec<ListRest>>,
    has_rests: AtomicUsize,
    capacity: Option<Capacity>,
    /// Has all of it, in a deterministic pool.
    seeded: Option<Seeded>,
}

/// What others may take of a worker's.
struct Stealers {
    id: usize,
    /// What it has taken, many at once.
    taken: Stealer<Entry>,
    deque: Stealer<Entry>,
}

/// All, first those after `id`.
fn from(stealers: &[Stealers], id: usize) -> impl Iterator<Item = &Stealers> {
    let start = stealers.iter().position(|its| its.id > id).unwrap_or(0);
    let (before, after) = stealers.split_at(start);
    after.iter().chain(before)
}

/// How much work from outside may be queued, and how much is.
struct Capacity {
    most: usize,
    taken: AtomicUsize,
    blocked: Mutex<()>,
    freed: Condvar,
}

impl Queue {
    pub(crate) fn new(capacity: Option<usize>, seeded: Option<Seeded>) -> Queue {
        let capacity = capacity.map(|most| Capacity {
            most,
            taken: AtomicUsize::new(0),
            blocked: Mutex::new(()),
            freed: Condvar::new(),
        });
        Queue {
            injected: Injector::new(),
            ranked: Ranked::default(),
            stealers: RwLock::new(Vec::new()),
            rests: Mutex::new(Vec::new()),
            has_rests: AtomicUsize::new(0),
            capacity,
            seeded,
        }
    }

    /// What decides the order, in a deterministic pool.
    pub(crate) fn seeded(&self) -> Option<&Seeded> {
        self.seeded.as_ref()
    }

    /// From outside, or from a thread that has no deque here.
    pub(crate) fn inject(&self, entry: Entry) {
        if let Some(seeded) = &self.seeded {
            return seeded.push(entry, Priority::Normal);
        }
        self.injected.push(entry);
    }

    pub(crate) fn take_injected(&self) -> Option<Entry> {
        match &self.seeded {
            Some(seeded) => seeded.pop(),
            None => until_done(|| self.injected.steal()),
        }
    }

    /// As `take_injected`, and what was queued next goes to this deque: many go at once, so that the queue's words move
    /// from core to core once for all of them.
    pub(crate) fn take_many_injected(&self, to: &Deque<Entry>) -> Option<Entry> {
        match &self.seeded {
            Some(seeded) => seeded.pop(),
            None => until_done(|| self.injected.steal_batch_and_pop(to)),
        }
    }

    /// Work of another than the usual priority.
    pub(crate) fn put_ranked(&self, entry: Entry, priority: Priority) {
        match &self.seeded {
            Some(seeded) => seeded.push(entry, priority),
            None => self.ranked.put(entry, priority),
        }
    }

    /// In what order to take the next piece of work, where there is any of that.
    pub(crate) fn order(&self) -> [Priority; 3] {
        Priority::order(self.ranked.taken.fetch_add(1, Ordering::Relaxed))
    }

    /// Takes some of that, of this priority.
    pub(crate) fn take_ranked(&self, priority: Priority) -> Option<Entry> {
        self.ranked.take(priority)
    }

    /// Whether there is any.
    pub(crate) fn has_ranked(&self) -> bool {
        self.ranked.len() > 0
    }

    /// From now on others may take what a worker has taken, and what it has on its deque.
    pub(crate) fn add_stealers(&self, id: usize, taken: Stealer<Entry>, deque: Stealer<Entry>) {
        let its = Stealers { id, taken, deque };
        self.stealers.write().unwrap_or_else(|e| e.into_inner()).push(its);
    }

    pub(crate) fn remove_stealers(&self, id: usize) {
        self.stealers.write().unwrap_or_else(|e| e.into_inner()).retain(|its| its.id != id);
    }

    /// Takes the oldest that somebody has, first of those after `id`.
    pub(crate) fn steal(&self, id: usize) -> Option<Entry> {
        self.steal_by(id, |deque| deque.steal())
    }

    /// Likewise, and up to half of what else is on that worker's deque goes to this one, in that order.
    pub(crate) fn steal_many(&self, id: usize, to: &Deque<Entry>) -> Option<Entry> {
        self.steal_by(id, |deque| {
            let oldest = deque.steal();
            if oldest.is_success() {
                let _ = deque.steal_batch(to);
            }
            oldest
        })
    }

    /// Takes the oldest of what a worker has taken, first of those after `id`, and its own last: so each has somebody who
    /// looks there first.
    #[cold]
    pub(crate) fn steal_taken(&self, id: usize) -> Option<Entry> {
        let stealers = self.stealers.read().unwrap_or_else(|e| e.into_inner());
        from(&stealers, id).find_map(|its| until_done(|| its.taken.steal()))
    }

    fn steal_by(
        &self,
        id: usize,
        steal: impl Fn(&Stealer<Entry>) -> Steal<Entry>,
    ) -> Option<Entry> {
        let stealers = self.stealers.read().unwrap_or_else(|e| e.into_inner());
        from(&stealers, id).find_map(|its| {
            until_done(|| its.taken.steal()).or_else(|| until_done(|| steal(&its.deque)))
        })
    }

    /// What is queued, as far as that is not too much.
    pub(crate) fn tasks(&self, most: usize) -> Vec<TaskRef> {
        if let Some(seeded) = &self.seeded {
            return seeded.tasks();
        }
        let mut tasks = Vec::new();
        let mut look = |take: &dyn Fn() -> Option<Entry>, put: &dyn Fn(Entry)| {
            let entries: Vec<Entry> = std::iter::from_fn(take).take(most).collect();
            tasks.extend(entries.iter().map(Entry::reference));
            entries.into_iter().for_each(put);
        };
        look(&|| self.take_injected().or_else(|| self.steal(0)), &|entry| self.inject(entry));
        for priority in [Priority::High, Priority::Low] {
            look(&|| self.ranked.take(priority), &|entry| self.ranked.put(entry, priority));
        }
        tasks
    }

    /// How much there is of what.
    pub(crate) fn lengths(&self) -> Queued {
        let stealers = self.stealers.read().unwrap_or_else(|e| e.into_inner());
        let seeded = self.seeded.as_ref().map(Seeded::len);
        Queued {
            from_outside: seeded.unwrap_or_else(|| self.injected.len() + self.ranked.len()),
            on_workers: stealers.iter().map(|its| its.taken.len() + its.deque.len()).sum(),
            lists: self.has_rests.load(Ordering::SeqCst),
            capacity: self
                .capacity
                .as_ref()
                .map(|all| (all.taken.load(Ordering::Acquire), all.most)),
        }
    }

    pub(crate) fn put_rest(&self, rest: ListRest) {
        lock(&self.rests).push(rest);
        self.has_rests.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn take_rest(&self) -> Option<ListRest> {
        if !self.has_rests() {
            return None;
        }
        let rest = lock(&self.rests).pop();
        if rest.is_some() {
            self.has_rests.fetch_sub(1, Ordering::SeqCst);
        }
        rest
    }

    fn has_rests(&self) -> bool {
        self.has_rests.load(Ordering::SeqCst) != 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        if self.has_rests() {
            return false;
        }
        if let Some(seeded) = &self.seeded {
            return seeded.is_empty();
        }
        let stealers = self.stealers.read().unwrap_or_else(|e| e.into_inner());
        self.injected.is_empty()
            && self.ranked.len() == 0
            && stealers.iter().all(|its| its.taken.is_empty() && its.deque.is_empty())
    }

    pub(crate) fn has_capacity(&self) -> bool {
        self.capacity.is_some()
    }

    /// Takes a place for work from outside; false at the limit.
    pub(crate) fn try_enter(&self) -> bool {
        let Some(capacity) = &self.capacity else {
            return true;
        };
        let more = |taken| (taken < capacity.most).then_some(taken + 1);
        // ORDERING: AcqRel pairs with `leave`: a place is taken after it was given back.
        capacity.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    /// Whether there is a place now.
    pub(crate) fn has_room(&self) -> bool {
        let taken = |capacity: &Capacity| capacity.taken.load(Ordering::Acquire);
        self.capacity.as_ref().is_none_or(|capacity| taken(capacity) < capacity.most)
    }

    /// Waits for a place, or until `give_up` says so; it is looked at when places are given back
    /// and at `wake_blocked`.
    pub(crate) fn enter(&self, give_up: impl Fn() -> bool) -> bool {
        let Some(capacity) = &self.capacity else {
            return true;
        };
        let mut guard = lock(&capacity.blocked);
        loop {
            if give_up() {
                return false;
            }
            if self.try_enter() {
                return true;
            }
            guard = capacity.freed.wait(guard).unwrap_or_else(|e| e.into_inner());
        }
    }

    /// Gives a place back: its work has begun, or never will.
    pub(crate) fn leave(&self) {
        let Some(capacity) = &self.capacity else {
            return;
        };
        // *Named race, "the full queue":* under the lock, so that it can't fall between a blocked
        // submitter's look and its sleep.
        let guard = lock(&capacity.blocked);
        capacity.taken.fetch_sub(1, Ordering::AcqRel);
        drop(guard);
        capacity.freed.notify_one();
    }

    pub(crate) fn wake_blocked(&self) {
        if let Some(capacity) = &self.capacity {
            drop(lock(&capacity.blocked));
            capacity.freed.notify_all();
        }
    }
}

/// An entry, in queues that are compiled apart from the others: what has one caller is a part of it.
struct Other(Entry);

/// What is not of the usual priority.
#[derive(Default)]
struct Ranked {
    high: Injector<Other>,
    low: Injector<Other>,
    /// How much of both; counted before it is put there.
    count: AtomicUsize,
    /// How often work was taken while there was any.
    taken: AtomicU32,
}

impl Ranked {
    fn of(&self, priority: Priority) -> &Injector<Other> {
        if priority == Priority::High { &self.high } else { &self.low }
    }

    fn put(&self, entry: Entry, priority: Priority) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.of(priority).push(Other(entry));
    }

    fn take(&self, priority: Priority) -> Option<Entry> {
        if self.len() == 0 {
            return None;
        }
        let Other(entry) = until_done(|| self.of(priority).steal())?;
        self.count.fetch_sub(1, Ordering::SeqCst);
        Some(entry)
    }

    fn len(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

/// Steals, until that was not in vain or there is nothing.
#[inline(always)]
pub(super) fn until_done<T>(steal: impl Fn() -> Steal<T>) -> Option<T> {
    loop {
        match steal() {
            Steal::Success(entry) => return Some(entry),
            Steal::Empty => return None,
            Steal::Retry => std::hint::spin_loop(),
        }
    }
}
