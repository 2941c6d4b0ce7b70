//! Loans: a value that is lent does not move, and each handle waits for its own loans alone.

use super::super::inputs::{Either, Lent, Many, Moved};
use super::super::state::Traits;
use super::super::task::{self, Flat, Outcome};
use super::super::watchers::Watcher;
use super::support::*;
use crate::ErrorKind;
use crate::sync::thread;

#[test]
fn a_move_waits_for_the_loans_of_its_handle() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let (later, setting) = task::channel::<usize>(hop());
        let its = tally.clone();
        let a = spawn(&place, move || Ok(its.value(1)));
        work(&place);
        let looks =
            call(&place, (Lent::of(&a), (Moved::of(later), ())), |(a, (n, ()))| a.number + n);
        let takes = call(&place, (Moved::of(a), ()), |(a, ())| a.number);
        work(&place);
        assert!(!takes.is_set(), "its value is lent");
        assert_eq!(place.slept.lock().unwrap().drain(..).count(), 1);
        assert!(setting.set(1).is_ok());
        work(&place);
        assert_eq!((get(looks).unwrap(), get(takes).unwrap()), (2, 1));
        assert_eq!((tally.clones(), tally.alive()), (0, 0));
    });
}

#[test]
fn a_share_waits_for_its_own_loans_and_for_no_others() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let its = tally.clone();
        let a = spawn(&place, move || Ok(its.value(1)));
        let b = a.share();
        work(&place);
        let (lent_by_a, lent_by_b) = (a.lend(), b.lend());
        let takes_b = call(&place, (Moved::of(b), ()), |(x, ())| x.number);
        work(&place);
        assert!(!takes_b.is_set());
        drop(lent_by_b);
        work(&place);
        assert_eq!(get(takes_b).unwrap(), 1);
        assert_eq!(tally.clones(), 1);
        place.slept.lock().unwrap().clear();
        drop(lent_by_a);
        assert_eq!(get(a).unwrap().number, 1);
        assert_eq!((tally.clones(), tally.alive()), (1, 0));
    });
}

#[test]
fn a_move_that_waits_for_loans_can_be_given_up() {
    leaves_nothing(|| {
        for shared in [false, true] {
            let (place, tally) = (place(), Tally::default());
            let its = tally.clone();
            let a = spawn(&place, move || Ok(its.value(1)));
            work(&place);
            let a = or_its_clone(a, shared);
            let loan = a.lend();
            let takes = call(&place, (Moved::of(a), ()), |(x, ())| x.number);
            work(&place);
            assert!(takes.reference().give_up(cancelled()));
            assert_eq!(get(takes).unwrap_err().kind(), ErrorKind::Cancelled);
            place.slept.lock().unwrap().clear();
            assert_eq!(loan.outcome().unwrap().number, 1);
            drop(loan);
            assert_eq!(tally.alive(), 0);
        }
    });
}

/// The last loan ends while the task that waits for it is given up.
#[test]
fn the_last_loan_against_a_cancel() {
    leaves_nothing(|| {
        for n in 0..2000 {
            let (place, tally) = (place(), Tally::default());
            let its = tally.clone();
            let a = spawn(&place, move || Ok(its.value(1)));
            work(&place);
            let a = or_its_clone(a, n % 2 == 0);
            let loan = a.lend();
            let takes = call(&place, (Moved::of(a), ()), |(x, ())| x.number);
            work(&place);
            let task = takes.reference();
            let thread = thread::spawn(move || drop(loan));
            task.give_up(cancelled());
            thread.join().unwrap();
            work(&place);
            assert!(takes.is_set());
            place.slept.lock().unwrap().clear();
            drop(takes);
            assert_eq!(tally.alive(), 0);
        }
    });
}

#[test]
fn a_returned_result_waits_for_its_loans() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let its = tally.clone();
        let inner = spawn(&place, move || Ok(its.value(8)));
        work(&place);
        let loan = inner.lend();
        let one = spawn(&place, || Ok(1));
        let outer =
            call_to(&place, Traits::PLAIN, (Moved::of(one), ()), |_| Outcome::Flatten(Flat(inner)));
        work(&place);
        assert!(!outer.is_set());
        drop(loan);
        work(&place);
        place.slept.lock().unwrap().clear();
        assert_eq!(get(outer).unwrap().number, 8);
        assert_eq!((tally.clones(), tally.alive()), (0, 0));
    });
}

