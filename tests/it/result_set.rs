//! Results that the program sets: the first value wins, and a late one comes back.

use std::io;
use std::sync::Barrier;
use std::thread;

use asynckit::{AsyncResult, ErrorKind, Pool, SetError, Setter, async_work, chain};

use crate::support::{Broken, Counter, occupy, soon};

struct Opaque;

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

#[async_work]
fn length(text: &str) -> usize {
    text.len()
}

#[async_work]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[test]
fn a_new_result_is_unset() {
    for r in [AsyncResult::<u8>::new(), AsyncResult::default()] {
        assert!(!r.is_set());
        assert!(!r.is_error());
        r.set(1).unwrap();
        assert!(r.is_set());
        assert!(!r.is_error());
        assert_eq!(r.get().unwrap(), 1);
    }
}

#[test]
fn ready_and_failed_are_set() {
    let r = AsyncResult::ready(3);
    assert!(r.is_set() && !r.is_error());
    assert_eq!(r.get().unwrap(), 3);

    let r = AsyncResult::<u8>::failed(Broken(1));
    assert!(r.is_set() && r.is_error());
    let error = r.get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(error.downcast_ref(), Some(&Broken(1)));
}

#[test]
fn whatever_becomes_a_boxed_error_can_be_the_failure() {
    for r in [
        AsyncResult::<u8>::failed("words"),
        AsyncResult::failed(String::from("words")),
        AsyncResult::failed(io::Error::other("words")),
        AsyncResult::failed(Box::<dyn std::error::Error + Send + Sync>::from("words")),
    ] {
        assert!(r.get().unwrap_err().to_string().contains("words"));
    }
}

#[test]
fn a_late_value_is_handed_back() {
    let r = AsyncResult::new();
    r.set(1).unwrap();
    let late = r.set(2).unwrap_err();
    assert_eq!(late.into_inner(), 2);
    let late = r.fail(Broken(3)).unwrap_err();
    assert_eq!(late.into_inner(), Broken(3));
    assert_eq!(r.get().unwrap(), 1);
}

#[test]
fn a_failure_is_final_too() {
    let r = AsyncResult::new();
    r.fail(Broken(1)).unwrap();
    assert_eq!(r.set(2).unwrap_err().into_inner(), 2);
    assert_eq!(r.fail(Broken(2)).unwrap_err().into_inner(), Broken(2));
    assert_eq!(r.get().unwrap_err().downcast_ref(), Some(&Broken(1)));
}

#[test]
fn a_late_value_is_not_dropped_but_returned() {
    let drops = Counter::new();
    let r = AsyncResult::ready(drops.on_drop());
    let late = r.set(drops.on_drop()).err().unwrap();
    assert_eq!(drops.count(), 0);
    drop(late.into_inner());
    assert_eq!(drops.count(), 1);
    drop(r);
    assert_eq!(drops.count(), 2);
}

#[test]
fn set_errors_are_errors_whatever_they_hold() {
    fn shown<E: std::error::Error>(error: E) -> (String, String) {
        assert!(error.source().is_none());
        (error.to_string(), format!("{error:?}"))
    }
    let r = AsyncResult::ready(Opaque);
    let (display, debug) = shown(r.set(Opaque).err().unwrap());
    assert!(!display.is_empty());
    assert!(debug.contains("SetError"), "{debug}");
    let _: SetError<&str> = r.fail("late").unwrap_err();
}

#[test]
fn of_many_setters_one_wins() {
    soon(|| {
        for _ in 0..200 {
            let r = AsyncResult::new();
            let barrier = Barrier::new(4);
            let winners = thread::scope(|s| {
                let threads: Vec<_> = (0..4)
                    .map(|n| {
                        let (r, barrier) = (&r, &barrier);
                        s.spawn(move || {
                            barrier.wait();
                            match r.set(n) {
                                Ok(()) => Some(n),
                                Err(late) => {
                                    assert_eq!(late.into_inner(), n);
                                    None
                                }
                            }
                        })
                    })
                    .collect();
                threads.into_iter().filter_map(|t| t.join().unwrap()).collect::<Vec<_>>()
            });
            assert_eq!(winners, [r.get().unwrap()]);
        }
    });
}

#[test]
fn the_result_of_work_cannot_be_set_by_hand() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let r = pool.spawn(|| 1);
        assert_eq!(r.set(2).unwrap_err().into_inner(), 2);
        assert_eq!(r.fail(Broken(2)).unwrap_err().into_inner(), Broken(2));
        busy.free();
        assert_eq!(r.get().unwrap(), 1);

        let waiting = chain!(&pool, {
            let n = inc(1);
            inc(n)
        });
        assert_eq!(waiting.set(9).unwrap_err().into_inner(), 9);
        assert_eq!(waiting.get().unwrap(), 3);
    });
}

