//! Work around other work: it starts that when the time has come, and waits for its result.
//!
//! Such a job has stages. In each it is a task that waits, for a result (`core::Awaits`) or for a call
//! of `TaskRef::resume`, and holds no thread. What it is like from outside is what it is around: it has
//! the same name and place, and its failures are the same.

use std::cell::Cell;

use crate::core::{Here, Outcome, Owner};
use crate::pool::{Inside, Place};
use crate::work::Work;

/// The work that a job is around, until the job starts it.
pub(crate) struct Staged<'w, T>(Cell<Option<Work<'w, T>>>);

impl<'w, T> Staged<'w, T> {
    pub(crate) fn of(work: Work<'w, T>) -> Staged<'w, T> {
        Staged(Cell::new(Some(work)))
    }

    pub(crate) fn take(&self) -> Work<'w, T> {
        self.0.take().unwrap_or_else(|| unreachable!("work was started twice"))
    }

    /// It is not started any more.
    pub(crate) fn release(&self) {
        drop(self.0.take());
    }
}

/// Submits the work that a job is around. It takes over the job's place in the pool's queue, where
/// it can count as ready work itself.
pub(crate) fn start_at<T: Send>(
    inner: Work<'_, T>,
    here: &Here<'_>,
    place: Option<Place>,
) -> Owner<T> {
    let Some(place) = place else {
        unreachable!("work was started nowhere");
    };
    let mut counted = here.header().hooked_home::<Inside>().is_some_and(|part| part.uncount());
    if counted && inner.waits() {
        place.pool().begun();
        counted = false;
    }
    inner.submit(place, counted).into_owner()
}

/// Runs work as a part of a task: in place, or as a task of its own that this one waits for.
pub(crate) fn run_part<T: Send>(inner: Work<'_, T>, here: &Here<'_>) -> Outcome<T> {
    inner.finish_inside(here)
}
