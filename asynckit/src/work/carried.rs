//! Calls that may be carried out elsewhere: where one is submitted to a place that has carriers, a job asks these,
//! and does what they answer.
//!
//! Where a place has none, the call's work is submitted as it is: the rest of this file does nothing then.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use super::future::Polled;
use super::lift::{flatten, pending_cell, start_task};
use super::run::{begin_anew, keeping_loans};
use super::{Carriable, Form, Own, Work, Wrap};
use crate::core::{Either, Here, Outcome, Owner, Unsubmitted, task_here};
use crate::error::{At, BoxError, Error, Failure, Hook, Hop};
use crate::observe::tell;
use crate::pool::{self, Place};
use crate::result::AsyncResult;
use crate::sync::{Arc, Mutex, lock};
use crate::terms::{Call, Carriers, Codec, Description, Ended, OnCall, Running, Tell};
use crate::trace::Around;

/// A call, as its attribute describes it.
struct Described<A, C, T, F> {
    hop: Hop,
    description: Description,
    codec: C,
    arguments: A,
    /// Makes the work that does it here.
    call: F,
    /// What is put around that.
    around: Vec<Wrap<T>>,
    /// What is put around all of it, the look for its value too.
    outside: Vec<Wrap<T>>,
}

/// Work for a call that may be carried out elsewhere.
pub(crate) fn described<'w, A, C, T, F>(
    hop: Hop,
    description: Description,
    codec: C,
    arguments: A,
    call: F,
) -> Work<'w, T>
where
    A: Send + 'w,
    C: Codec<A, T> + Clone + 'w,
    T: Send + 'w,
    F: FnOnce(A) -> Work<'w, T> + Send + 'w,
{
    let (around, outside) = (Vec::new(), Vec::new());
    let call = Described { hop, description, codec, arguments, call, around, outside };
    Work::of_form(hop, Form::Own(Own::Call(Box::new(call))))
}

impl<'w, T> Work<'w, T> {
    /// Within all of these.
    fn within(self, wraps: Vec<Wrap<T>>) -> Work<'w, T>
    where
        T: Send,
    {
        let hop = self.hop;
        let wrapped =
            |work: Work<'w, T>, wrap: Wrap<T>| Work::with_cell(hop, wrap(work.into_any_cell()));
        wraps.into_iter().fold(self, wrapped)
    }

    /// A cell for it, whatever it is.
    fn into_any_cell(mut self) -> Unsubmitted<T>
    where
        T: Send,
    {
        match self.take() {
            Own::Cell(cell) | Own::Large(cell) => cell,
            own => {
                let work = Work::of_form(self.hop, Form::Own(own));
                pending_cell(self.hop, (), move |here, ()| work.finish_inside(here))
            }
        }
    }
}

impl<'w, A, C, T, F> Described<A, C, T, F>
where
    A: Send + 'w,
    C: Codec<A, T> + Clone + 'w,
    T: Send + 'w,
    F: FnOnce(A) -> Work<'w, T> + Send + 'w,
{
    /// The work that does it here.
    fn here(self) -> Work<'w, T> {
        let Described { hop, arguments, call, around, .. } = self;
        Work { hop, ..call(arguments) }.within(around)
    }

    /// What is around all of it, where something is.
    fn whole(mut self: Box<Self>) -> Result<Work<'w, T>, Box<Self>> {
        if self.outside.is_empty() {
            return Err(self);
        }
        let outside = std::mem::take(&mut self.outside);
        Ok(Work::of_form(self.hop, Form::Own(Own::Call(self))).within(outside))
    }

    /// A task of the place, which has the carriers asked.
    fn carried(self, place: Place, counted: bool, carriers: Arc<Carriers>) -> Owner<T> {
        let (hop, answer, around) = (self.hop, Answer::default(), Around::here(task_here));
        let call = Call::new(CarriedCall { call: Some(self), answer: answer.clone() });
        let future = async move {
            match around.in_scope(|| carriers.carry(call)) {
                Ok(mut carriage) => {
                    let polled =
                        poll_fn(|context| around.in_scope(|| carriage.as_mut().poll(context)));
                    drop(polled.await);
                }
                Err(call) => drop(call.here()),
            }
            let answer = lock(&answer).take();
            Ok(answer.unwrap_or_else(|| Outcome::Done(Err(Error::unanswered(hop)))))
        };
        Work::with_job(hop, Polled::<_, true>::new(future)).submit(place, counted).into_owner()
    }
}

