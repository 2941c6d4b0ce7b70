//! A deterministic pool runs its work without threads, in an order that its seed decides.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, ErrorKind, Pool, Results, async_work, chain, current, work};

use crate::support::{Broken, soon};

#[async_work]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn read(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// The order in which a pool runs this many tasks.
fn order_of(seed: u64, tasks: usize) -> Vec<String> {
    let (pool, log) = (Pool::deterministic(seed), Log::default());
    for n in 0..tasks {
        let log = log.clone();
        drop(pool.spawn(move || log.note(n.to_string())));
    }
    pool.run_until_idle();
    log.read()
}

/// A bit of everything whose order could depend on addresses, hashes or threads.
fn busy_program(seed: u64) -> Vec<String> {
    let (pool, log) = (Pool::deterministic(seed), Log::default());
    let note = |what: String| {
        let log = log.clone();
        move || log.note(what)
    };
    for n in 0..8 {
        let log = log.clone();
        work(move || {
            let inner: Vec<_> = (0..3)
                .map(|m| {
                    let log = log.clone();
                    work(move || log.note(format!("inner {n}.{m}"))).spawn_on(&current())
                })
                .collect();
            // A wait inside of work, for several.
            inner.join_all().get().unwrap();
            log.note(format!("outer {n}"));
        })
        .detach_on(&pool);
    }
    let polled: Vec<AsyncResult<()>> = (0..4)
        .map(|n| {
            let log = log.clone();
            chain!(&pool, async move {
                let sum = add(n, 1).await?;
                log.note(format!("between {sum}"));
                let sum = add(sum, 1).await?;
                log.note(format!("after {sum}"));
            })
        })
        .collect();
    pool.scope(|s| {
        for n in 0..4 {
            drop(s.spawn(note(format!("member {n}"))));
        }
    });
    // Who borrows runs before who moves.
    let value = pool.spawn(|| "value".to_owned());
    let readers: Vec<AsyncResult<()>> = (0..4)
        .map(|n| {
            let log = log.clone();
            chain!(&pool, read(&value, log, n))
        })
        .collect();
    drop(readers);
    note(format!("moved {}", value.get().unwrap()))();
    // What fails at the stop, fails in the same order each time.
    let never = AsyncResult::<u32>::new();
    for n in 0..8 {
        let log = log.clone();
        chain!(&pool, add(never.clone(), n)).on_set(move |_| log.note(format!("stopped {n}")));
    }
    drop(polled);
    pool.stop();
    drop(never);
    log.read()
}

#[async_work]
fn read(value: &String, log: Log, n: usize) {
    log.note(format!("read {value} {n}"));
}

#[test]
fn the_seed_decides_the_order() {
    soon(|| {
        assert_eq!(order_of(3, 20), order_of(3, 20));
        let orders: HashSet<_> = (0..200).map(|seed| order_of(seed, 3)).collect();
        assert_eq!(orders.len(), 6, "every order of three tasks comes up");
    });
}

#[test]
fn the_order_depends_on_nothing_else() {
    soon(|| {
        for seed in 0..20 {
            let first = busy_program(seed);
            assert_eq!(first.len(), 8 * 4 + 4 * 2 + 4 + 5 + 8);
            // Other addresses, another thread, another state of the process.
            let ballast: Vec<_> = (0..100 * seed + 7).map(|n| vec![0_u8; n as usize]).collect();
            let second = thread::spawn(move || busy_program(seed)).join().unwrap();
            assert_eq!(first, second, "seed {seed}");
            drop(ballast);
        }
        assert_ne!(busy_program(1), busy_program(2));
    });
}

#[test]
fn the_order_is_the_same_in_each_version() {
    soon(|| {
        let order = order_of(42, 8).concat();
        assert_eq!(order, "57032614");
    });
}

#[test]
fn work_from_inside_and_from_outside_is_mixed() {
    soon(|| {
        let ends = (0..50).map(|seed| {
            let (pool, log) = (Pool::deterministic(seed), Log::default());
            let inner = log.clone();
            let spawns = work(move || {
                for _ in 0..2 {
                    let log = inner.clone();
                    work(move || log.note("inside")).detach_on(&current());
                }
            });
            spawns.detach_on(&pool);
            let outer = log.clone();
            drop(pool.spawn(move || outer.note("outside")));
            pool.run_until_idle();
            log.read().iter().position(|what| what == "outside").unwrap()
        });
        assert_eq!(ends.collect::<HashSet<_>>(), HashSet::from([0, 1, 2]));
    });
}

#[test]
fn a_task_may_come_after_a_long_chain() {
    soon(|| {
        let late = (0..400).filter(|seed| {
            let (pool, log) = (Pool::deterministic(*seed), Log::default());
            let note = log.clone();
            drop(pool.spawn(move || note.note("lone")));
            let mut last = pool.spawn(|| 0);
            for _ in 0..20 {
                last = last.map(|n| n + 1).spawn_on(&pool);
            }
            let note = log.clone();
            drop(last.map(move |_| note.note("chain")).spawn_on(&pool));
            pool.run_until_idle();
            log.read() == ["chain", "lone"]
        });
        assert!(late.count() > 5, "1 in 23 is expected");
    });
}

#[test]
fn it_has_no_threads_and_gets_none() {
    soon(|| {
        let pool = Pool::builder().workers(4).deterministic(1).build().unwrap();
        pool.set_worker_count(3);
        assert_eq!(pool.worker_count(), 0);
        let here = thread::current().id();
        assert_eq!(pool.spawn(move || thread::current().id()).get().unwrap(), here);
    });
}

