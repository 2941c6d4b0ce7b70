//! Stopping: what was accepted is finished, what cannot run fails, and nobody hangs.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use asynckit::{AsyncResult, ErrorKind, Pool, Results, async_work, chain, current, work};

use crate::support::{Counter, Gate, LIMIT, eventually, occupy, soon};

const SHORT: Duration = Duration::from_millis(20);

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

#[track_caller]
fn assert_stopped<T: Send>(r: AsyncResult<T>) {
    assert_eq!(r.get().map(drop).unwrap_err().kind(), ErrorKind::Stopped);
}

/// Waits until the pool takes nothing more from this thread.
fn until_it_is_stopping(pool: &Pool) {
    eventually("submissions are refused", || match work(|| ()).try_spawn_on(pool) {
        Ok(taken) => {
            drop(taken);
            false
        }
        Err(_handed_back) => true,
    });
}

#[test]
fn what_was_accepted_is_finished() {
    soon(|| {
        let pool = Pool::new(2);
        let ran = Counter::new();
        for _ in 0..1000 {
            let runs = ran.clone();
            drop(pool.spawn(move || runs.add()));
        }
        pool.stop();
        assert_eq!(ran.count(), 1000);
    });
}

#[test]
fn stopping_twice_is_stopping() {
    soon(|| {
        let pool = Pool::new(1);
        pool.stop();
        pool.stop();
        pool.stop_now();
        pool.stop_timeout(LIMIT).unwrap();
        pool.stop();
    });
}

#[test]
fn two_threads_may_stop_at_once() {
    soon(|| {
        let pool = Pool::new(2);
        let ran = Counter::new();
        for _ in 0..100 {
            let runs = ran.clone();
            drop(pool.spawn(move || runs.add()));
        }
        thread::scope(|s| {
            for _ in 0..3 {
                s.spawn(|| {
                    pool.stop();
                    assert_eq!(ran.count(), 100);
                });
            }
        });
    });
}

#[test]
fn a_submission_to_a_stopped_pool_fails() {
    soon(|| {
        let pool = Pool::new(1);
        pool.stop();
        let (ran, drops) = (Counter::new(), Counter::new());
        let (runs, held) = (ran.clone(), drops.on_drop());
        let late = pool.spawn(move || {
            drop(held);
            runs.add()
        });
        assert!(late.is_error(), "at once");
        assert_stopped(late);
        assert_eq!((ran.count(), drops.count()), (0, 1));
        assert_stopped(chain!(&pool, inc(inc(1))));
        let input = AsyncResult::ready(1);
        assert_stopped(chain!(&pool, inc(input.clone())));
        let unset = AsyncResult::new();
        assert_stopped(chain!(&pool, inc(unset.clone())));
        unset.set(1).unwrap();
        inc(1).detach_on(&pool);
        let back = inc(1).try_spawn_on(&pool).expect_err("handed back");
        assert_eq!(back.run().unwrap(), 2);
        assert_stopped(chain!(&pool, async move { inc(1) }));
    });
}

#[test]
fn running_tasks_may_still_submit() {
    fn countdown(n: u32) -> u32 {
        if n == 0 {
            return 0;
        }
        let below = work(move || countdown(n - 1)).spawn_on(&current());
        below.get().unwrap() + 1
    }
    soon(|| {
        let pool = Pool::new(1);
        let (begun, gate) = (Gate::new(), Gate::new());
        let r = pool.spawn({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.open();
                gate.pass();
                countdown(20)
            }
        });
        begun.pass();
        let next = chain!(&pool, inc(r.clone()));
        thread::scope(|s| {
            let stopping = s.spawn(|| pool.stop());
            until_it_is_stopping(&pool);
            assert_stopped(pool.spawn(|| 1));
            gate.open();
            stopping.join().unwrap();
        });
        assert!(r.is_set() && next.is_set());
        assert_eq!(r.get().unwrap(), 20);
        assert_eq!(next.get().unwrap(), 21);
    });
}

