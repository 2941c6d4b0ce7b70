//! Memory for cells: blocks of a few sizes, used again, and given back when nobody needs them.
//!
//! - A *magazine* is a thread's own list of free blocks of one size: no atomic steps.
//! - The *depot* of a size has what is too much for magazines, batch by batch, under a lock that is
//!   taken once a batch.
//! - A *chunk* (`pages.rs`) is cut into blocks of one size. To *trim* a depot is to count its blocks
//!   by chunk; a chunk all of whose blocks are there goes back to the system. That costs what is free,
//!   never what the process has seen, and is done only when the free blocks have doubled since the
//!   last time, so that each block pays for it once.
//! - Only threads at *rest* trim: a worker that has slept for a while gives its magazines back, and one
//!   of those, the *keeper*, is called when a depot has much and trims once nothing moves there any
//!   more. So busy threads neither pay for it nor lose memory that they will want again at once.
//!
//! What may stay: 256 KiB a size in the depots, or half of what is free there but lies in chunks that
//! are in use; and 16 KiB a size with each thread that is no worker at rest, until it ends.

mod depot;
mod rest;

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ptr::{NonNull, null_mut};

use depot::{CLASSES, Free, STEP, batch, depot, give, give_so_many};
pub(crate) use rest::{NAP, Rest, end_of_worker};

struct Magazine {
    head: Cell<*mut Free>,
    /// How many more blocks it takes; zero at first.
    room: Cell<u32>,
}

impl Magazine {
    #[inline]
    fn put(&self, block: NonNull<Free>) {
        // SAFETY: the block is free, and every one is large enough and aligned for this.
        unsafe { (*block.as_ptr()).next = self.head.get() };
        self.head.set(block.as_ptr());
    }
}

/// A power of two, so that a class needs no check.
const MAGAZINES_LEN: usize = CLASSES.next_power_of_two();

thread_local! {
    static MAGAZINES: [Magazine; MAGAZINES_LEN] = const {
        [const { Magazine { head: Cell::new(null_mut()), room: Cell::new(0) } }; MAGAZINES_LEN]
    };
    static FLUSH: Flush = const { Flush };
}

/// Gives a thread's magazines back when it ends.
struct Flush;

impl Drop for Flush {
    fn drop(&mut self) {
        flush();
    }
}

/// Where a layout's memory comes from: a class of blocks, or zero for an allocation of its own.
pub(super) const fn class_of(layout: Layout) -> usize {
    let class = layout.size().div_ceil(STEP);
    // Tools that look for misuse of memory know allocations, not blocks.
    let blocks = !cfg!(any(asynckit_loom, asynckit_plain_memory, miri));
    if blocks && class < CLASSES && layout.align() <= STEP { class } else { 0 }
}

/// Memory for a `C`.
#[inline]
pub(super) fn take<C>() -> NonNull<C> {
    take_of(const { class_of(Layout::new::<C>()) }, const { Layout::new::<C>() }).cast()
}

/// Memory of a layout, whose class this is.
#[inline]
pub(super) fn take_of(class: usize, layout: Layout) -> NonNull<u8> {
    if class == 0 {
        return alone(layout);
    }
    MAGAZINES.with(|magazines| {
        let magazine = &magazines[class];
        let head = magazine.head.get();
        if head.is_null() {
            return refill(class).cast();
        }
        // SAFETY: a magazine's blocks are free, and this thread's.
        magazine.head.set(unsafe { (*head).next });
        magazine.room.set(magazine.room.get() + 1);
        // SAFETY: seen just now.
        unsafe { NonNull::new_unchecked(head).cast() }
    })
}

