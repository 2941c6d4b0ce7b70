//! `stream`: items through several stages, in bounded memory.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;

use asynckit::{
    CancelToken, Error, ErrorKind, Explore, Injected, Limit, Pool, async_work, current,
    is_cancelled,
};

use crate::support::{Broken, Counter, Gate, Inside, Tally, eventually, soon};

#[async_work]
fn parse(text: &'static str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

#[async_work]
async fn later(n: u32) -> u32 {
    n + 1
}

#[test]
fn items_come_in_order_through_all_stages() {
    soon(|| {
        for workers in [1, 2, 4] {
            let pool = Pool::new(workers);
            let mut seen = Vec::new();
            let stream = pool.stream(0..3000u32).map(|n| n * 2).limit(8).map(|n| n + 1).limit(3);
            stream.for_each(|n| seen.push(n)).unwrap();
            assert_eq!(seen, (0..3000).map(|n| n * 2 + 1).collect::<Vec<_>>());
            assert_eq!(pool.stream(0..0).map(|n: u32| n).collect::<Vec<_>>().unwrap(), []);
            let plain: Vec<u32> = pool.stream(0..100).collect().unwrap();
            assert_eq!(plain, (0..100).collect::<Vec<_>>());
        }
    });
}

#[test]
fn what_is_left_out_holds_nobody_up() {
    soon(|| {
        let pool = Pool::new(3);
        let thirds: Vec<u32> = pool
            .stream(0..999)
            .filter(|n| n % 3 == 0)
            .limit(4)
            .map(|n| n / 3)
            .limit(1)
            .collect()
            .unwrap();
        assert_eq!(thirds, (0..333).collect::<Vec<_>>());
        let none =
            pool.stream(0..999).filter_map(|_: u32| None::<u32>).limit(2).fold(0, |a, b| a + b);
        assert_eq!(none.unwrap(), 0);
    });
}

#[test]
fn a_stage_of_limit_one_sees_items_in_order() {
    soon(|| {
        let pool = Pool::new(4);
        let seen = Mutex::new(Vec::new());
        let spins = |n: u32| (0..n % 7 * 100).fold(n, |n, _| std::hint::black_box(n));
        let stream = pool.stream(0..2000u32).map(spins).limit(8);
        let stream = stream.filter(|n| n % 5 != 0);
        stream.map(|n| seen.lock().unwrap().push(n)).limit(1).for_each(drop).unwrap();
        assert_eq!(*seen.lock().unwrap(), (0..2000).filter(|n| n % 5 != 0).collect::<Vec<_>>());
    });
}

#[test]
fn unordered_a_slow_item_holds_nobody_up() {
    soon(|| {
        let pool = Pool::new(2);
        let gate = Gate::new();
        let (passed, seen) = (gate.clone(), Mutex::new(Vec::new()));
        let slow = |n: u32| {
            if n == 0 {
                passed.pass();
            }
            n
        };
        let end = |n| {
            seen.lock().unwrap().push(n);
            if n == 99 {
                gate.open();
            }
        };
        pool.stream(0..100).map(slow).limit(4).unordered().for_each(end).unwrap();
        let seen = seen.into_inner().unwrap();
        assert_eq!(seen.last(), Some(&0));
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 100);
    });
}

#[test]
fn each_stage_keeps_its_limit_and_uses_it() {
    soon(|| {
        let pool = Pool::new(8);
        let (first, second, third) = (Inside::default(), Inside::default(), Inside::default());
        // They come together: three can be inside, or this hangs.
        let together = Barrier::new(3);
        let stage = |inside: &Inside, n: u32| {
            inside.enter();
            inside.leave();
            n
        };
        pool.stream(0..300)
            .map(|n| {
                first.enter();
                together.wait();
                first.leave();
                n
            })
            .limit(3)
            .map(|n| stage(&second, n))
            .limit(2)
            .for_each(|n| _ = stage(&third, n))
            .unwrap();
        assert_eq!(first.most(), 3);
        assert!(second.most() <= 2);
        assert_eq!(third.most(), 1);
    });
}