#[test]
fn tasks_whose_inputs_never_come_fail() {
    soon(|| {
        let pool = Pool::new(2);
        let never = AsyncResult::<u32>::new();
        let waiting: Vec<_> = (0..100).map(|_| chain!(&pool, inc(inc(never.clone())))).collect();
        let awaited = never.clone();
        let asleep = chain!(&pool, async move {
            let n = awaited.await?;
            inc(n)
        });
        pool.stop();
        for r in waiting {
            assert!(r.is_error());
            assert_stopped(r);
        }
        assert_stopped(asleep);
        assert!(!never.is_set());
        never.set(1).unwrap();
    });
}

#[test]
fn an_input_that_comes_in_time_is_in_time() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let input = AsyncResult::new();
        let out = chain!(&pool, inc(input.clone()));
        thread::scope(|s| {
            let stopping = s.spawn(|| pool.stop());
            until_it_is_stopping(&pool);
            // Something is running: the pool is not idle yet.
            input.set(1).unwrap();
            busy.free();
            stopping.join().unwrap();
        });
        assert_eq!(out.get().unwrap(), 2);
    });
}

#[test]
fn waits_inside_work_that_nothing_can_end_fail() {
    soon(|| {
        let pool = Pool::new(2);
        let never = AsyncResult::<u32>::new();
        let begun = Gate::new();
        let waiting = pool.spawn({
            let (never, begun) = (never.clone(), begun.clone());
            move || {
                begun.open();
                never.get().unwrap_err().kind()
            }
        });
        begun.pass();
        pool.stop();
        assert_eq!(waiting.get().unwrap(), ErrorKind::Stopped);
        assert!(!never.is_set());
    });
}

#[test]
fn waits_inside_work_for_another_pool_fail_too() {
    soon(|| {
        let (pool, other) = (Pool::new(1), Pool::new(1));
        let busy = occupy(&other);
        let theirs = other.spawn(|| 1);
        let begun = Gate::new();
        let waiting = pool.spawn({
            let begun = begun.clone();
            move || {
                begun.open();
                theirs.get().map_err(|e| e.kind())
            }
        });
        begun.pass();
        pool.stop();
        assert_eq!(waiting.get().unwrap(), Err(ErrorKind::Stopped));
        busy.free();
    });
}

#[test]
fn a_wait_that_other_work_of_the_pool_ends_does_not_fail() {
    soon(|| {
        let pool = Pool::new(2);
        let busy = occupy(&pool);
        let (setter, r) = AsyncResult::channel();
        let begun = Gate::new();
        let waiting = pool.spawn({
            let begun = begun.clone();
            move || {
                begun.open();
                r.get()
            }
        });
        begun.pass();
        drop(pool.spawn(move || setter.set(4).is_ok()));
        thread::scope(|s| {
            let stopping = s.spawn(|| pool.stop());
            until_it_is_stopping(&pool);
            busy.free();
            stopping.join().unwrap();
        });
        assert_eq!(waiting.get().unwrap().unwrap(), 4);
    });
}

#[test]
fn a_worker_that_stops_its_pool_does_not_wait_for_itself() {
    soon(|| {
        let pool = Arc::new(Pool::new(2));
        let inside = pool.clone();
        let r = pool.spawn(move || {
            inside.stop();
            1
        });
        assert_eq!(r.get().unwrap(), 1);
        assert_stopped(pool.spawn(|| 1));
        pool.stop();
    });
}

