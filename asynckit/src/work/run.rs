//! Work that is run in place: on the thread that calls it, as a part of what that does.

use std::panic::Location;

use crate::core::{Here, Inline, Missing, Outcome, Owner, Unsubmitted};
use crate::error::{At, BoxError, Error, Hook, Hop};
use crate::foreign;
use crate::observe::InPlace;
use crate::panic;
use crate::pool::{self, Inside, Place, Set, Unlent};
use crate::result::AsyncResult;
use crate::terms::{Kept, begin_anew_in_place, begin_in_place, end_in_place};
use crate::trace;
use crate::work::lift::flatten;
use crate::work::{Own, Work};

impl<T: Send> Work<'_, T> {
    /// Runs the work here and now, on this thread. A panic is caught, as on a pool.
    ///
    /// Work that waits for results ([`AsyncResult::map`] and the like) blocks until they are set; an
    /// `async fn` is polled to its end.
    ///
    /// # Errors
    ///
    /// The failure of the work or of what it waited for.
    ///
    /// ```
    /// use asynckit::{ErrorKind, async_work};
    ///
    /// #[async_work]
    /// fn parse(text: &str) -> Result<u32, std::num::ParseIntError> { text.parse() }
    ///
    /// // Without a pool, as in a test of the function itself.
    /// assert_eq!(parse("42").run()?, 42);
    /// assert_eq!(parse("x").run().unwrap_err().kind(), ErrorKind::Failed);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn run(self) -> Result<T, Error> {
        self.run_part(None).map_err(Error::observed)
    }

    /// As `run`, as a part of what the thread does, whose failures have that `hook`.
    #[track_caller]
    pub(crate) fn run_part(mut self, hook: Option<Hook>) -> Result<T, Error> {
        let at = Location::caller();
        match self.take() {
            Own::Inline(call) => {
                begin_in_place(None);
                let in_place = InPlace::begin(self.hop, trace::observer(false));
                let call = || call_here(self.hop, || hook, call);
                let outcome = in_place.within(|| foreign::noting(call));
                in_place.end(outcome.as_ref().err());
                outcome
            }
            Own::Large(cell) | Own::Cell(cell) => run_cell(self.hop, cell, at),
            Own::Call(call) => call.run_part(hook),
        }
    }

    /// Inside of a task: plain work is run in place, other work goes on as a task of its own. What the task's
    /// call was lent is lent until that one is over; what is run in place has come to its end here.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn finish_inside(self, here: &Here<'_>) -> Outcome<T> {
        self.go_on_inside(here, false)
    }

    /// As `finish_inside`. `begins`: the task has done nothing but wait for the work's turn, and the time of a run counts
    /// from when that work begins.
    #[inline(always)]
    #[track_caller]
    pub(super) fn go_on_inside(mut self, here: &Here<'_>, begins: bool) -> Outcome<T> {
        match self.take() {
            Own::Inline(call) => Outcome::Done(call_here(self.hop, || here.hook(), call)),
            Own::Large(cell) => Outcome::Done(run_cell(self.hop, cell, Location::caller())),
            Own::Cell(cell) => {
                if begins {
                    begin_anew(here);
                }
                finish_cell(self.hop, cell, here, Location::caller())
            }
            Own::Call(call) => call.finish_inside(here, begins),
        }
    }
}

/// A task has done nothing but wait for the turn of the work that it goes on with.
pub(super) fn begin_anew(here: &Here<'_>) {
    let task = here.header();
    if here.is_in_place() {
        begin_anew_in_place(task);
    } else if let Some(place) = task.hooked_home::<Inside>()
        && let Some(stopwatch) = place.stopwatch()
    {
        stopwatch.begin_anew(task);
    }
}

/// Calls a closure on this thread, as a part of what that does.
#[inline(always)]
fn call_here<T>(
    hop: Hop,
    hook: impl FnOnce() -> Option<Hook>,
    call: Inline<'_, T>,
) -> Result<T, Error> {
    match panic::catch(|| call.call()) {
        Ok(Ok(value)) => Ok(value),
        failed => Err(failure_here(hop, hook(), failed.map(Result::err))),
    }
}

#[cold]
#[inline(never)]
fn failure_here(
    hop: Hop,
    hook: Option<Hook>,
    failed: Result<Option<BoxError>, panic::Payload>,
) -> Error {
    match failed {
        Ok(Some(error)) => Error::failed(hop, error, hook),
        Ok(None) => unreachable!("a value is no failure"),
        Err(payload) => Error::panicked(hop, payload, hook),
    }
}

/// Inside of a task: other work than a closure goes on as a task of its own, unless it is a part of what is run in
/// place.
#[cold]
#[inline(never)]
fn finish_cell<T: Send>(hop: Hop, cell: Unsubmitted<T>, here: &Here<'_>, at: At) -> Outcome<T> {
    match pool::place_here().filter(|_| !here.is_in_place()) {
        Some(place) => {
            let place = pool::as_a_part(keeping_loans(place, here));
            flatten(AsyncResult::from_owner(pool::made(&place, false, cell)))
        }
        None => Outcome::Done(run_cell(hop, cell, at)),
    }
}

/// The same place for work that a task goes on with: what was lent to that stays so.
pub(super) fn keeping_loans(place: Place, here: &Here<'_>) -> Place {
    let loans = here.keep_loans();
    if loans.is_empty() { place } else { place.with_kept(Kept::Loans(loans)) }
}

/// Does the work of a cell on this thread, as a part of what that does.
fn run_cell<T>(hop: Hop, mut cell: Unsubmitted<T>, at: At) -> Result<T, Error> {
    let in_place = InPlace::begin(hop, trace::observer(false));
    let outcome = loop {
        if let Err(error) = wait_for_inputs(hop, &cell, at) {
            break Err(error.passed_on(hop));
        }
        let task = cell.reference();
        if !task.is_immediate() {
            begin_in_place(Some(&task));
        }
        match in_place.within(|| cell.run_in_place()) {
            Ok(owner) => break take_here(owner, at),
            Err(again) => cell = again,
        }
    };
    in_place.end(outcome.as_ref().err());
    outcome
}

fn take_here<T>(owner: Owner<T>, at: At) -> Result<T, Error> {
    // Its limit of time may have ended it, on another thread that is about to close it.
    pool::wait(&Set(&[owner.reference()]), None, at)?;
    owner.take()
}

/// Blocks until all inputs of work that is run in place are there. It fails where one does, and where
/// they are not there in time.
fn wait_for_inputs<T>(hop: Hop, cell: &Unsubmitted<T>, at: At) -> Result<(), Error> {
    let until = end_in_place();
    while let Some(missing) = cell.next_missing() {
        let there = match missing {
            Missing::Set(task) => pool::wait(&Set(&[task]), until, at)?,
            Missing::Failed(error) => return Err(error),
            Missing::Loans(lender) => pool::wait(&Unlent(lender), until, at)?,
        };
        if let (false, Some(until)) = (there, until) {
            return Err(Error::timed_out(hop, until.limit));
        }
    }
    Ok(())
}
