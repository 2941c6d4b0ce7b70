//! Pools that stop, while work is submitted or becomes ready.

use super::world::{
    BRIEF, THOROUGH, USUAL, await_set, begun, call, explored, hop, model, pool, submit, was_stopped,
};
use crate::core::{Lent, Owner, TaskRef, channel, manual};
use crate::error::Error;
use crate::pool::handle::Pool;
use crate::pool::worker;
use crate::sync::{Arc, thread};

/// Work is queued while the pool is closed: it is found by who submits it, or by who closes.
#[test]
fn the_late_submission() {
    model(THOROUGH, || {
        let pool = Arc::new(pool(0));
        let its = pool.clone();
        let task = explored(|| {
            let submits = thread::spawn(move || submit(&its, || 1));
            pool.stop_now();
            submits.join().unwrap()
        });
        assert!(task.reference().is_set(), "neither has seen it");
        assert!(was_stopped(&task.take()));
    });
}

/// Likewise while a worker looks for work.
#[test]
fn the_late_submission_and_a_worker() {
    model(USUAL, || {
        let pool = Arc::new(pool(1));
        let its = pool.clone();
        explored(|| {
            let submits = thread::spawn(move || {
                let task = submit(&its, || 1);
                await_set(&task);
                let outcome = task.take();
                assert!(was_stopped(&outcome) || outcome.unwrap() == 1);
            });
            pool.stop_now();
            submits.join().unwrap();
        });
    });
}

/// Work is tied to a result while the pool is closed.
#[test]
fn the_late_task() {
    model(THOROUGH, || {
        let pool = Arc::new(pool(0));
        let its = pool.clone();
        let (root, setting) = channel::<u32>(hop());
        let waits = explored(|| {
            let submits = thread::spawn(move || call(&its, (Lent::of(&root), ()), |(n, ())| *n));
            pool.stop_now();
            submits.join().unwrap()
        });
        assert!(waits.reference().is_set(), "neither has seen it");
        assert!(was_stopped(&waits.take()));
        setting.task().give_up(Error::cancelled(hop()));
    });
}

/// Stops a pool, and looks how what waits in it has ended: where its root was set before, it has run.
fn stops(pool: &Arc<Pool>, root: &TaskRef, waits: Owner<u32>) -> thread::JoinHandle<()> {
    let (pool, root) = (pool.clone(), root.clone());
    thread::spawn(move || {
        let is_here = root.is_set();
        pool.stop();
        assert!(waits.reference().is_set(), "a stop has left it");
        let outcome = waits.take();
        assert!((was_stopped(&outcome) && !is_here) || outcome.unwrap() == 7);
    })
}

/// A stop comes to what waits for a root while that is set.
#[test]
fn a_root_that_is_set() {
    model(USUAL, || {
        let pool = Arc::new(pool(1));
        let (root, setting) = channel::<u32>(hop());
        let waits = call(&pool, (Lent::of(&root), ()), |(n, ())| *n);
        explored(|| {
            let stops = stops(&pool, &root.reference(), waits);
            assert!(setting.set(7).is_ok());
            stops.join().unwrap();
        });
    });
}

/// Likewise, and what waits for it sets another one: what waits for that runs as well.
#[test]
fn what_a_root_leads_to() {
    model(BRIEF, || {
        let pool = Arc::new(pool(1));
        let (root, setting) = channel::<u32>(hop());
        let next = manual::<u32>(hop());
        let its_next = next.share();
        let first = call(&pool, (Lent::of(&root), ()), move |(n, ())| {
            assert!(its_next.set(*n).is_ok());
        });
        let second = call(&pool, (Lent::of(&next), ()), |(n, ())| *n);
        explored(|| {
            let stops = stops(&pool, &root.reference(), second);
            assert!(setting.set(7).is_ok());
            stops.join().unwrap();
        });
        drop(first);
    });
}

/// Likewise, and the root is a task of another pool. (Who stops the pool does its work.)
#[test]
fn a_root_in_another_pool() {
    model(THOROUGH, || {
        let (pool, other) = (Arc::new(pool(0)), pool(0));
        let root = submit(&other, || 7);
        let waits = call(&pool, (Lent::of(&root), ()), |(n, ())| *n);
        explored(|| {
            let stops = stops(&pool, &root.reference(), waits);
            let entry = other.shared().take_any().expect("it was queued");
            worker::execute(other.shared(), entry);
            stops.join().unwrap();
        });
    });
}

/// A pool is stopped while its workers go to sleep: the last of them sees that it is quiet.
#[test]
fn the_last_one_to_go() {
    model(BRIEF, || {
        let pool = pool(2);
        let (first, second) = (submit(&pool, || 1), submit(&pool, || 2));
        explored(|| pool.stop());
        assert_eq!(first.take().unwrap() + second.take().unwrap(), 3);
    });
}

/// Likewise, where the last of them is one too many, and leaves.
#[test]
fn the_last_one_leaves() {
    model(BRIEF, || {
        let pool = pool(1);
        let (runs, go) = begun(&pool, || ());
        explored(|| {
            pool.set_worker_count(0);
            go.open();
            pool.stop();
        });
        runs.take().unwrap();
    });
}
