//! Completion: closing a cell, and visiting those who waited for it.
//!
//! The plain way is `close_with_value`. One step closes the cell, ends the runner's part in it and hands
//! over the list; each task in the list is counted down, and one that became ready goes back to the
//! caller, claimed already, to be run next. No user code runs on it, so that it can't recurse.

use super::ahead;
pub(crate) use super::cell::ListRest;
use super::cell::{self, CellKind, CellPtr};
use super::edge::Edge;
use super::entry::{Claimed, Entry};
use super::news;
use super::outcome::Close;
use super::schedule::{QueuedOnly, Schedule, ToHomes};
use super::state::{Arrival, Claim};
use super::trampoline::{self, Step};
use super::watchers;

/// Closes a cell whose value is written.
///
/// # Safety
/// The caller has the claim; and no hold, but for the one that comes with an open cell.
#[inline(always)]
pub(super) unsafe fn close_with_value(cell: CellPtr, to: &mut impl Schedule) {
    // SAFETY: an open cell is alive; after the step only what its answer says is touched.
    unsafe {
        match cell.as_ref().outcome.close_with_value() {
            Close::Waiters(0) => {}
            Close::Waiters(list) => visit(list, to),
            Close::More { list, observed, unheld } => {
                close_more(cell, list, observed, unheld, to);
            }
            Close::Lost => lost(cell),
        }
    }
}

/// # Safety
/// As `close_with_value`, which has closed the cell with these.
#[cold]
#[inline(never)]
unsafe fn close_more(
    cell: CellPtr,
    list: usize,
    observed: bool,
    unheld: bool,
    to: &mut impl Schedule,
) {
    // Dependents first: callbacks may block, and drops be slow.
    // SAFETY: as the caller's; the marks come with a reference each.
    unsafe {
        visit(list, &mut QueuedOnly(to));
        if cell.as_ref().kind() == CellKind::ByHand {
            cell.as_ref().state.mark_over();
        }
        tell_more(cell, observed, unheld);
    }
}

/// What else there is to do for a cell that was closed.
///
/// # Safety
/// The caller has closed it with these marks.
#[cold]
pub(super) unsafe fn tell_more(cell: CellPtr, observed: bool, unheld: bool) {
    // SAFETY: the marks come with a reference each.
    unsafe {
        if observed {
            watchers::tell(cell.as_ptr().addr(), watchers::CellEvent::Set);
            cell::drop_ref(cell);
        }
        if unheld {
            drop_unheld(cell);
        }
    }
}

/// Drops the outcome of a closed cell that nobody wants, and ends the caller's reference.
///
/// # Safety
/// The caller has a reference, and alone drops the outcome.
#[inline(never)]
pub(super) unsafe fn drop_unheld(cell: CellPtr) {
    /// # Safety
    /// As `drop_unheld`.
    unsafe fn run(cell: *mut (), _: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let cell = CellPtr::new_unchecked(cell.cast());
            cell::drop_outcome(cell);
            cell::drop_ref(cell);
        }
    }
    // SAFETY: the caller's promise.
    unsafe { drop_step(cell, run) }
}

/// Drops the value that a runner has written in vain, and ends its reference.
///
/// # Safety
/// The caller is that runner.
#[cold]
#[inline(never)]
pub(super) unsafe fn lost(cell: CellPtr) {
    /// # Safety
    /// As `lost`.
    unsafe fn run(cell: *mut (), _: usize) {
        // SAFETY: the caller's promise; nobody else looks at a value that was not published.
        unsafe {
            let cell = CellPtr::new_unchecked(cell.cast());
            if let Some(drop_value) = cell.as_ref().table().drop_value {
                let _ = crate::panic::contain(|| drop_value(cell));
            }
            cell::drop_ref(cell);
        }
    }
    // SAFETY: the caller's promise.
    unsafe { drop_step(cell, run) }
}

