//! Dependents that were given up (cancelled, out of time, skipped) while what they waited for is still
//! unset: they are swept out of its list.
//!
//! An edge lies in its dependent's memory, which stays as long as the edge is in a list. A result that
//! lives for long, such as a signal to shut down, would collect all that has ever waited for it. So each
//! such result has a count of the edges in its list that nobody needs any more, in a table beside the
//! cells as with observers, and when there are more of these than of others the list is gone through: at
//! a cost that is spread over those that were given up.

use std::collections::HashMap;

use super::trampoline;
use crate::sync::{Mutex, Ordering, StaticCounter, lock};
use crate::task::{Steps, TaskRef};

/// So many are left in any case.
const FEW: usize = 32;

/// What a cell's list has that nobody needs.
struct Dead {
    edges: usize,
    /// How many are worth a look at the list: as many as it had others at the last one.
    enough: usize,
}

/// By the cells' addresses. An entry ends when its cell is set.
static TABLE: Mutex<Option<HashMap<usize, Dead>>> = Mutex::new(None);
/// How many entries there are, for who need not look.
static ENTRIES: StaticCounter = StaticCounter::new(0);

/// An edge to an unset cell is needed no more.
pub(crate) fn given_up(cell: TaskRef) {
    let address = cell.address();
    let enough = {
        let mut table = lock(&TABLE);
        let dead = table.get_or_insert_default().entry(address).or_insert_with(|| {
            ENTRIES.fetch_add(1, Ordering::SeqCst);
            Dead { edges: 0, enough: FEW }
        });
        dead.edges += 1;
        let enough = dead.edges >= dead.enough;
        if enough {
            // Once, until it is done.
            dead.enough = usize::MAX;
        }
        enough
    };
    // After the entry is there: whoever sets the cell then looks for it.
    if !cell.waiters.observe() {
        return forget(&cell);
    }
    if enough {
        trampoline::defer_sweep(cell);
    }
}

/// The cell is set: its list is gone.
pub(super) fn forget(cell: &TaskRef) {
    // ORDERING: SeqCst, in whatever order with the entry's: the mark on the cell's word publishes it.
    if ENTRIES.load(Ordering::SeqCst) == 0 {
        return;
    }
    let mut table = lock(&TABLE);
    if table.as_mut().is_some_and(|table| table.remove(&cell.address()).is_some()) {
        ENTRIES.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Goes through a cell's list.
pub(super) fn sweep(cell: &TaskRef) {
    let swept = cell.waiters.sweep();
    if let Some(dead) = lock(&TABLE).as_mut().and_then(|table| table.get_mut(&cell.address())) {
        *dead = Dead { edges: 0, enough: swept.left.max(FEW) };
    }
    swept.dead.for_each(super::arrive);
    // *Named race, "the late sweep".*
    super::visit_dependents(swept.late, cell.error());
}
