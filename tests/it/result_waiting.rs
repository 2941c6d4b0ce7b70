//! Waiting for one result: for ever, for a time, or not at all.

use std::thread;
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, ErrorKind, Pool, chain};

use crate::support::{Broken, Gate, LIMIT, Thing, eventually, hold, occupy, soon};

const SHORT: Duration = Duration::from_millis(20);

#[test]
fn get_blocks_until_the_value_is_there() {
    soon(|| {
        let (setter, r) = AsyncResult::channel();
        let waiting = Gate::new();
        let getting = thread::spawn({
            let waiting = waiting.clone();
            move || {
                waiting.open();
                r.get()
            }
        });
        waiting.pass();
        setter.set(1).unwrap();
        assert_eq!(getting.join().unwrap().unwrap(), 1);
    });
}

#[test]
fn many_threads_can_wait_for_one_result() {
    soon(|| {
        let r = AsyncResult::new();
        thread::scope(|s| {
            let threads: Vec<_> = (0..8)
                .map(|n| {
                    let r = &r;
                    s.spawn(move || match n % 4 {
                        0 => *r.get_ref().unwrap(),
                        1 => r.clone().get().unwrap(),
                        2 => {
                            r.wait();
                            *r.get_ref().unwrap()
                        }
                        _ => {
                            assert!(r.wait_timeout(LIMIT));
                            *r.get_ref().unwrap()
                        }
                    })
                })
                .collect();
            r.set(6).unwrap();
            assert!(threads.into_iter().all(|t| t.join().unwrap() == 6));
        });
    });
}

#[test]
fn wait_ends_with_a_failure_too() {
    soon(|| {
        let pool = Pool::new(1);
        let r = pool.spawn(|| -> u8 { panic!("on purpose") });
        r.wait();
        assert!(r.is_set() && r.is_error());
        assert!(r.wait_timeout(Duration::ZERO));
        assert!(r.get_ref().unwrap_err().is_panic());
        assert!(r.get().unwrap_err().is_panic());
    });
}

#[test]
fn a_timed_wait_tells_whether_the_result_was_set() {
    soon(|| {
        let r = AsyncResult::new();
        let start = Instant::now();
        assert!(!r.wait_timeout(SHORT));
        assert!(start.elapsed() >= SHORT);
        assert!(!r.wait_timeout(Duration::ZERO));
        r.set(()).unwrap();
        assert!(r.wait_timeout(Duration::ZERO));
        assert!(r.wait_timeout(SHORT));
    });
}

#[test]
fn the_longest_time_is_no_overflow() {
    soon(|| {
        let (setter, r) = AsyncResult::channel();
        let waiting = thread::spawn(move || {
            assert!(r.wait_timeout(Duration::MAX));
            r.get_timeout(Duration::MAX).unwrap().unwrap()
        });
        setter.set(3).unwrap();
        assert_eq!(waiting.join().unwrap(), 3);
    });
}

#[test]
fn a_timed_wait_wakes_as_soon_as_the_result_is_set() {
    soon(|| {
        let (setter, r) = AsyncResult::channel();
        let begun = Gate::new();
        let waiting = thread::spawn({
            let begun = begun.clone();
            move || {
                begun.open();
                r.get_timeout(LIMIT * 100).map(Result::unwrap)
            }
        });
        begun.pass();
        setter.set(3).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap(), 3);
    });
}

#[test]
fn an_unset_result_is_handed_back() {
    soon(|| {
        let (setter, r) = AsyncResult::channel();
        let r = r.try_get().err().expect("not set yet");
        let start = Instant::now();
        let r = r.get_timeout(SHORT).err().expect("not set yet");
        assert!(start.elapsed() >= SHORT);
        let r = r.get_timeout(Duration::ZERO).err().expect("not set yet");
        setter.set(Thing(1)).ok().unwrap();
        assert_eq!(r.try_get().ok().unwrap().unwrap().0, 1);
    });
}

