//! Those who look on: told once, in order, or not at all when they have left.

use std::task::{Wake, Waker};

use super::super::task;
use super::super::watchers::Watcher;
use super::support::*;
use crate::ErrorKind;
use crate::sync::{Arc, AtomicUsize, Deadline, Mutex, Ordering::SeqCst, Parker, lock, thread};

fn note(f: impl FnOnce() + Send + 'static) -> Watcher {
    Watcher::Note(Box::new(f))
}

#[test]
fn all_are_told_in_the_order_in_which_they_came() {
    leaves_nothing(|| {
        let (a, setting) = task::channel::<u32>(hop());
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut watches = Vec::new();
        for n in 0..10 {
            let its = log.clone();
            watches
                .push(a.reference().watch(note(move || lock(&its).push(n))).map_err(drop).unwrap());
        }
        // Some leave.
        watches.remove(7);
        watches.remove(3);
        watches.pop().unwrap().stay();
        assert!(setting.set(1).is_ok());
        assert_eq!(*lock(&log), [0, 1, 2, 4, 5, 6, 8, 9]);
        assert!(a.reference().watch(note(|| unreachable!("it is set"))).is_err());
        drop(watches);
        assert_eq!(get(a).unwrap(), 1);
    });
}

#[test]
fn who_looks_on_keeps_no_value() {
    leaves_nothing(|| {
        let (place, tally) = (place(), Tally::default());
        let its = tally.clone();
        let a = spawn(&place, move || Ok(its.value(1)));
        let told = Gate::default();
        let its = told.clone();
        let watch = a.reference().watch(note(move || its.open())).map_err(drop).unwrap();
        drop(a);
        work(&place);
        assert!(told.is_open());
        assert_eq!(tally.alive(), 0);
        drop(watch);
    });
}

/// The set, and a watch that leaves, at the same time.
#[test]
fn a_watch_that_leaves_against_the_set() {
    leaves_nothing(|| {
        let told = Arc::new(AtomicUsize::new(0));
        let mut left = 0;
        for _ in 0..2000 {
            let (a, setting) = task::channel::<u32>(hop());
            let sets = thread::spawn(move || setting.set(1).is_ok());
            let its = told.clone();
            let watch = a.reference().watch(note(move || {
                its.fetch_add(1, SeqCst);
            }));
            match watch {
                Err(_) => left += 1,
                Ok(mut watch) => left += usize::from(watch.take().is_some()),
            }
            assert!(sets.join().unwrap());
        }
        assert_eq!(told.load(SeqCst) + left, 2000, "told, or taken back");
    });
}

#[test]
fn threads_are_woken() {
    leaves_nothing(|| {
        for _ in 0..200 {
            let (a, setting) = task::channel::<u32>(hop());
            let a = Arc::new(a);
            let waits = [0, 1].map(|_| {
                let a = a.clone();
                thread::spawn(move || {
                    let parker = Parker::current();
                    let watch = a.reference().watch(Watcher::Thread(parker.clone()));
                    while !a.is_set() {
                        parker.park(Some(Deadline::after(LIMIT)));
                    }
                    drop(watch);
                    *a.outcome().unwrap()
                })
            });
            assert!(setting.set(1).is_ok());
            waits.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), 1));
        }
    });
}

struct Counts(AtomicUsize);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_waker_is_renewed_until_it_is_told() {
    leaves_nothing(|| {
        let (a, setting) = task::channel::<u32>(hop());
        let wakers = [0, 1].map(|_| Arc::new(Counts(AtomicUsize::new(0))));
        let waker = |n: usize| Waker::from(wakers[n].clone());
        let watch = a.reference().watch(Watcher::Waker(waker(0))).map_err(drop).unwrap();
        assert!(watch.renew(&waker(1)));
        assert!(setting.task().give_up(failed("no")));
        assert!(!watch.renew(&waker(0)));
        assert_eq!(wakers.map(|counts| counts.0.load(SeqCst)), [0, 1]);
        assert_eq!(get(a).unwrap_err().kind(), ErrorKind::Failed);
    });
}

#[test]
fn the_end_of_loans_is_told_to_who_looks_on() {
    leaves_nothing(|| {
        for shared in [false, true] {
            let place = place();
            let a = spawn(&place, || Ok(1));
            work(&place);
            let a = or_its_clone(a, shared);
            assert!(!a.is_lent());
            let (one, two) = (a.lend(), a.lend());
            let told = Gate::default();
            let its = told.clone();
            let watch = a.lender().watch(note(move || its.open()));
            drop(one);
            assert!(!told.is_open());
            drop(two);
            assert!(told.is_open());
            drop(watch);
            // It leaves, and nobody is told.
            let loan = a.lend();
            let watch = a.lender().watch(note(|| unreachable!("it has left")));
            drop(watch);
            a.lender().ignore();
            drop(loan);
            assert_eq!(get(a).unwrap(), 1);
        }
    });
}
