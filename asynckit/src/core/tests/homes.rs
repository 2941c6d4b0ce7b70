//! What homes are told, and jobs that come to wait: `over` once, when all is gone; the release; cancelled sleepers.

use std::cell::Cell;
use std::sync::atomic::AtomicBool;

use super::super::edge::{Edge, OnFailure};
use super::super::handle::Owner;
use super::super::here::Here;
use super::super::inputs::{Lent, Moved, VisitEdges};
use super::super::release;
use super::super::state::Traits;
use super::super::task::{self, Flat, Job, JobStep, Outcome};
use super::super::wish;
use super::support::*;
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering::SeqCst, lock, thread};
use crate::{Error, ErrorKind};

#[test]
fn a_hooked_task_is_over_once_and_keeps_its_home() {
    leaves_nothing(|| {
        let gone = Arc::new(AtomicBool::new(false));
        let place = place_that_tells(&gone);
        let a = spawn_hooked(&place, || Ok(1));
        let b = call_hooked(&place, (Lent::of(&a), ()), |(a, ())| *a);
        let fails = spawn_hooked::<u32>(&place, || Err("no".into()));
        let skipped = call_hooked(&place, (Moved::of(fails), (Lent::of(&a), ())), |_| ());
        let given_up = call_hooked(&place, (Lent::of(&a), ()), |_| ());
        assert!(given_up.reference().give_up(cancelled()));
        assert_eq!(place.over.load(SeqCst), 1);
        work(&place);
        assert_eq!(place.over.load(SeqCst), 5);
        drop((a, given_up, skipped));
        drop(place);
        assert!(!gone.load(SeqCst), "a cell is there");
        drop(b);
        assert!(gone.load(SeqCst));
    });
}

#[test]
fn nothing_is_left_of_a_task_when_its_home_is_told() {
    leaves_nothing(|| {
        for way in 0..3 {
            let (place, tally) = (place(), Tally::default());
            let (argument, value) = (tally.value(1), tally.value(2));
            let input = spawn(&place, move || Ok(value));
            let task = call_hooked(&place, (Moved::of(input), ()), move |_| {
                let _argument = argument;
                assert!(way != 1, "dies");
            });
            assert!(step(&place));
            if way == 2 {
                assert!(task.reference().fail_waiting(cancelled(), true) || task.is_set());
            }
            work(&place);
            assert_eq!((place.over.load(SeqCst), tally.alive()), (1, 0));
        }
    });
}

/// What a waker does: has the task go on.
fn wake(place: &Place, task: &super::super::handle::TaskRef) -> bool {
    let entry = task.wake();
    let woken = entry.is_some();
    if let Some(entry) = entry {
        queue_entry(place, entry);
    }
    woken
}

/// A future: pending until its gate is open.
struct Pends {
    gate: Gate,
    /// It wakes itself at each poll.
    wakes_itself: bool,
    polls: Arc<AtomicUsize>,
    kept: Mutex<Option<Counted>>,
}

impl Job<usize> for Pends {
    fn run(&self, here: &Here<'_>) -> JobStep<usize> {
        self.polls.fetch_add(1, SeqCst);
        if self.gate.is_open() {
            return JobStep::Done(Ok(self.polls.load(SeqCst)));
        }
        if self.wakes_itself {
            assert!(here.reference().wake().is_none(), "it runs");
        }
        JobStep::Pending
    }
    fn run_in_place(&self, _: &Here<'_>) -> Result<usize, Error> {
        unreachable!("it is a task")
    }
    fn release(&self, _: bool) {
        drop(lock(&self.kept).take());
    }
}

fn pends(
    place: &Place,
    tally: &Tally,
    wakes_itself: bool,
) -> (Owner<usize>, Gate, Arc<AtomicUsize>) {
    let (gate, polls) = (Gate::default(), Arc::default());
    let kept = Mutex::new(Some(tally.value(1)));
    let pends = Pends { gate: gate.clone(), wakes_itself, polls: Arc::clone(&polls), kept };
    (job(place, Traits::HOOKED, pends), gate, polls)
}

#[test]
fn a_suspended_task_sleeps_until_it_is_woken() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let (task, gate, polls) = pends(&place, &tally, false);
        assert!(!wake(&place, &task.reference()), "it is queued");
        work(&place);
        assert_eq!((polls.load(SeqCst), lock(&place.slept).len()), (1, 1));
        assert!(wake(&place, &task.reference()));
        assert!(!wake(&place, &task.reference()));
        work(&place);
        gate.open();
        assert!(wake(&place, &task.reference()));
        work(&place);
        assert_eq!(tally.alive(), 0);
        lock(&place.slept).clear();
        assert_eq!(place.over.load(SeqCst), 1);
        assert_eq!(get(task).unwrap(), 3);
    });
}

