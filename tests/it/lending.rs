//! Limits that lend: work that waits inside for other work gives its permit back meanwhile.

use std::time::Duration;

use asynckit::{
    AsyncResult, CancelToken, ErrorKind, Explore, Limit, Pool, Results, Retry, Work, async_work,
    current, explore, try_work, work,
};

use crate::support::{Gate, Inside, eventually, soon};

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

/// Those that run between two waits.
#[derive(Clone, Default)]
struct Running(Inside);

impl Running {
    /// A tree of work under one limit, each of which waits for two more.
    fn tree(&self, depth: u32, limit: &Limit) -> Work<'static, asynckit::Result<u32>> {
        let (running, its) = (self.clone(), limit.clone());
        let grow = move || {
            running.0.enter();
            let mut sum = 1;
            if depth > 0 {
                let children = [0, 1].map(|_| running.tree(depth - 1, &its).spawn_on(&current()));
                for child in children {
                    running.0.leave();
                    let got = child.get();
                    running.0.enter();
                    sum += got??;
                }
            }
            std::thread::yield_now();
            running.0.leave();
            Ok(sum)
        };
        work(grow).limit(limit)
    }
}

#[test]
fn parents_and_children_under_one_limit() {
    soon(|| {
        for (workers, most) in [(1, 1), (4, 1), (4, 3), (0, 1)] {
            let (pool, limit, running) =
                (Pool::new(workers), Limit::new(most).lending(), Running::default());
            let all = running.tree(6, &limit).spawn_on(&pool);
            assert_eq!(all.get().unwrap().unwrap(), 127);
            let at_most = running.0.most();
            assert!((1..=most).contains(&at_most), "{at_most} of {most}");
            assert_eq!(limit.waiting(), 0);
        }
    });
}

#[test]
fn a_plain_limit_keeps_it_and_the_cycle_is_a_deadlock() {
    soon(|| {
        let (pool, limit) = (Pool::new(4), Limit::new(2));
        let error = Running::default().tree(6, &limit).spawn_on(&pool).get().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
    });
}

#[async_work]
async fn awaiting(limit: Limit, depth: u32) -> asynckit::Result<u32> {
    if depth == 0 {
        return Ok(1);
    }
    let deeper = || awaiting(limit.clone(), depth - 1).limit(&limit).spawn_on(&current());
    let (a, b) = (deeper(), deeper());
    Ok(1 + a.await? + b.await?)
}

#[test]
fn work_that_awaits() {
    soon(|| {
        let (pool, limit) = (Pool::new(2), Limit::new(1).lending());
        let all = awaiting(limit.clone(), 5).limit(&limit).spawn_on(&pool);
        assert_eq!(all.get().unwrap(), 63);
        let in_place = awaiting(limit.clone(), 0).limit(&limit).run();
        assert_eq!(in_place.unwrap(), 1);
        eventually("all is given back", || inc(1).limit(&limit).spawn_on(&pool).get().is_ok());
    });
    explore(30, |pool| {
        let limit = Limit::new(2).lending();
        let all = awaiting(limit.clone(), 3).limit(&limit).spawn_on(pool);
        assert_eq!(all.get().unwrap(), 15);
        let sum = Running::default().tree(3, &limit).spawn_on(pool);
        assert_eq!(sum.get().unwrap().unwrap(), 15);
    });
}

#[test]
fn it_is_taken_again_before_the_work_goes_on() {
    soon(|| {
        let (pool, limit) = (Pool::new(4), Limit::new(1).lending());
        let (input, went_on) = (AsyncResult::<u32>::new(), Gate::new());
        let (awaited, goes) = (input.clone(), went_on.clone());
        let waits = work(move || {
            let got = awaited.get();
            goes.open();
            got
        });
        let waits = waits.limit(&limit).spawn_on(&pool);
        // Somebody else has it meanwhile.
        let (begun, gate) = (Gate::new(), Gate::new());
        let (begins, shut) = (begun.clone(), gate.clone());
        let busy = work(move || {
            begins.open();
            shut.pass();
        });
        let busy = busy.limit(&limit).spawn_on(&pool);
        begun.pass();
        let later = inc(1).limit(&limit).spawn_on(&pool);
        input.set(7).unwrap();
        eventually("it stands in line, before what has not begun", || limit.waiting() == 2);
        assert!(!went_on.is_open());
        gate.open();
        assert_eq!(waits.get().unwrap().unwrap(), 7);
        assert_eq!(later.get().unwrap(), 2);
        busy.get().unwrap();
    });
}

#[test]
fn weights_and_keys_are_lent_whole() {
    soon(|| {
        let (pool, limit) = (Pool::new(2), Limit::new(4).lending());
        let one = limit.of("key").take(3);
        let its = one.clone();
        let outer = work(move || inc(1).limit(&its.take(4)).spawn_on(&current()).get());
        assert_eq!(outer.limit(&one).spawn_on(&pool).get().unwrap().unwrap(), 2);
        let scoped = {
            let its = limit.clone();
            try_work(move || {
                let pool = Pool::new(1);
                pool.scope(|s| {
                    let all: Vec<_> =
                        (0..5).map(|n| inc(n).limit(&its.take(2)).spawn_on(s)).collect();
                    all.into_iter().map(|one| one.get()).sum::<asynckit::Result<u32>>()
                })
            })
        };
        assert_eq!(scoped.limit(&limit.take(4)).spawn_on(&pool).get().unwrap(), 15);
    });
}

