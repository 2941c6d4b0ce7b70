//! Rates: work begins no more often than allowed, first come, first served, by the clock of its pool.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use asynckit::{
    AsyncResult, CancelToken, ErrorKind, Explore, Limit, Pool, Rate, Results, Retry, Work,
    async_work, chain, current, explore, try_work, work,
};

use crate::support::{Broken, Counter, eventually, occupy, soon};

const HOUR: Duration = Duration::from_secs(3600);
const TENTH: Duration = Duration::from_millis(100);

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

/// When work has begun, by a deterministic pool's clock, and which.
#[derive(Clone, Default)]
struct Begun(Arc<Mutex<Vec<(Duration, usize)>>>);

impl Begun {
    /// Work that notes when it begins.
    fn work(&self, pool: &Arc<Pool>, n: usize) -> Work<'static, usize> {
        let (begun, pool) = (self.clone(), pool.clone());
        work(move || {
            begun.0.lock().unwrap().push((pool.virtual_time().unwrap(), n));
            n
        })
    }

    fn times(&self) -> Vec<Duration> {
        self.0.lock().unwrap().iter().map(|(time, _)| *time).collect()
    }

    fn order(&self) -> Vec<usize> {
        self.0.lock().unwrap().iter().map(|(_, n)| *n).collect()
    }
}

#[test]
fn turns_are_spread_evenly_and_come_by_virtual_time() {
    soon(|| {
        for seed in 0..10 {
            let (pool, begun) = (Arc::new(Pool::deterministic(seed)), Begun::default());
            let (rate, start) = (Rate::per_hour(1), Instant::now());
            let all = (0..20).map(|n| begun.work(&pool, n).rate(&rate).spawn_on(&pool)).join_all();
            assert_eq!(all.get().unwrap(), (0..20).collect::<Vec<_>>());
            assert_eq!(begun.times(), (0..20).map(|n| n * HOUR).collect::<Vec<_>>());
            assert_eq!(begun.order(), (0..20).collect::<Vec<_>>(), "first come, first served");
            assert!(start.elapsed() < HOUR);
        }
    });
}

#[test]
fn a_burst_begins_at_once_and_comes_back_with_rest() {
    soon(|| {
        let (pool, begun) = (Arc::new(Pool::deterministic(1)), Begun::default());
        let rate = Rate::per_second(10).burst(5);
        let wave = || (0..7).map(|n| begun.work(&pool, n).rate(&rate).spawn_on(&pool)).join_all();
        wave().get().unwrap();
        let first = [0, 0, 0, 0, 0, 1, 2].map(|n| n * TENTH);
        assert_eq!(begun.times(), first);
        // Half a second later there are three and five of five: no more than the burst ever.
        let never = AsyncResult::<u32>::new();
        assert!(!chain!(&*pool, inc(never.clone())).wait_timeout(HOUR));
        let at = pool.virtual_time().unwrap();
        wave().get().unwrap();
        assert_eq!(begun.times()[7..], first.map(|time| at + time));
    });
}

#[test]
fn no_window_of_time_has_more() {
    // By the system's clock, and with work that comes from several threads.
    soon(|| {
        let (pool, rate, begun) = (Pool::new(4), Rate::per_second(200).burst(4), Counter::new());
        let start = Instant::now();
        std::thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    let works = (0..10).map(|_| {
                        let (begun, rate) = (begun.clone(), rate.clone());
                        work(move || begun.add()).rate(&rate).spawn_on(&pool)
                    });
                    works.join_all().get().unwrap();
                });
            }
        });
        // 4 at once, and 36 more at 5 ms each.
        assert!(start.elapsed() >= Duration::from_millis(180), "{:?}", start.elapsed());
        assert_eq!(begun.count(), 40);
    });
}

