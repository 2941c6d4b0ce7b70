//! Clones of a value that are under way, so that there are never more of them than were written.
//!
//! Who takes a value while others own it clones it, and has a part in that in place of its hold
//! (`holds/cloning.rs`). The last owner takes the value itself, and so waits for the clones that are under way: as it
//! waits for its own loans, where it finds that out before, and else on the spot. Who waits is noted in a table
//! beside the cells, as few do.
//!
//! *Named race, "the clone in the way":* the last owner begins to wait while the last clone ends. The owner marks
//! the word, where there is a clone, and enters the table under one lock. Who ends the last clone of a marked word
//! does so under that lock, too, and takes from the table whom to tell: so nobody is missed, and nobody told twice.
//!
//! A handle that holds the cell directly waits for clones as for its own loans: they are on the same account. One
//! that holds by a share must not wait for loans that are no clones, which may wait for it; so it is told from here.

use std::cell::Cell;

use super::cell::CellPtr;
use super::holds::Left;
use super::holds::cloning::Begun;
use crate::sync::{Arc, Mutex, Parker, StaticLocks, lock};

/// Whom to tell that no clone is in the way any more.
pub(super) enum Whom {
    /// An edge, by its address.
    Edge(usize),
    /// Whoever looks on at this address.
    Watcher(usize),
    /// A thread that waits on the spot.
    Thread(Arc<Parker>),
}

/// The last owner of a value, that waits for clones.
struct Last {
    cell: usize,
    /// By which it is known.
    address: usize,
    whom: Whom,
}

/// Of a cell there is one.
static LAST: Mutex<Vec<Last>> = Mutex::new(Vec::new());
/// Taken before that, for a step on a cell's word that goes with it.
static LOCKS: StaticLocks = StaticLocks::new();

crate::sync::local! {
    /// How many clones are under way on this stack.
    static NESTED: Cell<usize> = const { Cell::new(0) };
}

/// An owner takes a value that others own or look at: it takes it, where they have left meanwhile, or is to clone it,
/// and to call `end`.
///
/// # Safety
/// The cell is closed with a value; the caller has an owner's hold.
#[inline]
pub(super) unsafe fn begin(cell: CellPtr) -> Begun {
    // Who is inside of a clone may be what that waits for.
    let nested = NESTED.with(Cell::get);
    // SAFETY: the caller's promise.
    let mut begun = unsafe { cell.as_ref() }.holds.begin_clone(nested > 0);
    if begun == Begun::Waits {
        // SAFETY: the caller's promise.
        begun = unsafe { wait_here(cell) };
    }
    if begun != Begun::Takes {
        NESTED.with(|count| count.set(nested + 1));
    }
    begun
}

/// The last owner waits on the spot.
///
/// # Safety
/// As `begin`.
#[cold]
#[inline(never)]
unsafe fn wait_here(cell: CellPtr) -> Begun {
    let (parker, key) = (Parker::current(), cell.as_ptr().addr());
    loop {
        // SAFETY: the caller's promise.
        unsafe {
            while enter(cell, key, Whom::Thread(parker.clone())) {
                parker.park(None);
                // It may have been woken for something else.
                leave(cell, key);
            }
            match cell.as_ref().holds.begin_clone(false) {
                Begun::Waits => {}
                begun => return begun,
            }
        }
    }
}

/// A clone is over; whether that is all. Where it is not, `end_in_full` comes next.
///
/// # Safety
/// The caller has begun it, on this thread.
#[inline]
pub(super) unsafe fn end(cell: CellPtr, begun: Begun) -> bool {
    NESTED.with(|nested| nested.set(nested.get() - 1));
    // SAFETY: the caller's promise.
    begun == Begun::Clones && unsafe { cell.as_ref() }.holds.end_clone_among_others()
}

/// What a clone that is over has left behind, and whom to tell.
///
/// # Safety
/// As `end`, which has said that there is more to do.
#[cold]
pub(super) unsafe fn end_in_full(cell: CellPtr, begun: Begun) -> (Left, Option<Whom>) {
    // SAFETY: the caller's promise.
    let holds = unsafe { &cell.as_ref().holds };
    if begun == Begun::Looks {
        return (holds.drop_loan(), None);
    }
    match holds.end_clone() {
        Some(left) => (left, None),
        // SAFETY: the caller's promise.
        None => unsafe { end_waited(cell) },
    }
}

/// # Safety
/// As `end`.
#[cold]
#[inline(never)]
unsafe fn end_waited(cell: CellPtr) -> (Left, Option<Whom>) {
    let key = cell.as_ptr().addr();
    let _lock = LOCKS.lock(key);
    // SAFETY: the caller's promise.
    let (left, waited) = unsafe { cell.as_ref() }.holds.end_waited_clone();
    let last = if waited { take(|last| last.cell == key) } else { None };
    (left, last.map(|last| last.whom))
}

fn take(is: impl Fn(&Last) -> bool) -> Option<Last> {
    let mut all = lock(&LAST);
    let at = all.iter().position(is)?;
    Some(all.swap_remove(at))
}

/// Whether the caller is the last owner of a value, and waits for nothing but clones of it.
///
/// # Safety
/// The caller has an owner's hold.
#[inline]
pub(super) unsafe fn are_in_way(cell: CellPtr) -> bool {
    // SAFETY: the caller's promise.
    unsafe { cell.as_ref() }.holds.is_one_owner_cloned()
}

/// The last owner asks that an edge be told when no clone is in its way, or one who looks on at this address (zero);
/// false where none is.
///
/// # Safety
/// As `are_in_way`.
pub(super) unsafe fn wait(cell: CellPtr, edge: usize, address: usize) -> bool {
    let whom = if edge == 0 { Whom::Watcher(address) } else { Whom::Edge(edge) };
    // SAFETY: the caller's promise.
    unsafe { enter(cell, address, whom) }
}

/// # Safety
/// As `are_in_way`.
unsafe fn enter(cell: CellPtr, address: usize, whom: Whom) -> bool {
    let key = cell.as_ptr().addr();
    let _lock = LOCKS.lock(key);
    // SAFETY: the caller's promise.
    let waits = unsafe { cell.as_ref() }.holds.wait_for_clones();
    if waits {
        lock(&LAST).push(Last { cell: key, address, whom });
    }
    waits
}

/// It takes that back; false where it has been told, or will be.
///
/// # Safety
/// As `are_in_way`.
pub(super) unsafe fn leave(cell: CellPtr, address: usize) -> bool {
    let key = cell.as_ptr().addr();
    let _lock = LOCKS.lock(key);
    take(|last| last.cell == key && last.address == address).is_some()
}
