//! A deadlock is an error, not a hang.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use asynckit::{AsyncResult, Error, ErrorKind, Pool, Results, async_work, chain};

use crate::support::{Gate, soon};

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

#[async_work]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[async_work]
fn look(n: &u32, m: u32) -> u32 {
    n + m
}

#[async_work]
fn wait_for(handles: mpsc::Receiver<AsyncResult<u32>>) -> Result<u32, Error> {
    let other = handles.recv().expect("a handle");
    Ok(other.get()? + 1)
}

fn assert_deadlock(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Deadlock, "{error:#}");
}

#[test]
fn a_task_that_waits_for_itself() {
    soon(|| {
        for workers in [1, 2] {
            let pool = Pool::new(workers);
            let (hand_over, handles) = mpsc::channel();
            let r = wait_for(handles).spawn_on(&pool);
            hand_over.send(r.clone()).unwrap();
            assert_deadlock(&r.get().unwrap_err());
        }
    });
}

#[test]
fn a_task_that_waits_for_its_own_dependent() {
    soon(|| {
        for workers in [1, 2] {
            let pool = Pool::new(workers);
            let (hand_over, handles) = mpsc::channel();
            let first_line = line!() + 1;
            let first = wait_for(handles).spawn_on(&pool);
            let next_line = line!() + 1;
            let next = chain!(&pool, inc(first));
            hand_over.send(next.clone()).unwrap();
            let error = next.get().unwrap_err();
            assert_deadlock(&error);
            // The cycle is named with its lines.
            let text = format!("{error:#}");
            assert!(text.contains(file!()), "{text}");
            for line in [first_line, next_line] {
                assert!(text.contains(&format!(":{line}")), "line {line} in {text}");
            }
        }
    });
}

#[test]
fn two_tasks_that_wait_for_each_other() {
    soon(|| {
        for workers in [1, 2] {
            let pool = Pool::new(workers);
            let (to_a, for_a) = mpsc::channel();
            let (to_b, for_b) = mpsc::channel();
            let a = wait_for(for_a).spawn_on(&pool);
            let b = wait_for(for_b).spawn_on(&pool);
            to_a.send(b.clone()).unwrap();
            to_b.send(a.clone()).unwrap();
            // One wait fails; the other gets that failure as its own.
            assert_deadlock(&a.get().unwrap_err());
            assert_deadlock(&b.get().unwrap_err());
            assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
        }
    });
}

#[test]
fn two_pools_that_wait_for_each_other() {
    soon(|| {
        let (one, other) = (Pool::new(1), Pool::new(1));
        let (to_a, for_a) = mpsc::channel();
        let (to_b, for_b) = mpsc::channel();
        let a = wait_for(for_a).spawn_on(&one);
        let b = wait_for(for_b).spawn_on(&other);
        to_a.send(b.clone()).unwrap();
        to_b.send(a.clone()).unwrap();
        assert_deadlock(&a.get().unwrap_err());
        assert_deadlock(&b.get().unwrap_err());
    });
}

#[test]
fn a_long_cycle() {
    soon(|| {
        let pool = Pool::new(1);
        let (hand_over, handles) = mpsc::channel();
        let mut last = wait_for(handles).spawn_on(&pool);
        for _ in 0..1000 {
            last = chain!(&pool, inc(last));
        }
        hand_over.send(last.clone()).unwrap();
        assert_deadlock(&last.get().unwrap_err());
    });
}

#[test]
fn a_deadlocked_wait_can_be_survived() {
    soon(|| {
        let pool = Pool::new(1);
        let (hand_over, handles) = mpsc::channel::<AsyncResult<u32>>();
        let r = pool.spawn(move || match handles.recv().unwrap().get() {
            Ok(_) => unreachable!("it waits for itself"),
            Err(error) if error.kind() == ErrorKind::Deadlock => 7,
            Err(error) => panic!("{error:#}"),
        });
        hand_over.send(r.clone()).unwrap();
        assert_eq!(r.get().unwrap(), 7);
    });
}

