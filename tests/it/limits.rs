//! Limits: never more at once than allowed, first come, first served, and nobody is forgotten.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynckit::{
    AsyncResult, CancelToken, ErrorKind, Limit, Pool, Results, Retry, Work, async_work, chain,
    current, is_cancelled, try_work, work,
};

use crate::support::{Broken, Busy, Counter, Gate, Inside, LIMIT, eventually, occupy, soon};

const SHORT: Duration = Duration::from_millis(20);

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

/// Work under the limit that takes its time.
fn slow(limit: &Limit, inside: &Inside, n: usize) -> Work<'static, usize> {
    let inside = inside.clone();
    work(move || {
        inside.visit(|| {
            std::thread::yield_now();
            n
        })
    })
    .limit(limit)
}

/// Takes up a place until it is freed.
fn occupy_limit(pool: &Pool, limit: &Limit) -> (Gate, AsyncResult<()>) {
    let (begun, gate) = (Gate::new(), Gate::new());
    let result = work({
        let (begun, gate) = (begun.clone(), gate.clone());
        move || {
            begun.open();
            gate.pass();
        }
    })
    .limit(limit)
    .spawn_on(pool);
    begun.pass();
    (gate, result)
}

#[test]
fn never_more_at_once_than_allowed() {
    soon(|| {
        let (pool, limit, inside) = (Pool::new(8), Limit::new(3), Inside::default());
        let all = (0..2000).map(|n| slow(&limit, &inside, n).spawn_on(&pool)).join_all();
        assert_eq!(all.get().unwrap(), (0..2000).collect::<Vec<_>>());
        assert!(inside.most() <= 3, "{}", inside.most());
        eventually("all is given back", || format!("{limit:?}") == "Limit { most: 3, waiting: 0 }");
    });
}

#[test]
fn over_several_pools() {
    soon(|| {
        let (limit, inside) = (Limit::new(2), Inside::default());
        let pools = [Pool::new(3), Pool::new(3)];
        let all = (0..1000).map(|n| slow(&limit, &inside, n).spawn_on(&pools[n % 2])).join_all();
        assert_eq!(all.get().unwrap().len(), 1000);
        assert!(inside.most() <= 2, "{}", inside.most());
    });
}

#[test]
fn first_come_first_served() {
    soon(|| {
        let (pool, limit) = (Pool::new(4), Limit::new(1));
        let (gate, first) = occupy_limit(&pool, &limit);
        let order = Arc::new(Mutex::new(Vec::new()));
        let results: Vec<_> = (0..100)
            .map(|n| {
                let order = order.clone();
                work(move || order.lock().unwrap().push(n)).limit(&limit).spawn_on(&pool)
            })
            .collect();
        assert_eq!(limit.waiting(), 100);
        gate.open();
        first.get().unwrap();
        results.join_all().get().unwrap();
        assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
    });
}

#[test]
fn who_waits_holds_no_worker() {
    soon(|| {
        let (pool, limit) = (Pool::new(2), Limit::new(1));
        let (gate, first) = occupy_limit(&pool, &limit);
        let parked: Vec<_> = (0..50).map(|n| inc(n).limit(&limit).spawn_on(&pool)).collect();
        assert_eq!(inc(1).spawn_on(&pool).get().unwrap(), 2, "the other worker is free");
        assert!(!parked.iter().any(AsyncResult::is_set));
        gate.open();
        first.get().unwrap();
        assert_eq!(parked.join_all().get().unwrap(), (1..51).collect::<Vec<_>>());
    });
}