#[test]
fn a_suspended_task_is_given_up() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let (task, _gate, _) = pends(&place, &tally, false);
        work(&place);
        assert!(task.reference().give_up(cancelled()));
        assert_eq!((tally.alive(), place.over.load(SeqCst)), (0, 1));
        assert!(!wake(&place, &task.reference()));
        lock(&place.slept).clear();
        assert_eq!(get(task).unwrap_err().kind(), ErrorKind::Cancelled);
    });
}

/// A task is cancelled while it is run and comes to wait: one of the two disposes of it.
/// A call that is cancelled while it runs, and returns a result then.
#[test]
fn a_call_that_is_cancelled_lets_go_of_what_it_returns() {
    leaves_nothing(|| {
        for _ in 0..300 {
            let place = place();
            let (inner, setting) = task::channel::<u32>(hop());
            let begun = Gate::default();
            let its = begun.clone();
            let one = spawn(&place, || Ok(1));
            let outer = call_to(&place, Traits::HOOKED, (Moved::of(one), ()), move |_| {
                its.open();
                Outcome::Flatten(Flat(inner))
            });
            let worker = workers(&place, 1);
            begun.pass();
            assert!(outer.reference().give_up(cancelled()));
            drop(worker);
            assert!(setting.task().is_set(), "nobody needs it any more");
            assert_eq!(place.over.load(SeqCst), 1);
            lock(&place.slept).clear();
        }
    });
}

/// A job that waits for one result after the other, each over an edge of its own; all are shown.
struct InTurn {
    edges: [Edge; 2],
    next: Cell<usize>,
    sum: Cell<u32>,
}

// SAFETY: a job is lent to one thread at a time.
unsafe impl Send for InTurn {}

impl InTurn {
    fn of(owners: [Owner<u32>; 2]) -> InTurn {
        let edges = owners.map(|owner| Edge::moving(owner.into_holder(), OnFailure::Look));
        InTurn { edges, next: Cell::new(0), sum: Cell::new(0) }
    }
}

impl Job<u32> for InTurn {
    fn edges(&self, visit: VisitEdges<'_>) {
        self.edges[..self.next.get()].iter().for_each(visit);
    }
    fn run(&self, _: &Here<'_>) -> JobStep<u32> {
        let n = self.next.get();
        if n > 0 {
            let (holder, _) = self.edges[n - 1].take().unwrap();
            // SAFETY: the edge is to a cell of a `u32`, which is set.
            self.sum.set(self.sum.get() + unsafe { release::take_outcome::<u32>(holder) }.unwrap());
        }
        if n == 2 {
            return JobStep::Done(Ok(self.sum.get()));
        }
        self.next.set(n + 1);
        JobStep::Waits { last: false }
    }
    fn run_in_place(&self, _: &Here<'_>) -> Result<u32, Error> {
        unreachable!("it is a task")
    }
    fn release(&self, cancelled: bool) {
        // SAFETY: the job is disposed of.
        self.edges.iter().for_each(|edge| unsafe { wish::let_go(edge, cancelled) });
    }
}

#[test]
fn a_claim_beside_the_queue_leaves_a_stale_entry() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let a = spawn(&place, || Ok(1));
        let claimed = a.reference().claim().unwrap();
        assert!(a.reference().claim().is_none());
        run_one(&place, claimed);
        assert_eq!(get(a).unwrap(), 1);
        assert_eq!(work(&place), 1, "the entry is there, and finds it gone");
        // It sleeps again before that comes.
        let (task, gate, _) = pends(&place, &tally, false);
        run_one(&place, task.reference().claim().unwrap());
        gate.open();
        assert!(wake(&place, &task.reference()));
        assert_eq!(work(&place), 2);
        lock(&place.slept).clear();
        assert_eq!(get(task).unwrap(), 2);
    });
}

#[test]
fn a_claimed_task_is_failed_instead() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let value = tally.value(1);
        let a = spawn_hooked(&place, move || Ok(value));
        a.reference().claim().unwrap().fail(failed("instead"));
        work(&place);
        assert_eq!((tally.alive(), place.over.load(SeqCst)), (0, 1));
        assert!(get(a).is_err());
    });
}

