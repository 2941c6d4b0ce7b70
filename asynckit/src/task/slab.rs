//! The memory of cells: blocks that are used again, and can be walked.
//!
//! A cell's memory comes from blocks of a few sizes. Each thread keeps some free blocks of each size
//! at hand, in *magazines* that it exchanges as a whole with a depot (Bonwick and Adams, *Magazines
//! and Vmem*, 2001), so that making and freeing a cell is a push and a pop as a rule, also where one
//! thread makes the cells and another frees them. What was a block once stays one; the memory serves
//! later cells.
//!
//! That makes it safe to look at a block without knowing whether it is a cell just now, by three words
//! that are never anything but atomics: the state; the holds, zero while it is none; and the place,
//! null while it is none of a task that was submitted. The tasks of a pool are found in this way, so that no list
//! of them has to be kept. Blocks are made by the sheet, and a table has a mark for each pool that has
//! had tasks in a sheet which may wait, so that a walk passes over the other sheets.
//!
//! Cells that are larger than the largest size, or aligned to more than a block, are allocated one
//! by one, and stand in a list for the walk.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::collections::HashSet;
use std::mem;
use std::ptr::NonNull;

use super::header::Header;
use crate::sync::{Mutex, Ordering, StaticCounter, lock};

/// Sizes are the multiples of this, which also is the alignment: no two cells share a cache line.
const LINE: usize = 64;
/// How many sizes there are.
const SIZES: usize = 12;
/// How many blocks a magazine holds; as many as that, or a few more, are made at once.
const BATCH: usize = 64;
/// Each cell is allocated by itself: for tools that look for accesses to freed memory.
const ONE_BY_ONE: bool = cfg!(asynckit_plain_memory);

/// A piece of memory for a cell.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Block(NonNull<Header>);

// SAFETY: memory belongs to no thread; whoever has a block out of a magazine is alone with it.
unsafe impl Send for Block {}

impl Block {
    /// Brings the block near, for the next one who takes it: often another thread had it last.
    #[inline]
    fn prefetch(self) {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        for line in 0..2 {
            use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
            let line = self.0.as_ptr().cast::<i8>().wrapping_byte_add(line * LINE);
            // SAFETY: a prefetch accesses nothing, wherever it points to.
            unsafe { _mm_prefetch::<_MM_HINT_ET0>(line) }
        }
    }
}

/// Blocks of one size that a thread has at hand: two magazines, so that a thread at the edge
/// between one and the next doesn't exchange with each block.
struct Rack {
    loaded: Vec<Block>,
    spare: Vec<Block>,
}

struct Racks([Rack; SIZES]);

thread_local! {
    static RACKS: RefCell<Racks> = const {
        RefCell::new(Racks([const { Rack { loaded: Vec::new(), spare: Vec::new() } }; SIZES]))
    };
}

/// Full magazines, by size.
static DEPOT: [Mutex<Vec<Vec<Block>>>; SIZES] = [const { Mutex::new(Vec::new()) }; SIZES];
/// The marks of sheets: a bit for each pool that has had tasks in the sheet which may wait. Sheets share
/// a place in the table if there are many; a mark too many costs the walk some time. (In a table of
/// their own the marks are hardly ever written, so that all threads have them at hand.)
static MARKS: [StaticCounter; 1 << 14] = [const { StaticCounter::new(0) }; 1 << 14];
/// Which of these bits are in use by a pool.
static IN_USE: StaticCounter = StaticCounter::new(0);
/// The bit of all pools that found none to themselves.
const COMMON: u64 = 1 << 63;

/// The first block of each sheet that was ever made, by size.
static MADE: [Mutex<Vec<Block>>; SIZES] = [const { Mutex::new(Vec::new()) }; SIZES];
/// Cells with memory of their own.
static SINGLE: Mutex<Option<HashSet<Block>>> = Mutex::new(None);

