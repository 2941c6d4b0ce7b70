//! What is recorded of a run: everything, once, and at a known price.

use std::sync::Barrier;
use std::thread::sleep;
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, CancelToken, Limit, Pool, Results, Retry, Work, chain};
use asynckit_view::Recording;
use serde_json::Value;

use crate::{data, holds, html, numbers, permits, runs, states};

/// Sparse columns as pairs.
fn pairs(column: &Value) -> Vec<(i64, i64)> {
    numbers(&column["task"]).into_iter().zip(numbers(&column["value"])).collect()
}

/// Work that says that it has begun, and waits until it is released.
fn waits() -> (Work<'static, ()>, AsyncResult<()>, AsyncResult<()>) {
    let (begun, release) = (AsyncResult::new(), AsyncResult::new());
    let (tell, wait) = (begun.clone(), release.clone());
    let work = asynckit::work(move || {
        tell.set(()).unwrap();
        wait.get_ref().map(|_: &()| ()).unwrap();
    });
    (work, begun, release)
}

#[test]
fn every_task_is_recorded_once_whoever_submits_it() {
    const THREADS: u64 = 4;
    const EACH: u64 = 2_000;
    let recording = Recording::new();
    let pool = Pool::builder().workers(3).observer(recording.observer()).build().unwrap();
    let barrier = Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (pool, barrier) = (&pool, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let all: Vec<_> = (0..EACH)
                    .map(|n| {
                        chain!(pool, {
                            let a = runs::read(thread * EACH + n);
                            runs::add(runs::count(&a), 1)
                        })
                    })
                    .collect();
                all.join_all().get().unwrap();
            });
        }
    });
    drop(pool);
    let run = recording.finish();
    assert_eq!(run.tasks() as u64, 3 * THREADS * EACH);
    let n = THREADS * EACH;
    let data = data(&html(&run));
    assert_eq!(
        states(&data),
        [format!("add: {n} done"), format!("count: {n} done"), format!("read: {n} done")]
    );
    // Each `count` needs one result, each `add` one and a plain value, each `read` a plain value.
    assert_eq!(numbers(&data["inputs"]["count"]).iter().sum::<i64>() as u64, 2 * n);
    let (tasks, end) = (&data["tasks"], data["end"].as_i64().unwrap());
    let mut at = 0;
    for k in 0..run.tasks() {
        let of = |column: &str| tasks[column][k].as_i64().unwrap();
        at += of("submitted");
        assert!(of("own") <= of("run"));
        assert!(at + of("ready") + of("start") + of("run") <= end);
        assert!(of("worker") >= 0);
    }
}

#[test]
fn callbacks_are_recorded_with_their_place_and_their_task() {
    let data = data(&html(&runs::called(&Pool::new(2))));
    let callbacks = &data["callbacks"];
    let of = |column: &str| numbers(&callbacks[column]);
    let mut on = of("on");
    on.sort_unstable();
    assert_eq!(on, [0, 1, 2]);
    let of_last = of("on").iter().position(|&task| task == 2).unwrap();
    assert!(of("length")[of_last] >= 20_000_000);
    let end = data["end"].as_i64().unwrap();
    assert!(of("start").iter().zip(of("length")).all(|(start, length)| start + length <= end));
    let sites = crate::strings(&data["sites"]);
    let places: std::collections::BTreeSet<&str> =
        of("site").iter().map(|&site| sites[site as usize]).collect();
    assert_eq!(places.len(), 1);
    assert!(places.first().unwrap().contains("runs/mod.rs:"), "{places:?}");
    let rows = data["workers"].as_array().unwrap().len() as i64;
    assert!(of("worker").iter().all(|worker| (0..rows).contains(worker)));
}

#[test]
fn beyond_the_limit_no_callback_is_kept() {
    let pool = Pool::new(1);
    let recording = Recording::of(&pool).limit(2);
    for n in 0..5 {
        let result = runs::read(n).spawn_on(&pool);
        result.on_set(|_| ());
        result.get().unwrap();
    }
    pool.stop();
    let data = data(&html(&recording.finish()));
    assert_eq!(numbers(&data["callbacks"]["worker"]).len(), 2);
}

