//! loom models: every interleaving of a few threads that run the real code.
//!
//! `RUSTFLAGS="--cfg asynckit_loom" cargo test --target-dir target/loom -p asynckit --lib --release models`
//!
//! A value here is a `Part`, of which loom sees who reads and who ends it; edges are watched likewise; and memory
//! that was given back is never used again, but filled with what no atomic can be. `each_is_caught_when_weakened`
//! runs each model once more for each place in the code that it guards, with that weakened.

mod world;

use std::process::Command;

use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use loom::thread;

use self::world::{Part, Queue, call, cancelled, hop, model, set, submit, work, work_in_a_row};
use super::awaits::Awaits;
use super::complete::ToHomes;
use super::entry::Entry;
use super::handle::{Owner, Setting};
use super::here::Here;
use super::home::{IsHome, fail_dependents};
use super::inputs::{Lent, Moved, VisitEdges};
use super::observers::Observer;
use super::state::Traits;
use super::task::{self, Job, Jobbed, Step};
use crate::Error;
use crate::sync::Arc;

/// Two inputs come while their task is tied: it runs once, and sees both.
#[test]
fn two_inputs_and_the_tying() {
    model(|place, drops| {
        let (a, set_a) = task::channel(hop());
        let (b, set_b) = task::channel(hop());
        let sets = |setting: Setting<Part>| {
            let (drops, its) = (drops.clone(), place.clone());
            thread::spawn(move || {
                assert!(setting.set(Part::new(&drops)).is_ok());
                work(&its);
            })
        };
        let threads = [sets(set_a), sets(set_b)];
        let both =
            call(place, (Lent::of(&a), (Moved::of(b), ())), |(a, (b, ()))| a.read() + b.read());
        drop(a);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        work(place);
        assert_eq!(both.take().unwrap(), 2);
        2
    });
}

/// Inputs come while their task is tied, and the one who ties it counts last: it sees them.
#[test]
fn the_tying_comes_last() {
    model(|place, drops| {
        let (a, set_a) = task::channel(hop());
        let (b, set_b) = task::channel(hop());
        let its = drops.clone();
        let sets = thread::spawn(move || {
            assert!(set_a.set(Part::new(&its)).is_ok());
            assert!(set_b.set(Part::new(&its)).is_ok());
            // Its holds on the cells stay, as their end would order more.
            (set_a, set_b)
        });
        let both =
            call(place, (Lent::of(&a), (Lent::of(&b), ())), |(a, (b, ()))| a.read() + b.read());
        work(place);
        drop(sets.join().unwrap());
        work(place);
        assert_eq!(both.take().unwrap(), 2);
        drop((a, b));
        2
    });
}

/// An input fails while its task is tied to another one.
#[test]
fn a_failure_and_the_tying() {
    model(|place, drops| {
        let (a, set_a) = task::channel::<Part>(hop());
        let (b, set_b) = (set(Part::new(drops)), Part::new(drops));
        let (c, set_c) = task::channel::<Part>(hop());
        let fails = thread::spawn(move || assert!(set_a.task().give_up(cancelled())));
        let inputs = (Moved::of(a), (Moved::of(b), (Moved::of(c), ())));
        let all = call(place, inputs, |_| 1);
        fails.join().unwrap();
        assert!(all.has_failed());
        drop(set_c.set(set_b));
        2
    });
}

/// A waiter claims a task beside the queue: it sees what made that ready.
#[test]
fn a_waiter_and_the_last_input() {
    model(|place, drops| {
        let (a, setting) = task::channel(hop());
        let its = drops.clone();
        let takes = call(place, (Moved::of(a), ()), |(a, ()): (Part, ())| a.read());
        let sets = thread::spawn(move || {
            assert!(setting.set(Part::new(&its)).is_ok());
            setting
        });
        if let Some(claimed) = takes.reference().claim() {
            place.run(claimed, &mut ToHomes);
        }
        drop(sets.join().unwrap());
        work(place);
        assert_eq!(takes.take().unwrap(), 1);
        1
    });
}

/// The value is set while a task is tied to it by its only edge, and is run by the one or the other.
#[test]
fn the_only_input_and_the_tying() {
    model(|place, drops| {
        let (a, setting) = task::channel(hop());
        let (part, its) = (Part::new(drops), place.clone());
        let thread = thread::spawn(move || {
            assert!(setting.set(part).is_ok());
            work(&its);
        });
        let takes = call(place, (Moved::of(a), ()), |(a, ()): (Part, ())| a.read());
        work(place);
        thread.join().unwrap();
        work(place);
        assert_eq!(takes.take().unwrap(), 1);
        1
    });
}

