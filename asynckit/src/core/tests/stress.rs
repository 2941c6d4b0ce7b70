//! Random graphs on several threads, with cancels, drops, sets and failures at any time; for a bounded time.

use std::time::{Duration, Instant};

use super::super::handle::{Loan, Owner, Setting, TaskRef};
use super::super::home::fail_dependents;
use super::super::inputs::{Earlier, Either, EndEdge, Lent, Many, Moved, Plain};
use super::super::state::Traits;
use super::super::task::{self, Flat, Outcome};
use super::support::*;
use crate::Error;
use crate::sync::{Arc, Mutex, Ordering::SeqCst, lock, thread};

/// Numbers that are random enough.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }
    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What threads hand to one another.
#[derive(Default)]
struct Common {
    handles: Mutex<Vec<Owner<Counted>>>,
    tasks: Mutex<Vec<TaskRef>>,
    loans: Mutex<Vec<Loan<Counted>>>,
    sets: Mutex<Vec<Setting<Counted>>>,
}

fn some<T>(random: &mut Random, list: &Mutex<Vec<T>>) -> Option<T> {
    let mut list = lock(list);
    if list.is_empty() {
        return None;
    }
    let n = random.below(list.len());
    Some(list.swap_remove(n))
}

fn drive(place: &Place, common: &Common, tally: &Tally, random: &mut Random, until: Instant) {
    while Instant::now() < until {
        for _ in 0..50 {
            act(place, common, tally, random);
        }
        let many = lock(&common.handles).len();
        if many > 400 {
            for _ in 0..many / 2 {
                drop(some(random, &common.handles));
            }
        }
    }
}

fn act(place: &Place, common: &Common, tally: &Tally, random: &mut Random) {
    let handle = |random: &mut Random| some(random, &common.handles);
    let its = tally.clone();
    let fails = random.one_in(12);
    let made = match random.below(18) {
        0 => spawn(place, move || if fails { Err("no".into()) } else { Ok(its.value(1)) }),
        1 => spawn_hooked(place, move || {
            if fails { std::panic::resume_unwind(Box::new(1)) } else { Ok(its.value(1)) }
        }),
        2 => {
            let (owner, setting) = task::channel(hop());
            lock(&common.sets).push(setting);
            owner
        }
        3 => task::manual(hop()),
        4 | 5 => {
            let Some(a) = handle(random) else { return };
            let call = call(place, (Lent::of(&a), ()), move |(a, ())| its.value(a.number + 1));
            lock(&common.handles).push(a);
            call
        }
        6 | 7 => {
            let Some(a) = handle(random) else { return };
            call(place, (Moved::of(a), ()), |(a, ())| a)
        }
        8 => {
            let (Some(a), Some(b)) = (handle(random), handle(random)) else { return };
            let inputs = (Moved::of(a.share()), (Lent::of(&a), (Moved::of(b), ())));
            let call = call_hooked(place, inputs, |(a, (_, (_, ())))| a);
            lock(&common.handles).push(a);
            call
        }
        9 => {
            let list: Vec<_> = (0..4).filter_map(|_| handle(random)).collect();
            let arguments = (Plain::new(tally.value(0)), (Many::of(list), ()));
            call(place, arguments, |(first, (mut list, ()))| list.pop().unwrap_or(first))
        }
        10 => {
            let list: Vec<_> = (0..3).filter_map(|_| handle(random)).collect();
            let list = gather((Many::of(list), ()), |(list, ())| list);
            gather((Moved::of(list), ()), move |(list, ())| its.value(list.len()))
        }
        11 => {
            let (Some(a), Some(mut b)) = (handle(random), handle(random)) else { return };
            // Else the call would wait for what only it could set.
            b.give_up_setting();
            let traits = if fails { Traits::HOOKED } else { Traits::PLAIN };
            call_to(place, traits, (Lent::of(&a), (Earlier::of(vec![EndEdge::of(&b)]), ())), |_| {
                Outcome::Flatten(Flat(b))
            })
        }
        12 => {
            let Some(a) = handle(random) else { return };
            call(place, (Either::of(a), ()), move |(a, ())| a.unwrap_or_else(|_| its.value(9)))
        }
        13 => {
            if let Some(task) = some(random, &common.tasks) {
                match random.below(3) {
                    0 => _ = task.fail_waiting(cancelled(), true),
                    1 => task.each_missing(|missing| assert!(!missing.is(&task))),
                    _ => _ = task.give_up(cancelled()),
                }
            }
            return;
        }
        14 => {
            if let Some(setting) = some(random, &common.sets) {
                if fails {
                    setting.task().give_up(failed("no"));
                } else {
                    let _ = setting.set(tally.value(5));
                }
            }
            return;
        }
        15 => {
            let Some(a) = handle(random) else { return };
            if a.may_set() && !fails {
                let _ = a.set(tally.value(6));
            } else if a.is_set() {
                let loan = a.lend();
                if let Ok(value) = loan.outcome() {
                    assert!(value.number < 1_000_000);
                }
                lock(&common.loans).push(loan);
            }
            lock(&common.handles).push(a);
            return;
        }
        16 => {
            drop(some(random, &common.loans));
            let Some(a) = handle(random) else { return };
            let shares = a.is_set() && !a.has_failed() && !a.is_lent() && !fails;
            if shares {
                drop(a.share().take());
                drop(a.share());
            }
            a
        }
        _ => {
            let Some(a) = handle(random) else { return };
            if a.is_set() && (a.has_failed() || !a.is_lent()) {
                drop(a.take());
            }
            return;
        }
    };
    if random.one_in(3) {
        let mut tasks = lock(&common.tasks);
        if tasks.len() > 100 {
            tasks.clear();
        }
        tasks.push(made.reference());
    }
    if random.one_in(5) && made.is_set() && !made.has_failed() {
        let copy = made.share();
        lock(&common.handles).push(copy);
    }
    lock(&common.handles).push(made);
}

fn stopped(_: &super::super::cell::Header) -> Error {
    Error::stopped(hop())
}

#[test]
fn random_graphs() {
    leaves_nothing(|| {
        let seconds = std::env::var("ASYNCKIT_CORE_STRESS").ok().and_then(|text| text.parse().ok());
        let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(4));
        let mut seed = 0x9E37_79B9_7F4A_7C15;
        while Instant::now() < until {
            let (place, tally) = (place(), Tally::default());
            place.room.store(3, SeqCst);
            let common = Arc::new(Common::default());
            let threads = workers(&place, 2);
            let drivers: Vec<_> = (0..2)
                .map(|n| {
                    let (place, common, tally) = (place.clone(), common.clone(), tally.clone());
                    let until = until.min(Instant::now() + Duration::from_millis(500));
                    thread::spawn(move || {
                        drive(&place, &common, &tally, &mut Random(seed + n), until);
                    })
                })
                .collect();
            drivers.into_iter().for_each(|thread| thread.join().unwrap());
            seed = seed.wrapping_add(0x1234_5678_9ABC_DEF1);
            // What is set by nobody fails, and all goes.
            let sets = std::mem::take(&mut *lock(&common.sets));
            for setting in &sets {
                fail_dependents(setting.task(), &|_| true, &stopped);
                setting.task().give_up(cancelled());
            }
            drop(sets);
            lock(&common.loans).clear();
            lock(&common.tasks).clear();
            let handles = std::mem::take(&mut *lock(&common.handles));
            drop(handles);
            drop(threads);
            work(&place);
            lock(&place.slept).clear();
            assert_eq!(tally.alive(), 0, "values that are left");
        }
    });
}