#[test]
fn what_was_found_out_adds_up() {
    let run = runs::mixed(&Pool::new(3));
    let data = data(&html(&run));
    let found = &data["found"];
    let end = data["end"].as_i64().unwrap();
    for (row, about) in
        found["rows"].as_array().unwrap().iter().zip(data["workers"].as_array().unwrap())
    {
        let sum: i64 = numbers(row).iter().sum();
        if !about["helps"].as_bool().unwrap() {
            assert!((sum - end).abs() <= 10, "{sum} of {end}");
        }
    }
    let total: i64 = numbers(&found["total"]).iter().sum();
    let bins: i64 = found["bins"].as_array().unwrap().iter().flat_map(numbers).sum();
    assert!((total - bins).abs() < 10_000, "{total} {bins}");
    let ran = &found["ran"];
    let parts = ["run", "inside", "held", "queued", "before"];
    let path: i64 = parts.iter().flat_map(|part| numbers(&ran[*part])).sum();
    assert_eq!(path, *numbers(&ran["to"]).last().unwrap());
    let span = &found["span"];
    assert_eq!(numbers(&span["run"]).iter().sum::<i64>(), span["length"].as_i64().unwrap());
    assert!(span["length"].as_i64().unwrap() <= end);
}

#[test]
fn a_task_costs_what_is_said() {
    let pool = Pool::deterministic(1);
    let recording = Recording::of(&pool);
    let before = recording.memory();
    (0..10_000_u64).map(|n| runs::read(n).spawn_on(&pool)).join_all().get().unwrap();
    let a_task = (recording.memory() - before) / 10_000;
    assert!((16..=40).contains(&a_task), "{a_task} bytes");
}

#[test]
fn a_call_with_something_around_it_costs_what_is_said() {
    const TASKS: u64 = 5_000;
    let hour = Duration::from_secs(3600);
    let (wide, tight) = (Limit::new(TASKS as usize), Limit::new(1));
    let bytes = |call: &dyn Fn(u64, &Pool) -> AsyncResult<u64>| {
        let pool = Pool::deterministic(1);
        let recording = Recording::of(&pool);
        (0..TASKS).map(|n| call(n, &pool)).join_all().get().unwrap();
        let bytes = recording.memory() / TASKS as usize;
        assert_eq!(recording.finish().tasks() as u64, TASKS);
        bytes
    };
    let timed = bytes(&|n, pool| runs::read(n).timeout(hour).spawn_on(pool));
    let limited = bytes(&|n, pool| runs::read(n).limit(&wide).spawn_on(pool));
    let in_line = bytes(&|n, pool| runs::read(n).limit(&tight).spawn_on(pool));
    let all = [timed, limited, in_line];
    assert!(timed <= 60 && limited <= 70 && in_line <= 85, "{all:?} bytes");
}

#[asynckit::async_work]
async fn later(input: AsyncResult<u64>) -> u64 {
    input.await.unwrap_or(0)
}

#[test]
fn beyond_the_limit_a_call_counts_once_and_for_as_long_as_it_ran() {
    let pool = Pool::deterministic(1);
    let recording = Recording::of(&pool).limit(1);
    runs::read(0).spawn_on(&pool).get().unwrap();
    let (limit, hour) = (Limit::new(2), Duration::from_secs(3600));
    let both = |n| runs::read(n).timeout(hour).limit(&limit).spawn_on(&pool);
    (0..3).map(both).join_all().get().unwrap();
    // A long time, which is virtual, goes by while it is suspended.
    let tried = Retry::new(1).backoff(hour).work(|| runs::refuse(1)).spawn_on(&pool);
    later(tried).spawn_on(&pool).get().unwrap();
    let run = recording.finish();
    let data = data(&html(&run));
    let functions = crate::strings(&data["functions"]);
    let of = |name: &str, what: &str| {
        let mut all = data["beyond"].as_array().unwrap().iter();
        let its = all.find(|one| functions[one["fn"].as_u64().unwrap() as usize] == name);
        its.unwrap()[what].as_i64().unwrap()
    };
    assert_eq!((of("read", "count"), of("later", "count")), (3, 1));
    let (long, total) = (pool.virtual_time().unwrap(), of("later", "total"));
    assert!(long > Duration::from_secs(1) && total < 1_000_000_000, "{long:?}, {total} ns");
}

