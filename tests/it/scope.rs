//! Scopes: work that borrows, sound whatever becomes of the handles.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use asynckit::{
    AsyncResult, ErrorKind, Limit, Pool, Retry, async_work, chain, current, try_work, work,
};

use crate::support::{Counter, Gate, OnDrop, eventually, occupy, soon};

#[async_work]
fn size(data: &[u8]) -> usize {
    data.len()
}

#[async_work]
fn add(a: usize, b: usize) -> usize {
    a + b
}

/// Counts its drop where it borrows from.
struct Borrows<'a>(&'a AtomicUsize);

impl Drop for Borrows<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn members_may_borrow() {
    soon(|| {
        let pool = Pool::new(2);
        let data = vec![7u8; 10];
        let total = pool.scope(|s| {
            let parts: Vec<AsyncResult<usize>> =
                data.chunks(3).map(|c| size(c).spawn_on(s)).collect();
            let closure = s.spawn(|| data.len());
            let sum = chain!(s, {
                let mut total = AsyncResult::ready(0);
                for part in parts {
                    total = add(total, part);
                }
                add(total, size(&data))
            });
            sum.get().unwrap() + closure.get().unwrap()
        });
        assert_eq!(total, 30);
    });
}

#[test]
fn members_may_write_to_what_they_alone_borrow() {
    soon(|| {
        let pool = Pool::new(2);
        let mut data = vec![0u32; 100];
        pool.scope(|s| {
            for (n, part) in data.chunks_mut(10).enumerate() {
                drop(s.spawn(move || part.fill(n as u32)));
            }
        });
        assert_eq!(data.iter().sum::<u32>(), 450);
    });
}

#[test]
fn the_scope_ends_after_its_members() {
    soon(|| {
        let pool = Pool::new(2);
        for _ in 0..200 {
            let ran = AtomicUsize::new(0);
            pool.scope(|s| {
                for _ in 0..8 {
                    drop(s.spawn(|| ran.fetch_add(1, SeqCst)));
                }
            });
            assert_eq!(ran.into_inner(), 8);
        }
    });
}

#[test]
fn the_scope_ends_after_the_drops() {
    soon(|| {
        let pool = Pool::new(2);
        for _ in 0..200 {
            let drops = AtomicUsize::new(0);
            pool.scope(|s| {
                // A closure's captures, a value nobody took, an input, and a skipped closure.
                let captured = Borrows(&drops);
                drop(s.spawn(move || {
                    let _captured = &captured;
                }));
                drop(s.spawn(|| Borrows(&drops)));
                drop(s.spawn(|| Borrows(&drops)).map(drop).spawn_on(s));
                let captured = Borrows(&drops);
                let failed = AsyncResult::<u8>::failed("no");
                drop(failed.map(move |_| drop(captured)).spawn_on(s));
            });
            assert_eq!(drops.into_inner(), 4);
        }
    });
}

#[test]
fn forgetting_a_handle_is_harmless() {
    soon(|| {
        let pool = Pool::new(2);
        for _ in 0..50 {
            let ran = AtomicUsize::new(0);
            pool.scope(|s| {
                for _ in 0..4 {
                    std::mem::forget(s.spawn(|| {
                        ran.fetch_add(1, SeqCst);
                        vec![&ran]
                    }));
                }
                let value = s.spawn(|| &ran);
                std::mem::forget(value.map(|ran| ran.fetch_add(1, SeqCst)).spawn_on(s));
            });
            assert_eq!(ran.into_inner(), 5);
        }
    });
}

#[test]
fn a_panicking_body_cancels_what_has_not_begun() {
    soon(|| {
        let pool = Pool::new(1);
        let (begun, drops, ran) = (Gate::new(), Counter::new(), Counter::new());
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            pool.scope(|s| {
                let (has_begun, dropped) = (begun.clone(), drops.clone());
                drop(s.spawn(move || {
                    has_begun.open();
                    eventually("the others are dropped", || dropped.count() == 10);
                }));
                begun.pass();
                for _ in 0..10 {
                    let (held, runs) = (drops.on_drop(), &ran);
                    drop(s.spawn(move || {
                        drop::<OnDrop>(held);
                        runs.add()
                    }));
                }
                std::panic::panic_any(77u32);
            })
        }));
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&77u32), "it goes on");
        assert_eq!((drops.count(), ran.count()), (10, 0));
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
    });
}

