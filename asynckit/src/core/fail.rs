//! Failure: closing a cell with an error, and everything that depends on it.
//!
//! Failures go by the trampoline, as each closes cells in turn. Whoever steps in at a task that is not
//! his adds a reference first, for whoever still comes by (`mod.rs`, *who keeps the memory*).

use super::cell::{self, CellKind, CellPtr};
use super::complete;
use super::edge::{Edge, OnFailure};
use super::news::Witness;
use super::outcome::Close;
use super::state::{Arrival, Comes, Seize};
use super::trampoline::{self, Step};
use crate::error::{Error, ErrorKind};
use crate::foreign;
use crate::sync::{Ordering, fence};

/// Closes a cell with a failure, by who has claimed it, or adds a reference for who has; whether it did.
///
/// # Safety
/// The caller has claimed the cell, or has added a reference, for who has.
#[cold]
#[inline(never)]
pub(super) unsafe fn close_with_failure(cell: CellPtr, error: Error) -> bool {
    let raw = cell::failure_into_raw(error.clone());
    // SAFETY: an open cell is alive; after the step only what its answer says is touched.
    unsafe {
        let (list, observed, unheld) = match cell.as_ref().outcome.close_with_failure(raw) {
            Close::Waiters(list) => (list, false, false),
            Close::More { list, observed, unheld } => (list, observed, unheld),
            Close::Lost => {
                if cell.as_ref().state.is_unasked() {
                    error.observe();
                }
                drop(cell::failure_from_raw(raw));
                cell::drop_ref(cell);
                return false;
            }
        };
        if list != 0 {
            let report = cell::failure_into_raw(error);
            trampoline::defer(Step::new(fail_list, std::ptr::without_provenance_mut(list), report));
        }
        complete::tell_more(cell, observed, unheld);
        true
    }
}

/// Visits the edges to a cell that has failed.
///
/// # Safety
/// `list` is the first edge's address, and `error` a failure's; both are the caller's to give away.
pub(super) unsafe fn fail_list(list: *mut (), error: usize) {
    // SAFETY: the caller's promise; who has taken a list has its edges, each until it is visited.
    unsafe {
        let error = cell::failure_from_raw(error);
        let mut at = list.addr();
        while at != 0 {
            let edge = Edge::at(at);
            at = edge.next.get();
            fail_edge(edge, &error);
        }
    }
}

/// An input has failed: its dependent fails at once, whatever else it lacks; unless it wants to look.
///
/// # Safety
/// The caller has the edge from a list, and visits it by this.
pub(super) unsafe fn fail_edge(edge: &Edge, error: &Error) {
    // SAFETY: the caller's promise.
    unsafe {
        if edge.on_failure() == OnFailure::Skip {
            skip(edge.dependent(), error);
        }
        complete::pass(edge);
    }
}

/// Fails a task because one of its inputs failed.
///
/// # Safety
/// The caller knows it to be alive, and counts as one of what it lacks.
#[cold]
unsafe fn skip(task: CellPtr, error: &Error) {
    // SAFETY: the caller's promise.
    unsafe {
        let header = task.as_ref();
        let witness = Witness::of(header);
        // For the edges that are still linked, the caller's included.
        header.holds.add_ref();
        match header.state.seize() {
            Seize::Won(comes) => {
                let cancelled = error.kind() == ErrorKind::Cancelled;
                (header.table().failed)(task, error, true);
                let error = error.passed_on(header.hop);
                fail_seized(task, comes, error, cancelled, &witness);
            }
            Seize::Claimed => {
                (header.table().failed)(task, error, false);
                cell::drop_ref(task);
            }
        }
    }
}

/// Fails a task that the caller has seized, after it had added a reference for what still `comes`.
///
/// # Safety
/// That is so.
#[cold]
pub(super) unsafe fn fail_seized(
    task: CellPtr,
    comes: Comes,
    error: Error,
    cancelled: bool,
    witness: &Witness,
) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let header = task.as_ref();
        let table = header.table();
        if table.kind == CellKind::ByHand {
            // No closure, no edges, no entry.
            let closed = close_with_failure(task, error);
            cell::drop_ref(task);
            return closed;
        }
        // One for the disposal: what comes by may end the other one meanwhile.
        header.holds.add_ref();
        witness.lost(task, Some(&error));
        // What it held is for others now, however long the drop of its closure takes.
        (table.withdraw)(task, cancelled);
        let closed = close_with_failure(task, error);
        dispose_soon(task, comes, cancelled);
        closed
    }
}

/// Disposes of a task that will not run, as an errand.
///
/// # Safety
/// The caller has seized it, and gives a reference away, besides the one for what still `comes`.
unsafe fn dispose_soon(task: CellPtr, comes: Comes, cancelled: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        let dispose = match (comes, cancelled) {
            (Comes::Edges, false) => dispose::<{ Comes::Edges as u8 }, false>,
            (Comes::Edges, true) => dispose::<{ Comes::Edges as u8 }, true>,
            (Comes::Entry, false) => dispose::<{ Comes::Entry as u8 }, false>,
            (Comes::Entry, true) => dispose::<{ Comes::Entry as u8 }, true>,
            (Comes::Nobody, false) => dispose::<{ Comes::Nobody as u8 }, false>,
            (Comes::Nobody, true) => dispose::<{ Comes::Nobody as u8 }, true>,
        };
        trampoline::dispose(Step::new(dispose, task.as_ptr().cast(), 0));
    }
}

