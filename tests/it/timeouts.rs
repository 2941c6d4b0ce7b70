//! Limits of time: what is not done in time fails so, and nothing waits for it any longer.

use std::time::{Duration, Instant};

use asynckit::{
    AsyncResult, CancelToken, ErrorKind, Pool, Results, async_work, chain, is_cancelled, work,
};

use crate::support::{Broken, Counter, Gate, LIMIT, eventually, occupy, soon};

const SHORT: Duration = Duration::from_millis(20);

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

#[async_work]
fn wait_at(gate: Gate) -> u32 {
    gate.pass();
    1
}

#[track_caller]
fn assert_timed_out<T: Send>(result: AsyncResult<T>) {
    assert_eq!(result.get().map(drop).unwrap_err().kind(), ErrorKind::TimedOut);
}

#[test]
fn work_that_is_done_in_time_is_as_without_a_limit() {
    soon(|| {
        let pool = Pool::new(1);
        assert_eq!(inc(1).timeout(LIMIT).spawn_on(&pool).get().unwrap(), 2);
        assert_eq!(inc(1).timeout(LIMIT).run().unwrap(), 2);
        let moved = AsyncResult::ready(4).map(|n| n + 1).timeout(LIMIT);
        assert_eq!(moved.spawn_on(&pool).get().unwrap(), 5);
        assert_eq!(pool.spawn(|| 3).timeout(LIMIT).get().unwrap(), 3);
        assert_eq!(AsyncResult::ready(3).timeout(LIMIT).get().unwrap(), 3);
        assert_eq!(inc(1).timeout(Duration::MAX).spawn_on(&pool).get().unwrap(), 2);
        inc(1).timeout(LIMIT).detach_on(&pool);
    });
}

#[test]
fn a_failure_in_time_is_the_work_s_own() {
    soon(|| {
        let pool = Pool::new(1);
        let fails = asynckit::try_work(|| Err::<u8, _>(Broken(1))).timeout(LIMIT);
        let error = fails.spawn_on(&pool).get().unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Broken(1)));
        let panics = work(|| -> u8 { panic!("on purpose") }).timeout(LIMIT).spawn_on(&pool);
        assert!(panics.timeout(LIMIT).get().unwrap_err().is_panic());
    });
}

#[test]
fn running_work_is_left_alone_and_its_late_value_dropped() {
    soon(|| {
        let pool = Pool::new(1);
        let (gate, begun, drops) = (Gate::new(), Gate::new(), Counter::new());
        let value = drops.on_drop();
        let late = work({
            let (gate, begun) = (gate.clone(), begun.clone());
            move || {
                begun.open();
                eventually("time is over", is_cancelled);
                gate.pass();
                value
            }
        })
        .timeout(SHORT)
        .spawn_on(&pool);
        begun.pass();
        let other = Pool::new(1);
        let after = late.map(drop).spawn_on(&other);
        assert_timed_out(after);
        assert_eq!(drops.count(), 0, "it still runs");
        gate.open();
        eventually("the late value is dropped", || drops.count() == 1);
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1, "its worker goes on");
    });
}

#[test]
fn a_deadline_counts_time_in_the_queue_and_what_has_not_begun_does_not_run() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let (drops, ran) = (Counter::new(), Counter::new());
        let (held, runs) = (drops.on_drop(), ran.clone());
        let late = work(move || {
            drop(held);
            runs.add()
        });
        assert_timed_out(late.deadline(SHORT).spawn_on(&pool));
        eventually("the closure is dropped", || drops.count() == 1);
        busy.free();
        pool.stop();
        assert_eq!(ran.count(), 0);
    });
}

#[test]
fn a_deadline_counts_time_spent_waiting_for_inputs() {
    soon(|| {
        let pool = Pool::new(1);
        let never = AsyncResult::<u32>::new();
        assert_timed_out(never.clone().map(|n| n).deadline(SHORT).spawn_on(&pool));
        assert_timed_out(chain!(&pool, inc(never.clone())).timeout(SHORT));
        assert_timed_out(chain!(&pool, inc(never.clone())).deadline(SHORT));
        assert_timed_out(never.clone().timeout(SHORT));
        assert!(!never.is_set(), "somebody else may want it");
        let in_place = never.clone().map(|n| n).deadline(SHORT).run();
        assert_eq!(in_place.unwrap_err().kind(), ErrorKind::TimedOut);
    });
}

#[test]
fn the_limit_says_where_and_how_long() {
    soon(|| {
        let pool = Pool::new(1);
        let gate = Gate::new();
        let line = line!() + 1;
        let late = wait_at(gate.clone()).timeout(SHORT).spawn_on(&pool);
        let error = late.get().unwrap_err();
        gate.open();
        let text = error.to_string();
        assert_eq!(text, format!("{}::wait_at was not done within 20ms", module_path!()));
        let path = format!("{error:#}");
        assert!(path.contains(&format!("wait_at ({}:{line})", file!())), "{path}");
    });
}

