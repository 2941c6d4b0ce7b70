//! What follows when a cell is set: its dependents are visited, its observers told, failures go
//! on to all that depends on them.
//!
//! All of it runs from a *trampoline*, queues of its own for each thread: a step that leads to
//! another puts that one into the queue, so that a chain a million links long needs no stack, and
//! nothing of it happens under a lock. Foreign code is called when all other steps are done.

mod observers;
mod sweep;
mod trampoline;

pub(crate) use observers::{Event, Observer, Watch, watch};
pub(crate) use sweep::given_up;
pub(crate) use trampoline::{
    defer_call, defer_cancel, defer_note, defer_wake, dispose, drain, drop_aside, end_loan, enter,
    foreign, foreign_call, free, in_foreign, unowned, with_aside,
};

use std::collections::HashMap;

use crate::error::{Error, ErrorKind};
use crate::pool;
use crate::sync::{Ordering, fence};
use crate::task::{
    Arrived, Closing, Dependents, Header, Lease, OnFailure, Owner, Prepare, Seize, Settled, Steps,
    TaskRef, Token, Visit, any_might_clone, dispose_of, each_edge, end_close, let_go_of_inputs,
    write_failure,
};

/// Ties a task to its inputs, and queues it as soon as all are there; one without inputs is ready
/// as it is. The task is in the state that it was submitted in: ready, or being tied.
pub(crate) fn submit(owner: &Owner, token: Token) {
    if token.state.is_ready() {
        return pool::schedule(token);
    }
    tie(owner.header(), token).go_on(|| owner.reference());
}

/// Ties a task that has begun to the result that its work returned.
pub(crate) fn resubmit(task: TaskRef) {
    task.state.forward();
    tie(&task, task.clone().into_token()).go_on(|| task.clone());
    give_up_if_settled(&task);
    // ORDERING: SeqCst fence, against the one in `tasks_that_may_wait`: of this task and one that comes
    // to wait for a value, one sees what the other waits for.
    fence(Ordering::SeqCst);
    if any_might_clone() {
        pool::break_circles(&task);
    }
    pool::look_again(&task);
}

/// What became of a task whose inputs were tied to it.
#[must_use]
struct Tied {
    /// Where no input is missing.
    token: Option<Token>,
    /// Why it will not run.
    late: Option<Late>,
}

/// What was found too late to be told to the task before.
enum Late {
    /// An input had failed.
    Failed(Error),
    /// The pool has been closed.
    Stopped,
}

impl Tied {
    fn go_on(self, task: impl FnOnce() -> TaskRef) {
        // First, so that it is failed before it could be run.
        match self.late {
            None => {}
            Some(Late::Failed(error)) => skip(&task(), &error),
            Some(Late::Stopped) => {
                let task = task();
                fail(&task, Error::stopped(task.hop), false);
            }
        }
        if let Some(token) = self.token {
            prepare(token);
        }
    }
}

/// Links the edges of a task that is in the state for it. The token then is with whoever brings
/// the last input, unless that is this thread. (`task`: the same, as the token may be gone.)
fn tie(task: &Header, token: Token) -> Tied {
    let (mut inputs, mut there, mut moves) = (0, 0, false);
    let mut late = None;
    each_edge(&token, |edge| {
        inputs += 1;
        moves |= edge.moves();
        if edge.is_open() && edge.link(token.raw()) {
            return;
        }
        there += 1;
        if edge.is_open() && late.is_none() && edge.on_failure() == OnFailure::Skip {
            late = edge.upstream_ref().error().cloned().map(Late::Failed);
        }
    });
    let token = token.tied(inputs, there, moves);
    // ORDERING: sequentially consistent, both the step of `tied` and this look: see `tasks_of`.
    if late.is_none() && task.place().is_some_and(|place| place.pool().is_closed()) {
        late = Some(Late::Stopped);
    }
    Tied { token, late }
}

/// Nothing lacks any more: settles how the values that move get to the task, and queues it, unless
/// a value is still lent.
fn prepare(token: Token) {
    match token.state.prepare() {
        // Failed or cancelled meanwhile.
        Prepare::Over => {}
        Prepare::Ready => pool::schedule(token),
        Prepare::Visited => prepare_moves(token),
    }
}

/// As `prepare`, for a task into which values move, and which this thread visits.
fn prepare_moves(token: Token) {
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
        loop {
            match edge.settle(edge.siblings(own), || token.state.lack_one_more()) {
                Settled::Here => {}
                Settled::Lent => lent = true,
                // Perhaps because the borrower owns again: so it is asked once more.
                Settled::FreeAfterAll => {
                    token.state.lack_one_less();
                    continue;
                }
            }
            break;
        }
    });
    if !lent {
        token.state.prepared();
        return pool::schedule(token);
    }
    let freed = own_again(&token);
    let task = token.reference();
    if let Some(token) = token.wait_for_loans() {
        prepare(token);
    } else {
        if any_might_clone() {
            pool::break_circles(&task);
        }
        pool::look_again(&task);
    }
    for (cell, told) in freed {
        tell(&cell, told);
    }
}