#[test]
fn two_limits_taken_in_different_orders() {
    // One lends, the other one does not: no cycle, or one that is told.
    soon(|| {
        let pool = Pool::new(4);
        let (lends, plain) = (Limit::new(1).lending(), Limit::new(1));
        for _ in 0..50 {
            let (its, other) = (lends.clone(), plain.clone());
            let one = work(move || inc(1).limit(&other).spawn_on(&current()).get()).limit(&lends);
            let two = work(move || inc(1).limit(&its).spawn_on(&current()).get()).limit(&plain);
            let (one, two) = (one.spawn_on(&pool), two.spawn_on(&pool));
            assert_eq!(one.get().unwrap().unwrap() + two.get().unwrap().unwrap(), 4);
        }
    });
}

#[test]
fn limits_around_each_other_in_both_orders_are_a_deadlock_that_is_told() {
    soon(|| {
        let pool = Pool::new(2);
        for _ in 0..200 {
            let (a, b) = (Limit::new(1), Limit::new(1));
            let one = inc(1).limit(&a).limit(&b).spawn_on(&pool);
            let two = inc(1).limit(&b).limit(&a).spawn_on(&pool);
            for outcome in [one.get(), two.get()] {
                let deadlock = |error: asynckit::Error| error.kind() == ErrorKind::Deadlock;
                assert!(outcome.map_or_else(deadlock, |value| value == 2));
            }
        }
        // And for certain: each has the one, when it comes to stand in line for the other.
        let (a, b, gate) = (Limit::new(1), Limit::new(1), Gate::new());
        let hold = |limit: &Limit, other: &Limit| {
            let (gate, other) = (gate.clone(), other.clone());
            let outer = work(move || {
                gate.pass();
                inc(1).limit(&other).run()
            });
            outer.limit(limit).spawn_on(&pool)
        };
        let (one, two) = (hold(&a, &b), hold(&b, &a));
        gate.open();
        let outcomes = [one.get().unwrap(), two.get().unwrap()];
        let failed = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        assert!(failed.into_iter().all(|error| error.kind() == ErrorKind::Deadlock));
    });
}

#[test]
fn a_limit_around_itself_is_a_deadlock_whether_it_lends_or_not() {
    soon(|| {
        let pool = Pool::new(2);
        for limit in [Limit::new(1), Limit::new(1).lending()] {
            let twice = inc(1).limit(&limit).limit(&limit).spawn_on(&pool);
            assert_eq!(twice.get().unwrap_err().kind(), ErrorKind::Deadlock);
            // Over tries that are tasks of their own.
            let its = limit.clone();
            let tries = Retry::new(2).work(move || inc(1).limit(&its)).limit(&limit);
            assert_eq!(tries.spawn_on(&pool).get().unwrap_err().kind(), ErrorKind::Deadlock);
            assert_eq!(inc(1).limit(&limit).spawn_on(&pool).get().unwrap(), 2, "it goes on");
        }
    });
}

#[test]
fn given_up_at_every_moment() {
    soon(|| {
        let (pool, limit) = (Pool::new(3), Limit::new(2).lending());
        for n in 0..300u64 {
            let token = CancelToken::new();
            let place = token.on(&pool);
            let tree = Running::default().tree(3, &limit).spawn_on(&place);
            let awaits = awaiting(limit.clone(), 3).limit(&limit).spawn_on(&place);
            std::thread::sleep(Duration::from_micros(n % 50 * 4));
            token.cancel();
            drop((tree.get(), awaits.get()));
        }
        eventually("all is given back", || limit.waiting() == 0);
        let all = [0, 1].map(|n| inc(n).limit(&limit.take(2)).spawn_on(&pool));
        assert_eq!(Vec::from(all).join_all().get().unwrap(), [1, 2]);
    });
    Explore::new().runs(20).fail_each_task().run(|pool| {
        let limit = Limit::new(1).lending();
        let _ = Running::default().tree(2, &limit).spawn_on(pool).get();
        let _ = awaiting(limit.clone(), 2).limit(&limit).spawn_on(pool).get();
        // Those whose parents have failed.
        pool.run_until_idle();
        assert_eq!(limit.waiting(), 0);
    });
}

#[test]
fn a_stop_ends_all_of_it() {
    soon(|| {
        for _ in 0..20 {
            let (pool, limit) = (Pool::new(2), Limit::new(1).lending());
            let tree = Running::default().tree(4, &limit).spawn_on(&pool);
            let awaits = awaiting(limit.clone(), 4).limit(&limit).spawn_on(&pool);
            pool.stop();
            assert_eq!(tree.get().unwrap().unwrap(), 31);
            assert_eq!(awaits.get().unwrap(), 31);
            let (pool, limit) = (Pool::new(2), Limit::new(1).lending());
            let tree = Running::default().tree(4, &limit).spawn_on(&pool);
            pool.stop_now();
            let _ = tree.get();
        }
    });
}
