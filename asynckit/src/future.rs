//! Work that is a future: polled on the pool, holding no thread while it waits.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Wake, Waker};

use crate::core::{Awaits, Here, Job, Outcome, Step, TaskRef, VisitEdges};
use crate::error::{BoxError, Error};
use crate::pool;
use crate::sync::{Arc, Mutex, Parker, Weak, lock};

type Future_<'w, T> = Pin<Box<dyn Future<Output = Result<Outcome<T>, BoxError>> + Send + 'w>>;

/// A job that is polled until its future is ready.
pub(crate) struct Polled<'w, T> {
    future: Cell<Option<Future_<'w, T>>>,
    /// The waker of the last poll, while somebody has kept it.
    waker: Cell<Weak<TaskWaker>>,
    awaits: Awaits<T>,
}

impl<'w, T> Polled<'w, T> {
    pub(crate) fn new(
        future: impl Future<Output = Result<Outcome<T>, BoxError>> + Send + 'w,
    ) -> Polled<'w, T> {
        Polled {
            future: Cell::new(Some(Box::pin(future))),
            waker: Cell::new(Weak::new()),
            awaits: Awaits::nothing(),
        }
    }

    fn ended(&self, here: &Here<'_>, outcome: Result<Outcome<T>, BoxError>) -> Step<T> {
        match outcome {
            Ok(Outcome::Done(outcome)) => Step::Done(outcome),
            Ok(Outcome::Flatten(result)) => self.awaits.result(result.0, true),
            Err(error) => Step::Done(Err(here.failed(error))),
        }
    }
}

impl<T> Job<T> for Polled<'_, T> {
    fn edges(&self, visit: VisitEdges<'_>) {
        self.awaits.edges(visit);
    }

    fn run(&self, here: &Here<'_>) -> Step<T> {
        if let Some(outcome) = self.awaits.outcome() {
            return Step::Done(outcome);
        }
        let Some(mut future) = self.future.take() else {
            unreachable!("a future was polled after its end");
        };
        let weak = self.waker.take();
        let new = || Arc::new(TaskWaker { task: here.reference() });
        let waker = weak.upgrade().unwrap_or_else(new);
        self.waker.set(Arc::downgrade(&waker));
        match future.as_mut().poll(&mut Context::from_waker(&Waker::from(waker.clone()))) {
            Poll::Pending => {
                self.future.set(Some(future));
                Step::Pending
            }
            Poll::Ready(outcome) => {
                drop(future);
                self.ended(here, outcome)
            }
        }
    }

    fn run_in_place(&self, here: &Here<'_>) -> Result<T, Error> {
        let Some(future) = self.future.take() else {
            unreachable!("a future was polled after its end");
        };
        match block_on(future) {
            Ok(Outcome::Done(outcome)) => outcome,
            Ok(Outcome::Flatten(result)) => crate::AsyncResult::from_owner(result.0).get(),
            Err(error) => Err(here.failed(error)),
        }
    }

    fn release(&self, cancelled: bool) {
        drop(self.future.take());
        self.awaits.release(cancelled);
    }
}

/// The waker of a suspended task.
pub(crate) struct TaskWaker {
    task: TaskRef,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        pool::resume(&self.task);
    }
}

/// Wakes a thread that polls.
struct ThreadWaker {
    parker: Arc<Parker>,
    woken: Mutex<bool>,
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        *lock(&self.woken) = true;
        self.parker.unpark();
    }
}

/// Polls a future to its end on this thread; inside of work a spare worker stands in meanwhile.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Arc::new(ThreadWaker { parker: Parker::current(), woken: Mutex::new(false) });
    let own = Waker::from(waker.clone());
    let mut context = Context::from_waker(&own);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        pool::blocking(|| {
            while !std::mem::take(&mut *lock(&waker.woken)) {
                waker.parker.park(None);
            }
        });
    }
}
