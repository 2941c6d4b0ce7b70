//! Callbacks: once each, never nested in one another, and never at the setter's cost.

use std::sync::{Arc, Mutex};
use std::thread;

use asynckit::{AsyncResult, Error, ErrorKind, Pool};

use crate::support::{Broken, Counter, Gate, Tally, eventually, occupy, soon};

#[test]
fn a_callback_is_called_once_by_whoever_sets() {
    soon(|| {
        let r = AsyncResult::new();
        let (calls, seen) = (Counter::new(), Arc::new(Mutex::new(None)));
        r.on_set({
            let (calls, seen) = (calls.clone(), seen.clone());
            move |value: Result<&u8, &Error>| {
                calls.add();
                *seen.lock().unwrap() = Some((*value.unwrap(), thread::current().id()));
            }
        });
        assert_eq!(calls.count(), 0);
        let setter = {
            let r = r.clone();
            thread::spawn(move || {
                r.set(5).unwrap();
                thread::current().id()
            })
        };
        let id = setter.join().unwrap();
        assert_eq!(calls.count(), 1, "called before `set` returns");
        assert_eq!(*seen.lock().unwrap(), Some((5, id)));
        r.set(6).unwrap_err();
        assert_eq!(r.get().unwrap(), 5);
        assert_eq!(calls.count(), 1);
    });
}

#[test]
fn on_a_set_result_it_is_called_now() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = |seen: &Arc<Mutex<Vec<_>>>| {
        let seen = seen.clone();
        move |value: Result<&u8, &Error>| {
            let value = value.copied().map_err(Error::kind);
            seen.lock().unwrap().push((value, thread::current().id()));
        }
    };
    AsyncResult::ready(1).on_set(note(&seen));
    AsyncResult::failed(Broken(1)).on_set(note(&seen));
    let here = thread::current().id();
    assert_eq!(*seen.lock().unwrap(), [(Ok(1), here), (Err(ErrorKind::Failed), here)]);
}

#[test]
fn callbacks_of_work_are_called_for_values_panics_and_cancelling() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let (value, panics, cancelled) = (Gate::new(), Gate::new(), Gate::new());
        let r = pool.spawn(|| 1);
        r.on_set({
            let value = value.clone();
            move |v| {
                if *v.unwrap() == 1 {
                    value.open();
                }
            }
        });
        let r = pool.spawn(|| -> u8 { panic!("on purpose") });
        r.on_set({
            let panics = panics.clone();
            move |v| {
                if v.unwrap_err().is_panic() {
                    panics.open();
                }
            }
        });
        let r = pool.spawn(|| 1);
        r.on_set({
            let cancelled = cancelled.clone();
            move |v| {
                if v.unwrap_err().kind() == ErrorKind::Cancelled {
                    cancelled.open();
                }
            }
        });
        assert!(r.cancel());
        cancelled.pass();
        busy.free();
        value.pass();
        panics.pass();
    });
}

#[test]
fn several_callbacks_are_all_called() {
    soon(|| {
        let r = AsyncResult::new();
        let calls = Counter::new();
        for _ in 0..100 {
            let calls = calls.clone();
            r.on_set(move |_| {
                calls.add();
            });
        }
        r.set(()).unwrap();
        assert_eq!(calls.count(), 100);
    });
}

#[test]
fn a_callback_lends_and_the_value_can_be_taken_after_it() {
    soon(|| {
        let pool = Pool::new(1);
        let tally = Tally::new();
        let value = tally.value(7);
        let busy = occupy(&pool);
        let r = pool.spawn(move || value);
        let seen = Counter::new();
        r.on_set({
            let seen = seen.clone();
            move |v| {
                assert_eq!(v.ok().unwrap().value, 7);
                seen.add();
            }
        });
        busy.free();
        assert_eq!(r.get().unwrap().value, 7);
        assert_eq!((seen.count(), tally.clones.count(), tally.drops.count()), (1, 0, 1));
    });
}

#[test]
fn a_callback_races_with_who_gets_the_value() {
    soon(|| {
        let pool = Pool::new(2);
        let calls = Counter::new();
        for n in 0..4_000 {
            let r = pool.spawn(move || n);
            let calls = calls.clone();
            r.on_set(move |_| {
                thread::yield_now();
                calls.add();
            });
            while !r.is_set() {
                std::hint::spin_loop();
            }
            assert_eq!(r.get().unwrap(), n);
        }
        pool.stop();
        assert_eq!(calls.count(), 4_000);
    });
}

