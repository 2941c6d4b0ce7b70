//! Dropping a pool is stopping it: in the open, on one of its own workers, and in a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use asynckit::{AsyncResult, ErrorKind, Pool, async_work, chain};

use crate::support::{Counter, Gate, eventually, occupy, soon};

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

#[test]
fn dropping_finishes_what_was_accepted() {
    soon(|| {
        let ran = Counter::new();
        let pool = Pool::new(2);
        for _ in 0..1000 {
            let runs = ran.clone();
            drop(pool.spawn(move || runs.add()));
        }
        drop(pool);
        assert_eq!(ran.count(), 1000);
    });
}

#[test]
fn dropping_fails_what_can_never_run() {
    soon(|| {
        let pool = Pool::new(1);
        let never = AsyncResult::<u32>::new();
        let pending = chain!(&pool, inc(never.clone()));
        drop(pool);
        assert_eq!(pending.get().unwrap_err().kind(), ErrorKind::Stopped);
        assert!(!never.is_set());
    });
}

#[test]
fn a_pool_without_work_is_dropped_at_once() {
    soon(|| {
        for workers in [0, 1, 4] {
            for _ in 0..50 {
                drop(Pool::new(workers));
            }
        }
    });
}

#[test]
fn no_thread_is_left_behind() {
    /// Tells when the thread that it belongs to ends.
    struct AtThreadEnd(crate::support::OnDrop);
    thread_local! {
        static AT_END: std::cell::RefCell<Option<AtThreadEnd>> =
            const { std::cell::RefCell::new(None) };
    }
    soon(|| {
        let ended = Counter::new();
        let pool = Pool::new(1);
        let at_end = AtThreadEnd(ended.on_drop());
        let r = pool.spawn(move || {
            AT_END.with_borrow_mut(|slot| {
                let _ = &at_end.0;
                *slot = Some(at_end);
            });
        });
        r.get().unwrap();
        drop(pool);
        assert_eq!(ended.count(), 1, "the worker was joined");
    });
}

#[test]
fn the_last_owner_may_be_a_worker() {
    soon(|| {
        let pool = Arc::new(Pool::new(2));
        let (gate, dropped) = (Gate::new(), Gate::new());
        let r = pool.spawn({
            let (pool, gate, dropped) = (pool.clone(), gate.clone(), dropped.clone());
            move || {
                gate.pass();
                let last = Arc::into_inner(pool).expect("the last owner");
                drop(last);
                dropped.open();
                1
            }
        });
        let queued = pool.spawn(|| 2);
        drop(pool);
        gate.open();
        dropped.pass();
        assert_eq!(r.get().unwrap(), 1);
        assert_eq!(queued.get().unwrap(), 2, "what was accepted is finished");
    });
}

#[test]
fn the_last_owner_may_be_the_only_worker() {
    soon(|| {
        let pool = Arc::new(Pool::new(1));
        let gate = Gate::new();
        let r = pool.spawn({
            let (pool, gate) = (pool.clone(), gate.clone());
            move || {
                gate.pass();
                drop(pool);
                1
            }
        });
        let ran = Counter::new();
        let queued: Vec<_> = (0..10)
            .map(|_| {
                let runs = ran.clone();
                pool.spawn(move || runs.add())
            })
            .collect();
        drop(pool);
        gate.open();
        assert_eq!(r.get().unwrap(), 1);
        for r in queued {
            r.get().unwrap();
        }
        assert_eq!(ran.count(), 10);
    });
}

#[test]
fn the_last_owner_may_be_the_value_of_a_result() {
    soon(|| {
        // The pool goes with the closure that owns it, which a worker of it drops.
        let pool = Arc::new(Pool::new(1));
        let gate = Gate::new();
        let r = pool.spawn({
            let (pool, gate) = (pool.clone(), gate.clone());
            move || {
                gate.pass();
                pool
            }
        });
        let next = r.map(|pool| Arc::strong_count(&pool)).spawn_on(&pool);
        drop(pool);
        gate.open();
        assert_eq!(next.get().unwrap(), 1);
    });
}

#[test]
fn a_panic_does_not_wait_for_running_work() {
    soon(|| {
        let gate = Gate::new();
        let drops = Counter::new();
        let held = drops.on_drop();
        let (mut running, mut queued) = (None, None);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let pool = Pool::new(1);
            let (begun, wait_at) = (Gate::new(), gate.clone());
            let has_begun = begun.clone();
            running = Some(pool.spawn(move || {
                has_begun.open();
                wait_at.pass();
                1
            }));
            begun.pass();
            queued = Some(pool.spawn(move || drop(held)));
            panic!("on purpose");
        }));
        assert!(panicked.is_err());
        let (running, queued) = (running.unwrap(), queued.unwrap());
        assert!(!gate.is_open() && !running.is_set());
        assert_eq!(queued.get().unwrap_err().kind(), ErrorKind::Stopped);
        eventually("the queued work is dropped", || drops.count() == 1);
        gate.open();
        assert_eq!(running.get().unwrap(), 1);
    });
}

#[test]
fn a_pool_may_be_dropped_on_a_worker_of_another() {
    soon(|| {
        let outer = Pool::new(1);
        let inner = Pool::new(1);
        let ran = Counter::new();
        for _ in 0..100 {
            let runs = ran.clone();
            drop(inner.spawn(move || runs.add()));
        }
        let dropping = outer.spawn(move || drop(inner));
        dropping.get().unwrap();
        assert_eq!(ran.count(), 100, "there it joins");
    });
}

#[test]
fn what_the_workers_held_is_gone_after_the_drop() {
    soon(|| {
        let drops = Counter::new();
        let pool = Pool::new(2);
        let never = AsyncResult::<u32>::new();
        for _ in 0..100 {
            let (queued, pending) = (drops.on_drop(), drops.on_drop());
            drop(pool.spawn(move || drop(queued)));
            drop(never.clone().map(move |_| drop(pending)).spawn_on(&pool));
        }
        let busy = occupy(&pool);
        busy.free();
        drop(pool);
        assert_eq!(drops.count(), 200);
    });
}

#[test]
fn many_pools_come_and_go() {
    soon(|| {
        thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    for n in 0..50 {
                        let pool = Pool::new(1 + n % 3);
                        let r = pool.spawn(move || n).map(|n| n + 1).spawn_on(&pool);
                        if n % 2 == 0 {
                            assert_eq!(r.get().unwrap(), n + 1);
                        }
                    }
                });
            }
        });
    });
}