#[test]
fn beyond_its_limit_a_recording_counts_by_function_and_grows_no_more() {
    let pool = Pool::deterministic(1);
    let recording = Recording::of(&pool).limit(100);
    (0..100_u64).map(|n| runs::read(n).spawn_on(&pool)).join_all().get().unwrap();
    let before = recording.memory();
    let bad: Vec<_> = (0..500).map(|n| chain!(&pool, runs::add(runs::refuse(n), 1))).collect();
    assert!(bad.settle_all().get().unwrap().iter().all(Result::is_err));
    assert_eq!(recording.memory(), before);
    let run = recording.finish();
    assert_eq!((run.tasks(), run.beyond(), run.failures()), (100, 1000, 0));
    let data = data(&html(&run));
    let functions = crate::strings(&data["functions"]);
    let mut beyond: Vec<_> = data["beyond"].as_array().unwrap().iter().collect();
    beyond.sort_by_key(|entry| functions[entry["fn"].as_u64().unwrap() as usize]);
    assert_eq!(functions[beyond[1]["fn"].as_u64().unwrap() as usize], "refuse");
    assert_eq!((&beyond[0]["count"], &beyond[0]["failed"]), (&500.into(), &0.into()));
    assert_eq!((&beyond[1]["count"], &beyond[1]["failed"]), (&500.into(), &500.into()));
    assert!(run.summary().to_string().contains("refuse × 500, 500 failed"));
}

#[test]
fn details_without_end_are_left_out_before_memory_is() {
    let pool = Pool::deterministic(1);
    let recording = Recording::of(&pool).limit(10);
    let result = chain!(&pool, async move {
        for n in 0..20_000 {
            runs::read(n).await?;
        }
        runs::read(1)
    });
    result.get().unwrap();
    assert!(recording.memory() < 256 << 10, "{}", recording.memory());
    assert_eq!(recording.finish().tasks(), 10);
}

#[test]
fn a_task_that_is_suspended_has_a_stretch_for_each_time_it_ran() {
    let pool = Pool::deterministic(1);
    let recording = Recording::of(&pool);
    let result = chain!(&pool, async move {
        let a = runs::read(1).await?;
        let b = runs::read(a).await?;
        runs::read(b)
    });
    result.get().unwrap();
    let data = data(&html(&recording.finish()));
    assert_eq!(states(&data), ["chain: 1 done", "read: 3 done"]);
    let of_the_chain = numbers(&data["pieces"]["task"]).iter().filter(|task| **task == 0).count();
    assert_eq!(of_the_chain, 3);
    assert_eq!(pairs(&data["parent"]), [(1, 0), (2, 0), (3, 0)]);
}

#[test]
fn a_call_under_a_limit_is_one_task_and_says_how_long_it_was_held() {
    let pool = Pool::new(2);
    let recording = Recording::of(&pool);
    let limit = Limit::new(1);
    let (first, begun, release) = waits();
    let first = first.limit(&limit).spawn_on(&pool);
    begun.get().unwrap();
    let second = runs::read(2).limit(&limit).spawn_on(&pool);
    let begin = Instant::now();
    while pool.snapshot().limits.iter().all(|limit| limit.in_line == 0) {
        assert!(begin.elapsed() < Duration::from_secs(60));
        std::thread::yield_now();
    }
    sleep(Duration::from_millis(25));
    release.set(()).unwrap();
    first.get().unwrap();
    second.get().unwrap();
    let data = data(&html(&recording.finish()));
    assert_eq!(states(&data), ["closure: 1 done", "read: 1 done"]);
    assert_eq!(permits(&data).iter().map(|permit| permit[0]).collect::<Vec<_>>(), [0, 0]);
    let held = holds(&data);
    assert_eq!(held.len(), 1);
    assert!(held[0][0] == 1 && held[0][3] >= 20_000_000, "{held:?}");
    assert_eq!(data["limits"][0]["max"], 1);
    assert!(data["limits"][0]["name"].as_str().unwrap().starts_with("recording.rs:"));
}

#[test]
fn of_two_limits_the_one_is_told_that_held_the_work() {
    let pool = Pool::builder().workers(2).build().unwrap();
    let recording = Recording::of(&pool);
    let (wide, tight) = (Limit::new(100), Limit::new(1));
    let (first, begun, release) = waits();
    let first = first.limit(&wide).limit(&tight).spawn_on(&pool);
    begun.get().unwrap();
    let inner = runs::read(1).limit(&wide).limit(&tight).spawn_on(&pool);
    let outer = runs::read(2).limit(&tight).limit(&wide).spawn_on(&pool);
    sleep(Duration::from_millis(20));
    release.set(()).unwrap();
    first.get().unwrap();
    assert_eq!(inner.get().unwrap() + outer.get().unwrap(), 3);
    let data = data(&html(&recording.finish()));
    let most = |hold: &[i64; 4]| data["limits"][hold[1] as usize]["max"].as_i64().unwrap();
    let held = holds(&data);
    let by: Vec<_> = held.iter().map(|hold| (hold[0], most(hold))).collect();
    assert_eq!(by, [(1, 1), (2, 1)], "{held:?}");
}

