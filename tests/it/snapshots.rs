//! A snapshot tells what a pool is at, and why nothing goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use asynckit::observe::{PoolPhase, RunTime, WayEnd};
use asynckit::{AsyncResult, Limit, Pool, Results, async_work, chain, current, work};

use crate::support::{Gate, eventually, occupy, soon};

#[async_work]
fn double(n: u32) -> u32 {
    2 * n
}
#[async_work]
fn add(a: u32, b: u32) -> u32 {
    a + b
}
#[async_work]
async fn later(input: AsyncResult<u32>) -> u32 {
    input.await.unwrap_or(0)
}

#[test]
fn a_pool_with_nothing_to_do_says_so() {
    let pool = Pool::builder().workers(0).thread_name("bored").build().unwrap();
    let snapshot = pool.snapshot();
    assert_eq!(
        snapshot.to_string(),
        "pool `bored`: it has nothing to do\n\
         0 threads of 0 workers: 0 asleep, 0 in work that waits; 0 queued"
    );
    assert!(snapshot.running.is_empty() && snapshot.waits.is_empty());
    pool.stop();
    assert_eq!(pool.snapshot().phase, PoolPhase::Stopped);
}

#[test]
fn what_only_the_program_sets_is_named_with_what_waits_for_it() {
    soon(|| {
        let pool = Pool::new(1);
        let line = line!() + 1;
        let input = AsyncResult::new();
        let (told, tells) = mpsc::channel();
        let sum = chain!(&pool, {
            let twice = double(input.clone());
            add(twice, 1)
        });
        let waiter = thread::spawn(move || {
            told.send(()).unwrap();
            sum.get().unwrap()
        });
        tells.recv().unwrap();
        eventually("the thread waits", || pool.snapshot().waits.len() == 1);
        eventually("the worker sleeps", || pool.snapshot().asleep == 1);
        let snapshot = pool.snapshot();
        let [wait] = &snapshot.waits[..] else { panic!("{snapshot}") };
        assert!(wait.call.is_none() && !wait.timed && wait.of == 1);
        let names: Vec<_> = wait.on[0].calls.iter().map(|call| call.name).collect();
        assert!(names[0].ends_with("add") && names[1].ends_with("double"), "{names:?}");
        assert_eq!(names[2], "AsyncResult");
        assert_eq!(wait.on[0].end, WayEnd::ByHand);
        let [root] = &snapshot.roots[..] else { panic!("{snapshot}") };
        assert!(root.by_hand && root.waiting == 1 && root.dependents[0].name.ends_with("double"));
        assert_eq!(root.call.at.line(), line);
        let text = snapshot.to_string();
        let file = "tests/it/snapshots.rs";
        let first = format!(
            "pool `asynckit`: nothing runs and nothing is queued: AsyncResult ({file}:{line}) is set \
             by the program alone"
        );
        assert_eq!(text.lines().next().unwrap(), first);
        assert!(text.contains(", which only the program sets: for double ("), "{text}");
        input.set(1).unwrap();
        assert_eq!(waiter.join().unwrap(), 3);
    });
}

#[test]
fn work_that_waits_is_named_with_its_thread() {
    soon(|| {
        let pool = Pool::builder().workers(1).max_spares(0).thread_name("mine").build().unwrap();
        let input = AsyncResult::<u32>::new();
        let its = input.clone();
        let stuck = pool.spawn(move || its.get_timeout(Duration::from_secs(3600)).is_ok());
        let queued = double(1).spawn_on(&pool);
        eventually("it waits", || !pool.snapshot().waits.is_empty());
        let snapshot = pool.snapshot();
        let wait = &snapshot.waits[0];
        assert_eq!((wait.row.name(), wait.timed), ("mine-1", true));
        assert_eq!(wait.call.unwrap().name, "closure");
        assert_eq!(wait.on[0].end, WayEnd::ByHand);
        let [running] = &snapshot.running[..] else { panic!("{snapshot}") };
        assert!(running.waits && running.call.name == "closure");
        assert_eq!(snapshot.queued.total(), 1);
        let text = snapshot.to_string();
        assert!(text.contains("nothing runs, though 1 are queued"), "{text}");
        assert!(text.contains("mine-1: closure (tests/it/snapshots.rs:"), "{text}");
        input.set(1).unwrap();
        assert!(stuck.get().unwrap());
        assert_eq!(queued.get().unwrap(), 2);
    });
}

