//! Work under terms: a limit, a priority, a limit of time.
//!
//! Such work is a job around the work itself: it starts that when the time has come, and waits for its result. So it
//! has stages. In each it is a task that waits, for a result (`core::Awaits`) or for a call of `TaskRef::resume`, and
//! holds no thread. What it is like from outside is what it is around: it has the same name and place, and its failures
//! are the same.

use std::cell::Cell;

use crate::core::{Awaits, Here, Job, JobStep, Owner, TaskRef, Unsubmitted, VisitEdges};
use crate::error::Error;
use crate::pool::{self, Inside, Place};
use crate::work::{Carriable, Form, Own, Work};

/// What work is put under: it says when the work begins, and where.
pub(crate) trait Term: Send + Sized + 'static {
    /// Whether it holds for the look for a value that may be known already, too: others are for what is not.
    const COMES_FIRST: bool = false;
    /// Whether it ends the work by itself, after a time.
    const TIMED: bool = false;

    /// The work is to begin on this place.
    fn begin(&self, place: Place, here: &Here<'_>) -> Begin;

    /// This is the work's task now; `waits`: for inputs.
    fn begun(&self, _task: &TaskRef, _waits: bool) {}

    /// The work has come to its end.
    fn ended(&self, _here: &Here<'_>, _has_value: bool) {}

    /// Runs the work in place.
    fn run_in_place<T>(
        &self,
        _here: &Here<'_>,
        run: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        run()
    }

    /// The work is given up, or over.
    fn leave(&self) {}
}

/// Whether work begins.
pub(crate) enum Begin {
    /// It does, there.
    On(Place),
    /// Not before its task is resumed.
    Later,
    Never(Error),
}

/// Work under a term.
struct Under<'w, T, K> {
    term: K,
    /// Until it is started.
    work: Cell<Option<Work<'w, T>>>,
    awaits: Awaits<T>,
}

impl<'w, T, K> Under<'w, T, K> {
    fn new(work: Work<'w, T>, term: K) -> Under<'w, T, K> {
        Under { term, work: Cell::new(Some(work)), awaits: Awaits::nothing() }
    }

    fn take(&self) -> Work<'w, T> {
        self.work.take().unwrap_or_else(|| unreachable!("work was started twice"))
    }
}

impl<T: Send, K: Term> Job<T> for Under<'_, T, K> {
    const IMMEDIATE: bool = true;
    const TIMED: bool = K::TIMED;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.awaits.edges(visit);
    }

    fn run(&self, here: &Here<'_>) -> JobStep<T> {
        if let Some(outcome) = self.awaits.outcome() {
            self.term.ended(here, outcome.is_ok());
            return JobStep::Done(outcome);
        }
        let Some(place) = pool::place_here() else { unreachable!("work was started nowhere") };
        let place = match self.term.begin(place, here) {
            Begin::On(place) => place,
            Begin::Later => return JobStep::Pending,
            Begin::Never(error) => return JobStep::Done(Err(error)),
        };
        let work = self.take();
        let waits = work.waits();
        let started = start(work, here, place);
        self.term.begun(&started.reference(), waits);
        self.awaits.result(started, true)
    }

    fn run_in_place(&self, here: &Here<'_>) -> Result<T, Error> {
        self.term.run_in_place(here, || self.take().run_part(here.hook()))
    }

    fn withdraw(&self, cancelled: bool) {
        self.term.leave();
        self.awaits.release(cancelled);
    }

    fn release(&self, cancelled: bool) {
        Job::<T>::withdraw(self, cancelled);
        drop(self.work.take());
    }
}

/// Submits the work that a job is around. It takes over the job's place in the pool's queue, where
/// it can count as ready work itself.
fn start<T: Send>(work: Work<'_, T>, here: &Here<'_>, place: Place) -> Owner<T> {
    let mut counted = here.header().hooked_home::<Inside>().is_some_and(|part| part.uncount());
    if counted && work.waits() {
        place.pool().begun();
        counted = false;
    }
    work.submit(place, counted).into_owner()
}

impl<'w, T: Send> Work<'w, T> {
    /// The same work under a term. Where its value may be known already, that may be for the work alone and not for
    /// the look.
    pub(crate) fn under<K: Term>(mut self, term: K) -> Work<'w, T> {
        let hop = self.hop;
        let Some(call) = self.call_under(K::COMES_FIRST) else {
            return Work::with_job(hop, Under::new(self, term));
        };
        let wrap =
            move |cell| Unsubmitted::of_job(hop, Under::new(Work::with_cell(hop, cell), term));
        call.put_under(K::COMES_FIRST, Box::new(wrap));
        self
    }

    /// The call whose value may be known already, where a term is to be put on one of its sides.
    fn call_under(&mut self, comes_first: bool) -> Option<&mut (dyn Carriable<T> + 'w)> {
        match &mut self.form {
            Some(Form::Own(Own::Call(call))) if call.may_be_known() => Some(&mut **call),
            // What counts from the submission counts while it follows others, too.
            Some(Form::Later(later)) if !comes_first => later.work.call_under(comes_first),
            _ => None,
        }
    }
}
