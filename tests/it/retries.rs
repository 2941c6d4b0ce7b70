//! Trying again: how often, after which pauses, and what the last failure says.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, Error, ErrorKind, Pool, Retry, async_work, chain, try_work, work};

use crate::support::{Broken, Counter, Gate, LIMIT, eventually, occupy, reporting, soon};

const SHORT: Duration = Duration::from_millis(5);

/// Fails in its first calls.
#[async_work]
fn flaky(calls: Counter, failures: usize) -> Result<usize, Broken> {
    let call = calls.add();
    if call <= failures { Err(Broken(call as u32)) } else { Ok(call) }
}

#[test]
fn it_is_tried_until_it_works() {
    soon(|| {
        let pool = Pool::new(1);
        for failures in 0..=3 {
            let calls = Counter::new();
            let its = calls.clone();
            let work = Retry::new(3).work(move || flaky(its.clone(), failures));
            assert_eq!(work.spawn_on(&pool).get().unwrap(), failures + 1);
            assert_eq!(calls.count(), failures + 1);
        }
    });
}

#[test]
fn the_last_failure_is_the_one_and_says_how_often() {
    soon(|| {
        let pool = Pool::new(1);
        let calls = Counter::new();
        let its = calls.clone();
        let result = Retry::new(2).work(move || flaky(its.clone(), 9)).spawn_on(&pool);
        let error = result.map(|n| n).spawn_on(&pool).get().unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Broken(3)));
        assert_eq!((error.kind(), error.tries(), calls.count()), (ErrorKind::Failed, 3, 3));
        let text = error.to_string();
        assert!(text.ends_with("flaky failed: broken 3 (tried 3 times)"), "{text}");
        let once = flaky(Counter::new(), 1).run().unwrap_err();
        assert_eq!(once.tries(), 1);
    });
}

#[test]
fn the_same_in_place() {
    let calls = Counter::new();
    let retry = Retry::new(5).backoff(Duration::from_micros(1));
    let work = retry.work(|| flaky(calls.clone(), 2));
    assert_eq!(work.run().unwrap(), 3);
    let error = retry.work(|| flaky(Counter::new(), 1)).run().unwrap_err();
    assert_eq!(error.tries(), 6);
}

#[test]
fn pauses_double_up_to_the_longest_and_hold_no_worker() {
    soon(|| {
        let pool = Pool::new(1);
        let calls = Counter::new();
        let times = Arc::new(Mutex::new(Vec::new()));
        let (its, noted) = (calls.clone(), times.clone());
        let retry =
            Retry::new(4).backoff(Duration::from_millis(40)).max_backoff(Duration::from_millis(80));
        let result = retry
            .work(move || {
                noted.lock().unwrap().push(Instant::now());
                flaky(its.clone(), 4)
            })
            .spawn_on(&pool);
        eventually("it was tried", || calls.count() > 0);
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1, "the only worker is free");
        assert_eq!(result.get().unwrap(), 5);
        let times = times.lock().unwrap();
        let pauses = times.windows(2).map(|pair| pair[1] - pair[0]);
        for (pause, least) in pauses.zip([20, 40, 40, 40]) {
            assert!(pause >= Duration::from_millis(least), "{pause:?} < {least} ms");
        }
    });
}

#[test]
fn what_is_not_worth_it_is_not_tried_again() {
    soon(|| {
        let pool = Pool::new(1);
        let calls = Counter::new();
        let its = calls.clone();
        let retry = Retry::new(9).when(|error: &Error| error.downcast_ref() != Some(&Broken(2)));
        let error = retry.work(move || flaky(its.clone(), 9)).spawn_on(&pool).get().unwrap_err();
        assert_eq!((error.downcast_ref(), calls.count()), (Some(&Broken(2)), 2));

        let its = calls.clone();
        let panics = Retry::new(9).work(move || {
            its.add();
            work(|| -> u8 { panic!("on purpose") })
        });
        assert!(panics.spawn_on(&pool).get().unwrap_err().is_panic());
        assert_eq!(calls.count(), 3, "a panic is a fault of the program");
    });
}

