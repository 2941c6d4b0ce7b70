//! Tasks: what they wait for, who runs them, and who fails or cancels them.

use loom::sync::atomic::Ordering::SeqCst;
use loom::thread;

use super::super::cell::LIVE;
use super::super::handle::Setting;
use super::super::home::fail_dependents;
use super::super::inputs::{Lent, Moved};
use super::super::schedule::ToHomes;
use super::super::task;
use super::world::{Part, call, cancelled, hop, model, set, work, work_in_a_row};

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

/// Two dependents are given up at once: each is seen by a sweep, and nothing of them stays at what lives on.
#[test]
fn two_deaths_and_their_sweeps() {
    model(|place, _| {
        let (a, setting) = task::channel::<u32>(hop());
        let waits = || call(place, (Lent::of(&a), ()), |(n, ())| *n);
        let (before, both) = (LIVE.load(SeqCst), [waits(), waits()]);
        let gives_up = both.map(|waits| {
            thread::spawn(move || {
                assert!(waits.reference().give_up(cancelled()));
                drop(waits);
            })
        });
        gives_up.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(LIVE.load(SeqCst), before, "edges of the dead");
        setting.task().give_up(cancelled());
        drop(a);
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
