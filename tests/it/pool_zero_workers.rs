//! A pool without workers runs its work on the threads that block for it, and on no others.

use std::future::{Future, IntoFuture};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use asynckit::{AsyncResult, ErrorKind, Pool, Results, async_work, blocking, chain, work};

use crate::support::{Counter, Gate, eventually, soon};

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

#[async_work]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

/// Three pieces of work that are in the queue, and what counts how many have run.
fn queued(pool: &Pool) -> (Vec<AsyncResult<usize>>, Counter) {
    let ran = Counter::new();
    let results = (0..3)
        .map(|_| {
            let runs = ran.clone();
            pool.spawn(move || runs.add())
        })
        .collect();
    (results, ran)
}

#[test]
fn nothing_runs_until_somebody_blocks() {
    soon(|| {
        let pool = Pool::new(0);
        assert_eq!(pool.worker_count(), 0);
        let (results, ran) = queued(&pool);
        let input = AsyncResult::new();
        let out = chain!(&pool, inc(input.clone()));
        input.set(1).unwrap();
        assert!(results.iter().all(|r| !r.is_set()));
        let out = out.try_get().unwrap_err();
        assert!(!out.is_set());
        assert_eq!(ran.count(), 0);
    });
}

#[test]
fn whoever_gets_runs() {
    soon(|| {
        let pool = Pool::new(0);
        let here = thread::current().id();
        let r = pool.spawn(move || thread::current().id() == here);
        assert!(r.get().unwrap());
        let r = chain!(&pool, add(inc(1), inc(2)));
        assert_eq!(r.get().unwrap(), 5);
        let r = chain!(&pool, async move {
            let n = inc(1).await?;
            add(n, inc(n))
        });
        assert_eq!(r.get().unwrap(), 5);
    });
}

#[test]
fn every_way_to_block_runs() {
    soon(|| {
        let pool = Pool::new(0);
        let one = || pool.spawn(|| 1);
        one().wait();
        assert!(one().wait_timeout(Duration::from_secs(20)));
        assert_eq!(*one().get_ref().unwrap(), 1);
        assert_eq!(one().get_timeout(Duration::from_secs(20)).unwrap().unwrap(), 1);
        assert_eq!([one(), one()].join_all().get().unwrap(), [1, 1]);
        assert!([one(), one()].wait_any().is_some());
        assert_eq!(vec![one(), one()].as_completed().map(|r| r.get().unwrap()).sum::<i32>(), 2);
        assert_eq!((one(), one()).join().get().unwrap(), (1, 1));
        let local = [1, 2, 3];
        assert_eq!(pool.scope(|s| s.spawn(|| local.len()).get().unwrap()), 3);
    });
}

#[test]
fn waiting_runs_whatever_is_needed_to_get_on() {
    soon(|| {
        let pool = Pool::new(0);
        // Nothing but the queue tells that the first sets what the second waits for.
        let (setter, input) = AsyncResult::channel();
        drop(pool.spawn(move || setter.set(5).is_ok()));
        let out = chain!(&pool, inc(input));
        assert_eq!(out.get().unwrap(), 6);
    });
}

#[test]
fn a_wait_that_timed_out_begins_nothing_more() {
    soon(|| {
        let pool = Pool::new(0);
        let ran = Counter::new();
        for _ in 0..3 {
            let runs = ran.clone();
            drop(pool.spawn(move || {
                runs.add();
                thread::sleep(Duration::from_millis(60));
            }));
        }
        let never = AsyncResult::new();
        let pending = chain!(&pool, inc(never.clone()));
        assert!(!pending.wait_timeout(Duration::from_millis(80)));
        assert!((1..3).contains(&ran.count()), "{} have run", ran.count());
        never.set(1).unwrap();
        assert_eq!(pending.get().unwrap(), 2);
    });
}

#[test]
fn it_can_be_run_until_idle() {
    soon(|| {
        let pool = Pool::new(0);
        let (results, ran) = queued(&pool);
        let next = chain!(&pool, inc(inc(1)));
        let never = AsyncResult::<u32>::new();
        let pending = chain!(&pool, inc(never.clone()));
        pool.run_until_idle();
        assert_eq!(ran.count(), 3);
        assert!(results.iter().all(AsyncResult::is_set));
        assert!(next.is_set());
        assert!(!pending.is_set(), "what waits for an input is not waited for");
        never.set(1).unwrap();
        pool.run_until_idle();
        assert_eq!(pending.try_get().unwrap().unwrap(), 2);
        pool.run_until_idle();
    });
}

