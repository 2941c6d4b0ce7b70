//! Callbacks that block and drops that take long: they hold up nobody but themselves.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use asynckit::{AsyncResult, ErrorKind, Pool, Results, Retry, async_work, chain, try_work, work};

use crate::support::{Counter, Gate, eventually, soon};

const SHORT: Duration = Duration::from_millis(20);

/// Stands at a gate when it is dropped.
struct SlowDrop(Gate);

impl Drop for SlowDrop {
    fn drop(&mut self) {
        self.0.pass();
    }
}

#[async_work]
fn make(drops: Gate) -> SlowDrop {
    SlowDrop(drops)
}
#[async_work]
fn look(_slow: &SlowDrop, gate: Gate) -> u32 {
    gate.pass();
    1
}
#[async_work]
async fn look_async(_slow: &SlowDrop, gate: Gate) -> u32 {
    gate.pass();
    1
}
#[async_work]
fn look_and_fail(_slow: &SlowDrop, gate: Gate) -> Result<u32, &'static str> {
    gate.pass();
    Err("no")
}
#[async_work]
fn next(n: u32) -> u32 {
    n + 1
}

#[test]
fn what_depends_on_a_task_does_not_wait_for_drops_of_what_it_was_lent() {
    soon(|| {
        let pool = Pool::new(2);
        let (drops, gate) = (Gate::new(), Gate::new());
        let after = chain!(&pool, {
            let slow = make(drops.clone());
            let seen = look(&slow, gate.clone());
            next(seen)
        });
        gate.open();
        assert_eq!(after.get().unwrap(), 2);
        // Shut until this thread's handle is gone, so that it is not this thread that drops the value.
        let gate = Gate::new();
        let after = chain!(&pool, {
            let slow = make(drops.clone());
            next(look(&slow, gate.clone()))
        });
        gate.open();
        // Both workers stand at drops now, or soon; a third one comes.
        pool.set_worker_count(3);
        assert_eq!(after.get().unwrap(), 2);
        drops.open();
    });
}

#[test]
fn neither_after_a_failure_nor_in_async_work() {
    soon(|| {
        let pool = Pool::new(4);
        let (drops, gate) = (Gate::new(), Gate::new());
        let failed = chain!(&pool, {
            let slow = make(drops.clone());
            next(look_and_fail(&slow, gate.clone()))
        });
        let polled = chain!(&pool, {
            let slow = make(drops.clone());
            next(look_async(&slow, gate.clone()))
        });
        gate.open();
        assert_eq!(failed.get().unwrap_err().kind(), ErrorKind::Failed);
        assert_eq!(polled.get().unwrap(), 2);
        drops.open();
    });
}

#[test]
fn a_scope_still_ends_after_such_drops() {
    soon(|| {
        let (pool, counter) = (Pool::new(2), Counter::new());
        struct Counts<'a>(&'a Counter);
        impl Drop for Counts<'_> {
            fn drop(&mut self) {
                thread::sleep(SHORT);
                self.0.add();
            }
        }
        #[async_work]
        fn count<'a>(counter: &'a Counter) -> Counts<'a> {
            Counts(counter)
        }
        #[async_work]
        fn look_at(_: &Counts<'_>) {}
        for round in 1..=5 {
            pool.scope(|s| {
                chain!(s, {
                    let value = count(&counter);
                    look_at(&value)
                })
                .get()
                .unwrap();
            });
            assert_eq!(counter.count(), round);
        }
    });
}

#[test]
fn all_that_depends_on_a_failure_fails_before_closures_are_dropped() {
    soon(|| {
        let (pool, drops) = (Pool::new(1), Gate::new());
        let (setter, input) = AsyncResult::<u8>::channel();
        let dependents: Vec<_> = (0..3)
            .map(|_| {
                let slow = SlowDrop(drops.clone());
                input.clone().map(move |_| drop(slow)).spawn_on(&pool)
            })
            .collect();
        drop(input);
        let fails = thread::spawn(move || setter.fail("no").unwrap());
        for dependent in dependents {
            assert_eq!(dependent.get().unwrap_err().kind(), ErrorKind::Failed);
        }
        drops.open();
        fails.join().unwrap();
    });
}

#[test]
fn a_blocked_callback_keeps_no_dependent_from_running() {
    soon(|| {
        let pool = Pool::new(2);
        for value in [String::from("abc"), String::new()] {
            let (go, gate) = (Gate::new(), Gate::new());
            let (its_go, its_gate) = (go.clone(), gate.clone());
            let first = pool.spawn(move || {
                its_go.pass();
                value
            });
            first.on_set(move |_| its_gate.pass());
            let its = gate.clone();
            let dependent = chain!(&pool, {
                let length = String::len(&first);
                work(move || its.open()).after(&length)
            });
            go.open();
            dependent.get().unwrap();
        }
        // A number is copied for the callback, so that it can move on meanwhile.
        let (setter, number) = AsyncResult::<u32>::channel();
        let gate = Gate::new();
        let its = gate.clone();
        number.on_set(move |_| its.pass());
        let moved = number.map(move |n| {
            gate.open();
            n
        });
        let moved = moved.spawn_on(&pool);
        pool.spawn(move || setter.set(3).unwrap()).get().unwrap();
        assert_eq!(moved.get().unwrap(), 3);
    });
}