#[test]
fn it_is_handed_on_however_one_ends() {
    soon(|| {
        let (pool, limit) = (Pool::new(2), Limit::new(1));
        let fails = try_work(|| Err::<u32, _>(Broken(1))).limit(&limit).spawn_on(&pool);
        let panics = work(|| -> u32 { panic!("on purpose") }).limit(&limit).spawn_on(&pool);
        assert!(fails.get().is_err() && panics.get().unwrap_err().is_panic());
        let (gate, first) = occupy_limit(&pool, &limit);
        let cancelled = inc(1).limit(&limit).spawn_on(&pool);
        let late = inc(1).limit(&limit).deadline(SHORT).spawn_on(&pool);
        let dropped = inc(1).limit(&limit).spawn_on(&pool);
        drop(dropped);
        assert!(cancelled.cancel());
        assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
        eventually("only what nobody gave up is in line", || limit.waiting() == 1);
        drop(inc(1).limit(&limit));
        gate.open();
        first.get().unwrap();
        assert_eq!(inc(5).limit(&limit).spawn_on(&pool).get().unwrap(), 6);
        // An input that fails, and one that comes.
        let failed = AsyncResult::<u32>::failed(Broken(2));
        let skipped = failed.map(|n| n).limit(&limit).spawn_on(&pool);
        assert!(skipped.get().is_err());
        let moved = AsyncResult::ready(1).map(|n| n + 1).limit(&limit).spawn_on(&pool);
        assert_eq!(moved.get().unwrap(), 2);
    });
}

#[test]
fn a_function_that_runs_on_keeps_its_place() {
    soon(|| {
        let (pool, limit) = (Pool::new(2), Limit::new(1));
        let (gate, first) = occupy_limit(&pool, &limit);
        let next = inc(1).limit(&limit).spawn_on(&pool);
        assert!(first.cancel(), "it is cancelled, but runs on");
        pool.spawn(|| ()).get().unwrap();
        assert!(!next.is_set());
        gate.open();
        assert_eq!(next.get().unwrap(), 2);
        // The same where the tries of a retry are tasks of their own.
        let (gate, begun) = (Gate::new(), Counter::new());
        let (shut, its) = (gate.clone(), begun.clone());
        let tries = Retry::new(0).work(move || {
            let (gate, begun) = (shut.clone(), its.clone());
            work(move || {
                begun.add();
                gate.pass();
            })
            .timeout(SHORT)
        });
        let late = tries.limit(&limit).spawn_on(&pool);
        let next = inc(2).limit(&limit).spawn_on(&pool);
        assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
        pool.spawn(|| ()).get().unwrap();
        assert!(begun.count() == 1 && !next.is_set());
        gate.open();
        assert_eq!(next.get().unwrap(), 3);
    });
}

#[test]
fn every_kind_of_work_can_be_limited() {
    #[async_work]
    async fn awaits(input: AsyncResult<u32>, inside: Inside) -> asynckit::Result<u32> {
        let n = input.await?;
        Ok(inside.visit(|| n))
    }
    soon(|| {
        let (pool, limit, inside) = (Pool::new(4), Limit::new(2), Inside::default());
        let one = AsyncResult::ready(1);
        let result = awaits(one, inside.clone()).limit(&limit).spawn_on(&pool);
        assert_eq!(result.get().unwrap(), 1);
        let sums: Vec<_> = (0..200)
            .map(|n| {
                let inside = inside.clone();
                let lifted = AsyncResult::ready(n).map(move |n: u32| inside.visit(|| n));
                chain!(&pool, {
                    let n = lifted.limit(&limit);
                    inc(n)
                })
            })
            .collect();
        assert_eq!(sums.join_all().get().unwrap(), (1..201).collect::<Vec<_>>());
        assert!(inside.most() <= 2);
        let nested = inc(1).limit(&limit).limit(&Limit::new(1)).spawn_on(&pool);
        assert_eq!(nested.get().unwrap(), 2);
    });
}

#[test]
fn what_limited_work_submits_is_not_under_the_limit() {
    soon(|| {
        let (pool, limit) = (Pool::new(1), Limit::new(1));
        let outer = work(|| inc(1).spawn_on(&current()).get()).limit(&limit);
        assert_eq!(outer.spawn_on(&pool).get().unwrap().unwrap(), 2);
    });
}

