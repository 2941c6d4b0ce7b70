//! A result owns its value as a variable does: moved, lent and cloned exactly as written.

use std::cell::Cell;
use std::thread;

use asynckit::{AsyncResult, Pool, Results, async_work, chain};

use crate::support::{Counted, Counter, Gate, OnDrop, Tally, eventually, soon};

#[async_work]
fn peek(x: &Counted) -> u32 {
    x.value
}

#[async_work]
fn consume(x: Counted) -> u32 {
    x.value
}

#[async_work]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[async_work]
fn wait_at(gate: Gate, begun: Gate, x: &OnDrop) -> bool {
    let _lent = x;
    begun.open();
    gate.pass();
    true
}

#[async_work]
fn bury(x: OnDrop) {
    drop(x);
}

#[test]
fn get_gives_the_value_itself() {
    soon(|| {
        let pool = Pool::new(1);
        let value = Box::new(7);
        let address = &raw const *value as usize;
        let back = pool.spawn(move || value).get().unwrap();
        assert_eq!(&raw const *back as usize, address);
    });
}

#[test]
fn the_only_handle_takes_without_a_clone() {
    soon(|| {
        let pool = Pool::new(1);
        let tally = Tally::new();
        let value = tally.value(3);
        let back = pool.spawn(move || value).get().unwrap();
        assert_eq!((back.value, tally.clones.count(), tally.drops.count()), (3, 0, 0));
        drop(back);
        assert_eq!(tally.drops.count(), 1);
    });
}

#[test]
fn an_unwanted_value_is_dropped_once() {
    soon(|| {
        let pool = Pool::new(2);
        let drops = Counter::new();
        for _ in 0..100 {
            let value = drops.on_drop();
            drop(pool.spawn(move || value));
        }
        pool.stop();
        assert_eq!(drops.count(), 100);
    });
}

#[test]
fn a_set_value_is_dropped_with_its_last_handle() {
    let tally = Tally::new();
    let a = AsyncResult::ready(tally.value(1));
    let b = a.clone();
    drop(a);
    assert_eq!(tally.drops.count(), 0);
    drop(b);
    assert_eq!((tally.drops.count(), tally.clones.count()), (1, 0));
}

#[test]
fn every_get_but_the_last_clones() {
    soon(|| {
        let tally = Tally::new();
        let first = AsyncResult::ready(tally.value(5));
        let handles: Vec<_> = (0..4).map(|_| first.clone()).collect();
        assert_eq!(tally.clones.count(), 0, "cloning a handle clones no value");
        let mut values = Vec::new();
        for (n, handle) in handles.into_iter().enumerate() {
            values.push(handle.get().unwrap());
            assert_eq!(tally.clones.count(), n + 1);
        }
        values.push(first.get().unwrap());
        assert_eq!(tally.clones.count(), 4, "the last handle takes");
        drop(values);
        assert_eq!(tally.drops.count(), 5);
    });
}

#[test]
fn a_handle_that_was_dropped_costs_no_clone() {
    soon(|| {
        let tally = Tally::new();
        let a = AsyncResult::ready(tally.value(5));
        let others: Vec<_> = (0..4).map(|_| a.clone()).collect();
        drop(others);
        drop(a.get().unwrap());
        assert_eq!((tally.clones.count(), tally.drops.count()), (0, 1));
    });
}

#[test]
fn gets_at_the_same_time_clone_no_more_than_was_written() {
    soon(|| {
        for _ in 0..300 {
            let tally = Tally::new();
            let (setter, first) = AsyncResult::channel();
            let handles: Vec<_> = (0..3).map(|_| first.clone()).collect();
            thread::scope(|s| {
                for handle in handles.into_iter().chain([first]) {
                    s.spawn(|| drop(handle.get().unwrap()));
                }
                setter.set(tally.value(1)).unwrap();
            });
            assert_eq!((tally.clones.count(), tally.drops.count()), (3, 4));
        }
    });
}

/// A value whose clone takes as long as the test wants.
struct SlowClone {
    begun: Gate,
    gate: Gate,
    clones: Counter,
}

