//! Panics in closures, clones, drops and callbacks: each ends where it is, and nothing is left behind.

use super::super::inputs::{Inputs, Lent, Many, Moved, Plain};
use super::super::task;
use super::super::watchers::Watcher;
use super::support::*;
use crate::ErrorKind;
use crate::sync::{Arc, AtomicUsize, Ordering::SeqCst};

/// Its clone or its drop panics.
#[derive(Default)]
struct Touchy {
    clone: bool,
    drop: bool,
    drops: Arc<AtomicUsize>,
}

impl Touchy {
    fn clones() -> Touchy {
        Touchy { clone: true, drop: false, drops: Arc::default() }
    }
}

impl Clone for Touchy {
    fn clone(&self) -> Touchy {
        assert!(!self.clone, "a clone that panics");
        Touchy { clone: self.clone, drop: self.drop, drops: self.drops.clone() }
    }
}

impl Drop for Touchy {
    fn drop(&mut self) {
        self.drops.fetch_add(1, SeqCst);
        assert!(!self.drop || std::thread::panicking(), "a drop that panics");
    }
}

#[test]
fn a_panic_of_a_closure_fails_its_dependents() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let its = tally.clone();
        let a = spawn(&place, move || Ok(its.value(1)));
        let its = tally.clone();
        let b = spawn(&place, move || Ok(its.value(2)));
        let dies = call(&place, (Lent::of(&a), (Moved::of(b), ())), |_| -> u32 { panic!("dies") });
        let waits = call(&place, (Moved::of(dies), ()), |(n, ())| n);
        work(&place);
        assert_eq!(get(waits).unwrap_err().kind(), ErrorKind::Panicked);
        assert_eq!(tally.alive(), 1);
        assert_eq!(get(a).unwrap().number, 1);
        let dies = spawn::<u32>(&place, || panic!("dies"));
        work(&place);
        assert_eq!(get(dies).unwrap_err().kind(), ErrorKind::Panicked);
    });
}

#[test]
fn a_panic_of_a_clone_fails_the_call_and_lets_go_of_the_other_inputs() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let touchy = spawn(&place, || Ok(Touchy::clones()));
        let its = tally.clone();
        let value = spawn(&place, move || Ok(its.value(1)));
        let its = tally.clone();
        let lent = spawn(&place, move || Ok(its.value(2)));
        work(&place);
        // Inputs of each kind before and behind the clone.
        let inputs = (
            Lent::of(&lent),
            (
                Moved::of(value.share()),
                (
                    Plain::new(tally.value(3)),
                    (
                        Moved::of(touchy.share()),
                        (
                            Lent::of(&lent),
                            (Plain::new(tally.value(4)), (Many::of([value.share()]), ())),
                        ),
                    ),
                ),
            ),
        );
        let captured = tally.value(5);
        let dies = call(&place, inputs, move |_| drop(captured));
        work(&place);
        assert_eq!(dies.error().unwrap().kind(), ErrorKind::Panicked);
        assert_eq!(tally.alive(), 2, "what the two handles have");
        assert!(!lent.is_lent());
        drop((dies, touchy, value, lent));
        assert_eq!(tally.alive(), 0);
        // In the middle of a list.
        let (a, b) = (Touchy::default(), Touchy::clones());
        let (a, b) = (spawn(&place, || Ok(a)), spawn(&place, || Ok(b)));
        let list = Many::of([a.share(), b.share(), a.share()]);
        let dies = call(&place, (list, ()), |_| ());
        work(&place);
        assert_eq!(get(dies).unwrap_err().kind(), ErrorKind::Panicked);
    });
}

#[test]
fn panics_of_drops_are_contained() {
    leaves_nothing(|| {
        let place = place();
        let drops = Arc::new(AtomicUsize::new(0));
        let touchy =
            |drops: &Arc<AtomicUsize>| Touchy { drop: true, clone: false, drops: drops.clone() };
        // A value.
        let value = touchy(&drops);
        let a = spawn(&place, || Ok(value));
        work(&place);
        drop(a);
        assert_eq!(drops.load(SeqCst), 1);
        // A value that nobody wants when it comes.
        let value = touchy(&drops);
        drop(spawn(&place, || Ok(value)));
        work(&place);
        assert_eq!(drops.load(SeqCst), 2);
        // A value that comes when its task was cancelled.
        let value = touchy(&drops);
        let gate = Gate::default();
        let its = gate.clone();
        let a = spawn(&place, move || {
            its.pass();
            Ok(value)
        });
        let worker = workers(&place, 1);
        eventually(|| a.is_claimed());
        assert!(a.reference().give_up(cancelled()));
        gate.open();
        drop(worker);
        assert_eq!(drops.load(SeqCst), 3);
        // What a closure has.
        let value = touchy(&drops);
        let a = spawn(&place, move || {
            let _value = value;
            Ok(())
        });
        assert!(a.reference().give_up(cancelled()));
        work(&place);
        assert_eq!(drops.load(SeqCst), 4);
    });
}

#[test]
fn a_panic_of_an_argument_keeps_no_other_input() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let drops = Arc::new(AtomicUsize::new(0));
        let (later, sets) = task::channel::<u32>(hop());
        let its = tally.clone();
        let a = spawn(&place, move || Ok(its.value(1)));
        let its = tally.clone();
        let b = spawn(&place, move || Ok(its.value(2)));
        work(&place);
        let touchy = Touchy { drop: true, clone: false, drops: drops.clone() };
        let inputs = (
            Plain::new(touchy),
            (Lent::of(&a), (Moved::of(b), (Plain::new(tally.value(3)), (Moved::of(later), ())))),
        );
        let waits = call(&place, inputs, |_| ());
        assert!(waits.reference().give_up(cancelled()));
        assert_eq!((drops.load(SeqCst), tally.alive()), (1, 1));
        assert!(!a.is_lent());
        assert!(sets.task().is_set());
    });
}

#[test]
fn panics_of_callbacks_are_contained() {
    leaves_nothing(|| {
        let place = place();
        let a = spawn(&place, || Ok(1));
        let told = Gate::default();
        let its = told.clone();
        let dies = Watcher::Call(Box::new(|| panic!("a callback that panics")));
        let tells = Watcher::Call(Box::new(move || its.open()));
        for watcher in [dies, tells] {
            a.reference().watch(watcher).map_err(drop).unwrap().stay();
        }
        let next = call(&place, (Lent::of(&a), ()), |(n, ())| *n + 1);
        work(&place);
        assert!(told.is_open());
        assert_eq!(get(next).unwrap(), 2);
    });
}

#[test]
fn a_hooked_task_that_panics_is_over_once() {
    leaves_nothing(|| {
        let place = place();
        let dies = spawn_hooked::<u32>(&place, || panic!("dies"));
        let waits = call_hooked(&place, (Moved::of(dies), ()), |(n, ())| n);
        work(&place);
        assert_eq!(get(waits).unwrap_err().kind(), ErrorKind::Panicked);
        assert_eq!(place.over.load(SeqCst), 2);
    });
}

#[test]
fn arguments_that_are_all_there_are_taken_apart() {
    let values = (Plain::new(1), (Plain::new("two"), ())).ready_values();
    assert_eq!(values, (1, ("two", ())));
}
