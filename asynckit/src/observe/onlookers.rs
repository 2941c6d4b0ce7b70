//! Those who look on to a pool, and how they are told.
//!
//! The list only grows, so that it is walked without a lock, and a task need only know how many there were when it
//! was submitted: it is told to these.

use std::panic::Location;
use std::time::Duration;

use super::clock::{at_one_moment, now};
use super::events::Clock;
use super::ids::{PoolId, Row};
use super::observer::Observer;
use super::told::{Moment, Told};
use crate::error::{Error, Hook, Hop};
use crate::foreign;
use crate::panic;
use crate::sync::{Arc, AtomicUsize, Mutex, OnceLock, Ordering, lock};

/// One who looks on to whatever has no pool, too, and is not in any list.
pub(crate) type Everywhere = Option<&'static dyn Observer>;

/// Who looks on to a pool.
pub(crate) struct Onlookers {
    pool: PoolId,
    first: Next,
    count: AtomicUsize,
    /// Who is told of those that panic.
    hook: Mutex<Option<Hook>>,
    /// Of a pool that has a clock of its own.
    clock: Option<Box<dyn Fn() -> Duration + Send + Sync>>,
}

type Next = OnceLock<Box<Onlooker>>;

/// One who looks on, and where that was asked for.
pub(crate) struct Onlooker {
    observer: Arc<dyn Observer>,
    at: &'static Location<'static>,
    next: Next,
}

impl Onlooker {
    #[track_caller]
    pub(crate) fn new(observer: impl Observer) -> Onlooker {
        Onlooker::of(Arc::new(observer), Location::caller())
    }

    fn of(observer: Arc<dyn Observer>, at: &'static Location<'static>) -> Onlooker {
        Onlooker { observer, at, next: OnceLock::new() }
    }
}

impl Clone for Onlooker {
    fn clone(&self) -> Onlooker {
        Onlooker::of(self.observer.clone(), self.at)
    }
}

impl Onlookers {
    /// Nobody yet.
    pub(crate) fn none(
        hook: Option<Hook>,
        clock: Option<Box<dyn Fn() -> Duration + Send + Sync>>,
    ) -> Arc<Onlookers> {
        let (count, hook) = (AtomicUsize::new(0), Mutex::new(hook));
        Arc::new(Onlookers { pool: PoolId::next(), first: OnceLock::new(), count, hook, clock })
    }

    /// Lets go of the hook.
    pub(crate) fn drop_hook(&self) {
        let hook = lock(&self.hook).take();
        drop(hook);
    }

    /// All who look on now, and this one.
    pub(crate) fn listeners(self: &Arc<Self>, everywhere: Everywhere) -> Listeners {
        Listeners { onlookers: self.clone(), seen_by: self.count(), everywhere }
    }

    pub(crate) fn clock(&self) -> Clock {
        if self.clock.is_some() { Clock::Virtual } else { Clock::Process }
    }

    fn time_of(&self, told: &Told<'_>) -> Duration {
        let is_ready = matches!(told, Told::Ready(_));
        self.clock.as_ref().map_or_else(|| at_one_moment(is_ready), |clock| clock())
    }

    /// How many there are.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        // ORDERING: Acquire pairs with `add`: so many are in the list.
        self.count.load(Ordering::Acquire)
    }

    /// One more.
    pub(crate) fn add(&self, onlooker: Onlooker) {
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

    /// Tells the first `seen_by` of them; and what time it is.
    #[cold]
    #[inline(never)]
    pub(crate) fn tell(&self, seen_by: usize, everywhere: Everywhere, told: &Told<'_>) -> Duration {
        Row::with_here(|row| {
            let moment = Moment { time: self.time_of(told), row, pool: self.pool };
            if let Some(observer) = everywhere {
                self.call(observer, Location::caller(), told, &moment);
            }
            let mut next = &self.first;
            for _ in 0..seen_by {
                let Some(one) = next.get() else { break };
                self.call(&*one.observer, one.at, told, &moment);
                next = &one.next;
            }
            moment.time
        })
    }

    /// Tells one who is not among them yet.
    pub(crate) fn tell_one(&self, onlooker: &Onlooker, told: &Told<'_>) {
        Row::with_here(|row| {
            let moment = Moment { time: self.time_of(told), row, pool: self.pool };
            self.call(&*onlooker.observer, onlooker.at, told, &moment);
        });
    }

    fn call(
        &self,
        observer: &dyn Observer,
        at: &'static Location<'static>,
        told: &Told<'_>,
        moment: &Moment<'_>,
    ) {
        call(observer, at, &|| lock(&self.hook).clone(), told, moment);
    }
}

/// Those who look on to one task, or to what is to be told like one.
#[derive(Clone)]
pub(crate) struct Listeners {
    onlookers: Arc<Onlookers>,
    /// How many of its pool's onlookers: those that were there when it was submitted.
    seen_by: usize,
    everywhere: Everywhere,
}

impl Listeners {
    /// Tells them; and what time it is.
    pub(crate) fn tell(&self, told: &Told<'_>) -> Duration {
        self.onlookers.tell(self.seen_by, self.everywhere, told)
    }

    /// Those of a pool, without who looks on to whatever has none.
    pub(crate) fn of_pool(&self) -> Option<Listeners> {
        (self.seen_by > 0).then(|| Listeners { everywhere: None, ..self.clone() })
    }
}

/// Tells somebody of what has no pool.
pub(crate) fn tell_everywhere(everywhere: Everywhere, told: &Told<'_>) {
    let Some(observer) = everywhere else { return };
    Row::with_here(|row| {
        let moment = Moment { time: now(), row, pool: PoolId::none() };
        call(observer, Location::caller(), &|| None, told, &moment);
    });
}

/// Calls an observer. A panic in it is told to the hook, and harms nobody.
fn call(
    observer: &dyn Observer,
    at: &'static Location<'static>,
    hook: &dyn Fn() -> Option<Hook>,
    told: &Told<'_>,
    moment: &Moment<'_>,
) {
    let call = || panic::noting(|| told.to(observer, moment));
    // It may use the library.
    let called = panic::catch(|| if foreign::is_ours() { foreign::call(call) } else { call() });
    if let Err(payload) = called {
        // Dropped unseen, it goes to the hook.
        drop(Error::panicked(Hop { name: &"observer", at }, payload, hook()));
    }
}
