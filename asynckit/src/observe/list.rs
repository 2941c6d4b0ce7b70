//! The list of those who look on to a pool. It is walked without a lock, and whoever is over is left out.
//!
//! Each has a number, in the order in which they came, and a task is told to those whose number is no greater than that
//! of the newest when it was submitted. Their places only become more: so whoever stands on one that is left out finds the
//! way back to the list.

use std::panic::Location;

use super::observer::Observer;
use crate::panic;
use crate::sync::{Arc, AtomicU32, Mutex, OnceLock, Ordering, lock};

/// One who looks on, and where that was asked for.
pub(crate) struct Onlooker {
    pub(super) observer: Arc<dyn Observer>,
    pub(super) infers_ready: bool,
    pub(super) at: &'static Location<'static>,
    /// Its number, or `OVER`.
    since: AtomicU32,
    /// The number of the next one, or `NOBODY`.
    next: AtomicU32,
}

const NOBODY: u32 = 0;
/// More than the number of anybody.
const OVER: u32 = u32::MAX;

impl Onlooker {
    #[track_caller]
    pub(crate) fn new(observer: impl Observer) -> Onlooker {
        Onlooker::of(Arc::new(observer), Location::caller())
    }

    fn of(observer: Arc<dyn Observer>, at: &'static Location<'static>) -> Onlooker {
        // One that panics is told everything.
        let infers_ready = panic::contain(|| observer.infers_ready()).unwrap_or(false);
        let (since, next) = (AtomicU32::new(OVER), AtomicU32::new(NOBODY));
        Onlooker { observer, infers_ready, at, since, next }
    }

    /// The one that looks on to a single pool.
    pub(crate) fn for_pool(self) -> Onlooker {
        match panic::contain(|| self.observer.for_pool()).flatten() {
            Some(observer) => Onlooker::of(observer, self.at),
            None => self,
        }
    }

    fn is_over(&self) -> bool {
        panic::contain(|| self.observer.is_over()).unwrap_or(false)
    }
}

impl Clone for Onlooker {
    fn clone(&self) -> Onlooker {
        Onlooker::of(self.observer.clone(), self.at)
    }
}

/// Places that lie together, of numbers of one length in digits.
type Places = OnceLock<Box<[OnceLock<Onlooker>]>>;

pub(super) struct OnlookerList {
    /// Who came first, and is the only one, as a rule.
    first: OnceLock<Onlooker>,
    /// The others.
    more: [Places; u32::BITS as usize],
    /// The number of the newest.
    newest: AtomicU32,
    /// How many are not over.
    count: AtomicU32,
    /// Held while it changes.
    changes: Mutex<()>,
}

impl OnlookerList {
    pub(super) fn new() -> OnlookerList {
        OnlookerList {
            first: OnceLock::new(),
            more: [const { OnceLock::new() }; _],
            newest: AtomicU32::new(NOBODY),
            count: AtomicU32::new(0),
            changes: Mutex::new(()),
        }
    }

    /// The number of the newest.
    #[inline]
    pub(super) fn newest(&self) -> u32 {
        // ORDERING: Acquire pairs with `add`: all up to this one are in the list.
        self.newest.load(Ordering::Acquire)
    }

    /// How many there are.
    #[inline]
    pub(super) fn count(&self) -> u32 {
        // ORDERING: Acquire pairs with `add`, too.
        self.count.load(Ordering::Acquire)
    }

    /// Shows all up to this number.
    #[inline(always)]
    pub(super) fn each(&self, newest: u32, mut show: impl FnMut(&Onlooker)) {
        for one in self.all() {
            // ORDERING: Relaxed: who is told has acquired the number of the newest, and who is over has said so himself.
            if one.since.load(Ordering::Relaxed) <= newest {
                show(one);
            }
        }
    }

    /// Those that are in the list: the first also where he is over.
    #[inline(always)]
    fn all(&self) -> impl Iterator<Item = &Onlooker> {
        // ORDERING: Acquire pairs with `add`: the next one is in its place.
        let next = |one: &&Onlooker| match one.next.load(Ordering::Acquire) {
            NOBODY => None,
            next => self.other(next),
        };
        std::iter::successors(self.first.get(), next)
    }

    /// The one of a number, which is not the first.
    #[inline(never)]
    fn other(&self, number: u32) -> Option<&Onlooker> {
        let (row, place) = place_of(number);
        self.more[row].get()?.get(place)?.get()
    }

    /// One more; `then`, as long as nobody else comes or goes.
    pub(super) fn add(&self, onlooker: Onlooker, then: impl FnOnce()) {
        let _changes = lock(&self.changes);
        let number = self.newest.load(Ordering::Relaxed) + 1;
        onlooker.since.store(number, Ordering::Relaxed);
        let place = if number == 1 {
            &self.first
        } else {
            let (row, place) = place_of(number);
            let new = || (0..1 << row).map(|_| OnceLock::new()).collect();
            &self.more[row].get_or_init(new)[place]
        };
        let last = self.all().last();
        // Nobody has had that place.
        let _ = place.set(onlooker);
        if let Some(last) = last {
            // ORDERING: Release, for who walks.
            last.next.store(number, Ordering::Release);
        }
        self.newest.store(number, Ordering::Release);
        self.count.fetch_add(1, Ordering::AcqRel);
        then();
    }

    /// Leaves out those who are over, and shows each of them; `then`, how many are left, as long as nobody else comes or
    /// goes.
    pub(super) fn sweep(&self, mut gone: impl FnMut(&Onlooker), then: impl FnOnce(u32)) {
        // They are asked without a lock.
        let mut over = Vec::new();
        self.each(OVER - 1, |one| {
            if one.is_over() {
                over.push(one.since.load(Ordering::Relaxed));
            }
        });
        if over.is_empty() {
            return;
        }
        let _changes = lock(&self.changes);
        let mut before: Option<&Onlooker> = None;
        for one in self.all() {
            // Another one may have left it out meanwhile.
            if over.contains(&one.since.load(Ordering::Relaxed)) {
                one.since.store(OVER, Ordering::Relaxed);
                self.count.fetch_sub(1, Ordering::AcqRel);
                gone(one);
                if let Some(before) = before {
                    before.next.store(one.next.load(Ordering::Acquire), Ordering::Release);
                    continue;
                }
            }
            before = Some(one);
        }
        then(self.count());
    }
}

/// Where the one of a number has its place.
fn place_of(number: u32) -> (usize, usize) {
    let row = number.max(1).ilog2();
    (row as usize, (number - (1 << row)) as usize)
}
