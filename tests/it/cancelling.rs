//! Cancelling a result: all who hold it, all that depend on it, and what only it needed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use asynckit::{AsyncResult, ErrorKind, Pool, async_work, chain, is_cancelled};

use crate::support::{Counter, Gate, OnDrop, eventually, occupy, soon};

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

#[async_work]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[async_work]
fn read(n: &u32) -> u32 {
    *n
}

/// Work that holds something, so that one can tell when it is dropped.
#[async_work]
fn holding(held: OnDrop, ran: Counter) -> u32 {
    drop(held);
    ran.add();
    1
}

#[track_caller]
fn assert_cancelled<T: Send>(r: AsyncResult<T>) {
    assert!(r.is_error());
    assert_eq!(r.get().map(drop).unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn an_unset_result_is_cancelled_for_all_who_hold_it() {
    let r = AsyncResult::<u8>::new();
    let other = r.clone();
    assert!(r.cancel());
    assert!(!r.cancel(), "once");
    assert!(!other.cancel());
    assert_eq!(r.set(1).unwrap_err().into_inner(), 1);
    assert_cancelled(r);
    assert_cancelled(other);
}

#[test]
fn a_set_result_is_not_cancelled() {
    soon(|| {
        let r = AsyncResult::ready(1);
        assert!(!r.cancel());
        assert_eq!(r.get().unwrap(), 1);
        let r = AsyncResult::<u8>::failed("no");
        assert!(!r.cancel());
        assert_eq!(r.get().unwrap_err().kind(), ErrorKind::Failed);
        let pool = Pool::new(1);
        let r = pool.spawn(|| 2);
        r.wait();
        assert!(!r.cancel());
        assert_eq!(r.get().unwrap(), 2);
    });
}

#[test]
fn queued_work_is_dropped_without_running() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let (drops, ran) = (Counter::new(), Counter::new());
        let r = holding(drops.on_drop(), ran.clone()).spawn_on(&pool);
        assert!(r.cancel());
        eventually("the closure is dropped", || drops.count() == 1);
        assert_cancelled(r);
        busy.free();
        pool.stop();
        assert_eq!((ran.count(), drops.count()), (0, 1));
    });
}

#[test]
fn waiting_work_is_dropped_without_running() {
    soon(|| {
        let pool = Pool::new(1);
        let (drops, ran) = (Counter::new(), Counter::new());
        let input = AsyncResult::<u32>::new();
        let (held, runs) = (drops.on_drop(), ran.clone());
        let r = input
            .clone()
            .map(move |_| {
                drop(held);
                runs.add()
            })
            .spawn_on(&pool);
        assert!(r.cancel());
        eventually("the closure is dropped", || drops.count() == 1);
        assert_cancelled(r);
        assert!(!input.is_set(), "somebody else may want it");
        input.set(1).unwrap();
        pool.stop();
        assert_eq!(ran.count(), 0);
    });
}

#[test]
fn running_work_may_ask_and_its_late_value_is_dropped() {
    soon(|| {
        let pool = Pool::new(1);
        let (begun, asked, drops) = (Gate::new(), Gate::new(), Counter::new());
        let value = drops.on_drop();
        let r = pool.spawn({
            let (begun, asked) = (begun.clone(), asked.clone());
            move || {
                assert!(!is_cancelled());
                begun.open();
                eventually("cancelled", is_cancelled);
                asked.open();
                value
            }
        });
        begun.pass();
        assert!(r.cancel());
        assert_cancelled(r);
        asked.pass();
        eventually("the late value is dropped", || drops.count() == 1);
        assert!(!pool.spawn(is_cancelled).get().unwrap(), "of the current work only");
    });
}

#[test]
fn cancelled_running_work_is_failed_at_once() {
    soon(|| {
        let pool = Pool::new(1);
        let (begun, gate) = (Gate::new(), Gate::new());
        let r = pool.spawn({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.open();
                gate.pass();
                1
            }
        });
        let dependent = chain!(&pool, inc(r.clone()));
        begun.pass();
        assert!(r.cancel());
        assert_cancelled(dependent);
        assert_cancelled(r);
        gate.open();
    });
}

#[test]
fn outside_of_work_nothing_is_cancelled() {
    assert!(!is_cancelled());
}

#[test]
fn dependents_are_cancelled_too() {
    soon(|| {
        let pool = Pool::new(1);
        let input = AsyncResult::new();
        let (a, b) = (chain!(&pool, inc(input.clone())), chain!(&pool, read(&input)));
        let c = chain!(&pool, inc(b.clone()));
        assert!(input.cancel());
        for r in [input, a, b, c] {
            assert_cancelled(r);
        }
    });
}

