//! What borrows is dropped before what it borrows from, whoever else still knows of the work.

use std::future::{Future, IntoFuture};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, Error, ErrorKind, Pool, Retry, async_work, chain, try_work, work};

use crate::support::{Counter, Gate, OnDrop, eventually, soon};

/// A value that borrows, and counts its drop.
struct Borrows<'a> {
    _from: &'a u32,
    _drop: OnDrop,
}

impl<'a> Borrows<'a> {
    fn new(from: &'a u32, drops: &Counter) -> Borrows<'a> {
        Borrows { _from: from, _drop: drops.on_drop() }
    }
}

#[test]
fn a_value_goes_with_its_last_handle_though_a_queue_knew_of_the_work() {
    soon(|| {
        let pool = Arc::new(Pool::new(1));
        let inside = pool.clone();
        let r = pool.spawn(move || {
            let (local, drops) = (1, Counter::new());
            inside.scope(|s| {
                // The waiter runs it, and the queue of the worker is not asked.
                let member = s.spawn(|| Borrows::new(&local, &drops));
                member.wait();
                drop(member);
                assert_eq!(drops.count(), 1);
            });
        });
        r.get().unwrap();
    });
}

#[test]
fn a_value_goes_with_its_last_handle_inside_a_callback() {
    soon(|| {
        let seen = Counter::new();
        in_a_callback({
            let seen = seen.clone();
            move || {
                let (pool, local, drops) = (Pool::new(1), 1, Counter::new());
                let left = pool.scope(|s| {
                    drop(s.ready(Borrows::new(&local, &drops)));
                    assert_eq!(drops.count(), 1);
                    s.ready(Borrows::new(&local, &drops))
                });
                drop(left);
                assert_eq!(drops.count(), 2);
                seen.add();
            }
        });
        assert_eq!(seen.count(), 1);
    });
}

/// Calls a closure where what a completion leads to has to wait for its end.
fn in_a_callback(call: impl FnOnce() + Send + 'static) {
    let result = AsyncResult::new();
    result.on_set(|_: Result<&u32, &Error>| call());
    result.set(1).unwrap();
}

/// Polls a future once.
fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_value_that_was_looked_at_goes_with_who_sets_it() {
    soon(|| {
        in_a_callback(|| {
            let (pool, local, drops) = (Pool::new(1), 1, Counter::new());
            pool.scope(|s| {
                let (setter, result) = s.channel();
                let mut awaited = result.into_future();
                assert!(poll_once(Pin::new(&mut awaited)).is_pending());
                drop(awaited);
                setter.set(Borrows::new(&local, &drops)).unwrap();
                assert_eq!(drops.count(), 1);
            });
        });
    });
}

#[test]
fn a_value_goes_at_once_however_deep_drops_nest() {
    struct Nest(u32, Arc<Pool>, Counter);
    impl Drop for Nest {
        fn drop(&mut self) {
            if self.0 > 0 {
                return drop(AsyncResult::ready(Nest(self.0 - 1, self.1.clone(), self.2.clone())));
            }
            let (local, drops) = (1, Counter::new());
            let left = self.1.scope(|s| {
                drop(s.spawn(|| Borrows::new(&local, &drops)));
                s.ready(Borrows::new(&local, &drops))
            });
            drop(left);
            assert_eq!(drops.count(), 2);
            self.2.add();
        }
    }
    soon(|| {
        let (pool, seen) = (Arc::new(Pool::new(1)), Counter::new());
        for depth in [0, 1, 62, 63, 64, 65, 66, 200] {
            let before = seen.count();
            drop(AsyncResult::ready(Nest(depth, pool.clone(), seen.clone())));
            assert_eq!(seen.count(), before + 1, "at a depth of {depth}");
        }
    });
}

#[test]
fn work_in_place_is_over_when_run_returns_wherever_that_is_called() {
    /// Runs work that borrows, when it is dropped.
    struct Runs(Counter);
    impl Drop for Runs {
        fn drop(&mut self) {
            let (local, drops) = (1, Counter::new());
            let borrows = Borrows::new(&local, &drops);
            let tried = Retry::new(0).work(move || {
                let _ = seen(&borrows);
                work(|| 1)
            });
            assert_eq!(tried.run().unwrap(), 1);
            assert_eq!(drops.count(), 1);
            self.0.add();
        }
    }
    /// Drops it as deep as that.
    struct Nest(u32, Option<Runs>);
    impl Drop for Nest {
        fn drop(&mut self) {
            if self.0 > 0 {
                drop(AsyncResult::ready(Nest(self.0 - 1, self.1.take())));
            }
        }
    }
    soon(|| {
        let (pool, over) = (Pool::new(1), Counter::new());
        // What a task leaves behind that was given up.
        let (runs, unset) = (Runs(over.clone()), AsyncResult::<u32>::new());
        let given_up = unset.clone().map(move |n| (n, runs).0).spawn_on(&pool);
        assert!(given_up.cancel());
        eventually("the closure is dropped", || over.count() == 1);
        for depth in [0, 1, 63, 64, 65, 200] {
            let before = over.count();
            drop(AsyncResult::ready(Nest(depth, Some(Runs(over.clone())))));
            assert_eq!(over.count(), before + 1, "at a depth of {depth}");
        }
    });
}

#[test]
fn a_future_that_waits_for_a_loan_takes_its_wish_back() {
    #[async_work]
    fn looks(_value: &Borrows<'_>, begun: Gate, gate: Gate) {
        begun.open();
        gate.pass();
    }
    soon(|| {
        let pool = Pool::new(2);
        let (local, drops, kept) = (1, Counter::new(), Kept::default());
        for forgotten in [false, true] {
            let (begun, gate, before) = (Gate::new(), Gate::new(), drops.count());
            pool.scope(|s| {
                let value = keeping_its_waker(&local, drops.clone(), kept.clone()).spawn_on(s);
                value.wait();
                let looks = chain!(s, looks(&value, begun.clone(), gate.clone()));
                begun.pass();
                let mut awaited = value.into_future();
                assert!(poll_once(Pin::new(&mut awaited)).is_pending());
                if forgotten {
                    std::mem::forget(awaited);
                } else {
                    drop(awaited);
                }
                gate.open();
                looks.get().unwrap();
            });
            assert_eq!(drops.count() - before, usize::from(!forgotten));
        }
    });
}

#[test]
fn a_scope_in_a_callback_ends_though_members_are_given_up_on_its_thread() {
    soon(|| {
        in_a_callback(|| {
            let (pool, local, drops) = (Pool::new(0), 1, Counter::new());
            let ended = pool.scope(|s| {
                let (setter, never) = s.channel::<u32>();
                std::mem::forget(setter);
                s.join((never, s.spawn(|| Borrows::new(&local, &drops))))
            });
            assert_eq!(ended.get().map(drop).unwrap_err().kind(), ErrorKind::Stopped);
            assert_eq!(drops.count(), 1);
        });
    });
}

#[test]
fn a_scope_in_a_callback_ends_though_a_members_value_comes_too_late() {
    soon(|| {
        in_a_callback(|| {
            let (pool, local, drops) = (Pool::new(0), 1, Counter::new());
            let (begun, gate) = (Gate::new(), Gate::new());
            let (hand_out, handles) = mpsc::channel::<AsyncResult<u32>>();
            let cancels = std::thread::spawn({
                let (begun, gate) = (begun.clone(), gate.clone());
                move || {
                    begun.pass();
                    assert!(handles.recv().unwrap().cancel());
                    gate.open();
                }
            });
            pool.scope(|s| {
                let member = s.spawn(|| {
                    let held = Borrows::new(&local, &drops);
                    begun.open();
                    gate.pass();
                    *held._from
                });
                hand_out.send(member).unwrap();
            });
            assert_eq!(drops.count(), 1);
            cancels.join().unwrap();
        });
    });
}

#[async_work]
fn seen(value: &Borrows<'_>) -> u32 {
    *value._from
}

#[test]
fn results_of_a_scope_are_joined_and_taken_apart() {
    #[async_work]
    fn pair<'a>(local: &'a u32, drops: Counter) -> (Borrows<'a>, Borrows<'a>) {
        (Borrows::new(local, &drops), Borrows::new(local, &drops))
    }
    soon(|| {
        let pool = Pool::new(2);
        let (local, drops) = (1, Counter::new());
        pool.scope(|s| {
            let made = || s.spawn(|| Borrows::new(&local, &drops));
            assert_eq!(s.join_all([made(), made()]).get().unwrap().len(), 2);
            let (a, b) = s.join((made(), s.ready(&local))).get().unwrap();
            assert_eq!((*a._from, b), (1, &1));
            drop((a, made()));
            let (setter, never) = s.channel();
            drop(s.join_all([made(), never]));
            std::mem::forget(setter);
            let sum = chain!(s, {
                let (a, b) = pair(&local, drops.clone());
                drop({ b });
                seen(&a)
            });
            assert_eq!(sum.get().unwrap(), 1);
            drop(chain!(s, (pair(&local, drops.clone()), s.ready(1))));
            drop(chain!(s, vec![pair(&local, drops.clone())]));
        });
        assert_eq!(drops.count(), 11);
    });
}