#[test]
fn a_limit_is_shown_with_who_holds_it_and_who_stands_in_line() {
    soon(|| {
        let (pool, other) = (Pool::new(2), Pool::new(1));
        let (limit, unused) = (Limit::new(1), Limit::new(3));
        let (begun, gate) = (Gate::new(), Gate::new());
        let holds = work({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.open();
                gate.pass();
            }
        });
        let holds = holds.limit(&limit).spawn_on(&pool);
        begun.pass();
        let others: Vec<_> = (0..5).map(|n| double(n).limit(&limit).spawn_on(&pool)).collect();
        let snapshot = pool.snapshot();
        let [used] = &snapshot.limits[..] else { panic!("{snapshot}") };
        assert_eq!((used.most, used.in_line, used.holders.len()), (1, 5, 1));
        assert_eq!(used.holders[0].name, "closure");
        assert!(used.line.iter().all(|call| call.name.ends_with("double")));
        assert_eq!(snapshot.suspended.iter().filter(|one| one.in_line).count(), 5);
        assert!(other.snapshot().limits.is_empty());
        let text = snapshot.to_string();
        assert!(text.contains("held by closure ("), "{text}");
        assert!(text.contains("; in line 5 × double ("), "{text}");
        gate.open();
        holds.get().unwrap();
        assert_eq!(others.into_iter().join_all().get().unwrap().len(), 5);
        drop(pool);
        assert_eq!(unused.waiting(), 0);
    });
}

#[test]
fn what_a_snapshot_has_seen_is_let_go_of_with_the_pool() {
    soon(|| {
        let (limit, gate) = (Limit::new(1), Gate::new());
        let pool = Pool::new(1);
        let held = hold(gate.clone()).limit(&limit.of("a key")).spawn_on(&pool);
        eventually("it runs", || !pool.snapshot().running.is_empty());
        gate.open();
        held.get().unwrap();
        assert_eq!(limit.keys(), 1);
        drop(pool);
        // Nobody has the limit of the key any more.
        eventually("all is let go of", || limit.keys() == 0);
    });
}

#[test]
fn for_how_long_something_runs_is_told_as_far_as_it_is_known() {
    soon(|| {
        let (pool, watched) =
            (Pool::new(1), Pool::builder().workers(1).watch(true).build().unwrap());
        let busy = [occupy(&pool), occupy(&watched)];
        let time = |pool: &Pool| match &pool.snapshot().running[..] {
            [one] => one.time,
            other => panic!("{other:?}"),
        };
        assert_eq!(time(&pool), RunTime::Unknown);
        let RunTime::AtLeast(first) = time(&pool) else { panic!("it was seen before") };
        let RunTime::AtLeast(second) = time(&pool) else { panic!("it was seen before") };
        assert!(second > first);
        let RunTime::Exactly(first) = time(&watched) else { panic!("somebody looks on") };
        let RunTime::Exactly(second) = time(&watched) else { panic!("somebody looks on") };
        assert!(second > first);
        drop(busy);
        // Another run is another.
        pool.run_until_idle();
        let busy = occupy(&pool);
        assert_eq!(time(&pool), RunTime::Unknown);
        drop(busy);
    });
}

#[test]
fn what_was_cancelled_and_runs_on_is_told_apart() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        busy.result.cancel();
        let snapshot = pool.snapshot();
        assert!(snapshot.running[0].is_settled);
        assert!(snapshot.to_string().contains("though nobody wants its result any more"));
    });
}

#[test]
fn queued_work_of_a_pool_without_workers_is_told() {
    let pool = Pool::new(0);
    let results: Vec<_> = (0..3).map(|n| double(n).spawn_on(&pool)).collect();
    let text = pool.snapshot().to_string();
    assert!(text.contains("3 queued, and it has no workers: nobody waits for its work"), "{text}");
    pool.run_until_idle();
    assert!(results.iter().all(AsyncResult::is_set));
}