#[test]
fn a_panicking_body_waits_for_what_runs() {
    soon(|| {
        let pool = Pool::new(1);
        for _ in 0..50 {
            let (begun, ended) = (Gate::new(), AtomicUsize::new(0));
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                pool.scope(|s| {
                    drop(s.spawn(|| {
                        begun.open();
                        thread::yield_now();
                        ended.fetch_add(1, SeqCst);
                    }));
                    begun.pass();
                    panic!("on purpose");
                })
            }));
            assert!(panicked.is_err());
            assert_eq!(ended.into_inner(), 1);
        }
    });
}

#[test]
fn a_panicking_member_fails_its_result_only() {
    soon(|| {
        let pool = Pool::new(1);
        let local = 5;
        let (bad, good) = pool.scope(|s| {
            let bad = s.spawn(|| -> u8 { panic!("boom {local}") });
            let good = s.spawn(|| local);
            (bad.get().unwrap_err(), good.get().unwrap())
        });
        assert!(bad.is_panic() && bad.to_string().contains("boom 5"));
        assert_eq!(good, 5);
    });
}

#[test]
fn members_that_can_never_run_fail() {
    soon(|| {
        let pool = Pool::new(1);
        let drops = AtomicUsize::new(0);
        let never = AsyncResult::<u32>::new();
        let pending = pool.scope(|s| {
            let captured = Borrows(&drops);
            let pending = never.clone().map(move |n| {
                drop(captured);
                n
            });
            pending.spawn_on(s).map(|n| n + 1).spawn_on(s)
        });
        assert_eq!(drops.into_inner(), 1);
        assert_eq!(pending.get().unwrap_err().kind(), ErrorKind::Stopped);
        assert!(!never.is_set());
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1, "the pool itself goes on");
    });
}

#[test]
fn results_may_leave_the_scope() {
    soon(|| {
        let pool = Pool::new(1);
        let data = [1u8, 2, 3];
        let r = pool.scope(|s| size(&data).spawn_on(s));
        assert!(r.is_set());
        assert_eq!(r.get().unwrap(), 3);
    });
}

#[test]
fn a_scope_inside_work_needs_no_other_worker() {
    soon(|| {
        let pool = Arc::new(Pool::builder().workers(1).max_spares(0).build().unwrap());
        let inner = pool.clone();
        let r = pool.spawn(move || {
            let data = [1u8; 100];
            let ran = AtomicUsize::new(0);
            let total = inner.scope(|s| {
                for _ in 0..10 {
                    drop(s.spawn(|| ran.fetch_add(1, SeqCst)));
                }
                let parts: Vec<_> = data.chunks(7).map(|c| size(c).spawn_on(s)).collect();
                parts.into_iter().map(|p| p.get().unwrap()).sum::<usize>()
            });
            total + ran.into_inner()
        });
        assert_eq!(r.get().unwrap(), 110);
        pool.stop();
    });
}

#[test]
fn a_scope_inside_work_runs_nothing_unrelated_while_it_ends() {
    soon(|| {
        let pool = Arc::new(Pool::new(1));
        let shared = Arc::new(Mutex::new(0));
        let r = pool.spawn({
            let (pool, shared) = (pool.clone(), shared.clone());
            move || {
                for _ in 0..10 {
                    let shared = shared.clone();
                    drop(pool.spawn(move || *shared.lock().unwrap() += 1));
                }
                let _held = shared.lock().unwrap();
                let ran = AtomicUsize::new(0);
                pool.scope(|s| {
                    for _ in 0..10 {
                        drop(s.spawn(|| ran.fetch_add(1, SeqCst)));
                    }
                });
                ran.into_inner()
            }
        });
        assert_eq!(r.get().unwrap(), 10);
        pool.stop();
        assert_eq!(*shared.lock().unwrap(), 10);
    });
}