#[test]
fn waits_inside_of_work_run_what_they_need() {
    fn fib(n: u64) -> u64 {
        if n < 2 {
            return n;
        }
        let a = work(move || fib(n - 1)).spawn_on(&current());
        let b = work(move || fib(n - 2)).spawn_on(&current());
        a.get().unwrap() + b.get().unwrap()
    }
    soon(|| {
        for seed in 0..20 {
            assert_eq!(Pool::deterministic(seed).spawn(|| fib(12)).get().unwrap(), 144);
        }
    });
}

#[test]
fn a_wait_that_nothing_can_end_fails() {
    soon(|| {
        let pool = Pool::deterministic(1);
        let never = AsyncResult::<u32>::new();
        let error = chain!(&pool, add(never.clone(), 1)).get().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        assert!(error.to_string().contains("deterministic.rs:"), "{error}");

        let inside = pool.spawn({
            let never = never.clone();
            move || never.get()
        });
        let error = inside.get().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);

        // What can still be set by the pool's own work is waited for.
        let input = AsyncResult::new();
        let sum = chain!(&pool, add(input.clone(), 1));
        drop(pool.spawn(move || input.set(1).is_ok()));
        assert_eq!(sum.get().unwrap(), 2);
        never.set(1).unwrap();
    });
}

#[test]
fn a_scope_ends_though_its_members_can_never_run() {
    soon(|| {
        let pool = Pool::deterministic(1);
        let never = AsyncResult::<u32>::new();
        let error = pool.scope(|s| {
            let member = chain!(s, add(never.clone(), 1));
            s.spawn(|| ()).get().unwrap();
            member
        });
        assert_eq!(error.get().unwrap_err().kind(), ErrorKind::Stopped);
    });
}

#[test]
fn it_stops_as_other_pools_do() {
    soon(|| {
        let pool = Pool::deterministic(1);
        let (a, b) = (pool.spawn(|| 1), pool.spawn(|| Err::<u32, _>(Broken(1))));
        let never = AsyncResult::<u32>::new();
        let c = chain!(&pool, add(never.clone(), 1));
        pool.stop();
        assert_eq!(a.get().unwrap(), 1);
        assert_eq!(b.get().unwrap(), Err(Broken(1)));
        assert_eq!(c.get().unwrap_err().kind(), ErrorKind::Stopped);
        assert_eq!(pool.spawn(|| 1).get().unwrap_err().kind(), ErrorKind::Stopped);
    });
}

#[test]
fn waits_with_a_limit_take_no_time() {
    soon(|| {
        let pool = Pool::deterministic(1);
        let start = Instant::now();
        let hour = Duration::from_secs(3600);
        let never = AsyncResult::<u32>::new();
        let waits = chain!(&pool, add(never.clone(), 1));
        assert!(!waits.wait_timeout(hour));
        assert_eq!(pool.virtual_time(), Some(hour));
        let waits = waits.get_timeout(hour).unwrap_err();
        assert_eq!(pool.virtual_time(), Some(2 * hour));
        // Inside of work too.
        let inside = pool.spawn(move || waits.wait_timeout(hour));
        assert!(!inside.get().unwrap());
        assert_eq!(pool.virtual_time(), Some(3 * hour));
        assert!(start.elapsed() < Duration::from_secs(60));
        assert_eq!(Pool::new(1).virtual_time(), None);
        never.set(1).unwrap();
    });
}

#[test]
fn time_stands_still_while_there_is_work() {
    soon(|| {
        let pool = Pool::deterministic(1);
        let slow = pool.spawn(|| thread::sleep(Duration::from_millis(20)));
        let after = slow.map(|()| 1).spawn_on(&pool);
        // Longer than the limit by any other clock.
        assert_eq!(after.get_timeout(Duration::from_millis(1)).unwrap().unwrap(), 1);
        assert_eq!(pool.virtual_time(), Some(Duration::ZERO));
    });
}

#[test]
fn a_look_lets_no_time_pass() {
    soon(|| {
        let pool = Pool::deterministic(1);
        let result = pool.spawn(|| 1).try_get().unwrap_err();
        assert_eq!(pool.virtual_time(), Some(Duration::ZERO));
        pool.run_until_idle();
        assert_eq!(result.try_get().unwrap().unwrap(), 1);
    });
}

#[test]
fn a_full_queue_is_emptied_by_who_submits() {
    soon(|| {
        let pool = Pool::builder().queue_capacity(2).deterministic(5).build().unwrap();
        let results: Vec<_> = (0..10).map(|n| pool.spawn(move || n)).collect();
        assert_eq!(results.join_all().get().unwrap().iter().sum::<u32>(), 45);
    });
}

#[test]
fn pools_without_workers_may_need_each_other() {
    soon(|| {
        for (one, other) in [
            (Pool::deterministic(1), Pool::deterministic(2)),
            (Pool::new(0), Pool::deterministic(2)),
            (Pool::new(0), Pool::new(0)),
        ] {
            let first = one.spawn(|| 1);
            let second = first.map(|n| n + 1).spawn_on(&other);
            let third = second.map(|n| n + 1).spawn_on(&one);
            assert_eq!(third.get().unwrap(), 3);
        }
    });
}

#[test]
fn threads_that_share_a_pool_wait_for_what_others_of_them_do() {
    soon(|| {
        let pool = Pool::deterministic(1);
        thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    for n in 0..1000 {
                        let next = pool.spawn(move || n).map(|n| n + 1).spawn_on(&pool);
                        assert_eq!(next.get().unwrap(), n + 1);
                    }
                });
            }
        });
    });
}
