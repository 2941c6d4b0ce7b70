//! Many results at once: all of them, the first of them, each as it comes.

use std::collections::{BTreeMap, VecDeque};
use std::thread;
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, Error, ErrorKind, Pool, Results, async_work, chain, try_work};

use crate::support::{Broken, Counted, Counter, Gate, Tally, eventually, occupy, reporting, soon};

const SHORT: Duration = Duration::from_millis(20);

#[async_work]
fn add_up(numbers: Vec<u32>) -> u32 {
    numbers.iter().sum()
}

#[test]
fn join_all_keeps_the_order() {
    soon(|| {
        let pool = Pool::new(2);
        let results: Vec<_> = (0..100).map(|n| pool.spawn(move || n)).collect();
        let all: AsyncResult<Vec<i32>> = results.join_all();
        assert_eq!(all.get().unwrap(), (0..100).collect::<Vec<_>>());
    });
}

#[test]
fn join_all_takes_anything_iterable() {
    soon(|| {
        let ready = |n: u8| AsyncResult::ready(n);
        assert_eq!([ready(1), ready(2)].join_all().get().unwrap(), [1, 2]);
        assert_eq!((1..3).map(ready).join_all().get().unwrap(), [1, 2]);
        assert_eq!(Some(ready(1)).join_all().get().unwrap(), [1]);
        assert_eq!(VecDeque::from([ready(1), ready(2)]).join_all().get().unwrap(), [1, 2]);
        let map = BTreeMap::from([("a", ready(1)), ("b", ready(2))]);
        assert_eq!(map.into_values().join_all().get().unwrap(), [1, 2]);
    });
}

#[test]
fn an_empty_list_is_set() {
    soon(|| {
        let none = || Vec::<AsyncResult<u8>>::new();
        let all = none().join_all();
        assert!(all.is_set());
        assert_eq!(all.get().unwrap(), Vec::<u8>::new());
        assert!(none().into_iter().collect::<AsyncResult<Vec<u8>>>().is_set());
        assert_eq!(none().as_completed().count(), 0);
        assert_eq!(none().wait_any(), None);
        let pool = Pool::new(1);
        let nothing = Vec::<AsyncResult<u32>>::new();
        assert_eq!(chain!(&pool, add_up(nothing)).get().unwrap(), 0);
    });
}

#[test]
fn join_all_moves_the_values() {
    soon(|| {
        let tally = Tally::new();
        let values = [1, 2, 3].map(|n| AsyncResult::ready(tally.value(n)));
        let all = values.join_all().get().unwrap();
        assert_eq!(all.iter().map(|x| x.value).sum::<u32>(), 6);
        drop(all);
        assert_eq!((tally.clones.count(), tally.drops.count()), (0, 3));
    });
}

#[test]
fn join_all_waits_for_the_last() {
    soon(|| {
        let (setter, last) = AsyncResult::channel();
        let all = [AsyncResult::ready(1), last, AsyncResult::ready(3)].join_all();
        assert!(!all.is_set());
        let start = Instant::now();
        let all = all.get_timeout(SHORT).expect_err("one is missing");
        assert!(start.elapsed() >= SHORT);
        setter.set(2).unwrap();
        assert_eq!(all.get().unwrap(), [1, 2, 3]);
    });
}

#[test]
fn join_all_fails_at_once() {
    soon(|| {
        let never = AsyncResult::<u8>::new();
        let (setter, fails) = AsyncResult::<u8>::channel();
        let all = [never.clone(), fails, never.clone()].join_all();
        assert!(!all.is_set());
        setter.fail(Broken(1)).unwrap();
        assert!(all.is_error(), "one failure is enough");
        assert_eq!(all.get().unwrap_err().downcast_ref(), Some(&Broken(1)));
        assert!(!never.is_set());
    });
}

#[test]
fn the_values_of_a_join_that_failed_are_dropped() {
    soon(|| {
        let drops = Counter::new();
        let all = [AsyncResult::ready(drops.on_drop()), AsyncResult::failed("no")].join_all();
        assert!(all.is_error());
        drop(all);
        eventually("the value is dropped", || drops.count() == 1);
    });
}

