//! Who looks on to a pool is told what its tasks go through, in order, on the thread that it happens on.

pub mod log;

use std::thread;
use std::time::Duration;

use asynckit::observe::RowKind;
use asynckit::{
    AsyncResult, CancelToken, ErrorKind, Limit, Pool, Results, Retry, async_work, chain, current,
    note, try_work, work,
};

use crate::support::{Gate, occupy, soon};
use log::Log;

#[async_work]
pub fn one() -> u32 {
    1
}
#[async_work]
pub fn double(n: &u32) -> u32 {
    2 * n
}
#[async_work]
pub fn add(a: u32, b: u32) -> u32 {
    a + b
}
#[async_work]
fn broken() -> Result<u32, String> {
    Err("on purpose".to_owned())
}

/// A deterministic pool with somebody who looks on: all of it happens on this thread.
fn looked_on() -> (Pool, Log) {
    let log = Log::default();
    let pool = Pool::builder().deterministic(1).observer(log.clone()).build().unwrap();
    (pool, log)
}

#[test]
fn a_graph_is_told_as_it_happens() {
    let (pool, log) = looked_on();
    let sum = chain!(&pool, {
        let a = one();
        let b = double(&a);
        add(a, b)
    });
    assert_eq!(sum.get().unwrap(), 3);
    assert_eq!(
        log.tasks(),
        [
            "submitted one call",
            "ready one",
            "submitted double call needs one",
            "submitted add call needs one double",
            "started one",
            "ended one value",
            "ready double",
            "started double",
            "ended double value",
            "ready add",
            "started add",
            "ended add value",
        ]
    );
    log.check();
}

#[test]
fn what_a_failure_skips_is_told_to_end_without_a_start() {
    let (pool, log) = looked_on();
    let sum = chain!(&pool, {
        let a = broken();
        let b = double(&a);
        add(a, b)
    });
    sum.get().unwrap_err();
    assert_eq!(
        log.tasks()[4..],
        [
            "started broken",
            "ended broken failed failed",
            "ended add skipped failed",
            "ended double skipped failed",
        ]
    );
    log.check();
    let late = broken().spawn_on(&pool);
    late.wait();
    // An input that has failed already.
    chain!(&pool, double(&late)).get().unwrap_err();
    let last = log.tasks();
    assert_eq!(
        last[last.len() - 2..],
        ["submitted double.2 call needs broken.2", "ended double.2 skipped failed"]
    );
    log.check();
}

#[test]
fn a_panic_is_a_failure() {
    let (pool, log) = looked_on();
    pool.spawn(|| panic!("on purpose")).get().unwrap_err();
    assert_eq!(log.tasks()[2..], ["started closure", "ended closure failed panicked"]);
}

#[test]
fn results_from_elsewhere_are_outside() {
    let (pool, log) = looked_on();
    let (by_hand, unseen) = (AsyncResult::new(), Pool::deterministic(2));
    let other = one().spawn_on(&unseen);
    let sum = chain!(&pool, add(by_hand.clone(), other));
    by_hand.set(1).unwrap();
    assert_eq!(sum.get().unwrap(), 2);
    assert_eq!(log.tasks()[0], "submitted add call needs outside outside");
    log.check();
}

#[test]
fn who_submits_is_told_and_whose_part_a_task_is() {
    #[async_work]
    fn outer() -> asynckit::Work<'static, u32> {
        drop(double_of(3).spawn_on(&current()));
        one()
    }
    #[async_work]
    fn double_of(n: u32) -> u32 {
        2 * n
    }
    let (pool, log) = looked_on();
    // A call that returns work goes on with it.
    let result = chain!(&pool, {
        let gate = one();
        lifted(gate)
    });
    fn lifted(_: u32) -> AsyncResult<u32> {
        one().spawn_on(&current())
    }
    assert_eq!(result.get().unwrap(), 1);
    drop(outer().spawn_on(&pool));
    pool.run_until_idle();
    let tasks = log.tasks();
    assert!(tasks.contains(&"submitted one.2 call by lifted".to_owned()), "{tasks:#?}");
    assert!(tasks.contains(&"submitted double_of call by outer".to_owned()), "{tasks:#?}");
    assert!(tasks.contains(&"suspended lifted on one.2".to_owned()), "{tasks:#?}");
    log.check();
}

#[test]
fn a_future_is_suspended_and_resumed() {
    #[async_work]
    async fn awaits(input: AsyncResult<u32>) -> u32 {
        input.await.unwrap()
    }
    let (pool, log) = looked_on();
    let input = AsyncResult::new();
    let (a, b) = (awaits(input.clone()).spawn_on(&pool), one().spawn_on(&pool));
    let c = awaits(b).spawn_on(&pool);
    pool.run_until_idle();
    input.set(1).unwrap();
    assert_eq!((a.get().unwrap(), c.get().unwrap()), (1, 1));
    let of = |name| log.of(name).into_iter().map(|one| one.line).collect::<Vec<_>>();
    assert_eq!(
        of("awaits"),
        [
            "submitted awaits future",
            "ready awaits",
            "started awaits",
            "suspended awaits on outside",
            "ready awaits",
            "resumed awaits",
            "ended awaits value",
        ]
    );
    log.check();
}

