//! What borrows is dropped before what it borrows from, whoever else still knows of the work.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, Error, ErrorKind, Pool, async_work};

use crate::support::{Counter, Gate, OnDrop, soon};

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
        let (r, seen) = (AsyncResult::new(), Counter::new());
        r.on_set({
            let seen = seen.clone();
            move |_: Result<&u32, &Error>| {
                let (local, drops) = (1, Counter::new());
                drop(AsyncResult::ready(Borrows::new(&local, &drops)));
                assert_eq!(drops.count(), 1);
                seen.add();
            }
        });
        r.set(1).unwrap();
        assert_eq!(seen.count(), 1);
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