impl Clone for SlowClone {
    fn clone(&self) -> SlowClone {
        self.clones.add();
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
fn the_last_handle_takes_after_running_clones_have_finished() {
    soon(|| {
        let (begun, gate, clones) = (Gate::new(), Gate::new(), Counter::new());
        let a = AsyncResult::ready(SlowClone {
            begun: begun.clone(),
            gate: gate.clone(),
            clones: clones.clone(),
        });
        let b = a.clone();
        let cloning = thread::spawn(move || a.get().is_ok());
        begun.pass();
        // The clone is running: the value is still lent to it.
        let b = b.try_get().err().expect("the value is in use by a clone");
        let taking = thread::spawn(move || b.get().is_ok());
        gate.open();
        assert!(cloning.join().unwrap());
        assert!(taking.join().unwrap());
        assert_eq!(clones.count(), 1);
    });
}

#[test]
fn lending_by_get_ref_clones_nothing() {
    soon(|| {
        let pool = Pool::new(1);
        let tally = Tally::new();
        let value = tally.value(9);
        let r = pool.spawn(move || value);
        assert_eq!(r.get_ref().unwrap().value, 9);
        assert_eq!(r.get_ref().unwrap().value, 9);
        drop(r.get().unwrap());
        assert_eq!((tally.clones.count(), tally.drops.count()), (0, 1));
    });
}

#[test]
fn work_over_the_only_handle_gets_the_value_itself() {
    soon(|| {
        let pool = Pool::new(1);
        let tally = Tally::new();
        let value = tally.value(2);
        let r = pool.spawn(move || value);
        let n = r.map(|x| x.value + 1).spawn_on(&pool).get().unwrap();
        assert_eq!((n, tally.clones.count(), tally.drops.count()), (3, 0, 1));
    });
}

#[test]
fn a_clone_that_turns_out_to_be_the_last_handle_takes() {
    soon(|| {
        let pool = Pool::new(1);
        let tally = Tally::new();
        let input = AsyncResult::new();
        let n = chain!(&pool, consume(input.clone()));
        input.set(tally.value(2)).ok().unwrap();
        drop(input);
        n.get().unwrap();
        assert!(tally.clones.count() <= 1);

        // Here the other handle is gone before the value is there.
        let tally = Tally::new();
        let (setter, input) = AsyncResult::channel();
        let n = chain!(&pool, consume(input.clone()));
        drop(input);
        setter.set(tally.value(2)).ok().unwrap();
        assert_eq!(n.get().unwrap(), 2);
        assert_eq!((tally.clones.count(), tally.drops.count()), (0, 1));
    });
}

#[test]
fn what_is_passed_twice_is_cloned_once() {
    soon(|| {
        let pool = Pool::new(2);
        for _ in 0..100 {
            let tally = Tally::new();
            let (setter, input) = AsyncResult::channel();
            let sum = chain!(&pool, {
                let a = consume(input.clone());
                let b = consume(input);
                add(a, b)
            });
            setter.set(tally.value(4)).ok().unwrap();
            assert_eq!(sum.get().unwrap(), 8);
            assert_eq!((tally.clones.count(), tally.drops.count()), (1, 2));
        }
    });
}

#[async_work]
fn both(a: Counted, b: Counted) -> u32 {
    a.value + b.value
}

#[async_work]
fn lent_and_moved(a: &Counted, b: Counted) -> u32 {
    a.value + b.value
}

#[test]
fn one_call_may_get_a_value_and_its_clone() {
    soon(|| {
        let pool = Pool::new(2);
        for ready in [false, true] {
            let tally = Tally::new();
            let (setter, input) = AsyncResult::channel();
            let set = || setter.set(tally.value(4)).ok().unwrap();
            let sum = if ready {
                set();
                chain!(&pool, both(input.clone(), input))
            } else {
                let sum = chain!(&pool, both(input.clone(), input));
                set();
                sum
            };
            assert_eq!(sum.get().unwrap(), 8);
            assert_eq!((tally.clones.count(), tally.drops.count()), (1, 2));
        }
        let tally = Tally::new();
        let input = AsyncResult::ready(tally.value(1));
        drop((input.clone(), input.clone(), input).join().get().unwrap());
        assert_eq!((tally.clones.count(), tally.drops.count()), (2, 3));
    });
}

#[test]
fn one_call_may_be_lent_what_it_also_gets() {
    soon(|| {
        let pool = Pool::new(2);
        let tally = Tally::new();
        let (setter, input) = AsyncResult::channel();
        let other = input.clone();
        let sum = chain!(&pool, lent_and_moved(&other, input));
        drop(other);
        setter.set(tally.value(4)).ok().unwrap();
        assert_eq!(sum.get().unwrap(), 8);
        assert_eq!(tally.clones.count(), 1);
        // What was lent is dropped when the result is set.
        eventually("both are dropped", || tally.drops.count() == 2);
    });
}

#[test]
fn a_move_waits_for_the_borrows_and_nothing_is_cloned() {
    soon(|| {
        let pool = Pool::new(2);
        for _ in 0..200 {
            let tally = Tally::new();
            let (setter, input) = AsyncResult::channel();
            let sum = chain!(&pool, {
                let a = peek(&input);
                let b = peek(&input);
                let c = consume(input);
                add(add(a, b), c)
            });
            setter.set(tally.value(4)).ok().unwrap();
            assert_eq!(sum.get().unwrap(), 12);
            assert_eq!((tally.clones.count(), tally.drops.count()), (0, 1));
        }
    });
}

#[test]
fn a_value_is_not_dropped_while_work_borrows_it() {
    soon(|| {
        let pool = Pool::new(2);
        let (gate, begun, drops) = (Gate::new(), Gate::new(), Counter::new());
        let x = AsyncResult::ready(drops.on_drop());
        let (for_work, has_begun) = (gate.clone(), begun.clone());
        let lent = chain!(&pool, wait_at(for_work, has_begun, &x));
        begun.pass();
        let gone = chain!(&pool, bury(x));
        assert!(!gone.is_set());
        assert_eq!(drops.count(), 0);
        gate.open();
        gone.get().unwrap();
        assert_eq!(drops.count(), 1);
        assert!(lent.get().unwrap());
    });
}

#[test]
fn a_handle_may_be_dropped_while_its_value_is_lent() {
    soon(|| {
        let pool = Pool::new(1);
        let (gate, begun, drops) = (Gate::new(), Gate::new(), Counter::new());
        let x = AsyncResult::ready(drops.on_drop());
        let (for_work, has_begun) = (gate.clone(), begun.clone());
        let lent = chain!(&pool, wait_at(for_work, has_begun, &x));
        drop(x);
        begun.pass();
        assert_eq!(drops.count(), 0, "the borrower keeps the value");
        gate.open();
        assert!(lent.get().unwrap());
        pool.stop();
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn values_that_are_neither_clone_nor_sync_travel() {
    soon(|| {
        let pool = Pool::new(2);
        let cell = pool.spawn(|| Cell::new(1));
        let more = cell.map(|c| {
            c.set(c.get() + 1);
            c
        });
        assert_eq!(more.spawn_on(&pool).get().unwrap().get(), 2);
    });
}

#[test]
fn the_value_of_a_result_that_a_call_returned_is_dropped() {
    soon(|| {
        let pool = Pool::new(1);
        let drops = Counter::new();
        for _ in 0..10 {
            let (begin, input) = AsyncResult::channel();
            let (end, returned) = AsyncResult::channel();
            let returned = Cell::new(Some(returned));
            let later = move |_: u32| returned.take().unwrap();
            let out = chain!(&pool, later(input));
            begin.set(1).unwrap();
            // After this the only worker has made the call.
            pool.spawn(|| ()).get().unwrap();
            end.set(drops.on_drop()).unwrap();
            out.wait();
        }
        eventually("all are dropped", || drops.count() == 10);
    });
}