#[test]
fn a_channel_is_set_by_its_setter_alone() {
    soon(|| {
        let (setter, r) = AsyncResult::channel();
        assert!(!r.is_set());
        assert_eq!(r.set(2).unwrap_err().into_inner(), 2);
        assert_eq!(r.fail(Broken(2)).unwrap_err().into_inner(), Broken(2));
        let setting = thread::spawn(move || setter.set(1).is_ok());
        assert_eq!(r.get().unwrap(), 1);
        assert!(setting.join().unwrap());
    });
}

#[test]
fn a_setter_can_fail_its_result() {
    let (setter, r) = AsyncResult::<u8>::channel();
    setter.fail(Broken(4)).unwrap();
    let error = r.get().unwrap_err();
    assert_eq!((error.kind(), error.downcast_ref()), (ErrorKind::Failed, Some(&Broken(4))));
}

#[test]
fn a_setter_dropped_unset_abandons_its_result() {
    soon(|| {
        let (setter, r) = AsyncResult::<u8>::channel();
        let also = r.clone();
        drop(setter);
        assert!(r.is_error());
        assert_eq!(r.get().unwrap_err().kind(), ErrorKind::Abandoned);
        assert_eq!(also.get().unwrap_err().kind(), ErrorKind::Abandoned);

        // Also by a panic that unwinds through its owner.
        let pool = Pool::new(1);
        let (setter, r) = AsyncResult::<u8>::channel();
        let broken = pool.spawn(move || {
            let _setter: Setter<u8> = setter;
            panic!("on purpose");
        });
        assert_eq!(r.get().unwrap_err().kind(), ErrorKind::Abandoned);
        assert!(broken.get().unwrap_err().is_panic());
    });
}

#[test]
fn a_setter_learns_that_its_result_was_cancelled() {
    let (setter, r) = AsyncResult::channel();
    assert!(r.cancel());
    assert_eq!(setter.set(5).unwrap_err().into_inner(), 5);
    assert_eq!(r.get().unwrap_err().kind(), ErrorKind::Cancelled);

    let (setter, r) = AsyncResult::<u8>::channel();
    assert!(r.cancel());
    assert_eq!(setter.fail(Broken(5)).unwrap_err().into_inner(), Broken(5));
    r.get().unwrap_err();
}

#[test]
fn a_result_that_nobody_can_set_any_more_is_abandoned() {
    soon(|| {
        let pool = Pool::new(1);
        // Moved into the task that waits for it.
        let moved = AsyncResult::<u32>::new().map(|n| n).spawn_on(&pool);
        assert_eq!(moved.get().unwrap_err().kind(), ErrorKind::Abandoned);

        // The last other handle is dropped later.
        let input = AsyncResult::new();
        let out = chain!(&pool, inc(input.clone()));
        assert!(!out.is_set());
        drop(input);
        assert_eq!(out.get().unwrap_err().kind(), ErrorKind::Abandoned);

        // Lent.
        let input = AsyncResult::<String>::new();
        let out = chain!(&pool, length(&input));
        assert!(!out.is_set());
        drop(input);
        assert_eq!(out.get().unwrap_err().kind(), ErrorKind::Abandoned);

        // Two tasks wait, and another input of theirs is pending as well.
        let (input, other) = (AsyncResult::new(), AsyncResult::new());
        let a = chain!(&pool, add(input.clone(), other.clone()));
        let b = chain!(&pool, inc(inc(input.clone())));
        drop(input);
        assert_eq!(a.get().unwrap_err().kind(), ErrorKind::Abandoned);
        assert_eq!(b.get().unwrap_err().kind(), ErrorKind::Abandoned);
        other.set(1).unwrap();
    });
}

#[test]
fn a_result_that_somebody_can_still_set_is_not_abandoned() {
    soon(|| {
        let pool = Pool::new(1);
        let input = AsyncResult::new();
        let held_by_a_thread = input.clone();
        let out = chain!(&pool, inc(input));
        assert!(!out.is_set());
        thread::spawn(move || held_by_a_thread.set(1).unwrap()).join().unwrap();
        assert_eq!(out.get().unwrap(), 2);

        // A closure that waits in the queue may set it, too.
        let busy = occupy(&pool);
        let input = AsyncResult::new();
        let out = chain!(&pool, inc(input.clone()));
        drop(pool.spawn(move || input.set(2).unwrap()));
        busy.free();
        assert_eq!(out.get().unwrap(), 3);
    });
}

#[test]
fn setting_starts_what_waits() {
    soon(|| {
        let pool = Pool::new(2);
        let input = AsyncResult::new();
        let outs: Vec<_> = (0..50).map(|_| chain!(&pool, inc(input.clone()))).collect();
        assert!(outs.iter().all(|out| !out.is_set()));
        input.set(1).unwrap();
        for out in outs {
            assert_eq!(out.get().unwrap(), 2);
        }
        assert_eq!(input.get().unwrap(), 1);
    });
}