#[test]
fn in_place_it_blocks() {
    soon(|| {
        let (pool, limit) = (Pool::new(1), Limit::new(1));
        let (gate, first) = occupy_limit(&pool, &limit);
        std::thread::scope(|s| {
            let in_place = s.spawn(|| inc(1).limit(&limit).run());
            eventually("it stands in line", || limit.waiting() == 1);
            gate.open();
            assert_eq!(in_place.join().unwrap().unwrap(), 2);
        });
        first.get().unwrap();
        assert_eq!(inc(2).limit(&limit).spawn_on(&pool).get().unwrap(), 3);
    });
}

#[test]
fn many_given_up_at_once() {
    soon(|| {
        let (pool, limit, token) = (Pool::new(2), Limit::new(1), CancelToken::new());
        let (gate, first) = occupy_limit(&pool, &limit);
        let place = token.on(&pool);
        let parked: Vec<_> = (0..100_000).map(|n| inc(n).limit(&limit).spawn_on(&place)).collect();
        let opening = std::thread::spawn(move || gate.open());
        token.cancel();
        opening.join().unwrap();
        first.get().unwrap();
        for result in parked {
            let _ = result.get().map_err(|error| assert_eq!(error.kind(), ErrorKind::Cancelled));
        }
        assert_eq!(inc(5).limit(&limit).spawn_on(&pool).get().unwrap(), 6);
        assert_eq!(limit.waiting(), 0);
    });
}

#[test]
fn a_stopped_pool_gives_its_places_back() {
    soon(|| {
        let (other, limit) = (Pool::new(1), Limit::new(1));
        let (gate, first) = occupy_limit(&other, &limit);
        let pool = Pool::new(1);
        let parked = inc(1).limit(&limit).spawn_on(&pool);
        pool.stop();
        assert_eq!(parked.get().unwrap_err().kind(), ErrorKind::Stopped);
        gate.open();
        first.get().unwrap();
        let after = inc(1).limit(&limit).spawn_on(&pool);
        assert_eq!(after.get().unwrap_err().kind(), ErrorKind::Stopped);
        assert_eq!(inc(1).limit(&limit).spawn_on(&other).get().unwrap(), 2);
    });
}

#[test]
fn a_stop_finishes_what_stands_in_line() {
    soon(|| {
        let (pool, limit, ran) = (Pool::new(2), Limit::new(1), Counter::new());
        for _ in 0..500 {
            let ran = ran.clone();
            work(move || ran.add()).limit(&limit).detach_on(&pool);
        }
        pool.stop();
        assert_eq!(ran.count(), 500);
    });
}

#[test]
fn what_stands_in_line_counts_in_the_queue() {
    soon(|| {
        let limit = Limit::new(1);
        let pool = Pool::builder().workers(1).queue_capacity(2).build().unwrap();
        let busy: Busy = occupy(&pool);
        let results: Vec<_> = (0..2).map(|n| inc(n).limit(&limit).spawn_on(&pool)).collect();
        assert!(inc(9).limit(&limit).try_spawn_on(&pool).is_err(), "the queue is full");
        busy.free();
        assert_eq!(results.join_all().get().unwrap(), [1, 2]);
        eventually("there is room again", || inc(9).limit(&limit).try_spawn_on(&pool).is_ok());
    });
}

#[test]
fn on_scopes_and_pools_without_workers() {
    soon(|| {
        let (pool, limit, inside) = (Pool::new(0), Limit::new(1), Inside::default());
        let borrowed = &inside;
        let sum: usize = pool.scope(|s| {
            let all: Vec<_> = (0..10usize)
                .map(|n| work(move || borrowed.visit(|| n)).limit(&limit).spawn_on(s))
                .collect();
            all.into_iter().map(|result| result.get().unwrap()).sum()
        });
        assert_eq!((sum, inside.most()), (45, 1));
        assert_eq!(limit.waiting(), 0);
    });
}