#[test]
fn submissions_race_with_the_stop() {
    soon(|| {
        for _ in 0..50 {
            let pool = Pool::new(2);
            let ran = Counter::new();
            let results = thread::scope(|s| {
                let threads: Vec<_> = (0..3)
                    .map(|_| {
                        s.spawn(|| {
                            (0..100)
                                .map(|_| {
                                    let runs = ran.clone();
                                    let first = work(move || runs.add()).spawn_on(&pool);
                                    first.map(|n| n).spawn_on(&pool)
                                })
                                .collect::<Vec<_>>()
                        })
                    })
                    .collect();
                s.spawn(|| pool.stop());
                threads.into_iter().flat_map(|t| t.join().unwrap()).collect::<Vec<_>>()
            });
            let mut finished = 0;
            for r in results {
                match r.get() {
                    Ok(_) => finished += 1,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Stopped),
                }
            }
            // The first may have been accepted, and the second have come too late.
            assert!(ran.count() >= finished);
        }
    });
}

#[test]
fn threads_that_wait_from_outside_are_woken() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let queued = pool.spawn(|| 1);
        let never = AsyncResult::<u32>::new();
        let pending = chain!(&pool, inc(never.clone()));
        thread::scope(|s| {
            let a = s.spawn(|| queued.get_ref().map(drop).unwrap_err().kind());
            let b = s.spawn(|| pending.get_ref().map(drop).unwrap_err().kind());
            pool.stop_now();
            assert_eq!(a.join().unwrap(), ErrorKind::Stopped);
            assert_eq!(b.join().unwrap(), ErrorKind::Stopped);
        });
        busy.free();
    });
}

#[test]
fn what_depends_on_running_work_is_finished() {
    soon(|| {
        for _ in 0..50 {
            let pool = Pool::new(2);
            let busy = occupy(&pool);
            let (awaited, begun) = (busy.result.clone(), Gate::new());
            let waiting = pool.spawn({
                let begun = begun.clone();
                move || {
                    begun.open();
                    awaited.get().map(|()| 1)
                }
            });
            let next = waiting.map(|n| n.unwrap() + 1).spawn_on(&pool);
            begun.pass();
            thread::scope(|s| {
                let stopping = s.spawn(|| pool.stop());
                until_it_is_stopping(&pool);
                // The wait ends while the pool stops, and there is a moment in which nothing runs.
                busy.free();
                stopping.join().unwrap();
            });
            assert_eq!(next.get().unwrap(), 2);
        }
    });
}

/// Several stops of a pool whose work is under way when they begin: none returns before it is over.
fn each_stop_waits(pool: Pool, begin: impl Fn(&Pool), helper: impl Fn(&Pool) + Sync) {
    let (begun, gate, over) = (Gate::new(), Gate::new(), Counter::new());
    let (its_begun, its_gate, its_over) = (begun.clone(), gate.clone(), over.clone());
    drop(pool.spawn(move || {
        its_begun.open();
        its_gate.pass();
        its_over.add();
    }));
    thread::scope(|s| {
        s.spawn(|| helper(&pool));
        begun.pass();
        begin(&pool);
        let stop = || {
            pool.stop();
            assert_eq!(over.count(), 1, "work of the pool still runs");
        };
        let stops = [s.spawn(stop), s.spawn(stop), s.spawn(stop)];
        thread::sleep(SHORT);
        assert!(pool.stop_timeout(SHORT).is_err());
        gate.open();
        stops.into_iter().for_each(|stop| stop.join().unwrap());
        pool.stop_timeout(SHORT).unwrap();
    });
}

#[test]
fn each_of_many_stops_waits() {
    soon(|| {
        each_stop_waits(Pool::new(1), |_| (), |_| ());
        each_stop_waits(Pool::new(3), Pool::stop_now, |_| ());
        each_stop_waits(Pool::new(1), |pool| drop(pool.stop_timeout(SHORT)), |_| ());
        each_stop_waits(Pool::new(0), Pool::stop_now, Pool::run_until_idle);
    });
}

