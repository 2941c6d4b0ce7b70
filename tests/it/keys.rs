//! Limits and rates by key: one for each, made when needed, forgotten when idle.

use std::sync::Barrier;
use std::time::Duration;

use asynckit::{AsyncResult, ErrorKind, Limit, Pool, Rate, Results, Work, async_work, work};

use crate::support::{Gate, Inside, eventually, soon};

const HOUR: Duration = Duration::from_secs(3600);

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

#[test]
fn each_key_has_its_own() {
    soon(|| {
        let (pool, limit, gate) = (Pool::new(4), Limit::new(1), Gate::new());
        let hold = |key: &str| -> AsyncResult<()> {
            let gate = gate.clone();
            work(move || gate.pass()).limit(&limit.of(key)).spawn_on(&pool)
        };
        let (first, second) = (hold("a"), hold("a"));
        let its = limit.of(&"a".to_owned());
        assert_eq!((its.waiting(), its.most()), (1, 1), "a `String` is the key that its text is");
        // Another key is free, and so is the limit itself, and a key of another type.
        assert_eq!(inc(1).limit(&limit.of("b")).spawn_on(&pool).get().unwrap(), 2);
        assert_eq!(inc(1).limit(&limit.of(&5)).spawn_on(&pool).get().unwrap(), 2);
        assert_eq!(inc(1).limit(&limit).spawn_on(&pool).get().unwrap(), 2);
        // Keys of keys.
        assert_eq!(inc(1).limit(&its.of("a")).spawn_on(&pool).get().unwrap(), 2);
        gate.open();
        first.get().unwrap();
        second.get().unwrap();
        drop(its);
        eventually("all keys are forgotten", || limit.keys() == 0);
    });
}

#[test]
fn never_more_at_once_for_a_key_than_allowed() {
    const KEYS: usize = 7;
    soon(|| {
        let (pool, limit) = (Pool::new(8), Limit::new(2));
        let inside: [Inside; KEYS] = Default::default();
        let visit = |key: usize| -> Work<'static, ()> {
            let inside = inside[key].clone();
            work(move || inside.visit(std::thread::yield_now))
        };
        let start = Barrier::new(4);
        std::thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    start.wait();
                    let all = (0..500).map(|n| {
                        let key = format!("host {}", n % KEYS);
                        visit(n % KEYS).limit(&limit.of(&key)).spawn_on(&pool)
                    });
                    all.join_all().get().unwrap();
                });
            }
        });
        assert!(inside.iter().all(|of_key| (1..=2).contains(&of_key.most())));
        eventually("all keys are forgotten", || limit.keys() == 0);
    });
}

#[test]
fn a_key_in_use_stays() {
    soon(|| {
        let (pool, limit, gate) = (Pool::new(2), Limit::new(1), Gate::new());
        let shut = gate.clone();
        let busy = work(move || shut.pass()).limit(&limit.of(&1)).spawn_on(&pool);
        // Nobody has a handle on it, but work has its permit.
        assert_eq!(limit.keys(), 1);
        let next = inc(1).limit(&limit.of(&1)).spawn_on(&pool);
        assert_eq!(limit.of(&1).waiting(), 1);
        gate.open();
        busy.get().unwrap();
        assert_eq!(next.get().unwrap(), 2);
    });
}

#[test]
fn a_rate_is_forgotten_when_it_is_as_new() {
    soon(|| {
        let pool = Pool::deterministic(1);
        let rate = Rate::every(HOUR);
        assert_eq!(inc(1).rate(&rate.of("a")).spawn_on(&pool).get().unwrap(), 2);
        // Nobody has a handle, and nobody stands in line: but its turn was taken just now.
        assert_eq!(rate.keys(), 1);
        let next = inc(1).rate(&rate.of("a")).spawn_on(&pool);
        let other = inc(1).rate(&rate.of("b")).spawn_on(&pool);
        other.get().unwrap();
        assert_eq!(pool.virtual_time(), Some(Duration::ZERO));
        next.get().unwrap();
        assert_eq!(pool.virtual_time(), Some(HOUR));
        // And an hour later both are as if they had never been used.
        let never = AsyncResult::<u32>::new();
        let waits = never.clone().map(|n| n).spawn_on(&pool);
        assert!(!waits.wait_timeout(HOUR));
        assert_eq!(rate.keys(), 0);
    });
}

#[test]
fn by_the_systems_clock_too() {
    soon(|| {
        let (pool, rate) = (Pool::new(2), Rate::per_second(100).burst(2));
        let all = (0..40).map(|n| inc(n).rate(&rate.of(&(n % 20))).spawn_on(&pool)).join_all();
        assert_eq!(all.get().unwrap().len(), 40);
        eventually("all keys are forgotten", || rate.keys() == 0);
    });
}

#[test]
fn a_million_keys_do_not_stay() {
    soon(|| {
        let (pool, limit, rate) = (Pool::new(2), Limit::new(1), Rate::per_second(1_000_000));
        let all = (0..50_000u64).map(|key| {
            work(move || key).limit(&limit.of(&key)).rate(&rate.of(&key)).spawn_on(&pool)
        });
        assert_eq!(all.join_all().get().unwrap().len(), 50_000);
        for key in 50_000..1_000_000u64 {
            assert_eq!(limit.of(&key).waiting() + rate.of(&key).waiting(), 0);
        }
        assert!(limit.keys() + rate.keys() <= 100_000);
        eventually("all keys are forgotten", || limit.keys() + rate.keys() == 0);
    });
}

#[test]
fn keys_of_a_users_own_type() {
    /// Looks at the limit from within its comparison's clean-up: no lock is held then.
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Host(String, u16);
    soon(|| {
        let (pool, limit) = (Pool::new(2), Limit::new(3));
        let host = Host("a.example".into(), 80);
        let one = limit.of(&host);
        assert_eq!(inc(1).limit(&one).spawn_on(&pool).get().unwrap(), 2);
        assert_eq!((limit.keys(), limit.of(&host.clone()).most()), (1, 3));
        let error = inc(1).limit(&one.take(4)).spawn_on(&pool).get().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
    });
}

#[test]
fn a_key_whose_drop_asks_for_the_limit() {
    /// Asks when it is dropped.
    struct Asks(u32, Limit);
    impl Clone for Asks {
        fn clone(&self) -> Asks {
            Asks(self.0, self.1.clone())
        }
    }
    impl PartialEq for Asks {
        fn eq(&self, other: &Asks) -> bool {
            self.0 == other.0
        }
    }
    impl Eq for Asks {}
    impl std::hash::Hash for Asks {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }
    impl Drop for Asks {
        fn drop(&mut self) {
            assert_eq!(self.1.of(&self.0).most(), 1);
        }
    }
    soon(|| {
        let (limit, other) = (Limit::new(1), Limit::new(1));
        let key = Asks(1, other.clone());
        drop(limit.of(&key));
        let own = Asks(2, limit.clone());
        drop(limit.of(&own));
        drop((key, own));
        assert_eq!(limit.keys() + other.keys(), 0);
    });
}
