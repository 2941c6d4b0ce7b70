//! What is promised of waits inside of work, for every way to wait.

use std::sync::{Mutex, mpsc};

use asynckit::{AsyncResult, Error, ErrorKind, Pool, Results, blocking, current, try_work, work};

use crate::support::{Gate, soon};

/// A way to wait inside of work of this pool, until the result is set.
type Way = fn(&Pool, AsyncResult<u32>) -> Result<u32, Error>;

const WAYS: &[(&str, Way)] = &[
    ("get", |_, r| r.get()),
    ("get_ref", |_, r| r.get_ref().copied()),
    ("wait", |_, r| {
        r.wait();
        r.get()
    }),
    ("as_completed", |_, r| {
        let mut completed = [r].into_iter().as_completed();
        completed.next().expect("one result").get()
    }),
    ("wait_any", |_, r| {
        let one = [r];
        assert_eq!(one.wait_any(), Some(0));
        let [r] = one;
        r.get()
    }),
    ("join_all", |_, r| Ok([r].into_iter().join_all().get()?[0])),
    ("the end of a scope", |pool, r| {
        let value = Mutex::new(None);
        pool.scope(|s| {
            let member = r.map(|n| *value.lock().unwrap() = Some(n));
            member.detach_on(s);
        });
        let value = value.into_inner().unwrap();
        value.ok_or_else(|| AsyncResult::<u32>::failed("the member failed").get().unwrap_err())
    }),
    ("blocking", |_, r| blocking(|| r.get())),
];

/// Runs the body for every way but those `besides`, on a pool of its own each.
fn for_every_way(
    besides: &'static [&'static str],
    pool: impl Fn() -> Pool + Send + 'static,
    body: impl Fn(&Pool, Way) + Send + 'static,
) {
    soon(move || {
        for (_, way) in WAYS.iter().filter(|(name, _)| !besides.contains(name)) {
            body(&pool(), *way);
        }
    });
}

fn lone() -> Pool {
    Pool::builder().workers(1).max_spares(0).build().unwrap()
}

fn fib(pool: &Pool, way: Way, n: u32) -> Result<u32, Error> {
    if n < 2 {
        return Ok(n);
    }
    pool.scope(|s| {
        let a = try_work(|| fib(pool, way, n - 1)).spawn_on(s);
        let b = try_work(|| fib(pool, way, n - 2)).spawn_on(s);
        Ok(way(pool, a)? + way(pool, b)?)
    })
}

#[test]
fn recursion_needs_no_second_worker() {
    for_every_way(&[], lone, |pool, way| {
        let sum = pool.scope(|s| try_work(|| fib(pool, way, 11)).spawn_on(s).get());
        assert_eq!(sum.unwrap(), 89);
    });
}

#[test]
fn the_dependencies_of_what_is_waited_for_run_in_place() {
    for_every_way(&[], lone, |pool, way| {
        let sum = pool.scope(|s| {
            let all = try_work(|| {
                let here = current();
                let first = work(|| 1).spawn_on(&here);
                let last = first.map(|n| n + 1).spawn_on(&here).map(|n| n + 1).spawn_on(&here);
                way(pool, last)
            });
            all.spawn_on(s).get()
        });
        assert_eq!(sum.unwrap(), 3);
    });
}

fn with_a_lock_held(pool: &Pool, way: Way) {
    let shared = Mutex::new(0);
    pool.scope(|s| {
        let holder = try_work(|| {
            for _ in 0..20 {
                // Run on this stack, under this lock, it would never end.
                work(|| *shared.lock().unwrap() += 1).detach_on(s);
            }
            let mut held = shared.lock().unwrap();
            let related = work(|| 100).spawn_on(&current());
            *held += way(pool, related)?;
            Ok::<_, Error>(())
        });
        holder.spawn_on(s).get().unwrap();
    });
    assert_eq!(shared.into_inner().unwrap(), 120);
}

#[test]
fn nothing_unrelated_is_run_while_a_lock_is_held() {
    for_every_way(&[], || Pool::new(1), with_a_lock_held);
    for_every_way(&[], || Pool::new(2), with_a_lock_held);
}

#[test]
fn a_spare_worker_runs_the_unrelated_work_that_ends_the_wait() {
    for_every_way(
        &[],
        || Pool::new(1),
        |pool, way| {
            let (setter, r) = AsyncResult::channel();
            let (begun, queued) = (Gate::new(), Gate::new());
            pool.scope(|s| {
                let waiting = try_work(|| {
                    begun.open();
                    queued.pass();
                    way(pool, r)
                });
                let waiting = waiting.spawn_on(s);
                begun.pass();
                drop(s.spawn(move || setter.set(3).is_ok()));
                queued.open();
                assert_eq!(waiting.get().unwrap(), 3);
            });
            assert_eq!(pool.worker_count(), 1, "without the spare ones");
        },
    );
}