#[test]
fn no_more_are_in_memory_than_the_limits_add_up_to() {
    soon(|| {
        struct Item<'a>(u32, &'a Inside);
        impl Drop for Item<'_> {
            fn drop(&mut self) {
                self.1.leave();
            }
        }
        for workers in [0, 1, 4] {
            let pool = Pool::new(workers);
            for (ordered, ends) in [(true, 10), (false, 10)] {
                let (there, sum) = (Inside::default(), AtomicUsize::new(0));
                let items = (0..2000).map(|n| {
                    there.enter();
                    Item(n, &there)
                });
                let stream = pool.stream(items).map(|item| item).limit(8).map(|item| item).limit(2);
                let stream = if ordered { stream } else { stream.unordered() };
                stream.for_each(|item| _ = sum.fetch_add(item.0 as usize, SeqCst)).unwrap();
                assert_eq!(sum.into_inner(), 1999 * 1000);
                assert!(there.most() <= ends, "{}", there.most());
                assert_eq!(there.now(), 0);
            }
        }
    });
}

#[test]
fn it_takes_as_many_items_as_it_may() {
    soon(|| {
        let pool = Pool::new(2);
        let (asked, gate) = (Counter::new(), Gate::new());
        let items = (0..100).inspect(|_| _ = asked.add());
        thread::scope(|threads| {
            threads.spawn(|| {
                let blocked = pool.stream(items).map(|n| n).limit(8).map(|n| n).limit(2);
                blocked.for_each(|_: u32| gate.pass()).unwrap();
            });
            eventually("ten are under way", || asked.count() == 10);
            gate.open();
        });
        assert_eq!(asked.count(), 100);
    });
}

#[test]
fn the_source_is_asked_on_the_calling_thread_and_may_block() {
    soon(|| {
        let pool = Pool::new(1);
        let here = thread::current().id();
        let (sender, receiver) = mpsc::channel::<u32>();
        let (back, done) = mpsc::channel::<u32>();
        sender.send(0).unwrap();
        // Neither `Send` nor fast: the next item comes when the last one has been through.
        let next = Cell::new(0);
        let items = std::iter::from_fn(|| {
            assert_eq!(thread::current().id(), here);
            let n = next.replace(next.get() + 1);
            if n > 0 {
                assert_eq!(done.recv().unwrap(), n - 1);
                sender.send(n).unwrap();
            }
            (n < 50).then(|| receiver.recv().unwrap())
        });
        let stage = |n| {
            assert_ne!(thread::current().id(), here);
            n
        };
        pool.stream(items).map(stage).limit(8).for_each(|n| back.send(n).unwrap()).unwrap();
        assert_eq!(next.get(), 51);
    });
}

#[test]
fn failures_stay_with_their_items() {
    soon(|| {
        let pool = Pool::new(2);
        let all: Vec<Result<u32, Error>> = pool
            .stream(["1", "x", "3"])
            .map(parse)
            .limit(2)
            .map(|n| n.map(|n| n * 2))
            .collect()
            .unwrap();
        assert_eq!(all[0].as_ref().unwrap() + all[2].as_ref().unwrap(), 8);
        assert_eq!(all[1].as_ref().unwrap_err().origin(), concat!(module_path!(), "::parse"));
        let async_too: Result<Vec<u32>, Error> = pool.stream(0..3).map(later).collect().unwrap();
        assert_eq!(async_too.unwrap(), [1, 2, 3]);
    });
}

