//! Threads block while work is queued: a spare stands in.

use super::world::{BRIEF, Gate, await_set, begun, explored, hop, model, pool, submit};
use crate::core::channel;
use crate::pool::block::blocking;

/// The only worker goes into a call that blocks while the work is queued which ends that.
#[test]
fn a_call_that_blocks() {
    model(BRIEF, || {
        let pool = pool(1);
        let ends = Gate::new();
        let its = ends.clone();
        let (blocks, go) = begun(&pool, move || blocking(|| its.pass()));
        explored(|| {
            go.open();
            let other = submit(&pool, move || ends.open());
            await_set(&other);
            await_set(&blocks);
        });
    });
}

/// The only worker comes to wait for a result while the work is queued that sets it.
#[test]
fn a_wait() {
    model(BRIEF, || {
        let pool = pool(1);
        let (result, setting) = channel(hop());
        let (waits, go) = begun(&pool, move || {
            await_set(&result);
            assert_eq!(result.take().unwrap(), 7);
        });
        explored(|| {
            go.open();
            let other = submit(&pool, move || assert!(setting.set(7).is_ok()));
            await_set(&other);
            await_set(&waits);
        });
        waits.take().unwrap();
    });
}

/// A call that blocks ends, so that there is a worker too many, and the next begins while that one leaves, and work is
/// queued.
#[test]
fn a_worker_that_leaves_and_a_call_that_blocks() {
    model(BRIEF, || {
        let pool = pool(1);
        let (first, ends) = (Gate::new(), Gate::new());
        let (its_first, its_ends) = (first.clone(), ends.clone());
        let (blocks, go) = begun(&pool, move || {
            blocking(|| its_first.pass());
            blocking(|| its_ends.pass());
        });
        go.open();
        // A spare has come.
        let other = submit(&pool, || ());
        await_set(&other);
        explored(|| {
            first.open();
            let other = submit(&pool, move || ends.open());
            await_set(&other);
            await_set(&blocks);
        });
    });
}

/// A worker that was woken is one too many, and leaves; work is queued, for whose sake nobody else was woken meanwhile.
#[test]
fn a_worker_that_leaves_and_one_that_sleeps() {
    model(BRIEF, || {
        let pool = pool(2);
        let (ends, needs) = (Gate::new(), Gate::new());
        let (its_ends, its_needs) = (ends.clone(), needs.clone());
        let (runs, run) = begun(&pool, move || its_needs.pass());
        run.open();
        let (blocks, go) = begun(&pool, move || blocking(|| its_ends.pass()));
        go.open();
        // A spare has come.
        let other = submit(&pool, || ());
        await_set(&other);
        explored(|| {
            ends.open();
            let other = submit(&pool, move || needs.open());
            await_set(&other);
            await_set(&runs);
        });
        await_set(&blocks);
    });
}

/// A worker that was woken is one too many, and leaves; work is queued, for whose sake the one that sleeps was not woken
/// meanwhile. Who is busy needs that.
#[test]
fn a_worker_that_leaves_while_another_one_sleeps() {
    model(BRIEF, || {
        let pool = pool(2);
        let (ends, ended, needs) = (Gate::new(), Gate::new(), Gate::new());
        let (its_ends, its_ended, its_needs) = (ends.clone(), ended.clone(), needs.clone());
        let (runs, run) = begun(&pool, || ());
        let (blocks, go) = begun(&pool, move || {
            blocking(|| its_ends.pass());
            its_ended.open();
            its_needs.pass();
        });
        go.open();
        // A spare has come, and both sleep.
        let other = submit(&pool, || ());
        await_set(&other);
        run.open();
        await_set(&runs);
        explored(|| {
            ends.open();
            ended.pass();
            let other = submit(&pool, move || needs.open());
            await_set(&other);
            await_set(&blocks);
        });
    });
}