#[test]
fn a_callback_is_called_though_the_handle_is_gone() {
    soon(|| {
        let pool = Pool::new(1);
        let called = Gate::new();
        let r = pool.spawn(|| 1);
        r.on_set({
            let called = called.clone();
            move |_| called.open()
        });
        drop(r);
        called.pass();
    });
}

#[test]
fn a_callback_may_use_its_own_result() {
    soon(|| {
        // No lock is held while foreign code runs.
        let r = AsyncResult::new();
        let seen = Gate::new();
        r.on_set({
            let (r, seen) = (r.clone(), seen.clone());
            move |value| {
                assert_eq!(value.copied().unwrap(), 1);
                assert!(r.is_set());
                assert!(!r.cancel());
                assert_eq!(*r.get_ref().unwrap(), 1);
                r.set(2).unwrap_err();
                r.wait();
                r.on_set(move |_| seen.open());
            }
        });
        r.set(1).unwrap();
        seen.pass();
    });
}

#[test]
fn a_panicking_callback_harms_neither_the_setter_nor_the_others() {
    soon(|| {
        let r = AsyncResult::new();
        let calls = Counter::new();
        for n in 0..3 {
            let calls = calls.clone();
            r.on_set(move |_| {
                calls.add();
                assert_ne!(n, 1, "on purpose");
            });
        }
        r.set(1).unwrap();
        assert_eq!(calls.count(), 3);
        assert_eq!(r.get().unwrap(), 1);
        // Also when the result is set already.
        AsyncResult::ready(1).on_set(|_| panic!("on purpose"));
    });
}

#[test]
fn a_panicking_callback_goes_to_the_hook_of_the_pool() {
    soon(|| {
        let (panics, reported) = (Counter::new(), Gate::new());
        let pool = Pool::builder()
            .workers(1)
            .on_unobserved_error({
                let (panics, reported) = (panics.clone(), reported.clone());
                move |error| {
                    assert!(error.is_panic());
                    assert!(error.to_string().contains("callback on purpose"), "{error}");
                    panics.add();
                    reported.open();
                }
            })
            .build()
            .unwrap();
        let busy = occupy(&pool);
        let r = pool.spawn(|| 1);
        r.on_set(|_| panic!("callback on purpose"));
        let after = pool.spawn(|| 2);
        busy.free();
        assert_eq!(r.get().unwrap(), 1);
        reported.pass();
        assert_eq!(after.get().unwrap(), 2, "the worker lives on");
        pool.stop();
        assert_eq!(panics.count(), 1);
    });
}

#[test]
fn callbacks_never_nest() {
    soon(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let (a, b) = (AsyncResult::new(), AsyncResult::new());
        a.on_set({
            let (log, b) = (log.clone(), b.clone());
            move |_| {
                log.lock().unwrap().push("a begins");
                b.set(2).unwrap();
                assert!(b.is_set(), "set, though its callback has to wait");
                log.lock().unwrap().push("a ends");
            }
        });
        b.on_set({
            let log = log.clone();
            move |_| log.lock().unwrap().push("b")
        });
        a.set(1).unwrap();
        assert_eq!(*log.lock().unwrap(), ["a begins", "a ends", "b"]);
    });
}

#[test]
fn drops_of_closures_in_callbacks_may_do_anything() {
    /// Sets a result when it is dropped.
    struct SetsOnDrop(AsyncResult<u8>);
    impl Drop for SetsOnDrop {
        fn drop(&mut self) {
            self.0.set(1).unwrap();
        }
    }
    soon(|| {
        let (a, b) = (AsyncResult::<u8>::new(), AsyncResult::new());
        let guard = SetsOnDrop(b.clone());
        a.on_set(move |_| drop(guard));
        let called = Counter::new();
        b.on_set({
            let called = called.clone();
            move |_| {
                called.add();
            }
        });
        // Nobody can set `a`: its callback is called with that failure, or dropped; either way
        // what it holds is dropped, and `b` is set.
        drop(a);
        eventually("b is set", || called.count() == 1);
        assert_eq!(b.get().unwrap(), 1);
    });
}
