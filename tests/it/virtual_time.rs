//! Limits of time and pauses go by the clock of a deterministic pool, which takes no time.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use asynckit::{
    AsyncResult, CancelToken, ErrorKind, Explore, Pool, Retry, Work, async_work, chain, explore,
    try_work, work,
};

use crate::support::{Broken, soon};

const HOUR: Duration = Duration::from_secs(3600);

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

/// Work that fails a few times.
fn fails(times: u32) -> impl FnMut() -> Work<'static, u32> {
    let tries = Arc::new(AtomicU32::new(0));
    move || {
        let tries = tries.clone();
        try_work(move || match tries.fetch_add(1, SeqCst) {
            n if n < times => Err(Broken(n)),
            n => Ok(n),
        })
    }
}

#[test]
fn limits_end_at_their_moment_and_at_once() {
    soon(|| {
        let (pool, start) = (Pool::deterministic(1), Instant::now());
        let never = AsyncResult::<u32>::new();
        let late = chain!(&pool, inc(never.clone())).timeout(2 * HOUR);
        let early = pool.spawn(|| 1).map(|n| n + 1).timeout(HOUR).spawn_on(&pool);
        assert_eq!(early.get().unwrap(), 2);
        assert_eq!(pool.virtual_time(), Some(Duration::ZERO));
        assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(pool.virtual_time(), Some(2 * HOUR));
        assert!(start.elapsed() < Duration::from_secs(20));
        drop(never);
    });
}

#[test]
fn the_earliest_comes_first() {
    soon(|| {
        let pool = Pool::deterministic(1);
        let order = Arc::new(Mutex::new(Vec::new()));
        let nevers: Vec<_> = [3, 1, 2]
            .map(|hours| {
                let (never, order) = (AsyncResult::<u32>::new(), order.clone());
                let limited = chain!(&pool, inc(never.clone())).timeout(hours * HOUR);
                limited.on_set(move |_| order.lock().unwrap().push(hours));
                never
            })
            .into();
        let never = &nevers[0];
        let last = chain!(&pool, inc(never.clone()));
        assert!(!last.wait_timeout(5 * HOUR));
        assert_eq!(*order.lock().unwrap(), [1, 2, 3]);
        assert_eq!(pool.virtual_time(), Some(5 * HOUR));
    });
}

#[test]
fn pauses_between_tries_take_no_time_and_are_the_same_again() {
    soon(|| {
        let start = Instant::now();
        let run = |seed| {
            let pool = Pool::deterministic(seed);
            let retry = Retry::new(3).backoff(HOUR).max_backoff(10 * HOUR);
            assert_eq!(retry.work(fails(3)).spawn_on(&pool).get().unwrap(), 3);
            pool.virtual_time().unwrap()
        };
        // Of each pause between half and all is waited: 1, 2 and 4 hours.
        assert!((HOUR * 7 / 2..=HOUR * 7).contains(&run(1)));
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        assert!(start.elapsed() < Duration::from_secs(20));
    });
}

#[test]
fn a_stop_waits_for_what_sleeps() {
    soon(|| {
        let pool = Pool::deterministic(1);
        let tried = Retry::new(3).backoff(HOUR).work(fails(2)).spawn_on(&pool);
        pool.stop();
        assert_eq!(tried.get().unwrap(), 2);
        // Work that waits, inside of a pool that stops, for work that sleeps.
        let pool = Pool::deterministic(2);
        let tried = Retry::new(3).backoff(HOUR).work(fails(2)).spawn_on(&pool);
        let waits = pool.spawn(move || tried.get());
        pool.stop();
        assert_eq!(waits.get().unwrap().unwrap(), 2);
    });
}

#[test]
fn work_in_place_goes_by_the_pool_around_it() {
    soon(|| {
        let (pool, start) = (Pool::deterministic(1), Instant::now());
        let inside = pool.spawn(|| {
            let never = AsyncResult::<u32>::new();
            let late = inc_of(never.clone()).deadline(HOUR).run();
            let tried = Retry::new(2).backoff(HOUR).max_backoff(HOUR).work(fails(1)).run();
            drop(never);
            (late, tried)
        });
        let (late, tried) = inside.get().unwrap();
        assert_eq!(late.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(tried.unwrap(), 1);
        let time = pool.virtual_time().unwrap();
        assert!((HOUR * 3 / 2..=HOUR * 2).contains(&time), "{time:?}");
        assert!(start.elapsed() < Duration::from_secs(20));
    });
}

/// Work that waits for a result.
fn inc_of(result: AsyncResult<u32>) -> Work<'static, u32> {
    result.map(|n| n + 1)
}

#[test]
fn a_test_that_is_explored_goes_by_its_pool() {
    soon(|| {
        let start = Instant::now();
        explore(20, |pool| {
            let token = CancelToken::with_timeout(HOUR);
            let never = AsyncResult::<u32>::new();
            let cut = chain!(&token.on(pool), inc(never.clone()));
            assert_eq!(cut.get().unwrap_err().kind(), ErrorKind::TimedOut);
            assert_eq!(pool.virtual_time(), Some(HOUR));
            drop(never);
        });
        // Each failure is tried again, whichever task it is put into.
        Explore::new().runs(5).fail_each_task().run(|pool| {
            let tried = Retry::new(2).backoff(HOUR).work(|| work(|| 1)).spawn_on(pool);
            drop(tried.get());
        });
        assert!(start.elapsed() < Duration::from_secs(20));
    });
}

#[test]
fn a_result_of_no_pool_goes_by_that_of_who_limits_it() {
    soon(|| {
        let (pool, never) = (Pool::deterministic(1), AsyncResult::<u32>::new());
        let its = never.clone();
        let limits = pool.spawn(move || its.timeout(HOUR).get().map_err(|error| error.kind()));
        assert_eq!(limits.get().unwrap(), Err(ErrorKind::TimedOut));
        assert_eq!(pool.virtual_time(), Some(HOUR));
    });
}