#[test]
fn a_wait_inside_of_work_is_told_around_what_it_runs() {
    let (pool, log) = looked_on();
    #[async_work]
    fn waits(a: u32) -> u32 {
        let results = [one().spawn_on(&current()), one().spawn_on(&current())];
        assert!(results.wait_any().is_some());
        let [b, c] = results.map(|result| result.get().unwrap());
        a + b + c
    }
    assert_eq!(waits(1).spawn_on(&pool).get().unwrap(), 3);
    let lines = log.lines(&["wait_begun", "wait_ended", "started", "ended"]);
    assert_eq!(lines[0], "started waits");
    assert_eq!(lines[1], "wait_begun waits for any of one one.2");
    assert!(lines[2].starts_with("started one"), "{lines:#?}");
    assert!(lines[3].starts_with("ended one"), "{lines:#?}");
    assert_eq!(lines[4], "wait_ended waits");
    assert_eq!(lines.last().unwrap(), "ended waits value");
    log.check();
}

#[test]
fn a_scope_s_end_is_a_wait() {
    let (pool, log) = looked_on();
    let numbers = [1, 2];
    let outer = pool.spawn(|| {
        let words = [1, 2];
        let inner = Pool::deterministic(3);
        inner.scope(|s| drop(s.spawn(|| words.len())));
    });
    outer.get().unwrap();
    let sum = pool.scope(|s| {
        let members = numbers.map(|n| s.spawn(move || n));
        members.into_iter().map(|member| member.get().unwrap()).sum::<u32>()
    });
    assert_eq!(sum, 3);
    assert_eq!(log.count("submitted"), 3);
    log.check();
}

#[test]
fn limited_work_stands_in_line_and_gives_its_permit_back() {
    let (pool, log) = looked_on();
    let limit = Limit::new(1);
    let (a, b) = (one().limit(&limit).spawn_on(&pool), one().limit(&limit).spawn_on(&pool));
    assert_eq!(a.get().unwrap() + b.get().unwrap(), 2);
    pool.run_until_idle();
    assert_eq!(
        log.lines(&[
            "submitted",
            "stands_in_line",
            "got_permit",
            "gave_permit",
            "started",
            "ended"
        ]),
        [
            "submitted one around",
            "got_permit one",
            "submitted one.2 call by one part of one",
            "submitted one.3 around",
            "stands_in_line one.3 behind 0 for one of 1",
            "started one.2",
            "ended one.2 value",
            "ended one value",
            "gave_permit one",
            "got_permit one.3",
            "submitted one.4 call by one.3 part of one.3",
            "started one.4",
            "ended one.4 value",
            "ended one.3 value",
            "gave_permit one.3",
        ]
    );
    log.check();
}

#[test]
fn tries_are_told_with_why_the_one_before_failed() {
    let (pool, log) = looked_on();
    let mut calls = 0;
    let flaky = move || {
        calls += 1;
        let call = calls;
        try_work(move || if call < 3 { Err("busy") } else { Ok(call) })
    };
    let retry = Retry::new(5).backoff(Duration::from_secs(1));
    assert_eq!(retry.work(flaky).spawn_on(&pool).get().unwrap(), 3);
    assert_eq!(
        log.lines(&["attempt"]),
        [
            "attempt retry 1",
            "attempt retry 2 after: closure failed: busy",
            "attempt retry 3 after: closure failed: busy",
        ]
    );
    // Between them it has left the thread.
    assert_eq!(log.count("suspended"), 2);
    // The time is the pool's, which goes on in the pauses alone.
    let times: Vec<_> = log.seen().iter().map(|one| one.time).collect();
    assert_eq!(times[0], Duration::ZERO);
    assert_eq!(*times.last().unwrap(), pool.virtual_time().unwrap());
    assert!(times.is_sorted());
    log.check();
}

#[test]
fn time_limits_are_told() {
    let (pool, log) = looked_on();
    let second = Duration::from_secs(1);
    let never = AsyncResult::<u32>::new();
    let late = never.clone().map(|n| n + 1).deadline(second).spawn_on(&pool);
    assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
    let around = chain!(&pool, double(&never)).timeout(second);
    assert_eq!(around.get().unwrap_err().kind(), ErrorKind::TimedOut);
    let ended = log.lines(&["submitted", "ended"]);
    assert_eq!(
        ended,
        [
            "submitted map around",
            "submitted map.2 call needs outside by map part of map",
            "ended map.2 skipped cancelled",
            "ended map skipped timedout",
            "submitted double call needs outside",
            "submitted double.2 around needs double",
            "ended double skipped cancelled",
            "ended double.2 skipped timedout",
        ]
    );
    log.check();
}

