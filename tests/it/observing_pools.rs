//! Who looks on is told the same on all kinds of pools, under load, and to the pool's end; and may panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use asynckit::observe::{
    Observer, PoolStopped, RowKind, TaskEnded, TaskReady, TaskStarted, TaskSubmitted,
};
use asynckit::{
    AsyncResult, CancelToken, Limit, Pool, PoolBuilder, Results, Retry, async_work, chain, current,
    try_work, work,
};

use crate::observing::log::Log;
use crate::support::{Gate, eventually, occupy, soon};

#[async_work]
pub fn add(a: u64, b: &u64) -> u64 {
    a + b
}

#[async_work]
pub async fn later(input: AsyncResult<u64>) -> u64 {
    input.await.unwrap_or(0)
}

/// Some of everything, from the calling thread; `n` makes it differ. How many tasks of each kind there are does not.
fn round(pool: &Pool, limit: &Limit, n: u64) {
    let sum = chain!(pool, {
        let a = work(move || n).spawn_on(pool);
        let b = add(n, &a);
        let c = later(a.clone().map(|n| n + 1).spawn_on(pool));
        add(b, &c)
    });
    let nested = work(move || {
        let (a, b) = (work(move || n).spawn_on(&current()), work(|| 1).spawn_on(&current()));
        a.get().unwrap() + b.get().unwrap()
    });
    let nested = nested.limit(limit).spawn_on(pool);
    let mut calls = 0;
    let tried = Retry::new(2).work(move || {
        calls += 1;
        let call = calls;
        try_work(move || if call < 3 { Err("busy") } else { Ok(call) })
    });
    let tried = tried.spawn_on(pool);
    let token = CancelToken::new();
    let cancelled: Vec<_> = (0..3).map(|_| work(move || n).spawn_on(&token.on(pool))).collect();
    let skipped = chain!(pool, {
        let fails = try_work(move || Err::<u64, _>("fails")).spawn_on(pool);
        add(n, &fails)
    });
    token.cancel();
    let words = [n, n + 1];
    let scoped: u64 = pool.scope(|s| {
        let parts: Vec<_> = words.iter().map(|word| s.spawn(move || *word)).collect();
        parts.into_iter().map(|part| part.get().unwrap()).sum()
    });
    assert_eq!(scoped, 2 * n + 1);
    assert_eq!(sum.get().unwrap(), 3 * n + 1);
    assert_eq!(nested.get().unwrap(), n + 1);
    assert_eq!(tried.get().unwrap(), 3);
    skipped.get().unwrap_err();
    drop(cancelled);
}

/// Rounds from several threads at once.
fn rounds(pool: &Pool, threads: u64, each: u64) {
    let limit = Limit::new(2);
    thread::scope(|s| {
        for thread in 0..threads {
            let limit = &limit;
            s.spawn(move || (0..each).for_each(|n| round(pool, limit, 100 * thread + n)));
        }
    });
}

#[test]
fn each_task_is_told_whole_under_load() {
    soon(|| {
        let log = Log::default();
        let pool = Pool::builder().workers(3).observer(log.clone()).build().unwrap();
        rounds(&pool, 3, 30);
        pool.stop();
        log.check();
        assert!(log.count("submitted") > 90 * 15);
        assert_eq!(log.count("submitted"), log.count("ended"));
        assert_eq!(log.count("got_permit"), 90);
        assert_eq!(log.count("gave_permit"), 90);
        assert_eq!(log.count("attempt"), 270);
        assert_eq!(log.count("wait_begun"), log.count("wait_ended"));
        // Each worker was busy and idle by turns, and all that ran on one while it was busy.
        let mut busy: std::collections::HashMap<_, bool> = std::collections::HashMap::new();
        for one in log.seen() {
            let busy = busy.entry(one.thread).or_default();
            match one.what {
                "worker_busy" => assert!(!std::mem::replace(busy, true), "busy twice"),
                "worker_idle" => assert!(std::mem::replace(busy, false), "idle twice"),
                "started" | "resumed" if one.row.1 == RowKind::Worker => assert!(*busy, "{one:?}"),
                _ => {}
            }
        }
        assert!(busy.values().all(|busy| !busy));
    });
}

fn on_each(test: impl Fn(PoolBuilder) + Send + 'static) {
    soon(move || {
        test(Pool::builder().workers(2));
        test(Pool::builder().workers(2).queue_capacity(3));
        test(Pool::builder().workers(0));
        let rayon = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        test(Pool::builder().on_rayon(Arc::new(rayon)));
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        test(Pool::builder().on_tokio(tokio.handle().clone()).workers(2));
    });
}

#[test]
fn every_kind_of_pool_tells_the_same() {
    on_each(|builder| {
        let log = Log::default();
        let pool = builder.observer(log.clone()).build().unwrap();
        rounds(&pool, 2, 3);
        drop(pool);
        log.check();
        assert_eq!(log.count("attempt"), 18);
        assert_eq!(log.count("pool_stopped"), 1);
        let seen = log.seen();
        assert_eq!(seen[0].what, "pool_sized");
        assert_eq!(seen.last().unwrap().line, "pool_stopped 0");
    });
}

