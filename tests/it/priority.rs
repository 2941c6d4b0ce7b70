//! Priorities: what begins first, who inherits it, and that nothing waits for ever.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use asynckit::Priority::{High, Low, Normal};
use asynckit::{
    AsyncResult, CancelToken, Explore, Limit, Pool, Priority, Results, Retry, Spawner, Work,
    async_work, chain, current, explore, work,
};

use crate::support::{Broken, Counter, occupy, soon};

/// In which order things have happened.
#[derive(Clone, Default)]
struct Order(Arc<Mutex<Vec<&'static str>>>);

impl Order {
    fn note(&self, what: &'static str) -> Work<'static, ()> {
        let order = self.clone();
        work(move || order.0.lock().unwrap().push(what))
    }

    fn noted(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }

    fn counted(&self, what: &str) -> usize {
        self.noted().iter().filter(|noted| **noted == what).count()
    }
}

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

/// Pools that run one piece of work at a time, with the queue filled before any begins.
fn each_pool(test: impl Fn(&Pool, &dyn Fn())) {
    let pool = Pool::new(1);
    let busy = Mutex::new(Some(occupy(&pool)));
    test(&pool, &|| busy.lock().unwrap().take().unwrap().free());
    let pool = Pool::new(0);
    test(&pool, &|| pool.run_until_idle());
    for seed in 0..20 {
        let pool = Pool::deterministic(seed);
        test(&pool, &|| pool.run_until_idle());
    }
}

#[test]
fn high_before_normal_before_low() {
    soon(|| {
        each_pool(|pool, go| {
            let order = Order::default();
            let results = [("low", Low), ("normal", Normal), ("high", High)]
                .map(|(name, priority)| order.note(name).priority(priority).spawn_on(pool));
            go();
            results.into_iter().collect::<Vec<_>>().join_all().get().unwrap();
            assert_eq!(order.noted(), ["high", "normal", "low"]);
        });
    });
}

#[test]
fn none_starves_under_a_flood() {
    // The bound that is promised: of four pieces of work one is not high, of 16 one is low.
    soon(|| {
        each_pool(|pool, go| {
            let order = Order::default();
            let mut results: Vec<AsyncResult<()>> = Vec::new();
            for _ in 0..160 {
                results.push(order.note("high").priority(High).spawn_on(pool));
                results.push(order.note("normal").spawn_on(pool));
                results.push(order.note("low").priority(Low).spawn_on(pool));
            }
            go();
            results.join_all().get().unwrap();
            let noted = order.noted();
            let from_there = |what: &str| noted.iter().filter(|noted| **noted == what).count();
            assert_eq!([from_there("high"), from_there("normal"), from_there("low")], [160; 3]);
            // As long as there is all of it: some turns may be the first of their four or 16 still.
            for window in noted[1..161].windows(16) {
                let count = |what| window.iter().filter(|noted| **noted == what).count();
                assert!(count("low") >= 1 && count("normal") >= 3, "{window:?}");
                assert_eq!(count("high"), 12, "{window:?}");
            }
        });
    });
}

#[test]
fn work_that_submits_itself_again_for_ever_starves_nobody() {
    fn again(stop: Arc<AtomicBool>, priority: Priority) {
        if !stop.load(SeqCst) {
            let next = stop.clone();
            work(move || again(next, priority)).priority(priority).detach_on(&current());
        }
    }
    for (flood, other) in [(High, Low), (High, Normal), (Normal, Low), (Low, High), (Low, Normal)] {
        soon(move || {
            let (pool, stop) = (Pool::new(1), Arc::new(AtomicBool::new(false)));
            for _ in 0..4 {
                let stop = stop.clone();
                work(move || again(stop, flood)).priority(flood).detach_on(&pool);
            }
            assert_eq!(inc(1).priority(other).spawn_on(&pool).get().unwrap(), 2);
            stop.store(true, SeqCst);
        });
    }
}

#[test]
fn a_spawners_priority_composes_with_tokens_and_scopes() {
    soon(|| {
        each_pool(|pool, go| {
            let (order, token) = (Order::default(), CancelToken::new());
            let on = |place: &dyn Spawner<'static>, what| order.note(what).spawn_on(place);
            let low = on(&Low.on(&token.on(pool)), "low");
            let normal = on(pool, "normal");
            let high = on(&token.on(&High.on(pool)), "high");
            let last = on(&High.on(&Low.on(pool)), "high");
            go();
            vec![low, normal, high, last].join_all().get().unwrap();
            assert_eq!(order.noted()[2..], ["normal", "low"]);
        });
        let (pool, number) = (Pool::new(1), 20);
        let sum = pool.scope(|s| {
            let (low, high) = (Low.on(s), High.on(s));
            let (a, b) = (low.spawn(|| number + 1), high.spawn(|| number + 2));
            a.get().unwrap() + b.get().unwrap()
        });
        assert_eq!(sum, 43);
        let token = CancelToken::new();
        token.cancel();
        assert!(inc(1).spawn_on(&Low.on(&token.on(&pool))).get().is_err());
    });
}

#[test]
fn what_work_submits_inherits_it() {
    soon(|| {
        each_pool(|pool, go| {
            let order = Order::default();
            // First and last of its kind, so that what it submits meets all that is there.
            let its = order.clone();
            let parent = work(move || {
                its.note("child").detach_on(&current());
                its.note("a child of its own").priority(Normal).detach_on(&current());
            });
            let parent = parent.priority(Low).spawn_on(pool);
            go();
            parent.get().unwrap();
            let normal = order.note("normal");
            let begins = work(move || normal.detach_on(&current())).priority(High).spawn_on(pool);
            begins.get().unwrap();
            pool.run_until_idle();
            pool.stop();
            assert_eq!(order.noted().len(), 3);
        });
        // By the order in which one worker takes what is there.
        let (pool, order) = (Pool::new(1), Order::default());
        let busy = occupy(&pool);
        let its = order.clone();
        let parent = work(move || {
            let low = its.note("low child").spawn_on(&current());
            let normal = its.note("normal child").priority(Normal).spawn_on(&current());
            (low, normal)
        });
        let parent = parent.priority(Low).spawn_on(&pool);
        busy.free();
        let (low, normal) = parent.get().unwrap();
        low.get().unwrap();
        normal.get().unwrap();
        assert_eq!(order.noted(), ["normal child", "low child"]);
    });
}

#[test]
fn with_all_that_work_is_subject_to() {
    #[async_work(priority = "high")]
    fn urgent(n: u32) -> u32 {
        n + 1
    }
    #[async_work(priority = "low", retry = 2, limit = 1)]
    async fn patient(n: AsyncResult<u32>) -> asynckit::Result<u32> {
        n.await
    }
    explore(20, |pool| {
        let limit = Limit::new(1);
        let low = inc(1).limit(&limit).priority(Low).spawn_on(pool);
        let high = inc(2).priority(High).limit(&limit).spawn_on(pool);
        let chained = chain!(&Low.on(pool), {
            let three = urgent(2);
            inc(three)
        });
        let tries = Counter::new();
        let its = tries.clone();
        let retried = Retry::new(3).work(move || {
            let failed = its.add() < 3;
            asynckit::try_work(move || if failed { Err(Broken(1)) } else { Ok(5) })
        });
        let retried = retried.priority(Low).spawn_on(pool);
        let number = AsyncResult::ready(7);
        let patient = patient(number).spawn_on(pool);
        let nested = inc(1).priority(Low).priority(High).timeout(crate::support::LIMIT);
        let cancelled = inc(9).priority(Low).spawn_on(pool);
        cancelled.cancel();
        assert_eq!(nested.spawn_on(pool).get().unwrap(), 2);
        assert_eq!((low.get().unwrap(), high.get().unwrap()), (2, 3));
        assert_eq!((chained.get().unwrap(), retried.get().unwrap()), (4, 5));
        assert_eq!(patient.get().unwrap(), 7);
        assert_eq!(urgent(1).run().unwrap(), 2);
    });
    Explore::new().runs(20).fail_each_task().run(|pool| {
        let all = [Low, High, Normal].map(|priority| inc(1).priority(priority).spawn_on(pool));
        all.into_iter().for_each(|one| drop(one.get()));
    });
}

#[test]
fn a_stop_finishes_all_of_it_or_fails_it() {
    soon(|| {
        let (pool, order) = (Pool::new(2), Order::default());
        for priority in [Low, High].repeat(200) {
            order.note("done").priority(priority).detach_on(&pool);
        }
        pool.stop();
        assert_eq!(order.counted("done"), 400);
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let left: Vec<_> = (0..10).map(|n| inc(n).priority(Low).spawn_on(&pool)).collect();
        pool.stop_now();
        busy.free();
        assert!(left.into_iter().all(|one| one.get().is_err()));
        // A capacity counts it.
        let pool = Pool::builder().workers(1).queue_capacity(2).build().unwrap();
        let busy = occupy(&pool);
        let low = [1, 2].map(|n| inc(n).priority(Low).spawn_on(&pool));
        assert!(inc(3).priority(High).try_spawn_on(&pool).is_err());
        busy.free();
        assert_eq!(low.map(|one| one.get().unwrap()), [2, 3]);
    });
}

#[test]
fn who_waits_begins_what_it_needs_whatever_its_priority() {
    soon(|| {
        let pool = Pool::builder().workers(1).max_spares(0).build().unwrap();
        let outer = pool.spawn(|| {
            let low = inc(1).priority(Low).spawn_on(&current());
            (0..100).for_each(|n| inc(n).detach_on(&current()));
            low.get()
        });
        assert_eq!(outer.get().unwrap().unwrap(), 2);
    });
}

/// A stream's stages are work of the place that it was begun on.
#[test]
fn a_stream_has_the_priority_of_its_place() {
    explore(20, |pool| {
        let order = Order::default();
        let before = order.note("normal").spawn_on(pool);
        let (place, token) = (Low.on(pool), CancelToken::new());
        let noted = order.clone();
        let stage = move |_| noted.note("low").run().unwrap();
        token.on(&place).stream([()]).map(stage).for_each(drop).unwrap();
        before.get().unwrap();
        assert_eq!(order.noted(), ["normal", "low"]);
    });
}