/// Which size a layout gets; `None` for memory of its own.
pub(super) const fn size_of_layout(layout: Layout) -> Option<usize> {
    let size = layout.size().div_ceil(LINE) - 1;
    if ONE_BY_ONE || size >= SIZES || layout.align() > LINE { None } else { Some(size) }
}

const fn block_bytes(size: usize) -> usize {
    (size + 1) * LINE
}

/// How large a sheet is, and at which multiples it begins.
const fn sheet_bytes(size: usize) -> usize {
    (block_bytes(size) * BATCH).next_power_of_two()
}

/// Memory for a `C`, whose holds are zero and whose place is null.
pub(super) fn take<C>() -> NonNull<C> {
    let layout = Layout::new::<C>();
    let Block(block) = match const { size_of_layout(Layout::new::<C>()) } {
        Some(size) => {
            let at_hand = RACKS.try_with(|racks| racks.borrow_mut().0[size].take(size));
            // A thread that is being torn down keeps nothing any more.
            at_hand.unwrap_or_else(|_| {
                let mut rack = Rack { loaded: Vec::new(), spare: Vec::new() };
                let block = rack.take(size);
                if !rack.loaded.is_empty() {
                    lock(&DEPOT[size]).push(rack.loaded);
                }
                block
            })
        }
        None => take_single(layout),
    };
    block.cast()
}

/// Gives the memory of a `C` back.
///
/// # Safety
/// It came from `take` with the same type; nobody has a hold on the cell, its place is null, and
/// the caller does not use it any more.
pub(super) unsafe fn put<C>(cell: NonNull<C>) {
    let block = Block(cell.cast());
    let Some(size) = (const { size_of_layout(Layout::new::<C>()) }) else {
        // SAFETY: the caller's promise.
        return unsafe { put_single(block, Layout::new::<C>()) };
    };
    if RACKS.try_with(|racks| racks.borrow_mut().0[size].put(block, size)).is_err() {
        lock(&DEPOT[size]).push(vec![block]);
    }
}

impl Rack {
    #[inline]
    fn take(&mut self, size: usize) -> Block {
        if let Some(block) = self.loaded.pop() {
            if let Some(next) = self.loaded.last() {
                next.prefetch();
            }
            return block;
        }
        self.refill(size)
    }

    #[inline]
    fn put(&mut self, block: Block, size: usize) {
        if self.loaded.len() == self.loaded.capacity() {
            self.make_room(size);
        }
        self.loaded.push(block);
    }

    #[cold]
    fn refill(&mut self, size: usize) -> Block {
        if self.spare.is_empty() {
            let full = lock(&DEPOT[size]).pop();
            self.loaded = full.unwrap_or_else(|| make(size));
        } else {
            mem::swap(&mut self.loaded, &mut self.spare);
        }
        self.loaded.pop().unwrap_or_else(|| unreachable!("an empty magazine was filed as full"))
    }

    #[cold]
    fn make_room(&mut self, size: usize) {
        if self.spare.capacity() == 0 {
            self.spare.reserve_exact(BATCH);
        }
        if !self.spare.is_empty() {
            let full = mem::replace(&mut self.spare, Vec::with_capacity(BATCH));
            lock(&DEPOT[size]).push(full);
        }
        mem::swap(&mut self.loaded, &mut self.spare);
    }
}

impl Drop for Racks {
    fn drop(&mut self) {
        for (rack, depot) in self.0.iter_mut().zip(&DEPOT) {
            let left = [mem::take(&mut rack.loaded), mem::take(&mut rack.spare)];
            lock(depot).extend(left.into_iter().filter(|magazine| !magazine.is_empty()));
        }
    }
}

