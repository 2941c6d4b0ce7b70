//! Lists of dependents: long ones, those of tasks that were given up, and what is taken out of them.

use super::super::cell::{Header, LIVE};
use super::super::home::fail_dependents;
use super::super::inputs::{Lent, Moved};
use super::super::task;
use super::support::*;
use crate::sync::{Ordering::SeqCst, thread};
use crate::{Error, ErrorKind};

#[test]
fn a_long_list_is_visited_part_by_part() {
    leaves_nothing(|| {
        let place = place();
        place.room.store(10, SeqCst);
        let a = spawn(&place, || Ok(1));
        let calls: Vec<_> =
            (0..1000).map(|n| call(&place, (Lent::of(&a), ()), move |(a, ())| *a + n)).collect();
        assert!(step(&place));
        assert_eq!(queued(&place), 10, "one of them was kept, and run");
        assert_eq!(place.rested.load(SeqCst), 1);
        work(&place);
        for (n, call) in calls.into_iter().enumerate() {
            assert_eq!(get(call).unwrap(), n + 1);
        }
        assert!(place.rested.load(SeqCst) > 80);
    });
}

#[test]
fn the_rest_of_a_list_is_visited_when_it_is_dropped() {
    leaves_nothing(|| {
        let place = place();
        place.room.store(1, SeqCst);
        let a = spawn(&place, || Ok(1));
        let calls: Vec<_> =
            (0..10).map(|n| call(&place, (Lent::of(&a), ()), move |(a, ())| *a + n)).collect();
        assert!(step(&place));
        drop_rests(&place);
        place.room.store(usize::MAX, SeqCst);
        work(&place);
        assert!(calls.iter().all(|call| call.is_set()));
    });
}

#[test]
fn what_was_given_up_leaves_nothing_at_a_result_that_lives_on() {
    leaves_nothing(|| {
        let place = place();
        let (a, setting) = task::channel::<u32>(hop());
        let before = LIVE.load(SeqCst);
        for _ in 0..10_000 {
            let waits = call(&place, (Lent::of(&a), ()), |(a, ())| *a);
            assert!(waits.reference().give_up(cancelled()));
            drop(waits);
            assert_eq!(LIVE.load(SeqCst), before, "nothing is left of it");
        }
        let stays = call(&place, (Lent::of(&a), ()), |(a, ())| *a);
        assert!(setting.set(3).is_ok());
        work(&place);
        assert_eq!(get(stays).unwrap(), 3);
    });
}

#[test]
fn sweeps_cost_little_where_many_stay() {
    leaves_nothing(|| {
        let place = place();
        let (a, setting) = task::channel::<u32>(hop());
        let stay: Vec<_> =
            (0..5000).map(|_| call(&place, (Lent::of(&a), ()), |(a, ())| *a)).collect();
        let before = LIVE.load(SeqCst);
        for _ in 0..20_000 {
            let waits = call(&place, (Lent::of(&a), ()), |(a, ())| *a);
            assert!(waits.reference().give_up(cancelled()));
        }
        assert!(LIVE.load(SeqCst) - before <= 5000, "no more are dead than alive");
        assert!(setting.set(3).is_ok());
        work(&place);
        assert!(stay.into_iter().all(|call| get(call).is_ok()));
    });
}

/// Many let go of one result in the same step.
#[test]
fn many_dependents_are_given_up_at_once() {
    leaves_nothing(|| {
        let place = place();
        let (a, cancels) = task::channel::<u32>(hop());
        let (b, sets) = task::channel::<u32>(hop());
        let count = 200_000;
        let calls: Vec<_> = (0..count)
            .map(|_| call(&place, (Lent::of(&a), (Lent::of(&b), ())), |(a, (b, ()))| *a + *b))
            .collect();
        assert!(cancels.task().give_up(cancelled()));
        for call in calls {
            assert_eq!(get(call).unwrap_err().kind(), ErrorKind::Cancelled);
        }
        assert!(!b.is_set(), "its handle is there");
        assert!(sets.set(1).is_ok());
    });
}