#[test]
fn what_is_cancelled_while_it_runs_ends_late() {
    soon(|| {
        let log = Log::default();
        let pool = Pool::builder().workers(1).observer(log.clone()).build().unwrap();
        let (begun, gate) = (Gate::new(), Gate::new());
        let token = CancelToken::new();
        let runs = work({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.open();
                gate.pass();
            }
        });
        let runs = runs.spawn_on(&token.on(&pool));
        let waits = one().spawn_on(&token.on(&pool));
        begun.pass();
        token.cancel();
        assert_eq!(runs.get().unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(waits.get().unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(log.lines(&["cancelled"]), ["cancelled closure cancelled"]);
        assert_eq!(log.lines(&["ended"]), ["ended one skipped cancelled"]);
        gate.open();
        pool.stop();
        assert_eq!(log.lines(&["ended"])[1], "ended closure late");
        let of = log.of("closure");
        let (started, ended) = (&of[2], &of[4]);
        assert_eq!((started.what, ended.what), ("started", "ended"));
        assert_eq!(started.thread, ended.thread);
        assert_ne!(of[3].thread, ended.thread);
        log.check();
    });
}

#[test]
fn callbacks_are_told_on_the_thread_that_calls_them() {
    soon(|| {
        let log = Log::default();
        let pool = Pool::builder().workers(1).observer(log.clone()).build().unwrap();
        let busy = occupy(&pool);
        let result = one().spawn_on(&pool);
        let called = Gate::new();
        let its = called.clone();
        result.on_set(move |value| {
            assert_eq!(value.unwrap(), &1);
            its.open();
        });
        busy.free();
        called.pass();
        pool.stop();
        let seen = log.seen();
        let of = |what| seen.iter().find(|one| one.what == what).unwrap();
        let (registered, begun, ended) =
            (of("callback_registered"), of("callback_begun"), of("callback_ended"));
        assert_eq!(registered.line, "callback_registered 1 on one");
        assert_eq!(ended.line, "callback_ended 1 called");
        assert_eq!(registered.thread, thread::current().id());
        assert_eq!(begun.thread, log.of("one")[2].thread);
        assert_eq!(begun.thread, ended.thread);
        assert_eq!(registered.row.1, RowKind::Program);
        assert_eq!(begun.row.1, RowKind::Worker);
    });
}

#[test]
fn a_callback_whose_result_has_failed_is_called_too() {
    let (pool, log) = looked_on();
    let (setter, result) = AsyncResult::<u32>::channel();
    let waits = result.map(|n| n + 1).spawn_on(&pool);
    waits.on_set(|value| assert!(value.is_err()));
    drop(setter);
    assert_eq!(
        log.lines(&["callback_registered", "callback_begun", "callback_ended", "ended"]),
        [
            "callback_registered 1 on map",
            "ended map skipped abandoned",
            "callback_begun 1",
            "callback_ended 1 called",
        ]
    );
}

#[test]
fn work_may_say_something_of_itself() {
    note("key", "outside of work nobody is told");
    let (pool, log) = looked_on();
    let noted = work(|| {
        note("bytes", 6);
        work(|| note("in place", "a part of the work around")).run().unwrap();
    });
    noted.spawn_on(&pool).get().unwrap();
    assert_eq!(
        log.lines(&["note"]),
        ["note closure bytes=6", "note closure in place=a part of the work around"]
    );
}

#[test]
fn who_comes_later_sees_what_is_submitted_from_then_on() {
    let pool = Pool::deterministic(1);
    let before = one().spawn_on(&pool);
    let (early, late) = (Log::default(), Log::default());
    pool.observe(early.clone());
    let between = chain!(&pool, double(&before));
    pool.observe(late.clone());
    let after = chain!(&pool, add(before, between));
    assert_eq!(after.get().unwrap(), 3);
    assert_eq!(early.lines(&["submitted"]).len(), 2);
    assert_eq!(early.lines(&["submitted"])[0], "submitted double call needs outside");
    assert_eq!(early.count("ended"), 2);
    assert_eq!(late.count("submitted"), 1);
    assert_eq!(late.count("ended"), 1);
    early.check();
    late.check();
    assert_eq!(late.seen()[0].line, "pool_sized 0 virtual");
}

#[test]
fn the_same_seed_tells_the_same() {
    let told = |seed| {
        let log = Log::default();
        let pool = Pool::builder().deterministic(seed).observer(log.clone()).build().unwrap();
        let limit = Limit::new(2);
        let all = (0..20u32).map(|n| {
            let work = try_work(move || if n == 7 { Err("seven") } else { Ok(n) });
            work.limit(&limit).spawn_on(&pool)
        });
        let all = all.settle_all().get().unwrap();
        assert_eq!(all.iter().filter(|one| one.is_err()).count(), 1);
        pool.stop();
        log.check();
        log.seen().into_iter().map(|one| (one.line, one.time)).collect::<Vec<_>>()
    };
    assert_eq!(told(5), told(5));
    assert_ne!(told(5), told(6));
}