#[test]
fn who_waits_holds_no_worker() {
    soon(|| {
        let (pool, rate) = (Pool::new(1), Rate::every(HOUR));
        inc(0).rate(&rate).spawn_on(&pool).get().unwrap();
        let parked: Vec<_> = (0..50).map(|n| inc(n).rate(&rate).spawn_on(&pool)).collect();
        assert_eq!(rate.waiting(), 50);
        assert_eq!(inc(1).spawn_on(&pool).get().unwrap(), 2);
        pool.stop_now();
        for one in parked {
            assert_eq!(one.get().unwrap_err().kind(), ErrorKind::Stopped);
        }
        eventually("nobody stands in line", || rate.waiting() == 0);
    });
}

#[test]
fn who_gives_up_takes_no_turn() {
    soon(|| {
        let (pool, begun) = (Arc::new(Pool::deterministic(1)), Begun::default());
        let (rate, token) = (Rate::every(HOUR), CancelToken::new());
        let all: Vec<_> = (0..6)
            .map(|n| match n {
                1 | 2 => begun.work(&pool, n).rate(&rate).spawn_on(&token.on(&pool)),
                3 => begun.work(&pool, n).rate(&rate).deadline(HOUR / 2).spawn_on(&pool),
                _ => begun.work(&pool, n).rate(&rate).spawn_on(&pool),
            })
            .collect();
        token.cancel();
        let kinds: Vec<_> =
            all.into_iter().map(|one| one.get().map_err(|error| error.kind())).collect();
        let (cancelled, late) = (Err(ErrorKind::Cancelled), Err(ErrorKind::TimedOut));
        assert_eq!(kinds, [Ok(0), cancelled, cancelled, late, Ok(4), Ok(5)]);
        assert_eq!(begun.times(), [0, 1, 2].map(|n| n * HOUR));
    });
}

#[test]
fn each_try_takes_a_turn() {
    soon(|| {
        let (pool, times) = (Arc::new(Pool::deterministic(1)), Arc::new(Mutex::new(Vec::new())));
        let rate = Rate::every(HOUR);
        let retried = Retry::new(3).work({
            let (pool, times, rate) = (pool.clone(), times.clone(), rate.clone());
            move || {
                let (pool, times) = (pool.clone(), times.clone());
                let attempt = try_work(move || {
                    times.lock().unwrap().push(pool.virtual_time().unwrap());
                    if times.lock().unwrap().len() < 4 { Err(Broken(1)) } else { Ok(7) }
                });
                attempt.rate(&rate)
            }
        });
        assert_eq!(retried.spawn_on(&pool).get().unwrap(), 7);
        assert_eq!(*times.lock().unwrap(), [0, 1, 2, 3].map(|n| n * HOUR));
    });
}

#[test]
fn a_time_in_line_is_no_part_of_the_run() {
    soon(|| {
        let pool = Arc::new(Pool::deterministic(1));
        let rate = Rate::every(HOUR);
        let all =
            (0..3).map(|n| inc(n).timeout(Duration::from_secs(1)).rate(&rate).spawn_on(&pool));
        let outside = (0..3).map(|n| inc(n).rate(&rate).timeout(TENTH).spawn_on(&pool));
        assert_eq!(all.join_all().get().unwrap(), [1, 2, 3]);
        assert_eq!(outside.join_all().get().unwrap(), [1, 2, 3]);
    });
}

#[test]
fn in_place_it_blocks() {
    soon(|| {
        let (rate, start) = (Rate::per_second(100), Instant::now());
        for n in 0..4 {
            assert_eq!(inc(n).rate(&rate).run().unwrap(), n + 1);
        }
        assert!(start.elapsed() >= Duration::from_millis(30));
        // Inside of work of a deterministic pool its clock counts.
        let pool = Arc::new(Pool::deterministic(1));
        let rate = Rate::every(HOUR);
        let its = rate.clone();
        let inside =
            pool.spawn(move || (0..4).map(|n| inc(n).rate(&its).run().unwrap()).sum::<u32>());
        assert_eq!(inside.get().unwrap(), 10);
        assert_eq!(pool.virtual_time(), Some(3 * HOUR));
        // Where there is not so much time, it says so.
        let rate = Rate::every(HOUR);
        inc(0).rate(&rate).run().unwrap();
        let late = inc(1).rate(&rate).deadline(Duration::from_millis(5)).run().unwrap_err();
        assert_eq!(late.kind(), ErrorKind::TimedOut);
        assert_eq!(rate.waiting(), 0);
    });
}

