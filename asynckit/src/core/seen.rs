//! Memory of cells that somebody looks on to: what they know of the task lies behind the cell, in the same block.
//!
//! So a task that nobody looks on to has no room for it, and one that somebody does costs no second block.

use std::alloc::Layout;
use std::ptr::NonNull;

use super::slab;
use crate::observe::Record;

/// All of it, and where the second part begins.
#[inline]
fn with_watched(cell: Layout) -> (Layout, usize) {
    const { assert!(align_of::<Record>() <= 8) }
    let at = cell.size().next_multiple_of(8);
    let size = (at + size_of::<Record>()).next_multiple_of(cell.align());
    match Layout::from_size_align(size, cell.align()) {
        Ok(all) if cell.align() >= 8 => (all, at),
        _ => unreachable!("a cell that fills the memory, or is smaller than its words"),
    }
}

/// Memory for a cell, with this behind it.
#[cold]
#[inline(never)]
pub(super) fn take(cell: Layout, watched: Record) -> NonNull<u8> {
    let (all, at) = with_watched(cell);
    let block = slab::take_layout(all);
    // SAFETY: the block has room for it there, aligned, and is ours.
    unsafe { block.add(at).cast::<Record>().write(watched) };
    block
}

/// What lies behind a cell.
///
/// # Safety
/// The block was taken so.
#[inline]
pub(super) unsafe fn of(block: NonNull<u8>, cell: Layout) -> NonNull<Record> {
    // SAFETY: the caller's promise.
    unsafe { block.add(cell.size().next_multiple_of(8)).cast() }
}

/// Gives the memory of both back.
///
/// # Safety
/// As `of`, and nobody uses either any more.
pub(super) unsafe fn put(block: NonNull<u8>, cell: Layout) {
    let (all, _) = with_watched(cell);
    // SAFETY: the caller's promise.
    unsafe {
        of(block, cell).drop_in_place();
        slab::put(block, slab::class_of(all), all);
    }
}
