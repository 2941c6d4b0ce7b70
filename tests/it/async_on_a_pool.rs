//! Futures as work: polled on the pool, holding no thread while they wait.

use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;

use asynckit::{AsyncResult, ErrorKind, Pool, async_work, chain, try_current};

use crate::support::{Broken, Counter, Gate, OnDrop, eventually, occupy, soon};

/// Where a future leaves its waker for others.
type Wakers = Arc<Mutex<Vec<Waker>>>;

#[async_work]
async fn plus_one(n: AsyncResult<u32>) -> u32 {
    n.await.unwrap_or(0) + 1
}

#[async_work]
async fn fails() -> Result<u32, Broken> {
    Err(Broken(1))
}

/// Waits until `ready`, leaving a waker at every poll.
#[async_work]
async fn until(ready: Gate, wakers: Wakers) {
    poll_fn(|cx| {
        wakers.lock().unwrap().push(cx.waker().clone());
        if ready.is_open() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[async_work]
async fn never(held: OnDrop, begun: Gate) {
    let _held = held;
    begun.open();
    pending::<()>().await;
}

#[test]
fn waiting_futures_hold_no_thread() {
    soon(|| {
        let pool = Pool::builder().workers(1).max_spares(0).build().unwrap();
        let input = AsyncResult::new();
        let waiting: Vec<_> = (0..200).map(|_| plus_one(input.clone()).spawn_on(&pool)).collect();
        assert_eq!(pool.spawn(|| 7).get().unwrap(), 7, "the worker is free");
        input.set(1).unwrap();
        for r in waiting {
            assert_eq!(r.get().unwrap(), 2);
        }
    });
}

#[test]
fn futures_fail_like_other_work() {
    soon(|| {
        let pool = Pool::new(1);
        let error = fails().spawn_on(&pool).get().unwrap_err();
        assert_eq!(error.to_string(), concat!(module_path!(), "::fails failed: broken 1"));
        let error = fails().run().unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Broken(1)));
        let panics = chain!(&pool, async move {
            let n = AsyncResult::ready(0).await?;
            assert_eq!(n, 1, "on purpose");
            AsyncResult::ready(n)
        });
        assert!(panics.get().unwrap_err().is_panic());
    });
}

#[test]
fn any_thread_may_wake_a_future() {
    soon(|| {
        let pool = Pool::new(1);
        for _ in 0..200 {
            let (ready, wakers) = (Gate::new(), Wakers::default());
            let r = until(ready.clone(), wakers.clone()).spawn_on(&pool);
            let waking = thread::spawn({
                let wakers = wakers.clone();
                move || {
                    eventually("polled", || !wakers.lock().unwrap().is_empty());
                    ready.open();
                    let wakers = std::mem::take(&mut *wakers.lock().unwrap());
                    wakers.into_iter().for_each(Waker::wake);
                }
            });
            r.get().unwrap();
            waking.join().unwrap();
        }
    });
}

#[test]
fn a_wake_during_the_poll_is_not_lost() {
    soon(|| {
        let pool = Pool::new(2);
        let polls = Counter::new();
        let counts = polls.clone();
        let r = chain!(&pool, async move {
            poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if counts.add() < 1000 { Poll::Pending } else { Poll::Ready(()) }
            })
            .await;
            AsyncResult::ready(())
        });
        r.get().unwrap();
        assert_eq!(polls.count(), 1000);
    });
}

#[test]
fn a_future_is_polled_by_one_thread_at_a_time() {
    soon(|| {
        let pool = Pool::new(3);
        let (ready, wakers) = (Gate::new(), Wakers::default());
        let polling = Arc::new(AtomicBool::new(false));
        let twice = Counter::new();
        let work = watched(ready.clone(), wakers.clone(), polling, twice.clone());
        let r = work.spawn_on(&pool);
        eventually("polled", || !wakers.lock().unwrap().is_empty());
        thread::scope(|s| {
            for _ in 0..3 {
                s.spawn(|| {
                    for _ in 0..2000 {
                        let waker = wakers.lock().unwrap()[0].clone();
                        waker.wake();
                    }
                });
            }
        });
        ready.open();
        wakers.lock().unwrap()[0].wake_by_ref();
        r.get().unwrap();
        assert_eq!(twice.count(), 0);
    });
}