#[test]
fn a_deadline_for_a_chain_gives_all_of_it_up() {
    soon(|| {
        let pool = Pool::new(1);
        let (gate, ran) = (Gate::new(), Counter::new());
        let runs = ran.clone();
        let result = chain!(&pool, {
            let first = wait_at(gate.clone());
            let second = inc(first);
            let third = second.map(move |n| n + runs.add() as u32);
            third
        });
        let result = result.timeout(SHORT);
        assert_timed_out(result);
        gate.open();
        pool.stop();
        assert_eq!(ran.count(), 0);
    });
}

#[test]
fn a_limit_inside_of_a_chain_is_on_one_call() {
    soon(|| {
        let pool = Pool::new(2);
        let gate = Gate::new();
        let sum = chain!(&pool, {
            let slow = wait_at(gate.clone()).timeout(SHORT);
            let mended = slow.or_else(|_| Ok::<_, Broken>(10));
            inc(mended)
        });
        assert_eq!(sum.get().unwrap(), 11);
        gate.open();
    });
}

#[test]
fn limits_nest_and_the_shorter_one_ends_it() {
    soon(|| {
        let pool = Pool::new(1);
        let never = || AsyncResult::<u8>::new();
        let (a, b) = (never(), never());
        let inner = a.clone().map(|n| n).deadline(SHORT).deadline(LIMIT).spawn_on(&pool);
        let outer = b.clone().map(|n| n).deadline(LIMIT).deadline(SHORT).spawn_on(&pool);
        assert_timed_out(inner);
        assert_timed_out(outer);
    });
}

#[test]
fn limits_on_a_scope_s_work() {
    soon(|| {
        let pool = Pool::new(1);
        let drops = Counter::new();
        let (held, never) = (drops.on_drop(), AsyncResult::<u8>::new());
        pool.scope(|s| {
            let held = &held;
            let late = never.clone().map(move |_| std::ptr::from_ref(held).addr()).deadline(SHORT);
            assert_timed_out(late.spawn_on(s));
            let late = s.spawn(|| eventually("time is over", is_cancelled)).timeout(SHORT);
            assert_timed_out(late);
        });
        assert_eq!(drops.count(), 0);
    });
}

#[test]
fn async_work_has_limits_too() {
    #[async_work]
    async fn awaits(input: AsyncResult<u32>) -> asynckit::Result<u32> {
        input.await
    }
    soon(|| {
        let pool = Pool::new(1);
        let never = AsyncResult::<u32>::new();
        assert_timed_out(awaits(never.clone()).timeout(SHORT).spawn_on(&pool));
        let r = chain!(&pool, async move {
            let n = never.clone().timeout(SHORT).await;
            inc(if n.is_err() { 1 } else { 0 })
        });
        assert_eq!(r.get().unwrap(), 2);
    });
}

#[test]
fn many_limits_at_once() {
    soon(|| {
        let pool = Pool::new(2);
        let (setter, input) = AsyncResult::<u32>::channel();
        let waiting: Vec<_> = (0..20_000)
            .map(|n| {
                let limit = if n % 2 == 0 { SHORT } else { LIMIT };
                input.clone().map(|n| n).deadline(limit).spawn_on(&pool)
            })
            .collect();
        eventually("every other one is over", || {
            waiting.iter().step_by(2).all(AsyncResult::is_error)
        });
        setter.set(1).unwrap();
        let in_time = waiting.into_iter().skip(1).step_by(2).join_all();
        assert_eq!(in_time.get().unwrap().len(), 10_000);
    });
}

/// By a clock of the pool's own: what is due at two moments may be done by two threads.
#[test]
fn limits_end_in_the_order_of_their_moments() {
    soon(|| {
        let pool = Pool::deterministic(1);
        let limits = [300, 100, 500, 200].map(Duration::from_millis);
        let never = AsyncResult::<u8>::new();
        let results: Vec<_> = limits
            .map(|limit| {
                let late = never.clone().map(|n| n).deadline(limit).spawn_on(&pool);
                late.or_else(move |_| Err::<u8, _>(Broken(limit.as_millis() as u32)))
                    .spawn_on(&pool)
            })
            .into();
        let order: Vec<_> = results
            .as_completed()
            .map(|r| r.get().unwrap_err().downcast_ref::<Broken>().unwrap().0)
            .collect();
        assert_eq!(order, [100, 200, 300, 500]);
    });
}