/// Takes tuples apart that no work of a scope has made, and looks whether what borrows is gone with its last
/// handle.
fn take_apart_what_was_set_by_hand(pool: &Pool) {
    let (local, drops) = (1, Counter::new());
    let made = || (Borrows::new(&local, &drops), Borrows::new(&local, &drops));
    let gone = |expected: usize| assert_eq!(drops.count(), expected);
    let left = pool.scope(|s| {
        let mut parts = Vec::new();
        let ready = s.ready(made());
        drop(chain!(s, {
            let (a, b) = ready;
            parts.push(a);
            parts.push(b);
        }));
        drop(parts.pop());
        gone(1);
        drop(parts.pop());
        gone(2);
        // Nobody has the parts any more when the values come.
        let (setter, pair) = s.channel();
        drop(chain!(s, {
            let (a, b) = pair;
            drop({ a });
            parts.push(b);
        }));
        parts.clear();
        setter.set(made()).unwrap();
        gone(4);
        // They have, and let go of them afterwards.
        let (setter, pair) = s.channel();
        drop(chain!(s, {
            let (a, b) = pair;
            parts.push(a);
            parts.push(b);
        }));
        setter.set(made()).unwrap();
        gone(4);
        parts.clear();
        gone(6);
        (s.ready(made()), s.spawn(made), s.join((s.ready(made()), s.ready(1))))
    });
    // The scope has ended, and these live on.
    let (ready, member, joined) = left;
    let mut parts = Vec::new();
    drop(chain!(pool, {
        let (a, b) = ready;
        parts.push(a);
        drop({ b });
    }));
    gone(7);
    drop(chain!(pool, {
        let (a, b) = member;
        parts.push(a);
        parts.push(b);
    }));
    drop(parts.drain(1..));
    gone(9);
    drop(chain!(pool, {
        let ((a, b), _n) = joined;
        parts.push(a);
        drop({ b });
    }));
    gone(10);
    drop(parts);
    gone(12);
}