#[test]
fn rows_are_threads() {
    soon(|| {
        let of = |builder: PoolBuilder| {
            let log = Log::default();
            let pool = builder.observer(log.clone()).build().unwrap();
            pool.spawn(|| 1).get().unwrap();
            drop(pool);
            log.of("closure").into_iter().find(|one| one.what == "started").unwrap()
        };
        let name = || thread::current().name().unwrap_or("a thread without a name").to_owned();
        let own = of(Pool::builder().workers(1).thread_name("mine"));
        assert_eq!(own.row, ("mine-1".to_owned(), RowKind::Worker));
        let here = of(Pool::builder().workers(0));
        assert_eq!(here.row, (name(), RowKind::Program));
        let rayon = rayon::ThreadPoolBuilder::new().num_threads(1);
        let rayon = rayon.thread_name(|n| format!("rayon {n}")).build().unwrap();
        let host = of(Pool::builder().on_rayon(Arc::new(rayon)));
        assert_eq!(host.row, ("rayon 0".to_owned(), RowKind::Host));
    });
}

/// Panics at each event.
struct Panics;

impl Observer for Panics {
    fn submitted(&self, _: &TaskSubmitted<'_>) {
        panic!("at submitted");
    }
    fn ready(&self, _: &TaskReady<'_>) {
        panic!("at ready");
    }
    fn started(&self, _: &TaskStarted<'_>) {
        panic!("at started");
    }
    fn ended(&self, _: &TaskEnded<'_>) {
        panic!("at ended");
    }
    fn pool_stopped(&self, _: &PoolStopped<'_>) {
        panic!("at stopped");
    }
}

#[test]
fn an_observer_that_panics_is_told_to_the_hook_and_harms_nobody() {
    soon(|| {
        let (told, log) = (Arc::new(Mutex::new(Vec::new())), Log::default());
        let its = told.clone();
        let hook = move |error: &asynckit::Error| its.lock().unwrap().push(error.to_string());
        let pool = Pool::builder().workers(1).on_unobserved_error(hook);
        let pool = pool.observer(Panics).observer(log.clone()).build().unwrap();
        let sum = chain!(&pool, {
            let a = work(|| 1).spawn_on(&pool);
            add(1, &a)
        });
        assert_eq!(sum.get().unwrap(), 2);
        pool.stop();
        log.check();
        let told = told.lock().unwrap().clone();
        assert_eq!(told.len(), 9, "{told:#?}");
        assert!(told.iter().all(|one| one.starts_with("observer panicked at ")), "{told:#?}");
        let at = |what: &str| told.iter().filter(|one| one.ends_with(what)).count();
        assert_eq!([at("submitted"), at("ready"), at("started"), at("ended")], [2; 4]);
        assert_eq!(at("stopped"), 1);
    });
}

/// Holds up the end of a task, at whose time that is known already.
struct HoldsUp {
    ends: Gate,
    goes_on: Gate,
}

impl Observer for HoldsUp {
    fn ended(&self, _: &TaskEnded<'_>) {
        self.ends.open();
        self.goes_on.pass();
    }
}

#[test]
fn what_is_submitted_while_its_input_ends_begins_later_than_that() {
    soon(|| {
        let (ends, goes_on, log) = (Gate::new(), Gate::new(), Log::default());
        let holds_up = HoldsUp { ends: ends.clone(), goes_on: goes_on.clone() };
        let pool = Pool::builder().workers(1).observer(log.clone()).observer(holds_up);
        let pool = pool.build().unwrap();
        let input = pool.spawn(|| 1);
        ends.pass();
        let sum = chain!(&pool, add(1, &input));
        goes_on.open();
        assert_eq!(sum.get().unwrap(), 2);
        let suspended = AsyncResult::new();
        let waits = later(suspended.clone()).spawn_on(&pool);
        suspended.set(3).unwrap();
        assert_eq!(waits.get().unwrap(), 3);
        pool.stop();
        log.check();
        let seen = log.seen();
        let at = |line: &str| seen.iter().find(|one| one.line.starts_with(line)).unwrap().time;
        assert!(at("ended closure") < at("submitted add"));
        assert!(at("submitted add") <= at("ready add") && at("ready add") <= at("started add"));
    });
}

#[test]
fn several_look_on() {
    let (a, b) = (Log::default(), Log::default());
    let pool = Pool::builder().deterministic(1).observer(a.clone()).observer(b.clone());
    let pool = pool.build().unwrap();
    pool.spawn(|| 1).get().unwrap();
    drop(pool);
    let lines = |log: &Log| log.seen().into_iter().map(|one| one.line).collect::<Vec<_>>();
    assert_eq!(lines(&a), lines(&b));
    assert_eq!(
        lines(&a),
        [
            "pool_sized 0 virtual",
            "submitted closure call",
            "ready closure",
            "started closure",
            "ended closure value",
            "pool_stopped 0",
        ]
    );
}

