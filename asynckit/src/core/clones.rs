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

use super::cell::CellPtr;
use super::holds::Take;
use crate::sync::{Condvar, Mutex, lock};

/// The clones of one value that are under way.
struct Clones {
    cell: usize,
    count: usize,
    /// The last owner, where it waits: an edge, or zero for one who looks on; and its own address.
    last: Option<(usize, usize)>,
}

/// Of all values that a table is for. A list is short: each clone is on some thread's stack.
struct Known {
    list: Vec<Clones>,
    /// How many wait for the end of one on the spot.
    waiting: usize,
}

impl Known {
    #[inline]
    fn of(&mut self, cell: usize) -> Option<&mut Clones> {
        self.list.iter_mut().find(|clones| clones.cell == cell)
    }
}

struct Table {
    clones: Mutex<Known>,
    ended: Condvar,
}

const TABLES: usize = 16;
static TABLE: [Table; TABLES] = [const {
    Table { clones: Mutex::new(Known { list: Vec::new(), waiting: 0 }), ended: Condvar::new() }
}; TABLES];

#[inline]
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
    let mut known = lock(&table.clones);
    loop {
        if holds.take() != Take::Clone {
            return Begun::Takes;
        }
        // Where there are none, others look at it by loans of a handle that is gone, without a clone of its own.
        // Who is inside of a clone may be what that waits for.
        let in_way = known.of(address).is_some() && NESTED.with(Cell::get) == 0;
        if holds.begin_clone(!in_way) {
            match known.of(address) {
                Some(of_cell) => of_cell.count += 1,
                None => known.list.push(Clones { cell: address, count: 1, last: None }),
            }
            NESTED.with(|nested| nested.set(nested.get() + 1));
            return Begun::Clones;
        }
        known.waiting += 1;
        known = table.ended.wait(known).unwrap_or_else(|poisoned| poisoned.into_inner());
        known.waiting -= 1;
    }
}

/// A clone is over: its loan ends by `end_loan`, whose answer is given, and the last owner, where that waits for
/// this, is to be told: an edge, or zero for one who looks on; and its own address.
///
/// # Safety
/// The caller has begun it, on this thread.
pub(super) unsafe fn end<R>(
    cell: CellPtr,
    end_loan: impl FnOnce() -> R,
) -> (R, Option<(usize, usize)>) {
    NESTED.with(|nested| nested.set(nested.get() - 1));
    let (table, address) = table(cell);
    let mut last = None;
    let leaves = {
        let mut known = lock(&table.clones);
        // In one step for who looks at both: whoever finds no clone finds no loan of one.
        let leaves = end_loan();
        if let Some(at) = known.list.iter().position(|clones| clones.cell == address) {
            let of_cell = &mut known.list[at];
            of_cell.count -= 1;
            if of_cell.count == 0 {
                last = of_cell.last;
                known.list.swap_remove(at);
                if known.waiting > 0 {
                    table.ended.notify_all();
                }
            }
        }
        leaves
    };
    (leaves, last)
}

/// Whether the caller is the last owner of a value, and waits for nothing but clones of it.
///
/// # Safety
/// The caller has an owner's hold.
#[inline]
pub(super) unsafe fn are_in_way(cell: CellPtr) -> bool {
    // SAFETY: the caller's promise.
    unsafe { cell.as_ref() }.holds.is_one_owner_lent() && is_cloned(cell)
}

#[cold]
#[inline(never)]
fn is_cloned(cell: CellPtr) -> bool {
    let (table, address) = table(cell);
    lock(&table.clones).of(address).is_some()
}

/// The last owner asks that an edge be told when no clone is in its way, or one who looks on at this address;
/// false where none is.
///
/// # Safety
/// As `are_in_way`.
pub(super) unsafe fn wait(cell: CellPtr, edge: usize, address: usize) -> bool {
    let (table, key) = table(cell);
    let mut known = lock(&table.clones);
    let Some(of_cell) = known.of(key) else { return false };
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
    let mut known = lock(&table.clones);
    known.of(key).and_then(|of_cell| of_cell.last.take_if(|(_, its)| *its == address)).is_some()
}
