//! Threads from outside do the work of pools that have no workers, or have lost them.

use super::world::{BRIEF, Gate, await_set, begun, call, explored, hop, model, pool, submit};
use crate::core::{Lent, Owner, channel};
use crate::pool::handle::Pool;
use crate::sync::thread;

/// Waits for what is the work of two pools, one after the other, and needs a root.
fn waits_for_both(first: &Pool, last: &Pool, root: &Owner<u32>) -> thread::JoinHandle<()> {
    let before = call(first, (Lent::of(root), ()), |(n, ())| *n);
    let then = call(last, (Lent::of(&before), ()), |(n, ())| *n);
    thread::spawn(move || {
        await_set(&then);
        assert_eq!(then.take().unwrap(), 7);
        drop(before);
    })
}

/// Work is queued at one of them, and again when that has begun: each time the thread that sleeps at both wakes up.
#[test]
fn a_thread_that_sleeps_at_two_pools() {
    model(BRIEF, || {
        let (first, last) = (pool(0), pool(0));
        let (root, setting) = channel::<u32>(hop());
        let began = Gate::new();
        let its = began.clone();
        explored(|| {
            let waits = waits_for_both(&first, &last, &root);
            let other = submit(&last, move || its.open());
            began.pass();
            let sets = submit(&last, move || assert!(setting.set(7).is_ok()));
            waits.join().unwrap();
            drop((other, sets));
        });
    });
}

/// Work is queued at both of them while it goes to sleep: it does both, and the other pool's is not called in vain.
#[test]
fn a_thread_that_is_woken_by_both() {
    model(BRIEF, || {
        let (first, last) = (pool(0), pool(0));
        let (root, setting) = channel::<u32>(hop());
        explored(|| {
            let waits = waits_for_both(&first, &last, &root);
            let other = submit(&last, || ());
            let sets = submit(&first, move || assert!(setting.set(7).is_ok()));
            waits.join().unwrap();
            drop((other, sets));
        });
    });
}

/// A pool loses its worker while work is queued that somebody begins to wait for: who waits does it.
#[test]
fn the_last_worker_leaves() {
    model(BRIEF, || {
        let pool = pool(1);
        let (runs, go) = begun(&pool, || ());
        let queued = submit(&pool, || 1);
        explored(|| {
            let waits = thread::spawn(move || {
                await_set(&queued);
                assert_eq!(queued.take().unwrap(), 1);
            });
            pool.set_worker_count(0);
            go.open();
            waits.join().unwrap();
        });
        drop(runs);
    });
}
