//! Waiting for loans: a value that is to move into a task is lent, and the task waits until it is not.
//!
//! The task waits as for an input that is missing; the last loan tells its edge.

use super::cell::{self, CellPtr};
use super::complete;
use super::edge::Edge;
use super::fail;
use super::release;

/// The runner of a task finds that this edge's value is lent. True where it may go on after all; else it has
/// lost its claim.
///
/// # Safety
/// The caller has the claim; the edge is one of the task's inputs; the task's home is alive.
#[cold]
#[inline(never)]
pub(super) unsafe fn wait_for_loans(task: CellPtr, edge: &Edge) -> bool {
    // SAFETY: the caller's promise; the reference keeps the task, which others may end when it waits.
    unsafe {
        let header = task.as_ref();
        let home = header.home();
        header.holds.add_ref();
        if !home.is_null() {
            // It lives until the edge is told.
            ((*home).table.hold)(home);
        }
        edge.begin_wish(task, !home.is_null());
        // *The last loan:* first the task lacks this, then somebody may tell it. Until the end of the visit
        // nobody seizes the task, so that the edge is there.
        header.state.begin_wait(false);
        let waits = edge.holder().wish(edge.address());
        if waits {
            header.state.unvisit();
            if !home.is_null() {
                ((*home).table.sleeps)(home, task, true);
            }
            fail::give_up_sleeper(task);
        } else {
            edge.end_wish();
            header.state.go_on();
            if !home.is_null() {
                ((*home).table.met)(home);
            }
        }
        cell::drop_ref(task);
        !waits
    }
}

/// Whether nothing is lent of what a task is to take; else it waits for that, or is gone, and its claim with it.
///
/// # Safety
/// The caller has the claim; the task's home is alive, and its edges stay where they are.
#[cold]
pub(super) unsafe fn loans_are_over(task: CellPtr) -> bool {
    loop {
        let mut lent = None;
        // SAFETY: the caller's promise.
        unsafe {
            (task.as_ref().table().edges)(task, &mut |edge| {
                if edge.is_open() && edge.moves() && edge.holder().is_lent() {
                    lent = Some(std::ptr::from_ref(edge));
                }
            });
        }
        let Some(edge) = lent else { return true };
        // SAFETY: the caller's promise: the claim, and that the edges stay where they are.
        if !unsafe { wait_for_loans(task, &*edge) } {
            return false;
        }
    }
}

/// Lets go of the upstream of an edge, for a task that will not run.
///
/// # Safety
/// The caller disposes of the task, whose edge this is.
#[cold]
pub(super) unsafe fn let_go(edge: &Edge, cancelled: bool) {
    let Some((holder, owns)) = edge.take() else { return };
    // SAFETY: the hold was the edge's.
    unsafe {
        if edge.wishes() && holder.unwish() {
            // Nobody will tell it any more: that is done here.
            complete::tell(edge.address());
        }
        release::let_go(holder, owns, cancelled);
    }
}
