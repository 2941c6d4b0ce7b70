//! Waiting inside work: it runs what it needs, nothing else, and never hangs the pool.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use asynckit::{
    AsyncResult, Error, ErrorKind, Pool, Results, async_work, blocking, chain, current, work,
};

use crate::support::{Counter, Gate, LIMIT, eventually, soon};

const SHORT: Duration = Duration::from_millis(20);

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

/// Not `Clone`.
struct Own(u32);

#[async_work]
fn read(n: &Own) -> u32 {
    n.0
}

fn fib(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let a = work(move || fib(n - 1)).spawn_on(&current());
    let b = work(move || fib(n - 2)).spawn_on(&current());
    a.get().unwrap() + b.get().unwrap()
}

/// One worker, and no spare ones.
fn lone() -> Pool {
    Pool::builder().workers(1).max_spares(0).build().unwrap()
}

#[test]
fn one_worker_is_enough_for_recursion() {
    soon(|| {
        for pool in [lone(), Pool::new(1), Pool::new(3)] {
            assert_eq!(pool.spawn(|| fib(16)).get().unwrap(), 987);
        }
    });
}

#[test]
fn a_wait_runs_the_dependencies_of_what_it_waits_for() {
    soon(|| {
        let pool = lone();
        let sum = pool.spawn(|| {
            let pool = current();
            let last = chain!(&pool, inc(inc(inc(inc(0)))));
            last.get().unwrap()
        });
        assert_eq!(sum.get().unwrap(), 4);
        let sum = pool.spawn(|| {
            let all = (0..50).map(|n| work(move || n).spawn_on(&current())).join_all();
            let (a, b) = (work(|| 1).spawn_on(&current()), work(|| 2).spawn_on(&current()));
            let pair = (a, b).join().get().unwrap();
            all.get().unwrap().into_iter().sum::<u32>() + pair.0 + pair.1
        });
        assert_eq!(sum.get().unwrap(), 1228);
    });
}

#[test]
fn a_wait_for_a_move_runs_the_borrowers() {
    soon(|| {
        let pool = lone();
        let r = pool.spawn(|| {
            let pool = current();
            let own = work(|| Own(4)).spawn_on(&pool);
            let lent = chain!(&pool, read(&own));
            own.get().unwrap().0 + lent.get().unwrap()
        });
        assert_eq!(r.get().unwrap(), 8);
    });
}

#[test]
fn every_untimed_wait_runs_what_it_needs() {
    soon(|| {
        let pool = lone();
        let r = pool.spawn(|| {
            let one = || work(|| 1).spawn_on(&current());
            let waited = one();
            waited.wait();
            let lent = one();
            let sum = waited.get().unwrap() + *lent.get_ref().unwrap();
            let any = [one(), one()];
            any.wait_any().unwrap();
            sum + vec![one(), one()].as_completed().map(|r| r.get().unwrap()).sum::<u32>()
        });
        assert_eq!(r.get().unwrap(), 4);
    });
}

#[test]
fn unrelated_work_is_not_run_while_a_lock_is_held() {
    soon(|| {
        for pool in [Pool::new(1), Pool::new(2)] {
            let shared = Arc::new(Mutex::new(0));
            let r = pool.spawn({
                let shared = shared.clone();
                move || {
                    for _ in 0..20 {
                        let shared = shared.clone();
                        // Run on this stack, under this lock, it would never end.
                        work(move || *shared.lock().unwrap() += 1).detach_on(&current());
                    }
                    let mut held = shared.lock().unwrap();
                    let related = work(|| 100).spawn_on(&current());
                    *held += related.get().unwrap();
                }
            });
            r.get().unwrap();
            pool.stop();
            assert_eq!(*shared.lock().unwrap(), 120);
        }
    });
}

#[test]
fn unrelated_work_never_runs_on_the_stack_of_a_wait() {
    thread_local! {
        static WAITING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }
    soon(|| {
        let pool = Pool::new(1);
        let nested = Counter::new();
        let r = pool.spawn({
            let nested = nested.clone();
            move || {
                for _ in 0..20 {
                    let nested = nested.clone();
                    let unrelated = work(move || {
                        if WAITING.get() {
                            nested.add();
                        }
                    });
                    unrelated.detach_on(&current());
                }
                WAITING.set(true);
                let own = work(|| WAITING.get()).spawn_on(&current()).get().unwrap();
                WAITING.set(false);
                own
            }
        });
        let own_was_nested = r.get().unwrap();
        pool.stop();
        assert_eq!(nested.count(), 0);
        // Work that is waited for nests, and sees the thread-locals of the waiter.
        assert!(own_was_nested);
    });
}