#[test]
fn in_place_on_the_only_thread_of_a_pool() {
    // All threads of the pool wait, and that is no deadlock: time goes on.
    soon(|| {
        let pool = Pool::builder().workers(1).max_spares(0).build().unwrap();
        let rate = Rate::per_second(50);
        let run = move || {
            let rates = [rate.clone(), rate.clone(), rate.clone()];
            rates.map(|rate| inc(1).rate(&rate).run().unwrap())
        };
        assert_eq!(pool.spawn(run).get().unwrap(), [2, 2, 2]);
    });
}

#[test]
fn a_stop_finishes_what_stands_in_line() {
    soon(|| {
        let (pool, rate, ran) = (Pool::new(2), Rate::per_second(500), Counter::new());
        for _ in 0..20 {
            let ran = ran.clone();
            work(move || ran.add()).rate(&rate).detach_on(&pool);
        }
        pool.stop();
        assert_eq!(ran.count(), 20);
        let (pool, rate) = (Pool::deterministic(1), Rate::every(HOUR));
        let results: Vec<_> = (0..5).map(|n| inc(n).rate(&rate).spawn_on(&pool)).collect();
        pool.stop();
        assert_eq!(results.join_all().get().unwrap(), [1, 2, 3, 4, 5]);
    });
}

#[test]
fn a_stop_in_time_does_not_wait_for_turns() {
    soon(|| {
        let (pool, rate) = (Pool::new(1), Rate::every(HOUR));
        let results: Vec<_> = (0..3).map(|n| inc(n).rate(&rate).spawn_on(&pool)).collect();
        results[0].wait();
        let _ = pool.stop_timeout(Duration::from_millis(20));
        let kinds: Vec<_> = results.into_iter().map(|one| one.get().is_ok()).collect();
        assert_eq!(kinds, [true, false, false]);
        assert_eq!(rate.waiting(), 0);
    });
}

#[test]
fn pools_without_workers_and_scopes() {
    soon(|| {
        let (pool, rate, number) = (Pool::new(0), Rate::per_second(500), 3);
        let borrowed = &number;
        let sum: u32 = pool.scope(|s| {
            let all: Vec<_> =
                (0..5).map(|n| work(move || n + borrowed).rate(&rate).spawn_on(s)).collect();
            all.into_iter().map(|one| one.get().unwrap()).sum()
        });
        assert_eq!(sum, 25);
        let detached = Counter::new();
        for _ in 0..3 {
            let detached = detached.clone();
            work(move || detached.add()).rate(&rate).detach_on(&pool);
        }
        pool.stop();
        assert_eq!(detached.count(), 3);
    });
}

#[test]
fn every_kind_of_work() {
    #[async_work]
    async fn awaits(input: AsyncResult<u32>) -> asynckit::Result<u32> {
        input.await
    }
    explore(20, |pool| {
        let (rate, limit) = (Rate::per_minute(60).burst(2), Limit::new(1));
        let awaited = awaits(pool.spawn(|| 1)).rate(&rate).spawn_on(pool);
        let lent = AsyncResult::ready(5);
        let mapped = lent.clone().map(|n: u32| n + 1).rate(&rate).spawn_on(pool);
        let under_both = inc(1).limit(&limit).rate(&rate).limit(&limit.of("other")).spawn_on(pool);
        let one = inc(3).rate(&rate);
        let chained = chain!(pool, inc(one));
        let its = rate.clone();
        let inside = pool.spawn(move || inc(8).rate(&its).spawn_on(&current()).get());
        let failed = AsyncResult::<u32>::failed(Broken(2)).map(|n| n).rate(&rate).spawn_on(pool);
        assert!(failed.get().is_err());
        assert_eq!(awaited.get().unwrap(), 1);
        assert_eq!(mapped.get().unwrap(), 6);
        assert_eq!(under_both.get().unwrap(), 2);
        assert_eq!(chained.get().unwrap(), 5);
        assert_eq!(inside.get().unwrap().unwrap(), 9);
        assert_eq!(lent.get().unwrap(), 5);
    });
}

