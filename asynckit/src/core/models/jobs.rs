//! Jobs that come to wait again, and what threads are seen to be at.

use std::cell::Cell;

use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use loom::thread;

use super::super::awaits::Awaits;
use super::super::entry::Entry;
use super::super::frame::{self, StackPtr};
use super::super::handle::{Owner, Setting};
use super::super::here::Here;
use super::super::home::IsHome;
use super::super::inputs::VisitEdges;
use super::super::schedule::ToHomes;
use super::super::state::Traits;
use super::super::task::{self, Job, JobStep, Jobbed};
use super::world::{Part, Queue, call, cancelled, hop, model, model_with_looks, submit, work};
use crate::Error;
use crate::sync::Arc;

/// What a job does with what it keeps.
fn uses(part: &Cell<Option<Part>>) {
    let kept = part.take();
    kept.as_ref().map(Part::read);
    part.set(kept);
}

/// Pending for ever.
struct Pends(Cell<Option<Part>>);

// SAFETY: a job is lent to one thread at a time.
unsafe impl Send for Pends {}

impl Job<u32> for Pends {
    fn edges(&self, _: VisitEdges<'_>) {}
    fn run(&self, _: &Here<'_>) -> JobStep<u32> {
        uses(&self.0);
        JobStep::Pending
    }
    fn run_in_place(&self, _: &Here<'_>) -> Result<u32, Error> {
        unreachable!("it is a task")
    }
    fn release(&self, _: bool) {
        drop(self.0.take());
    }
}

/// A task is cancelled while it runs and goes to sleep: one of the two disposes of it, and its home is told once.
#[test]
fn the_cancelled_sleeper() {
    model(|place, drops| {
        let pends = Pends(Cell::new(Some(Part::new(drops))));
        let task = submit(place, Traits::HOOKED, Jobbed(pends));
        let its = place.clone();
        let worker = thread::spawn(move || work(&its));
        assert!(task.reference().give_up(cancelled()));
        worker.join().unwrap();
        assert_eq!(drops.load(SeqCst), 1, "it is disposed of");
        work(place);
        assert_eq!(place.over.load(SeqCst), 1);
        drop(task);
        1
    });
}

/// Waits for a result once.
struct WaitsAgain {
    part: Cell<Option<Part>>,
    result: Cell<Option<Owner<u32>>>,
    awaits: Awaits<u32>,
}

// SAFETY: a job is lent to one thread at a time.
unsafe impl Send for WaitsAgain {}

impl Job<u32> for WaitsAgain {
    fn edges(&self, visit: VisitEdges<'_>) {
        self.awaits.edges(visit);
    }
    fn run(&self, _: &Here<'_>) -> JobStep<u32> {
        uses(&self.part);
        match self.result.take() {
            Some(result) => self.awaits.result(result, false),
            None => JobStep::Done(self.awaits.outcome().unwrap()),
        }
    }
    fn run_in_place(&self, _: &Here<'_>) -> Result<u32, Error> {
        unreachable!("it is a task")
    }
    fn release(&self, cancelled: bool) {
        drop((self.part.take(), self.result.take()));
        self.awaits.release(cancelled);
    }
}

fn waits_again(drops: &Arc<AtomicUsize>) -> (WaitsAgain, Setting<u32>) {
    let (result, setting) = task::channel(hop());
    let part = Cell::new(Some(Part::new(drops)));
    let result = Cell::new(Some(result));
    (WaitsAgain { part, result, awaits: Awaits::nothing() }, setting)
}

/// A task is cancelled while it runs and comes to wait for a result: one of the two disposes of it, though that
/// is never set.
#[test]
fn a_cancel_and_a_job_that_waits_again() {
    model(|place, drops| {
        let (job, setting) = waits_again(drops);
        let task = submit(place, Traits::HOOKED, Jobbed(job));
        let its = place.clone();
        let worker = thread::spawn(move || work(&its));
        assert!(task.reference().give_up(cancelled()));
        worker.join().unwrap();
        work(place);
        assert_eq!(drops.load(SeqCst), 1, "it is disposed of");
        assert_eq!(place.over.load(SeqCst), 1);
        setting.task().give_up(cancelled());
        drop(task);
        1
    });
}

/// The result that a task comes to wait for is set meanwhile: it is run again, and is over once.
#[test]
fn a_set_and_a_job_that_waits_again() {
    model(|place, drops| {
        let (job, setting) = waits_again(drops);
        let task = submit(place, Traits::HOOKED, Jobbed(job));
        let its = place.clone();
        let sets = thread::spawn(move || {
            assert!(setting.set(7).is_ok());
            work(&its);
        });
        work(place);
        sets.join().unwrap();
        work(place);
        assert_eq!(task.take().unwrap(), 7);
        assert_eq!(place.over.load(SeqCst), 1);
        1
    });
}

/// A task goes to sleep while its waker is called: it is run again.
#[test]
fn a_sleeper_and_its_waker() {
    model(|place, drops| {
        let pends = Pends(Cell::new(Some(Part::new(drops))));
        let task = submit(place, Traits::HOOKED, Jobbed(pends));
        let claimed = place.entries.lock().unwrap().pop().and_then(Entry::claim).unwrap();
        let (its, reference) = (place.clone(), task.reference());
        let wakes = thread::spawn(move || {
            if let Some(entry) = reference.wake() {
                Queue::schedule(&its, entry);
            }
        });
        place.run(claimed, &mut ToHomes);
        wakes.join().unwrap();
        assert_eq!(place.entries.lock().unwrap().len(), 1, "it was woken");
        assert!(task.reference().give_up(cancelled()));
        drop(task);
        1
    });
}

/// A thread ends a task, and its memory goes, while another thread looks what it is at.
#[test]
fn the_late_look() {
    model_with_looks(|place, drops| {
        let its = drops.clone();
        let task = call(place, (), move |()| Part::new(&its));
        let stack = StackPtr::own();
        let looks = thread::spawn(move || {
            // SAFETY: the thread does not end before this one.
            for task in unsafe { frame::tasks_on(&[stack]) }.into_iter().flatten() {
                assert_eq!(task.hop.name, hop().name, "it is a task");
            }
        });
        work(place);
        drop(task);
        looks.join().unwrap();
        1
    });
}
