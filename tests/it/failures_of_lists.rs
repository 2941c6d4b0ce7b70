//! Of a list that has failed, what else failed counts as seen with the failure that was handed out.

use std::sync::{Arc, Barrier};

use asynckit::{AsyncResult, Error, ErrorKind, Pool, Results, Retry, Setter, async_work, try_work};

use crate::support::{Broken, Counter, Gate, eventually, reporting, soon};

#[async_work]
fn fail(n: u32) -> Result<u32, Broken> {
    Err(Broken(n))
}

/// Fails when all have begun, so that none of them is skipped.
#[async_work]
fn fail_together(n: u32, all: Arc<Barrier>) -> Result<u32, Broken> {
    all.wait();
    Err(Broken(n))
}

#[async_work]
fn fail_behind(gate: Gate) -> Result<u32, Broken> {
    gate.pass();
    Err(Broken(9))
}

/// How many reports there were when nothing of the pool is left.
fn count(pool: Pool, reports: &Counter) -> usize {
    pool.stop();
    drop(pool);
    reports.count()
}

#[test]
fn a_failed_list_makes_no_noise() {
    soon(|| {
        let (pool, reports) = reporting(4);
        let all = Arc::new(Barrier::new(4));
        let list = (0..4).map(|n| fail_together(n, all.clone()).spawn_on(&pool)).join_all();
        assert!(list.get().unwrap_err().downcast_ref::<Broken>().is_some());
        let list = (0..4).map(|n| fail_together(n, all.clone()).spawn_on(&pool)).try_join_all();
        assert_eq!(list.get().unwrap_err().kind(), ErrorKind::Failed);
        let list: AsyncResult<Vec<u32>> = (0..100).map(|n| fail(n).spawn_on(&pool)).collect();
        list.get().unwrap_err();
        let pair = (fail(1).spawn_on(&pool), fail(2).spawn_on(&pool));
        pair.join().get().unwrap_err();
        assert_eq!(count(pool, &reports), 0);
    });
}

#[test]
fn nor_do_those_that_had_failed_before() {
    soon(|| {
        let (pool, reports) = reporting(1);
        let failed: Vec<_> = (0..10).map(|n| fail(n).spawn_on(&pool)).collect();
        failed.iter().for_each(AsyncResult::wait);
        let list = failed.join_all();
        assert_eq!(list.get().unwrap_err().downcast_ref(), Some(&Broken(0)));
        assert_eq!(count(pool, &reports), 0);
    });
}

#[test]
fn nor_do_those_that_fail_when_it_was_handed_out() {
    soon(|| {
        let (pool, reports) = reporting(2);
        let gate = Gate::new();
        let late = fail_behind(gate.clone()).spawn_on(&pool);
        let list = [fail(1).spawn_on(&pool), late].join_all();
        assert_eq!(list.get().unwrap_err().downcast_ref(), Some(&Broken(1)));
        gate.open();
        assert_eq!(count(pool, &reports), 0);
    });
}

#[test]
fn nor_does_what_fails_after_some_lists() {
    soon(|| {
        let (pool, reports) = reporting(2);
        let gate = Gate::new();
        let late = fail_behind(gate.clone()).spawn_on(&pool);
        for n in 0..60 {
            let list = [fail(n).spawn_on(&pool), late.clone()].join_all();
            assert_eq!(list.get().unwrap_err().downcast_ref(), Some(&Broken(n)));
        }
        drop(late);
        gate.open();
        assert_eq!(count(pool, &reports), 0);
    });
}

#[test]
fn nor_in_a_scope_or_with_tries() {
    soon(|| {
        let (pool, reports) = reporting(2);
        let text = "borrowed".to_owned();
        pool.scope(|s| {
            let parse = || try_work(|| text.parse::<u32>()).spawn_on(s);
            assert!(s.join_all((0..10).map(|_| parse())).get().is_err());
            assert!(s.join((parse(), parse())).get().is_err());
        });
        let tries = (0..4).map(|n| Retry::new(2).work(move || fail(n)).spawn_on(&pool));
        assert_eq!(tries.join_all().get().unwrap_err().tries(), 3);
        assert_eq!(count(pool, &reports), 0);
    });
}

