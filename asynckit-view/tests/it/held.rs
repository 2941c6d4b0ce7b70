//! What limits and rates hold back is told: each stretch, of whatever kind of work.

use std::sync::mpsc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use asynckit::{
    AsyncResult, Limit, Pool, Rate, Results, Retry, Work, async_work, current, try_work, work,
};
use asynckit_view::{Recording, Run};
use serde_json::Value;

use crate::{data, holds, html, numbers, permits, runs, temporary};

const MS: i64 = 1_000_000;

/// So long by the pool's own clock.
fn rest(millis: u64) {
    AsyncResult::<()>::new().wait_timeout(Duration::from_millis(millis));
}

#[async_work]
fn holds_it(millis: u64) {
    rest(millis);
}

/// The first try has another call stand in line, and fails after ten milliseconds. So the second one has to stand in line
/// behind that call, which takes a hundred.
fn tried_twice(limit: &Limit) -> Work<'static, ()> {
    let (mut tries, limit) = (0, limit.clone());
    Retry::new(1).work(move || {
        tries += 1;
        let (is_first, its) = (tries == 1, limit.clone());
        let one = try_work(move || {
            if is_first {
                drop(holds_it(100).limit(&its).spawn_on(&current()));
                rest(10);
                return Err("once more");
            }
            Ok(())
        });
        one.limit(&limit)
    })
}

/// Likewise, as a future at each try.
fn tried_twice_as_a_future(limit: &Limit) -> Work<'static, ()> {
    let (mut tries, limit) = (0, limit.clone());
    Retry::new(1).work(move || {
        tries += 1;
        first_fails(tries == 1, limit.clone()).limit(&limit)
    })
}

#[async_work]
async fn first_fails(is_first: bool, limit: Limit) -> Result<(), String> {
    if is_first {
        drop(holds_it(100).limit(&limit).spawn_on(&current()));
        rest(10);
        return Err("once more".to_owned());
    }
    Ok(())
}

/// Makes work under a limit.
type Kind<'k> = &'k dyn Fn(&Limit) -> Work<'static, ()>;

