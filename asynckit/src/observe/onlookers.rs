//! Those who look on to a pool, and how they are told.
//!
//! The list only grows, so that it is walked without a lock, and a task need only know how many there were when it
//! was submitted: it is told to these.

use std::panic::Location;
use std::time::Duration;

use super::clock::{When, now, time};
use super::events::Clock;
use super::ids::PoolId;
use super::observer::{Event, Observer};
use crate::error::{Error, Hook, Hop};
use crate::foreign;
use crate::panic;
use crate::sync::{Arc, AtomicUsize, Mutex, OnceLock, Ordering, lock};

/// One who looks on to whatever has no pool, too, and is not in any list. A thin pointer, as each task that is seen
/// has it.
pub(crate) type Everywhere = Option<&'static &'static dyn Observer>;

/// Who looks on to a pool.
pub(crate) struct Onlookers {
    pool: PoolId,
    first: Next,
    count: AtomicUsize,
    /// How many of them want to be told each `ready`.
    wants_ready: AtomicUsize,
    /// Who is told of those that panic.
    hook: Mutex<Option<Hook>>,
    /// Of a pool that has a clock of its own.
    clock: Option<Box<dyn Fn() -> Duration + Send + Sync>>,
}

type Next = OnceLock<Box<Onlooker>>;

/// One who looks on, and where that was asked for.
pub(crate) struct Onlooker {
    observer: Arc<dyn Observer>,
    infers_ready: bool,
    at: &'static Location<'static>,
    next: Next,
}

impl Onlooker {
    #[track_caller]
    pub(crate) fn new(observer: impl Observer) -> Onlooker {
        Onlooker::of(Arc::new(observer), Location::caller())
    }

    fn of(observer: Arc<dyn Observer>, at: &'static Location<'static>) -> Onlooker {
        // One that panics is told everything.
        let infers_ready = panic::contain(|| observer.infers_ready()).unwrap_or(false);
        Onlooker { observer, infers_ready, at, next: OnceLock::new() }
    }
}

impl Clone for Onlooker {
    fn clone(&self) -> Onlooker {
        Onlooker::of(self.observer.clone(), self.at)
    }
}

/// Something happens now: when, and who is told of it.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) time: Duration,
    pub(crate) pool: PoolId,
    first: Option<&'a Onlooker>,
    /// So many, from the first on.
    count: usize,
    everywhere: Everywhere,
    hook: Option<&'a Mutex<Option<Hook>>>,
}

impl Moment<'_> {
    /// Tells them. One function for all events.
    #[inline(never)]
    pub(crate) fn tell(&self, event: &dyn Event) {
        if let Some(observer) = self.everywhere {
            self.call(*observer, Location::caller(), event);
        }
        let (mut next, mut left) = (self.first, self.count);
        while let Some(one) = next.filter(|_| left > 0) {
            self.call(&*one.observer, one.at, event);
            left -= 1;
            next = if left > 0 { one.next.get().map(|next| &**next) } else { None };
        }
    }

    #[inline]
    fn call(&self, observer: &dyn Observer, at: &'static Location<'static>, event: &dyn Event) {
        // It may use the library.
        if let Err(payload) = panic::catch(|| foreign::call_noted(|| event.tell(observer))) {
            self.panicked(at, payload);
        }
    }

    /// A panic in an observer is told to the hook, and harms nobody.
    #[cold]
    #[inline(never)]
    fn panicked(&self, at: &'static Location<'static>, payload: panic::Payload) {
        let hook = self.hook.and_then(|hook| lock(hook).clone());
        // Dropped unseen, it goes to the hook.
        drop(Error::panicked(Hop { name: &"observer", at }, payload, hook));
    }
}

/// Tells of an event those of a `moment`: its time and its place come by themselves. What time that is.
macro_rules! tell {
    ($moment:expr, $event:ident { $($field:ident $(: $value:expr)?),* $(,)? }) => {{
        let moment = $moment;
        $($(let $field = $value;)?)*
        $crate::observe::Row::with_here(move |row| {
            let (time, pool) = (moment.time, moment.pool);
            moment.tell(&$crate::observe::$event { time, row, pool, $($field),* });
        });
        moment.time
    }};
}
pub(crate) use tell;