#[cold]
#[inline(never)]
fn alone(layout: Layout) -> NonNull<u8> {
    // SAFETY: a cell is never of size zero.
    let at = unsafe { alloc(layout) };
    NonNull::new(at).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Gives memory back.
///
/// # Safety
/// It comes from `take`, for a type of this layout, whose class this is; nobody uses it any more.
#[inline]
pub(super) unsafe fn put(block: NonNull<u8>, class: usize, layout: Layout) {
    if cfg!(asynckit_loom) {
        // Never used again, so that a look at what is gone is found.
        // SAFETY: the caller's promise.
        return unsafe { block.as_ptr().write_bytes(0xA5, layout.size()) };
    }
    MAGAZINES.with(|magazines| {
        // Class 0 never has room.
        let magazine = &magazines[class % MAGAZINES_LEN];
        let room = magazine.room.get();
        if room == 0 {
            // SAFETY: the caller's promise.
            return unsafe { put_elsewhere(block, class, layout) };
        }
        magazine.room.set(room - 1);
        magazine.put(block.cast());
    });
}

/// As `put`, where the magazine has no room.
///
/// # Safety
/// As `put`.
#[cold]
#[inline(never)]
unsafe fn put_elsewhere(block: NonNull<u8>, class: usize, layout: Layout) {
    if class == 0 {
        // SAFETY: the caller's promise.
        return unsafe { dealloc(block.as_ptr(), layout) };
    }
    if make_room(class) {
        // SAFETY: there is room now.
        return unsafe { put(block, class, layout) };
    }
    let block = block.as_ptr().cast::<Free>();
    // SAFETY: the block is free, and every one is large enough and aligned for this.
    unsafe { (*block).next = null_mut() };
    give(class, block);
}

/// A block for this thread, and more for its magazine.
#[cold]
#[inline(never)]
fn refill(class: usize) -> NonNull<Free> {
    let mut depot = depot(class);
    depot.moved = true;
    let (head, count) = match depot.batches.pop() {
        Some(list) => {
            depot.free -= list.1 as usize;
            list
        }
        None => depot.cut(class),
    };
    drop(depot);
    // SAFETY: the list is this thread's now, and not empty.
    let rest = unsafe { std::mem::replace(&mut (*head).next, null_mut()) };
    if is_ending() {
        give(class, rest);
    } else {
        MAGAZINES.with(|magazines| {
            magazines[class].head.set(rest);
            magazines[class].room.set(2 * batch(class) - (count - 1));
        });
    }
    // SAFETY: seen just now.
    unsafe { NonNull::new_unchecked(head) }
}

/// Whether the thread is being torn down, so that it must not keep anything. The first time, what gives
/// its blocks back at its end is entered by this.
fn is_ending() -> bool {
    FLUSH.try_with(|_| ()).is_err()
}

/// Makes room in a magazine that has none; false where the thread must not keep anything.
#[cold]
#[inline(never)]
fn make_room(class: usize) -> bool {
    MAGAZINES.with(|magazines| {
        let magazine = &magazines[class];
        let (mut at, mut kept) = (magazine.head.get(), 0);
        if is_ending() {
            give(class, magazine.head.replace(null_mut()));
            return false;
        }
        // The newer half stays.
        while !at.is_null() && kept + 1 < batch(class) {
            kept += 1;
            // SAFETY: the list is this thread's.
            at = unsafe { (*at).next };
        }
        if !at.is_null() {
            kept += 1;
            // SAFETY: the list is this thread's; the block is in it, and what is behind it is cut off as a whole.
            let older = unsafe { std::mem::replace(&mut (*at).next, null_mut()) };
            // A magazine that has no room has two batches.
            give_so_many(class, older, batch(class));
        }
        magazine.room.set(2 * batch(class) - kept);
        true
    })
}

/// Gives the free blocks of this thread to the depots.
fn flush() {
    MAGAZINES.with(|magazines| {
        for (class, magazine) in magazines.iter().enumerate().take(CLASSES).skip(1) {
            magazine.room.set(0);
            give(class, magazine.head.replace(null_mut()));
        }
    });
}

/// How many blocks of a size are free, in the depot; for tests.
#[cfg(all(test, not(asynckit_loom)))]
pub(super) fn free_in_depot(layout: Layout) -> usize {
    let depot = depot(class_of(layout));
    depot.free + depot.left as usize
}
