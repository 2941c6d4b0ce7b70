//! Values: made, moved, lent, cloned, flattened, dropped.

use super::super::inputs::{Earlier, Either, EndEdge, Lent, Many, Moved, Plain};
use super::super::state::Traits;
use super::super::task::{self, Flat, Outcome};
use super::super::trampoline;
use super::support::*;
use crate::ErrorKind;
use crate::sync::{Arc, Mutex, lock, thread};

#[test]
fn a_task_runs_once_and_its_value_is_taken() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let its = tally.clone();
        let a = spawn(&place, move || Ok(its.value(7)));
        assert!(!a.is_set());
        assert_eq!(work(&place), 1);
        assert_eq!(get(a).unwrap().number, 7);
        assert_eq!((tally.clones(), tally.drops()), (0, 1));
    });
}

#[test]
fn a_handle_that_goes_early_or_late_drops_the_value_once() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let its = tally.clone();
        drop(spawn(&place, move || Ok(its.value(7))));
        work(&place);
        assert_eq!(tally.drops(), 1);
        let its = tally.clone();
        let a = spawn(&place, move || Ok(its.value(7)));
        work(&place);
        drop(a);
        assert_eq!(tally.drops(), 2);
    });
}

#[test]
fn values_move_are_lent_and_gathered() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let value = |n| {
            let its = tally.clone();
            spawn(&place, move || Ok(its.value(n)))
        };
        let (a, b, c, d) = (value(1), value(2), value(3), value(4));
        let inputs = (
            Lent::of(&a),
            (
                Plain::new(10),
                (Moved::of(b), (Many::of([c, d]), (Earlier::of(vec![EndEdge::of(&a)]), ()))),
            ),
        );
        let sum = call(&place, inputs, |(a, (plain, (b, (many, ((), ())))))| {
            a.number + plain + b.number + many.iter().map(|x| x.number).sum::<usize>()
        });
        work(&place);
        assert_eq!(get(sum).unwrap(), 20);
        assert_eq!(tally.drops(), 3, "only what was lent is there");
        assert_eq!(get(a).unwrap().number, 1);
        assert_eq!((tally.clones(), tally.alive()), (0, 0));
    });
}

#[test]
fn inputs_that_are_there_are_not_waited_for() {
    leaves_nothing(|| {
        let place = place();
        let a = spawn(&place, || Ok(1));
        work(&place);
        let lent = call(&place, (Lent::of(&a), ()), |(a, ())| *a);
        let both = call(&place, (Lent::of(&a), (Moved::of(lent), ())), |(a, (b, ()))| *a + b);
        work(&place);
        let all = call(&place, (Moved::of(a), (Moved::of(both), ())), |(a, (b, ()))| a + b);
        assert_eq!(queued(&place), 1);
        work(&place);
        assert_eq!(get(all).unwrap(), 3);
    });
}

#[test]
fn an_empty_list_is_there() {
    leaves_nothing(|| {
        let place = place();
        let none = call(&place, (Many::<u32>::of([]), ()), |(list, ())| list.len());
        work(&place);
        assert_eq!(get(none).unwrap(), 0);
    });
}

#[test]
fn a_returned_result_stands_for_the_call() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let (inner, setting) = task::channel::<Counted>(hop());
        let a = spawn(&place, || Ok(1));
        let outer =
            call_to(&place, Traits::PLAIN, (Moved::of(a), ()), |_| Outcome::Flatten(Flat(inner)));
        let last = call(&place, (Moved::of(outer), ()), |(x, ())| x.number);
        work(&place);
        assert!(!last.is_set());
        assert!(setting.set(tally.value(3)).is_ok());
        work(&place);
        assert_eq!(get(last).unwrap(), 3);
        assert_eq!((tally.clones(), tally.alive()), (0, 0));
    });
}

#[test]
fn a_returned_result_that_is_there_or_failed_is_handed_on() {
    leaves_nothing(|| {
        let place = place();
        for fails in [false, true] {
            let inner = spawn(&place, move || if fails { Err("no".into()) } else { Ok(5) });
            work(&place);
            let a = spawn(&place, || Ok(1));
            let outer = call_to(&place, Traits::PLAIN, (Moved::of(a), ()), |_| {
                Outcome::Flatten(Flat(inner))
            });
            work(&place);
            assert_eq!(get(outer).ok(), (!fails).then_some(5));
        }
    });
}

#[test]
fn a_task_without_a_home_is_done_by_who_brings_the_last_input() {
    leaves_nothing(|| {
        let (a, set_a) = task::channel::<u32>(hop());
        let (b, set_b) = task::channel::<u32>(hop());
        let list = gather((Many::of([a, b]), ()), |(list, ())| list);
        let sum = gather((Moved::of(list), ()), |(list, ())| list.iter().sum::<u32>());
        assert!(set_b.set(2).is_ok());
        assert!(!sum.is_set());
        assert!(set_a.set(1).is_ok());
        assert!(sum.is_set());
        assert_eq!(get(sum).unwrap(), 3);
    });
}

#[test]
fn a_result_that_nobody_can_set_any_more_is_abandoned() {
    leaves_nothing(|| {
        let place = place();
        let a = task::manual::<u32>(hop());
        let b = a.share();
        let waits = call(&place, (Moved::of(a), ()), |(x, ())| x);
        assert!(!waits.is_set(), "one handle can");
        drop(b);
        assert_eq!(get(waits).unwrap_err().kind(), ErrorKind::Abandoned);

        let a = task::manual::<u32>(hop());
        let b = a.share();
        let waits = call(&place, (Moved::of(a), ()), |(x, ())| x);
        b.set(4).unwrap();
        assert_eq!(b.set(5), Err(5));
        work(&place);
        assert_eq!((get(waits).unwrap(), get(b).unwrap()), (4, 4));
    });
}

