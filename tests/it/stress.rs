//! Much of everything at once: the counts must add up.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use asynckit::{AsyncResult, ErrorKind, Pool, Results, async_work, chain};

use crate::support::{Counter, OnDrop, drop_quietly, within};

const LONG: Duration = Duration::from_secs(120);

#[async_work]
fn add(a: u64, b: u64) -> u64 {
    a + b
}

#[async_work]
fn read(n: &u64) -> u64 {
    *n
}

/// A small generator of pseudo-random numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

#[test]
fn a_hundred_thousand_tasks_from_four_threads() {
    within(LONG, || {
        let pool = Pool::new(2);
        let (ran, drops) = (Counter::new(), Counter::new());
        let total: u64 = thread::scope(|s| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    s.spawn(|| {
                        let results: Vec<_> = (0..25_000u64)
                            .map(|n| {
                                let (runs, held) = (ran.clone(), drops.on_drop());
                                pool.spawn(move || {
                                    runs.add();
                                    drop(held);
                                    n
                                })
                            })
                            .collect();
                        results.into_iter().map(|r| r.get().unwrap()).sum::<u64>()
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(total, 4 * (25_000 * 24_999 / 2));
        assert_eq!((ran.count(), drops.count()), (100_000, 100_000));
    });
}

#[test]
fn panics_everywhere() {
    struct Bomb(OnDrop);
    impl Drop for Bomb {
        fn drop(&mut self) {
            let _ = &self.0;
            std::panic::resume_unwind(Box::new("a drop, on purpose"));
        }
    }
    within(LONG, || {
        let hooked = Counter::new();
        let pool = Pool::builder()
            .workers(2)
            .on_unobserved_error({
                let hooked = hooked.clone();
                move |_| {
                    hooked.add();
                }
            })
            .build()
            .unwrap();
        // Panics that are resumed print nothing.
        fn panic<T>() -> T {
            std::panic::resume_unwind(Box::new("on purpose"))
        }
        let drops = Counter::new();
        let (mut good, mut bad) = (0, 0);
        let mut results = Vec::new();
        for n in 0..10_000u64 {
            let held = drops.on_drop();
            let r = match n % 5 {
                0 => pool.spawn(move || -> u64 {
                    let _held = held;
                    panic()
                }),
                1 => {
                    let r = pool.spawn(move || {
                        drop(held);
                        n
                    });
                    r.on_set(move |_| panic());
                    r
                }
                2 => {
                    drop_quietly(pool.spawn(move || Bomb(held)));
                    continue;
                }
                3 => {
                    let failed = AsyncResult::<u64>::failed("no");
                    failed
                        .map(move |n| {
                            drop(held);
                            n
                        })
                        .spawn_on(&pool)
                }
                _ => pool.spawn(move || {
                    drop(held);
                    n
                }),
            };
            results.push(r);
        }
        for r in results {
            match r.get() {
                Ok(_) => good += 1,
                Err(_) => bad += 1,
            }
        }
        assert_eq!((good, bad), (4000, 4000));
        pool.stop();
        assert_eq!(drops.count(), 10_000);
        assert!(hooked.count() >= 2000, "callbacks: {}", hooked.count());
    });
}

#[test]
fn graphs_of_every_shape() {
    within(LONG, || {
        let pool = Pool::new(2);
        for seed in 1..=20 {
            let mut random = Random(seed * 0x9E37_79B9);
            let mut values: Vec<u64> = (0..5).collect();
            let mut results: Vec<AsyncResult<u64>> =
                values.iter().map(|n| AsyncResult::ready(*n)).collect();
            for _ in 0..500 {
                let (i, j) = (
                    random.below(values.len() as u64) as usize,
                    random.below(values.len() as u64) as usize,
                );
                let (value, result) = match random.below(3) {
                    0 => {
                        let (a, b) = (results[i].clone(), results[j].clone());
                        (values[i].wrapping_add(values[j]) % 1000, chain!(&pool, sum_of(a, b)))
                    }
                    1 => {
                        let a = &results[i];
                        (values[i], chain!(&pool, read(a)))
                    }
                    _ => {
                        let a = results[i].clone();
                        ((values[i] + 7) % 1000, chain!(&pool, sum_of(a, 7)))
                    }
                };
                values.push(value);
                results.push(result);
            }
            let all = results.join_all().get().unwrap();
            assert_eq!(all, values);
        }
    });
}

#[async_work]
fn sum_of(a: u64, b: u64) -> u64 {
    (a + b) % 1000
}

#[test]
fn cancelling_and_stopping_at_random_lose_nothing() {
    within(LONG, || {
        for seed in 1..=40 {
            let pool = Arc::new(Pool::new(2));
            let drops = Counter::new();
            let (mut created, mut results) = (0, Vec::new());
            let mut random = Random(seed * 0x51_7C_C1_B7);
            let stops_at = 50 + random.below(200);
            for n in 0..300 {
                if n == stops_at {
                    let pool = pool.clone();
                    if n % 2 == 0 {
                        pool.stop_now();
                    } else {
                        pool.stop();
                    }
                }
                let held = drops.on_drop();
                created += 1;
                let r = pool.spawn(move || held);
                let held = drops.on_drop();
                created += 1;
                let next = r.map(move |first| drop((first, held))).spawn_on(&pool);
                if random.below(4) == 0 {
                    next.cancel();
                }
                results.push(next);
            }
            for r in results {
                if let Err(error) = r.get() {
                    let expected = [ErrorKind::Cancelled, ErrorKind::Stopped];
                    assert!(expected.contains(&error.kind()), "{error:#}");
                }
            }
            pool.stop();
            drop(pool);
            assert_eq!(drops.count(), created);
        }
    });
}

#[test]
fn a_wide_diamond() {
    within(LONG, || {
        let pool = Pool::new(2);
        let (setter, top) = AsyncResult::channel();
        let wide: Vec<_> = (0..50_000).map(|_| chain!(&pool, read(&top))).collect();
        setter.set(2).unwrap();
        let mut rest = wide;
        while rest.len() > 1 {
            let mut pairs = rest.into_iter();
            rest = Vec::new();
            while let Some(a) = pairs.next() {
                rest.push(match pairs.next() {
                    Some(b) => chain!(&pool, add(a, b)),
                    None => a,
                });
            }
        }
        assert_eq!(rest.pop().unwrap().get().unwrap(), 100_000);
        assert_eq!(top.get().unwrap(), 2);
    });
}
