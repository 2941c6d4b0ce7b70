//! A million links: run, failed, cancelled and dropped without overflowing a stack.

use std::time::Duration;

use asynckit::{AsyncResult, ErrorKind, Pool, Setter, async_work, chain};

use crate::support::{Broken, Counter, within};

const LINKS: u64 = 1_000_000;
const LONG: Duration = Duration::from_secs(120);

#[async_work]
fn inc(n: u64) -> u64 {
    n + 1
}

#[async_work]
fn next(n: &u64) -> u64 {
    n + 1
}

/// A chain that waits for its setter.
fn built_ahead(pool: &Pool) -> (Setter<u64>, AsyncResult<u64>) {
    let (setter, mut last) = AsyncResult::channel();
    for _ in 0..LINKS {
        last = chain!(pool, inc(last));
    }
    (setter, last)
}

#[test]
fn built_ahead_and_run() {
    within(LONG, || {
        let pool = Pool::new(2);
        let (setter, last) = built_ahead(&pool);
        setter.set(0).unwrap();
        assert_eq!(last.get().unwrap(), LINKS);
    });
}

#[test]
fn built_while_it_runs() {
    within(LONG, || {
        let pool = Pool::new(2);
        let mut last = pool.spawn(|| 0);
        for _ in 0..LINKS {
            last = chain!(&pool, inc(last));
        }
        assert_eq!(last.get().unwrap(), LINKS);
    });
}

#[test]
fn lent_from_link_to_link() {
    within(LONG, || {
        let pool = Pool::new(2);
        let (setter, mut last) = AsyncResult::channel();
        for _ in 0..LINKS {
            last = chain!(&pool, next(&last));
        }
        setter.set(0).unwrap();
        assert_eq!(last.get().unwrap(), LINKS);
    });
}

#[test]
fn failed_at_its_beginning() {
    within(LONG, || {
        let pool = Pool::new(2);
        let (setter, last) = built_ahead(&pool);
        setter.fail(Broken(1)).unwrap();
        let error = last.get().unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Broken(1)));
        // The path is kept in bounded memory.
        assert!(format!("{error:#}").len() < 10_000);
    });
}

#[test]
fn cancelled_at_its_end() {
    within(LONG, || {
        let pool = Pool::new(2);
        let (setter, last) = built_ahead(&pool);
        assert!(last.cancel());
        assert_eq!(last.get().unwrap_err().kind(), ErrorKind::Cancelled);
        drop(setter);
    });
}

#[test]
fn abandoned() {
    within(LONG, || {
        let pool = Pool::new(2);
        let (setter, last) = built_ahead(&pool);
        drop(setter);
        assert_eq!(last.get().unwrap_err().kind(), ErrorKind::Abandoned);
    });
}

#[test]
fn dropped_unset() {
    within(LONG, || {
        let pool = Pool::new(2);
        let (setter, last) = built_ahead(&pool);
        drop(last);
        drop(setter);
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
    });
}

#[test]
fn stopped_while_it_waits() {
    within(LONG, || {
        let pool = Pool::new(2);
        let (setter, last) = built_ahead(&pool);
        drop(pool);
        assert_eq!(last.get().unwrap_err().kind(), ErrorKind::Stopped);
        drop(setter);
    });
}

#[test]
fn without_workers() {
    within(LONG, || {
        let pool = Pool::new(0);
        let (setter, last) = built_ahead(&pool);
        setter.set(0).unwrap();
        assert_eq!(last.get().unwrap(), LINKS);
    });
}

#[test]
fn from_callback_to_callback() {
    within(LONG, || {
        let mut last = AsyncResult::<u64>::new();
        let end = last.clone();
        for _ in 0..LINKS {
            let before = AsyncResult::new();
            before.on_set(move |n: Result<&u64, &asynckit::Error>| {
                last.set(n.unwrap() + 1).unwrap();
            });
            last = before;
        }
        last.set(0).unwrap();
        assert_eq!(end.get().unwrap(), LINKS);
    });
}

#[test]
fn from_drop_to_drop() {
    within(LONG, || {
        // Each task owns the setter of what the next one waits for. None of them runs: each is
        // dropped because the one before it was.
        let pool = Pool::new(2);
        let ran = Counter::new();
        let (first, mut input) = AsyncResult::<()>::channel();
        for _ in 0..LINKS / 4 {
            let (setter, next) = AsyncResult::channel();
            let runs = ran.clone();
            let task = input.map(move |()| {
                runs.add();
                setter.set(()).is_ok()
            });
            task.detach_on(&pool);
            input = next;
        }
        drop(first);
        assert_eq!(input.get().unwrap_err().kind(), ErrorKind::Abandoned);
        assert_eq!(ran.count(), 0);
    });
}

#[test]
fn values_that_own_results_that_own_values() {
    struct Node(Option<AsyncResult<Node>>);
    within(LONG, || {
        let mut list = AsyncResult::ready(Node(None));
        for _ in 0..LINKS / 4 {
            list = AsyncResult::ready(Node(Some(list)));
        }
        assert!(list.get_ref().is_ok_and(|node| node.0.is_some()));
        drop(list);
    });
}

#[test]
fn waited_for_inside_work() {
    within(LONG, || {
        let pool = Pool::builder().workers(1).max_spares(0).build().unwrap();
        let r = pool.spawn(|| {
            let pool = asynckit::current();
            let mut last = AsyncResult::ready(0);
            for _ in 0..LINKS {
                last = chain!(&pool, inc(last));
            }
            last.get().unwrap()
        });
        assert_eq!(r.get().unwrap(), LINKS);
    });
}