#[test]
fn what_the_closure_itself_does_wrong_is_a_failure() {
    soon(|| {
        let pool = Pool::new(1);
        let work = Retry::new(3).work(|| -> asynckit::Work<'static, u8> { panic!("on purpose") });
        assert!(work.spawn_on(&pool).get().unwrap_err().is_panic());
    });
}

#[test]
fn a_try_that_takes_too_long_is_tried_again() {
    soon(|| {
        let pool = Pool::new(2);
        let (gate, calls) = (Gate::new(), Counter::new());
        let (shut, its) = (gate.clone(), calls.clone());
        let result = Retry::new(3).work(move || {
            let (gate, first) = (shut.clone(), its.add() == 1);
            work(move || {
                if first {
                    gate.pass()
                }
            })
            .timeout(Duration::from_millis(30))
        });
        result.spawn_on(&pool).get().unwrap();
        assert_eq!(calls.count(), 2);
        gate.open();
    });
}

#[test]
fn all_tries_have_one_deadline() {
    soon(|| {
        let pool = Pool::new(1);
        let work = Retry::new(u32::MAX).backoff(SHORT).work(|| flaky(Counter::new(), 1));
        let result = work.timeout(Duration::from_millis(40)).spawn_on(&pool);
        assert_eq!(result.get().unwrap_err().kind(), ErrorKind::TimedOut);
    });
}

#[test]
fn a_pause_can_be_cancelled() {
    soon(|| {
        let pool = Pool::new(1);
        let (calls, drops) = (Counter::new(), Counter::new());
        let (its, held) = (calls.clone(), drops.on_drop());
        let result = Retry::new(9)
            .backoff(LIMIT * 100)
            .work(move || {
                let _held = &held;
                flaky(its.clone(), 9)
            })
            .spawn_on(&pool);
        eventually("it pauses", || calls.count() == 1);
        pool.spawn(|| ()).get().unwrap();
        assert!(result.cancel());
        assert_eq!(result.get().unwrap_err().kind(), ErrorKind::Cancelled);
        eventually("the closure is dropped", || drops.count() == 1);
        assert_eq!(calls.count(), 1);
    });
}

#[test]
fn tries_may_borrow_on_a_scope_which_waits_for_pauses() {
    soon(|| {
        let pool = Pool::new(1);
        let (calls, retry) = (Counter::new(), Retry::new(5).backoff(SHORT));
        let calls_ref = &calls;
        pool.scope(|s| {
            retry.work(move || flaky(calls_ref.clone(), 3)).detach_on(s);
        });
        assert_eq!(calls.count(), 4);
    });
}

#[test]
fn tries_of_every_kind_of_work() {
    #[async_work]
    async fn awaits(calls: Counter) -> Result<usize, Broken> {
        let call = calls.add();
        AsyncResult::ready(()).await.unwrap();
        if call < 3 { Err(Broken(1)) } else { Ok(call) }
    }
    soon(|| {
        let pool = Pool::new(1);
        let calls = Counter::new();
        let its = calls.clone();
        let result = Retry::new(5).backoff(SHORT).work(move || awaits(its.clone()));
        assert_eq!(result.spawn_on(&pool).get().unwrap(), 3);
        let calls = Counter::new();
        let its = calls.clone();
        let lifted = Retry::new(5).work(move || {
            let its = its.clone();
            AsyncResult::ready(2).and_then(
                move |n| {
                    if its.add() > n { Ok(n) } else { Err(Broken(1)) }
                },
            )
        });
        let sum = chain!(&pool, {
            let n = lifted.timeout(LIMIT);
            usize::max(n, 1)
        });
        assert_eq!((sum.get().unwrap(), calls.count()), (2, 3));
        let inner = Retry::new(1);
        let nested =
            Retry::new(2).work(move || inner.work(|| try_work(|| Err::<u8, _>(Broken(1)))));
        assert_eq!(nested.spawn_on(&pool).get().unwrap_err().tries(), 3);
    });
}

#[test]
fn failures_that_were_followed_by_another_try_are_not_reported() {
    soon(|| {
        let (pool, reports) = reporting(1);
        drop(Retry::new(3).work(|| flaky(Counter::new(), 1)).spawn_on(&pool));
        let calls = Counter::new();
        Retry::new(3).work(move || flaky(calls.clone(), 2)).spawn_on(&pool).get().unwrap();
        pool.stop();
        assert_eq!(reports.count(), 1, "the last one of the first work");
    });
}

#[test]
fn on_a_pool_without_workers() {
    soon(|| {
        let pool = Pool::new(0);
        let calls = Counter::new();
        let work = Retry::new(3).backoff(SHORT).work(move || flaky(calls.clone(), 2));
        assert_eq!(work.spawn_on(&pool).get().unwrap(), 3);
    });
}

#[test]
fn pauses_with_other_work_in_between() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let results: Vec<_> = (0..500)
            .map(|n| {
                let calls = Counter::new();
                let retry = Retry::new(4).backoff(Duration::from_micros(n % 300));
                retry.work(move || flaky(calls.clone(), (n % 5) as usize)).spawn_on(&pool)
            })
            .collect();
        busy.free();
        for (n, result) in results.into_iter().enumerate() {
            assert_eq!(result.get().unwrap(), n % 5 + 1);
        }
    });
}