#[test]
fn a_shorter_limit_that_comes_later_does_not_wait_for_a_longer_one() {
    soon(|| {
        let (never, start) = (AsyncResult::<u8>::new(), Instant::now());
        let long = never.clone().timeout(LIMIT * 100);
        let short = never.clone().timeout(SHORT);
        assert_eq!(short.get().unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(start.elapsed() >= SHORT);
        assert!(!long.is_set());
    });
}

#[test]
fn a_limit_races_with_the_end_of_the_work() {
    soon(|| {
        let pool = Pool::new(2);
        for n in 0..2000u64 {
            let drops = Counter::new();
            let value = drops.on_drop();
            let result = work(move || value).timeout(Duration::from_micros(n % 50)).spawn_on(&pool);
            match result.get() {
                Ok(value) => drop(value),
                Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut),
            }
            eventually("dropped", || drops.count() == 1);
        }
    });
}

#[test]
fn a_pool_that_stops_does_not_wait_for_limits() {
    soon(|| {
        let pool = Pool::new(1);
        let never = AsyncResult::<u8>::new();
        let waits = never.clone().map(|n| n).deadline(LIMIT * 100).spawn_on(&pool);
        pool.stop();
        assert_eq!(waits.get().unwrap_err().kind(), ErrorKind::Stopped);
        let late = inc(1).timeout(LIMIT).spawn_on(&pool);
        assert_eq!(late.get().unwrap_err().kind(), ErrorKind::Stopped);
    });
}

#[test]
fn limited_work_counts_in_the_queue() {
    soon(|| {
        let pool = Pool::builder().workers(1).queue_capacity(2).build().unwrap();
        let busy = occupy(&pool);
        let a = inc(1).timeout(LIMIT).spawn_on(&pool);
        let b = inc(2).timeout(LIMIT).spawn_on(&pool);
        let Err(c) = inc(3).timeout(LIMIT).try_spawn_on(&pool) else { panic!("there is no room") };
        assert!(a.cancel(), "which makes room");
        let c = c.try_spawn_on(&pool).expect("there is room");
        busy.free();
        assert_eq!((b.get().unwrap(), c.get().unwrap()), (3, 4));
    });
}

#[test]
fn on_a_pool_without_workers() {
    soon(|| {
        let pool = Pool::new(0);
        assert_eq!(inc(1).timeout(LIMIT).spawn_on(&pool).get().unwrap(), 2);
        let late = inc(1).deadline(Duration::ZERO).spawn_on(&pool);
        eventually("time is over", || late.is_set());
        assert_timed_out(late);
    });
}

#[test]
fn a_deterministic_pool_has_a_clock_of_its_own() {
    soon(|| {
        let hour = Duration::from_secs(3600);
        let run = |seed| {
            let pool = Pool::deterministic(seed);
            let nevers: Vec<_> = (0..3).map(|_| AsyncResult::<u32>::new()).collect();
            let late = |n: usize, hours: u32| {
                nevers[n].clone().map(|n| n).deadline(hours * hour).spawn_on(&pool)
            };
            let results = [late(0, 3), late(1, 1), late(2, 2)];
            let mut hours = Vec::new();
            for result in results.as_completed() {
                assert_eq!(result.get().unwrap_err().kind(), ErrorKind::TimedOut);
                hours.push(pool.virtual_time().unwrap().as_secs() / 3600);
            }
            let in_time = inc(1).timeout(hour).spawn_on(&pool).get().unwrap();
            assert_timed_out(nevers[0].clone().map(|n| n).spawn_on(&pool).timeout(hour));
            (hours, in_time, pool.virtual_time().unwrap())
        };
        assert_eq!(run(1), (vec![1, 2, 3], 2, 4 * hour));
        assert_eq!(run(2), run(1));

        let pool = Pool::deterministic(1);
        let token = CancelToken::with_timeout(hour);
        let never = AsyncResult::<u32>::new();
        assert_timed_out(chain!(&token.on(&pool), inc(never.clone())));
        assert!(token.is_cancelled());
        assert_eq!(pool.virtual_time(), Some(hour));
    });
}

#[test]
fn no_time_at_all_is_over_at_once() {
    soon(|| {
        for pool in [Pool::new(1), Pool::new(0), Pool::deterministic(1)] {
            assert_timed_out(inc(1).deadline(Duration::ZERO).spawn_on(&pool));
            assert_timed_out(inc(1).timeout(Duration::ZERO).spawn_on(&pool));
            assert_timed_out(
                AsyncResult::<u32>::new().map(|n| n).deadline(Duration::ZERO).spawn_on(&pool),
            );
            // What is there is in time.
            assert_eq!(AsyncResult::ready(3).timeout(Duration::ZERO).get().unwrap(), 3);
            assert_timed_out(AsyncResult::<u32>::new().timeout(Duration::ZERO));
        }
    });
}