#[test]
fn tuples_that_were_set_by_hand_are_taken_apart() {
    soon(|| {
        let pool = Arc::new(Pool::new(1));
        take_apart_what_was_set_by_hand(&pool);
        let (inside, seen) = (pool.clone(), Counter::new());
        pool.spawn(move || take_apart_what_was_set_by_hand(&inside)).get().unwrap();
        in_a_callback({
            let (pool, seen) = (pool.clone(), seen.clone());
            move || {
                take_apart_what_was_set_by_hand(&pool);
                seen.add();
            }
        });
        assert_eq!(seen.count(), 1);
    });
}

#[test]
fn where_a_failure_goes_that_nobody_has_seen_values_go_at_once() {
    /// A failure that does something when it is dropped.
    #[derive(Debug)]
    struct Broken(Arc<Pool>, Counter);
    impl std::fmt::Display for Broken {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("broken")
        }
    }
    impl std::error::Error for Broken {}
    impl Drop for Broken {
        fn drop(&mut self) {
            take_apart_what_was_set_by_hand(&self.0);
            self.1.add();
        }
    }
    soon(|| {
        let (other, seen) = (Arc::new(Pool::new(1)), Counter::new());
        let hook = {
            let (other, seen) = (other.clone(), seen.clone());
            move |_: &Error| {
                take_apart_what_was_set_by_hand(&other);
                seen.add();
            }
        };
        let pool = Pool::builder().workers(1).on_unobserved_error(hook).build().unwrap();
        for dependents in 0..3 {
            let before = seen.count();
            let (setter, result) = AsyncResult::<u32>::channel();
            let mut last = result.map(|n| n).spawn_on(&pool);
            for _ in 0..dependents {
                last = last.map(|n| n).spawn_on(&pool);
            }
            drop(last);
            setter.fail(Broken(other.clone(), seen.clone())).unwrap();
            let work = {
                let (other, seen) = (other.clone(), seen.clone());
                move || Err::<u32, _>(Broken(other, seen))
            };
            let mut last = try_work(work).spawn_on(&pool);
            for _ in 0..dependents {
                last = last.map(|n| n).spawn_on(&pool);
            }
            drop(last);
            eventually("all was reported", || seen.count() == before + 3);
        }
    });
}