#[test]
fn many_moves_wait_for_each_of_their_loans() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let handles: Vec<_> = (0..5)
            .map(|n| {
                let its = tally.clone();
                spawn(&place, move || Ok(its.value(n)))
            })
            .collect();
        work(&place);
        let loans: Vec<_> = handles.iter().map(|handle| handle.lend()).collect();
        let all = call(&place, (Many::of(handles), ()), |(list, ())| list.len());
        work(&place);
        for loan in loans.into_iter().rev() {
            assert!(!all.is_set());
            drop(loan);
            work(&place);
        }
        place.slept.lock().unwrap().clear();
        assert_eq!(get(all).unwrap(), 5);
        assert_eq!((tally.clones(), tally.alive()), (0, 0));
    });
}

#[test]
fn loans_outlive_their_handle() {
    leaves_nothing(|| {
        for shared in [false, true] {
            let (place, tally) = (place(), Tally::default());
            let its = tally.clone();
            let a = spawn(&place, move || Ok(its.value(3)));
            let a = or_its_clone(a, shared);
            let (one, two) = (a.lend(), a.lend());
            drop(a);
            work(&place);
            drop(one);
            assert_eq!(two.outcome().unwrap().number, 3);
            assert_eq!(tally.alive(), 1);
            drop(two);
            assert_eq!(tally.alive(), 0);
        }
    });
}

#[test]
fn a_failure_that_is_lent_is_not_waited_for() {
    leaves_nothing(|| {
        for shared in [false, true] {
            let place = place();
            let a = spawn::<u32>(&place, || Err("no".into()));
            let a = or_its_clone(a, shared);
            let loan = a.lend();
            let seen = call(&place, (Either::of(a), ()), |(outcome, ())| outcome.is_err());
            work(&place);
            assert!(seen.is_set());
            assert!(get(seen).unwrap());
            assert_eq!(loan.outcome().unwrap_err().kind(), ErrorKind::Failed);
        }
    });
}

#[test]
fn a_returned_failure_that_is_lent_is_handed_on() {
    leaves_nothing(|| {
        let place = place();
        let inner = spawn::<u32>(&place, || Err("no".into()));
        work(&place);
        let loan = inner.lend();
        let one = spawn(&place, || Ok(1));
        let outer =
            call_to(&place, Traits::PLAIN, (Moved::of(one), ()), |_| Outcome::Flatten(Flat(inner)));
        work(&place);
        assert!(outer.is_set());
        assert_eq!(get(outer).unwrap_err().kind(), ErrorKind::Failed);
        assert_eq!(loan.outcome().unwrap_err().kind(), ErrorKind::Failed);
    });
}

#[test]
fn what_is_done_on_the_spot_waits_for_loans_too() {
    leaves_nothing(|| {
        let (a, setting) = task::channel::<u32>(hop());
        let (b, other) = task::channel::<u32>(hop());
        let loan = a.lend();
        let list = gather((Many::of([a, b]), ()), |(list, ())| list);
        assert!(setting.set(1).is_ok());
        assert!(other.set(2).is_ok());
        assert!(!list.is_set());
        drop(loan);
        assert!(list.is_set());
        assert_eq!(get(list).unwrap(), [1, 2]);
    });
}

/// A wish is taken back while the last loan tells; then the value is lent again, and is to move.
#[test]
fn a_wish_that_is_taken_back_is_over_before_the_next_one() {
    leaves_nothing(|| {
        for n in 0..2000 {
            let place = place();
            let a = spawn(&place, move || Ok(vec![n]));
            work(&place);
            let a = or_its_clone(a, n % 2 == 0);
            let (first, told) = (a.lend(), Gate::default());
            let thread = thread::spawn(move || drop(first));
            let its = told.clone();
            let watch =
                a.is_lent().then(|| a.lender().watch(Watcher::Note(Box::new(move || its.open()))));
            if watch.is_some() && n % 3 != 0 {
                a.lender().ignore();
            }
            drop(watch);
            let second = a.lend();
            let takes = call(&place, (Moved::of(a), ()), |(x, ())| x[0]);
            work(&place);
            assert!(!takes.is_set());
            drop(second);
            eventually(|| {
                work(&place);
                takes.is_set()
            });
            thread.join().unwrap();
            place.slept.lock().unwrap().clear();
            assert_eq!(get(takes).unwrap(), n);
        }
    });
}