/// A task that is queued is run, or cancelled; its closure goes once.
#[test]
fn a_claim_and_a_cancel() {
    model(|place, drops| {
        let (input, argument) = (set(Part::new(drops)), Part::new(drops));
        let task = call(place, (Moved::of(input), ()), move |(a, ()): (Part, ())| {
            a.read() + argument.read()
        });
        let (its, reference) = (place.clone(), task.reference());
        let worker = thread::spawn(move || work(&its));
        let given_up = reference.give_up(cancelled());
        drop(reference);
        worker.join().unwrap();
        assert_eq!(task.has_failed(), given_up);
        drop(task);
        2
    });
}

/// One input fails while the other is set and a third party cancels: inputs and memory go once.
#[test]
fn a_seizer_and_edges() {
    model(|place, drops| {
        let (a, set_a) = task::channel(hop());
        let (b, set_b) = task::channel::<Part>(hop());
        let part = Part::new(drops);
        let both = call(place, (Lent::of(&a), (Moved::of(b), ())), |(a, (b, ()))| {
            Part::read(&a) + b.read()
        });
        drop(a);
        // Unless that is cancelled before, as nobody needs it any more.
        let sets = thread::spawn(move || drop(set_a.set(part)));
        let fails = thread::spawn(move || assert!(set_b.task().give_up(cancelled())));
        drop(both);
        sets.join().unwrap();
        fails.join().unwrap();
        1
    });
}

/// The last owner leaves while its task is closed by a failure, of which there are two.
#[test]
fn the_last_owner_and_two_failures() {
    model(|place, _| {
        let (a, set_a) = task::channel::<Part>(hop());
        let (b, set_b) = task::channel::<Part>(hop());
        let both = call(place, (Moved::of(a), (Moved::of(b), ())), |_| 1);
        let fails = |setting: Setting<Part>| {
            thread::spawn(move || {
                setting.task().give_up(cancelled());
            })
        };
        let threads = [fails(set_a), fails(set_b)];
        drop(both);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        0
    });
}

/// A handle takes the value when both loans are over.
#[test]
fn the_last_loan_and_a_task_that_waits_for_it() {
    model(|place, drops| {
        let a = set(Part::new(drops));
        let loans = [a.lend(), a.lend()];
        let takes = call(place, (Moved::of(a), ()), |(a, ()): (Part, ())| a.read());
        let threads = loans.map(|loan| {
            thread::spawn(move || {
                loan.outcome().unwrap().read();
                drop(loan);
            })
        });
        work(place);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        work(place);
        assert_eq!(takes.take().unwrap(), 1);
        1
    });
}

/// Owners and loans leave; the value goes once, after all have looked.
#[test]
fn the_last_of_owners_and_loans() {
    model(|_, drops| {
        let a = set(Part::new(drops));
        let loans = [a.lend(), a.lend()];
        let threads = loans.map(|loan| {
            thread::spawn(move || {
                loan.outcome().unwrap().read();
                drop(loan);
            })
        });
        a.outcome().unwrap().read();
        drop(a);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        1
    });
}

/// A task waits for a loan, and is given up while that ends.
#[test]
fn the_last_loan_and_a_cancel() {
    model(|place, drops| {
        let a = set(Part::new(drops));
        let loan = a.lend();
        let takes = call(place, (Moved::of(a), ()), |(a, ()): (Part, ())| a.read());
        work(place);
        let reference = takes.reference();
        let ends = thread::spawn(move || drop(loan));
        let cancels = thread::spawn(move || {
            reference.give_up(cancelled());
        });
        ends.join().unwrap();
        cancels.join().unwrap();
        work(place);
        assert!(takes.is_set());
        drop(takes);
        1
    });
}

/// A wish is taken back while the last loan tells; then there is another loan, and another wish.
#[test]
fn a_wish_after_a_wish() {
    model(|place, drops| {
        let a = set(Part::new(drops));
        let first = a.lend();
        let told = Arc::new(AtomicUsize::new(0));
        let its = told.clone();
        let note = Observer::Note(Box::new(move || _ = its.fetch_add(1, SeqCst)));
        let watch = a.lender().watch(note);
        let ends = thread::spawn(move || drop(first));
        a.lender().ignore();
        drop(watch);
        let second = a.lend();
        let takes = call(place, (Moved::of(a), ()), |(a, ()): (Part, ())| a.read());
        work(place);
        let ends_too = thread::spawn(move || {
            second.outcome().unwrap().read();
            drop(second);
        });
        ends.join().unwrap();
        work(place);
        ends_too.join().unwrap();
        work(place);
        assert_eq!(takes.take().unwrap(), 1);
        1
    });
}