#[test]
fn what_has_its_input_when_the_stop_begins_runs() {
    soon(|| {
        let other = Pool::new(1);
        for round in 0..1000 {
            let pool = Pool::new(round % 2);
            let gate = Gate::new();
            let its = gate.clone();
            let input = other.spawn(move || {
                its.pass();
                1
            });
            let seen = input.clone();
            let (first, second) = (input.clone(), input);
            let plain = chain!(&pool, inc(first));
            let gathered = [second].join_all().map(|list| list[0]).spawn_on(&pool);
            gate.open();
            seen.wait();
            pool.stop();
            assert_eq!((plain.get().unwrap(), gathered.get().unwrap()), (2, 1));
        }
    });
}

/// A value whose clone waits at a gate.
struct Gated {
    begun: Gate,
    gate: Gate,
}

impl Clone for Gated {
    fn clone(&self) -> Gated {
        self.begun.open();
        self.gate.pass();
        Gated { begun: self.begun.clone(), gate: self.gate.clone() }
    }
}

#[test]
fn what_needs_work_whose_input_is_there_runs() {
    soon(|| {
        let pool = Pool::new(1);
        let (begun, gate) = (Gate::new(), Gate::new());
        let value = Gated { begun: begun.clone(), gate: gate.clone() };
        let input = AsyncResult::new();
        // Whichever of these is told first, the work between them is not told yet.
        let one = [input.clone()].join_all();
        let work = input.clone().map(|_| 1).spawn_on(&pool);
        let other = [input.clone()].join_all();
        let needs = chain!(&pool, async move {
            let n = work.await?;
            inc(n)
        });
        thread::scope(|s| {
            s.spawn(|| input.set(value).map_err(drop).unwrap());
            begun.pass();
            assert!(input.is_set());
            s.spawn(|| pool.stop());
            until_it_is_stopping(&pool);
            // Nothing tells that the stop has looked.
            thread::sleep(Duration::from_millis(5));
            gate.open();
        });
        assert_eq!(needs.get().unwrap(), 2);
        drop((one, other));
    });
}

#[test]
fn a_stop_waits_for_another_one_that_fails_what_waits() {
    soon(|| {
        /// Its drop waits at a gate.
        struct Slow {
            begun: Gate,
            gate: Gate,
        }
        impl Drop for Slow {
            fn drop(&mut self) {
                self.begun.open();
                self.gate.pass();
            }
        }
        let pool = Pool::new(1);
        let (begun, gate, ended) = (Gate::new(), Gate::new(), Gate::new());
        let never = AsyncResult::<u32>::new();
        let waits: Vec<_> = (0..3)
            .map(|_| {
                let slow = Slow { begun: begun.clone(), gate: gate.clone() };
                let waits = move |n| {
                    let _slow = &slow;
                    n
                };
                never.clone().map(waits).spawn_on(&pool)
            })
            .collect();
        thread::scope(|s| {
            s.spawn(|| pool.stop_now());
            begun.pass();
            let stopping = s.spawn(|| {
                pool.stop();
                ended.open();
                waits.iter().all(AsyncResult::is_set)
            });
            thread::sleep(Duration::from_millis(5));
            assert!(!ended.is_open(), "a stop has returned while work was being given up");
            gate.open();
            assert!(stopping.join().unwrap());
        });
    });
}

#[test]
fn a_drop_of_what_is_given_up_may_stop_the_pool() {
    soon(|| {
        struct Stops(Arc<Pool>);
        impl Drop for Stops {
            fn drop(&mut self) {
                self.0.stop();
                assert!(self.0.stop_timeout(SHORT).is_ok() || self.0.spawn(|| ()).is_error());
            }
        }
        for workers in 0..2 {
            let (pool, never) = (Arc::new(Pool::new(workers)), AsyncResult::<u32>::new());
            let stops = Stops(pool.clone());
            let waits = move |n| {
                let _stops = &stops;
                n
            };
            let waits = never.clone().map(waits).spawn_on(&pool);
            pool.stop_now();
            pool.stop();
            assert_stopped(waits);
        }
    });
}