#[test]
fn a_timed_out_wait_is_no_value() {
    soon(|| {
        // Whatever the type of the value, "not yet" can't be mistaken for one.
        let r = AsyncResult::<Option<()>>::new();
        assert!(r.clone().get_timeout(Duration::ZERO).is_err());
        r.set(None).unwrap();
        assert_eq!(r.get_timeout(Duration::ZERO).unwrap().unwrap(), None);
    });
}

#[test]
fn failures_come_out_of_every_way_to_ask() {
    soon(|| {
        let failed = || AsyncResult::<u8>::failed(Broken(7));
        let broken = |error: asynckit::Error| {
            error.kind() == ErrorKind::Failed && error.downcast_ref() == Some(&Broken(7))
        };
        assert!(broken(failed().get().unwrap_err()));
        assert!(broken(failed().get_ref().unwrap_err()));
        assert!(broken(failed().try_get().unwrap().unwrap_err()));
        assert!(broken(failed().get_timeout(SHORT).unwrap().unwrap_err()));
    });
}

#[test]
fn timed_gets_give_a_value_that_is_there() {
    let r = AsyncResult::ready(4);
    assert_eq!(r.clone().try_get().unwrap().unwrap(), 4);
    assert_eq!(r.clone().get_timeout(Duration::ZERO).unwrap().unwrap(), 4);
    assert_eq!(r.get_timeout(SHORT).unwrap().unwrap(), 4);
}

#[test]
fn what_is_still_lent_is_handed_back() {
    soon(|| {
        let pool = Pool::new(1);
        let (begun, gate) = (Gate::new(), Gate::new());
        let thing = AsyncResult::ready(Thing(5));
        let (b, g) = (begun.clone(), gate.clone());
        let lent = chain!(&pool, hold(&thing, b, g));
        begun.pass();

        assert!(thing.is_set());
        assert_eq!(thing.get_ref().unwrap().0, 5, "to be lent once more takes no waiting");
        let thing = thing.try_get().err().expect("still lent");
        let start = Instant::now();
        let thing = thing.get_timeout(SHORT).err().expect("still lent");
        assert!(start.elapsed() >= SHORT);

        gate.open();
        assert_eq!(thing.get().unwrap().0, 5);
        assert_eq!(lent.get().unwrap(), 5);
    });
}

#[test]
fn get_waits_for_the_borrowers() {
    soon(|| {
        let pool = Pool::new(1);
        let (begun, gate) = (Gate::new(), Gate::new());
        let thing = AsyncResult::ready(Thing(5));
        let (b, g) = (begun.clone(), gate.clone());
        let lent = chain!(&pool, hold(&thing, b, g));
        begun.pass();
        let asking = Gate::new();
        let getting = thread::spawn({
            let (asking, gate) = (asking.clone(), gate.clone());
            move || {
                asking.open();
                let thing = thing.get().unwrap();
                assert!(gate.is_open(), "taken from under a borrower");
                thing.0
            }
        });
        asking.pass();
        gate.open();
        assert_eq!(getting.join().unwrap(), 5);
        assert_eq!(lent.get().unwrap(), 5);
    });
}

#[test]
fn set_means_readable() {
    soon(|| {
        let pool = Pool::new(2);
        for n in 0..2000 {
            let r = pool.spawn(move || Box::new(n));
            while !r.is_set() {
                thread::yield_now();
            }
            let value = r.try_get().expect("a set result of one holder can be read");
            assert_eq!(*value.unwrap(), n);
        }
    });
}

#[test]
fn asking_never_blocks() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let running = &busy.result;
        assert!(!running.is_set() && !running.is_error());
        let queued = pool.spawn(|| 1);
        assert!(!queued.is_set() && !queued.is_error());
        let queued = queued.try_get().unwrap_err();
        busy.free();
        eventually("the queued work has run", || queued.is_set());
        assert_eq!(queued.get().unwrap(), 1);
    });
}

#[test]
fn a_failure_is_handed_out_while_the_value_of_others_is_lent() {
    soon(|| {
        // The failure of a result needs no taking: nothing has to be waited for.
        let r = AsyncResult::<u8>::failed(Broken(1));
        let other = r.clone();
        let lent = r.get_ref();
        assert!(other.try_get().unwrap().is_err());
        lent.unwrap_err();
        r.get().unwrap_err();
    });
}
