//! Work that stands in a line before it begins: for permits of a limit, or for a turn by a rate.
//!
//! It enters the line when it is submitted, as a task that is done on the spot, and sleeps there without a thread.
//! Permits go with the work that has them (`Share`, a part of the work's place) and come back when the last of that is
//! really over: a function that was cancelled or is out of time runs on, and keeps its permits until it returns.

use std::cell::Cell;
use std::time::Duration;

use crate::core::{Here, TaskRef};
use crate::error::Error;
use crate::pool::{self, Asleep, Place, Turn};
use crate::sync::{Arc, Deadline, Parker};
use crate::terms::{
    ComesAs, InLine, Kept, Permit, Permits, Timers, Wanted, Who, Whose, end_in_place,
    with_permit_in_place,
};
use crate::work::{Begin, Term};

/// What work stands in line for.
pub(super) struct LimitedWork {
    wanted: Wanted,
    in_line: Cell<Option<InLine>>,
    /// A stop waits for what is to come by time.
    asleep: Cell<Option<Asleep>>,
}

impl LimitedWork {
    pub(super) fn new(whose: Whose, weight: usize) -> LimitedWork {
        let wanted = Wanted { whose, weight };
        LimitedWork { wanted, in_line: Cell::new(None), asleep: Cell::new(None) }
    }

    /// The permit, when it is this work's turn.
    fn permit(
        &self,
        permits: impl FnOnce() -> Arc<Permits>,
        who: impl FnOnce() -> Who,
    ) -> Result<Permit, Turn> {
        let in_line = match self.in_line.take() {
            Some(in_line) => in_line,
            None => match permits().enter(self.wanted.weight, ComesAs::New, who) {
                Ok(permit) => return Ok(pool::got_permit(permit)),
                Err(in_line) => {
                    if let Some(watched) = pool::watched_here() {
                        in_line.tell(watched, self.wanted.weight);
                    }
                    in_line
                }
            },
        };
        match in_line.waiter.take() {
            Some(permit) => Ok(pool::got_permit(permit)),
            None => {
                let turn = Turn::of(&in_line);
                self.in_line.set(Some(in_line));
                Err(turn)
            }
        }
    }

    /// The failure of work that could never begin.
    fn refusal(&self, here: &Here<'_>) -> Option<Error> {
        let words = self.wanted.refusal()?;
        Some(here.failed(words.into()))
    }
}

impl Term for LimitedWork {
    fn begin(&self, place: Place, here: &Here<'_>) -> Begin {
        if let Some(error) = self.refusal(here) {
            return Begin::Never(error);
        }
        let permits = || self.wanted.line(|| place.pool().timers());
        match self.permit(permits, || Who::Task(here.reference())) {
            Ok(permit) if permit.limit().is_timed() => Begin::On(place),
            Ok(permit) => Begin::On(place.with_kept(Kept::Permit(permit))),
            Err(turn) => {
                pool::look_at_queue(here.header());
                if turn.is_timed() {
                    self.asleep.set(Some(Asleep::begin(place.pool())));
                } else {
                    pool::holds_while_it_waits(&here.reference());
                }
                Begin::Later
            }
        }
    }

    fn begun(&self, task: &TaskRef, waits: bool) {
        drop(self.asleep.take());
        if waits && matches!(self.wanted.whose, Whose::Limit(_)) {
            pool::holds_while_it_waits(task);
        }
    }

    fn run_in_place<T>(
        &self,
        here: &Here<'_>,
        run: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        if let Some(error) = self.refusal(here) {
            return Err(error);
        }
        let until = end_in_place();
        let timers = || pool::virtual_timers_here().unwrap_or_else(Timers::system);
        let permit = loop {
            let permits = || self.wanted.line(timers);
            let turn = match self.permit(permits, || Who::Thread(Parker::current())) {
                Ok(permit) => break permit,
                Err(turn) => turn,
            };
            // What comes by time comes, whoever else waits.
            let far = turn.is_timed().then(|| Deadline::after(Duration::MAX));
            if !pool::wait(&turn, until.or(far), here.hop().at)? {
                let limit = until.map_or(Duration::ZERO, |until| until.limit);
                return Err(Error::timed_out(here.hop(), limit));
            }
        };
        if permit.limit().is_timed() { run() } else { with_permit_in_place(permit, run) }
    }

    fn leave(&self) {
        if let Some(in_line) = self.in_line.take() {
            in_line.give_up();
        }
        drop(self.asleep.take());
    }
}
