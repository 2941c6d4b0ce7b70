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

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::pages::{self, CHUNK};
use crate::sync::{Arc, Mutex, MutexGuard, Ordering, Parker, lock};

/// Sizes are multiples of this.
const STEP: usize = 32;
/// Class 0 is for what is allocated by itself; the largest block has 512 bytes.
const CLASSES: usize = 17;
/// A chunk begins with a word of the depot's, on a line of its own.
const FIRST: usize = 64;

/// So many blocks go between a magazine and the depot at once: 8 KiB.
const fn batch(class: usize) -> u32 {
    let blocks = 8192 / (class * STEP);
    if blocks > 64 { 64 } else { blocks as u32 }
}

struct Free {
    next: *mut Free,
}

struct Magazine {
    head: Cell<*mut Free>,
    /// How many more blocks it takes; zero at first.
    room: Cell<u32>,
}

thread_local! {
    static MAGAZINES: [Magazine; CLASSES] = const {
        [const { Magazine { head: Cell::new(null_mut()), room: Cell::new(0) } }; CLASSES]
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

struct Depot {
    /// Lists of free blocks, and how long each is.
    batches: Vec<(*mut Free, u32)>,
    free: usize,
    /// How many must be free for the next search for chunks; zero to begin with.
    trim_at: usize,
    /// Something came or went since the keeper looked.
    moved: bool,
    /// The chunk that is being cut up: the next block, and how many there are.
    fresh: *mut u8,
    left: u32,
}

// SAFETY: the blocks in it belong to nobody else.
unsafe impl Send for Depot {}

static DEPOTS: [Mutex<Depot>; CLASSES] = [const {
    Mutex::new(Depot {
        batches: Vec::new(),
        free: 0,
        trim_at: 0,
        moved: false,
        fresh: null_mut(),
        left: 0,
    })
}; CLASSES];

fn depot(class: usize) -> MutexGuard<'static, Depot> {
    lock(&DEPOTS[class])
}

/// So many free blocks are not worth a search.
const fn little(class: usize) -> usize {
    (256 << 10) / (class * STEP)
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
    let class = const { class_of(Layout::new::<C>()) };
    if class == 0 {
        return alone(const { Layout::new::<C>() }).cast();
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
    if class == 0 {
        // SAFETY: the caller's promise.
        return unsafe { dealloc(block.as_ptr(), layout) };
    }
    MAGAZINES.with(|magazines| {
        let magazine = &magazines[class];
        let block = block.as_ptr().cast::<Free>();
        if magazine.room.get() == 0 && !make_room(class) {
            // SAFETY: as below.
            unsafe { (*block).next = null_mut() };
            return give(class, block);
        }
        // SAFETY: the block is free, and every one is large enough and aligned for this.
        unsafe { (*block).next = magazine.head.get() };
        magazine.head.set(block);
        magazine.room.set(magazine.room.get() - 1);
    });
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
            // SAFETY: likewise.
            let older = unsafe { std::mem::replace(&mut (*at).next, null_mut()) };
            give(class, older);
        }
        magazine.room.set(2 * batch(class) - kept);
        true
    })
}

/// Gives a list of blocks to the depot.
fn give(class: usize, list: *mut Free) {
    let (mut at, mut count) = (list, 0);
    while !at.is_null() {
        count += 1;
        // SAFETY: the list is the caller's.
        at = unsafe { (*at).next };
    }
    if count == 0 {
        return;
    }
    let mut depot = depot(class);
    let had_much = depot.has_much(class);
    depot.batches.push((list, count));
    depot.free += count as usize;
    depot.moved = true;
    if !had_much && depot.has_much(class) {
        drop(depot);
        call_keeper();
    }
}

/// How many blocks of a size are free, in the depot; for tests.
#[cfg(test)]
pub(super) fn free_in_depot(layout: Layout) -> usize {
    let depot = depot(class_of(layout));
    depot.free + depot.left as usize
}

/// Gives the free blocks of this thread to the depots.
fn flush() {
    MAGAZINES.with(|magazines| {
        for (class, magazine) in magazines.iter().enumerate().skip(1) {
            magazine.room.set(0);
            give(class, magazine.head.replace(null_mut()));
        }
    });
}

impl Depot {
    /// A list of fresh blocks.
    fn cut(&mut self, class: usize) -> (*mut Free, u32) {
        let size = class * STEP;
        if self.left == 0 {
            // SAFETY: within the chunk.
            self.fresh = unsafe { pages::take().as_ptr().add(FIRST) };
            self.left = ((CHUNK - FIRST) / size) as u32;
        }
        let count = self.left.min(batch(class));
        let head = self.fresh.cast::<Free>();
        for n in 1..=count {
            let at = self.fresh.cast::<Free>();
            // SAFETY: the block lies in the chunk, which is the depot's, and so does its end.
            unsafe {
                self.fresh = self.fresh.add(size);
                (*at).next = if n == count { null_mut() } else { self.fresh.cast() };
            }
        }
        self.left -= count;
        (head, count)
    }

