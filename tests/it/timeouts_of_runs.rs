//! A `timeout` limits a run, from its begin to its end, of what it is called on; a `deadline` limits all
//! from the submission.

use std::thread::sleep;
use std::time::{Duration, Instant};

use asynckit::{
    AsyncResult, ErrorKind, Limit, Pool, Results, Retry, async_work, chain, current, is_cancelled,
    try_work, work,
};

use crate::support::{Broken, Counter, Gate, LIMIT, eventually, occupy, soon};

/// What is to be over.
const SHORT: Duration = Duration::from_millis(20);
/// What is to be enough for a short run, whatever else the machine does.
const LONG: Duration = Duration::from_millis(400);
const HOUR: Duration = Duration::from_secs(3600);

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

#[async_work(timeout = "400ms")]
fn limited_inc(n: u32) -> u32 {
    n + 1
}

#[async_work(limit = 1, timeout = "400ms")]
fn one_at_a_time(gate: Gate, begun: Gate, n: u32) -> u32 {
    begun.open();
    gate.pass();
    n
}

#[async_work]
async fn awaits(input: AsyncResult<u32>) -> asynckit::Result<u32> {
    input.await
}

#[async_work]
fn until_cancelled() {
    eventually("it was given up", is_cancelled);
}

fn open() -> Gate {
    let gate = Gate::new();
    gate.open();
    gate
}

#[track_caller]
fn assert_timed_out<T>(outcome: Result<T, asynckit::Error>) {
    assert_eq!(outcome.map(drop).unwrap_err().kind(), ErrorKind::TimedOut);
}

#[test]
fn the_queue_does_not_count() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let sync = inc(1).timeout(LONG).spawn_on(&pool);
        let suspended = awaits(AsyncResult::ready(1)).timeout(LONG).spawn_on(&pool);
        let tried = Retry::new(1).work(|| inc(2)).timeout(LONG).spawn_on(&pool);
        let large = [7; 100];
        let cell = work(move || large[99]).timeout(LONG).spawn_on(&pool);
        let late = inc(1).deadline(SHORT).spawn_on(&pool);
        sleep(2 * LONG);
        assert!(!sync.is_set() && late.is_error());
        busy.free();
        assert_eq!((sync.get().unwrap(), suspended.get().unwrap()), (2, 1));
        assert_eq!((tried.get().unwrap(), cell.get().unwrap()), (3, 7));
    });
}

#[test]
fn inputs_do_not_count() {
    soon(|| {
        let pool = Pool::new(1);
        let (setter, input) = AsyncResult::channel();
        let first = AsyncResult::<()>::new();
        let mapped = input.clone().map(|n: u32| n + 1).timeout(LONG).spawn_on(&pool);
        let after = inc(2).after(&first).timeout(LONG).spawn_on(&pool);
        let lifted = chain!(&pool, {
            let n = limited_inc(input);
            inc(n)
        });
        sleep(2 * LONG);
        setter.set(1).unwrap();
        first.set(()).unwrap();
        assert_eq!((mapped.get().unwrap(), after.get().unwrap()), (2, 3));
        assert_eq!(lifted.get().unwrap(), 3);
    });
}

#[test]
fn the_line_of_a_limit_does_not_count() {
    soon(|| {
        let (pool, limit) = (Pool::new(4), Limit::new(1));
        let (gate, begun) = (Gate::new(), Gate::new());
        let (shut, its) = (gate.clone(), begun.clone());
        let holds = work(move || {
            its.open();
            shut.pass();
        });
        let holds = holds.limit(&limit).spawn_on(&pool);
        begun.pass();
        let others = [
            inc(1).limit(&limit).timeout(LONG),
            inc(1).timeout(LONG).limit(&limit).timeout(LONG),
            inc(1).limit(&Limit::new(1)).limit(&limit).after(&AsyncResult::ready(1)).timeout(LONG),
            AsyncResult::ready(1).map(|n| n + 1).limit(&limit).timeout(LONG).timeout(LONG),
        ];
        let others: Vec<_> = others.into_iter().map(|work| work.spawn_on(&pool)).collect();
        let late = inc(1).limit(&limit).deadline(SHORT).spawn_on(&pool);
        assert_timed_out(late.get());
        sleep(2 * LONG);
        assert!(others.iter().all(|other| !other.is_set()));
        gate.open();
        holds.get().unwrap();
        assert_eq!(others.join_all().get().unwrap(), [2; 4]);
    });
}

#[test]
fn nor_does_it_at_the_attribute() {
    soon(|| {
        let pool = Pool::new(4);
        let (gate, begun, input) = (Gate::new(), Gate::new(), AsyncResult::new());
        let late = one_at_a_time(gate.clone(), begun.clone(), 1).spawn_on(&pool);
        begun.pass();
        // The call is made when its input is there, and then the function waits for its turn.
        let lifted = chain!(&pool, {
            let n = one_at_a_time(open(), Gate::new(), input.clone());
            inc(n)
        });
        input.set(5).unwrap();
        assert_timed_out(late.get());
        sleep(2 * LONG);
        assert!(!lifted.is_set(), "what is late runs on, and has its place in the limit");
        gate.open();
        assert_eq!(lifted.get().unwrap(), 6);
    });
}