#[test]
fn a_spare_worker_runs_what_the_waiter_may_not() {
    soon(|| {
        // Only unrelated work, queued behind the waiter, sets what it waits for.
        for by_reference in [false, true] {
            let pool = Pool::new(1);
            let r = AsyncResult::new();
            let waiting = pool.spawn({
                let r = r.clone();
                move || {
                    if by_reference { *r.get_ref().unwrap() } else { r.get().unwrap() }
                }
            });
            drop(pool.spawn(move || r.set(3).is_ok()));
            assert_eq!(waiting.get().unwrap(), 3);
            assert_eq!(pool.worker_count(), 1, "without the spare ones");
        }
    });
}

#[test]
fn several_waiters_get_several_spares() {
    soon(|| {
        let pool = Pool::builder().workers(2).max_spares(8).build().unwrap();
        let r = AsyncResult::new();
        let waiting: Vec<_> = (0..6)
            .map(|_| {
                let r = r.clone();
                pool.spawn(move || r.get().unwrap())
            })
            .collect();
        drop(pool.spawn(move || r.set(3).is_ok()));
        for r in waiting {
            assert_eq!(r.get().unwrap(), 3);
        }
        assert_eq!(pool.worker_count(), 2);
    });
}

#[test]
fn timed_waits_end_in_time_and_run_nothing() {
    soon(|| {
        let pool = lone();
        let nested = pool.spawn(|| {
            let here = thread::current().id();
            let inner = work(move || thread::current().id() == here).spawn_on(&current());
            let start = Instant::now();
            assert!(!inner.wait_timeout(SHORT), "it has nobody to run it");
            assert!(start.elapsed() >= SHORT);
            let inner = inner.get_timeout(SHORT).unwrap_err();
            let inner = inner.try_get().unwrap_err();
            inner.get().unwrap()
        });
        assert!(nested.get().unwrap(), "the untimed wait ran it in place");

        let never = AsyncResult::<u32>::new();
        let waiting = pool.spawn({
            let never = never.clone();
            move || never.wait_timeout(SHORT)
        });
        assert!(!waiting.get().unwrap());
        never.set(1).unwrap();
    });
}

#[test]
fn a_timed_wait_gets_a_spare_too_or_ends() {
    soon(|| {
        let pool = Pool::new(1);
        let r = AsyncResult::new();
        let waiting = pool.spawn({
            let r = r.clone();
            move || r.get_timeout(LIMIT * 10).map(Result::unwrap).ok()
        });
        thread::spawn(move || r.set(4).unwrap()).join().unwrap();
        assert_eq!(waiting.get().unwrap(), Some(4));
    });
}

#[test]
fn blocking_lets_the_others_work() {
    soon(|| {
        let pool = Pool::new(1);
        let gate = Gate::new();
        let waiting = pool.spawn({
            let gate = gate.clone();
            move || {
                blocking(|| gate.pass());
                1
            }
        });
        drop(pool.spawn(move || gate.open()));
        assert_eq!(waiting.get().unwrap(), 1);
        assert_eq!(pool.worker_count(), 1);
        assert_eq!(blocking(|| 7), 7, "outside of work it is a call");
        // A panic goes through it.
        let error = pool.spawn(|| -> u8 { blocking(|| panic!("on purpose")) }).get();
        assert!(error.unwrap_err().is_panic());
        assert_eq!(pool.spawn(|| 2).get().unwrap(), 2);
    });
}

#[test]
fn deep_recursion_overflows_no_stack() {
    fn down(n: u32) -> u32 {
        let _frame = std::hint::black_box([0u8; 2048]);
        if n == 0 {
            return 0;
        }
        work(move || down(n - 1)).spawn_on(&current()).get().unwrap() + 1
    }
    soon(|| {
        // Where half of the stack is used a waiter blocks, and a spare worker goes on with an empty one.
        let pool = Pool::builder().workers(1).max_spares(64).build().unwrap();
        assert_eq!(pool.spawn(|| down(300)).get().unwrap(), 300);
    });
}