#[test]
fn it_stops_at_the_first_failure() {
    soon(|| {
        let pool = Pool::new(2);
        let (asked, ended) = (Counter::new(), Counter::new());
        let items = (0u32..).inspect(|_| _ = asked.add());
        let stopped = pool.stream(items).map(|n| n).limit(8).try_for_each(|n| {
            ended.add();
            if n == 20 { Err(Broken(n)) } else { Ok(()) }
        });
        let error = stopped.unwrap_err();
        assert_eq!(error.downcast_ref::<Broken>().unwrap().0, 20);
        assert_eq!((error.kind(), error.origin()), (ErrorKind::Failed, "try_for_each"));
        assert_eq!(ended.count(), 21);
        assert!(asked.count() <= 29, "{}", asked.count());
        // An error of ours stays what it is.
        let ours = pool.stream(["x"]).map(parse).try_for_each(|n| n.map(drop)).unwrap_err();
        assert_eq!(ours.origin(), concat!(module_path!(), "::parse"));
    });
}

#[test]
fn panics_of_stages_and_ends_are_failures_that_name_them() {
    soon(|| {
        let (pool, tally, made) = (Pool::new(2), Tally::new(), Counter::new());
        let items = || {
            (0..100).map(|n| {
                made.add();
                tally.value(n)
            })
        };
        let error =
            pool.stream(items()).map(|n| assert!(n.value != 50, "fifty")).limit(4).for_each(drop);
        let error = error.unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("fifty"), "{error}");
        assert_eq!(error.origin(), "map");
        let error = pool.stream(items()).for_each(|n| assert!(n.value != 50, "end")).unwrap_err();
        assert!(error.is_panic() && error.origin() == "for_each", "{error}");
        let inner = |_| (0..3).map(|n| if n == 2 { panic!("inner") } else { n });
        let error = pool.stream(0..3).flat_map(inner).collect::<Vec<u32>>().unwrap_err();
        assert!(error.is_panic() && error.origin() == "flat_map", "{error}");
        assert_eq!(tally.drops.count(), made.count());
    });
}

#[test]
fn a_panic_of_the_source_is_the_callers() {
    soon(|| {
        let pool = Pool::new(2);
        let dropped = Counter::new();
        let items = (0..100).map(|n| if n == 50 { panic!("dry") } else { (n, dropped.on_drop()) });
        let run = || pool.stream(items).map(|(n, _)| n).limit(4).collect::<Vec<u32>>();
        let panic = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"dry"));
        assert_eq!(dropped.count(), 50);
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
    });
}

#[test]
fn flat_map_takes_apart_what_does_not_fit_into_memory() {
    soon(|| {
        for workers in [0, 1, 4] {
            let pool = Pool::new(workers);
            let words: Vec<u32> = pool
                .stream(0..50)
                .flat_map(|n| vec![n; n as usize % 4])
                .limit(3)
                .collect()
                .unwrap();
            assert_eq!(words, (0..50).flat_map(|n| vec![n; n as usize % 4]).collect::<Vec<_>>());
            // Each of these is endless, for all that the memory knows.
            let first = AtomicUsize::new(0);
            let stopped =
                pool.stream(0..).flat_map(|n: u64| n..).map(|n| n).limit(2).try_for_each(|n| {
                    first.store(n as usize, SeqCst);
                    if n == 5000 { Err(Broken(1)) } else { Ok(()) }
                });
            assert!(stopped.is_err() && first.into_inner() == 5000);
            let nested = pool.stream(0..20u32).flat_map(|n| 0..n).flat_map(|n| 0..n).map(|_| 1);
            let expected: u32 = (0..20).flat_map(|n| 0..n).sum();
            assert_eq!(nested.unordered().fold(0, |a, b| a + b).unwrap(), expected);
        }
    });
}

#[test]
fn chunks_are_whole_but_for_the_last() {
    soon(|| {
        for workers in [0, 1, 4] {
            let pool = Pool::new(workers);
            for len in [0, 1, 9, 10, 11, 999u32] {
                // More in a chunk than the limits before it.
                let stream = pool.stream(0..len).map(|n| n).limit(3).chunks(10);
                let chunks: Vec<Vec<u32>> = stream.map(|chunk| chunk).limit(2).collect().unwrap();
                assert!(chunks.iter().rev().skip(1).all(|chunk| chunk.len() == 10));
                assert_eq!(chunks.concat(), (0..len).collect::<Vec<_>>());
            }
            let filtered = pool.stream(0..100).filter(|n| n % 2 == 0).chunks(7).unordered();
            let again = filtered.flat_map(|chunk| chunk).chunks(4).map(|chunk| chunk.len());
            assert_eq!(again.fold(0, |a, b| a + b).unwrap(), 50);
        }
    });
}