#[test]
fn what_a_callback_sets_goes_on_while_it_blocks() {
    soon(|| {
        let pool = Pool::new(2);
        let (setter, first) = AsyncResult::<u8>::channel();
        let (second_setter, second) = AsyncResult::<String>::channel();
        let gate = Gate::new();
        let its = gate.clone();
        first.on_set(move |_| {
            second_setter.set(String::from("ab")).unwrap();
            its.pass();
        });
        let joined = [second].join_all();
        let opens = joined.map(move |_| gate.open()).spawn_on(&pool);
        pool.spawn(move || setter.set(1).unwrap()).get().unwrap();
        opens.get().unwrap();
    });
}

#[test]
fn slow_drops_of_late_work_delay_no_other_time_limit() {
    soon(|| {
        let (a, b) = (Pool::new(1), Pool::new(1));
        let (never, drops) = (AsyncResult::<u32>::new(), Gate::new());
        let late: Vec<_> = (0..3)
            .map(|_| {
                let slow = SlowDrop(drops.clone());
                // Enough for this thread to be done with it: else the drop is its own.
                never.clone().map(move |_| drop(slow)).spawn_on(&a).timeout(20 * SHORT)
            })
            .collect();
        for late in late {
            assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
        }
        let other = never.clone().map(|n| n).spawn_on(&b).timeout(SHORT);
        assert_eq!(other.get().unwrap_err().kind(), ErrorKind::TimedOut);
        let tries = Counter::new();
        let retry = Retry::new(2).backoff(SHORT);
        let tried = retry.work(|| {
            let tries = tries.clone();
            try_work(move || if tries.add() < 3 { Err("no") } else { Ok(1) })
        });
        assert_eq!(b.scope(|s| tried.spawn_on(s).get()).unwrap(), 1);
        drops.open();
    });
}

#[test]
fn late_work_may_own_its_pool() {
    soon(|| {
        let (pool, tries) = (Arc::new(Pool::new(2)), Counter::new());
        let (its, its_tries) = (pool.clone(), tries.clone());
        let never = AsyncResult::<u32>::new();
        let late = never.clone().map(move |_| drop(its)).spawn_on(&*pool).timeout(SHORT);
        // The pool's stop, in the drop of the late work, waits for what pauses between its tries.
        let _tried = Retry::new(3).backoff(2 * SHORT).work(move || {
            let tries = its_tries.clone();
            try_work(move || {
                tries.add();
                Err::<u8, _>("no")
            })
        });
        let _tried = _tried.spawn_on(&*pool);
        drop(pool);
        assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
        eventually("all tries were made", || tries.count() == 4);
        assert!(never.timeout(SHORT).get().is_err());
    });
}

/// A callback of what is gathered from a result waits for others of that result's dependents, wherever these stand in its list:
/// none of them is in the hand of the thread that calls it, or behind it.
#[test]
fn a_callback_of_what_is_gathered_waits_for_its_siblings() {
    type Kept = Box<dyn std::any::Any>;
    type Then = Box<dyn FnOnce() + Send>;
    fn then<T: Send + Sync + 'static>(gathered: AsyncResult<T>, then: Then) -> Kept {
        gathered.on_set(move |_| then());
        Box::new(gathered)
    }
    type Gathers = fn(&Pool, AsyncResult<u32>, Then) -> Kept;
    let ways: [Gathers; 5] = [
        |_, one, end| then(vec![one].join_all(), end),
        |_, one, end| then(vec![one].settle_all(), end),
        |_, one, end| then((one, AsyncResult::ready(2)).join(), end),
        |pool, one, end| then(chain!(pool, (one, AsyncResult::ready(2))), end),
        |_, one, end| then(one.timeout(Duration::from_secs(99)), end),
    ];
    for way in ways {
        for (before, by_hand) in [(0, false), (1, false), (2, false), (0, true), (2, true)] {
            soon(move || {
                let (pool, gate) = (Pool::new(2), Gate::new());
                let (setter, given) = AsyncResult::channel();
                let first =
                    if by_hand { given.clone() } else { chain!(&pool, next(given.clone())) };
                let (hand_on, all) = std::sync::mpsc::channel::<AsyncResult<u32>>();
                let one = || hand_on.send(chain!(&pool, next(first.clone()))).unwrap();
                (0..before).for_each(|_| one());
                let end = gate.clone();
                let wait = move || {
                    all.into_iter().for_each(|one| assert!(one.get().is_ok()));
                    end.open();
                };
                let kept = way(&pool, first.clone(), Box::new(wait));
                (before..2).for_each(|_| one());
                drop((hand_on, first, given));
                setter.set(1).unwrap();
                gate.pass();
                drop(kept);
            });
        }
    }
}

/// A value whose clone stands at a gate.
struct SlowClone(Gate, Gate);

impl Clone for SlowClone {
    fn clone(&self) -> SlowClone {
        self.0.pass();
        SlowClone(self.0.clone(), self.1.clone())
    }
}

#[async_work]
fn passes(slow: &SlowClone) {
    slow.0.open();
    slow.1.open();
}

/// Two of them, so that one is not in the hand of the thread that clones.
#[test]
fn a_slow_clone_of_what_is_gathered_keeps_no_sibling_waiting() {
    soon(|| {
        let pool = Pool::new(2);
        let (setter, slow) = AsyncResult::channel();
        let made = chain!(&pool, same(slow));
        let gathered = vec![made.clone()].join_all();
        let siblings = [chain!(&pool, passes(&made)), chain!(&pool, passes(&made))];
        setter.set(SlowClone(Gate::new(), Gate::new())).ok().unwrap();
        siblings.into_iter().for_each(|one| one.get().unwrap());
        drop(made);
        assert_eq!(gathered.get().unwrap().len(), 1);
    });
}

#[async_work]
fn same(slow: SlowClone) -> SlowClone {
    slow
}
