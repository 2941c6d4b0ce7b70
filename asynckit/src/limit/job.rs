//! Work that stands in a line before it begins: for permits of a limit, or for a turn by a rate.
//!
//! It enters the line when it is submitted, as a task that is done on the spot, and sleeps there without a thread.
//! Permits go with the work that has them (`Share`, a part of the work's place) and come back when the last of that is
//! really over: a function that was cancelled or is out of time runs on, and keeps its permits until it returns.

use std::cell::Cell;
use std::time::Duration;

use crate::core::{Awaits, Here, Job, JobStep, Unsubmitted, VisitEdges};
use crate::error::{Error, Hop};
use crate::pool::{self, Asleep, Turn};
use crate::sync::{Arc, Deadline, Parker};
use crate::terms::{
    Comes, InLine, Kept, Permit, Permits, Timers, Wanted, Who, end_in_place, with_permit_in_place,
};
use crate::work::stage::{Staged, start_at};
use crate::work::{Term, Work};

/// Work that stands in a line.
struct LimitedWork<'w, T> {
    wanted: Wanted,
    inner: Staged<'w, T>,
    in_line: Cell<Option<InLine>>,
    /// A stop waits for what is to come by time.
    asleep: Cell<Option<Asleep>>,
    awaits: Awaits<T>,
}

impl<'w, T> LimitedWork<'w, T> {
    /// The permit, when it is this work's turn.
    fn permit(
        &self,
        permits: impl FnOnce() -> Arc<Permits>,
        who: impl FnOnce() -> Who,
    ) -> Option<Permit> {
        let in_line = match self.in_line.take() {
            Some(in_line) => in_line,
            None => match permits().enter(self.wanted.weight, Comes::New, who) {
                Ok(permit) => return Some(pool::got_permit(permit)),
                Err(in_line) => {
                    if let Some(watched) = pool::watched_here() {
                        in_line.tell(watched, self.wanted.weight);
                    }
                    in_line
                }
            },
        };
        let permit = in_line.waiter.take();
        if permit.is_none() {
            self.in_line.set(Some(in_line));
        }
        permit.map(pool::got_permit)
    }

    /// Looks at the place in line.
    fn with_place<R>(&self, look: impl FnOnce(&InLine) -> R) -> R {
        let in_line = self.in_line.take();
        let in_line = in_line.unwrap_or_else(|| unreachable!("nobody stands in line"));
        let seen = look(&in_line);
        self.in_line.set(Some(in_line));
        seen
    }

    /// The failure of work that could never begin.
    fn refusal(&self, here: &Here<'_>) -> Option<Error> {
        let words = self.wanted.refusal()?;
        Some(here.failed(words.into()))
    }
}

impl<T: Send> Job<T> for LimitedWork<'_, T> {
    const IMMEDIATE: bool = true;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.awaits.edges(visit);
    }

    fn run(&self, here: &Here<'_>) -> JobStep<T> {
        if let Some(outcome) = self.awaits.outcome() {
            return JobStep::Done(outcome);
        }
        if let Some(error) = self.refusal(here) {
            return JobStep::Done(Err(error));
        }
        let Some(place) = pool::place_here() else { unreachable!("work was started nowhere") };
        let permits = || self.wanted.line(|| place.pool().timers());
        let Some(permit) = self.permit(permits, || Who::Task(here.reference())) else {
            pool::look_at_queue(here.header());
            if self.with_place(|place| place.permits.is_timed()) {
                self.asleep.set(Some(Asleep::begin(place.pool())));
            } else {
                pool::holds_while_it_waits(&here.reference());
            }
            return JobStep::Pending;
        };
        let asleep = self.asleep.take();
        let is_kept = !permit.limit().is_timed();
        let place = if is_kept { place.with_kept(Kept::Permit(permit)) } else { place };
        let inner = self.inner.take();
        let waits = inner.waits();
        let started = start_at(inner, here, Some(place));
        drop(asleep);
        if waits && is_kept {
            pool::holds_while_it_waits(&started.reference());
        }
        self.awaits.result(started, true)
    }

    fn run_in_place(&self, here: &Here<'_>) -> Result<T, Error> {
        if let Some(error) = self.refusal(here) {
            return Err(error);
        }
        let until = end_in_place();
        let timers = || pool::virtual_timers_here().unwrap_or_else(Timers::system);
        let permit = loop {
            let permits = || self.wanted.line(timers);
            if let Some(permit) = self.permit(permits, || Who::Thread(Parker::current())) {
                break permit;
            }
            let turn = self.with_place(Turn::of);
            // What comes by time comes, whoever else waits.
            let far = turn.is_timed().then(|| Deadline::after(Duration::MAX));
            if !pool::wait(&turn, until.or(far), here.hop().at)? {
                let limit = until.map_or(Duration::ZERO, |until| until.limit);
                return Err(Error::timed_out(here.hop(), limit));
            }
        };
        if permit.limit().is_timed() {
            return self.inner.take().run_part(here.hook());
        }
        with_permit_in_place(permit, || self.inner.take().run_part(here.hook()))
    }

    fn withdraw(&self, cancelled: bool) {
        if let Some(in_line) = self.in_line.take() {
            in_line.give_up();
        }
        drop(self.asleep.take());
        self.awaits.release(cancelled);
    }

    fn release(&self, cancelled: bool) {
        Job::<T>::withdraw(self, cancelled);
        self.inner.release();
    }
}

impl<'w, T: Send + 'w> Work<'w, T> {
    /// The same work, which stands in line for this before it begins.
    pub(super) fn wanting(mut self, wanted: Wanted) -> Work<'w, T> {
        // Whose value is known already needs nothing.
        match self.put_around(limited_cell, Term::Wanted(wanted.clone())) {
            Ok(()) => self,
            Err(_) => self.limited(wanted),
        }
    }

    fn limited(self, wanted: Wanted) -> Work<'w, T> {
        let hop = self.hop();
        let job = LimitedWork {
            wanted,
            inner: Staged::of(self),
            in_line: Cell::new(None),
            asleep: Cell::new(None),
            awaits: Awaits::nothing(),
        };
        Work::with_job(hop, job)
    }
}

fn limited_cell<T: Send>(hop: Hop, inner: Unsubmitted<T>, term: Term) -> Unsubmitted<T> {
    let Term::Wanted(wanted) = term else { unreachable!("a line is no other term") };
    Work::with_cell(hop, inner).limited(wanted).into_cell()
}
