//! Those who look on to a pool, and how they are told.
//!
//! They come one after the other (`list.rs`), so that a task need only know who was the newest when it was submitted: it is
//! told to all up to him.

use std::panic::Location;
use std::time::Duration;

use super::clock::{Nanos, When, nanos, nanos_now, time};
use super::events::Clock;
use super::ids::PoolId;
use super::list::{Onlooker, OnlookerList};
use super::observer::{Event, Observer};
use crate::error::{Error, Hook, Hop};
use crate::foreign;
use crate::panic;
use crate::sync::{Arc, AtomicUsize, Mutex, OnceLock, Ordering, Weak, lock};

/// One who looks on to whatever has no pool, too, and is not in any list. There is only one in a process.
pub(crate) type Everywhere = Option<&'static dyn Observer>;

/// Who looks on to a pool. They live as long as that, or as long as somebody has them.
pub(crate) struct Onlookers {
    pool: PoolId,
    list: OnlookerList,
    /// Who looks on everywhere, since anything of the pool was told to him.
    everywhere: OnceLock<&'static dyn Observer>,
    /// How many of them want to be told each `ready`.
    wants_ready: AtomicUsize,
    /// What is told of failures that nobody looked at: of the pool's work, and of those who look on. Let go of when the
    /// pool is closed and its threads are gone: the pool's memory may stay for longer.
    hook: Mutex<Option<Hook>>,
    /// Of a pool that has a clock of its own.
    clock: Option<Box<dyn Fn() -> Duration + Send + Sync>>,
}

/// Something happens now: when, and who is told of it.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) time: Nanos,
    to: ToWhom<'a>,
}

