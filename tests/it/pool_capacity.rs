//! A bounded queue: whom it blocks, what it counts, and who may exceed it.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use asynckit::{AsyncResult, ErrorKind, Limit, Pool, Results, async_work, chain, current, work};

use crate::support::{Busy, Counter, Gate, eventually, occupy, soon};

const SHORT: Duration = Duration::from_millis(20);

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

fn bounded(capacity: usize) -> Pool {
    Pool::builder().workers(1).queue_capacity(capacity).build().unwrap()
}

/// A pool whose worker is busy and whose queue is full.
fn full(capacity: usize) -> (Pool, Busy, Vec<AsyncResult<u32>>) {
    let pool = bounded(capacity);
    let busy = occupy(&pool);
    let queued =
        (0..capacity).map(|n| inc(n as u32).try_spawn_on(&pool).expect("there is room")).collect();
    (pool, busy, queued)
}

#[test]
fn work_beyond_the_limit_is_handed_back() {
    soon(|| {
        let (pool, busy, queued) = full(2);
        let back = inc(7).try_spawn_on(&pool).expect_err("no room");
        assert_eq!(back.run().unwrap(), 8, "it is whole");
        busy.free();
        for (n, r) in queued.into_iter().enumerate() {
            assert_eq!(r.get().unwrap(), n as u32 + 1);
        }
        let taken = inc(7).try_spawn_on(&pool).expect("there is room again");
        assert_eq!(taken.get().unwrap(), 8);
    });
}

#[test]
fn a_submission_beyond_the_limit_blocks_until_there_is_room() {
    soon(|| {
        let (pool, busy, _queued) = full(1);
        let submitted = Counter::new();
        thread::scope(|s| {
            let submitting = s.spawn(|| {
                for n in 0..20 {
                    drop(inc(n).spawn_on(&pool));
                    submitted.add();
                }
                let freed = busy.gate().is_open();
                assert!(freed, "nothing could be submitted before");
            });
            assert_eq!(submitted.count(), 0);
            busy.gate().open();
            submitting.join().unwrap();
        });
        assert_eq!(submitted.count(), 20);
    });
}

#[test]
fn everything_submitted_through_a_small_queue_runs() {
    soon(|| {
        let pool = Pool::builder().workers(2).queue_capacity(1).build().unwrap();
        let ran = Counter::new();
        thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    for _ in 0..500 {
                        let runs = ran.clone();
                        drop(pool.spawn(move || runs.add()));
                    }
                });
            }
        });
        pool.stop();
        assert_eq!(ran.count(), 2000);
    });
}

#[test]
fn work_that_waits_for_inputs_does_not_count() {
    soon(|| {
        let (pool, busy, _queued) = full(1);
        let input = AsyncResult::new();
        // None of these blocks, though the queue is full.
        let pending: Vec<_> = (0..100).map(|_| chain!(&pool, inc(input.clone()))).collect();
        // Neither does setting, which makes a hundred tasks ready.
        input.set(1).unwrap();
        busy.free();
        for r in pending {
            assert_eq!(r.get().unwrap(), 2);
        }
    });
}

#[test]
fn running_work_does_not_count() {
    soon(|| {
        let pool = bounded(1);
        let busy = occupy(&pool);
        let queued = inc(1).try_spawn_on(&pool).expect("the running one has left");
        assert!(inc(1).try_spawn_on(&pool).is_err());
        busy.free();
        queued.get().unwrap();
    });
}

#[test]
fn a_worker_of_the_pool_never_blocks() {
    soon(|| {
        let pool = bounded(1);
        let (begun, gate) = (Gate::new(), Gate::new());
        let many = pool.spawn({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.open();
                gate.pass();
                (0..100).map(|n| work(move || n).spawn_on(&current())).collect::<Vec<_>>()
            }
        });
        begun.pass();
        let queued = inc(1).try_spawn_on(&pool).expect("room for one");
        gate.open();
        for (n, r) in many.get().unwrap().into_iter().enumerate() {
            assert_eq!(r.get().unwrap(), n);
        }
        queued.get().unwrap();
    });
}

#[test]
fn a_worker_of_another_pool_counts_as_outside() {
    soon(|| {
        let (pool, busy, _queued) = full(1);
        let pool = Arc::new(pool);
        let other = Pool::new(1);
        let refused = other.spawn({
            let pool = pool.clone();
            move || inc(1).try_spawn_on(&pool).is_err()
        });
        assert!(refused.get().unwrap());
        let gate = busy.gate();
        let blocked = other.spawn({
            let (pool, gate) = (pool.clone(), gate.clone());
            move || {
                let r = inc(1).spawn_on(&pool);
                assert!(gate.is_open(), "it had to wait for room");
                r
            }
        });
        gate.open();
        assert_eq!(blocked.get().unwrap().get().unwrap(), 2);
        busy.free();
    });
}

#[test]
fn cancelled_work_gives_its_room_back() {
    soon(|| {
        let (pool, busy, queued) = full(1);
        assert!(queued[0].cancel());
        let taken = std::cell::RefCell::new(None);
        eventually("there is room again", || {
            *taken.borrow_mut() = inc(1).try_spawn_on(&pool).ok();
            taken.borrow().is_some()
        });
        busy.free();
        assert_eq!(taken.into_inner().unwrap().get().unwrap(), 2);
    });
}

