//! Waits for any of several results, and awaits, that could never end.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use asynckit::{
    AsyncResult, Error, ErrorKind, Limit, Pool, Results, async_work, current, try_work, work,
};
use futures::future::{Either, select};

use crate::support::soon;

const SHORT: Duration = Duration::from_millis(20);

#[track_caller]
fn assert_deadlock<T: Send>(result: AsyncResult<T>) {
    let error = result.get().map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadlock, "{error}");
}

/// Work that gets its own result, and waits for any of several.
fn waits_for_any(
    pool: &Pool,
    others: impl FnOnce(&AsyncResult<u32>) -> Vec<AsyncResult<u32>>,
    wait: impl FnOnce(Vec<AsyncResult<u32>>) + Send + 'static,
) -> AsyncResult<u32> {
    let (give, take) = channel::<Vec<AsyncResult<u32>>>();
    let own = pool.spawn(move || {
        wait(take.recv().unwrap());
        1
    });
    give.send(others(&own)).unwrap();
    own
}

#[test]
fn a_wait_for_any_of_what_only_it_can_bring_fails() {
    soon(|| {
        let pool = Pool::new(4);
        let any = |all: Vec<AsyncResult<u32>>| assert!(all.wait_any().is_some());
        let next = |all: Vec<AsyncResult<u32>>| drop(all.as_completed().next());
        let own = |own: &AsyncResult<u32>| vec![own.clone()];
        let twice = |own: &AsyncResult<u32>| vec![own.clone(), own.clone()];
        assert_deadlock(waits_for_any(&pool, own, any));
        assert_deadlock(waits_for_any(&pool, twice, any));
        assert_deadlock(waits_for_any(&pool, twice, next));
        // Work of which each waits for the one that waits for any of them: one of the waits fails.
        let around = |own: &AsyncResult<u32>| {
            let through =
                |own: AsyncResult<u32>| pool.spawn(move || own.get().map_or(0, |n| n + 1));
            vec![own.clone().map(|n| n + 1).spawn_on(&pool), through(own.clone())]
        };
        waits_for_any(&pool, around, any).wait();
        waits_for_any(&pool, around, next).wait();
    });
}

#[test]
fn a_wait_for_any_that_has_a_way_out_goes_on() {
    soon(|| {
        let pool = Pool::new(2);
        let (setter, out) = AsyncResult::channel();
        let others = |own: &AsyncResult<u32>| vec![own.clone(), out];
        let waits = waits_for_any(&pool, others, |all| assert!(all.wait_any().is_some()));
        thread::sleep(SHORT);
        setter.set(1).unwrap();
        assert_eq!(waits.get().unwrap(), 1);
    });
}

#[async_work]
async fn awaits(other: AsyncResult<AsyncResult<u32>>) -> Result<u32, Error> {
    Ok(other.await?.await? + 1)
}

/// Makes an error a value.
#[async_work]
async fn awaits_and_goes_on(other: AsyncResult<AsyncResult<u32>>) -> Result<u32, Error> {
    let other = other.await?;
    match (&other).await {
        Ok(n) => Ok(*n),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Deadlock);
            Ok(7)
        }
    }
}

#[test]
fn works_that_await_each_other_fail() {
    soon(|| {
        for workers in [0, 1, 3] {
            let pool = Pool::new(workers);
            for length in [1, 2, 5] {
                let (give, take): (Vec<_>, Vec<_>) =
                    (0..length).map(|_| AsyncResult::channel()).unzip();
                let works: Vec<_> =
                    take.into_iter().map(|one| awaits(one).spawn_on(&pool)).collect();
                let seen = works[0].clone();
                for (n, setter) in give.into_iter().enumerate() {
                    setter.set(works[(n + 1) % length].clone()).unwrap();
                }
                drop(works);
                assert_deadlock(seen);
            }
        }
    });
}

#[test]
fn an_await_that_fails_so_is_the_work_s_to_handle() {
    soon(|| {
        let pool = Pool::new(2);
        let (give, take) = AsyncResult::channel();
        let own = awaits_and_goes_on(take).spawn_on(&pool);
        give.set(own.clone()).unwrap();
        assert_eq!(own.get().unwrap(), 7);
    });
}

#[test]
fn circles_of_awaits_and_waits_fail() {
    soon(|| {
        let pool = Pool::new(3);
        for _ in 0..20 {
            let (give_a, take_a) = AsyncResult::channel();
            let (give_b, take_b) = AsyncResult::<AsyncResult<u32>>::channel();
            let a = awaits(take_a).spawn_on(&pool);
            let b = pool.spawn(move || take_b.get()?.get());
            let through = b.clone().map(|n| n.unwrap_or(0)).spawn_on(&pool);
            give_a.set(through).unwrap();
            give_b.set(a.clone()).unwrap();
            let kinds = [a.get().map(drop), b.get().unwrap().map(drop)];
            let is_deadlock = |end: &Result<(), Error>| {
                end.as_ref().is_err_and(|error| error.kind() == ErrorKind::Deadlock)
            };
            assert!(kinds.iter().any(is_deadlock), "{kinds:?}");
        }
    });
}

