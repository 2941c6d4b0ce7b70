//! Stopping within a time, and stopping at once.

use std::time::{Duration, Instant};

use asynckit::{AsyncResult, ErrorKind, Pool, async_work, chain};

use crate::support::{Counter, Gate, LIMIT, eventually, soon};

const SHORT: Duration = Duration::from_millis(30);

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

#[async_work]
fn stubborn(begun: Gate, gate: Gate) -> u32 {
    begun.open();
    gate.pass();
    1
}

#[track_caller]
fn assert_stopped<T: Send>(r: AsyncResult<T>) {
    assert_eq!(r.get().map(drop).unwrap_err().kind(), ErrorKind::Stopped);
}

#[test]
fn a_timed_stop_fails_what_has_not_begun_and_names_what_runs() {
    soon(|| {
        let pool = Pool::new(1);
        let (begun, gate) = (Gate::new(), Gate::new());
        let running = stubborn(begun.clone(), gate.clone()).spawn_on(&pool);
        begun.pass();
        let queued = pool.spawn(|| 1);
        let never = AsyncResult::<u32>::new();
        let pending = chain!(&pool, inc(never.clone()));

        let start = Instant::now();
        let still = pool.stop_timeout(SHORT).unwrap_err();
        assert!(start.elapsed() >= SHORT);
        assert!(still.to_string().contains("stubborn"), "{still}");
        let _: &dyn std::error::Error = &still;
        assert!(queued.is_error() && pending.is_error());
        assert_stopped(queued);
        assert_stopped(pending);
        assert!(!running.is_set());

        pool.stop_timeout(Duration::ZERO).unwrap_err();
        gate.open();
        pool.stop_timeout(LIMIT).unwrap();
        assert_eq!(running.get().unwrap(), 1);
    });
}

#[test]
fn a_timed_stop_that_is_in_time_finishes_everything() {
    soon(|| {
        let pool = Pool::new(2);
        let all: Vec<_> = (0..100).map(|n| pool.spawn(move || n)).collect();
        pool.stop_timeout(LIMIT).unwrap();
        for (n, r) in all.into_iter().enumerate() {
            assert!(r.is_set());
            assert_eq!(r.get().unwrap(), n);
        }
        Pool::new(1).stop_timeout(Duration::MAX).unwrap();
    });
}

#[test]
fn stop_now_waits_for_nothing() {
    soon(|| {
        let pool = Pool::new(1);
        let (begun, gate) = (Gate::new(), Gate::new());
        let running = stubborn(begun.clone(), gate.clone()).spawn_on(&pool);
        begun.pass();
        let drops = Counter::new();
        let queued: Vec<_> = (0..100)
            .map(|_| {
                let held = drops.on_drop();
                pool.spawn(move || drop(held))
            })
            .collect();
        let dependent = chain!(&pool, inc(running.clone()));
        pool.stop_now();
        assert!(!running.is_set());
        for r in queued {
            assert_stopped(r);
        }
        assert_stopped(dependent);
        eventually("their closures are dropped", || drops.count() == 100);
        gate.open();
        assert_eq!(running.get().unwrap(), 1, "what runs is finished");
    });
}

#[test]
fn a_drop_does_not_wait_for_what_a_timed_stop_has_named() {
    soon(|| {
        let pool = Pool::new(2);
        let (begun, gate) = (Gate::new(), Gate::new());
        let running = stubborn(begun.clone(), gate.clone()).spawn_on(&pool);
        begun.pass();
        pool.stop_timeout(SHORT).unwrap_err();
        drop(pool);
        assert!(!running.is_set());
        gate.open();
        assert_eq!(running.get().unwrap(), 1, "what runs is finished");
    });
}
