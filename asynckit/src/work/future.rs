//! Work that is a future: polled on the pool, holding no thread while it waits.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::core::{Awaits, Here, Job, JobStep, Outcome, TaskRef, VisitEdges};
use crate::error::{At, BoxError, Error};
use crate::observe::TaskKind;
use crate::pool::{self, Asleep, GivenBack};
use crate::result::AsyncResult;
use crate::sync::{Arc, Deadline, Mutex, Parker, lock};
use crate::terms::{Polling, Sleep, Who, end_in_place};

type Future_<'w, T> = Pin<Box<dyn Future<Output = Result<Outcome<T>, BoxError>> + Send + 'w>>;

/// A job that is polled until its future is ready. `CARRIED`: it is the future of who carries a call out elsewhere, or
/// has it done here after all.
pub(crate) struct Polled<'w, T, const CARRIED: bool> {
    future: Cell<Option<Future_<'w, T>>>,
    sleep: Sleep,
    meanwhile: Cell<Meanwhile>,
    awaits: Awaits<T>,
}

/// What holds while a future is pending.
#[derive(Default)]
enum Meanwhile {
    #[default]
    Nothing,
    /// It has given these back while it awaits results.
    GivenBack(GivenBack),
    /// Nobody but somebody outside can bring it further.
    Outside { _counts: Asleep },
}

impl<'w, T, const CARRIED: bool> Polled<'w, T, CARRIED> {
    pub(crate) fn new(
        future: impl Future<Output = Result<Outcome<T>, BoxError>> + Send + 'w,
    ) -> Polled<'w, T, CARRIED> {
        Polled {
            future: Cell::new(Some(Box::pin(future))),
            sleep: Sleep::default(),
            meanwhile: Cell::default(),
            awaits: Awaits::nothing(),
        }
    }

    /// What holds while it is pending, as it awaits these.
    fn meanwhile(&self, here: &Here<'_>) -> Meanwhile {
        if self.sleep.awaited().is_some() {
            let lent = GivenBack::of_sleeper(|| here.reference());
            return lent.map_or(Meanwhile::Nothing, Meanwhile::GivenBack);
        }
        match pool::place_here().filter(|_| CARRIED) {
            Some(place) => Meanwhile::Outside { _counts: Asleep::elsewhere(place.pool()) },
            None => Meanwhile::Nothing,
        }
    }

    fn ended(&self, here: &Here<'_>, outcome: Result<Outcome<T>, BoxError>) -> JobStep<T> {
        match outcome {
            Ok(Outcome::Done(outcome)) => JobStep::Done(outcome),
            Ok(Outcome::Flatten(result)) => self.awaits.result(result.0, true),
            Err(error) => JobStep::Done(Err(here.failed(error))),
        }
    }
}

impl<T, const CARRIED: bool> Job<T> for Polled<'_, T, CARRIED> {
    const SHOWN_AS: TaskKind = if CARRIED { TaskKind::Around } else { TaskKind::Future };

    fn edges(&self, visit: VisitEdges<'_>) {
        self.awaits.edges(visit);
    }

    fn run(&self, here: &Here<'_>) -> JobStep<T> {
        if let Some(outcome) = self.awaits.outcome() {
            return JobStep::Done(outcome);
        }
        // A stop waits for this until there is something else to wait for.
        let mut before = self.meanwhile.take();
        if let Meanwhile::GivenBack(lent) = &mut before
            && !lent.take_back(|| Who::Task(here.reference()))
        {
            // It stands in line for that, and awaits nothing else now.
            self.meanwhile.set(before);
            self.sleep.end();
            pool::holds_while_it_waits(&here.reference());
            return JobStep::Pending;
        }
        let Some(mut future) = self.future.take() else {
            unreachable!("a future was polled after its end");
        };
        let waker = self.sleep.waker(|| here.reference());
        let polling = Polling::begin(&waker, &self.sleep);
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        let awaits = polling.end();
        match polled {
            Poll::Pending => {
                self.future.set(Some(future));
                self.sleep.begin(awaits);
                // This one would count as somebody else's.
                drop(waker);
                self.meanwhile.set(self.meanwhile(here));
                JobStep::Pending
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
        let until = end_in_place();
        match block_on(future, until, &self.sleep, here.hop().at) {
            Some(Ok(Outcome::Done(outcome))) => outcome,
            Some(Ok(Outcome::Flatten(result))) => AsyncResult::from_owner(result.0).get(),
            Some(Err(error)) => Err(here.failed(error)),
            None => {
                let limit = until.map_or(Duration::ZERO, |until| until.limit);
                Err(Error::timed_out(here.hop(), limit))
            }
        }
    }

    fn release(&self, cancelled: bool) {
        let before = self.meanwhile.take();
        drop(self.future.take());
        self.sleep.end();
        self.awaits.release(cancelled);
        drop(before);
    }

    fn awaited(&self) -> Option<Vec<TaskRef>> {
        self.sleep.awaited()
    }

    fn fail_await(&self, error: Error) {
        self.sleep.fail(error);
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

impl ThreadWaker {
    /// Waits until it is woken; false at the deadline.
    fn wait(&self, until: Option<Deadline>) -> bool {
        while !std::mem::take(&mut *lock(&self.woken)) {
            if until.is_some_and(|until| until.is_over()) {
                return false;
            }
            self.parker.park(until);
        }
        true
    }
}

/// Polls the future of a task to its end on this thread, or until the deadline.
///
/// Where it awaits nothing but results of ours, that is a wait like any other: it does what it needs, and
/// fails where it closes a cycle. Else a spare worker stands in meanwhile.
fn block_on<F: Future>(
    future: F,
    until: Option<Deadline>,
    sleep: &Sleep,
    at: At,
) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = Arc::new(ThreadWaker { parker: Parker::current(), woken: Mutex::new(false) });
    let own = Waker::from(waker.clone());
    loop {
        let polling = Polling::begin(&own, sleep);
        let polled = future.as_mut().poll(&mut Context::from_waker(&own));
        let awaits = polling.end();
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        // Who has the waker besides this function.
        let kept = Arc::strong_count(&waker) - 2;
        let come = if !awaits.is_empty() && kept <= awaits.len() {
            let come = pool::wait(&pool::Set(&awaits), until, at);
            come.unwrap_or_else(|error| {
                sleep.fail(error);
                true
            })
        } else {
            pool::blocking(|| waker.wait(until))
        };
        if !come {
            return None;
        }
    }
}