/// # Safety
/// `run` may be called with the cell, once, while the caller's hold is there.
#[inline]
pub(super) unsafe fn drop_step(cell: CellPtr, run: unsafe fn(*mut (), usize)) {
    // SAFETY: the caller's promise.
    unsafe {
        let header = cell.as_ref();
        let plain = header.table().drop_value.is_none() && !header.outcome.is_failed();
        if plain {
            run(cell.as_ptr().cast(), 0);
        } else {
            let may_wait = !header.state.borrows();
            trampoline::drop_here(may_wait, Step::new(run, cell.as_ptr().cast(), 0));
        }
    }
}

/// Visits the edges to a cell that is closed.
///
/// # Safety
/// The caller has taken the list.
#[inline]
pub(super) unsafe fn visit(list: usize, to: &mut impl Schedule) {
    // SAFETY: the caller's promise.
    unsafe { visit_each(list, to) }
    to.visited();
}

/// # Safety
/// As `visit`.
#[inline]
unsafe fn visit_each(list: usize, to: &mut impl Schedule) {
    let mut at = list;
    while at != 0 {
        // SAFETY: who has taken a list has its edges, each until its dependent counts it: `next` is
        // read before.
        unsafe {
            // The line before an edge is mostly that of its dependent's words: both are asked for at once.
            ahead::written((at as *const u8).wrapping_sub(64));
            let edge = Edge::at(at);
            let dependent = edge.dependent();
            if to.room() == 0 {
                return later(at, dependent);
            }
            let counted = edge.is_counted();
            at = edge.next.get();
            ahead::written(at as *const u8);
            if counted {
                arrive_from_elsewhere(dependent, to);
            } else {
                arrive(dependent, to);
            }
        }
    }
}

/// The rest of a long list waits for whoever has nothing else to do, so that a million dependents neither
/// fill a queue nor hold up who closes.
///
/// # Safety
/// The caller has the list, of which this is the first dependent.
#[cold]
#[inline(never)]
unsafe fn later(list: usize, dependent: CellPtr) {
    // SAFETY: the dependent is open as long as its edge is not visited, and so is its home.
    unsafe {
        let home = dependent.as_ref().home();
        if home.is_null() {
            return visit(list, &mut ToHomes);
        }
        ((*home).table.rest)(home, ListRest(list));
    }
}

// SAFETY: who has it has the edges in it.
unsafe impl Send for ListRest {}

impl ListRest {
    /// Visits it, as far as there is room: where there is none it is as before.
    pub(crate) fn visit(self, to: &mut impl Schedule) {
        let list = std::mem::ManuallyDrop::new(self).0;
        // SAFETY: the list is this one's.
        unsafe { visit(list, to) }
    }
}

impl Drop for ListRest {
    fn drop(&mut self) {
        // SAFETY: the list is this one's, and was not visited: `visit` would have kept this from being dropped. Nobody is
        // to wait in vain.
        unsafe { visit(self.0, &mut ToHomes) }
    }
}

/// Counts something as there that the task lacked.
///
/// # Safety
/// One of what it lacks is the caller's to count, so that it is alive until then.
#[inline]
pub(super) unsafe fn arrive(task: CellPtr, to: &mut impl Schedule) {
    // SAFETY: the caller's promise; after the count only what its answer says is touched.
    unsafe {
        let header = task.as_ref();
        let arrival = header.state.arrive_and_claim(|| to.keeps(header.home()));
        match arrival {
            Arrival::Lacking => {}
            Arrival::Claimed { special: false } => to.keep(Claimed::new(task)),
            Arrival::Ready { special: false } => to.ready(Entry::new(task)),
            Arrival::Gone => {
                to.call();
                gone(task);
            }
            Arrival::Claimed { special: true } => ready_special(task, true, to),
            Arrival::Ready { special: true } => ready_special(task, false, to),
        }
    }
}

/// As `arrive`, where that is all that arrives.
///
/// # Safety
/// As `arrive`.
pub(super) unsafe fn arrive_alone(task: CellPtr, to: &mut impl Schedule) {
    // SAFETY: the caller's promise.
    unsafe { arrive(task, to) }
    to.visited();
}