#[async_work]
async fn watched(ready: Gate, wakers: Wakers, polling: Arc<AtomicBool>, twice: Counter) {
    poll_fn(|cx| {
        if polling.swap(true, SeqCst) {
            twice.add();
        }
        let mut left = wakers.lock().unwrap();
        if left.is_empty() {
            left.push(cx.waker().clone());
        }
        drop(left);
        thread::yield_now();
        polling.store(false, SeqCst);
        if ready.is_open() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[test]
fn wakers_may_outlive_everything() {
    soon(|| {
        let wakers = Wakers::default();
        let all = || wakers.lock().unwrap().clone();
        {
            let pool = Pool::new(1);
            let done = Gate::new();
            done.open();
            until(done, wakers.clone()).spawn_on(&pool).get().unwrap();
            all().into_iter().for_each(Waker::wake);

            let cancelled = until(Gate::new(), wakers.clone()).spawn_on(&pool);
            eventually("polled", || all().len() >= 2);
            assert!(cancelled.cancel());
            all().into_iter().for_each(Waker::wake);

            let stopped = until(Gate::new(), wakers.clone()).spawn_on(&pool);
            eventually("polled", || all().len() >= 3);
            pool.stop();
            assert_eq!(stopped.get().unwrap_err().kind(), ErrorKind::Stopped);
            all().into_iter().for_each(Waker::wake);
        }
        all().into_iter().for_each(Waker::wake);
        thread::spawn(move || drop(wakers)).join().unwrap();
    });
}

#[test]
fn a_future_is_dropped_once_whatever_becomes_of_it() {
    soon(|| {
        let drops = Counter::new();
        drop(never(drops.on_drop(), Gate::new()));
        assert_eq!(drops.count(), 1, "never spawned");

        let pool = Pool::new(1);
        let begun = Gate::new();
        let r = never(drops.on_drop(), begun.clone()).spawn_on(&pool);
        begun.pass();
        assert!(r.cancel());
        eventually("cancelled while it waits", || drops.count() == 2);

        let busy = occupy(&pool);
        let r = never(drops.on_drop(), Gate::new()).spawn_on(&pool);
        assert!(r.cancel());
        eventually("cancelled before its first poll", || drops.count() == 3);
        busy.free();

        let begun = Gate::new();
        let r = never(drops.on_drop(), begun.clone()).spawn_on(&pool);
        begun.pass();
        pool.stop();
        assert_eq!(r.get().unwrap_err().kind(), ErrorKind::Stopped);
        drop(pool);
        assert_eq!(drops.count(), 4);
    });
}

#[test]
fn inside_a_future_the_pool_is_current() {
    soon(|| {
        let pool = Pool::new(1);
        let inside = chain!(&pool, async move {
            let before = try_current().is_some();
            AsyncResult::ready(()).await?;
            AsyncResult::ready(before && try_current().is_some())
        });
        assert!(inside.get().unwrap());
    });
}

#[test]
fn many_futures_run_side_by_side() {
    soon(|| {
        let pool = Pool::new(2);
        let inputs: Vec<_> = (0..1000).map(|_| AsyncResult::new()).collect();
        let outs: Vec<_> =
            inputs.iter().map(|input| plus_one(input.clone()).spawn_on(&pool)).collect();
        for (n, input) in (0..).zip(inputs) {
            input.set(n).unwrap();
        }
        for (n, out) in (0..).zip(outs) {
            assert_eq!(out.get().unwrap(), n + 1);
        }
    });
}
