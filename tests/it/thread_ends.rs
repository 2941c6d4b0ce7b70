//! Results, setters and pools that a thread uses while it is torn down: in the drops of its own
//! values.

use std::cell::RefCell;
use std::sync::Arc;
use std::thread;

use asynckit::{AsyncResult, ErrorKind, Limit, Pool, current, work};

use crate::support::{LIMIT, soon, within};

/// What a thread does last.
struct Last(Option<Box<dyn FnOnce()>>);

impl Drop for Last {
    fn drop(&mut self) {
        if let Some(last) = self.0.take() {
            last();
        }
    }
}

thread_local! {
    static LAST: RefCell<Last> = const { RefCell::new(Last(None)) };
}

/// Runs `body` on a thread of its own, and what it returns when all else of that thread is gone: what
/// a thread used first is dropped last.
fn at_the_end(body: impl FnOnce() -> Box<dyn FnOnce()> + Send + 'static) {
    let thread = thread::spawn(move || {
        LAST.with_borrow(|_| ());
        let last = body();
        LAST.with_borrow_mut(|here| here.0 = Some(last));
    });
    thread.join().unwrap();
}

#[test]
fn results_are_dropped_and_made_while_a_thread_ends() {
    soon(|| {
        for _ in 0..20 {
            at_the_end(|| {
                let result = AsyncResult::<u64>::new();
                Box::new(|| {
                    drop(result);
                    std::mem::forget(AsyncResult::<u64>::new());
                })
            });
            // More than a thread has at hand.
            let results: Vec<_> = (0..300).map(AsyncResult::<u64>::ready).collect();
            let sum: u64 = results.into_iter().map(|result| result.get().unwrap()).sum();
            assert_eq!(sum, 299 * 300 / 2);
        }
    });
}

#[test]
fn a_long_chain_fails_while_a_thread_ends() {
    within(LIMIT * 4, || {
        let pool = Pool::new(1);
        let (setter, mut result) = AsyncResult::<u64>::channel();
        for _ in 0..100_000 {
            result = result.map(|n| n + 1).spawn_on(&pool);
        }
        at_the_end(move || {
            drop(AsyncResult::<u64>::new());
            Box::new(|| drop(setter))
        });
        assert_eq!(result.get().unwrap_err().kind(), ErrorKind::Abandoned);
    });
}

#[test]
fn a_thread_that_ends_does_the_work_of_a_pool() {
    soon(|| {
        let pool = Arc::new(Pool::new(0));
        at_the_end({
            let pool = pool.clone();
            move || {
                assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
                let result = pool.spawn(|| 2);
                Box::new(move || {
                    assert_eq!(result.get().unwrap(), 2);
                    assert_eq!(pool.scope(|s| s.spawn(|| 3).get().unwrap()), 3);
                })
            }
        });
        // It is not counted any more.
        pool.set_worker_count(1);
        assert_eq!(pool.spawn(|| 4).get().unwrap(), 4);
        pool.stop();
    });
}

/// Where there is a limit that lends, each wait looks for what to give back.
#[test]
fn a_thread_that_ends_waits_beside_a_limit_that_lends() {
    for workers in [0, 1] {
        soon(move || {
            let (pool, limit) = (Arc::new(Pool::new(workers)), Limit::new(1).lending());
            at_the_end({
                let (pool, limit) = (pool.clone(), limit.clone());
                move || {
                    let wait = move || {
                        let outer = work(|| work(|| 1).spawn_on(&current()).get());
                        assert_eq!(outer.limit(&limit).spawn_on(&*pool).get().unwrap().unwrap(), 1);
                    };
                    wait();
                    Box::new(wait)
                }
            });
            assert_eq!(work(|| 2).limit(&limit).spawn_on(&*pool).get().unwrap(), 2);
        });
    }
}

#[test]
fn work_is_run_in_place_while_a_thread_ends() {
    soon(|| {
        at_the_end(|| {
            let limit = Limit::new(1);
            let run = move || {
                let timed = work(|| work(|| 3).timeout(LIMIT).run()).timeout(LIMIT);
                assert_eq!(timed.limit(&limit).run().unwrap().unwrap(), 3);
            };
            run();
            Box::new(run)
        });
    });
}