#[test]
fn pending_futures_are_shown_with_what_they_await() {
    let pool = Pool::deterministic(1);
    let input = AsyncResult::new();
    let first = later(input.clone()).spawn_on(&pool);
    let second = later(first).spawn_on(&pool);
    pool.run_until_idle();
    let snapshot = pool.snapshot();
    let [a, b] = &snapshot.suspended[..] else { panic!("{snapshot}") };
    let lengths = [a, b].map(|one| one.on.as_ref().map_or(0, |way| way.calls.len()));
    assert_eq!(lengths.iter().sum::<usize>(), 3, "{snapshot}");
    assert!([a, b].iter().all(|one| one.on.as_ref().unwrap().end == WayEnd::ByHand));
    input.set(1).unwrap();
    assert_eq!(second.get().unwrap(), 1);
}

#[test]
fn with_watch_there_are_counts_by_function() {
    let pool = Pool::builder().deterministic(3).watch(true).build().unwrap();
    let input = AsyncResult::new();
    let all: Vec<_> = (0..10u32)
        .map(|n| {
            chain!(&pool, {
                let twice = double(input.clone());
                add(twice, n)
            })
        })
        .collect();
    let snapshot = pool.snapshot();
    let of = |snapshot: &asynckit::Snapshot, name: &str| {
        snapshot.functions.iter().find(|one| one.name == name).unwrap().clone()
    };
    let (doubles, adds) = (of(&snapshot, "double"), of(&snapshot, "add"));
    assert_eq!((doubles.waiting, adds.waiting, adds.ended), (10, 10, 0));
    assert!(doubles.needs.is_empty());
    assert_eq!(adds.needs, [(doubles.name, 10)]);
    assert!(snapshot.to_string().contains("add: 10 wait; wait for"), "{snapshot}");
    input.set(1).unwrap();
    assert_eq!(all.into_iter().join_all().get().unwrap().len(), 10);
    let snapshot = pool.snapshot();
    let adds = of(&snapshot, "add");
    assert_eq!((adds.waiting, adds.ready, adds.running, adds.ended), (0, 0, 0, 10));
    assert!(adds.needs.is_empty());
}

#[test]
fn snapshots_of_what_comes_and_goes_stay_small() {
    soon(|| {
        let pool = Pool::builder().workers(2).watch(true).build().unwrap();
        let (limit, over) = (Limit::new(1), AtomicBool::new(false));
        thread::scope(|s| {
            let (pool, limit, over) = (&pool, &limit, &over);
            let looks = s.spawn(move || {
                let mut looks = 0;
                while !over.load(Ordering::Relaxed) {
                    let snapshot = pool.snapshot();
                    let text = snapshot.to_string();
                    assert!(text.lines().count() <= 60, "{text}");
                    assert!(snapshot.running.len() <= 100, "{text}");
                    assert!(snapshot.limits.len() <= 1, "{text}");
                    looks += 1;
                }
                looks
            });
            for _ in 0..100 {
                let nested = work(|| double(1).spawn_on(&current()).get().unwrap());
                let nested: Vec<_> = (0..4)
                    .map(|n| double(n).limit(limit).spawn_on(pool))
                    .chain([nested.spawn_on(pool)])
                    .collect();
                let input = AsyncResult::new();
                let waits: Vec<_> =
                    (0..50).map(|_| input.clone().map(|n: u32| n + 1).spawn_on(pool)).collect();
                pool.spawn(move || input.set(1).unwrap()).get().unwrap();
                assert_eq!(waits.into_iter().join_all().get().unwrap(), vec![2; 50]);
                assert_eq!(nested.into_iter().join_all().get().unwrap().len(), 5);
            }
            over.store(true, Ordering::Relaxed);
            assert!(looks.join().unwrap() > 0);
        });
        pool.stop();
        let snapshot = pool.snapshot();
        assert!(snapshot.functions.iter().all(|one| one.waiting + one.ready + one.running == 0));
    });
}

/// Registers a callback that begins and then passes a gate; in which line.
fn call_on_set(result: &AsyncResult<u32>, begun: &Gate, gate: &Gate) -> u32 {
    let (begun, gate) = (begun.clone(), gate.clone());
    let line = line!() + 1;
    result.on_set(move |_| {
        begun.open();
        gate.pass();
    });
    line
}

