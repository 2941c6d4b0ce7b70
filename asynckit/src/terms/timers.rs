//! Time: the clock, and what is to be done at moments to come.
//!
//! All that depends on time goes through [`Timers`]: a clock, and callbacks in the order of their
//! moments. The system's are shared by the whole process and have a thread, the *keeper*, which is
//! started when it is first needed and sleeps while nothing is due. What is due may lead to foreign code,
//! the drop of work that is out of time, say: so a keeper hands its post on before it does what is due,
//! and what takes its time holds up nothing else. A deterministic pool has its own, whose
//! clock goes on when nothing else does.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::Write;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::panic;
use crate::sync::{
    Arc, Condvar, Mutex, MutexGuard, OnceLock, Ordering, StaticCounter, lock, thread,
};
use crate::terms::random::Random;

/// What is done at its moment: what any thread that sets a result may have to do.
pub(crate) type Callback = Box<dyn FnOnce() + Send>;

/// A clock, and what is to be done when. A moment is told by how long after the clock's beginning it
/// comes.
pub(crate) struct Timers {
    agenda: Mutex<Agenda>,
    /// Signalled when something is due earlier than all that was before.
    earlier: Condvar,
    /// When the clock began; `None` for a virtual one, which goes on when it is told to.
    began: Option<Instant>,
}

#[derive(Default)]
struct Agenda {
    /// In the order of the moments: to add one and to take one out again cost O(log n) each, and
    /// what is taken out leaves nothing behind.
    due: BTreeMap<TimerKey, Callback>,
    last: u64,
    /// How many threads there are that keep the time, or do what was due.
    keepers: usize,
    /// How many of them wait for what is due next.
    idle: usize,
    /// What a virtual clock shows.
    now: Duration,
    /// What decides in place of chance, with a virtual clock.
    random: Option<Random>,
}

/// Something that is to be done: of two at one moment the one that came first is done first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct TimerKey {
    at: Duration,
    number: u64,
}

impl Agenda {
    /// Takes out what comes first, if it is due by then.
    fn pop_due(&mut self, by: Duration) -> Option<(TimerKey, Callback)> {
        let first = self.due.first_entry().filter(|first| first.key().at <= by)?;
        Some(first.remove_entry())
    }
}

impl TimerKey {
    /// Its moment.
    pub(crate) fn at(self) -> Duration {
        self.at
    }
}

impl Timers {
    fn new(began: Option<Instant>, random: Option<Random>) -> Arc<Timers> {
        let agenda = Agenda { random, ..Agenda::default() };
        Arc::new(Timers { agenda: Mutex::new(agenda), earlier: Condvar::new(), began })
    }

    /// The process's own, by the system's clock.
    pub(crate) fn system() -> Arc<Timers> {
        static SYSTEM: OnceLock<Arc<Timers>> = OnceLock::new();
        SYSTEM.get_or_init(|| Timers::new(Some(Instant::now()), None)).clone()
    }

    /// Those of a pool that has a clock of its own.
    pub(crate) fn virtual_ones(seed: u64) -> Arc<Timers> {
        Timers::new(None, Some(Random(seed)))
    }