#[test]
fn blocked_submitters_are_woken_by_a_stop() {
    soon(|| {
        for now in [false, true] {
            let (pool, busy, _queued) = full(1);
            let begun = Counter::new();
            thread::scope(|s| {
                let blocked: Vec<_> = (0..3)
                    .map(|n| {
                        let (pool, begun) = (&pool, begun.clone());
                        s.spawn(move || {
                            begun.add();
                            inc(n).spawn_on(pool).get().map_err(|e| e.kind())
                        })
                    })
                    .collect();
                eventually("all submit", || begun.count() == 3);
                let stopping = s.spawn(|| if now { pool.stop_now() } else { pool.stop() });
                // They are refused while the pool's only worker is still busy.
                for r in blocked {
                    assert_eq!(r.join().unwrap(), Err(ErrorKind::Stopped));
                }
                busy.free();
                stopping.join().unwrap();
            });
        }
    });
}

#[test]
fn a_pool_without_workers_is_bounded_too() {
    soon(|| {
        let pool = Pool::builder().workers(0).queue_capacity(1).build().unwrap();
        let first = inc(1).try_spawn_on(&pool).expect("room for one");
        assert!(inc(1).try_spawn_on(&pool).is_err());
        assert_eq!(first.get().unwrap(), 2);
        assert!(inc(1).try_spawn_on(&pool).is_ok());
    });
}

#[test]
fn a_submitter_gets_the_room_of_what_another_thread_begins_to_run() {
    soon(|| {
        let pool = Pool::builder().workers(0).queue_capacity(1).build().unwrap();
        for round in 0..400 {
            let (submits, submitted) = (Gate::new(), Gate::new());
            let here = thread::current().id();
            let first = pool.spawn({
                let submitted = submitted.clone();
                move || {
                    // The submitter may have come to run it for want of room.
                    if thread::current().id() == here {
                        submitted.pass();
                    }
                }
            });
            thread::scope(|s| {
                s.spawn(|| {
                    submits.open();
                    drop(inc(1).spawn_on(&pool));
                    submitted.open();
                });
                submits.pass();
                (0..round).for_each(|_| std::hint::spin_loop());
                first.get().unwrap();
                pool.run_until_idle();
            });
            pool.run_until_idle();
        }
    });
}

#[test]
fn a_blocked_submitter_does_the_work_when_the_last_worker_goes() {
    soon(|| {
        let (pool, busy, queued) = full(1);
        let pool = Arc::new(pool);
        let its = pool.clone();
        let blocked = thread::spawn(move || inc(2).spawn_on(&its).get().unwrap());
        thread::sleep(SHORT);
        pool.set_worker_count(0);
        busy.free();
        assert_eq!(blocked.join().unwrap(), 3);
        queued.into_iter().for_each(|result| assert_eq!(result.get().unwrap(), 1));
    });
}

#[test]
fn a_submitter_that_does_the_work_stops_when_workers_come() {
    soon(|| {
        let pool = Arc::new(Pool::builder().workers(0).queue_capacity(1).build().unwrap());
        let (begun, gate) = (Gate::new(), Gate::new());
        let (its, its_gate) = (begun.clone(), gate.clone());
        let first = pool.spawn(move || {
            its.open();
            its_gate.pass();
        });
        // Helps itself to room, and stands at the gate.
        let submitter = pool.clone();
        let second = thread::spawn(move || submitter.spawn(|| 2).get().unwrap());
        begun.pass();
        pool.set_worker_count(1);
        assert_eq!(pool.spawn(|| 3).get().unwrap(), 3);
        gate.open();
        assert_eq!(second.join().unwrap(), 2);
        first.get().unwrap();
    });
}

#[test]
fn pools_that_fill_each_others_queues_go_on() {
    soon(|| {
        let (a, b) = (Arc::new(bounded(1)), Arc::new(bounded(1)));
        let (meet, done) = (Arc::new(Barrier::new(2)), Counter::new());
        let fill = |to: &Arc<Pool>| {
            let (to, meet, done) = (to.clone(), meet.clone(), done.clone());
            move || {
                meet.wait();
                for _ in 0..5 {
                    let done = done.clone();
                    work(move || done.add()).detach_on(&*to);
                }
            }
        };
        let both = (a.spawn(fill(&b)), b.spawn(fill(&a)));
        both.0.get().unwrap();
        both.1.get().unwrap();
        a.stop();
        b.stop();
        assert_eq!(done.count(), 10);
    });
}

#[test]
fn who_has_a_permit_does_not_wait_for_those_who_stand_in_line_for_it() {
    soon(|| {
        let (pool, small) = (Pool::new(1), Arc::new(bounded(1)));
        let limit = Limit::new(1);
        let (its, there) = (limit.clone(), small.clone());
        let submits = work(move || -> Vec<_> {
            (0..4).map(|n| inc(n).limit(&its).spawn_on(&there)).collect()
        });
        let all = submits.limit(&limit).spawn_on(&pool).get().unwrap();
        assert_eq!(all.join_all().get().unwrap(), [1, 2, 3, 4]);
    });
}
