//! Clones: each handle has a value of its own, and no more are made than were written.

use super::super::handle::Owner;
use super::super::inputs::{Lent, Moved};
use super::super::task;
use super::support::*;
use crate::sync::{Arc, AtomicUsize, Ordering::SeqCst, lock, thread};

#[test]
fn each_handle_gets_a_value_and_no_more_clones_than_were_written() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let its = tally.clone();
        let a = spawn(&place, move || Ok(its.value(1)));
        let handles = [a.share(), a.share(), a.share(), a];
        work(&place);
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(get(handle).unwrap().number, 1);
            assert_eq!(tally.clones(), (n + 1).min(3), "the last one takes");
        }
        assert_eq!(tally.alive(), 0);
    });
}

#[test]
fn a_handle_that_was_dropped_costs_no_clone() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let its = tally.clone();
        let a = spawn(&place, move || Ok(its.value(1)));
        let b = a.share();
        drop(a);
        work(&place);
        let c = b.share();
        drop(b);
        assert_eq!(get(c).unwrap().number, 1);
        assert_eq!((tally.clones(), tally.alive()), (0, 0));
    });
}

#[test]
fn a_clone_that_moves_waits_for_no_loan_of_the_handle_and_is_made_once() {
    leaves_nothing(|| {
        for ready in [false, true] {
            let (place, tally) = (place(), Tally::default());
            let (a, set_a) = task::channel::<Counted>(hop());
            let (later, setting) = task::channel::<usize>(hop());
            let set = || assert!(set_a.set(tally.value(1)).is_ok());
            if ready {
                set();
            }
            let inputs = (Moved::of(a.share()), (Moved::of(later), ()));
            let first = call(&place, inputs, |(x, (n, ()))| x.number + n);
            // It waits for the first, so that the first can't wait for it.
            let looks = (Lent::of(&a), (Moved::of(first), ()));
            let looks = call(&place, looks, |(x, (n, ()))| x.number + n);
            // And this waits for what its handle has lent.
            let last = call(&place, (Moved::of(a), ()), |(x, ())| x.number);
            if !ready {
                set();
            }
            work(&place);
            assert!(!last.is_set());
            assert!(setting.set(1).is_ok());
            work(&place);
            assert_eq!((get(looks).unwrap(), get(last).unwrap()), (3, 1));
            assert_eq!((tally.clones(), tally.alive()), (1, 0), "one was written");
            lock(&place.slept).clear();
        }
    });
}

/// A value that is there, with a handle that is to lend it and one that is to move it.
fn lent_and_moved(place: &Place, clone_lends: bool) -> (Tally, Owner<Counted>, Owner<Counted>) {
    let tally = Tally::default();
    let its = tally.clone();
    let a = spawn(place, move || Ok(its.value(1)));
    let b = a.share();
    work(place);
    if clone_lends { (tally, b, a) } else { (tally, a, b) }
}

#[test]
fn loans_of_a_handle_that_is_gone_are_not_waited_for() {
    leaves_nothing(|| {
        for clone_lends in [false, true] {
            let place = place();
            let (tally, lends, moves) = lent_and_moved(&place, clone_lends);
            let (later, setting) = task::channel::<usize>(hop());
            let inputs = (Lent::of(&lends), (Moved::of(later), ()));
            let looks = call(&place, inputs, |(x, (n, ()))| x.number + n);
            drop(lends);
            let moved = call(&place, (Moved::of(moves), ()), |(x, ())| x.number);
            work(&place);
            // Nobody but the program knows that the loan waits for this.
            assert!(setting.set(get(moved).unwrap()).is_ok());
            work(&place);
            assert_eq!(get(looks).unwrap(), 2);
            assert_eq!((tally.clones(), tally.alive()), (1, 0), "one was written");
        }
    });
}

#[test]
fn loans_of_a_handle_that_is_gone_cost_no_clone_when_they_are_over() {
    leaves_nothing(|| {
        for clone_lends in [false, true] {
            let place = place();
            let (tally, lends, moves) = lent_and_moved(&place, clone_lends);
            let looks = call(&place, (Lent::of(&lends), ()), |(x, ())| x.number);
            drop(lends);
            work(&place);
            let moved = call(&place, (Moved::of(moves), ()), |(x, ())| x.number);
            work(&place);
            assert_eq!((get(looks).unwrap(), get(moved).unwrap()), (1, 1));
            assert_eq!((tally.clones(), tally.alive()), (0, 0));
        }
    });
}