impl Onlookers {
    /// Nobody yet.
    pub(crate) fn none(
        hook: Option<Hook>,
        clock: Option<Box<dyn Fn() -> Duration + Send + Sync>>,
    ) -> Arc<Onlookers> {
        Arc::new(Onlookers {
            pool: PoolId::next(),
            first: OnceLock::new(),
            count: AtomicUsize::new(0),
            wants_ready: AtomicUsize::new(0),
            hook: Mutex::new(hook),
            clock,
        })
    }

    /// Lets go of the hook.
    pub(crate) fn drop_hook(&self) {
        let hook = lock(&self.hook).take();
        drop(hook);
    }

    /// All who look on now, and this one.
    pub(crate) fn listeners(self: &Arc<Self>, everywhere: Everywhere) -> Listeners {
        Listeners { onlookers: self.clone(), count: self.count(), everywhere }
    }

    pub(crate) fn clock(&self) -> Clock {
        if self.clock.is_some() { Clock::Virtual } else { Clock::Process }
    }

    #[inline]
    fn time(&self, when: When) -> Duration {
        match &self.clock {
            None => time(when),
            Some(clock) => clock(),
        }
    }

    /// How many there are.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        // ORDERING: Acquire pairs with `add`: so many are in the list.
        self.count.load(Ordering::Acquire)
    }

    /// One more.
    pub(crate) fn add(&self, onlooker: Onlooker) {
        if !onlooker.infers_ready {
            // ORDERING: Relaxed: who counts this one in, below, sees it.
            self.wants_ready.fetch_add(1, Ordering::Relaxed);
        }
        let mut onlooker = Box::new(onlooker);
        let mut next = &self.first;
        loop {
            match next.set(onlooker) {
                Ok(()) => break,
                // Somebody is there already: behind that one.
                Err(back) => onlooker = back,
            }
            if let Some(there) = next.get() {
                next = &there.next;
            }
        }
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    /// Something happens now that all of them are told.
    pub(crate) fn moment(&self) -> Moment<'_> {
        self.moment_of(When::Now, self.count(), None)
    }

    #[inline]
    fn moment_of(&self, when: When, count: usize, everywhere: Everywhere) -> Moment<'_> {
        let (time, first) = (self.time(when), self.first.get().map(|first| &**first));
        Moment { time, pool: self.pool, first, count, everywhere, hook: Some(&self.hook) }
    }

    /// Likewise, one who is not among them yet.
    pub(crate) fn moment_of_newest<'a>(&'a self, onlooker: &'a Onlooker) -> Moment<'a> {
        Moment { first: Some(onlooker), ..self.moment_of(When::Now, 1, None) }
    }
}

/// Those who look on to one task, or to what is to be told like one.
#[derive(Clone)]
pub(crate) struct Listeners {
    onlookers: Arc<Onlookers>,
    /// How many of its pool's onlookers: those that were there when it was submitted.
    count: usize,
    everywhere: Everywhere,
}

impl Listeners {
    /// Something happens now that they are told.
    pub(crate) fn moment(&self) -> Moment<'_> {
        self.moment_at(When::Now)
    }

    #[inline]
    pub(super) fn moment_at(&self, when: When) -> Moment<'_> {
        self.onlookers.moment_of(when, self.count, self.everywhere)
    }

    /// Whether none of them needs a `ready` that follows from what they were told.
    #[inline]
    pub(crate) fn infer_ready(&self) -> bool {
        // ORDERING: Relaxed: `count` has acquired what those have set who are counted.
        self.everywhere.is_none() && self.onlookers.wants_ready.load(Ordering::Relaxed) == 0
    }

    /// Whether whoever is among the others is among these.
    #[inline]
    pub(crate) fn have_all_of(&self, others: &Listeners) -> bool {
        Arc::ptr_eq(&self.onlookers, &others.onlookers) && self.count >= others.count
    }

    /// Those of a pool, without who looks on to whatever has none.
    pub(crate) fn of_pool(&self) -> Option<Listeners> {
        (self.count > 0).then(|| Listeners { everywhere: None, ..self.clone() })
    }
}

/// Somebody who is told of what has no pool.
pub(crate) struct Nowhere(pub(crate) Everywhere);

impl Nowhere {
    pub(crate) fn moment(&self) -> Moment<'_> {
        let (time, pool, everywhere) = (now(), PoolId::none(), self.0);
        Moment { time, pool, first: None, count: 0, everywhere, hook: None }
    }
}