/// # Safety
/// As `dispose_soon`.
unsafe fn dispose<const COMES: u8, const CANCELLED: bool>(task: *mut (), _: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let cell = CellPtr::new_unchecked(task.cast());
        let header = cell.as_ref();
        let table = header.table();
        (table.drop_job)(cell, CANCELLED);
        if COMES == Comes::Edges as u8 {
            if header.state.arrive() == Arrival::Gone {
                complete::gone(cell);
            }
        } else {
            (table.drop_edges)(cell);
            if COMES == Comes::Nobody as u8 {
                cell::drop_ref(cell);
            }
        }
        if header.state.is_hooked() {
            // After all that its end led to on this thread.
            trampoline::defer_last(Step::new(over_step, task, 0));
        } else {
            cell::drop_ref(cell);
        }
    }
}

/// # Safety
/// The task is over; the caller gives a reference away.
pub(super) unsafe fn over_step(task: *mut (), _: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let cell = CellPtr::new_unchecked(task.cast());
        over(cell);
        cell::drop_ref(cell);
    }
}

/// Tells a hooked task's home that it is over.
///
/// # Safety
/// It is, and the caller has a hold.
unsafe fn over(task: CellPtr) {
    // SAFETY: the caller's promise; a hooked task has a count of its home.
    unsafe {
        let header = task.as_ref();
        if header.state.is_hooked() {
            header.state.mark_over();
            let home = header.home();
            ((*home).table.over)(home, task);
        }
    }
}

/// Fails a task that has not begun, or that waits again, if that is still so.
///
/// # Safety
/// The caller has a hold.
#[cold]
pub(super) unsafe fn fail_waiting(task: CellPtr, error: Error, cancelled: bool) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let header = task.as_ref();
        let witness = Witness::of(header);
        header.holds.add_ref();
        match header.state.seize() {
            Seize::Won(comes) => {
                let is_first = !foreign::is_ours();
                (header.table().failed)(task, &error, true);
                trampoline::hold_back(|| {
                    // What is cancelled for it is cancelled when it is seen to have failed. Only here, not along
                    // a chain: so it does not recurse.
                    (header.table().withdraw)(task, cancelled);
                    if is_first {
                        trampoline::run_steps();
                    }
                    fail_seized(task, comes, error, cancelled, &witness)
                })
            }
            Seize::Claimed => {
                cell::drop_ref(task);
                false
            }
        }
    }
}

/// Fails a task whether it has begun or not: it does not run if it has not, and its later value is dropped
/// if it has. Whether it failed because of this call.
///
/// # Safety
/// The caller has a hold.
#[cold]
pub(super) unsafe fn fail(task: CellPtr, error: Error) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let header = task.as_ref();
        if fail_waiting(task, error.clone(), true) {
            return true;
        }
        if header.kind() == CellKind::ByHand {
            // It is set, or somebody is about to.
            return false;
        }
        let witness = Witness::of(header);
        // For the runner, which finds the close lost.
        header.holds.add_ref();
        let closed = close_with_failure(task, error.clone());
        if closed {
            witness.cut(task, &error);
            give_up_sleeper(task);
        }
        closed
    }
}

/// *The cancelled sleeper:* a task was closed by somebody else while it was running, and comes to wait
/// again. Who closed it looks whether it waits, and its runner, having put it to sleep, whether it is closed;
/// one of them disposes of it.
///
/// # Safety
/// The caller has a hold.
#[cold]
pub(super) unsafe fn give_up_sleeper(task: CellPtr) {
    // ORDERING: SeqCst, against the other's: one of the two sees what the other did before.
    fence(Ordering::SeqCst);
    // SAFETY: the caller's promise. The reference that was added for the runner is for what comes.
    unsafe {
        let header = task.as_ref();
        if !header.outcome.is_closed() {
            return;
        }
        let witness = Witness::of(header);
        if let Seize::Won(comes) = header.state.seize() {
            header.holds.add_ref();
            witness.lost(task, None);
            trampoline::hold_back(|| {
                (header.table().withdraw)(task, true);
                dispose_soon(task, comes, true);
            });
        }
    }
}

/// Fails a task that the caller has claimed, rather than running it.
///
/// # Safety
/// The caller has claimed it, and nothing else.
#[cold]
pub(super) unsafe fn fail_claimed(task: CellPtr, error: Error) {
    // SAFETY: the claim keeps it open; the references are for what comes after.
    unsafe {
        let header = task.as_ref();
        let witness = Witness::of(header);
        header.holds.add_ref();
        witness.lost(task, Some(&error));
        trampoline::hold_back(|| {
            (header.table().withdraw)(task, false);
            let _ = close_with_failure(task, error);
            dispose_soon(task, Comes::Entry, false);
        });
    }
}

/// A handle that may set the result goes, or may no more. If it was the last, those who wait fail.
///
/// # Safety
/// The caller has a hold, and this was its right to set.
#[cold]
#[inline(never)]
pub(super) unsafe fn drop_setter(cell: CellPtr) {
    // SAFETY: the caller's promise.
    unsafe {
        let header = cell.as_ref();
        if !header.outcome.is_closed() && header.state.drop_setter() {
            let _ = fail_waiting(cell, Error::abandoned(header.hop), false);
        }
    }
}
