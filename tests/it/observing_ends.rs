//! Each task that was submitted is told to have ended, once, whoever gives it up, and whatever becomes of its pool.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Barrier};
use std::thread;

use asynckit::observe::{Observer, TaskEnded, TaskSubmitted};
use asynckit::{AsyncResult, Pool, chain};

use crate::observing_pools::{add, later};
use crate::support::{eventually, soon};

/// Counts what is submitted, and what ends.
#[derive(Default)]
struct Ends(AtomicUsize, AtomicUsize);

impl Observer for Ends {
    fn submitted(&self, _: &TaskSubmitted<'_>) {
        self.0.fetch_add(1, SeqCst);
    }
    fn ended(&self, _: &TaskEnded<'_>) {
        self.1.fetch_add(1, SeqCst);
    }
    fn infers_ready(&self) -> bool {
        true
    }
}

/// Who cancels comes from outside, and the pool may be gone as soon as he has.
#[test]
fn what_is_given_up_while_its_pool_goes_is_told_once() {
    soon(|| {
        for round in 0..300 {
            let ends = Arc::new(Ends::default());
            let pool = Pool::builder().workers(1).observer(ends.clone()).build().unwrap();
            let (first, second) = (AsyncResult::<u64>::new(), AsyncResult::<u64>::new());
            let waits: Vec<_> = (0..4).map(|n| chain!(&pool, add(n, &first))).collect();
            let follow: Vec<_> = waits.iter().map(|waits| chain!(&pool, add(1, waits))).collect();
            let last = later(second.clone()).spawn_on(&pool);
            let meet = Barrier::new(4);
            thread::scope(|scope| {
                scope.spawn(|| {
                    meet.wait();
                    waits.iter().rev().for_each(|waits| {
                        waits.cancel();
                    });
                    last.cancel();
                });
                scope.spawn(|| {
                    meet.wait();
                    match round % 2 {
                        0 => drop(first.set(1)),
                        _ => drop(first.fail("no")),
                    }
                });
                scope.spawn(|| {
                    meet.wait();
                    follow.iter().for_each(|follow| {
                        follow.cancel();
                    });
                });
                meet.wait();
                drop(pool);
            });
            assert!(waits.iter().chain(&follow).all(AsyncResult::is_set));
            assert_eq!(ends.0.load(SeqCst), 9);
            eventually("all is told to have ended", || ends.1.load(SeqCst) >= 9);
            assert_eq!(ends.1.load(SeqCst), 9);
        }
    });
}