#[test]
fn one_wait_too_many_is_an_error() {
    let pair = || Pool::builder().workers(1).max_spares(1).build().unwrap();
    // In `blocking` a thread may wait for anything: that is for the program to know.
    for_every_way(&["blocking"], pair, |pool, way| {
        let (setter, r) = AsyncResult::channel();
        let gate = Gate::new();
        pool.scope(|s| {
            let waiting: Vec<_> = (0..2)
                .map(|_| {
                    let (r, gate) = (r.clone(), gate.clone());
                    let waiting = try_work(move || {
                        gate.pass();
                        way(pool, r)
                    });
                    waiting.spawn_on(s)
                })
                .collect();
            drop(r);
            // Queued behind both of them: nobody is left to run it, unless one of them fails.
            let setting = s.spawn(move || setter.set(3).is_ok());
            gate.open();
            let ends: Vec<_> = waiting.into_iter().map(|waiting| waiting.get()).collect();
            assert!(setting.get().unwrap());
            let failures: Vec<_> = ends.iter().filter_map(|end| end.as_ref().err()).collect();
            assert_eq!(failures.len(), 1, "{ends:?}");
            assert_eq!(failures[0].kind(), ErrorKind::Deadlock, "{:#}", failures[0]);
            assert!(ends.iter().flatten().all(|n| *n == 3));
        });
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1, "the pool goes on");
    });
}

#[test]
fn a_cycle_of_waits_is_an_error_that_names_it() {
    let pools: [fn() -> Pool; 3] = [lone, || Pool::new(1), || Pool::new(2)];
    for pool in pools {
        for_every_way(&[], pool, |pool, way| {
            let (hand_over, handles) = mpsc::channel::<AsyncResult<u32>>();
            pool.scope(|s| {
                let line = line!() + 1;
                let waiting = try_work(move || way(pool, handles.recv().unwrap())).spawn_on(s);
                let next = waiting.map(|n| n + 1).spawn_on(s);
                hand_over.send(next.clone()).unwrap();
                let error = next.get().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Deadlock, "{error:#}");
                let text = format!("{error:#}");
                for line in [line, line + 1] {
                    assert!(text.contains(&format!("{}:{line}", file!())), "{line} in {text}");
                }
            });
            assert_eq!(pool.spawn(|| 1).get().unwrap(), 1, "the pool goes on");
        });
    }
}

#[test]
fn two_that_wait_for_each_other_are_an_error() {
    for_every_way(
        &[],
        || Pool::new(1),
        |pool, way| {
            let (to_a, for_a) = mpsc::channel::<AsyncResult<u32>>();
            let (to_b, for_b) = mpsc::channel::<AsyncResult<u32>>();
            pool.scope(|s| {
                let a = try_work(move || way(pool, for_a.recv().unwrap())).spawn_on(s);
                let b = try_work(move || way(pool, for_b.recv().unwrap())).spawn_on(s);
                to_a.send(b.clone()).unwrap();
                to_b.send(a.clone()).unwrap();
                for r in [a, b] {
                    let error = r.get().unwrap_err();
                    // Of a failed member the scope's end tells no more than that.
                    assert!(
                        error.kind() == ErrorKind::Deadlock || error.to_string().contains("member"),
                        "{error:#}"
                    );
                }
            });
        },
    );
}

#[test]
fn a_failure_ends_the_wait() {
    for_every_way(&[], lone, |pool, way| {
        let kind = pool.scope(|s| {
            let all = s.spawn(|| {
                let panics = || -> u32 { std::panic::resume_unwind(Box::new("on purpose")) };
                way(pool, work(panics).spawn_on(&current())).is_err()
            });
            all.get()
        });
        assert!(kind.unwrap());
    });
}

#[test]
fn a_stop_ends_the_wait() {
    for_every_way(
        &[],
        || Pool::new(1),
        |pool, way| {
            let (setter, r) = AsyncResult::<u32>::channel();
            let begun = Gate::new();
            pool.scope(|s| {
                let waiting = try_work(|| {
                    begun.open();
                    way(pool, r)
                });
                let waiting = waiting.spawn_on(s);
                begun.pass();
                // Nothing in the pool will set it; somebody outside still might.
                pool.stop();
                assert!(waiting.is_set());
                let error = waiting.get().unwrap_err();
                assert!(
                    error.kind() == ErrorKind::Stopped || error.to_string().contains("member"),
                    "{error:#}"
                );
            });
            drop(setter);
        },
    );
}

fn get_what_is_lent(own: impl Fn() -> AsyncResult<Vec<u32>> + Send + 'static) -> u32 {
    let sum = lone().spawn(move || {
        let (here, own) = (current(), own());
        let lent = asynckit::chain!(&here, sum_of(&own));
        own.get().unwrap()[0] + lent.get().unwrap()
    });
    sum.get().unwrap()
}

#[test]
fn the_borrowers_of_what_is_moved_run_in_place() {
    soon(|| assert_eq!(get_what_is_lent(|| work(|| vec![4]).spawn_on(&current())), 8));
}

#[test]
fn the_borrowers_of_what_the_program_has_set_run_in_place() {
    soon(|| assert_eq!(get_what_is_lent(|| AsyncResult::ready(vec![4])), 8));
}

#[asynckit::async_work]
fn sum_of(numbers: &[u32]) -> u32 {
    numbers.iter().sum()
}