#[test]
fn endings_race_with_arrivals() {
    soon(|| {
        let (pool, limit, inside) = (Pool::new(4), Limit::new(2), Inside::default());
        let results: Vec<_> = (0..3000)
            .map(|n| {
                let result = slow(&limit, &inside, n).spawn_on(&pool);
                if n % 3 == 0 {
                    result.cancel();
                }
                let patience = Duration::from_micros(n as u64 % 100);
                if n % 3 == 1 { result.timeout(patience) } else { result }
            })
            .collect();
        for (n, result) in results.into_iter().enumerate() {
            assert!(result.get().is_ok() || n % 3 != 2);
        }
        assert!(inside.most() <= 2);
        eventually("all is given back", || limit.waiting() == 0);
        let again = (0..10).map(|n| slow(&limit, &inside, n).timeout(LIMIT).spawn_on(&pool));
        assert_eq!(again.join_all().get().unwrap().len(), 10);
        assert!(!is_cancelled());
    });
}

#[test]
#[should_panic(expected = "a limit of 0 would let no work begin")]
fn a_limit_of_nothing_is_refused() {
    let _ = Limit::new(0);
}

/// Waits for itself one step further down, under a limit.
fn descend(limit: &Limit, depth: u32) -> Work<'static, asynckit::Result<u32>> {
    let its = limit.clone();
    let step = move || match depth {
        0 => Ok(0),
        _ => Ok(descend(&its, depth - 1).spawn_on(&current()).get()?? + 1),
    };
    work(step).limit(limit)
}

#[test]
fn all_waiting_for_such_as_stand_in_line_is_a_deadlock() {
    soon(|| {
        let pool = Pool::new(2);
        for most in [1, 3] {
            let limit = Limit::new(most);
            let enough = descend(&limit, most as u32 - 1).spawn_on(&pool).get().unwrap();
            assert_eq!(enough.unwrap(), most as u32 - 1);
            let error = descend(&limit, 8).spawn_on(&pool).get().unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Deadlock);
            let text = error.to_string();
            assert!(
                text.contains(&format!("in line under a limit of {most}, as all do")),
                "{text}"
            );
            assert_eq!(inc(1).limit(&limit).spawn_on(&pool).get().unwrap(), 2, "it goes on");
        }
    });
}

#[test]
fn also_over_work_that_is_under_no_limit() {
    soon(|| {
        let (pool, limit) = (Pool::new(2), Limit::new(1));
        let its = limit.clone();
        let outer = work(move || {
            let middle = work(move || inc(1).limit(&its).spawn_on(&current()).get());
            middle.spawn_on(&current()).get()?
        });
        let error = outer.limit(&limit).spawn_on(&pool).get().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        // Where the line is entered while all wait already.
        let (input, its) = (AsyncResult::<u32>::new(), limit.clone());
        let awaited = input.clone();
        let outer = work(move || {
            let retried = awaited.and_then(move |n| inc(n).limit(&its).spawn_on(&current()).get());
            retried.spawn_on(&current()).get()
        });
        let outer = outer.limit(&limit).spawn_on(&pool);
        pool.spawn(|| ()).get().unwrap();
        input.set(1).unwrap();
        assert_eq!(outer.get().unwrap().unwrap_err().kind(), ErrorKind::Deadlock);
        assert_eq!(inc(1).limit(&limit).spawn_on(&pool).get().unwrap(), 2);
    });
}

#[test]
fn a_wait_that_ends_by_itself_is_no_deadlock() {
    soon(|| {
        let (pool, limit) = (Pool::new(2), Limit::new(1));
        let its = limit.clone();
        let outer = work(move || inc(1).limit(&its).deadline(SHORT).spawn_on(&current()).get());
        let error = outer.limit(&limit).spawn_on(&pool).get().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        // One of two waits for something else, and makes room.
        let (limit, gate) = (Limit::new(2), Gate::new());
        let (its, shut) = (limit.clone(), gate.clone());
        let busy = work(move || shut.pass()).limit(&limit).spawn_on(&pool);
        let outer = work(move || inc(1).limit(&its).spawn_on(&current()).get());
        let outer = outer.limit(&limit).spawn_on(&pool);
        eventually("it stands in line", || limit.waiting() == 1);
        gate.open();
        assert_eq!(outer.get().unwrap().unwrap(), 2);
        busy.get().unwrap();
    });
}
