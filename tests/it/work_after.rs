//! `Work::after`: order without a value.

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use asynckit::{AsyncResult, ErrorKind, Pool, async_work, chain};

use crate::support::{Broken, Counter, Gate, Thing, hold, soon};

type Log = Arc<Mutex<Vec<&'static str>>>;

#[async_work]
fn note(log: Log, what: &'static str) -> usize {
    let mut log = log.lock().unwrap();
    log.push(what);
    log.len()
}
#[async_work]
fn gated(gate: Gate, log: Log, what: &'static str) {
    gate.pass();
    log.lock().unwrap().push(what);
}
#[async_work]
fn count(counter: Counter) {
    counter.add();
}

#[test]
fn work_begins_after_what_it_is_to_follow() {
    soon(|| {
        let (pool, gate, log) = (Pool::new(3), Gate::new(), Log::default());
        let (first, second) = (AsyncResult::<u8>::new(), Log::clone(&log));
        let last = chain!(&pool, {
            let a = gated(gate.clone(), log.clone(), "a");
            let b = note(log.clone(), "b").after(&a).after(&first);
            note(second, "c").after(&b);
            note(log.clone(), "d")
                .after(&b)
                .spawn_on(&pool)
                .wait_timeout(std::time::Duration::ZERO);
            (a, b)
        });
        first.set(1).unwrap();
        assert!(log.lock().unwrap().is_empty());
        gate.open();
        assert_eq!(last.get().unwrap(), ((), 2));
        pool.stop();
        let mut log = log.lock().unwrap();
        log[2..].sort_unstable();
        assert_eq!(*log, ["a", "b", "c", "d"]);
    });
}

#[test]
fn after_a_failure_it_does_not_run() {
    soon(|| {
        let (pool, counter) = (Pool::new(1), Counter::new());
        let (setter, earlier) = AsyncResult::<u8>::channel();
        let skipped = count(counter.clone()).after(&earlier).spawn_on(&pool);
        setter.fail(Broken(1)).unwrap();
        let error = skipped.get().unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Broken(1)));
        assert!(format!("{error:#}").contains("-> count ("), "{error:#}");
        let never = AsyncResult::<u8>::new();
        let cancelled = count(counter.clone()).after(&never).spawn_on(&pool);
        assert!(cancelled.cancel());
        assert_eq!(cancelled.get().unwrap_err().kind(), ErrorKind::Cancelled);
        assert!(count(counter.clone()).after(&earlier).run().is_err());
        assert_eq!(counter.count(), 0);
        count(counter.clone()).after(&AsyncResult::ready(1)).run().unwrap();
        assert_eq!(counter.count(), 1);
    });
}

#[test]
fn the_value_is_left_alone() {
    soon(|| {
        // Neither `Sync` nor `Clone`; it may be moved when all that follows it has begun.
        let (pool, counter) = (Pool::new(2), Counter::new());
        let (setter, earlier) = AsyncResult::channel();
        let after = count(counter.clone()).after(&earlier).spawn_on(&pool);
        setter.set(Cell::new(3)).unwrap();
        assert_eq!(earlier.get().unwrap().get(), 3);
        after.get().unwrap();
        assert_eq!(counter.count(), 1);
        // A loan keeps nobody from following.
        let thing = AsyncResult::ready(Thing(5));
        let (begun, gate) = (Gate::new(), Gate::new());
        let held = chain!(&pool, hold(&thing, begun.clone(), gate.clone()));
        begun.pass();
        count(counter.clone()).after(&thing).spawn_on(&pool).get().unwrap();
        gate.open();
        assert_eq!((held.get().unwrap(), thing.get().unwrap().0), (5, 5));
    });
}

#[test]
fn work_of_a_scope_may_follow() {
    soon(|| {
        let pool = Pool::new(2);
        let text = String::from("abc");
        #[async_work]
        fn length(text: &str) -> usize {
            text.len()
        }
        let sum = pool.scope(|s| {
            let first = length(&text).spawn_on(s);
            let second = length(&text).after(&first).spawn_on(s);
            first.get().unwrap() + second.get().unwrap()
        });
        assert_eq!(sum, 6);
    });
}