#[test]
fn a_long_chain_is_waited_for_inside_work() {
    soon(|| {
        let pool = Pool::new(1);
        let r = pool.spawn(|| {
            let mut last = work(|| 0u32).spawn_on(&current());
            for _ in 0..20_000 {
                last = last.map(|n| n + 1).spawn_on(&current());
            }
            last.get().unwrap()
        });
        assert_eq!(r.get().unwrap(), 20_000);
    });
}

#[test]
fn work_already_running_elsewhere_is_waited_for() {
    soon(|| {
        let pool = Pool::new(2);
        let (begun, gate) = (Gate::new(), Gate::new());
        let running = pool.spawn({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.open();
                gate.pass();
                5
            }
        });
        begun.pass();
        let asking = Gate::new();
        let waiting = pool.spawn({
            let asking = asking.clone();
            move || {
                asking.open();
                running.get().unwrap()
            }
        });
        asking.pass();
        gate.open();
        assert_eq!(waiting.get().unwrap(), 5);
    });
}

#[test]
fn a_failure_ends_a_wait_inside_work() {
    soon(|| {
        let pool = lone();
        let r = pool.spawn(|| {
            let inner = work(|| -> u32 { panic!("on purpose") }).spawn_on(&current());
            let next = inner.map(|n| n + 1).spawn_on(&current());
            next.get().unwrap_err().is_panic()
        });
        assert!(r.get().unwrap());
    });
}

#[test]
fn threads_outside_run_no_work() {
    soon(|| {
        let pool = Pool::new(1);
        let here = thread::current().id();
        for _ in 0..200 {
            let r = pool.spawn(move || thread::current().id() == here);
            let next = r.map(move |ran_here| ran_here || thread::current().id() == here);
            assert!(!next.spawn_on(&pool).get().unwrap());
        }
    });
}

#[test]
fn there_may_be_as_many_spares_as_it_takes() {
    soon(|| {
        let pool = Pool::builder().workers(1).max_spares(usize::MAX).build().unwrap();
        let (setters, results): (Vec<_>, Vec<_>) =
            (0..8).map(|_| AsyncResult::<u32>::channel()).unzip();
        let begun = Counter::new();
        let waits: Vec<_> = results
            .into_iter()
            .map(|result| {
                let begun = begun.clone();
                pool.spawn(move || {
                    begun.add();
                    result.get().unwrap()
                })
            })
            .collect();
        eventually("all wait", || begun.count() == 8);
        drop(pool.spawn(move || setters.into_iter().for_each(|setter| setter.set(1).unwrap())));
        assert_eq!(waits.join_all().get().unwrap(), [1; 8]);
    });
}

#[async_work]
fn with_large_frames(n: u32) -> Result<u64, Error> {
    let page = std::hint::black_box([1u8; 32 * 1024]);
    if n == 0 {
        return Ok(0);
    }
    let below = with_large_frames(n - 1).spawn_on(&current());
    Ok(below.get()? + u64::from(page[n as usize]))
}

#[test]
fn deep_waits_with_large_frames_end_or_are_deadlocks() {
    soon(|| {
        let depth = 200;
        for stack in [1 << 20, 4 << 20] {
            let pool = Pool::builder().workers(1).stack_size(stack).build().unwrap();
            let deep = with_large_frames(depth).spawn_on(&pool);
            assert_eq!(deep.get().unwrap(), u64::from(depth));
        }
        // Nobody else does their work.
        for pool in [Pool::new(0), Pool::deterministic(1)] {
            match with_large_frames(depth).spawn_on(&pool).get() {
                Ok(sum) => assert_eq!(sum, u64::from(depth)),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Deadlock, "{error}"),
            }
            assert_eq!(with_large_frames(3).spawn_on(&pool).get().unwrap(), 3);
        }
        let pool = Pool::builder().workers(1).max_spares(0).build().unwrap();
        if let Err(error) = with_large_frames(depth).spawn_on(&pool).get() {
            assert_eq!(error.kind(), ErrorKind::Deadlock, "{error}");
        }
    });
}