#[test]
fn a_suspended_run_counts() {
    soon(|| {
        let pool = Pool::new(1);
        let never = AsyncResult::<u32>::new();
        assert_timed_out(awaits(never.clone()).timeout(SHORT).spawn_on(&pool).get());
        let work = Retry::new(3).when(|_: &Broken| true).work({
            let never = never.clone();
            move || awaits(never.clone())
        });
        assert_timed_out(work.timeout(SHORT).spawn_on(&pool).get());
        assert!(!never.is_set());
    });
}

#[test]
fn each_try_or_all_of_them() {
    soon(|| {
        let pool = Pool::deterministic(1);
        let fails = |calls: &Counter| {
            let calls = calls.clone();
            move || {
                let calls = calls.clone();
                try_work(move || {
                    calls.add();
                    Err::<u32, _>(Broken(1))
                })
            }
        };
        let retry = Retry::new(100).backoff(HOUR).max_backoff(HOUR);
        // Pauses of between half an hour and an hour.
        let calls = Counter::new();
        let all = retry.work(fails(&calls)).timeout(10 * HOUR).spawn_on(&pool);
        assert_timed_out(all.get());
        assert_eq!(pool.virtual_time(), Some(10 * HOUR));
        assert!((11..=20).contains(&calls.count()), "{}", calls.count());
        let calls = Counter::new();
        let (attempt, its) = (fails(&calls), Retry::new(5).backoff(HOUR).max_backoff(HOUR));
        let each = its.work(move || attempt().timeout(HOUR / 10)).spawn_on(&pool);
        assert_eq!(each.get().unwrap_err().kind(), ErrorKind::Failed);
        assert_eq!(calls.count(), 6);
        // In place, too.
        let (calls, start) = (Counter::new(), pool.virtual_time().unwrap());
        let work = retry.work(fails(&calls)).timeout(10 * HOUR);
        assert_timed_out(pool.spawn(|| work.run()).get().unwrap());
        assert_eq!(pool.virtual_time(), Some(start + 10 * HOUR));
        assert!((11..=20).contains(&calls.count()), "{}", calls.count());
    });
}

#[test]
fn tries_without_pauses_come_to_an_end() {
    soon(|| {
        let pool = Pool::new(1);
        let for_ever = || Retry::new(u32::MAX).work(|| try_work(|| Err::<u32, _>(Broken(1))));
        assert_timed_out(for_ever().timeout(SHORT).spawn_on(&pool).get());
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1, "its worker goes on");
        assert_timed_out(for_ever().timeout(SHORT).run());
        assert_timed_out(for_ever().deadline(SHORT).run());
        let cancelled = for_ever().spawn_on(&pool);
        cancelled.cancel();
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
    });
}

#[test]
fn limits_on_limits() {
    soon(|| {
        let pool = Pool::new(1);
        let run = || until_cancelled();
        for late in [
            run().timeout(SHORT).timeout(LIMIT),
            run().timeout(LIMIT).timeout(SHORT),
            run().timeout(SHORT).deadline(LIMIT),
            run().deadline(LIMIT).timeout(SHORT),
            run().timeout(LIMIT).deadline(SHORT),
            run().deadline(SHORT).timeout(LIMIT),
            Retry::new(0).work(run).timeout(SHORT),
        ] {
            assert_timed_out(late.spawn_on(&pool).get());
        }
        for in_place in [
            run().timeout(SHORT).deadline(LIMIT),
            run().deadline(LIMIT).timeout(SHORT),
            run().limit(&Limit::new(1)).timeout(SHORT),
            Retry::new(0).work(run).timeout(SHORT),
        ] {
            assert_timed_out(in_place.run());
        }
        let in_time = inc(1).timeout(LIMIT).deadline(LIMIT).timeout(LIMIT);
        assert_eq!(in_time.spawn_on(&pool).get().unwrap(), 2);
    });
}

