//! What follows when a cell is set: its dependents are visited, its observers told, failures go
//! on to all that depends on them.
//!
//! All of it runs from a *trampoline*, a queue of its own for each thread: a step that leads to
//! another puts that one into the queue, so that a chain a million links long needs no stack, and
//! nothing of it happens under a lock.

mod observers;
mod trampoline;

pub(crate) use observers::{Event, Observer, Watch, watch};
pub(crate) use trampoline::{
    defer_call, defer_cancel, defer_wake, drain, enter, foreign, free, unowned,
};

use std::collections::HashMap;

use crate::error::{Error, ErrorKind};
use crate::pool;
use crate::sync::Ordering;
use crate::task::{
    Closing, OnFailure, Seize, Settled, Steps, TaskRef, Token, Visit, dispose_of, drop_unowned,
    each_edge, write_failure,
};

/// Ties a new task to its inputs, and queues it as soon as all are there.
pub(crate) fn submit(token: Token, counted: bool) {
    let mut edges = 0;
    let mut borrows = false;
    each_edge(&token, |edge| {
        edges += 1;
        borrows |= edge.borrows();
    });
    if edges == 0 {
        token.state.submit_ready(counted);
        return pool::schedule(token);
    }
    // Nobody can know the task before its first edge is linked; the visit then keeps those who
    // would fail it from the edges until all are.
    let fresh = token.state.visit();
    debug_assert!(fresh, "a task was submitted twice");
    // ORDERING: Relaxed: published with each edge.
    token.lacks.store(edges + 1, Ordering::Relaxed);
    link(token, edges, borrows);
}

/// Ties a task that has begun to the result that its work returned.
pub(crate) fn resubmit(task: TaskRef) {
    let token = task.clone().into_token();
    token.lacks.store(2, Ordering::Relaxed);
    token.state.forward();
    // Somebody may have cancelled the result meanwhile, which is no end of the task itself.
    if task.state.visit() {
        link(token, 1, false);
    } else {
        drop(token.counted(2));
    }
    give_up_if_settled(&task);
    pool::look_again();
}

/// Links the edges of a visited task whose token this is.
fn link(token: Token, edges: u32, borrows: bool) {
    let mut there = 1;
    let mut failure: Option<Error> = None;
    each_edge(&token, |edge| {
        if !edge.is_open() || edge.link(token.raw()) {
            return;
        }
        there += 1;
        if failure.is_none() && edge.on_failure() == OnFailure::Skip {
            failure = edge.upstream_ref().error().cloned();
        }
    });
    // Before anybody can fail it, which takes it out of the register.
    let welcome = (there > edges && !borrows) || pool::register(&token);
    token.state.unvisit();
    if let Some(error) = failure {
        skip(&token.reference(), &error);
    } else if !welcome {
        fail(&token.reference(), Error::stopped(token.hop), false);
    }
    if let Some(token) = token.counted(there) {
        prepare(token);
    }
}

/// Nothing lacks any more: settles how the values that move get to the task, and queues it, unless
/// a value is still lent.
fn prepare(token: Token) {
    if !token.state.visit() {
        // Failed or cancelled meanwhile.
        return;
    }
    token.lacks.store(1, Ordering::Relaxed);
    let mut lent = false;
    let mut own = None;
    each_edge(&token, |edge| {
        if !edge.is_open() || edge.is_settled() {
            return;
        }
        // Somebody else has a part in the value: it matters which parts are this task's.
        let own = own.get_or_insert_with(|| {
            let mut own = HashMap::new();
            each_edge(&token, |edge| edge.count(&mut own));
            own
        });
        let settled = edge.settle(edge.siblings(own), || {
            // ORDERING: Relaxed: published by `Holds::wait_for_borrows`.
            token.lacks.fetch_add(1, Ordering::Relaxed);
        });
        match settled {
            Settled::Here => {}
            Settled::Lent => lent = true,
            Settled::FreeAfterAll => {
                token.lacks.fetch_sub(1, Ordering::Relaxed);
            }
        }
    });
    if !lent {
        token.lacks.store(0, Ordering::Relaxed);
        token.state.ready(false);
        return pool::schedule(token);
    }
    let task = token.reference();
    let token = token.counted(1);
    task.state.unvisit();
    if let Some(token) = token {
        prepare(token);
    } else {
        pool::look_again();
    }
}