#[test]
fn what_is_held_before_a_later_try_is_told_as_held() {
    let hour = Duration::from_secs(3600);
    let kinds: [(&str, Kind<'_>); 4] = [
        ("plain", &|limit| tried_twice(limit)),
        ("future", &|limit| tried_twice_as_a_future(limit)),
        ("in time", &|limit| tried_twice(limit).timeout(hour)),
        ("under another limit", &|limit| tried_twice(limit).limit(&Limit::new(3))),
    ];
    for (kind, work) in kinds {
        for (seed, in_a_scope) in [(1, false), (7, true), (7, false)] {
            let (recording, limit) = (Recording::new(), Limit::new(1));
            let pool = Pool::builder().deterministic(seed).observer(recording.observer());
            let pool = pool.build().unwrap();
            if in_a_scope {
                pool.scope(|s| work(&limit).spawn_on(s).get().unwrap());
            } else {
                work(&limit).spawn_on(&pool).get().unwrap();
            }
            pool.run_until_idle();
            let run = recording.finish();
            told_as_held(&run, &format!("{kind}, {seed}, {in_a_scope}"));
        }
    }
}

fn told_as_held(run: &Run, which: &str) {
    let data = data(&html(run));
    let held = holds(&data);
    let [other, first] = &held[..] else { panic!("{which}: {held:?}") };
    let (other, first) = if other[0] == 0 { (first, other) } else { (other, first) };
    assert_eq!((other[0], other[2], other[3]), (1, 0, 10 * MS), "{which}");
    assert_eq!((first[0], first[2], first[3]), (0, 10 * MS, 100 * MS), "{which}");
    let text = run.summary().to_string();
    let line = "held by the limit 1 at once: 2 times, 110 ms in all (";
    assert!(text.contains(line), "{which}: {text}");
    // The first has run before, so that the path goes through it.
    let path = numbers(&data["found"]["ran"]["held"]).iter().sum::<i64>();
    assert_eq!(path, 100 * MS, "{which}: {text}");
    assert!(text.contains("· 100 ms held"), "{which}: {text}");
    let figures = data["found"]["figures"].as_array().unwrap();
    let by_function: i64 = figures.iter().map(|one| one["held"].as_i64().unwrap()).sum();
    assert_eq!(by_function, 110 * MS, "{which}");
}

#[test]
fn a_limit_around_all_tries_holds_once_and_is_had_through_the_pauses() {
    let (recording, limit) = (Recording::new(), Limit::new(1));
    let pool = Pool::builder().deterministic(1).observer(recording.observer()).build().unwrap();
    let first = holds_it(10).limit(&limit).spawn_on(&pool);
    let retry = Retry::new(1).backoff(Duration::from_millis(40));
    let second = retry.work(|| runs::refuse(1)).limit(&limit).spawn_on(&pool);
    first.get().unwrap();
    assert!(second.get().is_err());
    pool.run_until_idle();
    let data = data(&html(&recording.finish()));
    let held = holds(&data);
    assert_eq!(held.len(), 1, "{held:?}");
    assert_eq!((held[0][0], held[0][3]), (1, 10 * MS));
    let had = permits(&data);
    assert_eq!(had.len(), 2, "{had:?}");
    assert_eq!((had[0][1], had[0][2], had[1][1]), (0, 10 * MS, 10 * MS));
    assert!(had[1][2] >= 20 * MS, "{had:?}");
}

#[test]
fn a_rate_is_told_as_a_rate() {
    let (recording, rate) = (Recording::new(), Rate::per_second(20));
    let pool = Pool::builder().deterministic(1).observer(recording.observer()).build().unwrap();
    // Each try takes a turn.
    let tried = {
        let rate = rate.clone();
        Retry::new(2).work(move || runs::refuse(1).rate(&rate)).spawn_on(&pool)
    };
    assert!(tried.get().is_err());
    pool.run_until_idle();
    let run = recording.finish();
    let data = data(&html(&run));
    let held: Vec<_> = holds(&data).iter().map(|hold| (hold[2], hold[3])).collect();
    assert_eq!(held, [(0, 50 * MS), (50 * MS, 50 * MS)]);
    // Turns are used up at once.
    let turns: Vec<_> = permits(&data).iter().map(|turn| (turn[1], turn[2])).collect();
    assert_eq!(turns, [(0, 0), (50 * MS, 0), (100 * MS, 0)]);
    let limit = &data["limits"][0];
    assert_eq!(
        (limit["bound"].as_str(), limit["every"].as_i64()),
        (Some("20 per second"), Some(50 * MS))
    );
    assert_eq!(data["found"]["causes"][2][1], "held by a rate");
    let text = run.summary().to_string();
    assert!(text.starts_with("100 ms on 1 worker: the rate “held.rs:"), "{text}");
    assert!(text.contains("” (20 per second) held back the critical path for 100 ms."), "{text}");
    assert!(text.contains("\nheld by the rate 20 per second: 2 times, 100 ms in all ("), "{text}");
    let counters = counters(&run);
    let names: Vec<&str> = counters.iter().map(|(name, _)| name.as_str()).collect();
    let rates = names.iter().filter(|name| name.starts_with("rate held.rs:")).count();
    assert!(rates > 0 && !names.iter().any(|name| name.starts_with("limit")), "{names:?}");
}

/// The counters of a trace, one after the other.
fn counters(run: &Run) -> Vec<(String, Value)> {
    let (_folder, path) = temporary("run.json");
    run.save_trace(&path).unwrap();
    let trace: Value = serde_json::from_reader(std::fs::File::open(path).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap().iter();
    let counters = events.filter(|event| event["ph"] == "C");
    counters
        .map(|event| (event["name"].as_str().unwrap().to_owned(), event["args"].clone()))
        .collect()
}

#[test]
fn permits_count_as_many_as_they_are_and_not_while_they_are_lent() {
    let (recording, limit) = (Recording::new(), Limit::new(5).lending());
    let pool = Pool::builder().deterministic(1).observer(recording.observer()).build().unwrap();
    let value = AsyncResult::<()>::new();
    let first = awaits(value.clone()).limit(&limit.take(3)).spawn_on(&pool);
    pool.run_until_idle();
    // What the first has lent is enough for this one, which sets what the first waits for, and keeps its own in the pause
    // between two tries.
    let second = Retry::new(1).backoff(Duration::from_millis(40)).work(move || {
        let is_first = value.set(()).is_ok();
        try_work(move || if is_first { Err("once more") } else { Ok(()) })
    });
    let second = second.limit(&limit.take(4)).spawn_on(&pool);
    second.get().unwrap();
    first.get().unwrap();
    pool.run_until_idle();
    let run = recording.finish();
    let data = data(&html(&run));
    let had: Vec<_> = permits(&data).iter().map(|had| (had[3], had[1], had[2])).collect();
    let pause = had[1].2;
    assert!(pause >= 20 * MS, "{had:?}");
    assert_eq!(had, [(3, 0, 0), (4, 0, pause), (3, pause, 0)]);
    let held: Vec<_> = holds(&data).iter().map(|hold| (hold[0], hold[2], hold[3])).collect();
    assert_eq!(held, [(0, 0, pause)], "it stands in line to go on");
    let in_use: Vec<i64> = counters(&run)
        .iter()
        .filter(|(name, _)| name.starts_with("limit"))
        .map(|(_, values)| values["in use"].as_i64().unwrap())
        .collect();
    assert_eq!(in_use.iter().max(), Some(&4), "{in_use:?}");
    assert_eq!(in_use.last(), Some(&0), "{in_use:?}");
}

#[async_work]
async fn awaits(value: AsyncResult<()>) {
    value.await.unwrap();
}

#[test]
fn a_thread_that_stands_in_line_to_go_on_is_held() {
    let pool = Pool::new(2);
    let recording = Recording::of(&pool);
    let limit = Limit::new(1).lending();
    let value = AsyncResult::<()>::new();
    let its = value.clone();
    let first = work(move || its.get().unwrap()).limit(&limit).spawn_on(&pool);
    let (begin, begun) = mpsc::channel();
    let its_limit = limit.clone();
    let second = work(move || {
        begin.send(()).unwrap();
        value.set(()).unwrap();
        in_line(&its_limit);
        sleep(Duration::from_millis(200));
    });
    let second = second.limit(&limit).spawn_on(&pool);
    begun.recv().unwrap();
    first.get().unwrap();
    second.get().unwrap();
    pool.stop();
    let run = recording.finish();
    let data = data(&html(&run));
    let held: i64 = holds(&data).iter().filter(|hold| hold[0] == 0).map(|hold| hold[3]).sum();
    assert!(held >= 40 * MS, "{held}");
    let by_cause = numbers(&data["found"]["total"]);
    assert!(by_cause[2] >= 40 * MS, "{by_cause:?}\n{}", run.summary());
    // The parts of the path are all of its time, also so.
    let ran = &data["found"]["ran"];
    let parts = ["run", "inside", "held", "queued", "before"];
    let path: i64 = parts.iter().flat_map(|part| numbers(&ran[*part])).sum();
    assert_eq!(path, *numbers(&ran["to"]).last().unwrap());
}

#[test]
fn an_idle_worker_is_held_by_the_limit_before_a_later_try() {
    let pool = Pool::new(2);
    let recording = Recording::of(&pool);
    let limit = Limit::new(1);
    let (its, mut tries) = (limit.clone(), 0);
    let tried = Retry::new(1).work(move || {
        tries += 1;
        let (is_first, other) = (tries == 1, its.clone());
        let one = try_work(move || {
            if is_first {
                drop(runs::fetch(200).limit(&other).spawn_on(&current()));
                return Err("once more");
            }
            Ok(())
        });
        one.limit(&its)
    });
    tried.spawn_on(&pool).get().unwrap();
    let run = recording.finish();
    let by_cause = numbers(&data(&html(&run))["found"]["total"]);
    assert!(by_cause[2] >= 40 * MS, "{by_cause:?}\n{}", run.summary());
}

#[test]
fn who_gives_up_its_place_in_line_is_held_no_longer() {
    let pool = Pool::new(2);
    let recording = Recording::of(&pool);
    let limit = Limit::new(1);
    let (end, until) = mpsc::channel();
    let first = runs::held(until).limit(&limit).spawn_on(&pool);
    let second = runs::read(1).limit(&limit).spawn_on(&pool);
    in_line(&limit);
    second.cancel();
    sleep(Duration::from_millis(40));
    end.send(()).unwrap();
    first.get().unwrap();
    let all = [1, 2].map(|n| runs::read(n).limit(&limit).spawn_on(&pool));
    all.into_iter().join_all().get().unwrap();
    pool.stop();
    let data = data(&html(&recording.finish()));
    let ends: Vec<i64> =
        holds(&data).iter().filter(|hold| hold[0] == 1).map(|hold| hold[2] + hold[3]).collect();
    let first = permits(&data)[0];
    assert_eq!(ends.len(), 1);
    assert!(ends[0] + 30 * MS <= first[1] + first[2], "{ends:?} {first:?}");
    assert_eq!(permits(&data).len(), 3);
}

/// Waits until somebody stands in this line.
fn in_line(limit: &Limit) {
    let begin = Instant::now();
    while limit.waiting() == 0 {
        assert!(begin.elapsed() < Duration::from_secs(60));
        std::thread::yield_now();
    }
}

#[async_work]
fn gives_up_and_goes_on(limit: Limit) {
    assert!(holds_it(1).limit(&limit).deadline(Duration::from_millis(50)).run().is_err());
    rest(500);
}

#[test]
fn who_gives_up_in_place_is_held_no_longer_though_its_task_goes_on() {
    let (recording, limit) = (Recording::new(), Limit::new(1));
    let pool = Pool::builder().deterministic(1).observer(recording.observer()).build().unwrap();
    // Keeps its permit in the pause between two tries.
    let retry = Retry::new(1).backoff(Duration::from_secs(2));
    let other = retry.work(|| runs::refuse(1)).limit(&limit).spawn_on(&pool);
    gives_up_and_goes_on(limit.clone()).spawn_on(&pool).get().unwrap();
    assert!(other.get().is_err());
    pool.run_until_idle();
    let run = recording.finish();
    let data = data(&html(&run));
    let held: Vec<_> = holds(&data).iter().map(|hold| hold[3]).collect();
    assert_eq!(held, [50 * MS], "{}", run.summary());
    let text = run.summary().to_string();
    assert!(text.contains("held by the limit 1 at once: 1 time, 50.0 ms in all ("), "{text}");
    let figures = data["found"]["figures"].as_array().unwrap();
    let by_function: i64 = figures.iter().map(|one| one["held"].as_i64().unwrap()).sum();
    assert_eq!(by_function, 50 * MS);
}

#[test]
fn who_can_not_go_on_before_work_above_it_is_not_held_by_the_limit_meanwhile() {
    let (recording, limit) = (Recording::new(), Limit::new(1).lending());
    let pool = Pool::builder().deterministic(1).observer(recording.observer()).build().unwrap();
    let value = AsyncResult::<()>::new();
    let its = value.clone();
    let first = work(move || its.get().unwrap()).limit(&limit).spawn_on(&pool);
    // Keeps the permit in the pause between two tries, in which the pool has other work on the first one's stack.
    let second = Retry::new(1).backoff(Duration::from_millis(400)).work(move || {
        let is_first = value.set(()).is_ok();
        if is_first {
            holds_it(10).detach_on(&current());
        }
        try_work(move || if is_first { Err("once more") } else { Ok(()) })
    });
    let second = second.limit(&limit).spawn_on(&pool);
    first.get().unwrap();
    second.get().unwrap();
    pool.run_until_idle();
    let run = recording.finish();
    let data = data(&html(&run));
    let pause = permits(&data).iter().map(|had| had[2]).max().unwrap();
    assert!(pause >= 200 * MS, "{pause}");
    let held: Vec<_> = holds(&data).iter().map(|hold| (hold[2], hold[3])).collect();
    assert_eq!(held, [(10 * MS, pause - 10 * MS)], "{}", run.summary());
}