#[test]
fn by_reference_too() {
    soon(|| {
        let pool = Pool::new(1);
        let (hand_over, handles) = mpsc::channel::<AsyncResult<ErrorKind>>();
        let r = pool.spawn(move || {
            let own = handles.recv().unwrap();
            own.get_ref().copied().unwrap_err().kind()
        });
        hand_over.send(r.clone()).unwrap();
        assert_eq!(r.get().unwrap(), ErrorKind::Deadlock);
    });
}

#[test]
fn more_waits_than_threads() {
    soon(|| {
        // One worker and one spare one: both wait for what the third task in the queue sets.
        let pool = Pool::builder().workers(1).max_spares(1).build().unwrap();
        let r = AsyncResult::new();
        let waiting: Vec<_> = (0..2)
            .map(|_| {
                let r = r.clone();
                pool.spawn(move || r.get().map_err(|e| e.kind()))
            })
            .collect();
        let setting = pool.spawn(move || r.set(3).is_ok());
        let mut ends: Vec<_> = waiting.into_iter().map(|r| r.get().unwrap()).collect();
        assert!(setting.get().unwrap());
        // The newest wait fails, and so the others get on.
        assert_eq!(ends.pop(), Some(Err(ErrorKind::Deadlock)));
        assert_eq!(ends.pop(), Some(Ok(3)));
    });
}

#[test]
fn a_timed_wait_is_not_failed_by_the_cap() {
    soon(|| {
        let pool = Pool::builder().workers(1).max_spares(0).build().unwrap();
        let r = AsyncResult::new();
        let begun = Gate::new();
        let waiting = pool.spawn({
            let (r, begun) = (r.clone(), begun.clone());
            move || {
                begun.open();
                r.get_timeout(crate::support::LIMIT).map(Result::unwrap).ok()
            }
        });
        begun.pass();
        r.set(5).unwrap();
        assert_eq!(waiting.get().unwrap(), Some(5));
    });
}

#[test]
fn threads_outside_may_wait_as_they_like() {
    soon(|| {
        let pool = Pool::builder().workers(1).max_spares(0).build().unwrap();
        let (setter, r) = AsyncResult::<u32>::channel();
        thread::scope(|s| {
            for _ in 0..4 {
                let r = r.clone();
                s.spawn(move || assert_eq!(r.get().unwrap(), 1));
            }
            let out = chain!(&pool, inc(r));
            setter.set(1).unwrap();
            assert_eq!(out.get().unwrap(), 2);
        });
    });
}

#[test]
fn a_task_that_waits_for_what_returns_its_own_dependent() {
    soon(|| {
        for _ in 0..20 {
            let pool = Pool::new(2);
            let (to_first, for_first) = mpsc::channel::<AsyncResult<u32>>();
            let (to_other, for_other) = mpsc::channel::<AsyncResult<u32>>();
            let (begun, called) = (Gate::new(), Gate::new());
            let first = pool.spawn({
                let begun = begun.clone();
                move || {
                    let other = for_first.recv().unwrap();
                    begun.open();
                    other.get().map_err(|e| e.kind())
                }
            });
            let next = first.clone().map(|_| 1).spawn_on(&pool);
            let returns_it = {
                let called = called.clone();
                move |_: u32| {
                    called.open();
                    for_other.recv().unwrap()
                }
            };
            let ready = pool.spawn(|| 0);
            let other = chain!(&pool, returns_it(ready));
            called.pass();
            to_first.send(other).unwrap();
            begun.pass();
            to_other.send(next).unwrap();
            assert_eq!(first.get().unwrap(), Err(ErrorKind::Deadlock));
            pool.run_until_idle();
        }
    });
}