    fn has_much(&self, class: usize) -> bool {
        self.free >= self.trim_at.max(little(class))
    }

    /// Gives the chunks back all of whose blocks are here.
    fn trim(&mut self, class: usize) {
        /// How many of a chunk's blocks are here; or that all are, and the chunk is noted.
        fn here(block: *mut Free) -> *mut usize {
            block.map_addr(|at| at & !(CHUNK - 1)).cast()
        }
        const NOTED: usize = usize::MAX;
        let all = (CHUNK - FIRST) / (class * STEP);
        let batches = std::mem::take(&mut self.batches);
        let each = |f: &mut dyn FnMut(*mut Free)| {
            for &(mut at, _) in &batches {
                while !at.is_null() {
                    // SAFETY: the blocks are free, and the depot's; `f` may link this one anew.
                    let next = unsafe { (*at).next };
                    f(at);
                    at = next;
                }
            }
        };
        // SAFETY: a chunk's first word is its depot's, here and in what follows.
        each(&mut |block| unsafe { *here(block) = 0 });
        // SAFETY: as above.
        each(&mut |block| unsafe { *here(block) += 1 });
        let (mut head, mut count, mut gone) = (null_mut::<Free>(), 0, Vec::new());
        self.free = 0;
        // SAFETY: as above; and the blocks that stay are linked anew.
        each(&mut |block| unsafe {
            let here = here(block);
            if *here == all {
                *here = NOTED;
                gone.push(here);
            }
            if *here == NOTED {
                return;
            }
            (*block).next = head;
            (head, count) = (block, count + 1);
            self.free += 1;
            if count == batch(class) {
                self.batches.push((head, count));
                (head, count) = (null_mut(), 0);
            }
        });
        if count > 0 {
            self.batches.push((head, count));
        }
        for chunk in gone {
            // SAFETY: all of its blocks were here, and none is in a list any more.
            unsafe { pages::put(NonNull::new_unchecked(chunk.cast())) };
        }
        self.trim_at = 2 * self.free;
    }
}

/// There is something for the keeper to do.
static MUCH: AtomicBool = AtomicBool::new(false);
/// One of the threads at rest.
static KEEPER: Mutex<Option<Arc<Parker>>> = Mutex::new(None);
/// So long a worker sleeps before it is at rest, and so long nothing must move before memory goes back.
pub(crate) const NAP: Duration = Duration::from_millis(100);

fn call_keeper() {
    if !MUCH.swap(true, Ordering::SeqCst)
        && let Some(keeper) = &*lock(&KEEPER)
    {
        keeper.unpark();
    }
}

/// A thread at rest, which has given its blocks back; ends the rest when dropped.
pub(crate) struct Rest {
    /// Whether it is the keeper.
    keeps: bool,
}

impl Rest {
    /// The calling thread has slept for a while, at this parker.
    pub(crate) fn begin(parker: &Arc<Parker>) -> Rest {
        flush();
        let mut keeper = lock(&KEEPER);
        let keeps = keeper.is_none();
        if keeps {
            *keeper = Some(parker.clone());
        }
        Rest { keeps }
    }

    /// Whether it should look again after a nap; else it may sleep until it is woken.
    pub(crate) fn has_to_look(&self) -> bool {
        // ORDERING: SeqCst: who calls has set the mark before it looks for a keeper, and this one was
        // entered before it looks at the mark.
        self.keeps && MUCH.load(Ordering::SeqCst)
    }

    /// After a nap: gives memory back where there is much and nothing has moved meanwhile.
    pub(crate) fn look(&self) {
        if self.has_to_look() {
            MUCH.store(false, Ordering::SeqCst);
            if trim() {
                MUCH.store(true, Ordering::SeqCst);
            }
        }
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        if self.keeps {
            *lock(&KEEPER) = None;
        }
    }
}

/// Gives memory back where there is much and nothing has moved since the last look; whether something has.
fn trim() -> bool {
    let mut moved = false;
    for class in 1..CLASSES {
        let mut depot = depot(class);
        if std::mem::take(&mut depot.moved) {
            moved |= depot.has_much(class);
        } else if depot.has_much(class) {
            depot.trim(class);
        }
    }
    moved
}

/// A worker ends, for good: what it has goes back, and if nobody keeps the memory, so does what is free.
pub(crate) fn end_of_worker() {
    flush();
    if lock(&KEEPER).is_none() && MUCH.swap(false, Ordering::SeqCst) {
        let _ = trim();
        let _ = trim();
    }
}