#[test]
fn a_callback_that_hangs_is_named_with_its_thread_and_for_how_long() {
    soon(|| {
        for watch in [false, true] {
            let pool = Pool::builder().workers(1).thread_name("mine").watch(watch).build().unwrap();
            let other = Pool::new(1);
            let (input, begun, gate) = (AsyncResult::new(), Gate::new(), Gate::new());
            let result = chain!(&pool, double(input.clone()));
            let line = call_on_set(&result, &begun, &gate);
            input.set(1).unwrap();
            begun.pass();
            let looked_at = || {
                let snapshot = pool.snapshot();
                let [one] = &snapshot.callbacks[..] else { panic!("{snapshot}") };
                assert_eq!((one.row.name(), one.at.line(), one.waits), ("mine-1", line, false));
                assert!(one.result.name.ends_with("double"), "{snapshot}");
                assert!(snapshot.running.is_empty(), "{snapshot}");
                one.time
            };
            let first = looked_at();
            assert_eq!(first == RunTime::Unknown, !watch, "{first:?}");
            let (RunTime::AtLeast(a) | RunTime::Exactly(a)) = looked_at() else {
                panic!("unknown")
            };
            let second = looked_at();
            let (RunTime::AtLeast(b) | RunTime::Exactly(b)) = second else { panic!("unknown") };
            assert!(a < b && matches!(second, RunTime::Exactly(_)) == watch, "{second:?}");
            let text = pool.snapshot().to_string();
            let first = "pool `mine`: 1 callback runs and nothing is queued";
            assert_eq!(text.lines().next().unwrap(), first);
            let its = format!("\ncallbacks:\n  mine-1: that of tests/it/snapshots.rs:{line} for ");
            assert!(text.contains(&its), "{text}");
            assert!(text.contains(", with the result of double (tests/it/snapshots.rs:"), "{text}");
            assert!(other.snapshot().callbacks.is_empty());
            gate.open();
            eventually("it is over", || pool.snapshot().callbacks.is_empty());
        }
    });
}

#[test]
fn callbacks_are_shown_wherever_they_run() {
    soon(|| {
        // One by one: a value that the program has made, on a worker; work of the pool, on a thread of the program, also
        // of a pool without workers; a future.
        let (one, none) = (Pool::new(1), Pool::new(0));
        let (begun, gate) = (Gate::new(), Gate::new());
        let value = AsyncResult::new();
        let line = call_on_set(&value, &begun, &gate);
        drop(one.spawn(move || value.set(1).unwrap()));
        begun.pass();
        let snapshot = one.snapshot();
        let [shown] = &snapshot.callbacks[..] else { panic!("{snapshot}") };
        assert_eq!((shown.at.line(), shown.row.name()), (line, "asynckit-1"));
        assert!(shown.result.name.starts_with("AsyncResult"), "{snapshot}");
        assert!(none.snapshot().callbacks.is_empty());
        gate.open();

        let input = AsyncResult::new();
        input.set(1).unwrap();
        for pool in [&one, &none] {
            for result in [double(1).spawn_on(pool), later(input.clone()).spawn_on(pool)] {
                let (begun, gate) = (Gate::new(), Gate::new());
                let named = thread::Builder::new().name("of the program".to_owned());
                let (its, its_begun, its_gate) = (result.clone(), begun.clone(), gate.clone());
                let caller = named.spawn(move || {
                    its.wait();
                    call_on_set(&its, &its_begun, &its_gate);
                });
                begun.pass();
                let snapshot = pool.snapshot();
                let [shown] = &snapshot.callbacks[..] else { panic!("{snapshot}") };
                assert_eq!(shown.row.name(), "of the program");
                gate.open();
                caller.unwrap().join().unwrap();
            }
        }
    });
}

#[test]
fn a_callback_that_waits_is_shown_to_wait_and_for_what() {
    soon(|| {
        let pool = Pool::new(1);
        let (input, never) = (AsyncResult::new(), AsyncResult::<u32>::new());
        let result = chain!(&pool, double(input.clone()));
        let (its, (tell, told)) = (never.clone(), mpsc::channel());
        result.on_set(move |_| tell.send(its.get()).unwrap());
        input.set(1).unwrap();
        eventually("it waits", || pool.snapshot().callbacks.iter().any(|one| one.waits));
        let text = pool.snapshot().to_string();
        let said = text.lines().next().unwrap();
        assert!(
            said.starts_with("pool `asynckit`: nothing runs and nothing is queued: "),
            "{text}"
        );
        assert!(said.ends_with("is set by the program alone"), "{text}");
        never.set(1).unwrap();
        assert_eq!(told.recv().unwrap().unwrap(), 1);
    });
}