/// A new sheet of blocks, whose memory is never given back.
fn make(size: usize) -> Vec<Block> {
    let bytes = sheet_bytes(size);
    let Ok(layout) = Layout::from_size_align(bytes, bytes) else {
        unreachable!("a few kilobytes are a layout");
    };
    // SAFETY: the layout has a size.
    let memory = unsafe { alloc_zeroed(layout) };
    let Some(first) = NonNull::new(memory) else { handle_alloc_error(layout) };
    lock(&MADE[size]).push(Block(first.cast()));
    // SAFETY: all of them lie in that memory.
    let block = |n| unsafe { Block(first.add(n * block_bytes(size)).cast()) };
    // The first one on top, so that memory is used in its order.
    (0..bytes / block_bytes(size)).rev().map(block).collect()
}

/// The marks of the sheet of this size that a block is in.
fn marks(block: NonNull<Header>, size: usize) -> &'static StaticCounter {
    &MARKS[block.addr().get() / sheet_bytes(size) % MARKS.len()]
}

/// Marks the sheet of a cell of this size: it has a task that may wait, of the pool with this mark.
pub(super) fn mark(cell: NonNull<Header>, size: usize, mark: u64) {
    let marks = marks(cell, size);
    // ORDERING: SeqCst, for the walk that follows a pool's close, and Acquire from who did it for
    // another task: see `tasks_of`. Marks go only when their pool takes no task any more.
    if marks.load(Ordering::Acquire) & mark == 0 {
        marks.fetch_or(mark, Ordering::SeqCst);
    }
}

/// A mark for a pool.
pub(super) fn new_mark() -> u64 {
    let free = |used: u64| Some(used | (used + 1)).filter(|_| !used & !COMMON != 0);
    match IN_USE.fetch_update(Ordering::AcqRel, Ordering::Acquire, free) {
        Ok(used) => !used & (used + 1),
        Err(_) => COMMON,
    }
}

/// Stands for the marks of all pools in a walk.
pub(super) const ANY_MARK: u64 = u64::MAX;

/// Takes a pool's mark back, when no walk will look for its tasks any more.
pub(super) fn drop_mark(mark: u64) {
    if mark == COMMON {
        return;
    }
    for marks in &MARKS {
        if marks.load(Ordering::Relaxed) & mark != 0 {
            marks.fetch_and(!mark, Ordering::Relaxed);
        }
    }
    IN_USE.fetch_and(!mark, Ordering::AcqRel);
}

#[cold]
fn take_single(layout: Layout) -> Block {
    // SAFETY: a cell has a size.
    let memory = unsafe { alloc(layout) };
    let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
    // SAFETY: the memory is large enough for a cell, which begins with a header.
    unsafe { Header::clear(memory.cast()) };
    let block = Block(memory.cast());
    lock(&SINGLE).get_or_insert_default().insert(block);
    block
}

/// # Safety
/// As for `put`, and the block came from `take_single` with this layout.
#[cold]
unsafe fn put_single(block: Block, layout: Layout) {
    if let Some(single) = &mut *lock(&SINGLE) {
        single.remove(&block);
    }
    // SAFETY: the caller's promise; the walk does not know it any more.
    unsafe { dealloc(block.0.as_ptr().cast(), layout) }
}

/// Shows each block to `look`, or each that may have a task which waits of the pool with this mark. Of
/// these blocks the three words may be read.
pub(super) fn each_block(mark: Option<u64>, mut look: impl FnMut(NonNull<Header>)) {
    for (size, made) in MADE.iter().enumerate() {
        let sheets = lock(made).clone();
        for Block(first) in sheets {
            if mark.is_some_and(|mark| marks(first, size).load(Ordering::Acquire) & mark == 0) {
                continue;
            }
            for n in 0..sheet_bytes(size) / block_bytes(size) {
                // SAFETY: a sheet has so many blocks of this size.
                look(unsafe { first.byte_add(n * block_bytes(size)) });
            }
        }
    }
    // Under the lock, so that none is given back meanwhile.
    if let Some(single) = &*lock(&SINGLE) {
        single.iter().for_each(|block| look(block.0));
    }
}