#[test]
fn what_is_unset_at_the_end_fails_and_hands_values_back() {
    soon(|| {
        let pool = Pool::new(2);
        let (local, drops) = (1, Counter::new());
        let (setter, result, other) = pool.scope(|s| {
            let (setter, result) = s.channel::<Borrows<'_>>();
            let (kept, other) = s.channel::<Borrows<'_>>();
            std::mem::forget(kept);
            // Work that waits for it can never run.
            drop(chain!(s, seen(&other)));
            (setter, result, other)
        });
        assert!(result.is_error() && other.is_error());
        assert_eq!(result.get().map(drop).unwrap_err().kind(), ErrorKind::Stopped);
        let value = setter.set(Borrows::new(&local, &drops)).unwrap_err().into_inner();
        assert_eq!(drops.count(), 0);
        drop((value, other));
        assert_eq!(drops.count(), 1);
    });
}

/// Where async work leaves its waker.
type Kept = Arc<Mutex<Option<Waker>>>;

#[async_work]
async fn keeping_its_waker<'a>(local: &'a u32, drops: Counter, kept: Kept) -> Borrows<'a> {
    std::future::poll_fn(|cx| {
        *kept.lock().unwrap() = Some(cx.waker().clone());
        Poll::Ready(())
    })
    .await;
    Borrows::new(local, &drops)
}

#[test]
fn a_value_goes_with_its_last_handle_though_a_waker_is_kept() {
    soon(|| {
        let pool = Pool::new(1);
        let (drops, kept) = (Counter::new(), Kept::default());
        let local = 1;
        pool.scope(|s| {
            let member = keeping_its_waker(&local, drops.clone(), kept.clone()).spawn_on(s);
            member.wait();
            drop(member);
            assert_eq!(drops.count(), 1);
            drop(keeping_its_waker(&local, drops.clone(), kept.clone()).spawn_on(s));
        });
        assert_eq!(drops.count(), 2, "though nobody took it");
        let waker = kept.lock().unwrap().take().expect("it was polled");
        waker.wake();
        assert_eq!(drops.count(), 2);
    });
}

#[test]
fn a_cancelled_member_that_runs_on_its_waiters_stack_is_waited_for() {
    soon(|| {
        let pool = Arc::new(Pool::new(1));
        let (begun, gate, over) = (Gate::new(), Gate::new(), Gate::new());
        let (hand_out, handles) = mpsc::channel();
        let outer = pool.spawn({
            let (pool, begun) = (pool.clone(), begun.clone());
            let (gate, over) = (gate.clone(), over.clone());
            move || {
                let (local, drops) = (1, Counter::new());
                pool.scope(|s| {
                    let held = Borrows::new(&local, &drops);
                    let member = s.spawn(|| {
                        let _held = held;
                        begun.open();
                        gate.pass();
                    });
                    hand_out.send(member.clone()).unwrap();
                    // The only worker runs it here.
                    assert_eq!(member.get().unwrap_err().kind(), ErrorKind::Cancelled);
                });
                over.open();
                drops.count()
            }
        });
        let member: AsyncResult<()> = handles.recv().unwrap();
        begun.pass();
        assert!(member.cancel());
        assert!(member.is_error() && !over.is_open());
        gate.open();
        assert_eq!(outer.get().unwrap(), 1);
    });
}

#[test]
fn a_panicking_body_drops_what_its_members_submit_meanwhile() {
    soon(|| {
        let pool = Pool::new(2);
        let (made, gone) = (Counter::new(), Counter::new());
        let start = Instant::now();
        let mut round = 0;
        while start.elapsed() < Duration::from_millis(500) {
            round += 1;
            let ended = catch_unwind(AssertUnwindSafe(|| {
                pool.scope(|s| {
                    let begun = Gate::new();
                    let (made, gone, open) = (&made, &gone, begun.clone());
                    drop(s.spawn(move || {
                        open.open();
                        for _ in 0..30 {
                            made.add();
                            let held = gone.on_drop();
                            let input = AsyncResult::new();
                            let next = input.clone().map(move |n: u32| {
                                let _held = &held;
                                n
                            });
                            drop(next.spawn_on(s));
                            let _ = input.set(1);
                        }
                    }));
                    begun.pass();
                    (0..round % 200 * 3).for_each(|_| std::hint::spin_loop());
                    resume_unwind(Box::new("on purpose"));
                })
            }));
            assert!(ended.is_err());
            assert_eq!(made.count(), gone.count(), "after round {round}");
        }
    });
}