#[test]
fn a_wait_for_any_that_one_can_end_is_no_deadlock() {
    soon(|| {
        for _ in 0..20 {
            let pool = Pool::new(2);
            let (hand_over, handles) = mpsc::channel::<AsyncResult<u32>>();
            let (setter, settable) = AsyncResult::channel();
            let begun = Gate::new();
            let waiting = pool.spawn({
                let begun = begun.clone();
                move || {
                    let either = [handles.recv().unwrap(), settable];
                    begun.open();
                    either.wait_any()
                }
            });
            // The first never comes before this has ended.
            let next = waiting.clone().map(|_| 1).spawn_on(&pool);
            hand_over.send(next).unwrap();
            begun.pass();
            // Nothing tells that the wait has begun.
            thread::sleep(Duration::from_millis(1));
            setter.set(5).unwrap();
            assert_eq!(waiting.get().unwrap(), Some(1));
        }
    });
}

#[test]
fn a_thread_that_has_just_been_woken_does_not_count_as_waiting() {
    soon(|| {
        for _ in 0..100 {
            let pool = Pool::builder().workers(2).max_spares(0).build().unwrap();
            let (set_first, first) = AsyncResult::<u32>::channel();
            let (set_second, second) = AsyncResult::<u32>::channel();
            let begun = Gate::new();
            let one = pool.spawn({
                let begun = begun.clone();
                move || {
                    begun.open();
                    set_second.set(first.get().unwrap()).unwrap();
                }
            });
            begun.pass();
            // Nothing tells that the wait has begun.
            thread::sleep(Duration::from_millis(1));
            let other = pool.spawn(move || {
                set_first.set(1).unwrap();
                second.get().map_err(|e| e.kind())
            });
            assert_eq!(other.get().unwrap(), Ok(1));
            one.get().unwrap();
        }
    });
}

/// The waiter waits for work that moves what is lent to work that waits for the waiter. `late`: the
/// value comes when it waits already.
fn a_cycle_over_a_borrow(pool: &Pool, of_work: bool, late: bool) {
    let (hand_over, handles) = mpsc::channel();
    let (setter, mut lent) = AsyncResult::channel();
    if of_work {
        lent = chain!(pool, inc(lent));
    }
    let waiting = wait_for(handles).spawn_on(pool);
    let borrower = chain!(pool, look(&lent, waiting));
    let moved = chain!(pool, inc(lent));
    hand_over.send(moved).unwrap();
    if late {
        // Nothing tells that the wait has begun.
        thread::sleep(Duration::from_millis(5));
    }
    setter.set(1).unwrap();
    assert_deadlock(&borrower.get().unwrap_err());
}

#[test]
fn a_move_that_waits_for_a_borrower_that_waits_for_the_waiter() {
    soon(|| {
        for (workers, late) in [(1, true), (2, true), (1, false), (2, false)] {
            a_cycle_over_a_borrow(&Pool::new(workers), true, late);
        }
    });
}

#[test]
fn the_same_where_the_program_sets_the_value() {
    soon(|| {
        for (workers, late) in [(1, true), (2, true), (1, false), (2, false)] {
            a_cycle_over_a_borrow(&Pool::new(workers), false, late);
        }
    });
}

#[test]
fn a_borrower_that_nobody_has_to_wait_for_closes_no_cycle() {
    soon(|| {
        let pool = Pool::new(1);
        let (hand_over, handles) = mpsc::channel();
        let (setter, later) = AsyncResult::channel();
        let shared = AsyncResult::ready(1);
        // It gets a clone, as there is another handle: the borrower may take its time.
        let moved = chain!(&pool, add(shared.clone(), later));
        let waiting = wait_for(handles).spawn_on(&pool);
        let borrower = chain!(&pool, look(&shared, waiting));
        hand_over.send(moved).unwrap();
        // Nothing tells that the wait has begun.
        thread::sleep(Duration::from_millis(5));
        setter.set(1).unwrap();
        assert_eq!(borrower.get().unwrap(), 4);
        drop(shared);
    });
}