#[test]
fn a_stop_ends_what_waits_and_is_told_last() {
    soon(|| {
        let log = Log::default();
        let pool = Pool::builder().workers(2).observer(log.clone()).build().unwrap();
        let never = AsyncResult::<u64>::new();
        let waits = never.clone().map(|n| n + 1).spawn_on(&pool);
        let asleep = later(never.clone()).spawn_on(&pool);
        let runs: Vec<_> = (0..10).map(|n| pool.spawn(move || n)).collect();
        pool.stop();
        assert_eq!(log.seen().last().unwrap().line, "pool_stopped 0");
        log.check();
        assert_eq!(
            log.lines(&["ended"]).iter().filter(|line| line.ends_with("stopped")).count(),
            2
        );
        assert!(runs.iter().all(AsyncResult::is_set) && waits.is_error() && asleep.is_error());
        // Work that is turned down was never there.
        drop(pool.spawn(|| 1));
        assert_eq!(log.count("submitted"), log.count("ended"));
        assert_eq!(log.count("pool_stopped"), 1);
    });
}

#[test]
fn who_stops_now_is_told_what_runs_on() {
    soon(|| {
        let log = Log::default();
        let pool = Pool::builder().workers(1).observer(log.clone()).build().unwrap();
        let busy = occupy(&pool);
        let queued = pool.spawn(|| 1);
        assert!(pool.stop_timeout(Duration::ZERO).is_err());
        assert_eq!(log.count("pool_stopped"), 0);
        drop(pool);
        assert_eq!(log.lines(&["pool_stopped"]), ["pool_stopped 1"]);
        log.check_but(1);
        assert!(queued.is_error());
        busy.free();
        eventually("what ran on tells of its end", || log.count("ended") == 2);
        log.check();
        assert_eq!(log.count("pool_stopped"), 1);
    });
}

#[test]
fn a_pool_that_is_dropped_while_unwinding_tells_so_before_it_is_gone() {
    soon(|| {
        let log = Log::default();
        let gate = Gate::new();
        let (its, seen) = (gate.clone(), log.clone());
        let unwinds = catch_unwind(AssertUnwindSafe(move || {
            let pool = Pool::builder().workers(1).observer(seen).build().unwrap();
            let begun = Gate::new();
            let begins = begun.clone();
            let runs = pool.spawn(move || {
                begins.open();
                its.pass();
            });
            begun.pass();
            assert!(runs.is_set(), "on purpose");
        }));
        assert!(unwinds.is_err());
        assert_eq!(log.lines(&["pool_stopped"]), ["pool_stopped 1"]);
        gate.open();
        eventually("what ran on tells of its end", || log.count("ended") == 1);
    });
}

#[test]
fn the_number_of_workers_is_told() {
    soon(|| {
        let log = Log::default();
        let pool = Pool::builder().workers(1).observer(log.clone()).build().unwrap();
        pool.set_worker_count(3);
        pool.set_worker_count(2);
        let lines = ["pool_sized 1 process", "pool_sized 3 process", "pool_sized 2 process"];
        assert_eq!(log.lines(&["pool_sized"]), lines);
    });
}

#[test]
fn what_an_observer_does_with_the_library_is_done() {
    /// Sets a result when a task ends, and submits to another pool.
    struct Helps(Mutex<Option<asynckit::Setter<u64>>>, Pool);
    impl Observer for Helps {
        fn ended(&self, _: &TaskEnded<'_>) {
            if let Some(setter) = self.0.lock().unwrap().take() {
                setter.set(1).unwrap();
                work(|| 1).detach_on(&self.1);
            }
        }
    }
    soon(|| {
        let (setter, result) = AsyncResult::channel();
        let helps = Helps(Mutex::new(Some(setter)), Pool::new(1));
        let pool = Pool::builder().workers(1).observer(helps).build().unwrap();
        let waits = result.map(|n| n + 1).spawn_on(&pool);
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
        assert_eq!(waits.get().unwrap(), 2);
    });
}

#[test]
fn joined_results_count_as_what_they_are_made_of() {
    let log = Log::default();
    let pool = Pool::builder().deterministic(1).observer(log.clone()).build().unwrap();
    let parts: Vec<_> = (0..3u64).map(|n| pool.spawn(move || n)).collect();
    let all = parts.into_iter().join_all();
    let sum = all.map(|all| all.into_iter().sum::<u64>()).spawn_on(&pool);
    assert_eq!(sum.get().unwrap(), 3);
    log.check();
    let lines = log.lines(&["submitted"]);
    assert_eq!(
        lines[3..],
        [
            "submitted join_all gather needs closure closure.2 closure.3",
            "submitted map call needs join_all",
        ]
    );
}

#[test]
fn a_time_of_more_than_centuries_is_the_last_that_events_have() {
    let log = Log::default();
    let pool = Pool::builder().deterministic(1).observer(log.clone()).build().unwrap();
    let never = AsyncResult::<u64>::new();
    let far = Duration::new(1 << 40, 500_000_000);
    let late = chain!(&pool, add(1, &never)).timeout(far);
    assert!(late.get().is_err());
    assert_eq!(pool.virtual_time(), Some(far));
    assert_eq!(log.seen().last().unwrap().time, Duration::from_nanos(u64::MAX));
}
