//! `map`: a call for each of many items, lazily, so many at a time.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use asynckit::{AsyncResult, CancelToken, ErrorKind, Pool, async_work, is_cancelled};

use crate::support::{Broken, Counter, Gate, LIMIT, eventually, soon};

#[async_work]
fn parse(text: &'static str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

#[test]
fn values_come_in_the_order_of_their_items() {
    soon(|| {
        let pool = Pool::new(4);
        let values: Vec<u32> = pool.map(0..1000, |n| n * 2).map(Result::unwrap).collect();
        assert_eq!(values, (0..1000).map(|n| n * 2).collect::<Vec<_>>());
        let text = String::from("a");
        let owned = pool.map(vec!["b", "c"], move |s| text.clone() + s);
        assert_eq!(owned.map(Result::unwrap).collect::<Vec<_>>(), ["ab", "ac"]);
        assert_eq!(pool.map(Vec::<u8>::new(), |n| n).count(), 0);
    });
}

#[test]
fn an_annotated_function_can_be_mapped() {
    soon(|| {
        let pool = Pool::new(2);
        let all: asynckit::Result<Vec<u32>> = pool.map(["1", "2", "3"], parse).collect();
        assert_eq!(all.unwrap(), [1, 2, 3]);
        let mixed: Vec<_> = pool.map(["1", "x", "3"], parse).map(|n| n.ok()).collect();
        assert_eq!(mixed, [Some(1), None, Some(3)]);
        let error = pool.map(["x"], parse).next().unwrap().unwrap_err();
        assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
        assert_eq!(error.origin(), concat!(module_path!(), "::parse"));
        let late = pool.map(0..10, |n| inc(n).timeout(LIMIT));
        assert_eq!(late.map(Result::unwrap).sum::<u32>(), 55);
        let nested = pool.map(0..4, |n| AsyncResult::ready(n).map(|n: u32| n + 1));
        assert_eq!(nested.map(Result::unwrap).sum::<u32>(), 10);
    });
}

#[async_work]
fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

#[test]
fn a_function_that_borrows_can_be_mapped_by_its_name() {
    soon(|| {
        let (pool, text) = (Pool::new(1), String::from("a b\nc"));
        let all: Vec<Vec<&str>> =
            pool.scope(|s| s.map(text.lines(), words).map(Result::unwrap).collect());
        assert_eq!(all, [vec!["a", "b"], vec!["c"]]);
        let shorter: usize = pool.scope(|s| {
            let local = String::from("d e f");
            pool.scope(|inner| {
                let both = [text.as_str(), local.as_str()];
                let outside = s.map(["g h"], words).map(|found| found.unwrap().len());
                outside.sum::<usize>()
                    + inner.map(both, words).map(|n| n.unwrap().len()).sum::<usize>()
            })
        });
        assert_eq!(shorter, 2 + 2 + 3);
    });
}

#[test]
fn unordered_values_come_as_they_are_there() {
    soon(|| {
        let pool = Pool::new(2);
        let gate = Gate::new();
        let shut = gate.clone();
        let mut values = pool
            .map(0..100, move |n| {
                if n == 0 {
                    shut.pass();
                }
                n
            })
            .unordered();
        let others: BTreeSet<_> = values.by_ref().take(99).map(Result::unwrap).collect();
        assert_eq!(others, (1..100).collect());
        gate.open();
        assert_eq!(values.next().unwrap().unwrap(), 0);
        assert!(values.next().is_none() && values.next().is_none());
    });
}

#[test]
fn no_more_at_once_than_allowed_and_lazily() {
    soon(|| {
        let pool = Pool::new(4);
        for unordered in [false, true] {
            let (taken, inside) = (Cell::new(0), Arc::new(AtomicUsize::new(0)));
            let (too_many, its_inside) = (Counter::new(), inside.clone());
            let its = too_many.clone();
            let items = (0..1000).inspect(|_| taken.set(taken.get() + 1));
            let mut values = pool
                .map(items, move |n| {
                    if its_inside.fetch_add(1, SeqCst) >= 3 {
                        its.add();
                    }
                    thread::yield_now();
                    its_inside.fetch_sub(1, SeqCst);
                    n
                })
                .limit(3);
            if unordered {
                values = values.unordered();
            }
            assert_eq!(taken.get(), 0, "nothing begins before it is asked for");
            for given in 1..=900 {
                values.next().unwrap().unwrap();
                assert!(taken.get() <= given + 3, "{} of {given}", taken.get());
            }
            drop(values);
            assert_eq!(too_many.count(), 0);
        }
    });
}

#[test]
fn so_many_items_that_they_must_not_all_be_in_memory() {
    struct Item(Arc<AtomicUsize>);
    impl Item {
        fn new(alive: &Arc<AtomicUsize>) -> Item {
            assert!(alive.fetch_add(1, SeqCst) <= 2 * 65, "items pile up");
            Item(alive.clone())
        }
    }
    impl Drop for Item {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }
    soon(|| {
        let pool = Pool::new(2);
        for unordered in [false, true] {
            let alive = Arc::new(AtomicUsize::new(0));
            let items = (0..50_000).map(|_| Item::new(&alive));
            let values = pool.map(items, |item| item).limit(64);
            let values = if unordered { values.unordered() } else { values };
            assert_eq!(values.filter(Result::is_ok).count(), 50_000);
            eventually("all are dropped", || alive.load(SeqCst) == 0);
        }
    });
}

#[test]
fn a_failure_is_an_item_s_own() {
    soon(|| {
        let pool = Pool::new(2);
        let values = pool.map(0..10, |n| {
            assert!(n != 3, "not three");
            asynckit::try_work(move || if n == 5 { Err(Broken(n)) } else { Ok(n) })
        });
        let kinds: Vec<_> = values.map(|value| value.map_err(|error| error.kind())).collect();
        assert_eq!(kinds[3], Err(ErrorKind::Panicked));
        assert_eq!(kinds[5], Err(ErrorKind::Failed));
        assert_eq!(kinds.iter().filter(|kind| kind.is_ok()).count(), 8);
    });
}

#[test]
fn what_is_dropped_early_is_cancelled() {
    soon(|| {
        let pool = Pool::new(1);
        for unordered in [false, true] {
            let (begun, told) = (Counter::new(), Counter::new());
            let (its_begun, its_told) = (begun.clone(), told.clone());
            let values = pool.map(0..1000, move |n| {
                its_begun.add();
                if n > 0 {
                    eventually("cancelled", is_cancelled);
                    its_told.add();
                }
                asynckit::try_work(move || Err::<u8, _>(Broken(n)))
            });
            let values = if unordered { values.unordered() } else { values };
            let first: asynckit::Result<Vec<u8>> = values.collect();
            assert_eq!(first.unwrap_err().downcast_ref(), Some(&Broken(0)));
            pool.spawn(|| ()).get().unwrap();
            assert!(begun.count() <= 2 && told.count() == begun.count() - 1);
        }
    });
}

#[test]
fn an_iterator_that_panics_does_so_for_its_caller() {
    soon(|| {
        let pool = Pool::new(1);
        let items = (0..10).inspect(|n| assert!(*n < 5, "on purpose"));
        let mut values = pool.map(items, |n| n).limit(2);
        let sum =
            catch_unwind(AssertUnwindSafe(|| values.by_ref().map(Result::unwrap).sum::<u32>()));
        assert!(sum.is_err());
        drop(values);
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
    });
}

#[test]
fn on_a_scope_items_and_function_may_borrow() {
    soon(|| {
        let pool = Pool::new(2);
        let words = ["one", "three"].map(String::from);
        let seen = Counter::new();
        let lengths: Vec<usize> = pool.scope(|s| {
            let lengths = s.map(&words, |word| {
                seen.add();
                word.len()
            });
            lengths.limit(1).map(Result::unwrap).collect()
        });
        assert_eq!((lengths, seen.count()), (vec![3, 5], 2));
        #[async_work]
        fn size(word: &str) -> usize {
            word.len()
        }
        let sum = pool.scope(|s| s.map(&words, |w| size(w)).unordered().map(Result::unwrap).sum());
        assert_eq!(8usize, sum);
    });
}

#[test]
fn inside_of_work_and_on_pools_without_workers() {
    soon(|| {
        let pool = Arc::new(Pool::new(1));
        let its = pool.clone();
        let sum = pool.spawn(move || {
            let ordered = its.map(0..100u32, |n| n).map(Result::unwrap).sum::<u32>();
            ordered + its.map(0..100u32, |n| n).unordered().map(Result::unwrap).sum::<u32>()
        });
        assert_eq!(sum.get().unwrap(), 9900);
        let pool = Pool::new(0);
        assert_eq!(pool.map(0..100u32, inc).map(Result::unwrap).sum::<u32>(), 5050);
        let unordered = pool.map(0..100u32, inc).unordered();
        assert_eq!(unordered.map(Result::unwrap).sum::<u32>(), 5050);
    });
}

#[test]
fn on_stopped_pools_bounded_pools_and_under_tokens() {
    soon(|| {
        let pool = Pool::new(1);
        pool.stop();
        let kinds = pool.map(0..3, |n| n).map(|value| value.unwrap_err().kind());
        assert_eq!(kinds.collect::<Vec<_>>(), [ErrorKind::Stopped; 3]);
        let pool = Pool::builder().workers(1).queue_capacity(1).build().unwrap();
        assert_eq!(pool.map(0..100u32, |n| n).map(Result::unwrap).sum::<u32>(), 4950);
        let token = CancelToken::new();
        let pool = Arc::new(Pool::new(2));
        let (its, begun) = (pool.clone(), Counter::new());
        let mark = begun.clone();
        let mapped = token.on(&pool).spawn(move || {
            let endless = its.map(0..2, move |_| {
                mark.add();
                eventually("cancelled", is_cancelled);
            });
            endless.map(|value| value.unwrap_err().kind()).collect::<Vec<_>>()
        });
        eventually("it has begun", || begun.count() > 0);
        token.cancel();
        // The items may be cancelled so much sooner that the work around them has come to its end.
        let kinds = mapped.get().unwrap_or_else(|error| vec![error.kind()]);
        assert!(!kinds.is_empty() && kinds.iter().all(|kind| *kind == ErrorKind::Cancelled));
    });
}

#[test]
#[should_panic(expected = "a limit of 0 would let no call begin")]
fn a_limit_of_nothing_is_refused() {
    let _ = Pool::new(1).map(0..1, |n| n).limit(0);
}

#[test]
fn what_a_closure_returns_is_the_value() {
    soon(|| {
        let pool = Pool::new(1);
        let parsed: Vec<Result<u32, _>> =
            pool.map(["1", "x"], str::parse::<u32>).map(Result::unwrap).collect();
        assert_eq!(parsed[0], Ok(1));
        assert!(parsed[1].is_err());
    });
}

#[test]
fn try_map_takes_the_error_for_the_item_s() {
    soon(|| {
        let pool = Pool::new(2);
        let line = line!() + 1;
        let failed: Result<Vec<u32>, _> = pool.try_map(["1", "x", "2"], str::parse).collect();
        let error = failed.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
        assert!(
            format!("{error:#}").contains(&format!("try_map ({}:{line})", file!())),
            "{error:#}"
        );
        let odd = |n: u32| if n % 2 == 1 { Ok(n) } else { Err(Broken(n)) };
        let items: Vec<_> = pool.try_map(0..100, odd).limit(3).collect();
        for (n, item) in items.into_iter().enumerate() {
            match item {
                Ok(value) => assert_eq!(value, n as u32),
                Err(error) => assert_eq!(error.downcast_ref(), Some(&Broken(n as u32))),
            }
        }
        let failures = pool.try_map(0..100, odd).unordered().filter(Result::is_err).count();
        assert_eq!(failures, 50);
        let words = pool.try_map([1], |_| Err::<u8, _>("words")).next().unwrap().unwrap_err();
        assert_eq!(words.to_string(), "try_map failed: words");
        let panics = pool.try_map([1], |_| -> Result<u8, Broken> { panic!("on purpose") }).next();
        assert!(panics.unwrap().unwrap_err().is_panic());
    });
}

#[test]
fn try_map_on_a_scope_borrows() {
    soon(|| {
        let pool = Pool::new(2);
        let (lines, least) = (["1".to_owned(), "20".to_owned(), "x".to_owned()], 1);
        let parse = |line: &String| match line.parse::<u32>() {
            Ok(n) if n > least => Ok(n),
            Ok(_) => Err("too small".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        let told = pool.scope(|s| {
            let told = s.try_map(&lines, parse).map(|item| item.map_err(|e| e.to_string()));
            told.collect::<Vec<_>>()
        });
        assert_eq!(told[0], Err("try_map failed: too small".to_owned()));
        assert_eq!(told[1], Ok(20));
        assert!(told[2].is_err());
    });
}