    pub(crate) fn is_virtual(&self) -> bool {
        self.began.is_none()
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Duration {
        self.began.map_or_else(|| lock(&self.agenda).now, |began| began.elapsed())
    }

    /// A moment of its clock by that of the system, if it goes by it.
    pub(crate) fn instant(&self, at: Duration) -> Option<Instant> {
        self.began?.checked_add(at)
    }

    /// Has `callback` called after this long, unless it is cancelled before.
    pub(crate) fn after(self: &Arc<Self>, delay: Duration, callback: Callback) -> TimerKey {
        let at = self.now().saturating_add(delay);
        let mut agenda = lock(&self.agenda);
        agenda.last += 1;
        let key = TimerKey { at, number: agenda.last };
        agenda.due.insert(key, callback);
        let is_first = agenda.due.first_key_value().is_some_and(|(first, _)| *first == key);
        let is_kept = agenda.keepers > 0 || self.is_virtual();
        drop(agenda);
        if !is_kept {
            self.start_keeper();
        } else if is_first {
            self.earlier.notify_all();
        }
        key
    }

    /// Takes a callback out again; false where it is under way or done.
    pub(crate) fn cancel(&self, key: TimerKey) -> bool {
        let callback = lock(&self.agenda).due.remove(&key);
        callback.is_some()
    }

    fn start_keeper(self: &Arc<Self>) {
        lock(&self.agenda).keepers += 1;
        let its = self.clone();
        let thread = thread::Builder::new().name("asynckit-timers".to_owned());
        let started = thread.spawn(move || its.keep());
        let mut agenda = lock(&self.agenda);
        agenda.keepers -= usize::from(started.is_err());
        UNKEPT.store(u64::from(agenda.keepers == 0), Ordering::Relaxed);
        drop(agenda);
        if let Err(error) = started {
            no_thread(&error);
        }
    }

    /// Does what is due, on a thread that has nothing else to do where there is no keeper.
    fn catch_up(&self) {
        loop {
            let now = self.now();
            let due = lock(&self.agenda).pop_due(now);
            let Some(due) = due else { return };
            call(due);
        }
    }

    /// The life of a keeper.
    fn keep(self: &Arc<Self>) {
        let mut agenda = lock(&self.agenda);
        while agenda.idle < MOST_IDLE {
            agenda.idle += 1;
            agenda = self.wait_until_due(agenda);
            agenda.idle -= 1;
            let due = agenda.due.pop_first();
            let is_last = agenda.idle == 0;
            drop(agenda);
            if is_last {
                // Where none can be had, the time is kept again when this is done.
                self.start_keeper();
            }
            if let Some(due) = due {
                call(due);
            }
            agenda = lock(&self.agenda);
        }
        agenda.keepers -= 1;
    }

    fn wait_until_due<'a>(&self, mut agenda: MutexGuard<'a, Agenda>) -> MutexGuard<'a, Agenda> {
        loop {
            let now = self.began.map_or(Duration::MAX, |began| began.elapsed());
            let first = agenda.due.first_key_value();
            let left = first.map_or(LONGEST_SLEEP, |(first, _)| first.at.saturating_sub(now));
            if left.is_zero() {
                return agenda;
            }
            let waited = self.earlier.wait_timeout(agenda, left.min(LONGEST_SLEEP));
            agenda = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How long it is until something is due.
    pub(crate) fn until_next(&self) -> Option<Duration> {
        let agenda = lock(&self.agenda);
        agenda.due.first_key_value().map(|(first, _)| first.at.saturating_sub(agenda.now))
    }

    /// Has a virtual clock go on, and does what is due by then, here and now.
    pub(crate) fn advance(&self, step: Duration) {
        let until = self.now().saturating_add(step);
        loop {
            let mut agenda = lock(&self.agenda);
            let due = agenda.pop_due(until);
            // What is done may ask how late it is.
            agenda.now = due.as_ref().map_or(until, |(key, _)| key.at.max(agenda.now));
            drop(agenda);
            let Some(due) = due else { return };
            call(due);
        }
    }

    /// As [`jittered`], where the seed of a virtual clock decides in place of chance.
    pub(crate) fn jittered(&self, delay: Duration) -> Duration {
        let random = lock(&self.agenda).random.as_mut().map(Random::next);
        jittered(delay, random)
    }
}

/// A delay of between half and all of this one, so that those who failed together do not try again
/// together. `random` bits decide; chance, where there are none.
pub(crate) fn jittered(delay: Duration, random: Option<u64>) -> Duration {
    // Each `RandomState` has keys of its own.
    let random = random.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    delay.mul_f64(0.5 + 0.5 * f64::from(random as u32) / f64::from(u32::MAX))
}

/// A condition variable takes no sleep that is longer than the system counts.
const LONGEST_SLEEP: Duration = Duration::from_secs(24 * 3600);

/// Whether the system's timers have nobody to keep them, as no thread could be started.
static UNKEPT: StaticCounter = StaticCounter::new(0);

/// How long it takes until it is tried again to start a thread.
pub(crate) const AGAIN: Duration = Duration::from_millis(50);

/// Before a thread sleeps: where there is no thread to keep the time, tries to start one, and does
/// what is due. The thread sleeps no longer than this then.
pub(crate) fn stand_in() -> Option<Duration> {
    if UNKEPT.load(Ordering::Relaxed) == 0 {
        return None;
    }
    let timers = Timers::system();
    timers.start_keeper();
    timers.catch_up();
    Some(AGAIN)
}

/// Says once that threads can't be had.
pub(crate) fn no_thread(error: &std::io::Error) {
    static SAID: StaticCounter = StaticCounter::new(0);
    if SAID.swap(1, Ordering::Relaxed) == 0 {
        let _ = writeln!(
            std::io::stderr(),
            "asynckit: a thread could not be started, which is tried again from time to time: {error}"
        );
    }
}

/// How many keepers wait, once there were more: one that keeps the time, and one to take over.
const MOST_IDLE: usize = 2;

fn call((_, callback): (TimerKey, Callback)) {
    // Nothing may end a keeper.
    panic::contain(callback);
}
