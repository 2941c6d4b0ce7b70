//! Changing the number of workers while a pool is running.

use std::sync::{Arc, Barrier};
use std::thread;

use asynckit::{AsyncResult, Pool, work};

use crate::support::{Counter, Gate, Inside, eventually, occupy, soon};

/// Work that can only be done by that many workers at once.
fn together(pool: &Pool, workers: usize) -> Vec<AsyncResult<()>> {
    let barrier = Arc::new(Barrier::new(workers));
    (0..workers)
        .map(|_| {
            let barrier = barrier.clone();
            pool.spawn(move || {
                barrier.wait();
            })
        })
        .collect()
}

/// The most that ran at once of a bunch of tasks.
fn concurrency(pool: &Pool) -> usize {
    let running = Inside::default();
    let all: Vec<_> = (0..16)
        .map(|_| {
            let running = running.clone();
            pool.spawn(move || running.visit(|| thread::sleep(std::time::Duration::from_millis(1))))
        })
        .collect();
    for r in all {
        r.get().unwrap();
    }
    running.most()
}

#[test]
fn more_workers_take_up_what_is_queued() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let queued = pool.spawn(|| 1);
        pool.set_worker_count(2);
        assert_eq!(pool.worker_count(), 2);
        assert_eq!(queued.get().unwrap(), 1, "though the first worker is busy");
        busy.free();
        for r in together(&pool, 2) {
            r.get().unwrap();
        }
        pool.set_worker_count(5);
        for r in together(&pool, 5) {
            r.get().unwrap();
        }
    });
}

#[test]
fn fewer_workers_run_less_at_once() {
    soon(|| {
        let pool = Pool::new(4);
        for r in together(&pool, 4) {
            r.get().unwrap();
        }
        pool.set_worker_count(1);
        assert_eq!(pool.worker_count(), 1);
        eventually("one at a time", || concurrency(&pool) == 1);
        for _ in 0..5 {
            assert_eq!(concurrency(&pool), 1);
        }
    });
}

#[test]
fn busy_workers_finish_before_they_leave() {
    soon(|| {
        let pool = Pool::new(3);
        let busy: Vec<_> = (0..3).map(|_| occupy(&pool)).collect();
        let queued: Vec<_> = (0..10).map(|n| pool.spawn(move || n)).collect();
        pool.set_worker_count(1);
        for busy in busy {
            busy.free();
        }
        for (n, r) in queued.into_iter().enumerate() {
            assert_eq!(r.get().unwrap(), n);
        }
    });
}

#[test]
fn what_a_leaving_worker_had_in_store_is_done_by_others() {
    soon(|| {
        let pool = Pool::new(4);
        let ran = Counter::new();
        for round in 0..50 {
            let all: Vec<_> = (0..4)
                .map(|_| {
                    let ran = ran.clone();
                    pool.spawn(move || {
                        for _ in 0..20 {
                            let runs = ran.clone();
                            work(move || runs.add()).detach_on(&asynckit::current());
                        }
                    })
                })
                .collect();
            pool.set_worker_count(1 + round % 4);
            for r in all {
                r.get().unwrap();
            }
        }
        pool.stop();
        assert_eq!(ran.count(), 50 * 80);
    });
}

#[test]
fn a_pool_may_be_left_without_workers_and_get_some_again() {
    soon(|| {
        let pool = Pool::new(2);
        pool.spawn(|| ()).get().unwrap();
        pool.set_worker_count(0);
        assert_eq!(pool.worker_count(), 0);
        // Whoever blocks for it runs it now.
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
        let queued = pool.spawn(|| thread::current().id());
        pool.set_worker_count(1);
        eventually("a worker took it up", || queued.is_set());
        assert_ne!(queued.get().unwrap(), thread::current().id());
    });
}

#[test]
fn work_queued_without_workers_begins_when_there_are_some() {
    soon(|| {
        let pool = Pool::new(0);
        let ran = Counter::new();
        for _ in 0..10 {
            let runs = ran.clone();
            drop(pool.spawn(move || runs.add()));
        }
        assert_eq!(ran.count(), 0);
        pool.set_worker_count(2);
        eventually("all ran", || ran.count() == 10);
    });
}