#[test]
fn waiters_are_woken() {
    soon(|| {
        let r = AsyncResult::<u8>::new();
        thread::scope(|s| {
            let waiting = s.spawn(|| r.clone().get().unwrap_err().kind());
            let lent = s.spawn(|| r.get_ref().unwrap_err().kind());
            assert!(r.cancel());
            assert_eq!(waiting.join().unwrap(), ErrorKind::Cancelled);
            assert_eq!(lent.join().unwrap(), ErrorKind::Cancelled);
        });
    });
}

#[test]
fn upstream_work_that_nobody_else_needs_is_cancelled() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let (drops, ran) = (Counter::new(), Counter::new());
        let (held, runs) = (drops.on_drop(), ran.clone());
        let last = chain!(&pool, {
            let first = holding(held, runs);
            let second = inc(first);
            inc(second)
        });
        assert!(last.cancel());
        eventually("the first is dropped", || drops.count() == 1);
        busy.free();
        pool.stop();
        assert_eq!(ran.count(), 0);
    });
}

#[test]
fn upstream_work_that_was_lent_and_let_go_belongs_to_its_dependents() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let (drops, ran) = (Counter::new(), Counter::new());
        let first = holding(drops.on_drop(), ran.clone()).spawn_on(&pool);
        let (a, b) = (chain!(&pool, read(&first)), chain!(&pool, read(&first)));
        drop(first);
        assert!(a.cancel());
        assert_eq!(drops.count(), 0, "the other dependent needs it");
        assert!(b.cancel());
        eventually("nobody needs it", || drops.count() == 1);
        busy.free();
        pool.stop();
        assert_eq!(ran.count(), 0);
    });
}

#[test]
fn upstream_work_that_somebody_holds_goes_on() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let (drops, ran) = (Counter::new(), Counter::new());
        let first = holding(drops.on_drop(), ran.clone()).spawn_on(&pool);
        let lent = chain!(&pool, read(&first));
        let moved = chain!(&pool, inc(first.clone()));
        assert!(lent.cancel());
        assert!(moved.cancel());
        busy.free();
        assert_eq!(first.get().unwrap(), 1);
        assert_eq!(ran.count(), 1);
    });
}

#[test]
fn upstream_work_that_another_task_needs_goes_on() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let (drops, ran) = (Counter::new(), Counter::new());
        let first = holding(drops.on_drop(), ran.clone()).spawn_on(&pool);
        let a = chain!(&pool, inc(first.clone()));
        let b = chain!(&pool, add(first, 10));
        assert!(a.cancel());
        busy.free();
        assert_eq!(b.get().unwrap(), 11);
        assert_eq!(ran.count(), 1);
    });
}

#[test]
fn work_whose_handle_is_dropped_runs() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let (drops, ran) = (Counter::new(), Counter::new());
        drop(holding(drops.on_drop(), ran.clone()).spawn_on(&pool));
        holding(drops.on_drop(), ran.clone()).detach_on(&pool);
        busy.free();
        pool.stop();
        assert_eq!((ran.count(), drops.count()), (2, 2));
    });
}

#[test]
fn a_cancelled_async_chain_drops_its_future() {
    soon(|| {
        let pool = Pool::new(1);
        let (drops, begun) = (Counter::new(), Gate::new());
        let (held, has_begun) = (drops.on_drop(), begun.clone());
        let never = AsyncResult::<u32>::new();
        let awaited = never.clone();
        let r = chain!(&pool, async move {
            let _held = held;
            has_begun.open();
            let n = awaited.await?;
            inc(n)
        });
        begun.pass();
        assert!(r.cancel());
        eventually("the future is dropped", || drops.count() == 1);
        assert_cancelled(r);
        assert!(!never.is_set());
    });
}

#[test]
fn cancelling_races_with_running() {
    soon(|| {
        let pool = Pool::new(2);
        for _ in 0..2000 {
            let (drops, ran) = (Counter::new(), Counter::new());
            let r = holding(drops.on_drop(), ran.clone()).spawn_on(&pool);
            let cancelled = r.cancel();
            match r.get() {
                Ok(_) => assert!(!cancelled && ran.count() == 1),
                Err(error) => {
                    assert!(cancelled);
                    assert_eq!(error.kind(), ErrorKind::Cancelled);
                }
            }
            eventually("dropped", || drops.count() == 1);
        }
    });
}

#[test]
fn a_panic_in_a_drop_does_not_reach_who_cancels() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let bomb = Bomb;
        let r = pool.spawn(move || {
            let _bomb = &bomb;
        });
        let cancelled = catch_unwind(AssertUnwindSafe(|| r.cancel()));
        assert!(cancelled.expect("no panic comes through"));
        assert_cancelled(r);
        busy.free();
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
    });
}