#[test]
fn what_is_missing_is_shown() {
    leaves_nothing(|| {
        let place = place();
        let (a, set_a) = task::channel::<u32>(hop());
        let (b, set_b) = task::channel::<u32>(hop());
        let sum = call(&place, (Lent::of(&a), (Lent::of(&b), ())), |(a, (b, ()))| *a + *b);
        let missing = |task: &Owner<u32>| {
            let mut count = 0;
            task.reference().each_missing(|_| count += 1);
            count
        };
        assert_eq!(missing(&sum), 2);
        assert!(set_a.set(1).is_ok());
        assert_eq!(missing(&sum), 1);
        assert!(set_b.set(1).is_ok());
        assert_eq!(missing(&sum), 0);
        work(&place);
        assert_eq!(get(sum).unwrap(), 2);
    });
}

/// A failure comes while a task is tied, at its end, or late.
#[test]
fn failures_along_edges() {
    leaves_nothing(|| {
        for count in 0..200 {
            let place = place();
            let (a, set_a) = task::channel::<u32>(hop());
            let (b, set_b) = task::channel::<u32>(hop());
            let (c, set_c) = task::channel::<u32>(hop());
            let begun = Gate::default();
            let its = begun.clone();
            let fails = thread::spawn(move || {
                its.pass();
                set_a.task().give_up(failed("no"));
                set_b.task().give_up(failed("no"));
            });
            begun.open();
            for _ in 0..count {
                std::hint::spin_loop();
            }
            let inputs = (Lent::of(&a), (Lent::of(&b), (Lent::of(&c), ())));
            let task = call_hooked(&place, inputs, |_| ());
            let next = call_hooked(&place, (Moved::of(task), ()), |_| ());
            fails.join().unwrap();
            assert!(next.is_set(), "it waits for no other input");
            assert_eq!(get(next).unwrap_err().kind(), ErrorKind::Failed);
            assert_eq!(place.over.load(SeqCst), 2);
            assert!(set_c.set(1).is_ok());
        }
    });
}

#[test]
fn a_task_that_wakes_itself_for_ever_ends_when_it_is_cancelled() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let (task, _gate, polls) = pends(&place, &tally, true);
        let worker = workers(&place, 1);
        eventually(|| polls.load(SeqCst) > 3);
        assert!(task.reference().give_up(cancelled()));
        eventually(|| place.over.load(SeqCst) == 1);
        assert_eq!(tally.alive(), 0);
        drop(worker);
        drop(task);
    });
}

#[test]
fn the_cancelled_sleeper() {
    leaves_nothing(|| {
        for round in 0..1000 {
            let (place, tally) = (place(), Tally::default());
            let (task, _gate, polls) = pends(&place, &tally, round % 3 == 0);
            let worker = workers(&place, 1);
            eventually(|| polls.load(SeqCst) > 0);
            assert!(task.reference().give_up(cancelled()));
            drop(worker);
            lock(&place.slept).clear();
            assert_eq!((tally.alive(), place.over.load(SeqCst)), (0, 1));
        }
    });
}

#[test]
fn a_job_waits_for_one_result_after_the_other() {
    leaves_nothing(|| {
        let place = place();
        let (a, set_a) = task::channel::<u32>(hop());
        let (b, set_b) = task::channel::<u32>(hop());
        let task = job(&place, Traits::HOOKED, InTurn::of([a, b]));
        work(&place);
        assert!(set_b.set(2).is_ok());
        work(&place);
        assert!(!task.is_set());
        assert!(set_a.set(1).is_ok());
        work(&place);
        lock(&place.slept).clear();
        assert_eq!(get(task).unwrap(), 3);
    });
}

#[test]
fn tasks_that_are_run_with_the_same_room_share_it() {
    leaves_nothing(|| {
        let place = place();
        for room in 0..12 {
            let there = [spawn(&place, || Ok(1)), spawn(&place, || Ok(2))];
            work(&place);
            let mut calls = Vec::new();
            for n in 0..3 {
                let a = spawn(&place, move || Ok(n));
                calls.extend((0..3).map(|_| call(&place, (Lent::of(&a), ()), |(a, ())| *a)));
            }
            // It finds what it comes to wait for to be there.
            let in_turn = job(&place, Traits::PLAIN, InTurn::of(there));
            run_with_room(&place, room);
            work(&place);
            assert!(calls.iter().all(|call| call.is_set()));
            assert_eq!(get(in_turn).unwrap(), 3);
            lock(&place.slept).clear();
        }
    });
}
