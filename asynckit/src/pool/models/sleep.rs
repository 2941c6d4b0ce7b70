//! Work is queued while threads go to sleep, or have just been woken.

use super::world::{
    BRIEF, Gate, THOROUGH, USUAL, await_set, explored, model, model_where_all_fence, pool, submit,
};
use crate::pool::handle::Pool;
use crate::sync::{Arc, thread};

/// Work is queued while the only worker begins, finds nothing and goes to sleep.
#[test]
fn the_unseen_task() {
    model(THOROUGH, one_task);
}

/// Likewise, where no thread can fence for others.
#[test]
fn the_unseen_task_where_all_fence() {
    model_where_all_fence(THOROUGH, one_task);
}

fn one_task() {
    let pool = Pool::builder().workers(1).build().unwrap();
    explored(|| {
        let task = submit(&pool, || 1);
        await_set(&task);
        assert_eq!(task.take().unwrap(), 1);
    });
}

/// Likewise by two threads, after it has done something.
#[test]
fn two_submitters() {
    model(USUAL, || {
        let pool = Arc::new(pool(1));
        let its = pool.clone();
        let submitter = explored(|| {
            let submitter = thread::spawn(move || {
                let task = submit(&its, || 1);
                await_set(&task);
                assert_eq!(task.take().unwrap(), 1);
            });
            let task = submit(&pool, || 2);
            await_set(&task);
            assert_eq!(task.take().unwrap(), 2);
            submitter
        });
        submitter.join().unwrap();
    });
}

/// Two pieces of work are queued, and only the first calls somebody: who was woken calls the next. The first needs
/// that.
#[test]
fn the_woken_calls_the_next() {
    model(USUAL, two_tasks);
}

/// Likewise, where no thread can fence for others.
#[test]
fn the_woken_calls_the_next_where_all_fence() {
    model_where_all_fence(BRIEF, two_tasks);
}

fn two_tasks() {
    let pool = pool(2);
    let began = Gate::new();
    let its = began.clone();
    explored(|| {
        let first = submit(&pool, move || its.pass());
        let second = submit(&pool, move || began.open());
        await_set(&first);
        await_set(&second);
    });
}

/// Two pieces of work are queued while a worker looks on, for whose sake nobody else is woken, and then goes to sleep. It
/// finds one by its last look, and wakes the other worker for the other one, which the first needs.
#[test]
fn what_else_was_queued() {
    model(BRIEF, || {
        let pool = pool(2);
        let began = Gate::new();
        let its = began.clone();
        explored(|| {
            let before = submit(&pool, || ());
            await_set(&before);
            let first = submit(&pool, move || its.pass());
            let second = submit(&pool, move || began.open());
            await_set(&first);
            await_set(&second);
        });
    });
}

/// A worker takes two pieces of work at once, one of them for its own deque, while another one goes to sleep: that sees
/// them in the queue or in the deque, or they are on their way, and then it is woken.
#[test]
fn what_is_on_its_way() {
    model(USUAL, || {
        let pool = pool(2);
        let (here, go, began) = (Gate::new(), Gate::new(), Gate::new());
        let (its_here, its_go, its) = (here.clone(), go.clone(), began.clone());
        let runs = submit(&pool, move || {
            its_here.open();
            its_go.pass();
        });
        here.pass();
        explored(|| {
            let first = submit(&pool, move || its.pass());
            let second = submit(&pool, move || began.open());
            go.open();
            await_set(&first);
            await_set(&second);
        });
        await_set(&runs);
    });
}