#[test]
fn a_join_that_is_cancelled_lets_go_of_its_inputs() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let drops = Counter::new();
        let queued: Vec<_> = (0..3)
            .map(|_| {
                let held = drops.on_drop();
                pool.spawn(move || drop(held))
            })
            .collect();
        assert!(queued.join_all().cancel());
        eventually("nobody wants the queued work", || drops.count() == 3);
        busy.free();
    });
}

#[test]
fn results_collect_into_one() {
    soon(|| {
        let pool = Pool::new(2);
        let all: AsyncResult<Vec<u64>> = (0..10).map(|n| pool.spawn(move || n * n)).collect();
        assert_eq!(all.get().unwrap().into_iter().sum::<u64>(), 285);
    });
}

#[test]
fn tuples_join() {
    soon(|| {
        let pool = Pool::new(2);
        let pair = (pool.spawn(|| 1), pool.spawn(|| "two")).join();
        assert_eq!(pair.get().unwrap(), (1, "two"));
        fn ready<T: Send + 'static>(value: T) -> AsyncResult<T> {
            AsyncResult::ready(value)
        }
        assert_eq!((ready(1),).join().get().unwrap(), (1,));
        let dozen = (
            ready(1),
            ready(2u8),
            ready("3"),
            ready(4),
            ready(5),
            ready(6),
            ready(7),
            ready(8),
            ready(9),
            ready(10),
            ready(11),
            ready(12.0),
        )
            .join();
        assert_eq!(dozen.get().unwrap().11, 12.0);

        let never = AsyncResult::<u8>::new();
        let failed = (never.clone(), AsyncResult::<&str>::failed(Broken(2))).join();
        assert!(failed.is_error());
        assert_eq!(failed.get().unwrap_err().downcast_ref(), Some(&Broken(2)));
    });
}

#[test]
fn as_completed_yields_in_the_order_of_completion() {
    soon(|| {
        let (setters, results): (Vec<_>, Vec<_>) =
            (0..5).map(|_| AsyncResult::<usize>::channel()).unzip();
        let mut setters: Vec<_> = setters.into_iter().map(Some).collect();
        let mut completed = results.as_completed();
        for n in [3, 0, 4, 2, 1] {
            setters[n].take().unwrap().set(n).unwrap();
            let next: AsyncResult<usize> = completed.next().unwrap();
            assert!(next.is_set());
            assert_eq!(next.get().unwrap(), n);
        }
        assert!(completed.next().is_none());
        assert!(completed.next().is_none());
    });
}

#[test]
fn as_completed_remembers_the_order_while_nobody_asks() {
    soon(|| {
        let (setters, results): (Vec<_>, Vec<_>) =
            (0..4).map(|_| AsyncResult::<usize>::channel()).unzip();
        let completed = results.as_completed();
        for (n, setter) in setters.into_iter().enumerate().rev() {
            setter.set(n).unwrap();
        }
        let order: Vec<_> = completed.map(|r| r.get().unwrap()).collect();
        assert_eq!(order, [3, 2, 1, 0]);
    });
}

#[test]
fn as_completed_blocks_for_the_next_and_yields_failures() {
    soon(|| {
        let pool = Pool::new(1);
        let gate = Gate::new();
        let late = pool.spawn({
            let gate = gate.clone();
            move || {
                gate.pass();
                2
            }
        });
        let mut completed = vec![late, AsyncResult::failed(Broken(1))].as_completed();
        let first = completed.next().unwrap();
        assert!(first.is_error());
        first.get().unwrap_err();
        let opening = thread::spawn(move || gate.open());
        assert_eq!(completed.next().unwrap().get().unwrap(), 2);
        assert!(completed.next().is_none());
        opening.join().unwrap();
    });
}

#[test]
fn as_completed_hands_the_ownership_on() {
    soon(|| {
        let tally = Tally::new();
        let results: Vec<_> = (0..3).map(|n| AsyncResult::ready(tally.value(n))).collect();
        let sum: u32 = results.as_completed().map(|r| r.get().unwrap().value).sum();
        assert_eq!((sum, tally.clones.count(), tally.drops.count()), (3, 0, 3));

        // What is not asked for is dropped, and its work goes on.
        let pool = Pool::new(1);
        let ran = Counter::new();
        let results: Vec<_> = (0..3)
            .map(|_| {
                let ran = ran.clone();
                pool.spawn(move || ran.add())
            })
            .collect();
        drop(results.as_completed());
        pool.stop();
        assert_eq!(ran.count(), 3);
    });
}