/// Tells whoever waits for a value that nobody borrows it any more.
pub(crate) fn tell_free(cell: &TaskRef) {
    let told = cell.waiters.told();
    if told.observed {
        observers::tell(cell, Event::Free);
    }
    for visit in told.dependents {
        arrive(visit);
    }
}

fn arrive(visit: Visit) {
    if let Some(token) = visit.arrived() {
        enter(|| prepare(token));
    }
}

/// The outcome is written: closes the cell, and has its dependents visited. `departs`: the task
/// has nothing more to do, and leaves its pool and scope.
pub(crate) fn close(cell: TaskRef, departs: bool) {
    // Before the close: after it somebody else may drop the outcome.
    let failure = cell.error().cloned();
    let closing = cell.waiters.close();
    trampoline::defer_closed(cell, closing, failure, departs);
}

/// What follows a close, from the trampoline.
fn closed(cell: &TaskRef, closing: Closing, error: Option<&Error>, departs: bool) {
    if closing.observed {
        observers::tell(cell, Event::Set);
    }
    for visit in closing.dependents {
        if let Some(error) = error
            && visit.on_failure() == OnFailure::Skip
        {
            skip(&visit.dependent(), error);
        }
        arrive(visit);
    }
    drop_unowned(cell);
    if departs {
        depart(cell);
    }
}

/// A task that is over leaves its pool's register and its scope.
pub(crate) fn depart(cell: &TaskRef) {
    let Some(place) = cell.place() else { return };
    if cell.state.is_registered() {
        place.pool().register.remove(cell);
    }
    if place.is_scope() {
        trampoline::defer_leave(place.clone());
    }
}

/// Fails a task because one of its inputs failed.
fn skip(task: &TaskRef, error: &Error) {
    if !task.state.is_over() {
        fail(task, error.passed_on(task.hop), error.kind() == ErrorKind::Cancelled);
    }
}

/// Fails a task that has not begun, or that waits again after it had begun; false where it runs, is
/// over, or has an outcome already. `cancelled`: inputs that nobody else needs are cancelled
/// likewise.
pub(crate) fn fail(task: &TaskRef, error: Error, cancelled: bool) -> bool {
    let Seize::Won { counted, suspended } = task.state.seize() else {
        return false;
    };
    let token = suspended.then(|| task.token_of_suspended());
    if counted && let Some(place) = task.place() {
        place.pool().begun();
    }
    let first = task.state.settle();
    enter(|| {
        dispose_of(task, cancelled);
        if first {
            write_failure(task, error);
            close(task.clone(), true);
        } else {
            depart(task);
        }
    });
    drop(token);
    first
}

/// Settles a result as failed, whether its work runs or not; false where it is settled.
pub(crate) fn settle_failed(task: &TaskRef, error: Error) -> bool {
    if !task.state.settle() {
        return false;
    }
    write_failure(task, error);
    close(task.clone(), false);
    true
}

/// Drops the closure and inputs of a task that was never submitted.
pub(crate) fn discard(token: &Token) {
    if let Seize::Won { .. } = token.state.seize() {
        enter(|| dispose_of(token, false));
    }
}

/// Cancels a task: it fails as cancelled, and does not run if it has not begun.
pub(crate) fn cancel(task: &TaskRef) -> bool {
    if task.is_set() {
        return false;
    }
    let error = Error::cancelled(task.hop);
    if fail(task, error.clone(), true) {
        return true;
    }
    let first = settle_failed(task, error.clone());
    // If it has come to wait again meanwhile, it need not; if not, it finds out when it does.
    fail(task, error, true);
    first
}

/// Cancels a task that waits again, if its result was cancelled while it ran.
pub(crate) fn give_up_if_settled(task: &TaskRef) {
    if task.state.is_settled() {
        fail(task, Error::cancelled(task.hop), true);
    }
}