#[test]
fn failures_and_panics_at_every_place() {
    Explore::new().runs(40).fail_each_task().run(|pool| {
        let rate = Rate::every(HOUR);
        let all: Vec<_> = (0..4).map(|n| inc(n).rate(&rate).spawn_on(pool)).collect();
        all.into_iter().for_each(|one| drop(one.get()));
        assert_eq!(rate.waiting(), 0);
    });
}

#[test]
fn all_given_up_at_once() {
    soon(|| {
        let (pool, rate, token) = (Pool::new(2), Rate::every(HOUR), CancelToken::new());
        let place = token.on(&pool);
        let all: Vec<_> = (0..50_000).map(|n| inc(n).rate(&rate).spawn_on(&place)).collect();
        token.cancel();
        assert!(all.into_iter().filter(|one| one.get_ref().is_ok()).count() <= 1);
        eventually("nobody stands in line", || rate.waiting() == 0);
    });
}

#[test]
fn what_stands_in_line_counts_in_the_queue_and_is_shown() {
    soon(|| {
        let pool = Pool::builder().workers(1).queue_capacity(2).build().unwrap();
        let rate = Rate::every(HOUR);
        inc(0).rate(&rate).spawn_on(&pool).get().unwrap();
        let busy = occupy(&pool);
        let parked: Vec<_> = (0..2).map(|n| inc(n).rate(&rate).spawn_on(&pool)).collect();
        assert!(inc(9).try_spawn_on(&pool).is_err(), "the queue is full");
        let snapshot = pool.snapshot();
        let shown = snapshot.limits.iter().find(|limit| limit.in_line == 2).unwrap();
        assert_eq!((shown.most, shown.every), (1, Some(HOUR)));
        let text = snapshot.to_string();
        assert!(text.contains("1 per hour (") && text.contains("in line"), "{text}");
        pool.stop_now();
        busy.free();
        assert!(parked.into_iter().all(|one| one.get().is_err()));
    });
}

#[test]
fn more_than_the_burst_is_an_error_at_once() {
    soon(|| {
        let (pool, rate) = (Pool::new(1), Rate::per_second(10).burst(5));
        let error = inc(1).rate(&rate.take(6)).spawn_on(&pool).get().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(error.to_string().contains("takes 6 of a rate with a burst of 5"), "{error}");
        assert!(inc(1).rate(&rate.take(6)).run().is_err());
        let (pool, begun) = (Arc::new(Pool::deterministic(1)), Begun::default());
        let all = (0..3).map(|n| begun.work(&pool, n).rate(&rate.take(3)).spawn_on(&pool));
        all.join_all().get().unwrap();
        assert_eq!(begun.times(), [0, 1, 4].map(|n| n * TENTH));
    });
}

#[test]
#[should_panic(expected = "a rate of 0 would let no work begin")]
fn a_rate_of_nothing_is_refused() {
    let _ = Rate::per_minute(0);
}

#[test]
#[should_panic(expected = "a burst of 0 would let no work begin")]
fn a_burst_of_nothing_is_refused() {
    let _ = Rate::per_minute(1).burst(0);
}

/// Begins at most once each 20 ms, but for two at once.
#[async_work(rate = "50/s", burst = 2, retry = 5)]
fn asked(calls: &Counter, fails: usize) -> Result<usize, Broken> {
    match calls.add() {
        n if n < fails => Err(Broken(0)),
        n => Ok(n),
    }
}

#[test]
fn an_annotated_function_has_a_rate_of_its_own() {
    soon(|| {
        let (pool, calls, start) = (Pool::new(2), Counter::new(), Instant::now());
        let all = (0..3).map(|_| asked(&calls, 4));
        pool.scope(|s| {
            let all: Vec<_> = all.map(|work| work.spawn_on(s)).collect();
            assert!(all.into_iter().all(|one| one.get().is_ok()));
        });
        // Six calls, as three have failed.
        assert_eq!(calls.count(), 6);
        assert!(start.elapsed() >= Duration::from_millis(80), "{:?}", start.elapsed());
    });
}