/// Has a task clone the values that it waits for, where clones were written; whether there were any.
pub(crate) fn clone_instead(task: &TaskRef) -> bool {
    if !task.state.is_waiting() || !task.state.visit() {
        return false;
    }
    let mut needless = Vec::new();
    each_edge(task, |edge| needless.extend(edge.clone_instead()));
    task.state.unvisit();
    let any = !needless.is_empty();
    needless.into_iter().for_each(arrive);
    any
}

/// *Named race, "the waiting clone":* a task that waits for a value to be free does not borrow another
/// one meanwhile, to clone it later: its last owner might wait for that, and the borrower of the
/// first value for the last owner. The values that this has made free.
fn own_again(token: &Token) -> Vec<(TaskRef, Closing)> {
    let mut freed = Vec::new();
    each_edge(token, |edge| {
        if let Some(cell) = edge.own_again() {
            // Now, as this task may soon be the one to be told.
            let told = cell.waiters.told();
            freed.push((cell, told));
        }
    });
    freed
}

/// Tells whoever waits for a value that nobody borrows it any more.
pub(crate) fn tell_free(cell: &TaskRef) {
    tell(cell, cell.waiters.told());
}

fn tell(cell: &TaskRef, told: Closing) {
    if told.observed {
        observers::tell(cell, Event::Free);
    }
    for visit in told.dependents {
        arrive(visit);
    }
}

fn arrive(visit: Visit) {
    match visit.arrived() {
        Arrived::Lacking => {}
        Arrived::Last(token) => enter(|| prepare(token)),
        Arrived::Ready(token) => enter(|| pool::schedule(token)),
        Arrived::Visited(token) => enter(|| prepare_moves(token)),
    }
}

/// The outcome is written: closes the cell, and has its dependents visited. `departs`: the task
/// has nothing more to do, and leaves its pool and scope.
pub(crate) fn close(cell: TaskRef, departs: bool) {
    // Before the close: after it somebody else may drop the outcome.
    let failure = cell.error().cloned();
    cell.trace.end(failure.as_ref());
    let closing = cell.waiters.close();
    if closing.is_quiet() && !(departs && cell.place().is_some_and(|place| !place.is_plain())) {
        return end_close(cell);
    }
    trampoline::after_close(Closed { cell, closing, failure, departs });
}

/// A cell that was closed just now.
struct Closed {
    cell: TaskRef,
    closing: Closing,
    failure: Option<Error>,
    departs: bool,
}

impl Closed {
    /// What follows a close, from the trampoline.
    fn run(self) {
        let Closed { cell, closing, failure, departs } = self;
        visit_dependents(closing.dependents, failure.as_ref());
        // Last, as who is told may rely on what depends on the result being under way.
        if closing.observed {
            observers::tell(&cell, Event::Set);
        }
        let left = if departs { struck_off(&cell) } else { None };
        end_close(cell);
        if let Some(place) = left {
            trampoline::defer_leave(place);
        }
    }
}

fn visit_dependents(dependents: Dependents, failure: Option<&Error>) {
    for visit in dependents {
        if let Some(error) = failure
            && visit.on_failure() == OnFailure::Skip
        {
            skip(&visit.dependent(), error);
        }
        arrive(visit);
    }
}

/// Takes a task that is over off the list of its place; the place, if it is to be left as well.
fn struck_off(cell: &TaskRef) -> Option<Lease> {
    let place = cell.place()?;
    if place.is_plain() {
        return None;
    }
    place.forget(cell);
    if place.counts() { cell.lease() } else { None }
}

/// A task that is over leaves its place.
pub(crate) fn depart(cell: &TaskRef) {
    if let Some(place) = struck_off(cell) {
        trampoline::defer_leave(place);
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
    let first = task.state.settle(true);
    let cancelled = cancelled || task.cancels_inputs();
    enter(|| {
        // What it held is for others now, however long the drop of its closure takes.
        let_go_of_inputs(task, cancelled);
        if first {
            write_failure(task, error);
            close(task.clone(), false);
        }
    });
    dispose(task.clone(), cancelled);
    drop(token);
    first
}

/// Settles a result as failed, whether its work runs or not; false where it is settled.
pub(crate) fn settle_failed(task: &TaskRef, error: Error) -> bool {
    if !task.state.settle(true) {
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

/// Cancels a task.
pub(crate) fn cancel(task: &TaskRef) -> bool {
    !task.is_set() && give_up(task, Error::cancelled(task.hop))
}

/// Fails a task for a reason from outside: it does not run if it has not begun, and its later
/// value is dropped if it has. Whether it failed because of this call.
pub(crate) fn give_up(task: &TaskRef, error: Error) -> bool {
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