#[derive(Clone, Copy)]
enum ToWhom<'a> {
    /// Of those who look on to a pool, these.
    Some(&'a Onlookers, Among),
    /// One who is not among them yet.
    Newest(&'a Onlookers, &'a Onlooker),
    /// Who looks on to what has no pool.
    Everywhere(&'static dyn Observer),
}

impl Moment<'_> {
    /// Something that has no pool happens now.
    pub(crate) fn of_no_pool(observer: &'static dyn Observer) -> Moment<'static> {
        Moment { time: nanos_now(), to: ToWhom::Everywhere(observer) }
    }

    #[inline]
    pub(crate) fn pool(&self) -> PoolId {
        match self.to {
            ToWhom::Some(onlookers, _) | ToWhom::Newest(onlookers, _) => onlookers.pool,
            ToWhom::Everywhere(_) => PoolId::none(),
        }
    }

    /// Tells them. Inlined, so that each event of a task has a way of its own.
    #[inline(always)]
    pub(crate) fn tell(&self, event: &impl Event) {
        match self.to {
            ToWhom::Some(onlookers, among) => onlookers.tell(among, event),
            ToWhom::Newest(..) | ToWhom::Everywhere(_) => self.tell_one(event),
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_one(&self, event: &dyn Event) {
        match self.to {
            ToWhom::Some(..) => unreachable!("several are told"),
            ToWhom::Newest(onlookers, one) => one.tell(event, &onlookers.hook),
            ToWhom::Everywhere(observer) => tell_one(observer, event, HERE, None),
        }
    }
}

impl Onlooker {
    #[inline(always)]
    fn tell(&self, event: &(impl Event + ?Sized), hook: &Mutex<Option<Hook>>) {
        tell_one(&*self.observer, event, self.at, Some(hook));
    }
}

#[inline(always)]
fn tell_one(
    observer: &dyn Observer,
    event: &(impl Event + ?Sized),
    at: &'static Location<'static>,
    hook: Option<&Mutex<Option<Hook>>>,
) {
    // It may use the library.
    if let Err(payload) = panic::catch(|| foreign::call_noted(|| event.tell(observer))) {
        panicked(at, payload, hook);
    }
}

/// Where those were made who look on everywhere.
const HERE: &Location<'static> = Location::caller();

/// A panic in an observer is told to the hook, and harms nobody.
#[cold]
#[inline(never)]
fn panicked(
    at: &'static Location<'static>,
    payload: panic::Payload,
    hook: Option<&Mutex<Option<Hook>>>,
) {
    let hook = hook.and_then(|hook| lock(hook).clone());
    // Dropped unseen, it goes to the hook.
    drop(Error::panicked(Hop { name: &"observer", at }, payload, hook));
}

/// Tells of an event those of a `moment`: its time and its place come by themselves. What time that is.
///
/// The event is written out for a thread that is about to end, too, rather than handed on as a closure: so it is put
/// together where it is told, and only there.
macro_rules! tell {
    ($moment:expr, $event:ident { $($field:ident $(: $value:expr)?),* $(,)? }) => {{
        let moment = $moment;
        $($(let $field = $value;)?)*
        let (time, pool) = (std::time::Duration::from_nanos(moment.time), moment.pool());
        let told = $crate::observe::Row::with_here(move |row| {
            moment.tell(&$crate::observe::$event { time, row, pool, $($field),* });
        });
        if told.is_none() {
            $crate::observe::Row::with_new(move |row| {
                moment.tell(&$crate::observe::$event { time, row, pool, $($field),* });
            });
        }
        moment.time
    }};
}
pub(crate) use tell;

/// Those of each pool that is there.
static ALL: Mutex<Vec<(PoolId, Weak<Onlookers>)>> = Mutex::new(Vec::new());

impl Onlookers {
    /// Nobody yet.
    pub(crate) fn none(
        hook: Option<Hook>,
        clock: Option<Box<dyn Fn() -> Duration + Send + Sync>>,
    ) -> Arc<Onlookers> {
        let onlookers = Arc::new(Onlookers {
            pool: PoolId::next(),
            list: OnlookerList::new(),
            everywhere: OnceLock::new(),
            wants_ready: AtomicUsize::new(0),
            hook: Mutex::new(hook),
            clock,
        });
        let mut all = lock(&ALL);
        all.retain(|(_, onlookers)| onlookers.strong_count() > 0);
        all.push((onlookers.pool, Arc::downgrade(&onlookers)));
        drop(all);
        onlookers
    }

    /// Those of a pool, for who has nothing but a task of it: as long as that is open they are there.
    pub(crate) fn of(pool: PoolId) -> Option<Arc<Onlookers>> {
        let all = lock(&ALL);
        all.iter().find(|(its, _)| *its == pool)?.1.upgrade()
    }

    #[inline]
    pub(crate) fn pool(&self) -> PoolId {
        self.pool
    }

    /// What is told of failures that nobody looked at.
    pub(crate) fn hook(&self) -> Option<Hook> {
        lock(&self.hook).clone()
    }

    /// Lets go of the hook.
    pub(crate) fn drop_hook(&self) {
        let hook = lock(&self.hook).take();
        drop(hook);
    }

    /// All who look on now, and this one.
    #[inline]
    pub(crate) fn among(&self, everywhere: Everywhere) -> Among {
        if let Some(observer) = everywhere {
            let _ = self.everywhere.get_or_init(|| observer);
        }
        Among::new(self.list.newest(), everywhere.is_some())
    }

    /// Likewise, kept.
    pub(crate) fn listeners(self: &Arc<Self>, everywhere: Everywhere) -> Listeners {
        Listeners { among: self.among(everywhere), onlookers: self.clone() }
    }

    pub(crate) fn clock(&self) -> Clock {
        if self.clock.is_some() { Clock::Virtual } else { Clock::Process }
    }

    #[inline]
    fn time(&self, when: When) -> Nanos {
        match &self.clock {
            None => time(when),
            Some(clock) => nanos(clock()),
        }
    }

    #[inline(always)]
    fn tell(&self, among: Among, event: &impl Event) {
        if among.everywhere() {
            self.tell_everywhere(event);
        }
        self.list.each(among.newest(), |one| one.tell(event, &self.hook));
    }

    #[cold]
    #[inline(never)]
    fn tell_everywhere(&self, event: &dyn Event) {
        if let Some(observer) = self.everywhere.get() {
            tell_one(*observer, event, HERE, Some(&self.hook));
        }
    }

    /// Whether there is anybody.
    #[inline]
    pub(crate) fn is_anybody(&self) -> bool {
        self.list.count() > 0
    }

    /// One more; `then`, before anybody else comes or goes.
    pub(crate) fn add(&self, onlooker: Onlooker, then: impl FnOnce()) {
        if !onlooker.infers_ready {
            // ORDERING: Relaxed: who counts this one in, below, sees it.
            self.wants_ready.fetch_add(1, Ordering::Relaxed);
        }
        self.list.add(onlooker, then);
    }

    /// Leaves out those who are over; `then`, where nobody is left, before anybody else comes.
    pub(crate) fn sweep(&self, then: impl FnOnce()) {
        let gone = |one: &Onlooker| {
            if !one.infers_ready {
                self.wants_ready.fetch_sub(1, Ordering::Relaxed);
            }
        };
        self.list.sweep(gone, |left| {
            if left == 0 {
                then();
            }
        });
    }

    /// Something happens now that all of them are told.
    pub(crate) fn moment(&self) -> Moment<'_> {
        self.moment_of(When::Now, Among::new(self.list.newest(), false))
    }

    /// Something happens that some of them are told.
    #[inline]
    pub(super) fn moment_of(&self, when: When, among: Among) -> Moment<'_> {
        Moment { time: self.time(when), to: ToWhom::Some(self, among) }
    }

    /// Likewise, one who is not among them yet.
    pub(crate) fn moment_of_newest<'a>(&'a self, onlooker: &'a Onlooker) -> Moment<'a> {
        Moment { time: self.time(When::Now), to: ToWhom::Newest(self, onlooker) }
    }

    /// Whether none of these needs a `ready` that follows from what they were told.
    #[inline]
    pub(super) fn infer_ready(&self, among: Among) -> bool {
        // ORDERING: Relaxed: whoever is told of it has acquired what those have set who were there.
        !among.everywhere() && self.wants_ready.load(Ordering::Relaxed) == 0
    }
}

/// Some who look on to a pool: all up to one of them, and maybe who does so everywhere. A few bytes, as each task
/// that is seen has them.
#[derive(Clone, Copy)]
pub(crate) struct Among(u32);

impl Among {
    const EVERYWHERE: u32 = 1 << 31;

    fn new(newest: u32, everywhere: bool) -> Among {
        Among(newest | if everywhere { Among::EVERYWHERE } else { 0 })
    }

    #[inline]
    pub(super) fn newest(self) -> u32 {
        self.0 & !Among::EVERYWHERE
    }

    #[inline]
    fn everywhere(self) -> bool {
        self.0 & Among::EVERYWHERE != 0
    }
}

/// Those who look on to one task, or to what is to be told like one: of its pool's onlookers those that were there
/// when it was submitted.
#[derive(Clone)]
pub(crate) struct Listeners {
    pub(super) onlookers: Arc<Onlookers>,
    pub(super) among: Among,
}

impl Listeners {
    /// Something happens now that they are told.
    pub(crate) fn moment(&self) -> Moment<'_> {
        self.onlookers.moment_of(When::Now, self.among)
    }

    /// Those of a pool, without who looks on to whatever has none.
    pub(crate) fn of_pool(self) -> Option<Listeners> {
        let among = Among::new(self.among.newest(), false);
        (among.newest() > 0).then_some(Listeners { among, ..self })
    }
}
