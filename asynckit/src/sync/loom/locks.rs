//! Locks that the model checker sees: who comes to one may have to wait, and what happened under it comes before what
//! happens under it next. loom's own can't be made in a constant, and tell more than that: theirs is an order of all.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LockResult, TryLockError};
use std::time::Duration;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread::{self, Thread};

use super::PerRun;

/// Whether a lock is held, and who waits for it.
struct Word {
    held: AtomicUsize,
    waiting: std::sync::Mutex<Vec<Thread>>,
}

impl From<AtomicUsize> for Word {
    fn from(held: AtomicUsize) -> Word {
        Word { held, waiting: std::sync::Mutex::default() }
    }
}

impl Word {
    fn acquire(&self) {
        // Between this step and the next of loom's there is no other thread's.
        while self.held.swap(1, Ordering::AcqRel) != 0 {
            self.waiting.lock().unwrap().push(thread::current());
            thread::park();
        }
    }

    fn release(&self) {
        // Not a store, as loom does not order that and the swap beside it.
        self.held.swap(0, Ordering::Release);
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap());
        waiting.iter().for_each(Thread::unpark);
    }
}

#[derive(Default)]
pub(crate) struct Mutex<T: ?Sized> {
    word: PerRun<Word>,
    value: std::sync::Mutex<T>,
}

pub(crate) struct MutexGuard<'a, T: ?Sized> {
    /// There until the guard ends.
    value: Option<std::sync::MutexGuard<'a, T>>,
    mutex: &'a Mutex<T>,
    /// None in a model that fails.
    word: Option<Arc<Word>>,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Mutex<T> {
        Mutex { word: PerRun::new(), value: std::sync::Mutex::new(value) }
    }
}

impl<T: ?Sized> Mutex<T> {
    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        // A model that fails has no steps any more.
        let word = (!std::thread::panicking()).then(|| self.word.get());
        if let Some(word) = &word {
            word.acquire();
        }
        let value = match self.value.try_lock() {
            Ok(value) => value,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => panic!("a model has ended while it held a lock"),
        };
        Ok(MutexGuard { value: Some(value), mutex: self, word })
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("the guard is there")
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("the guard is there")
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.value = None;
        if let Some(word) = self.word.take_if(|_| !std::thread::panicking()) {
            word.release();
        }
    }
}

impl<T: ?Sized> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mutex")
    }
}

/// One at a time, readers too: they do nothing that others could see.
#[derive(Debug, Default)]
pub(crate) struct RwLock<T: ?Sized>(Mutex<T>);

impl<T> RwLock<T> {
    pub(crate) const fn new(value: T) -> RwLock<T> {
        RwLock(Mutex::new(value))
    }
}

impl<T: ?Sized> RwLock<T> {
    pub(crate) fn read(&self) -> LockResult<MutexGuard<'_, T>> {
        self.0.lock()
    }

    pub(crate) fn write(&self) -> LockResult<MutexGuard<'_, T>> {
        self.0.lock()
    }
}

/// Those who wait, each with whether it was told.
struct Waiting {
    /// A step of loom's, so that it looks for other orders of a wait and of who tells.
    step: AtomicUsize,
    threads: std::sync::Mutex<Vec<(Thread, Arc<std::sync::atomic::AtomicBool>)>>,
}

impl From<AtomicUsize> for Waiting {
    fn from(step: AtomicUsize) -> Waiting {
        Waiting { step, threads: std::sync::Mutex::default() }
    }
}

#[derive(Default)]
pub(crate) struct Condvar(PerRun<Waiting>);

impl Condvar {
    pub(crate) const fn new() -> Condvar {
        Condvar(PerRun::new())
    }

    pub(crate) fn wait<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
    ) -> LockResult<MutexGuard<'a, T>> {
        let (waiting, told) = (self.0.get(), Arc::default());
        waiting.step.fetch_add(1, Ordering::Relaxed);
        waiting.threads.lock().unwrap().push((thread::current(), Arc::clone(&told)));
        let mutex = guard.mutex;
        drop(guard);
        while !told.load(Ordering::Relaxed) {
            thread::park();
        }
        mutex.lock()
    }

    /// No time passes in a model.
    pub(crate) fn wait_timeout<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        _: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        self.wait(guard).map(|guard| (guard, false)).map_err(|_| unreachable!())
    }

    fn notify(&self, most: usize) {
        let waiting = self.0.get();
        waiting.step.fetch_add(1, Ordering::Relaxed);
        let mut threads = waiting.threads.lock().unwrap();
        let most = most.min(threads.len());
        for (thread, told) in threads.drain(..most) {
            told.store(true, Ordering::Relaxed);
            thread.unpark();
        }
    }

    pub(crate) fn notify_one(&self) {
        self.notify(1);
    }

    pub(crate) fn notify_all(&self) {
        self.notify(usize::MAX);
    }
}