#[test]
fn tasks_that_tasks_submit_run_too() {
    soon(|| {
        let pool = Pool::new(0);
        let ran = Counter::new();
        let runs = ran.clone();
        drop(pool.spawn(move || {
            for _ in 0..10 {
                let runs = runs.clone();
                work(move || runs.add()).detach_on(&asynckit::current());
            }
        }));
        pool.run_until_idle();
        assert_eq!(ran.count(), 10);
    });
}

#[test]
fn stop_runs_what_was_accepted() {
    soon(|| {
        let pool = Pool::new(0);
        let here = thread::current().id();
        let (_results, ran) = queued(&pool);
        let r = pool.spawn(move || thread::current().id() == here);
        let next = r.map(|on_this_thread| on_this_thread).spawn_on(&pool);
        let never = AsyncResult::<u32>::new();
        let pending = chain!(&pool, inc(never.clone()));
        pool.stop();
        assert_eq!(ran.count(), 3);
        assert!(next.is_set());
        assert!(next.get().unwrap());
        assert_eq!(pending.get().unwrap_err().kind(), ErrorKind::Stopped);
    });
}

#[test]
fn stop_now_and_drop_do_what_they_do_elsewhere() {
    soon(|| {
        let pool = Pool::new(0);
        let (results, ran) = queued(&pool);
        pool.stop_now();
        for r in results {
            assert_eq!(r.get().unwrap_err().kind(), ErrorKind::Stopped);
        }
        assert_eq!(ran.count(), 0);

        let pool = Pool::new(0);
        let (results, ran) = queued(&pool);
        drop(pool);
        assert_eq!(ran.count(), 3);
        for r in results {
            r.get().unwrap();
        }
    });
}

#[test]
fn awaiting_under_another_executor_runs_none() {
    soon(|| {
        let pool = Pool::new(0);
        let (ran, woken) = (Counter::new(), Gate::new());
        let runs = ran.clone();
        let mut future = Box::pin(pool.spawn(move || runs.add()).into_future());
        struct Open(Gate);
        impl std::task::Wake for Open {
            fn wake(self: Arc<Self>) {
                self.0.open();
            }
        }
        let waker = Waker::from(Arc::new(Open(woken.clone())));
        let mut cx = Context::from_waker(&waker);
        assert!(future.as_mut().poll(&mut cx).is_pending());
        assert_eq!(ran.count(), 0);
        pool.run_until_idle();
        assert_eq!(ran.count(), 1);
        woken.pass();
        assert!(future.as_mut().poll(&mut cx).is_ready());
    });
}

#[test]
fn several_threads_may_run_it() {
    soon(|| {
        let pool = Pool::new(0);
        let results: Vec<_> = (0..2000).map(|n| pool.spawn(move || n)).collect();
        let mut halves = results.into_iter();
        let first: Vec<_> = halves.by_ref().take(1000).collect();
        thread::scope(|s| {
            let a = s.spawn(|| first.into_iter().map(|r| r.get().unwrap()).sum::<u32>());
            let b = s.spawn(|| halves.map(|r| r.get().unwrap()).sum::<u32>());
            assert_eq!(a.join().unwrap() + b.join().unwrap(), 1_999_000);
        });
    });
}

#[test]
fn a_blocked_thread_takes_up_work_that_comes_later() {
    soon(|| {
        let pool = Pool::new(0);
        let (setter, input) = AsyncResult::channel();
        let out = chain!(&pool, inc(input));
        thread::scope(|s| {
            let getting = s.spawn(|| out.get().unwrap());
            // Whether or not the other thread waits already: it must come to run this.
            drop(pool.spawn(move || setter.set(1).is_ok()));
            assert_eq!(getting.join().unwrap(), 2);
        });
    });
}

#[test]
fn nested_waits_run_what_they_need() {
    fn fib(n: u64) -> u64 {
        if n < 2 {
            return n;
        }
        let a = work(move || fib(n - 1)).spawn_on(&asynckit::current());
        let b = work(move || fib(n - 2)).spawn_on(&asynckit::current());
        a.get().unwrap() + b.get().unwrap()
    }
    soon(|| {
        let pool = Pool::new(0);
        assert_eq!(pool.spawn(|| fib(12)).get().unwrap(), 144);
    });
}

