//! Values that are lent and cloned at the same time: who waits for whom.

use asynckit::{AsyncResult, Pool, async_work, chain};

use crate::support::{Counted, Gate, Tally, soon};

#[async_work]
fn consume(x: Counted, n: u32) -> u32 {
    x.value + n
}

#[async_work]
fn look(x: &Counted, n: u32) -> u32 {
    x.value + n
}

#[test]
fn a_clone_that_moves_waits_for_no_later_borrow() {
    soon(|| {
        let pool = Pool::new(1);
        let tally = Tally::new();
        let (setter, later) = AsyncResult::channel();
        let a = AsyncResult::ready(tally.value(1));
        let sum = chain!(&pool, {
            let first = consume(a.clone(), later);
            // It depends on the first call, so that the first call can't wait for it.
            look(&a, first)
        });
        drop(a);
        setter.set(1).unwrap();
        assert_eq!(sum.get().unwrap(), 3);
        assert!(tally.clones.count() <= 1, "one clone was written");
    });
}

#[test]
fn nor_for_a_later_borrow_that_does_not_wait_for_it() {
    soon(|| {
        let pool = Pool::new(1);
        let tally = Tally::new();
        let (setter, now) = AsyncResult::channel();
        let (end, later) = AsyncResult::channel();
        let a = AsyncResult::ready(tally.value(1));
        let first = chain!(&pool, consume(a.clone(), now));
        let lent = chain!(&pool, look(&a, later));
        drop(a);
        setter.set(1).unwrap();
        assert_eq!(first.get().unwrap(), 2);
        end.set(2).unwrap();
        assert_eq!(lent.get().unwrap(), 3);
        assert_eq!(tally.clones.count(), 1, "as was written");
    });
}

#[test]
fn over_other_work_and_another_pool() {
    soon(|| {
        let (pool, other) = (Pool::new(1), Pool::new(1));
        let tally = Tally::new();
        let (setter, later) = AsyncResult::channel();
        let a = AsyncResult::ready(tally.value(1));
        let first = chain!(&pool, consume(a.clone(), later));
        let between = first.map(|n| n + 1);
        let borrower = chain!(&other, look(&a, between));
        drop(a);
        setter.set(1).unwrap();
        assert_eq!(borrower.get().unwrap(), 4);
        assert!(tally.clones.count() <= 1, "one clone was written");
    });
}

#[test]
fn over_work_that_returns_what_waits_for_it() {
    soon(|| {
        let pool = Pool::new(2);
        let tally = Tally::new();
        let (gate, begun) = (Gate::new(), Gate::new());
        let a = AsyncResult::ready(tally.value(1));
        let (setter, later) = AsyncResult::channel();
        let first = chain!(&pool, consume(a.clone(), later));
        let hand_over = {
            let (gate, begun) = (gate.clone(), begun.clone());
            move |_: u32| {
                begun.open();
                gate.pass();
                first
            }
        };
        let zero = AsyncResult::ready(0);
        let returns = chain!(&pool, hand_over(zero));
        let borrower = chain!(&pool, look(&a, returns));
        drop(a);
        begun.pass();
        setter.set(1).unwrap();
        // The first call waits for the borrower by now.
        gate.open();
        assert_eq!(borrower.get().unwrap(), 3);
        assert!(tally.clones.count() <= 1, "one clone was written");
    });
}

#[test]
fn over_work_that_waits_for_it() {
    soon(|| {
        for late in [false, true] {
            let pool = Pool::new(2);
            let tally = Tally::new();
            let (gate, begun) = (Gate::new(), Gate::new());
            let a = AsyncResult::ready(tally.value(1));
            let (setter, later) = AsyncResult::channel();
            let first = chain!(&pool, consume(a.clone(), later));
            let waits = pool.spawn({
                let (gate, begun) = (gate.clone(), begun.clone());
                move || {
                    begun.open();
                    gate.pass();
                    first.get().unwrap()
                }
            });
            let borrower = chain!(&pool, look(&a, waits));
            drop(a);
            begun.pass();
            if late {
                gate.open();
                // Nothing tells that the wait has begun.
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            setter.set(1).unwrap();
            gate.open();
            assert_eq!(borrower.get().unwrap(), 3);
            assert!(tally.clones.count() <= 1, "one clone was written");
        }
    });
}

#[test]
fn a_handle_does_not_wait_for_what_its_clone_has_lent() {
    soon(|| {
        let pool = Pool::new(1);
        let tally = Tally::new();
        let (setter, later) = AsyncResult::channel();
        let a = AsyncResult::ready(tally.value(1));
        let b = a.clone();
        let lent = chain!(&pool, look(&b, later));
        drop(b);
        let zero = AsyncResult::ready(0);
        let moved = chain!(&pool, consume(a, zero));
        // It would wait for what may wait for it. So it makes the clone that was written.
        assert_eq!(moved.get().unwrap(), 1);
        setter.set(1).unwrap();
        assert_eq!(lent.get().unwrap(), 2);
        pool.stop();
        assert_eq!((tally.clones.count(), tally.drops.count()), (1, 2));
    });
}

#[async_work]
fn both(a: Counted, b: Counted) -> u32 {
    a.value + b.value
}

#[test]
fn a_value_that_is_to_be_cloned_is_not_lent_while_its_task_waits_for_another() {
    soon(|| {
        for _ in 0..50 {
            let pool = Pool::new(2);
            let tally = Tally::new();
            let (setter, later) = AsyncResult::channel();
            let (a, lent) =
                (AsyncResult::ready(tally.value(1)), AsyncResult::ready(tally.value(2)));
            let to_clone = a.clone();
            let first = chain!(&pool, consume(a, later));
            let borrower = chain!(&pool, look(&lent, first));
            // It waits for the borrower, the borrower for the first call, and that for nothing.
            let last = chain!(&pool, both(to_clone, lent));
            setter.set(1).unwrap();
            assert_eq!((borrower.get().unwrap(), last.get().unwrap()), (4, 3));
            assert!(tally.clones.count() <= 1, "one clone was written");
        }
    });
}
