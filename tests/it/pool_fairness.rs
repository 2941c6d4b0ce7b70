//! A task that goes on for ever starves nobody.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, Pool, chain, current, work};

use crate::support::{Busy, Gate, occupy, soon};

/// Stops what goes on for ever when the test is over, however it ends.
struct Switch(Arc<AtomicBool>);

impl Switch {
    fn new() -> (Switch, Arc<AtomicBool>) {
        let off = Arc::new(AtomicBool::new(false));
        (Switch(off.clone()), off)
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Submits itself again and again.
fn forever(off: Arc<AtomicBool>) {
    if !off.load(SeqCst) {
        work(move || forever(off)).detach_on(&current());
    }
}

/// Makes its own continuation ready again and again.
fn chained(off: Arc<AtomicBool>) {
    if !off.load(SeqCst) {
        let (setter, input) = AsyncResult::channel();
        input.map(move |()| chained(off)).detach_on(&current());
        setter.set(()).unwrap();
    }
}

/// Two that submit each other's next turn.
fn ping_pong(off: Arc<AtomicBool>) {
    if !off.load(SeqCst) {
        let next = work(|| ()).spawn_on(&current());
        next.map(move |()| ping_pong(off)).detach_on(&current());
    }
}

#[test]
fn submissions_from_outside_get_their_turn() {
    soon(|| {
        for endless in [forever, chained, ping_pong] {
            let pool = Pool::new(1);
            let (_switch, off) = Switch::new();
            drop(pool.spawn(move || endless(off)));
            for n in 0..100 {
                assert_eq!(pool.spawn(move || n).get().unwrap(), n);
            }
        }
    });
}

#[test]
fn work_in_the_same_worker_s_queue_gets_its_turn() {
    soon(|| {
        for endless in [forever, chained, ping_pong] {
            let pool = Pool::new(1);
            let (_switch, off) = Switch::new();
            let gates: Vec<_> = (0..10).map(|_| Gate::new()).collect();
            let inner = gates.clone();
            drop(pool.spawn(move || {
                for gate in inner {
                    work(move || gate.open()).detach_on(&current());
                }
                endless(off);
            }));
            for gate in gates {
                gate.pass();
            }
        }
    });
}

#[test]
fn several_endless_tasks_share_a_worker() {
    soon(|| {
        let pool = Pool::new(1);
        let (_switch, off) = Switch::new();
        let gates: Vec<_> = (0..3).map(|_| Gate::new()).collect();
        for gate in gates.clone() {
            let off = off.clone();
            fn turns(left: u32, gate: Gate, off: Arc<AtomicBool>) {
                if left == 0 {
                    gate.open();
                }
                if !off.load(SeqCst) {
                    let left = left.saturating_sub(1);
                    work(move || turns(left, gate, off)).detach_on(&current());
                }
            }
            drop(pool.spawn(move || turns(1000, gate, off)));
        }
        for gate in gates {
            gate.pass();
        }
    });
}

#[test]
fn a_future_that_always_wakes_itself_starves_nobody() {
    soon(|| {
        let pool = Pool::new(1);
        let (_switch, off) = Switch::new();
        let endless = chain!(&pool, async move {
            while !off.load(SeqCst) {
                let mut yielded = false;
                poll_fn(|cx| {
                    if std::mem::replace(&mut yielded, true) {
                        return Poll::Ready(());
                    }
                    cx.waker().wake_by_ref();
                    Poll::Pending
                })
                .await;
            }
            AsyncResult::ready(())
        });
        for n in 0..100 {
            assert_eq!(pool.spawn(move || n).get().unwrap(), n);
        }
        assert!(!endless.is_set());
    });
}

#[test]
fn a_busy_worker_s_queue_is_shared() {
    soon(|| {
        let pool = Pool::new(2);
        let gate = Gate::new();
        let opens = gate.clone();
        // The first submits to its own queue, and then waits without the pool's knowledge.
        let r = pool.spawn(move || {
            let inner = opens.clone();
            work(move || inner.open()).detach_on(&current());
            opens.pass();
        });
        r.get().unwrap();
    });
}

/// A worker takes many at once from outside. What it has taken along with long work is for others, and not to wait
/// until nothing more comes.
#[test]
fn what_was_taken_along_with_long_work_is_not_overtaken_for_ever() {
    soon(|| {
        let pool = Pool::new(4);
        let (one, others) = (occupy(&pool), [occupy(&pool), occupy(&pool), occupy(&pool)]);
        let (begun, end) = (Gate::new(), Gate::new());
        let (begins, ends) = (begun.clone(), end.clone());
        let long = pool.spawn(move || {
            begins.open();
            ends.pass();
        });
        let early: Vec<_> = (0..16).map(|n| pool.spawn(move || n)).collect();
        let ran = Arc::new(AtomicUsize::new(0));
        let mut fed = 0;
        let mut feed = || {
            while fed < ran.load(SeqCst) + 2000 {
                fed += 1;
                let its = ran.clone();
                let flood = move || {
                    let until = Instant::now() + Duration::from_micros(3);
                    while Instant::now() < until {}
                    its.fetch_add(1, SeqCst);
                };
                work(flood).detach_on(&pool);
            }
            fed
        };
        feed();
        one.free();
        begun.pass();
        others.into_iter().for_each(Busy::free);
        while !early.iter().all(AsyncResult::is_set) {
            assert!(feed() < 100_000, "what was submitted first has not run");
        }
        end.open();
        long.get().unwrap();
    });
}