#[test]
fn items_and_stages_borrow_on_pools_and_scopes() {
    soon(|| {
        let pool = Pool::new(2);
        let words = ["one".to_owned(), "three".to_owned()];
        let sizes: Vec<usize> = pool.stream(&words).map(|word| word.len()).collect().unwrap();
        assert_eq!(sizes, [3, 5]);
        let longest = pool.scope(|s| {
            let inside = s.spawn(|| s.stream(&words).map(|word| word.len()).fold(0, usize::max));
            inside.get().unwrap().unwrap()
        });
        assert_eq!(longest, 5);
        assert_eq!(words.len(), 2);
    });
}

#[test]
fn work_runs_streams_on_its_own_pool_however_few_workers_there_are() {
    soon(|| {
        for workers in [0, 1, 2] {
            for spares in [0, 4] {
                let pool = Pool::builder().workers(workers).max_spares(spares).build().unwrap();
                let inner = |n: u64| {
                    let stream = current().stream(0..n).map(|n| n * n).limit(4).map(|n| n).limit(2);
                    stream.fold(0, |a, b| a + b).unwrap()
                };
                let expected: u64 = (0..30u64).map(|n| (0..n).map(|n| n * n).sum::<u64>()).sum();
                assert_eq!(
                    pool.spawn(move || inner(30)).get().unwrap(),
                    (0..30u64).map(|n| n * n).sum()
                );
                // A stage that runs streams itself.
                let sum = pool.stream(0..30).map(inner).limit(3).fold(0, |a, b| a + b).unwrap();
                assert_eq!(sum, expected);
            }
        }
    });
}

#[test]
fn a_token_ends_it() {
    soon(|| {
        let pool = Pool::new(2);
        let (token, seen) = (CancelToken::new(), Counter::new());
        let stage = |n: u64| {
            if n == 100 {
                token.cancel();
                assert!(is_cancelled());
            }
            n
        };
        let ended = token.on(&pool).stream(0..).map(stage).limit(4).for_each(|_| _ = seen.add());
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Cancelled);
        assert!(seen.count() <= 105);
        // One that is cancelled already.
        let never = token.on(&pool).stream(0..10).for_each(|_: u32| unreachable!());
        assert_eq!(never.unwrap_err().kind(), ErrorKind::Cancelled);
        // That of the work which runs the stream.
        let token = CancelToken::new();
        let gate = Gate::new();
        let (opens, pool) = (gate.clone(), Arc::new(pool));
        let its = pool.clone();
        let work = token.on(&*pool).spawn(move || {
            its.stream(0u64..).map(|n| n).limit(2).for_each(|_| opens.open()).unwrap_err().kind()
        });
        gate.pass();
        token.cancel();
        assert_eq!(work.get().unwrap_err().kind(), ErrorKind::Cancelled);
        Arc::into_inner(pool);
    });
}

#[test]
fn stopping_the_pool_ends_it() {
    soon(|| {
        let pool = Pool::new(2);
        let gate = Gate::new();
        thread::scope(|threads| {
            let endless = threads.spawn(|| {
                pool.stream(0u64..).map(|n| n).limit(4).for_each(|_| gate.open()).unwrap_err()
            });
            gate.pass();
            pool.stop_now();
            assert_eq!(endless.join().unwrap().kind(), ErrorKind::Stopped);
        });
        let late = pool.stream(0..10).map(|n: u32| n).collect::<Vec<_>>();
        assert_eq!(late.unwrap_err().kind(), ErrorKind::Stopped);
    });
}