#[test]
fn a_stop_finishes_the_tries_of_what_was_accepted() {
    soon(|| {
        for workers in [0, 1] {
            let pool = Pool::new(workers);
            let calls = Counter::new();
            for _ in 0..10 {
                let its = calls.clone();
                let retry = Retry::new(2).backoff(SHORT);
                retry
                    .work(move || {
                        try_work({
                            let its = its.clone();
                            move || {
                                its.add();
                                Err::<u8, _>(Broken(1))
                            }
                        })
                    })
                    .detach_on(&pool);
            }
            pool.stop();
            assert_eq!(calls.count(), 30);
        }
    });
}

#[test]
fn a_stop_that_does_not_wait_ends_pauses() {
    soon(|| {
        let pause = || {
            let pool = Pool::new(1);
            let retry = Retry::new(9).backoff(LIMIT * 9);
            let paused: Vec<_> =
                (0..100).map(|_| retry.work(|| flaky(Counter::new(), 9)).spawn_on(&pool)).collect();
            pool.spawn(|| ()).get().unwrap();
            (pool, paused)
        };
        let all_stopped = |paused: Vec<AsyncResult<usize>>| {
            for result in paused {
                assert_eq!(result.get().unwrap_err().kind(), ErrorKind::Stopped);
            }
        };
        let (pool, paused) = pause();
        pool.stop_now();
        all_stopped(paused);
        let (pool, paused) = pause();
        // Its threads may still be on their way to the end.
        let _ = pool.stop_timeout(SHORT);
        all_stopped(paused);
        // A stop that waits is over when nobody wants the pauses any more.
        let (pool, paused) = pause();
        std::thread::scope(|s| {
            let stop = s.spawn(|| pool.stop());
            std::thread::sleep(SHORT);
            assert!(!stop.is_finished());
            assert!(paused.iter().all(AsyncResult::cancel));
            stop.join().unwrap();
        });
    });
}

#[test]
fn pauses_go_by_the_clock_of_a_deterministic_pool() {
    soon(|| {
        let run = |seed| {
            let pool = Pool::deterministic(seed);
            let calls = Counter::new();
            let retry = Retry::new(9).backoff(LIMIT * 60).max_backoff(LIMIT * 240);
            let work = retry.work(move || flaky(calls.clone(), 5));
            let tries = work.spawn_on(&pool).get().unwrap();
            (tries, pool.virtual_time().unwrap())
        };
        let (tries, time) = run(7);
        assert_eq!(tries, 6);
        assert!(time >= LIMIT * 60 / 2 && time <= LIMIT * 60 * (1 + 2 + 4 + 4 + 4));
        assert_eq!(run(7), (tries, time), "the same again");

        let (pool, calls) = (Pool::deterministic(1), Counter::new());
        let its = calls.clone();
        let retry = Retry::new(2).backoff(LIMIT * 60);
        retry.work(move || flaky(its.clone(), 9)).detach_on(&pool);
        pool.stop();
        assert_eq!(calls.count(), 3, "a stop finishes it");
    });
}
