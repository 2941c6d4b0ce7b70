//! Clones of a value that are under way, so that there are never more of them than were written.
//!
//! Who takes a value while others own it clones it, and becomes one who looks at it meanwhile. The last owner
//! takes the value itself, and so waits for the clones that are under way: as it waits for its own loans, where
//! it finds that out before, and else on the spot (*the clone in the way*). Clones are counted in locked tables
//! beside the cells, as only values that are cloned pay for that.
//!
//! A handle that holds the cell directly waits for clones as for its own loans: they are on the same account. One
//! that holds by a share must not wait for loans that are no clones, which may wait for it; so it is told from here.

use std::cell::Cell;
use std::collections::HashMap;

use super::cell::CellPtr;
use super::complete;
use super::hold;
use super::holds::Take;
use super::observers;
use super::share::Holder;
use crate::sync::{Condvar, Mutex, lock};

/// The clones of one value that are under way.
#[derive(Default)]
struct Clones {
    count: usize,
    /// The last owner, where it waits: an edge, or zero for one who looks on; and its own address.
    last: Option<(usize, usize)>,
}

struct Table {
    /// By the address of the cell.
    clones: Mutex<Option<HashMap<usize, Clones>>>,
    ended: Condvar,
}

const TABLES: usize = 16;
static TABLE: [Table; TABLES] =
    [const { Table { clones: Mutex::new(None), ended: Condvar::new() } }; TABLES];

fn table(cell: CellPtr) -> (&'static Table, usize) {
    let address = cell.as_ptr().addr();
    (&TABLE[(address >> 5) % TABLES], address)
}

crate::sync::local! {
    /// How many clones are under way on this stack.
    static NESTED: Cell<usize> = const { Cell::new(0) };
}

/// How an owner that is not alone gets at the value.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// All others have left meanwhile: as `Take::Sole`.
    Takes,
    /// It clones, and has a loan in place of its hold; `end` ends that.
    Clones,
}

/// An owner takes a value that others own or look at.
///
/// # Safety
/// The cell is closed with a value; the caller has an owner's hold.
pub(super) unsafe fn begin(cell: CellPtr) -> Begun {
    let (table, address) = table(cell);
    // SAFETY: the caller's promise.
    let holds = unsafe { &cell.as_ref().holds };
    let mut clones = lock(&table.clones);
    loop {
        if holds.take() != Take::Clone {
            return Begun::Takes;
        }
        let known = clones.get_or_insert_default();
        // Where there are none, others look at it by loans of a handle that is gone, without a clone of its own.
        // Who is inside of a clone may be what that waits for.
        let in_way = known.contains_key(&address) && NESTED.with(Cell::get) == 0;
        if holds.begin_clone(!in_way) {
            known.entry(address).or_default().count += 1;
            NESTED.with(|nested| nested.set(nested.get() + 1));
            return Begun::Clones;
        }
        clones = table.ended.wait(clones).unwrap_or_else(|poisoned| poisoned.into_inner());
    }
}

/// A clone is over.
///
/// # Safety
/// The caller has begun it, on this thread.
pub(super) unsafe fn end(cell: CellPtr) {
    NESTED.with(|nested| nested.set(nested.get() - 1));
    let (table, address) = table(cell);
    let holder = Holder::of_cell(cell);
    let mut last = None;
    let leaves = {
        let mut clones = lock(&table.clones);
        // In one step for who looks at both: whoever finds no clone finds no loan of one.
        let leaves = holder.drop_loan();
        if let Some(known) = clones.as_mut()
            && let Some(of_cell) = known.get_mut(&address)
        {
            of_cell.count -= 1;
            if of_cell.count == 0 {
                last = of_cell.last;
                known.remove(&address);
                table.ended.notify_all();
            }
        }
        leaves
    };
    // SAFETY: that is what the end of the loan has answered; the edge waits for this, and is named once.
    unsafe {
        hold::follow_leaves(cell, holder, leaves);
        match last {
            None => {}
            Some((0, address)) => observers::tell(address, observers::Event::Free),
            Some((edge, _)) => complete::tell(edge),
        }
    }
}

/// Whether the caller is the last owner of a value, and waits for nothing but clones of it.
///
/// # Safety
/// The caller has an owner's hold.
pub(super) unsafe fn are_in_way(cell: CellPtr) -> bool {
    // SAFETY: the caller's promise.
    if !unsafe { cell.as_ref() }.holds.is_one_owner_lent() {
        return false;
    }
    let (table, address) = table(cell);
    lock(&table.clones).as_ref().is_some_and(|known| known.contains_key(&address))
}

/// The last owner asks that an edge be told when no clone is in its way, or one who looks on at this address;
/// false where none is.
///
/// # Safety
/// As `are_in_way`.
pub(super) unsafe fn wait(cell: CellPtr, edge: usize, address: usize) -> bool {
    let (table, key) = table(cell);
    let mut clones = lock(&table.clones);
    let Some(of_cell) = clones.as_mut().and_then(|known| known.get_mut(&key)) else { return false };
    // SAFETY: the caller's promise.
    let waits = unsafe { cell.as_ref() }.holds.is_one_owner_lent();
    if waits {
        of_cell.last = Some((edge, address));
    }
    waits
}

/// It takes that back; false where it has been told, or will be.
///
/// # Safety
/// As `are_in_way`.
pub(super) unsafe fn leave(cell: CellPtr, address: usize) -> bool {
    let (table, key) = table(cell);
    let mut clones = lock(&table.clones);
    let of_cell = clones.as_mut().and_then(|known| known.get_mut(&key));
    of_cell.and_then(|of_cell| of_cell.last.take_if(|(_, its)| *its == address)).is_some()
}
