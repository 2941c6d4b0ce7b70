//! Work under limits that waits for such as stands in their lines, however that comes about, fails
//! instead of hanging.

use std::sync::{Arc, Barrier};

use asynckit::{
    AsyncResult, Error, ErrorKind, Limit, Pool, Results, Work, async_work, blocking, chain,
    current, work,
};

use crate::support::soon;

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

/// Waits for work under another limit, when all have met.
fn waits_for(other: &Limit, meet: &Arc<Barrier>) -> Work<'static, Result<u32, ErrorKind>> {
    let (other, meet) = (other.clone(), meet.clone());
    work(move || {
        blocking(|| meet.wait());
        inc(1).limit(&other).spawn_on(&current()).get().map_err(|error| error.kind())
    })
}

#[async_work]
async fn awaits(
    tells: AsyncResult<()>,
    hears: AsyncResult<()>,
    other: Limit,
) -> Result<u32, Error> {
    let _ = tells.set(());
    hears.await?;
    inc(1).limit(&other).spawn_on(&current()).await
}

#[track_caller]
fn assert_some_fail_so(ends: &[Result<u32, ErrorKind>]) {
    assert!(ends.contains(&Err(ErrorKind::Deadlock)), "{ends:?}");
    let fit = |end: &Result<u32, ErrorKind>| matches!(end, Ok(2) | Err(ErrorKind::Deadlock));
    assert!(ends.iter().all(fit), "{ends:?}");
}

#[test]
fn limits_that_wait_for_each_other_in_a_ring() {
    soon(|| {
        for (limits, most) in [(2, 1), (3, 2)] {
            let pool = Pool::new(1);
            let limits: Vec<Limit> = (0..limits).map(|_| Limit::new(most)).collect();
            let meet = Arc::new(Barrier::new(limits.len() * most));
            let all: Vec<_> = (0..limits.len() * most)
                .map(|n| {
                    let (own, next) = (n % limits.len(), (n + 1) % limits.len());
                    waits_for(&limits[next], &meet).limit(&limits[own]).spawn_on(&pool)
                })
                .collect();
            let ends: Vec<_> = all.into_iter().map(|one| one.get().unwrap()).collect();
            assert_some_fail_so(&ends);
        }
    });
}

#[test]
fn also_where_the_work_awaits() {
    soon(|| {
        for pool in [Pool::new(1), Pool::new(0), Pool::deterministic(1)] {
            let (a, b) = (Limit::new(1), Limit::new(1));
            let (first, second) = (AsyncResult::new(), AsyncResult::new());
            let one = awaits(first.clone(), second.clone(), b.clone()).limit(&a).spawn_on(&pool);
            let other = awaits(second, first, a).limit(&b).spawn_on(&pool);
            let ends = [one, other].map(|one| one.get().map_err(|error| error.kind()));
            assert_some_fail_so(&ends);
        }
    });
}

#[test]
fn a_ring_that_somebody_else_makes_room_in_goes_on() {
    soon(|| {
        let (pool, a, b) = (Pool::new(1), Limit::new(1), Limit::new(2));
        let meet = Arc::new(Barrier::new(3));
        let (open, gate) = AsyncResult::<u32>::channel();
        let one = waits_for(&b, &meet).limit(&a).spawn_on(&pool);
        let other = waits_for(&a, &meet).limit(&b).spawn_on(&pool);
        let met = meet.clone();
        let busy = work(move || {
            blocking(|| met.wait());
            gate.get()
        });
        let busy = busy.limit(&b).spawn_on(&pool);
        // Only then are both in line, or on their way there.
        while a.waiting() + b.waiting() < 2 {
            std::thread::yield_now();
        }
        open.set(7).unwrap();
        assert_eq!(busy.get().unwrap().unwrap(), 7);
        assert_eq!([one, other].map(|one| one.get().unwrap()), [Ok(2), Ok(2)]);
    });
}

#[test]
fn who_waits_for_any_of_those_in_its_own_line() {
    soon(|| {
        let (pool, limit) = (Pool::new(1), Limit::new(1));
        let its = limit.clone();
        let any = work(move || [1, 2].map(|n| inc(n).limit(&its).spawn_on(&current())).wait_any());
        let error = any.limit(&limit).spawn_on(&pool).get().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock, "{error}");
        assert_eq!(inc(1).limit(&limit).spawn_on(&pool).get().unwrap(), 2, "there is room again");
    });
}