#[test]
fn the_first_to_set_wins() {
    leaves_nothing(|| {
        for _ in 0..200 {
            let tally = Tally::default();
            let a = Arc::new(task::manual::<Counted>(hop()));
            let threads = [1, 2, 3].map(|n| {
                let (a, value) = (a.clone(), tally.value(n));
                thread::spawn(move || a.set(value).is_ok())
            });
            let won = threads.map(|thread| thread.join().unwrap());
            assert_eq!(won.iter().filter(|&&won| won).count(), 1);
            assert_eq!(tally.alive(), 1);
            drop(a);
            assert_eq!(tally.alive(), 0);
        }
    });
}

/// A list whose every value has the handle of the next one.
struct Node(#[allow(dead_code)] Option<super::super::handle::Owner<Node>>);

#[test]
fn a_long_list_of_results_drops_without_recursion() {
    leaves_nothing(|| {
        let mut head = None;
        for _ in 0..200_000 {
            let (owner, setting) = task::channel::<Node>(hop());
            assert!(setting.set(Node(head)).is_ok());
            head = Some(owner);
        }
        drop(head);
    });
}

#[test]
fn a_long_chain_runs_fails_and_cancels_without_recursion() {
    leaves_nothing(|| {
        let place = place();
        for end in 0..3 {
            let (root, setting) = task::channel::<usize>(hop());
            let mut last = root;
            for _ in 0..100_000 {
                last = call(&place, (Moved::of(last), ()), |(n, ())| n + 1);
            }
            match end {
                0 => {
                    assert!(setting.set(0).is_ok());
                    work(&place);
                    assert_eq!(get(last).unwrap(), 100_000);
                }
                1 => {
                    assert!(setting.task().give_up(failed("no")));
                    assert_eq!(get(last).unwrap_err().kind(), ErrorKind::Failed);
                }
                _ => {
                    assert!(last.reference().give_up(cancelled()));
                    assert!(setting.task().is_set(), "what nobody needs is cancelled");
                    assert_eq!(get(last).unwrap_err().kind(), ErrorKind::Cancelled);
                }
            }
        }
    });
}

#[test]
fn either_outcome_goes_in() {
    leaves_nothing(|| {
        let place = place();
        for fails in [false, true] {
            let a = spawn(&place, move || if fails { Err("no".into()) } else { Ok(5) });
            let seen = call(&place, (Either::of(a), ()), |(outcome, ())| outcome.ok());
            work(&place);
            assert_eq!(get(seen).unwrap(), (!fails).then_some(5));
        }
    });
}

#[test]
fn what_was_lent_last_to_a_call_that_returns_a_result_is_dropped() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let its = tally.clone();
        let a = spawn(&place, move || Ok(its.value(1)));
        let (inner, setting) = task::channel::<u32>(hop());
        let outer =
            call_to(&place, Traits::PLAIN, (Lent::of(&a), ()), |_| Outcome::Flatten(Flat(inner)));
        drop(a);
        work(&place);
        assert_eq!(tally.alive(), 0, "nobody wants it while the inner result is pending");
        assert!(setting.set(1).is_ok());
        work(&place);
        assert_eq!(get(outer).unwrap(), 1);
    });
}

#[test]
fn what_borrows_is_dropped_before_the_step_goes_on() {
    leaves_nothing(|| {
        for way in 0..3 {
            let (place, tally) = (place(), Tally::default());
            let its = tally.clone();
            let a = spawn_borrowing(&place, move || Ok(its.value(1)));
            work(&place);
            let a = or_its_clone(a, way == 1);
            let reference = (way == 2).then(|| a.reference());
            let looks = call(&place, (Lent::of(&a), ()), |_| ());
            drop(a);
            trampoline::hold_back(|| {
                work(&place);
                assert_eq!(tally.alive(), 0, "it may borrow from this stack");
            });
            drop((looks, reference));
        }
    });
}

#[test]
fn what_a_call_has_dropped_slowly_holds_up_no_dependent() {
    /// Its drop waits for a gate.
    #[derive(Clone)]
    struct Slow(Gate, Arc<Mutex<Vec<&'static str>>>);
    impl Drop for Slow {
        fn drop(&mut self) {
            self.0.pass();
            lock(&self.1).push("dropped");
        }
    }
    leaves_nothing(|| {
        for way in 0..3 {
            let place = place();
            let (gate, log) = (Gate::default(), Arc::default());
            let (a, setting) = task::channel::<Slow>(hop());
            assert!(setting.set(Slow(gate.clone(), Arc::clone(&log))).is_ok());
            // The loan may be the cell's last hold, or a share's, or there are references beside it.
            let lender = or_its_clone(a, way == 1);
            let reference = (way == 2).then(|| setting.task().clone());
            drop(setting);
            let looks = call(&place, (Lent::of(&lender), ()), |_| 1);
            let next = call(&place, (Moved::of(looks), ()), |(n, ())| n + 1);
            drop(lender);
            let gate_of_next = gate.clone();
            let opens = call(&place, (Moved::of(next), ()), move |(n, ())| {
                gate_of_next.open();
                n
            });
            // One thread drops; the other has to get at the dependents.
            let threads = workers(&place, 2);
            assert_eq!(get(opens).unwrap(), 2);
            drop(threads);
            drop(reference);
            assert_eq!(*lock(&log), ["dropped"]);
        }
    });
}
