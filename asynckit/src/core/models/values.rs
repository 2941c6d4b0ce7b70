//! Values: who owns them, has them on loan, looks at them, sets them.

use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use loom::thread;

use super::super::inputs::{Lent, Moved};
use super::super::task;
use super::super::watchers::Watcher;
use super::world::{Part, call, cancelled, hop, model, set, work};
use crate::sync::Arc;

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
        let note = Watcher::Note(Box::new(move || _ = its.fetch_add(1, SeqCst)));
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

/// Who looks on is told, or hears that it is set.
#[test]
fn an_observer_and_the_set() {
    model(|_, drops| {
        let (a, setting) = task::channel(hop());
        let part = Part::new(drops);
        let sets = thread::spawn(move || assert!(setting.set(part).is_ok()));
        let told = Arc::new(AtomicUsize::new(0));
        let its = told.clone();
        let note = Watcher::Note(Box::new(move || _ = its.fetch_add(1, SeqCst)));
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