#[test]
fn work_that_never_left_a_line_was_held() {
    let pool = Pool::new(4);
    let recording = Recording::of(&pool);
    let limit = Limit::new(1);
    let (first, begun, release) = waits();
    let first = first.limit(&limit).spawn_on(&pool);
    begun.get().unwrap();
    let all: Vec<_> = (0..5).map(|n| runs::read(n).limit(&limit).spawn_on(&pool)).collect();
    sleep(Duration::from_millis(100));
    let run = recording.so_far();
    release.set(()).unwrap();
    first.get().unwrap();
    all.join_all().get().unwrap();
    let total = numbers(&data(&html(&run))["found"]["total"]);
    assert!(total[2] > total[4], "{total:?}\n{}", run.summary());
}

#[test]
fn tries_are_stretches_of_one_task_with_notes() {
    let pool = Pool::deterministic(1);
    let recording = Recording::of(&pool);
    let retry = Retry::new(2).backoff(Duration::from_millis(100));
    let result = retry.work(|| runs::refuse(3)).spawn_on(&pool);
    assert!(result.get().is_err());
    let run = recording.finish();
    let data = data(&html(&run));
    assert_eq!((run.tasks(), run.failures()), (1, 1), "{:?}", states(&data));
    assert_eq!(numbers(&data["pieces"]["task"]).len(), 3);
    let notes = crate::strings(&data["notes"]["text"]);
    assert_eq!(notes.len(), 2);
    assert!(notes[0].starts_with("attempt 2, after: no 3"), "{notes:?}");
    // Virtual time: the pauses are there, and nothing else took any.
    assert!(run.duration() >= Duration::from_millis(200));
}

#[test]
fn how_each_task_ended_is_told() {
    let recording = Recording::new();
    let pool = Pool::builder().workers(0).observer(recording.observer()).build().unwrap();
    let token = CancelToken::new();
    let cancelled = runs::read(1).spawn_on(&token.on(&pool));
    token.cancel();
    let late = runs::count_late().timeout(Duration::from_millis(1)).spawn_on(&pool);
    let panics = pool.spawn(|| -> u64 { panic!("no way") });
    let never: AsyncResult<u64> = AsyncResult::new();
    let stopped = chain!(&pool, runs::add(never.clone(), 1));
    assert!(cancelled.get().is_err());
    assert!(late.get().is_err());
    assert!(panics.get().is_err());
    pool.stop();
    assert!(stopped.get().is_err());
    let data = data(&html(&recording.finish()));
    assert_eq!(
        states(&data),
        ["add: 1 stopped", "closure: 1 panicked", "count_late: 1 timed out", "read: 1 cancelled"]
    );
    let messages = data["failures"].to_string();
    assert!(messages.contains("no way"), "{messages}");
}

#[test]
fn what_has_not_ended_is_marked_as_running() {
    let pool = Pool::new(1);
    let recording = Recording::of(&pool);
    let (begun, release) = (AsyncResult::new(), AsyncResult::new());
    let (tell, wait) = (begun.clone(), release.clone());
    let result = pool.spawn(move || {
        tell.set(()).unwrap();
        wait.get_ref().map(|_: &()| ()).unwrap();
    });
    begun.get().unwrap();
    let so_far = data(&html(&recording.so_far()));
    assert_eq!(states(&so_far), ["closure: 1 still running"]);
    release.set(()).unwrap();
    result.get().unwrap();
    assert_eq!(states(&data(&html(&recording.finish()))), ["closure: 1 done"]);
}

#[test]
fn work_that_runs_in_the_place_of_a_wait_is_no_work_of_who_waits() {
    let pool = Pool::builder().workers(0).build().unwrap();
    let recording = Recording::of(&pool);
    let outer = pool.spawn(|| {
        let inner = runs::fetch(30).spawn_on(&asynckit::current());
        inner.get().unwrap()
    });
    assert_eq!(outer.get().unwrap(), 30);
    let data = data(&html(&recording.finish()));
    let [own, run] = ["own", "run"].map(|column| numbers(&data["tasks"][column]));
    assert!(own[1] >= 30_000_000 && own[0] + own[1] <= run[0], "{own:?} {run:?}");
    assert_eq!(numbers(&data["waits"]["on"]), [1]);
    assert_eq!(numbers(&data["found"]["ran"]["task"]), [0, 1, 0]);
}
