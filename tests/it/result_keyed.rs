//! Results with keys, in the order of their completion.

use std::collections::HashMap;

use asynckit::{AsyncResult, Pool, Results, async_work};

use crate::support::{Broken, Gate, soon};

#[async_work]
fn checked(n: u32) -> Result<u32, Broken> {
    if n.is_multiple_of(3) { Err(Broken(n)) } else { Ok(n) }
}

#[test]
fn each_comes_with_its_key_when_it_is_set() {
    soon(|| {
        let (setters, results): (Vec<_>, Vec<_>) = (0..4).map(|_| AsyncResult::channel()).unzip();
        let mut done = ["a", "b", "c", "d"].into_iter().zip(results).keyed().as_completed();
        assert_eq!(done.len(), 4);
        let mut setters: HashMap<_, _> = (0..).zip(setters).collect();
        for (place, key) in [(2, "c"), (0, "a"), (3, "d"), (1, "b")] {
            setters.remove(&place).unwrap().set(place).unwrap();
            let (of, value) = done.next().unwrap();
            assert_eq!((of, value.get().unwrap()), (key, place));
        }
        assert!(done.next().is_none() && done.next().is_none());
    });
}

#[test]
fn failures_come_with_their_keys_and_count_as_seen_when_looked_at() {
    soon(|| {
        let (pool, reports) = crate::support::reporting(2);
        let results: HashMap<u32, AsyncResult<u32>> =
            (0..30).map(|n| (n, checked(n).spawn_on(&pool))).collect();
        let mut failed = Vec::new();
        for (n, result) in results.keyed().as_completed() {
            match result.get() {
                Ok(value) => assert_eq!(value, n),
                Err(error) => {
                    assert_eq!(error.downcast_ref(), Some(&Broken(n)));
                    failed.push(n);
                }
            }
        }
        failed.sort_unstable();
        assert!(failed.into_iter().eq((0..30).step_by(3)));
        drop(pool);
        assert_eq!(reports.count(), 0);
    });
}

/// Keys need be nothing in particular, and may borrow; so may the results of a scope.
#[test]
fn on_a_scope_with_keys_of_any_kind() {
    struct Key<'a>(&'a str);
    soon(|| {
        let pool = Pool::new(2);
        let words = ["one".to_owned(), "three".to_owned()];
        pool.scope(|s| {
            let sizes = words.iter().map(|word| (Key(word), s.spawn(|| word.len())));
            for (Key(word), size) in sizes.keyed().as_completed() {
                assert_eq!(size.get().unwrap(), word.len());
            }
        });
    });
}

#[test]
fn inside_work_it_runs_what_it_waits_for() {
    soon(|| {
        let pool = Pool::new(1);
        let sum = pool.spawn(|| {
            let results =
                (0..10).map(|n| (n, asynckit::work(move || n).spawn_on(&asynckit::current())));
            results.keyed().as_completed().map(|(n, value)| n * value.get().unwrap()).sum::<u32>()
        });
        assert_eq!(sum.get().unwrap(), (0..10).map(|n| n * n).sum());

        let pool = Pool::deterministic(3);
        let results = (0..10).map(|n| (n, pool.spawn(move || n)));
        assert!(results.keyed().as_completed().all(|(n, value)| value.get().unwrap() == n));
    });
}

#[test]
fn what_is_left_is_dropped_with_the_iterator() {
    soon(|| {
        let (pool, gate) = (Pool::new(1), Gate::new());
        let its = gate.clone();
        let waits = pool.spawn(move || its.pass());
        let mut done = [("ready", AsyncResult::ready(())), ("waits", waits)].keyed().as_completed();
        assert_eq!(done.next().map(|(key, _)| key), Some("ready"));
        drop(done);
        gate.open();
        assert_eq!(Vec::<(u8, AsyncResult<u8>)>::new().keyed().as_completed().count(), 0);
    });
}