#[test]
fn work_on_another_pool_may_need_it() {
    soon(|| {
        let (pool, other) = (Pool::new(0), Pool::new(1));
        let next = pool.spawn(|| 1).map(|n| n + 1).spawn_on(&other);
        assert_eq!(next.get().unwrap(), 2);
    });
}

#[test]
fn a_stop_tells_running_work_from_work_that_waits_for_ever() {
    soon(|| {
        let pool = Pool::new(0);
        let (begun, gate, waits) = (Gate::new(), Gate::new(), Gate::new());
        let running = pool.spawn({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.open();
                gate.pass();
                1
            }
        });
        let next = chain!(&pool, inc(running));
        let never = AsyncResult::<u32>::new();
        thread::scope(|s| {
            let getting = s.spawn(|| next.get());
            begun.pass();
            let waiting = pool.spawn({
                let (never, waits) = (never.clone(), waits.clone());
                move || {
                    waits.open();
                    never.get().map_err(|e| e.kind())
                }
            });
            let helping = s.spawn(|| waiting.get());
            waits.pass();
            let stopping = s.spawn(|| pool.stop());
            eventually("the stop has begun", || work(|| ()).try_spawn_on(&pool).is_err());
            gate.open();
            assert_eq!(getting.join().unwrap().unwrap(), 2);
            assert_eq!(helping.join().unwrap().unwrap(), Err(ErrorKind::Stopped));
            stopping.join().unwrap();
        });
    });
}

#[test]
fn several_pools_without_workers_may_be_needed() {
    soon(|| {
        let (one, other) = (Pool::new(0), Pool::new(0));
        let first = other.spawn(|| 1);
        let next = chain!(&one, inc(first));
        let next = chain!(&other, inc(next));
        let last = chain!(&one, inc(next));
        assert_eq!(last.get().unwrap(), 4);
    });
}

#[test]
fn work_that_comes_to_need_another_pool() {
    soon(|| {
        let (one, other) = (Pool::new(1), Arc::new(Pool::new(0)));
        let (setter, input) = AsyncResult::channel();
        let there = other.clone();
        let goes_on = move |n: u32| inc(n).spawn_on(&there);
        let last = chain!(&one, goes_on(input));
        let setting = thread::spawn(move || {
            // Nothing tells that the wait has begun.
            thread::sleep(Duration::from_millis(5));
            setter.set(1).unwrap();
        });
        assert_eq!(last.get().unwrap(), 2);
        setting.join().unwrap();
    });
}

#[test]
fn who_runs_it_until_idle_takes_up_work_that_comes_later() {
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
        thread::scope(|s| {
            let getting = s.spawn(|| held.get());
            begun.pass();
            let running = s.spawn(|| pool.run_until_idle());
            // Nothing tells that it has found nothing to do.
            thread::sleep(Duration::from_millis(5));
            work(move || gate.open()).detach_on(&pool);
            getting.join().unwrap().unwrap();
            running.join().unwrap();
        });
    });
}

#[test]
fn a_worker_that_does_its_work_while_it_waits_has_a_spare() {
    soon(|| {
        for blocks in [false, true] {
            let (one, other) = (Arc::new(Pool::new(1)), Arc::new(Pool::new(0)));
            let (its, there) = (Arc::downgrade(&one), other.clone());
            // On the only worker, which waits for work of the other pool and so does it.
            let outer = one.spawn(move || {
                let inner = there.spawn(move || {
                    let needed = its.upgrade().unwrap().spawn(|| 5);
                    if blocks {
                        let set = Gate::new();
                        let sets = set.clone();
                        needed.on_set(move |_| sets.open());
                        blocking(|| set.pass());
                    }
                    needed.get().unwrap()
                });
                inner.get().unwrap()
            });
            assert_eq!(outer.get().unwrap(), 5);
        }
    });
}

#[test]
fn a_stop_ends_waits_of_its_work_on_the_worker_of_another_pool() {
    soon(|| {
        let (one, other) = (Pool::new(1), Arc::new(Pool::new(0)));
        let (never, begun, there) = (AsyncResult::<u32>::new(), Gate::new(), other.clone());
        let (awaited, begins) = (never.clone(), begun.clone());
        let outer = one.spawn(move || {
            let inner = there.spawn(move || {
                begins.open();
                awaited.get().map_err(|error| error.kind())
            });
            inner.get().unwrap()
        });
        begun.pass();
        one.stop();
        assert_eq!(outer.get().unwrap(), Err(ErrorKind::Stopped));
    });
}