#[test]
fn an_await_beside_something_else_goes_on() {
    soon(|| {
        let pool = Pool::new(2);
        let (give, take) = AsyncResult::<AsyncResult<u32>>::channel();
        let (wake, woken) = futures::channel::oneshot::channel::<u32>();
        #[async_work]
        async fn either(
            own: AsyncResult<AsyncResult<u32>>,
            other: futures::channel::oneshot::Receiver<u32>,
        ) -> Result<u32, Error> {
            let own = own.await?.into_future();
            match select(own, other).await {
                Either::Left((own, _)) => own,
                Either::Right((other, _)) => Ok(other.unwrap()),
            }
        }
        let own = either(take, woken).spawn_on(&pool);
        give.set(own.clone()).unwrap();
        thread::sleep(SHORT);
        wake.send(5).unwrap();
        assert_eq!(own.get().unwrap(), 5);
        // One of two results is enough.
        let (give, take) = AsyncResult::<AsyncResult<u32>>::channel();
        let (setter, other) = AsyncResult::<u32>::channel();
        #[async_work]
        async fn first(
            own: AsyncResult<AsyncResult<u32>>,
            other: AsyncResult<u32>,
        ) -> Result<u32, Error> {
            let own = own.await?.into_future();
            match select(own, other.into_future()).await {
                Either::Left((own, _)) => own,
                Either::Right((other, _)) => other,
            }
        }
        let own = first(take, other).spawn_on(&pool);
        give.set(own.clone()).unwrap();
        thread::sleep(SHORT);
        setter.set(6).unwrap();
        assert_eq!(own.get().unwrap(), 6);
    });
}

#[async_work(limit = 1)]
async fn down(n: u32) -> Result<u32, Error> {
    if n == 0 {
        return Ok(0);
    }
    Ok(down(n - 1).spawn_on(&current()).await? + 1)
}

#[test]
fn awaited_work_in_the_line_of_those_who_await_it_fails() {
    soon(|| {
        let pool = Pool::new(2);
        assert_deadlock(down(2).spawn_on(&pool));
        assert_eq!(down(0).spawn_on(&pool).get().unwrap(), 0);
        // Two that have passes, of which one waits and the other awaits.
        let limit = Limit::new(2);
        let under = |limit: &Limit| work(|| 1u32).limit(limit).spawn_on(&current());
        let (its, meet) = (limit.clone(), std::sync::Arc::new(std::sync::Barrier::new(2)));
        let met = meet.clone();
        let waits = work(move || {
            met.wait();
            under(&its).get()
        });
        let waits = waits.limit(&limit).spawn_on(&pool);
        let its = limit.clone();
        #[async_work]
        async fn awaits_under(
            limit: Limit,
            meet: std::sync::Arc<std::sync::Barrier>,
        ) -> Result<u32, Error> {
            meet.wait();
            work(|| 1).limit(&limit).spawn_on(&current()).await
        }
        let awaits = awaits_under(its, meet).limit(&limit).spawn_on(&pool);
        let ends = [waits.get().unwrap().map_err(|e| e.kind()), awaits.get().map_err(|e| e.kind())];
        assert!(ends.contains(&Err(ErrorKind::Deadlock)), "{ends:?}");
    });
}

/// Work that gets its own result, and does something with it in place.
fn with_its_own(pool: &Pool, f: fn(AsyncResult<u32>) -> Result<u32, Error>) -> AsyncResult<u32> {
    let (give, take) = channel::<AsyncResult<u32>>();
    let own = try_work(move || f(take.recv().unwrap())).spawn_on(pool);
    give.send(own.clone()).unwrap();
    own
}

#[test]
fn async_work_in_place_that_awaits_what_is_around_it_fails() {
    soon(|| {
        for workers in [1, 3] {
            let pool = Pool::new(workers);
            assert_deadlock(with_its_own(&pool, |own| awaits(AsyncResult::ready(own)).run()));
            assert_deadlock(with_its_own(&pool, |own| {
                awaits(AsyncResult::ready(AsyncResult::ready(1))).after(&own).run()
            }));
            assert_deadlock(with_its_own(&pool, |own| {
                let through = own.clone().map(|n| n + 1).spawn_on(&current());
                awaits(AsyncResult::ready(through)).run()
            }));
            assert_deadlock(with_its_own(&pool, |own| {
                let first = work(|| 1).after(&own).spawn_on(&current());
                awaits(AsyncResult::ready(first)).after(&AsyncResult::ready(())).run()
            }));
            let mended =
                with_its_own(&pool, |own| awaits_and_goes_on(AsyncResult::ready(own)).run());
            assert_eq!(mended.get().unwrap(), 7);
            // By another one that awaits this one on the pool.
            let (give, take) = AsyncResult::channel();
            let other = awaits(take).spawn_on(&pool);
            let (send, receive) = channel::<AsyncResult<u32>>();
            let own = try_work(move || awaits(AsyncResult::ready(receive.recv().unwrap())).run());
            let own = own.spawn_on(&pool);
            send.send(other.clone()).unwrap();
            give.set(own.clone()).unwrap();
            assert_deadlock(own);
        }
    });
}

#[test]
fn async_work_in_place_has_done_what_it_awaits() {
    soon(|| {
        // Nobody else could.
        let pool = Pool::builder().workers(1).max_spares(0).build().unwrap();
        let inside = || awaits(AsyncResult::ready(work(|| 1).spawn_on(&current()))).run();
        assert_eq!(try_work(inside).spawn_on(&pool).get().unwrap(), 2);
        let pool = Pool::new(0);
        assert_eq!(awaits(AsyncResult::ready(pool.spawn(|| 1))).run().unwrap(), 2);
        // What it awaits besides wakes it.
        let (setter, late) = AsyncResult::channel();
        let sets = thread::spawn(move || setter.set(AsyncResult::ready(1)).unwrap());
        assert_eq!(awaits(late).run().unwrap(), 2);
        sets.join().unwrap();
    });
}