#[test]
fn members_may_submit_members() {
    soon(|| {
        let pool = Pool::new(2);
        let ran = AtomicUsize::new(0);
        pool.scope(|s| {
            for _ in 0..10 {
                let ran = &ran;
                drop(s.spawn(move || {
                    for _ in 0..10 {
                        drop(s.spawn(move || ran.fetch_add(1, SeqCst)));
                    }
                }));
            }
        });
        assert_eq!(ran.into_inner(), 100);
    });
}

#[test]
fn scopes_nest() {
    soon(|| {
        let pool = Pool::new(2);
        let outer = [1, 2, 3];
        let sum = pool.scope(|a| {
            let first = a.spawn(|| outer.iter().sum::<i32>());
            let inner = [4, 5];
            let second = pool.scope(|b| b.spawn(|| inner.iter().sum::<i32>()).get().unwrap());
            first.get().unwrap() + second
        });
        assert_eq!(sum, 15);
    });
}

#[test]
fn a_member_may_be_cancelled() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let drops = AtomicUsize::new(0);
        let r = pool.scope(|s| {
            let captured = Borrows(&drops);
            let r = s.spawn(move || drop(captured));
            assert!(r.cancel());
            r
        });
        assert_eq!(drops.into_inner(), 1);
        assert_eq!(r.get().unwrap_err().kind(), ErrorKind::Cancelled);
        busy.free();
    });
}

#[test]
fn a_scope_on_a_stopped_pool_ends() {
    soon(|| {
        let pool = Pool::new(1);
        pool.stop();
        let drops = AtomicUsize::new(0);
        let kind = pool.scope(|s| {
            let captured = Borrows(&drops);
            s.spawn(move || drop(captured)).get().unwrap_err().kind()
        });
        assert_eq!(kind, ErrorKind::Stopped);
        assert_eq!(drops.into_inner(), 1);
    });
}

#[test]
fn a_stop_in_the_midst_of_a_scope_hangs_nobody() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let drops = AtomicUsize::new(0);
        let kind = pool.scope(|s| {
            let captured = Borrows(&drops);
            let r = s.spawn(move || drop(captured));
            pool.stop_now();
            r.get().unwrap_err().kind()
        });
        assert_eq!(kind, ErrorKind::Stopped);
        assert_eq!(drops.into_inner(), 1);
        busy.free();
    });
}

#[test]
fn waiting_for_a_member_in_time() {
    soon(|| {
        let pool = Pool::new(1);
        let local = 3;
        let value = pool.scope(|s| {
            let r = s.spawn(|| local + 1);
            r.get_timeout(Duration::from_secs(20)).unwrap().unwrap()
        });
        assert_eq!(value, 4);
    });
}

#[test]
fn members_wait_for_what_work_in_a_pause_will_set() {
    soon(|| {
        for pool in [Pool::new(2), Pool::new(0), Pool::deterministic(7)] {
            let (input, tries, seen) = (AsyncResult::<u32>::new(), Counter::new(), Counter::new());
            let its = input.clone();
            let retry = Retry::new(3).backoff(Duration::from_millis(20));
            let tried = retry.work(move || {
                let (its, tries) = (its.clone(), tries.clone());
                try_work(move || match tries.add() {
                    1 | 2 => Err("busy"),
                    _ => its.set(7).map_err(|_| "set"),
                })
            });
            let tried = tried.spawn_on(&pool);
            pool.scope(|s| {
                let member = input.clone().map(|n| seen.add() as u32 + n).spawn_on(s);
                let after = member.map(|_| drop(seen.on_drop()));
                drop(after.spawn_on(s));
            });
            assert_eq!(seen.count(), 2, "a member was given up");
            tried.get().unwrap();
        }
    });
}