#[test]
fn an_upstream_that_nobody_wants_any_more_is_cancelled_once() {
    leaves_nothing(|| {
        let place = place();
        let (a, cancels) = task::channel::<u32>(hop());
        let b = spawn(&place, || Ok(1));
        let task = b.reference();
        let calls: Vec<_> = (0..2000)
            .map(|_| call(&place, (Lent::of(&a), (Lent::of(&b), ())), |(a, (b, ()))| *a + *b))
            .collect();
        drop(b);
        assert!(cancels.task().give_up(cancelled()));
        assert!(task.is_set() && task.has_failed());
        work(&place);
        drop(calls);
    });
}

fn stopped(_: &Header) -> Error {
    Error::stopped(hop())
}

#[test]
fn the_dependents_of_one_home_are_failed() {
    leaves_nothing(|| {
        let (here, there) = (place(), place());
        let (a, setting) = task::channel::<u32>(hop());
        let ours: Vec<_> =
            (0..100).map(|_| call(&here, (Lent::of(&a), ()), |(a, ())| *a)).collect();
        let theirs: Vec<_> =
            (0..100).map(|_| call(&there, (Lent::of(&a), ()), |(a, ())| *a)).collect();
        let is_of = |task: &Header| here.is_of(task);
        assert!(fail_dependents(setting.task(), &is_of, &stopped));
        assert!(!fail_dependents(setting.task(), &is_of, &stopped));
        for call in ours {
            assert_eq!(get(call).unwrap_err().kind(), ErrorKind::Stopped);
        }
        assert_eq!(here.counted.load(SeqCst), 0);
        assert!(setting.set(1).is_ok());
        work(&there);
        assert!(theirs.into_iter().all(|call| get(call).is_ok()));
    });
}

/// Sweeps, a stop and the set at the same time: each dependent gets one outcome or the other.
#[test]
fn moved_inputs_of_a_task_that_is_given_up_are_dropped() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let its = tally.clone();
        let value = spawn(&place, move || Ok(its.value(1)));
        work(&place);
        let (later, setting) = task::channel::<u32>(hop());
        let both = call(&place, (Moved::of(value), (Lent::of(&later), ())), |(x, (n, ()))| {
            x.number + *n as usize
        });
        assert_eq!(tally.alive(), 1);
        assert!(both.reference().give_up(cancelled()));
        assert_eq!(tally.alive(), 0);
        assert!(setting.set(1).is_ok());
    });
}

#[test]
fn nobody_is_forgotten_while_a_list_is_swept() {
    leaves_nothing(|| {
        for round in 0..200 {
            let place = place();
            let (a, setting) = task::channel::<u32>(hop());
            let stay: Vec<_> =
                (0..1000).map(|_| call(&place, (Lent::of(&a), ()), |(a, ())| *a)).collect();
            let gone: Vec<_> =
                (0..200).map(|_| call(&place, (Lent::of(&a), ()), |(a, ())| *a)).collect();
            drop(a);
            let sweeps = thread::spawn(move || {
                for call in gone {
                    call.reference().give_up(cancelled());
                }
            });
            let (root, home) = (setting.task().clone(), place.clone());
            let stops = thread::spawn(move || {
                fail_dependents(&root, &|task| home.is_of(task), &stopped);
            });
            if round % 2 == 0 {
                stops.join().unwrap();
                assert!(stay.iter().all(|call| call.is_set()), "all that waited was failed");
                sweeps.join().unwrap();
                let _ = setting.set(1);
            } else {
                let _ = setting.set(1);
                stops.join().unwrap();
                sweeps.join().unwrap();
                work(&place);
                assert!(stay.iter().all(|call| call.is_set()));
            }
        }
    });
}

#[test]
fn one_result_has_many_handles_loans_and_references() {
    leaves_nothing(|| {
        let place = place();
        let a = spawn(&place, || Ok(1));
        let handles: Vec<_> = (0..100_000).map(|_| a.share()).collect();
        let loans: Vec<_> = (0..100_000).map(|_| a.lend()).collect();
        let references: Vec<_> = (0..10_000).map(|_| a.reference()).collect();
        work(&place);
        drop((handles, references));
        assert!(a.is_lent());
        drop(loans);
        assert_eq!(get(a).unwrap(), 1);
    });
}