#[test]
fn resizing_a_stopped_pool_starts_nothing() {
    soon(|| {
        let pool = Pool::new(1);
        pool.stop();
        pool.set_worker_count(3);
        assert!(pool.spawn(|| 1).get().is_err());
        pool.stop();
    });
}

#[test]
fn a_pool_may_be_resized_by_its_own_workers_and_by_many_at_once() {
    soon(|| {
        let pool = Arc::new(Pool::new(2));
        let ran = Counter::new();
        thread::scope(|s| {
            for n in 0..3 {
                let (pool, ran) = (&pool, &ran);
                s.spawn(move || {
                    for round in 0..100 {
                        pool.set_worker_count(1 + (n + round) % 4);
                        let runs = ran.clone();
                        drop(pool.spawn(move || runs.add()));
                    }
                });
            }
        });
        let inside = pool.clone();
        pool.spawn(move || inside.set_worker_count(1)).get().unwrap();
        assert_eq!(pool.worker_count(), 1);
        pool.stop();
        assert_eq!(ran.count(), 300);
    });
}

#[test]
fn a_thread_that_waits_takes_over_when_the_workers_go() {
    soon(|| {
        let pool = Arc::new(Pool::new(1));
        let (begun, gate) = (Gate::new(), Gate::new());
        let busy = pool.spawn({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.open();
                gate.pass();
            }
        });
        begun.pass();
        let queued = pool.spawn(|| thread::current().id());
        let waiter = thread::spawn(move || (queued.get().unwrap(), thread::current().id()));
        pool.set_worker_count(0);
        let (ran_on, waiter) = waiter.join().unwrap();
        assert_eq!(ran_on, waiter);
        gate.open();
        busy.get().unwrap();
    });
}

#[test]
fn a_stop_ends_though_the_workers_go() {
    soon(|| {
        for stop_first in [true, false] {
            let pool = Pool::new(1);
            let busy = occupy(&pool);
            let queued = pool.spawn(|| 2);
            thread::scope(|s| {
                if !stop_first {
                    pool.set_worker_count(0);
                }
                let stopping = s.spawn(|| pool.stop());
                eventually("the stop has begun", || work(|| ()).try_spawn_on(&pool).is_err());
                pool.set_worker_count(0);
                busy.free();
                stopping.join().unwrap();
            });
            assert!(queued.is_set());
            assert_eq!(queued.get().unwrap(), 2);
        }
    });
}

#[test]
fn who_did_the_work_of_a_pool_without_workers_is_none_of_those_it_gets() {
    soon(|| {
        let pool = Arc::new(Pool::new(0));
        let (begun, gate) = (Gate::new(), Gate::new());
        let held = pool.spawn({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.open();
                gate.pass();
            }
        });
        let (setter, later) = AsyncResult::<u32>::channel();
        let next = later.map(|n| n + 1).spawn_on(&pool);
        // One runs a task, the other has none to run.
        let runs = thread::spawn(move || held.get());
        begun.pass();
        let waits = thread::spawn(move || next.get());
        pool.set_worker_count(1);
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1, "though a task runs on another thread");
        pool.stop_timeout(std::time::Duration::from_millis(1)).unwrap_err();
        gate.open();
        runs.join().unwrap().unwrap();
        assert!(waits.join().unwrap().is_err());
        pool.stop();
        drop(setter);
    });
}

#[test]
fn a_stop_ends_though_workers_come_meanwhile() {
    soon(|| {
        let pool = Pool::new(0);
        let (begun, gate) = (Gate::new(), Gate::new());
        let held = pool.spawn({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.open();
                gate.pass();
            }
        });
        let queued = pool.spawn(|| 2);
        thread::scope(|s| {
            let stopping = s.spawn(|| pool.stop());
            begun.pass();
            pool.set_worker_count(1);
            assert_eq!(queued.get().unwrap(), 2, "though the thread that stops is busy");
            gate.open();
            stopping.join().unwrap();
        });
        held.get().unwrap();
    });
}
