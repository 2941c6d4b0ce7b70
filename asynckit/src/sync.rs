//! The one door to the standard library's threads and atomics.
//!
//! Every other module takes its atomics, locks and thread functions from here, so that a model
//! checker can stand in for them without a change anywhere else. Built with
//! `--cfg asynckit_loom` all of them are such as loom sees: `core/models.rs` and `pool/models.rs` have models of whole
//! steps, on the real code.
//! Built with `--cfg asynckit_tsan` the locks are such as ThreadSanitizer can see through.

#[cfg(asynckit_loom)]
pub(crate) mod loom;
#[cfg(asynckit_tsan)]
mod tsan;

#[cfg(asynckit_loom)]
pub(crate) use self::loom::{
    AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Condvar, Mutex, MutexGuard, RwLock, deque, thread,
};
#[cfg(asynckit_loom)]
pub(crate) use ::loom::sync::atomic::{AtomicPtr, fence};
#[cfg(not(asynckit_loom))]
pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence};

/// What one thread writes and another reads, in turns that the atomics make: with loom it is watched.
#[cfg(asynckit_loom)]
pub(crate) use ::loom::cell::Cell;
#[cfg(not(asynckit_loom))]
pub(crate) use std::cell::Cell;

/// As a `Cell` of a word that others may read at any time, only to compare it. With loom it is watched as that is:
/// the models do without those others.
#[cfg(asynckit_loom)]
pub(crate) type Peeked = ::loom::cell::Cell<usize>;
#[cfg(not(asynckit_loom))]
pub(crate) struct Peeked(AtomicUsize);

#[cfg(not(asynckit_loom))]
impl Peeked {
    #[inline]
    pub(crate) fn new(word: usize) -> Peeked {
        Peeked(AtomicUsize::new(word))
    }