/// As `arrive`, along an edge that the dependent's home has counted.
///
/// # Safety
/// As `arrive`.
#[cold]
#[inline(never)]
unsafe fn arrive_from_elsewhere(task: CellPtr, to: &mut impl Schedule) {
    // SAFETY: the home lives until it is told; the task may be gone after its count.
    unsafe {
        let home = task.as_ref().home();
        arrive(task, &mut QueuedOnly(to));
        ((*home).table.met)(home);
    }
}

/// A special task is ready. One that is done on the spot is, from the trampoline, when the list is visited; its home
/// has to live until then, as nobody there knows of it meanwhile.
///
/// # Safety
/// The caller has its entry, or its claim; its home, if any, is alive.
#[cold]
#[inline(never)]
unsafe fn ready_special(task: CellPtr, claimed: bool, to: &mut impl Schedule) {
    // SAFETY: the caller's promise.
    unsafe {
        let header = task.as_ref();
        if !header.state.is_immediate() {
            to.call();
            news::ready(header);
            return match claimed {
                true => to.keep(Claimed::new(task)),
                false => to.ready(Entry::new(task)),
            };
        }
        let home = header.home();
        if !home.is_null() {
            ((*home).table.hold)(home);
        }
        let step = header.table().on_the_spot;
        trampoline::leave(Step::new(step, task.as_ptr().cast(), usize::from(claimed)));
        to.leaves_steps();
    }
}

/// Claims a task that is ready, wherever its entry is: that stays there, and finds the task taken.
///
/// # Safety
/// The caller keeps the cell.
pub(super) unsafe fn claim_ready(task: CellPtr) -> Option<Claimed> {
    // SAFETY: the caller's promise; the reference is for the task's entry.
    unsafe {
        task.as_ref().holds.add_ref();
        match task.as_ref().state.claim() {
            Claim::Won { .. } => Some(Claimed::new(task)),
            Claim::Lost | Claim::Lacking => {
                cell::drop_ref(task);
                None
            }
        }
    }
}

/// The right to run a task whose entry the caller has; false where it has lost that, and its entry with it.
///
/// # Safety
/// The caller has the entry.
#[inline]
pub(super) unsafe fn claim(task: CellPtr) -> bool {
    // SAFETY: an entry keeps its task, by its being open or by a reference.
    unsafe {
        match task.as_ref().state.claim() {
            Claim::Won { .. } => true,
            Claim::Lost | Claim::Lacking => {
                cell::drop_ref(task);
                false
            }
        }
    }
}

/// No edge of a seized task is linked any more.
///
/// # Safety
/// The caller has counted the last of them.
#[cold]
#[inline(never)]
pub(super) unsafe fn gone(task: CellPtr) {
    // SAFETY: the seizer has added a reference for this.
    unsafe {
        (task.as_ref().table().drop_edges)(task);
        cell::drop_ref(task);
    }
}

/// An edge is told that nothing is lent any more of what is to move along it.
///
/// # Safety
/// It waits for that, and nobody else tells it.
#[cold]
pub(super) unsafe fn tell(edge: usize) {
    // SAFETY: the dependent counts this as lacking. (The edge is only read: who gives the task up meanwhile looks whether
    // it wishes.)
    unsafe { pass(Edge::at(edge)) }
}

/// Visits one edge, whose dependent may have been given up.
///
/// # Safety
/// The caller has the edge, which its dependent counts as lacking.
pub(super) unsafe fn pass(edge: &Edge) {
    // SAFETY: so the dependent is there until then, and its home, where that has counted the edge, until it is told.
    unsafe {
        let dependent = edge.dependent();
        if edge.is_counted() {
            arrive_from_elsewhere(dependent, &mut ToHomes);
        } else {
            arrive(dependent, &mut ToHomes);
        }
        ToHomes.visited();
    }
}
