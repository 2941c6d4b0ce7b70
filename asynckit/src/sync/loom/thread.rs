//! Threads of the model checker's, as far as the crate needs what `std::thread` has.

use std::io;
use std::num::NonZero;
use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use loom::thread::{Thread, ThreadId, current, park};
pub(crate) use std::thread::{panicking, sleep};

/// In words. What a pool's thread does would not find room on loom's usual stacks.
const STACK: usize = 0x8000;

struct Ended<T> {
    word: AtomicUsize,
    value: std::sync::Mutex<Option<T>>,
    /// Who waits for it.
    waiter: std::sync::Mutex<Option<Thread>>,
}

pub(crate) struct JoinHandle<T>(Arc<Ended<T>>);

impl<T> JoinHandle<T> {
    /// Unlike loom's own, also where the thread is unparked meanwhile.
    pub(crate) fn join(self) -> std::thread::Result<T> {
        *self.0.waiter.lock().unwrap() = Some(current());
        // In one step with a write, as none else is sure to see the newest.
        while self.0.word.fetch_add(0, Ordering::AcqRel) == 0 {
            park();
        }
        Ok(self.0.value.lock().unwrap().take().expect("the thread has ended"))
    }

    /// For all that a model knows.
    pub(crate) fn is_finished(&self) -> bool {
        false
    }
}

#[derive(Default)]
pub(crate) struct Builder(String);

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder::default()
    }

    pub(crate) fn name(self, name: String) -> Builder {
        Builder(name)
    }

    pub(crate) fn stack_size(self, _: usize) -> Builder {
        self
    }

    pub(crate) fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let ended = Arc::new(Ended {
            word: AtomicUsize::new(0),
            value: std::sync::Mutex::new(None),
            waiter: std::sync::Mutex::new(None),
        });
        let its = ended.clone();
        let run = move || {
            let value = f();
            *its.value.lock().unwrap() = Some(value);
            // Not a store, as loom does not order that and the step beside it.
            its.word.swap(1, Ordering::Release);
            if let Some(waiter) = its.waiter.lock().unwrap().take() {
                waiter.unpark();
            }
        };
        loom::thread::Builder::new().name(self.0).stack_size(STACK).spawn(run)?;
        Ok(JoinHandle(ended))
    }
}

pub(crate) fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("loom has threads")
}

/// So nobody looks on instead of sleeping.
pub(crate) fn available_parallelism() -> io::Result<NonZero<usize>> {
    Ok(NonZero::<usize>::MIN)
}