/// Two values, at the third try.
#[async_work(retry = 3, backoff = "10ms")]
fn pair(tries: Counter) -> Result<(usize, usize), &'static str> {
    if tries.add() < 3 { Err("busy") } else { Ok((3, 4)) }
}

#[test]
fn parts_of_a_tuple_are_waited_for_as_the_whole_is() {
    soon(|| {
        let (pool, other, limit) = (Pool::new(2), Pool::new(1), Limit::new(1));
        let out = Mutex::new(Vec::new());
        let put = |a: usize, b: usize| out.lock().unwrap().push(a * b);
        pool.scope(|s| {
            let pauses = chain!(s, {
                let (a, b) = pair(Counter::new());
                put(a, b)
            });
            let elsewhere = pair(Counter::new()).spawn_on(&other);
            let elsewhere = chain!(s, {
                let (a, b) = elsewhere;
                put(a, b)
            });
            drop((pauses, elsewhere));
        });
        // In the line of a limit, behind work of another pool.
        let busy = work(|| thread::sleep(Duration::from_millis(50))).limit(&limit).spawn_on(&other);
        pool.scope(|s| {
            let in_line = work(|| (3, 4)).limit(&limit).spawn_on(s);
            drop(chain!(s, {
                let (a, b) = in_line;
                put(a, b)
            }));
        });
        busy.get().unwrap();
        assert_eq!(*out.lock().unwrap(), [12, 12, 12]);
    });
}

#[test]
fn work_that_waits_for_parts_of_a_tuple_does_what_they_take() {
    soon(|| {
        let pool = Pool::builder().workers(1).max_spares(0).build().unwrap();
        let sum = pool.spawn(|| {
            chain!(&current(), {
                let (a, b) = work(|| (1, 2));
                usize::max(a, b)
            })
            .get()
        });
        assert_eq!(sum.get().unwrap().unwrap(), 2);
    });
}

#[test]
fn a_panicking_body_waits_for_no_pause() {
    soon(|| {
        let pool = Pool::new(1);
        let (begun, gate) = (Gate::new(), Gate::new());
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            pool.scope(|s| {
                let (begun, gate) = (&begun, &gate);
                let hourly = Retry::new(3).backoff(Duration::from_secs(3600));
                let pauses = hourly.work(move || {
                    try_work(move || {
                        begun.open();
                        gate.pass();
                        Err::<(), _>("not now")
                    })
                });
                pauses.detach_on(s);
                begun.pass();
                let gate = gate.clone();
                thread::spawn(move || {
                    // Nothing tells that the scope has begun to end.
                    thread::sleep(Duration::from_millis(5));
                    gate.open();
                });
                panic!("the body");
            })
        }));
        assert!(outcome.is_err());
    });
}

#[test]
fn a_scope_of_another_pool_ends_in_work_of_a_deterministic_one() {
    soon(|| {
        for seed in 0..200 {
            let (pool, other) = (Pool::deterministic(seed), Arc::new(Pool::new(1)));
            let sum = pool.spawn(move || {
                let numbers = [1, 2, 3];
                other.scope(|s| {
                    let parts: Vec<_> = numbers.iter().map(|n| s.spawn(move || n * 2)).collect();
                    parts.into_iter().map(|part| part.get().unwrap()).sum::<u32>()
                })
            });
            assert_eq!(sum.get().unwrap(), 12);
        }
    });
}

#[test]
fn a_scope_settles_results_that_borrow() {
    soon(|| {
        let (pool, words) = (Pool::new(2), ["one".to_owned(), "two".to_owned()]);
        let settled = pool.scope(|s| {
            let first = s.spawn(|| words[0].as_str());
            let second = s.spawn(|| -> &str { panic!("on purpose") });
            s.settle_all([first, second]).get().unwrap()
        });
        assert_eq!(*settled[0].as_ref().unwrap(), "one");
        assert!(settled[1].as_ref().unwrap_err().is_panic());
    });
}