/// What a snapshot counts of a function: waiting, ready, running, ended, failed.
fn counted(pool: &Pool, name: &str) -> [usize; 5] {
    let all = pool.snapshot().functions;
    let its = all.iter().find(|one| one.name == name);
    its.map_or([0; 5], |one| [one.waiting, one.ready, one.running, one.ended, one.failed])
}

#[async_work]
fn hold(gate: Gate) {
    gate.pass();
}

#[test]
fn the_cause_is_named_where_work_is_queued_behind_waits() {
    soon(|| {
        let pool = Pool::builder().workers(1).max_spares(0).build().unwrap();
        let input = AsyncResult::<u32>::new();
        let its = input.clone();
        let waits = work(move || its.get_timeout(Duration::from_secs(3600)).is_ok());
        let waits = waits.spawn_on(&pool);
        eventually("it waits", || pool.snapshot().running.iter().any(|one| one.waits));
        let queued = work(|| ()).spawn_on(&pool);
        let text = pool.snapshot().to_string();
        let first = text.lines().next().unwrap();
        assert!(first.contains("nothing runs, though 1 are queued: AsyncResult ("), "{text}");
        assert!(first.ends_with("is set by the program alone"), "{text}");
        input.set(1).unwrap();
        assert!(waits.get().unwrap());
        queued.get().unwrap();
    });
}

#[test]
fn what_a_future_awaits_is_named_as_the_cause() {
    let pool = Pool::deterministic(1);
    let input = AsyncResult::new();
    let first = later(input.clone()).spawn_on(&pool);
    pool.run_until_idle();
    let text = pool.snapshot().to_string();
    let said = text.lines().next().unwrap();
    assert!(said.ends_with("is set by the program alone"), "{text}");
    input.set(1).unwrap();
    assert_eq!(first.get().unwrap(), 1);
}

#[test]
fn work_in_the_line_of_a_limit_is_counted_once() {
    soon(|| {
        let pool = Pool::builder().workers(1).watch(true).build().unwrap();
        let (limit, gate) = (Limit::new(1), Gate::new());
        let all: Vec<_> =
            (0..50).map(|_| hold(gate.clone()).limit(&limit).spawn_on(&pool)).collect();
        eventually("one runs", || counted(&pool, "hold") == [49, 0, 1, 0, 0]);
        all[49].cancel();
        eventually("one was given up", || counted(&pool, "hold") == [48, 0, 1, 1, 1]);
        gate.open();
        let ends = all.settle_all().get().unwrap();
        assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 49);
        eventually("all are over", || counted(&pool, "hold") == [0, 0, 0, 50, 1]);
    });
}

#[test]
fn what_was_cancelled_while_it_ran_is_not_counted_as_done() {
    soon(|| {
        let pool = Pool::builder().workers(1).watch(true).build().unwrap();
        let gate = Gate::new();
        let held = hold(gate.clone()).spawn_on(&pool);
        let timed = hold(gate.clone()).timeout(Duration::from_secs(3600)).spawn_on(&pool);
        eventually("one runs", || counted(&pool, "hold")[2] == 1);
        held.cancel();
        gate.open();
        timed.get().unwrap();
        eventually("both are over", || counted(&pool, "hold") == [0, 0, 0, 2, 1]);
    });
}

#[test]
fn of_more_open_tasks_than_are_followed_it_is_told_how_many_there_were() {
    const ALL: usize = 70_000;
    let pool = Pool::builder().workers(0).watch(true).build().unwrap();
    let input = AsyncResult::<u32>::new();
    let all: Vec<_> = (0..ALL).map(|_| input.clone().map(|n| n + 1).spawn_on(&pool)).collect();
    let functions = pool.snapshot().functions;
    let map = functions.iter().find(|one| one.name == "map").unwrap();
    assert_eq!(map.waiting + map.more, ALL);
    assert!(map.more > 0 && map.to_string().contains("more that were too many"), "{map}");
    input.set(1).unwrap();
    all.join_all().get().unwrap();
    let map = &pool.snapshot().functions[0];
    assert_eq!((map.ended + map.more, map.waiting), (ALL, 0));
}