impl<'w, A, C, T, F> Carriable<T> for Described<A, C, T, F>
where
    A: Send + 'w,
    C: Codec<A, T> + Clone + 'w,
    T: Send + 'w,
    F: FnOnce(A) -> Work<'w, T> + Send + 'w,
{
    fn submit(self: Box<Self>, place: Place, counted: bool) -> Owner<T> {
        match (self.whole(), place.carriers().cloned()) {
            (Ok(whole), _) => whole.submit(place, counted).into_owner(),
            (Err(own), Some(carriers)) => own.carried(place, counted, carriers),
            (Err(own), None) => own.here().submit(place, counted).into_owner(),
        }
    }

    fn run_part(self: Box<Self>, hook: Option<Hook>) -> Result<T, Error> {
        match self.whole() {
            Ok(whole) => whole.run_part(hook),
            Err(own) => own.here().run_part(hook),
        }
    }

    fn finish_inside(self: Box<Self>, here: &Here<'_>, begins: bool) -> Outcome<T> {
        let own = match self.whole() {
            Ok(whole) => return whole.go_on_inside(here, begins),
            Err(own) => own,
        };
        let place = pool::place_here().filter(|_| !here.is_in_place());
        let Some((place, carriers)) = place.and_then(|place| {
            let carriers = place.carriers().cloned()?;
            Some((place, carriers))
        }) else {
            return own.here().go_on_inside(here, begins);
        };
        if begins {
            begin_anew(here);
        }
        let place = keeping_loans(place, here);
        flatten(AsyncResult::from_owner(own.carried(place, false, carriers)))
    }

    fn may_be_known(&self) -> bool {
        self.description.known
    }

    fn put_under(&mut self, comes_first: bool, wrap: Wrap<T>) {
        let side = if comes_first { &mut self.outside } else { &mut self.around };
        side.push(wrap);
    }
}

/// What the carriers have answered.
type Answer<T> = Arc<Mutex<Option<Outcome<T>>>>;

/// A call that carriers are asked about.
struct CarriedCall<A, C, T, F> {
    call: Option<Described<A, C, T, F>>,
    answer: Answer<T>,
}

impl<A, C, T, F> CarriedCall<A, C, T, F> {
    fn answer(&self, outcome: Outcome<T>) {
        let before = lock(&self.answer).replace(outcome);
        drop(before);
    }

    fn call(&self) -> &Described<A, C, T, F> {
        self.call.as_ref().unwrap_or_else(|| unreachable!("a call is answered once"))
    }
}

impl<'w, A, C, T, F> OnCall for CarriedCall<A, C, T, F>
where
    A: Send + 'w,
    C: Codec<A, T> + Clone + 'w,
    T: Send + 'w,
    F: FnOnce(A) -> Work<'w, T> + Send + 'w,
{
    fn description(&self) -> &Description {
        &self.call().description
    }

    fn at(&self) -> At {
        self.call().hop.at
    }

    fn due(&self) -> Option<Instant> {
        let Place::Part(place) = pool::place_here()? else { return None };
        let own = place.stopwatch().and_then(|stopwatch| stopwatch.due());
        own.into_iter().chain(place.tree().and_then(|tree| tree.due())).min()
    }

    fn ran(&self, place: &str, began: Duration, ended: Duration) {
        // (Of a pool with a clock of its own nobody could make anything of these times.)
        let is_timed = |place: Place| !place.pool().timers().is_virtual();
        if let Some((task, by)) = pool::listeners_here()
            && pool::place_here().is_some_and(is_timed)
        {
            tell!(by.moment(), RanElsewhere { task, place, began, ended });
        }
    }

    fn arguments(&self) -> Result<Vec<Vec<u8>>, BoxError> {
        let call = self.call();
        call.codec.arguments(&call.arguments)
    }

    fn decode(&self, bytes: &[u8]) -> Result<(), BoxError> {
        let value = self.call().codec.decode(bytes)?;
        self.answer(Outcome::Done(Ok(value)));
        Ok(())
    }

    fn fail(&self, failure: Failure) {
        let hook = pool::place_here().and_then(|place| place.pool().hook());
        self.answer(Outcome::Done(Err(Error::relayed(self.call().hop, failure, hook))));
    }

    fn fail_as(&self, error: &Error) {
        self.answer(Outcome::Done(Err(error.clone().handed_on(self.call().hop))));
    }

    fn here(&mut self, tell: Option<Tell>) -> Option<Running> {
        let (call, place) = (self.call.take()?, pool::place_here()?);
        let (hop, codec) = (call.hop, call.codec.clone());
        let result = call.here().submit(place.clone(), false);
        let Some(tell) = tell else {
            self.answer(flatten(result));
            return None;
        };
        let told = move |_: &Here<'_>, (outcome, ()): (Result<T, Error>, ())| {
            tell(match &outcome {
                Ok(value) => codec.value(value).map_or_else(Ended::Unencodable, Ended::Value),
                Err(error) => Ended::Failed(error),
            });
            Outcome::Done(outcome)
        };
        let inputs = (Either::of(result.into_owner()), ());
        let told = start_task(hop, &place, inputs, told);
        let running = Running::of(told.owner().reference());
        self.answer(flatten(told));
        Some(running)
    }
}