    #[inline]
    pub(crate) fn get(&self) -> usize {
        // ORDERING: Relaxed, here and below: only the word itself is looked at.
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn replace(&self, word: usize) -> usize {
        let old = self.0.load(Ordering::Relaxed);
        self.0.store(word, Ordering::Relaxed);
        old
    }
}

/// `thread_local!`, where loom's threads share one of the system's.
#[cfg(asynckit_loom)]
macro_rules! local {
    ($($(#[$doc:meta])* static $name:ident: $type:ty = const $first:block;)*) => {
        ::loom::thread_local! { $($(#[$doc])* static $name: $type = $first;)* }
    };
}
#[cfg(asynckit_loom)]
pub(crate) use local;
#[cfg(not(asynckit_loom))]
pub(crate) use std::thread_local as local;

#[cfg(asynckit_loom)]
pub(crate) use ::loom::thread::{LocalKey, yield_now};
#[cfg(not(asynckit_loom))]
pub(crate) use std::thread::{LocalKey, yield_now};

/// The queues of pools.
#[cfg(not(asynckit_loom))]
pub(crate) use crossbeam_deque as deque;
/// In models as well: nothing that takes a step of loom's is done in one.
#[cfg(not(asynckit_tsan))]
pub(crate) use std::sync::OnceLock;
/// For statics: loom's atomics can't be made in a constant.
pub(crate) use std::sync::atomic::AtomicU64 as StaticCounter;
pub(crate) use std::sync::atomic::Ordering;
pub(crate) use std::sync::{Arc, Weak};
#[cfg(not(any(asynckit_tsan, asynckit_loom)))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, RwLock};
#[cfg(not(asynckit_loom))]
pub(crate) use std::thread;
use std::time::{Duration, Instant};
#[cfg(asynckit_tsan)]
pub(crate) use tsan::{Condvar, Mutex, MutexGuard, OnceLock, RwLock};

/// Whether a place in the code is to do less than it should: for models, which must fail then. Which one that is,
/// `ASYNCKIT_WEAKENED` says.
#[cfg(asynckit_loom)]
pub(crate) fn weakened(what: &str) -> bool {
    static NAME: OnceLock<Option<String>> = OnceLock::new();
    NAME.get_or_init(|| std::env::var("ASYNCKIT_WEAKENED").ok()).as_deref() == Some(what)
}

#[cfg(not(asynckit_loom))]
#[inline(always)]
pub(crate) const fn weakened(_: &str) -> bool {
    false
}

/// Whether threads have to fence: not in models that do without.
#[cfg(asynckit_loom)]
pub(crate) fn fences() -> bool {
    loom::FENCES.get()
}

#[cfg(not(asynckit_loom))]
#[inline(always)]
pub(crate) const fn fences() -> bool {
    true
}

/// Whether one side of `core/fence.rs` is cheap in this model.
#[cfg(asynckit_loom)]
pub(crate) fn fences_are_light() -> bool {
    loom::LIGHT.get()
}

#[cfg(not(asynckit_loom))]
#[inline(always)]
pub(crate) const fn fences_are_light() -> bool {
    false
}

/// An ordering, unless the place is weakened: then none.
#[inline(always)]
pub(crate) fn ordering(what: &str, ordering: Ordering) -> Ordering {
    if weakened(what) { Ordering::Relaxed } else { ordering }
}

/// So many locks that whoever takes one by an address seldom meets another. For statics; what is done under them
/// may be atomic steps, but no foreign code.
pub(crate) struct StaticLocks([Mutex<()>; STATIC_LOCKS]);

/// In models one: each run has other addresses.
const STATIC_LOCKS: usize = if cfg!(asynckit_loom) { 1 } else { 16 };

impl StaticLocks {
    pub(crate) const fn new() -> StaticLocks {
        StaticLocks([const { Mutex::new(()) }; STATIC_LOCKS])
    }

    pub(crate) fn lock(&self, address: usize) -> MutexGuard<'_, ()> {
        // Addresses are multiples of a block's size.
        lock(&self.0[(address >> 5) % self.0.len()])
    }
}

/// Locks, whether or not a thread panicked while it held the lock.
///
/// No lock of this crate is held while foreign code runs, so what it guards is whole even then.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The end of a limit of time that began when this was made.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    /// For clocks of another kind.
    pub(crate) limit: Duration,
    /// `None`: it is over already.
    at: Option<Instant>,
}

impl Deadline {
    /// Far away where the limit is beyond what a clock counts.
    pub(crate) fn after(limit: Duration) -> Deadline {
        const YEARS: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
        // There the standard library has no clock.
        if cfg!(all(target_family = "wasm", target_os = "unknown")) {
            return Deadline { limit, at: None };
        }
        let now = Instant::now();
        Deadline { limit, at: Some(now.checked_add(limit).unwrap_or_else(|| now + YEARS)) }
    }

    /// For a look that does not wait.
    pub(crate) const fn past() -> Deadline {
        Deadline { limit: Duration::ZERO, at: None }
    }

    /// The earlier one of this and of so long from now.
    pub(crate) fn or_after(
        deadline: Option<Deadline>,
        limit: Option<Duration>,
    ) -> Option<Deadline> {
        let Some(limit) = limit else { return deadline };
        let left = deadline.map_or(limit, |deadline| deadline.left().min(limit));
        Some(Deadline::after(left))
    }

    pub(crate) fn left(&self) -> Duration {
        // No time passes in a model.
        if cfg!(asynckit_loom) {
            return self.at.map_or(Duration::ZERO, |_| self.limit);
        }
        self.at.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()))
    }

    pub(crate) fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}

/// A place where one thread sleeps until another wakes it.
///
/// A wake-up that comes before the sleep is kept, so that none is lost; a sleep may also end
/// without one, so that whoever sleeps looks again at what it waits for.
///
/// A wake-up happens before the return of the sleep that it ends.
#[derive(Debug)]
pub(crate) struct Parker {
    thread: thread::Thread,
    token: AtomicU32,
}

impl Parker {
    /// The calling thread's own.
    #[cfg(not(asynckit_loom))]
    pub(crate) fn current() -> Arc<Parker> {
        use std::cell::OnceCell;
        use std::mem::ManuallyDrop;
        thread_local! {
            static PARKER: Arc<Parker> = Parker::of_this_thread();
            /// Without a drop, so that it stays until the thread's very end.
            static LAST: OnceCell<ManuallyDrop<Arc<Parker>>> = const { OnceCell::new() };
        }
        // A thread that is being torn down has lost its own, and gets another one, whose memory is
        // not given back: it is known by that to whom it helps.
        PARKER.try_with(Arc::clone).unwrap_or_else(|_| {
            let new = || ManuallyDrop::new(Parker::of_this_thread());
            LAST.with(|last| Arc::clone(last.get_or_init(new)))
        })
    }

    #[cfg(asynckit_loom)]
    pub(crate) fn current() -> Arc<Parker> {
        ::loom::thread_local! { static PARKER: Arc<Parker> = Parker::of_this_thread(); }
        PARKER.try_with(Arc::clone).unwrap_or_else(|_| Parker::of_this_thread())
    }

    fn of_this_thread() -> Arc<Parker> {
        Arc::new(Parker { thread: thread::current(), token: AtomicU32::new(0) })
    }

    /// Sleeps until somebody wakes it, or until the deadline. Only the parker's own thread may.
    pub(crate) fn park(&self, deadline: Option<Deadline>) {
        // ORDERING: Acquire pairs with the Release in `unpark`.
        if self.token.swap(0, Ordering::Acquire) != 0 {
            return;
        }
        match deadline {
            // No time passes in a model: a wake-up that is lost leaves a thread that sleeps for ever, which loom sees.
            #[cfg(asynckit_loom)]
            _ => {
                while self.token.swap(0, Ordering::Acquire) == 0 {
                    thread::park();
                }
                return;
            }
            #[cfg(not(asynckit_loom))]
            None => thread::park(),
            #[cfg(not(asynckit_loom))]
            Some(deadline) => thread::park_timeout(deadline.left()),
        }
        #[cfg(not(asynckit_loom))]
        self.token.swap(0, Ordering::Acquire);
    }

    pub(crate) fn unpark(&self) {
        // ORDERING: Release pairs with the Acquire in `park`.
        if self.token.swap(1, Ordering::AcqRel) == 0 {
            self.thread.unpark();
        }
    }
}

/// Ends the process where a count is about to overflow: as with `Arc`, there is no way to go on.
#[cold]
pub(crate) fn give_up(why: &str) -> ! {
    eprintln!("asynckit: {why}");
    std::process::abort()
}
