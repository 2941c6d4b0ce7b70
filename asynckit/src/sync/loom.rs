//! loom's atomics, as the models need them; and around them its locks, threads and queues.
//!
//! loom looks for other orders of an access by the last one to the same atomic alone. A compare-and-swap comes after
//! a load of its own thread's, which hides from it what other threads have read before: so a model would miss
//! orders. As a read-modify-write each load is seen; but none then reads what is not the newest. So each model is
//! run in both ways.

pub(crate) mod deque;
mod locks;
pub(crate) mod thread;

use std::cell::Cell;
use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex as StdMutex};

pub(crate) use locks::{Condvar, Mutex, MutexGuard, RwLock};

thread_local! {
    /// Whether loads are read-modify-writes in the model that this thread runs, with all of its loom's threads.
    pub(crate) static LOADS_ARE_SEEN: Cell<bool> = const { Cell::new(false) };
    /// Whether it is one in which threads have to fence when they are done with a task.
    pub(crate) static FENCES: Cell<bool> = const { Cell::new(false) };
    /// Whether it is one in which one side of `core/fence.rs` is cheap.
    pub(crate) static LIGHT: Cell<bool> = const { Cell::new(false) };
}

/// What a run of a model has from its beginning.
struct Run {
    /// Which of all runs of all models it is.
    number: u64,
    /// For what is made on the way: loom takes it for a race where two threads use an atomic that one of them has made.
    words: StdMutex<Vec<loom::sync::atomic::AtomicUsize>>,
}

/// So many locks and their like there are in a model.
const WORDS: usize = 48;

loom::lazy_static! {
    static ref RUN: Run = {
        static LAST: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let words = (0..WORDS).map(|_| loom::sync::atomic::AtomicUsize::new(0)).collect();
        Run { number: LAST.fetch_add(1, Ordering::Relaxed) + 1, words: StdMutex::new(words) }
    };
}

/// What is of loom's in something that may outlive a run of a model, or is made in a constant: made anew by the first
/// who asks in a run.
pub(crate) struct PerRun<T>(StdMutex<Option<(u64, Arc<T>)>>);

impl<T> PerRun<T> {
    pub(crate) const fn new() -> PerRun<T> {
        PerRun(StdMutex::new(None))
    }
}

impl<T> Default for PerRun<T> {
    fn default() -> PerRun<T> {
        PerRun::new()
    }
}

impl<T: From<loom::sync::atomic::AtomicUsize>> PerRun<T> {
    pub(crate) fn get(&self) -> Arc<T> {
        let run = &*RUN;
        let mut made = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match &*made {
            Some((of, its)) if *of == run.number => its.clone(),
            _ => {
                let word = run.words.lock().unwrap().pop().expect("a model with fewer locks");
                made.insert((run.number, Arc::new(T::from(word)))).1.clone()
            }
        }
    }
}

macro_rules! atomics {
    ($($name:ident $value:ty),*) => { $(
        #[derive(Debug, Default)]
        pub(crate) struct $name(loom::sync::atomic::$name);

        impl $name {
            pub(crate) fn new(value: $value) -> $name {
                $name(loom::sync::atomic::$name::new(value))
            }

            pub(crate) fn load(&self, ordering: Ordering) -> $value {
                if LOADS_ARE_SEEN.get() {
                    self.0.fetch_add(0, ordering)
                } else {
                    self.0.load(ordering)
                }
            }

            /// As a swap, as loom does not order a store and the read-modify-write beside it.
            pub(crate) fn store(&self, value: $value, ordering: Ordering) {
                if LOADS_ARE_SEEN.get() {
                    self.0.swap(value, ordering);
                } else {
                    self.0.store(value, ordering);
                }
            }
        }

        impl Deref for $name {
            type Target = loom::sync::atomic::$name;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
    )* };
}

atomics!(AtomicU8 u8, AtomicU32 u32, AtomicU64 u64, AtomicUsize usize);

/// How thoroughly a model is run: how often threads are interrupted, at most.
#[cfg(test)]
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Where loads read what is old.
    pub(crate) unseen: usize,
    /// Where they are seen.
    pub(crate) seen: usize,
    /// Whether only that is explored which comes between `loom::explore` and `loom::stop_exploring`.
    pub(crate) in_part: bool,
}

/// Runs each order of what `f` does. (`LOOM_MAX_PREEMPTIONS` is another bound.)
#[cfg(test)]
pub(crate) fn model(bounds: Bounds, f: impl Fn() + Sync + Send + 'static) {
    // One at a time, as each counts the cells that are alive, and has the statics to itself.
    static ONE: StdMutex<()> = StdMutex::new(());
    let _one = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let f = Arc::new(f);
    for (seen, bound) in [(false, bounds.unseen), (true, bounds.seen)] {
        LOADS_ARE_SEEN.set(seen);
        let mut model = loom::model::Builder::new();
        model.preemption_bound = model.preemption_bound.or(Some(bound));
        model.expect_explicit_explore = bounds.in_part;
        // A pool takes more steps than loom allows as a rule.
        model.max_branches = 10_000;
        let f = f.clone();
        model.check(move || {
            // First, so that it tells no thread what another one did.
            let _ = &*RUN;
            f();
        });
    }
}

/// Runs each of these models once more with that weakened which it guards, and says which of them have not failed.
#[cfg(test)]
pub(crate) fn not_caught<'a>(
    models: &str,
    guards: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let this = std::env::current_exe().unwrap();
    let fails = |(model, weakness): &(&str, &str)| {
        let name = format!("{models}::{model}");
        let mut run = std::process::Command::new(&this);
        run.args(["--exact", &name]).env("ASYNCKIT_WEAKENED", weakness);
        let output = run.output().unwrap();
        let ran = String::from_utf8_lossy(&output.stdout).contains("running 1 test");
        assert!(ran, "there is no such model: {name}");
        !output.status.success()
    };
    guards.iter().copied().filter(|guard| !fails(guard)).collect()
}