#[test]
fn takes_at_the_same_time_clone_no_more_than_was_written() {
    leaves_nothing(|| {
        for _ in 0..300 {
            let tally = Tally::default();
            let (first, setting) = task::channel::<Counted>(hop());
            let handles = [first.share(), first.share(), first.share(), first];
            let threads = handles.map(|handle| thread::spawn(|| drop(get(handle).unwrap())));
            assert!(setting.set(tally.value(1)).is_ok());
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!((tally.clones(), tally.alive()), (3, 0));
        }
    });
}

#[test]
fn tasks_at_the_same_time_clone_no_more_than_was_written() {
    leaves_nothing(|| {
        let place = place();
        let _workers = workers(&place, 3);
        for _ in 0..300 {
            let tally = Tally::default();
            let (first, setting) = task::channel::<Counted>(hop());
            let handles = [first.share(), first.share(), first];
            let calls =
                handles.map(|handle| call(&place, (Moved::of(handle), ()), |(x, ())| x.number));
            assert!(setting.set(tally.value(1)).is_ok());
            calls.into_iter().for_each(|call| assert_eq!(get(call).unwrap(), 1));
            assert_eq!((tally.clones(), tally.alive()), (2, 0));
        }
    });
}

/// A value whose clone waits for a gate.
struct SlowClone {
    begun: Gate,
    gate: Gate,
    clones: Arc<AtomicUsize>,
}

impl Clone for SlowClone {
    fn clone(&self) -> SlowClone {
        self.clones.fetch_add(1, SeqCst);
        self.begun.open();
        self.gate.pass();
        SlowClone {
            begun: self.begun.clone(),
            gate: self.gate.clone(),
            clones: self.clones.clone(),
        }
    }
}

#[test]
fn the_last_handle_waits_for_clones_that_are_under_way() {
    leaves_nothing(|| {
        for way in 0..4 {
            let place = place();
            let (begun, gate, clones) = (Gate::default(), Gate::default(), Arc::default());
            let value =
                SlowClone { begun: begun.clone(), gate: gate.clone(), clones: Arc::clone(&clones) };
            let (a, setting) = task::channel::<SlowClone>(hop());
            assert!(setting.set(value).is_ok());
            let b = a.share();
            let (clones_it, takes_it) = if way % 2 == 0 { (a, b) } else { (b, a) };
            let cloning = thread::spawn(|| drop(get(clones_it)));
            begun.pass();
            assert!(takes_it.is_lent(), "to a clone");
            if way < 2 {
                // A task waits, and no thread for it.
                let takes = call(&place, (Moved::of(takes_it), ()), |_| ());
                work(&place);
                assert!(!takes.is_set());
                gate.open();
                cloning.join().unwrap();
                work(&place);
                lock(&place.slept).clear();
                get(takes).unwrap();
            } else {
                let taking = thread::spawn(|| drop(takes_it.take()));
                gate.open();
                cloning.join().unwrap();
                taking.join().unwrap();
            }
            assert_eq!(clones.load(SeqCst), 1);
        }
    });
}

#[test]
fn a_task_that_waits_for_a_clone_is_given_up() {
    leaves_nothing(|| {
        let place = place();
        let (begun, gate, clones) = (Gate::default(), Gate::default(), Arc::default());
        let value = SlowClone { begun: begun.clone(), gate: gate.clone(), clones };
        let (a, setting) = task::channel::<SlowClone>(hop());
        assert!(setting.set(value).is_ok());
        let b = a.share();
        let cloning = thread::spawn(|| drop(get(a)));
        begun.pass();
        let takes = call(&place, (Moved::of(b), ()), |_| ());
        work(&place);
        assert!(takes.reference().give_up(cancelled()));
        gate.open();
        cloning.join().unwrap();
        lock(&place.slept).clear();
        assert!(get(takes).is_err());
    });
}