#[test]
fn wait_any_names_a_result_that_is_set() {
    soon(|| {
        let results: Vec<_> = (0..4).map(|_| AsyncResult::<usize>::new()).collect();
        thread::scope(|s| {
            let waiting = s.spawn(|| results.wait_any());
            results[2].set(1).unwrap();
            assert_eq!(waiting.join().unwrap(), Some(2));
        });
        assert_eq!(results.wait_any(), Some(2), "the results stay usable");
        assert_eq!(results[..2].len(), 2);
        results[0].fail("no").unwrap();
        assert_eq!(results[..2].wait_any(), Some(0), "a failure counts as set");
        assert!(matches!(results.wait_any(), Some(0 | 2)));
    });
}

#[test]
fn wait_any_leaves_nothing_behind() {
    soon(|| {
        // One result that is never set takes part in many waits.
        let never = AsyncResult::<usize>::new();
        for n in 0..10_000 {
            let pair = [never.clone(), AsyncResult::ready(n)];
            assert_eq!(pair.wait_any(), Some(1));
        }
        never.set(1).unwrap();
        assert_eq!(never.get().unwrap(), 1);
    });
}

#[test]
fn one_result_may_take_part_thousands_of_times() {
    soon(|| {
        let (setter, r) = AsyncResult::channel();
        let handles = || (0..5000).map(|_| r.clone()).collect::<Vec<_>>();
        let (many, all, completed) = (handles(), handles().join_all(), handles().as_completed());
        thread::scope(|s| {
            let any = s.spawn(|| many.wait_any());
            setter.set(1).unwrap();
            assert!(any.join().unwrap().is_some());
        });
        assert_eq!(all.get().unwrap().len(), 5000);
        assert_eq!(completed.count(), 5000);
    });
}

#[test]
fn a_fan_in_of_a_pool_that_was_stopped_fails() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let all = (0..3).map(|n| pool.spawn(move || n)).join_all();
        pool.stop_now();
        assert_eq!(all.get().unwrap_err().kind(), ErrorKind::Stopped);
        busy.free();
    });
}

#[test]
fn very_many_join() {
    soon(|| {
        let pool = Pool::new(2);
        let all: Vec<_> = (0..100_000u64).map(|n| pool.spawn(move || n)).collect();
        let all = all.join_all();
        assert_eq!(all.get().unwrap().into_iter().sum::<u64>(), 4_999_950_000);
    });
}

#[test]
fn try_join_all_cancels_the_rest() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let drops = Counter::new();
        let queued = |n: u8| {
            let held = drops.on_drop();
            pool.spawn(move || {
                drop(held);
                n
            })
        };
        let (setter, fails) = AsyncResult::<u8>::channel();
        let kept = queued(7);
        let all = [queued(1), kept.clone(), fails, queued(2)].try_join_all();
        setter.fail(Broken(1)).unwrap();
        assert_eq!(all.get().unwrap_err().downcast_ref(), Some(&Broken(1)));
        eventually("nobody wants the queued work", || drops.count() == 2);
        busy.free();
        assert_eq!(kept.get().unwrap(), 7, "somebody holds this one");

        let never = AsyncResult::<u8>::new();
        let pair = (never.clone(), AsyncResult::<u8>::failed(Broken(2))).try_join();
        assert_eq!(pair.get().unwrap_err().downcast_ref(), Some(&Broken(2)));
        assert!(!never.is_set());
    });
}

#[test]
fn try_join_all_of_what_succeeds_is_join_all() {
    soon(|| {
        let pool = Pool::new(2);
        let all = (0..100).map(|n| pool.spawn(move || n)).try_join_all();
        assert_eq!(all.get().unwrap(), (0..100).collect::<Vec<_>>());
        assert!(Vec::<AsyncResult<u8>>::new().try_join_all().is_set());
        let tally = Tally::new();
        let pair = (AsyncResult::ready(tally.value(1)), pool.spawn(|| "two")).try_join();
        let (one, two) = pair.get().unwrap();
        assert_eq!((one.value, two, tally.clones.count()), (1, "two", 0));
    });
}