/// What a job does with what it keeps.
fn uses(part: &std::cell::Cell<Option<Part>>) {
    let kept = part.take();
    kept.as_ref().map(Part::read);
    part.set(kept);
}

/// Pending for ever.
struct Pends(std::cell::Cell<Option<Part>>);

// SAFETY: a job is lent to one thread at a time.
unsafe impl Send for Pends {}

impl Job<u32> for Pends {
    fn edges(&self, _: VisitEdges<'_>) {}
    fn run(&self, _: &Here<'_>) -> Step<u32> {
        uses(&self.0);
        Step::Pending
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
        let pends = Pends(std::cell::Cell::new(Some(Part::new(drops))));
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
    part: std::cell::Cell<Option<Part>>,
    result: std::cell::Cell<Option<Owner<u32>>>,
    awaits: Awaits<u32>,
}

// SAFETY: a job is lent to one thread at a time.
unsafe impl Send for WaitsAgain {}

impl Job<u32> for WaitsAgain {
    fn edges(&self, visit: VisitEdges<'_>) {
        self.awaits.edges(visit);
    }
    fn run(&self, _: &Here<'_>) -> Step<u32> {
        uses(&self.part);
        match self.result.take() {
            Some(result) => self.awaits.result(result, false),
            None => Step::Done(self.awaits.outcome().unwrap()),
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
    let part = std::cell::Cell::new(Some(Part::new(drops)));
    let result = std::cell::Cell::new(Some(result));
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

/// The last two inputs come from tasks that two workers run: one of these goes on with the task that they are for.
#[test]
fn the_last_input_and_the_claim_with_it() {
    model(|place, drops| {
        let makes = || {
            let its = drops.clone();
            call(place, (), move |()| Part::new(&its))
        };
        let (a, b) = (makes(), makes());
        let both =
            call(place, (Moved::of(a), (Moved::of(b), ())), |(a, (b, ())): (Part, (Part, ()))| {
                a.read() + b.read()
            });
        let its = place.clone();
        let worker = thread::spawn(move || work_in_a_row(&its));
        work_in_a_row(place);
        worker.join().unwrap();
        work_in_a_row(place);
        assert_eq!(both.take().unwrap(), 2);
        2
    });
}

/// A worker goes on with the task that its last one has made ready, while somebody cancels that: one of the two
/// has it.
#[test]
fn the_claim_with_the_last_input_and_a_cancel() {
    model(|place, drops| {
        let (its, argument) = (drops.clone(), Part::new(drops));
        let a = call(place, (), move |()| Part::new(&its));
        let takes =
            call(place, (Moved::of(a), ()), move |(a, ()): (Part, ())| a.read() + argument.read());
        let (its, reference) = (place.clone(), takes.reference());
        let worker = thread::spawn(move || work_in_a_row(&its));
        // It cancels what it waits for, too, as far as that has not begun.
        let given_up = reference.give_up(cancelled());
        drop(reference);
        worker.join().unwrap();
        assert_eq!(takes.has_failed(), given_up);
        let ran = drops.load(SeqCst) == 2;
        drop(takes);
        if ran { 2 } else { 1 }
    });
}

/// A task goes to sleep while its waker is called: it is run again.
#[test]
fn a_sleeper_and_its_waker() {
    model(|place, drops| {
        let pends = Pends(std::cell::Cell::new(Some(Part::new(drops))));
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

/// Who looks on is told, or hears that it is set.
#[test]
fn an_observer_and_the_set() {
    model(|_, drops| {
        let (a, setting) = task::channel(hop());
        let part = Part::new(drops);
        let sets = thread::spawn(move || assert!(setting.set(part).is_ok()));
        let told = Arc::new(AtomicUsize::new(0));
        let its = told.clone();
        let note = Observer::Note(Box::new(move || _ = its.fetch_add(1, SeqCst)));
        let watch = a.reference().watch(note);
        let refused = watch.is_err();
        if let Ok(watch) = watch {
            watch.stay();
        }
        sets.join().unwrap();
        assert_eq!(told.load(SeqCst), usize::from(!refused));
        drop(a);
        1
    });
}

/// A handle is dropped while the value is set: that is dropped by one of the two.
#[test]
fn a_detach_and_the_set() {
    model(|_, drops| {
        let (a, setting) = task::channel(hop());
        let part = Part::new(drops);
        let sets = thread::spawn(move || assert!(setting.set(part).is_ok()));
        drop(a);
        sets.join().unwrap();
        1
    });
}

/// A handle is dropped while its task runs; nobody else holds that.
#[test]
fn a_detach_and_the_run() {
    model(|place, drops| {
        let its = drops.clone();
        let a = call(place, (), move |()| Part::new(&its));
        let its = place.clone();
        let runs = thread::spawn(move || work(&its));
        drop(a);
        runs.join().unwrap();
        1
    });
}

/// A handle takes the value while another one reads it and leaves: it moves, or is cloned.
#[test]
fn a_take_and_a_handle_that_reads() {
    model(|_, drops| {
        let a = set(Part::new(drops));
        let b = a.share();
        let reads = thread::spawn(move || {
            b.outcome().unwrap().read();
            drop(b);
        });
        let was_clone = a.take().unwrap().is_clone();
        reads.join().unwrap();
        if was_clone { 2 } else { 1 }
    });
}

/// The last two handles that could set a result leave.
#[test]
fn the_last_setters() {
    model(|place, _| {
        let a = task::manual::<u32>(hop());
        let b = a.share();
        let waits = call(place, (Lent::of(&a), ()), |(n, ())| *n);
        let leaves = thread::spawn(move || drop(b));
        drop(a);
        leaves.join().unwrap();
        assert!(waits.has_failed());
        drop(waits);
        0
    });
}

/// Dead edges are swept while a home ends: it finds all who wait.
#[test]
fn a_sweep_and_the_end_of_a_home() {
    model(|place, _| {
        let (a, setting) = task::channel::<u32>(hop());
        let waits = call(place, (Lent::of(&a), ()), |(n, ())| *n);
        let root = setting.task().clone();
        let sweeps = thread::spawn(move || {
            fail_dependents(&root, &|_| false, &|_| cancelled());
        });
        fail_dependents(setting.task(), &|_| true, &|_| cancelled());
        assert!(waits.has_failed());
        sweeps.join().unwrap();
        setting.task().give_up(cancelled());
        drop((a, waits));
        0
    });
}

/// Dead edges are swept while the result fails, and its last owner leaves.
#[test]
fn a_sweep_and_a_failure() {
    model(|place, _| {
        let (a, setting) = task::channel::<u32>(hop());
        let waits = call(place, (Lent::of(&a), ()), |(n, ())| *n);
        drop(a);
        let root = setting.task().clone();
        let sweeps = thread::spawn(move || {
            fail_dependents(&root, &|_| false, &|_| cancelled());
        });
        let reference = waits.reference();
        let cancels = thread::spawn(move || {
            reference.give_up(cancelled());
        });
        setting.task().give_up(cancelled());
        cancels.join().unwrap();
        sweeps.join().unwrap();
        assert!(waits.has_failed());
        drop(waits);
        0
    });
}

/// Who sees that a result is set sees its value.
#[test]
fn a_reader_and_the_set() {
    model(|_, drops| {
        let (a, setting) = task::channel(hop());
        let its = drops.clone();
        let sets = thread::spawn(move || assert!(setting.set(Part::new(&its)).is_ok()));
        if a.is_set() {
            assert_eq!(a.outcome().unwrap().read(), 1);
        }
        sets.join().unwrap();
        drop(a);
        1
    });
}

/// What each model guards, and fails without: the names are those of `sync::weakened` in the code.
const GUARDS: &[(&str, &str)] = &[
    ("two_inputs_and_the_tying", "arrive"),
    ("the_only_input_and_the_tying", "push"),
    ("a_reader_and_the_set", "close"),
    ("a_claim_and_a_cancel", "claim"),
    ("a_seizer_and_edges", "seizer"),
    ("the_last_owner_and_two_failures", "only"),
    ("the_last_of_owners_and_loans", "release"),
    ("the_last_of_owners_and_loans", "alone"),
    ("the_last_loan_and_a_task_that_waits_for_it", "wish"),
    ("a_wish_after_a_wish", "slow teller"),
    ("the_cancelled_sleeper", "sleeper"),
    ("an_observer_and_the_set", "observe"),
    ("a_sweep_and_the_end_of_a_home", "lists"),
    ("a_failure_and_the_tying", "tying"),
    ("the_claim_with_the_last_input_and_a_cancel", "arrive and claim"),
    ("a_take_and_a_handle_that_reads", "take"),
    ("the_cancelled_sleeper", "change"),
    ("a_cancel_and_a_job_that_waits_again", "waits again"),
];

#[test]
fn each_is_caught_when_weakened() {
    let this = std::env::current_exe().unwrap();
    let mut missed = Vec::new();
    for (model, weakness) in GUARDS {
        let name = format!("core::models::{model}");
        let mut run = Command::new(&this);
        run.args(["--exact", &name]).env("ASYNCKIT_WEAKENED", weakness);
        let output = run.output().unwrap();
        let ran = String::from_utf8_lossy(&output.stdout).contains("running 1 test");
        assert!(ran, "there is no such model: {name}");
        if output.status.success() {
            missed.push((model, weakness));
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
