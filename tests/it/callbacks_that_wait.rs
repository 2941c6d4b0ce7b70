//! Callbacks that wait: for scopes, for work, with and without workers that could do it.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use asynckit::{AsyncResult, Error, ErrorKind, Pool, Retry, chain, current, try_work, work};

use crate::support::{Counter, Gate, soon};

#[test]
fn a_scope_ends_in_a_callback_on_a_worker() {
    soon(|| {
        let pool = Arc::new(Pool::new(2));
        let (r, ends) = (AsyncResult::new(), Counter::new());
        r.on_set({
            let (pool, ends) = (pool.clone(), ends.clone());
            move |value: Result<&u32, &Error>| {
                let one = *value.unwrap();
                let sum = pool.scope(|s| s.spawn(|| one + 1).get().unwrap());
                pool.scope(|s| drop(s.spawn(|| assert_eq!(sum, 2))));
                ends.add();
            }
        });
        pool.spawn(move || r.set(1).unwrap()).get().unwrap();
        assert_eq!(ends.count(), 1);
    });
}

#[test]
fn a_scope_ends_in_a_callback_without_workers() {
    soon(|| {
        let pool = Pool::new(0);
        let (r, ran, ends) = (AsyncResult::new(), Counter::new(), Counter::new());
        r.on_set({
            let (ran, ends) = (ran.clone(), ends.clone());
            move |_: Result<&u32, &Error>| {
                pool.scope(|s| drop(s.spawn(|| ran.add())));
                ends.add();
            }
        });
        r.set(1).unwrap();
        assert_eq!((ran.count(), ends.count()), (1, 1));
    });
}

#[test]
fn dependents_become_ready_while_a_callback_waits_for_them() {
    soon(|| {
        for workers in [0, 1] {
            let pool = Pool::new(workers);
            let (r, ends) = (AsyncResult::new(), Counter::new());
            r.on_set({
                let ends = ends.clone();
                move |_: Result<&u32, &Error>| {
                    let next = pool.spawn(|| 1).map(|n| n + 1).spawn_on(&pool);
                    assert_eq!(next.get().unwrap(), 2);
                    ends.add();
                }
            });
            r.set(1).unwrap();
            assert_eq!(ends.count(), 1, "with {workers} workers");
        }
    });
}

#[test]
fn a_callback_on_the_only_worker_may_wait_for_work() {
    soon(|| {
        let pool = Arc::new(Pool::new(1));
        let (gate, called) = (Gate::new(), Counter::new());
        let r = pool.spawn({
            let gate = gate.clone();
            move || {
                gate.pass();
                5
            }
        });
        r.on_set({
            let (pool, called) = (pool.clone(), called.clone());
            move |_: Result<&u32, &Error>| {
                assert_eq!(pool.spawn(|| 1).get().map_err(|e| e.kind()), Ok::<_, ErrorKind>(1));
                called.add();
            }
        });
        gate.open();
        assert_eq!(r.get().unwrap(), 5);
        pool.stop();
        assert_eq!(called.count(), 1);
    });
}

#[test]
fn others_do_what_comes_up_while_a_callback_waits() {
    soon(|| {
        for workers in [1, 3] {
            let pool = Arc::new(Pool::new(workers));
            let (gate, called) = (Gate::new(), Counter::new());
            let r = pool.spawn({
                let gate = gate.clone();
                move || gate.pass()
            });
            r.on_set({
                let (pool, called) = (pool.clone(), called.clone());
                move |_: Result<&(), &Error>| {
                    // The wait runs the first; what that submits sets the second.
                    let (setter, second) = AsyncResult::channel();
                    let sets = move || drop(setter.set(2));
                    let first = pool.spawn(move || work(sets).detach_on(&current()));
                    let both = chain!(&*pool, later(first, second));
                    assert_eq!(both.get().unwrap(), 2);
                    called.add();
                }
            });
            gate.open();
            r.get().unwrap();
            pool.stop();
            assert_eq!(called.count(), 1, "with {workers} workers");
        }
    });
}

fn later(_: (), second: u32) -> u32 {
    second
}

#[test]
fn a_stop_ends_the_wait_of_a_callback_without_workers() {
    soon(|| {
        let (pool, never) = (Pool::new(0), AsyncResult::<u32>::new());
        let waits = never.clone().map(|n| n).spawn_on(&pool);
        let first = pool.spawn(|| ());
        let (begun, its) = (Gate::new(), mpsc::channel());
        let calls = begun.clone();
        first.on_set(move |_| {
            calls.open();
            its.0.send(waits.get().map_err(|error| error.kind())).unwrap();
        });
        thread::scope(|s| {
            s.spawn(|| first.get().unwrap());
            begun.pass();
            pool.stop();
        });
        assert_eq!(its.1.recv().unwrap(), Err(ErrorKind::Stopped));
    });
}

#[test]
fn a_callback_waits_for_a_pause_of_a_deterministic_pool() {
    soon(|| {
        let hour = Duration::from_secs(3600);
        let pool = Arc::new(Pool::deterministic(1));
        let first = pool.spawn(|| ());
        let (there, its) = (pool.clone(), mpsc::channel());
        first.on_set(move |_| {
            let mut tries = 0;
            let pauses = Retry::new(1).backoff(hour).work(move || {
                tries += 1;
                let tries = tries;
                try_work(move || if tries == 1 { Err("busy") } else { Ok(tries) })
            });
            its.0.send(pauses.spawn_on(&there).get()).unwrap();
        });
        first.wait();
        assert_eq!(its.1.recv().unwrap().unwrap(), 2);
    });
}

#[test]
fn a_snapshot_shows_callbacks_in_a_callback_while_they_run_and_no_longer() {
    /// The lines of those that run, the newest first.
    fn shown(pool: &Pool) -> Vec<u32> {
        pool.snapshot().callbacks.iter().map(|one| one.at.line()).collect()
    }
    soon(|| {
        let pool = Arc::new(Pool::new(0));
        let first = pool.spawn(|| ());
        let (its, (tell, told)) = (pool.clone(), mpsc::channel());
        let outer = line!() + 1;
        first.on_set(move |_| {
            tell.send((outer, shown(&its), vec![outer])).unwrap();
            for _ in 0..2 {
                // The wait does it, and calls what is to be called then.
                let next = its.spawn(|| ());
                let (there, tell) = (its.clone(), tell.clone());
                let inner = line!() + 1;
                next.on_set(move |_| {
                    tell.send((inner, shown(&there), vec![inner, outer])).unwrap();
                });
                next.get().unwrap();
            }
            tell.send((outer, shown(&its), vec![outer])).unwrap();
        });
        first.get().unwrap();
        let told: Vec<_> = told.into_iter().collect();
        assert_eq!(told.len(), 4, "{told:?}");
        for (by, shown, expected) in told {
            assert_eq!(shown, expected, "in that of line {by}");
        }
        assert!(shown(&pool).is_empty());
    });
}