#[test]
fn settle_all_tells_how_each_ended() {
    soon(|| {
        let (pool, reports) = reporting(2);
        let (setter, late) = AsyncResult::channel();
        let cancelled = AsyncResult::new();
        cancelled.cancel();
        let tally = Tally::new();
        let value = tally.value(4);
        let all = vec![
            try_work(|| Err::<Counted, _>(Broken(0))).spawn_on(&pool),
            late,
            pool.spawn(|| panic!("on purpose")),
            pool.spawn(|| value),
            cancelled,
            AsyncResult::new(), // which nobody can set any more
        ];
        let ended: AsyncResult<Vec<Result<Counted, Error>>> = all.settle_all();
        assert!(!ended.wait_timeout(Duration::from_millis(5)), "one is missing");
        setter.set(tally.value(1)).unwrap();
        let ended = ended.get().unwrap();
        let told = ended.iter().map(|one| match one {
            Ok(value) => Ok(value.value),
            Err(error) => Err(error.kind()),
        });
        let failed = |kind| Err::<u32, _>(kind);
        let (panicked, abandoned) = (failed(ErrorKind::Panicked), failed(ErrorKind::Abandoned));
        let cancelled = failed(ErrorKind::Cancelled);
        let expected = [failed(ErrorKind::Failed), Ok(1), panicked, Ok(4), cancelled, abandoned];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        assert_eq!(ended[0].as_ref().err().unwrap().downcast_ref(), Some(&Broken(0)));
        drop((ended, pool));
        assert_eq!((reports.count(), tally.clones.count()), (0, 0));
        assert!(Vec::<AsyncResult<u8>>::new().settle_all().get().unwrap().is_empty());
    });
}

#[test]
fn settle_all_never_fails() {
    soon(|| {
        let (pool, reports) = reporting(1);
        let never = AsyncResult::<u8>::new();
        let waits = |_| never.clone().map(|n| n).spawn_on(&pool);
        let stopped = (0..3).map(waits).settle_all();
        // At a scope's end nothing of it is left to wait for, either.
        let of_scope = pool.scope(|s| [never.clone().map(|n| n).spawn_on(s)].settle_all());
        let kinds = |ended: AsyncResult<Vec<Result<u8, Error>>>| {
            let kind = |one: Result<u8, Error>| one.unwrap_err().kind();
            ended.get().unwrap().into_iter().map(kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(of_scope), [ErrorKind::Stopped]);
        // Who drops the list has had its failures told all the same.
        let failed = || try_work(|| Err::<u8, _>(Broken(1))).spawn_on(&pool);
        drop([failed(), failed()].settle_all());
        let count = chain!(&pool, {
            let list = vec![failed(), failed()];
            let ended = list.settle_all();
            count_failures(ended)
        });
        assert_eq!(count.get().unwrap(), 2);
        pool.stop();
        assert_eq!(kinds(stopped), [ErrorKind::Stopped; 3]);
        drop(pool);
        assert_eq!(reports.count(), 0);
    });
}

#[async_work]
fn count_failures(ended: Vec<Result<u8, Error>>) -> usize {
    ended.iter().filter(|one| one.is_err()).count()
}

#[test]
fn to_hand_one_out_costs_the_same_however_many_there_are() {
    soon(|| {
        let pool = Pool::new(1);
        let count = 60_000;
        // Outside of work and inside of it, where the waiter may run them itself.
        let spawn = || (0..count).map(|n| pool.spawn(move || n)).collect::<Vec<_>>();
        assert_eq!(
            spawn().as_completed().map(|r| r.get().unwrap() as u64).sum::<u64>(),
            1_799_970_000
        );
        let results = spawn();
        let inside = pool.spawn(move || results.as_completed().filter(AsyncResult::is_set).count());
        assert_eq!(inside.get().unwrap(), count as usize);
        let results = spawn();
        assert!(results.wait_any().is_some());
    });
}

#[test]
fn more_clones_than_anybody_writes() {
    soon(|| {
        let pool = Pool::new(1);
        let (setter, one) = AsyncResult::channel();
        let many = move || (0..300_000).map(|_| one.clone()).collect::<Vec<_>>();
        let (all, some) = (many(), many());
        drop(many);
        // Inside of work, where a wait looks for what it needs.
        let joined = pool.spawn(move || {
            let all = all.join_all();
            assert!(some.wait_any().is_some());
            drop(some);
            all.get().map(|values| values.len())
        });
        let sets = thread::spawn(move || setter.set(1u8));
        assert_eq!(joined.get().unwrap().unwrap(), 300_000);
        sets.join().unwrap().unwrap();
    });
}