#[test]
fn others_get_their_turn() {
    soon(|| {
        let pool = Pool::new(1);
        let (begun, done) = (Gate::new(), Gate::new());
        thread::scope(|threads| {
            threads.spawn(|| {
                let endless = (0u64..).take_while(|_| !done.is_open());
                pool.stream(endless).map(|n| n).for_each(|_| begun.open()).unwrap();
            });
            begun.pass();
            assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
            done.open();
        });
    });
}

#[test]
fn a_stage_may_wait_for_the_pool() {
    soon(|| {
        for workers in [0, 1, 2] {
            let pool =
                Arc::new(Pool::builder().workers(workers).queue_capacity(1).build().unwrap());
            let limit = Limit::new(1);
            let (inner, its) = (pool.clone(), limit.clone());
            let stage = move |n: u32| {
                asynckit::work(move || n + 1).limit(&its).spawn_on(&*inner).get().unwrap()
            };
            let sum =
                pool.stream(0..200).map(stage).limit(3).map(|n| n).limit(2).fold(0, |a, b| a + b);
            assert_eq!(sum.unwrap(), (1..=200).sum::<u32>());
        }
    });
}

#[test]
fn it_runs_on_deterministic_pools_in_the_order_of_a_seed() {
    soon(|| {
        let order = |seed| {
            let (pool, order) = (Pool::deterministic(seed), Mutex::new(Vec::new()));
            let stage = |n: u32| {
                order.lock().unwrap().push(n);
                n
            };
            pool.stream(0..40)
                .map(|n| n)
                .limit(4)
                .map(stage)
                .limit(2)
                .unordered()
                .for_each(drop)
                .unwrap();
            let ended: Vec<u32> = pool.stream(0..40).map(|n| n).limit(4).collect().unwrap();
            assert_eq!(ended, (0..40).collect::<Vec<_>>());
            order.into_inner().unwrap()
        };
        assert_eq!(order(7), order(7));
    });
}

#[test]
fn under_each_fault_it_ends_and_says_so() {
    soon(|| {
        for task in 1..12 {
            Explore::new().runs(8).fail_task(task).run(|pool| {
                let seen = AtomicUsize::new(0);
                let stream =
                    pool.stream(0..20u32).map(|n| n).limit(3).flat_map(|n| [n; 2]).chunks(3);
                let ended = stream.map(|chunk| chunk.len()).limit(2).for_each(|len| {
                    seen.fetch_add(len, SeqCst);
                });
                match ended {
                    Ok(()) => assert_eq!(seen.into_inner(), 40),
                    Err(error) => assert!(error.downcast_ref::<Injected>().is_some(), "{error}"),
                }
            });
        }
    });
}

#[test]
fn a_limit_belongs_behind_a_stage() {
    let pool = Pool::new(0);
    let refused = |f: &dyn Fn()| catch_unwind(AssertUnwindSafe(f)).is_err();
    assert!(refused(&|| drop(pool.stream(0..1).limit(1))));
    assert!(refused(&|| drop(pool.stream(0..1).map(|n: u32| n).chunks(2).limit(1))));
    assert!(refused(&|| drop(pool.stream(0..1).map(|n: u32| n).limit(0))));
    assert!(refused(&|| drop(pool.stream(0..1).chunks(0))));
    assert!(format!("{:?}", pool.stream(0..1).map(|n: u32| n).limit(3)).contains('3'));
}

#[test]
fn many_items_are_in_constant_memory_and_in_time() {
    soon(|| {
        let pool = Pool::new(2);
        let there = Inside::default();
        let items = (0..60_000u64).inspect(|_| there.enter());
        let stream = pool.stream(items).map(|n| n + 1).limit(8).map(|n| n * 2).limit(2);
        let end = |sum, n| {
            there.leave();
            sum + n
        };
        assert_eq!(stream.fold(0, end).unwrap(), (1..=60_000u64).sum::<u64>() * 2);
        assert!(there.most() <= 10);
    });
}
