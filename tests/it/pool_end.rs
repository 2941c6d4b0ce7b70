//! Pools that are told to end: what has not begun is cancelled, what runs has a time for it.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use asynckit::{
    AsyncResult, ErrorKind, Limit, Pool, Results, Retry, async_work, blocking, chain, current,
    is_cancelled, try_work, work,
};

use crate::support::{Broken, Counter, Gate, LIMIT, eventually, reporting, soon};

const SHORT: Duration = Duration::from_millis(30);

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

/// Runs until it is told.
#[async_work]
fn polite(begun: Gate) -> u32 {
    begun.open();
    while !is_cancelled() {
        std::thread::yield_now();
    }
    1
}

/// Runs until the gate is opened, whatever it is told.
#[async_work]
fn stubborn(begun: Gate, gate: Gate) -> u32 {
    begun.open();
    gate.pass();
    2
}

#[track_caller]
fn assert_cancelled<T: Send>(result: AsyncResult<T>) {
    assert_eq!(result.get().map(drop).unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn what_has_not_begun_is_cancelled_and_what_runs_may_end() {
    soon(|| {
        let (pool, begun) = (Pool::new(1), Gate::new());
        let never = AsyncResult::<u32>::new();
        let its = never.clone();
        let asleep = chain!(&pool, async move { inc(its.await?) });
        pool.run_until_idle();
        let running = polite(begun.clone()).spawn_on(&pool);
        begun.pass();
        let drops = Counter::new();
        let held = drops.on_drop();
        let queued = pool.spawn(move || drop(held));
        let waiting = inc(1).spawn_on(&pool);
        let pending = chain!(&pool, inc(never.clone()));
        let retried = Retry::new(9).work(|| inc(1)).spawn_on(&pool);
        let limited = inc(1).limit(&Limit::new(1)).spawn_on(&pool);
        pool.end_within(LIMIT);
        assert_cancelled(queued);
        assert_eq!(drops.count(), 1);
        [waiting, pending, retried, limited, asleep].into_iter().for_each(assert_cancelled);
        assert_cancelled(pool.spawn(|| 1));
        assert_eq!(running.get().unwrap(), 1, "it came in time");
        pool.stop_timeout(LIMIT).unwrap();
        drop(never);
    });
}

#[test]
fn when_the_time_is_over_nobody_waits_for_what_still_runs() {
    soon(|| {
        let pool = Pool::new(2);
        let (begun, gate) = (Gate::new(), Gate::new());
        let running = stubborn(begun.clone(), gate.clone()).spawn_on(&pool);
        begun.pass();
        let after = chain!(&pool, inc(running.clone()));
        let start = Instant::now();
        pool.end_within(SHORT);
        assert_cancelled(after);
        let error = running.get().unwrap_err();
        assert!(start.elapsed() >= SHORT);
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(error.to_string().contains("stubborn was cancelled: it still ran"), "{error}");

        let still = pool.stop_timeout(Duration::MAX).unwrap_err();
        assert_eq!(still.work().count(), 1);
        assert!(still.to_string().contains("stubborn ("), "{still}");
        pool.run_until_idle();
        pool.stop();
        drop(pool);
        assert!(!gate.is_open());
        gate.open();
    });
}

/// Whoever waits for the pool when it is told to end.
#[test]
fn a_stop_under_way_ends_in_time() {
    soon(|| {
        for wait in [Pool::stop, Pool::run_until_idle, |pool: &Pool| drop(pool.stop_timeout(LIMIT))]
        {
            let pool = Pool::new(2);
            let (begun, gate) = (Gate::new(), Gate::new());
            stubborn(begun.clone(), gate.clone()).detach_on(&pool);
            begun.pass();
            std::thread::scope(|s| {
                let waits = s.spawn(|| wait(&pool));
                pool.end_within(SHORT);
                waits.join().unwrap();
            });
            assert!(!gate.is_open());
            drop(pool);
            gate.open();
        }
    });
}

#[test]
fn waits_inside_of_what_runs_end_with_the_time() {
    soon(|| {
        let pool = Pool::new(1);
        let (begun, begins) = mpsc::channel();
        let never = AsyncResult::<u32>::new();
        let its = never.clone();
        let (told, tells) = mpsc::channel();
        let waits = pool.spawn(move || {
            begun.send(()).unwrap();
            told.send(its.get().map_err(|error| error.kind())).unwrap();
        });
        begins.recv().unwrap();
        pool.end_within(SHORT);
        assert_eq!(tells.recv().unwrap(), Err(ErrorKind::Cancelled));
        drop((waits, never));
    });
}

#[test]
fn what_runs_submits_in_vain_and_may_wait_for_what_runs() {
    soon(|| {
        let pool = Pool::new(2);
        let (begun, gate, told) = (Gate::new(), Gate::new(), Gate::new());
        let other = stubborn(begun.clone(), gate.clone()).spawn_on(&pool);
        begun.pass();
        let (began, its) = (Gate::new(), told.clone());
        let waits = {
            let began = began.clone();
            try_work(move || {
                began.open();
                its.pass();
                let late = inc(1).spawn_on(&current()).get().unwrap_err();
                assert!(is_cancelled() && late.kind() == ErrorKind::Cancelled);
                other.get()
            })
            .spawn_on(&pool)
        };
        began.pass();
        pool.end_within(LIMIT);
        told.open();
        gate.open();
        assert_eq!(waits.get().unwrap(), 2, "what it waited for came in time");
    });
}

#[test]
fn what_ends_because_its_time_is_over_makes_no_room_for_what_is_queued() {
    soon(|| {
        for _ in 0..300 {
            let (pool, begun) = (Pool::new(1), Gate::new());
            let running = polite(begun.clone()).spawn_on(&pool);
            let queued = inc(1).spawn_on(&pool);
            begun.pass();
            pool.end_within(Duration::ZERO);
            assert_cancelled(queued);
            drop(running);
        }
    });
}

#[test]
fn a_scope_ends_when_its_work_does() {
    soon(|| {
        let (pool, text) = (Pool::new(1), "borrowed".to_owned());
        let (begun, ended) = (Gate::new(), Counter::new());
        pool.scope(|s| {
            let running = s.spawn(|| {
                begun.open();
                while !is_cancelled() {
                    std::thread::yield_now();
                }
                ended.add();
                text.len()
            });
            let queued = s.spawn(|| text.len());
            begun.pass();
            pool.end_within(Duration::ZERO);
            assert_cancelled(queued);
            // In time, or a moment too late; its borrow is over at the scope's end either way.
            let _ = running.get();
        });
        assert_eq!(ended.count(), 1);
    });
}

#[test]
fn on_a_pool_whose_work_this_thread_does() {
    soon(|| {
        for pool in [Pool::new(0), Pool::deterministic(7)] {
            let (begun, ends) = (Gate::new(), Gate::new());
            let running = polite(begun.clone()).spawn_on(&pool);
            let rest = (0..10).map(|n| inc(n).spawn_on(&pool)).settle_all();
            std::thread::scope(|s| {
                s.spawn(|| {
                    begun.pass();
                    pool.end_within(LIMIT);
                    ends.open();
                });
                assert_eq!(running.get().unwrap(), 1);
                ends.pass();
            });
            let outcomes = rest.get().unwrap();
            let cancelled = |error: &asynckit::Error| error.kind() == ErrorKind::Cancelled;
            assert!(outcomes.iter().all(
                |one| one.as_ref().is_ok_and(|_| true) || cancelled(one.as_ref().unwrap_err())
            ));
            pool.stop();
        }
    });
}

#[test]
fn on_threads_of_others() {
    soon(|| {
        let rayon = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        for pool in
            [Pool::on_rayon(std::sync::Arc::new(rayon)), Pool::on_tokio(tokio.handle().clone())]
        {
            let (begun, gate) = (Gate::new(), Gate::new());
            let running = stubborn(begun.clone(), gate.clone()).spawn_on(&pool);
            begun.pass();
            let queued = (0..10).map(|n| inc(n).spawn_on(&pool)).collect::<Vec<_>>();
            pool.end_within(SHORT);
            assert_cancelled(running);
            let _ = queued.settle_all().get().unwrap();
            let still = pool.stop_timeout(Duration::MAX).unwrap_err();
            assert!(still.to_string().contains("stubborn"), "{still}");
            drop(pool);
            gate.open();
        }
        tokio.shutdown_background();
    });
}

#[test]
fn two_pools_that_need_each_other() {
    soon(|| {
        let (one, two) = (Pool::new(1), Pool::new(1));
        let (begun, gate, began) = (Gate::new(), Gate::new(), Gate::new());
        let far = stubborn(begun.clone(), gate.clone()).spawn_on(&two);
        begun.pass();
        let its = began.clone();
        let near = try_work(move || {
            its.open();
            far.get()
        })
        .spawn_on(&one);
        began.pass();
        one.end_within(LIMIT);
        two.end_within(SHORT);
        assert_cancelled(near);
        one.stop_timeout(LIMIT).unwrap();
        two.stop_timeout(LIMIT).unwrap_err();
        drop((one, two));
        gate.open();
    });
}

#[test]
fn blocked_submitters_and_blocking_work_go_on() {
    soon(|| {
        let pool = Pool::builder().workers(1).queue_capacity(1).build().unwrap();
        let (begun, gate) = (Gate::new(), Gate::new());
        let its = (begun.clone(), gate.clone());
        let running = pool.spawn(move || {
            its.0.open();
            blocking(|| its.1.pass());
        });
        begun.pass();
        // A spare may take the first ones; the last stands before a full queue.
        std::thread::scope(|s| {
            let busy = (Gate::new(), Gate::new());
            let second = stubborn(busy.0.clone(), busy.1.clone()).spawn_on(&pool);
            busy.0.pass();
            let fills = pool.spawn(|| 1);
            let submits = s.spawn(|| pool.spawn(|| 2));
            pool.end_within(SHORT);
            assert_cancelled(submits.join().unwrap());
            assert_cancelled(fills);
            assert_cancelled(second);
            busy.1.open();
        });
        assert_cancelled(running);
        gate.open();
    });
}

#[test]
fn the_first_call_counts_and_a_late_failure_is_reported() {
    soon(|| {
        let (pool, reports) = reporting(1);
        let (begun, gate) = (Gate::new(), Gate::new());
        let its = (begun.clone(), gate.clone());
        let fails = try_work(move || {
            its.0.open();
            its.1.pass();
            Err::<(), _>(Broken(1))
        });
        let fails = fails.spawn_on(&pool);
        begun.pass();
        pool.end_within(SHORT);
        pool.end_within(LIMIT);
        assert_cancelled(fails);
        pool.stop_timeout(Duration::MAX).unwrap_err();
        gate.open();
        eventually("its failure is reported", || reports.count() == 1);
    });
}

/// After it was said what still runs, a drop waits for nothing.
#[test]
fn a_drop_does_not_wait_for_what_was_named() {
    soon(|| {
        let rayon = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        for pool in [Pool::new(2), Pool::on_rayon(std::sync::Arc::new(rayon))] {
            let (begun, gate) = (Gate::new(), Gate::new());
            let running = work({
                let (begun, gate) = (begun.clone(), gate.clone());
                move || {
                    let inner = stubborn(begun, gate).spawn_on(&current());
                    inner.get().map_err(|error| error.kind())
                }
            });
            let running = running.spawn_on(&pool);
            begun.pass();
            let never = AsyncResult::<u32>::new();
            let pending = chain!(&pool, inc(never.clone()));
            pool.stop_timeout(SHORT).unwrap_err();
            drop(pool);
            assert_eq!(pending.get().unwrap_err().kind(), ErrorKind::Stopped);
            assert!(!running.is_set());
            gate.open();
            drop((running, never));
        }
    });
}