#[test]
fn a_list_that_nobody_looks_at_reports_all_its_failures() {
    soon(|| {
        let (pool, reports) = reporting(4);
        let all = Arc::new(Barrier::new(4));
        drop((0..4).map(|n| fail_together(n, all.clone()).spawn_on(&pool)).join_all());
        assert_eq!(count(pool, &reports), 4);
    });
}

#[test]
fn what_fails_after_a_list_that_nobody_looked_at_is_reported() {
    soon(|| {
        let (pool, reports) = reporting(2);
        let gate = Gate::new();
        let late = fail_behind(gate.clone()).spawn_on(&pool);
        drop([fail(1).spawn_on(&pool), late].join_all());
        eventually("the list's failure is reported", || reports.count() == 1);
        gate.open();
        assert_eq!(count(pool, &reports), 2);
    });
}

#[test]
fn reports_wait_until_it_is_known() {
    soon(|| {
        let (pool, reports) = reporting(4);
        let all = Arc::new(Barrier::new(4));
        let list = (0..4).map(|n| fail_together(n, all.clone()).spawn_on(&pool)).join_all();
        pool.stop();
        drop(pool);
        assert_eq!(reports.count(), 0, "somebody may still look at it");
        drop(list);
        assert_eq!(reports.count(), 4);
    });
}

#[test]
fn lists_of_lists_are_one() {
    soon(|| {
        let (pool, reports) = reporting(4);
        let all = Arc::new(Barrier::new(4));
        let half = || (0..2).map(|n| fail_together(n, all.clone()).spawn_on(&pool)).join_all();
        let both = [half(), half()].join_all();
        both.get().unwrap_err();
        assert_eq!(count(pool, &reports), 0);
    });
}

/// Two results that fail, and two lists of them that each fail with another one.
fn crossed() -> [AsyncResult<Vec<u32>>; 2] {
    let (one, first) = AsyncResult::<u32>::channel();
    let (two, second) = AsyncResult::<u32>::channel();
    let fail = |setter: Setter<u32>, n| setter.fail(Broken(n)).unwrap();
    fail(one, 1);
    fail(two, 2);
    let lists = [vec![first.clone(), second.clone()], vec![second, first]];
    lists.map(Results::join_all)
}

#[test]
fn lists_that_share_their_failures_end() {
    soon(|| {
        struct Dropped(#[expect(dead_code)] crate::support::OnDrop);
        impl std::fmt::Debug for Dropped {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("Dropped")
            }
        }
        impl std::fmt::Display for Dropped {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("dropped")
            }
        }
        impl std::error::Error for Dropped {}

        let (pool, reports) = reporting(1);
        let drops = Counter::new();
        for (looks, reported) in [(0, 2), (1, 0), (2, 0)] {
            let fail = || {
                let held = Dropped(drops.on_drop());
                try_work(move || Err::<u32, _>(held)).spawn_on(&pool)
            };
            let (first, second) = (fail(), fail());
            first.wait();
            second.wait();
            let lists = [vec![first.clone(), second.clone()], vec![second, first]];
            let lists = lists.map(Results::join_all);
            let before = reports.count();
            lists.into_iter().take(looks).for_each(|list| drop(list.get()));
            eventually("they are gone", || drops.count() == 2);
            assert_eq!(reports.count() - before, reported, "{looks} looked at");
            drops.reset();
        }
        for list in crossed() {
            assert!(list.get().is_err());
        }
    });
}

#[test]
fn who_holds_one_of_them_sees_it_still() {
    soon(|| {
        let (pool, reports) = reporting(1);
        let (first, second) = (fail(1).spawn_on(&pool), fail(2).spawn_on(&pool));
        let list = [first, second.clone()].join_all();
        let error: Error = list.get().unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Broken(1)));
        assert_eq!(second.get().unwrap_err().downcast_ref(), Some(&Broken(2)));
        assert_eq!(count(pool, &reports), 0);
    });
}

#[test]
fn a_long_row_of_lists_that_share_their_failures_ends() {
    soon(|| {
        let (pool, reports) = reporting(1);
        let failed: Vec<_> = (0..100_000).map(|n| fail(n).spawn_on(&pool)).collect();
        failed.iter().for_each(AsyncResult::wait);
        let windows =
            failed.windows(2).rev().map(|two| [two[0].clone(), two[1].clone()].join_all());
        let lists: Vec<_> = windows.collect();
        drop(failed);
        drop(lists);
        assert_eq!(count(pool, &reports), 100_000);
    });
}
