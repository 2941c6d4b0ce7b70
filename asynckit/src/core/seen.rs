//! Memory of cells that somebody looks on to: what they know of the task lies behind the cell, in the same block.
//!
//! So a task that nobody looks on to has no room for it, and one that somebody does costs no second block.

use std::alloc::Layout;
use std::ptr::NonNull;

use super::slab;
use crate::observe::Record;

/// The memory that a cell takes.
pub(super) struct CellRoom {
    pub(super) cell: Layout,
    /// Zero where the block is allocated by itself.
    pub(super) class: usize,
    /// Likewise, of both where somebody looks on, and where the second part begins.
    both: Layout,
    class_of_both: usize,
    at: usize,
}

impl CellRoom {
    pub(super) const fn of(cell: Layout) -> CellRoom {
        const { assert!(align_of::<Record>() <= 8) }
        let at = cell.size().next_multiple_of(8);
        let size = (at + size_of::<Record>()).next_multiple_of(cell.align());
        match Layout::from_size_align(size, cell.align()) {
            Ok(both) if cell.align() >= 8 => {
                let (class, class_of_both) = (slab::class_of(cell), slab::class_of(both));
                CellRoom { cell, class, both, class_of_both, at }
            }
            _ => panic!("a cell that fills the memory, or is smaller than its words"),
        }
    }

    /// Memory for both.
    #[inline]
    pub(super) fn take(&self, watched: Record) -> NonNull<u8> {
        let block = slab::take_of(self.class_of_both, self.both);
        // SAFETY: the block has room for it there, aligned, and is ours.
        unsafe { block.add(self.at).cast::<Record>().write(watched) };
        block
    }

    /// What lies behind a cell.
    ///
    /// # Safety
    /// The block was taken so.
    #[inline]
    pub(super) unsafe fn record(&self, block: NonNull<u8>) -> NonNull<Record> {
        // SAFETY: the caller's promise.
        unsafe { block.add(self.at).cast() }
    }

    /// Gives the memory of both back.
    ///
    /// # Safety
    /// As `record`, and nobody uses either any more.
    #[inline]
    pub(super) unsafe fn put(&self, block: NonNull<u8>) {
        const { assert!(!std::mem::needs_drop::<Record>()) }
        // SAFETY: the caller's promise.
        unsafe { slab::put(block, self.class_of_both, self.both) }
    }
}
