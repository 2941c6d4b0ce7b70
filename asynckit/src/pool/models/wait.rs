//! A waiter does the work that it waits for, while others look for work.

use super::world::{BRIEF, Gate, USUAL, await_set, explored, model, pool, submit};
use crate::pool::wait::run_at_once;
use crate::sync::{Arc, AtomicUsize, Ordering};

/// The two who might run it: it runs once.
#[test]
fn the_task_is_taken_meanwhile() {
    model(USUAL, || {
        let pool = Arc::new(pool(2));
        let its = pool.clone();
        explored(|| {
            let waits = submit(&pool, move || {
                let ran = Arc::new(AtomicUsize::new(0));
                let its_ran = ran.clone();
                let other = submit(&its, move || _ = its_ran.fetch_add(1, Ordering::Relaxed));
                await_set(&other);
                other.take().unwrap();
                ran.load(Ordering::Relaxed)
            });
            await_set(&waits);
            assert_eq!(waits.take().unwrap(), 1);
        });
    });
}

/// A waiter takes its task from under another one, which it puts back, while a worker looks for it. The waiter's needs
/// that.
#[test]
fn what_is_put_back() {
    model(BRIEF, || {
        let pool = Arc::new(pool(2));
        let its = pool.clone();
        explored(|| {
            let waits = submit(&pool, move || {
                let began = Gate::new();
                let its_gate = began.clone();
                let needs = submit(&its, move || its_gate.pass());
                let other = submit(&its, move || began.open());
                let reference = needs.reference();
                let _ = run_at_once(&reference, &|| needs.claim());
                await_set(&needs);
                await_set(&other);
            });
            await_set(&waits);
        });
    });
}
