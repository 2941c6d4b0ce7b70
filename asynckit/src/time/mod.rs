//! Time: the clock, and what is to be done at moments to come.
//!
//! All that depends on time goes through [`Timers`]: a clock, and callbacks in the order of their
//! moments. The system's are shared by the whole process and have one thread, which is started
//! when it is first needed and sleeps while nothing is due. A deterministic pool has its own, whose
//! clock goes on when nothing else does. `timeout.rs` and `retry.rs` are built
//! on it, and so are the deadlines of `cancel`.

mod retry;
mod timeout;

pub use retry::Retry;
pub(crate) use timeout::{TimeLimit, apart};

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::core::TaskRef;
use crate::panic;
use crate::pool::{self, Random, Shared};
use crate::sync::{Arc, AtomicUsize, Condvar, Mutex, OnceLock, Ordering, lock, thread};

/// What is done at its moment, on the timers' thread: nothing that blocks, and no user's code but
/// what any thread that sets a result may have to call.
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

impl Timers {
    fn new(began: Option<Instant>, random: Option<Random>) -> Arc<Timers> {
        let agenda = Agenda { random, ..Agenda::default() };
        Arc::new(Timers { agenda: Mutex::new(agenda), earlier: Condvar::new(), began })
    }

    /// The process's own, by the system's clock.
    ///
    /// # Panics
    ///
    /// Where the thread can't be started.
    pub(crate) fn system() -> Arc<Timers> {
        static SYSTEM: OnceLock<Arc<Timers>> = OnceLock::new();
        let system = SYSTEM.get_or_init(|| {
            let timers = Timers::new(Some(Instant::now()), None);
            let its = timers.clone();
            let thread = thread::Builder::new().name("asynckit-timers".to_owned());
            match thread.spawn(move || its.keep()) {
                Ok(_) => timers,
                Err(error) => panic!("the thread for timers could not be started: {error}"),
            }
        });
        system.clone()
    }

    /// Those of the pool whose work this thread does, if it has a clock of its own.
    pub(crate) fn virtual_here() -> Option<Arc<Timers>> {
        pool::here()?.queue.seeded().map(|seeded| seeded.timers().clone())
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

    /// Has `callback` called after this long, unless it is cancelled before.
    pub(crate) fn after(&self, delay: Duration, callback: Callback) -> TimerKey {
        let at = self.now().saturating_add(delay);
        let mut agenda = lock(&self.agenda);
        agenda.last += 1;
        let key = TimerKey { at, number: agenda.last };
        agenda.due.insert(key, callback);
        let is_first = agenda.due.first_key_value().is_some_and(|(first, _)| *first == key);
        drop(agenda);
        if is_first {
            self.earlier.notify_one();
        }
        key
    }

    /// Takes a callback out again; false where it is under way or done.
    pub(crate) fn cancel(&self, key: TimerKey) -> bool {
        let callback = lock(&self.agenda).due.remove(&key);
        callback.is_some()
    }

    /// The life of the timers' thread.
    fn keep(&self) {
        let mut agenda = lock(&self.agenda);
        loop {
            let Some((first, _)) = agenda.due.first_key_value() else {
                agenda = self.earlier.wait(agenda).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let now = self.began.map_or(Duration::MAX, |began| began.elapsed());
            let left = first.at.saturating_sub(now);
            if left.is_zero() {
                let due = agenda.due.pop_first();
                drop(agenda);
                call(due);
                agenda = lock(&self.agenda);
            } else {
                let waited = self.earlier.wait_timeout(agenda, left.min(LONGEST_SLEEP));
                agenda = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
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
            let next = agenda.due.first_entry().filter(|next| next.key().at <= until);
            let due = next.map(|next| next.remove_entry());
            // What is done may ask how late it is.
            agenda.now = due.as_ref().map_or(until, |(key, _)| key.at.max(agenda.now));
            drop(agenda);
            if due.is_none() {
                return;
            }
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
fn jittered(delay: Duration, random: Option<u64>) -> Duration {
    // Each `RandomState` has keys of its own.
    let random = random.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    delay.mul_f64(0.5 + 0.5 * f64::from(random as u32) / f64::from(u32::MAX))
}

/// A condition variable takes no sleep that is longer than the system counts.
const LONGEST_SLEEP: Duration = Duration::from_secs(24 * 3600);

fn call(due: Option<(TimerKey, Callback)>) {
    if let Some((_, callback)) = due {
        // Nothing may end the timers' thread.
        panic::contain(callback);
    }
}

impl Shared {
    /// The timers that a pool goes by.
    pub(crate) fn timers(&self) -> Arc<Timers> {
        self.queue.seeded().map_or_else(Timers::system, |seeded| seeded.timers().clone())
    }
}

/// How many tasks of a pool sleep until their moment. They were accepted, and a stop waits for them.
pub(crate) struct Sleeping(AtomicUsize);

impl Sleeping {
    pub(crate) fn none() -> Sleeping {
        Sleeping(AtomicUsize::new(0))
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }
}

/// A task's sleep until its moment; dropped, it ends and wakes nobody.
pub(crate) struct Pause {
    pool: Arc<Shared>,
    key: TimerKey,
}

impl Pause {
    /// Has a task of the pool woken after a while.
    pub(crate) fn begin(pool: &Arc<Shared>, task: TaskRef, delay: Duration) -> Pause {
        let timers = pool.timers();
        pool.sleeping.0.fetch_add(1, Ordering::SeqCst);
        let key = timers.after(timers.jittered(delay), Box::new(move || pool::resume(&task)));
        Pause { pool: pool.clone(), key }
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        self.pool.timers().cancel(self.key);
        if self.pool.sleeping.0.fetch_sub(1, Ordering::SeqCst) == 1 && self.pool.is_stopping() {
            // If nothing else is left, nobody else will notice.
            self.pool.finish_stop(0);
        }
    }
}