#[test]
fn in_place_the_same_counts() {
    soon(|| {
        let (pool, limit) = (Pool::new(2), Limit::new(1));
        let (setter, input) = AsyncResult::channel();
        let later = pool.spawn(move || {
            sleep(2 * LONG);
            setter.set(1).unwrap();
        });
        assert_eq!(input.map(|n| n + 1).timeout(LONG).run().unwrap(), 2, "inputs don't");
        later.get().unwrap();
        let never = AsyncResult::<u32>::new();
        let waits = || never.clone().map(|n| n);
        assert_timed_out(waits().deadline(SHORT).run());
        assert_timed_out(waits().timeout(LIMIT).deadline(SHORT).run());
        assert_timed_out(waits().limit(&limit).deadline(SHORT).run());
        assert_timed_out(Retry::new(9).work(waits).deadline(SHORT).run());
        assert_timed_out(Retry::new(9).work(waits).timeout(SHORT).run());
        assert_timed_out(awaits(never.clone()).timeout(SHORT).run());
        assert_timed_out(awaits(never.clone()).limit(&limit).deadline(SHORT).run());
        let (gate, begun) = (Gate::new(), Gate::new());
        let (shut, its) = (gate.clone(), begun.clone());
        let holds = work(move || {
            its.open();
            shut.pass();
        });
        let holds = holds.limit(&limit).spawn_on(&pool);
        begun.pass();
        assert_timed_out(inc(1).limit(&limit).deadline(SHORT).run());
        assert_eq!(limit.waiting(), 0);
        let opens = pool.spawn(move || {
            sleep(2 * LONG);
            gate.open();
        });
        assert_eq!(inc(1).limit(&limit).timeout(LONG).run().unwrap(), 2, "nor does the line");
        holds.get().unwrap();
        opens.get().unwrap();
    });
}

#[test]
fn work_that_a_waiter_does_meanwhile_begins_nothing() {
    soon(|| {
        // Without workers the thread that waits for the input does this pool's work.
        let pool = Pool::new(0);
        let slow = pool.spawn(|| {
            let in_place = work(|| sleep(2 * LONG)).run();
            sleep(2 * LONG);
            in_place.is_ok()
        });
        assert!(slow.map(|ok| ok).timeout(LONG).run().unwrap());
    });
}

#[test]
fn work_that_limited_work_submits_is_its_own() {
    soon(|| {
        let pool = Pool::new(1);
        let (gate, inner) = (Gate::new(), Gate::new());
        let (shut, begun) = (gate.clone(), inner.clone());
        let outer = work(move || {
            work(move || {
                begun.open();
                shut.pass();
                7
            })
            .spawn_on(&current())
        });
        let inner_result = outer.timeout(LONG).spawn_on(&pool).get().unwrap();
        inner.pass();
        sleep(2 * LONG);
        gate.open();
        assert_eq!(inner_result.get().unwrap(), 7);
    });
}

#[test]
fn a_limit_that_has_not_begun_ends_no_cycle() {
    soon(|| {
        let (pool, limit) = (Pool::new(2), Limit::new(1));
        let its = limit.clone();
        let outer = work(move || inc(1).limit(&its).timeout(SHORT).spawn_on(&current()).get());
        let error = outer.limit(&limit).spawn_on(&pool).get().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        // One that has begun does: the inner work waits for the outer, but not for ever.
        let (sender, receiver) = std::sync::mpsc::channel::<AsyncResult<()>>();
        let outer = pool.spawn(move || {
            let own = receiver.recv().unwrap();
            let begun = Gate::new();
            let its = begun.clone();
            let inner = work(move || {
                its.open();
                own.wait();
            });
            let inner = inner.timeout(10 * SHORT).spawn_on(&current());
            begun.pass();
            assert_timed_out(inner.get());
        });
        sender.send(outer.clone()).unwrap();
        outer.get().unwrap();
    });
}

#[async_work(deadline = "400ms")]
fn due(gate: Gate) {
    gate.pass();
}

#[async_work(retry = 1000, backoff = "1ms", timeout = "10s", deadline = "400ms", limit = 4)]
fn all_of_it(calls: &Counter) -> Result<u32, Broken> {
    calls.add();
    Err(Broken(1))
}

#[test]
fn a_deadline_in_the_attribute() {
    soon(|| {
        let pool = Pool::new(1);
        let gate = Gate::new();
        let late = due(gate.clone()).spawn_on(&pool);
        let queued = due(open()).spawn_on(&pool);
        assert_timed_out(late.get());
        assert_timed_out(queued.get());
        gate.open();
        due(open()).spawn_on(&pool).get().unwrap();
        due(open()).run().unwrap();
        let calls = Counter::new();
        pool.scope(|s| assert_timed_out(all_of_it(&calls).spawn_on(s).get()));
        assert!(calls.count() > 1);
        let text = all_of_it(&calls).run().unwrap_err().to_string();
        assert!(text.ends_with("all_of_it was not done within 400ms"), "{text}");
    });
}

#[test]
fn of_a_result_both_count_from_the_call() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let queued = || inc(1).spawn_on(&pool);
        assert_timed_out(queued().timeout(SHORT).get());
        assert_timed_out(queued().deadline(SHORT).get());
        let (in_time, also) = (queued().timeout(LIMIT), queued().deadline(LIMIT));
        busy.free();
        assert_eq!((in_time.get().unwrap(), also.get().unwrap()), (2, 2));
    });
}

#[test]
fn what_comes_late_is_late_though_no_thread_has_noticed() {
    soon(|| {
        let pool = Pool::new(1);
        for _ in 0..300 {
            let takes = work(|| {
                let begun = Instant::now();
                while begun.elapsed() < Duration::from_micros(20) {}
            });
            let late = takes.timeout(Duration::from_micros(1)).spawn_on(&pool);
            assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
        }
    });
}