/// Work that is made by other work: nobody can see what it waits for before that has run.
fn unfold(made: Work<'static, u32>) -> Work<'static, u32> {
    made
}

#[test]
fn work_that_has_room_and_depends_on_such_as_stands_in_line() {
    soon(|| {
        for pool in [Pool::new(1), Pool::new(0), Pool::deterministic(1)] {
            let (limit, input) = (Limit::new(1), AsyncResult::<u32>::new());
            let its = limit.clone();
            let made = input.clone().map(move |n| inc(n).limit(&its)).spawn_on(&pool);
            let needed = chain!(&pool, unfold(made));
            let dependent = needed.map(|n| n + 1).limit(&limit).spawn_on(&pool);
            let next = inc(5).limit(&limit).spawn_on(&pool);
            input.set(1).unwrap();
            let error = dependent.get().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Deadlock, "{error}");
            assert_eq!(next.get().unwrap(), 6, "there is room again");
        }
    });
}

#[test]
fn work_in_place_under_the_limit_that_it_is_under() {
    soon(|| {
        for workers in [0, 1] {
            let (pool, limit) = (Pool::new(workers), Limit::new(1));
            let its = limit.clone();
            let inner = work(move || inc(1).limit(&its).run().map_err(|error| error.kind()));
            let outer = inner.limit(&limit).spawn_on(&pool);
            assert_eq!(outer.get().unwrap(), Err(ErrorKind::Deadlock));
            // One that others wait for, where they have the permit.
            let its = limit.clone();
            let between = work(move || {
                let stands = work(move || inc(1).limit(&its).run().map_err(|error| error.kind()));
                stands.spawn_on(&current()).get().unwrap_or_else(|error| Err(error.kind()))
            });
            assert_eq!(
                between.limit(&limit).spawn_on(&pool).get().unwrap(),
                Err(ErrorKind::Deadlock)
            );
            assert_eq!(inc(1).limit(&limit).run().unwrap(), 2, "there is room again");
        }
    });
}

#[test]
fn work_in_place_that_has_room_and_waits_for_such_as_stands_in_line() {
    soon(|| {
        let (pool, limit) = (Arc::new(Pool::new(1)), Limit::new(1));
        let waits = |limit: &Limit| {
            let (its, there) = (limit.clone(), pool.clone());
            let wait = move || inc(1).limit(&its).spawn_on(&*there).get().map_err(|e| e.kind());
            work(wait).limit(limit)
        };
        // Outside of the pool, and inside of its work.
        assert_eq!(waits(&limit).run().unwrap(), Err(ErrorKind::Deadlock));
        let inside = waits(&limit);
        let inside = pool.spawn(move || inside.run().unwrap());
        assert_eq!(inside.get().unwrap(), Err(ErrorKind::Deadlock));
        assert_eq!(inc(1).limit(&limit).run().unwrap(), 2, "there is room again");
        // What makes room is waited for.
        let limit = Limit::new(2);
        assert_eq!(waits(&limit).run().unwrap(), Ok(2));
    });
}

#[test]
fn whatever_the_wait_is() {
    soon(|| {
        for pool in [Pool::new(1), Pool::new(0), Pool::deterministic(1)] {
            let (pool, limit) = (Arc::new(pool), Limit::new(1));
            let under = |wait: fn(&Pool, Limit) -> Result<u32, Error>| {
                let (its, there) = (limit.clone(), Arc::downgrade(&pool));
                let waits =
                    work(move || wait(&there.upgrade().unwrap(), its).map_err(|e| e.kind()));
                waits.limit(&limit).spawn_on(&pool).get().unwrap()
            };
            let ends = [
                under(|pool, limit| {
                    chain!(pool, {
                        inc(1).limit(&limit);
                        inc(2)
                    })
                    .get()
                }),
                under(|pool, limit| {
                    let all = [1, 2].map(|n| inc(n).limit(&limit).spawn_on(pool));
                    all.join_all().get().map(|all| all[0])
                }),
                under(|pool, limit| pool.map(1..3, move |n| inc(n).limit(&limit)).next().unwrap()),
                under(|pool, limit| inc(1).after(&inc(1).limit(&limit).spawn_on(pool)).run()),
            ];
            assert_eq!(ends, [Err(ErrorKind::Deadlock); 4]);
        }
    });
}
