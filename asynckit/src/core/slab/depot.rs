//! The depots, and the keeper, which gives back what is free in them.

use std::ptr::{NonNull, null_mut};
use std::sync::atomic::AtomicBool;

use super::super::pages::{self, CHUNK};
use crate::sync::{Arc, Mutex, MutexGuard, Ordering, Parker, lock};

/// Sizes are multiples of this.
pub(super) const STEP: usize = 32;
/// Class 0 is for what is allocated by itself; the largest block has 512 bytes.
pub(super) const CLASSES: usize = 17;
/// A chunk begins with a word of the depot's, on a line of its own.
pub(super) const FIRST: usize = 64;

/// So many blocks go between a magazine and the depot at once: 8 KiB.
pub(super) const fn batch(class: usize) -> u32 {
    let blocks = 8192 / (class * STEP);
    if blocks > 64 { 64 } else { blocks as u32 }
}

pub(super) struct Free {
    pub(super) next: *mut Free,
}

/// The free blocks of one size that no thread has.
pub(super) struct Depot {
    /// Lists of free blocks, and how long each is.
    pub(super) batches: Vec<(*mut Free, u32)>,
    pub(super) free: usize,
    /// How many must be free for the next search for chunks; zero to begin with.
    trim_at: usize,
    /// Something came or went since the keeper looked.
    pub(super) moved: bool,
    /// The chunk that is being cut up: the next block, and how many there are.
    fresh: *mut u8,
    pub(super) left: u32,
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

pub(super) fn depot(class: usize) -> MutexGuard<'static, Depot> {
    lock(&DEPOTS[class])
}

/// So many free blocks are not worth a search.
const fn little(class: usize) -> usize {
    (256 << 10) / (class * STEP)
}

impl Depot {
    /// A list of fresh blocks.
    pub(super) fn cut(&mut self, class: usize) -> (*mut Free, u32) {
        let size = class * STEP;
        if self.left == 0 {
            // The first one comes as it is needed: many a program has no use for more.
            let chunk = if self.fresh.is_null() { pages::take() } else { pages::take_whole() };
            // SAFETY: within the chunk.
            self.fresh = unsafe { chunk.as_ptr().add(FIRST) };
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

    /// Takes the chunks out all of whose blocks are here: they are the caller's now.
    fn trim(&mut self, class: usize) -> Vec<NonNull<u8>> {
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
        // SAFETY: the chunk of a free block is there, and has its first word set by the round before.
        each(&mut |block| unsafe { *here(block) += 1 });
        let (mut head, mut count, mut gone) = (null_mut::<Free>(), 0, Vec::new());
        self.free = 0;
        // SAFETY: the chunk's first word is the depot's until the chunk is given back, below, when each of its blocks has
        // been looked at. The blocks that stay are linked anew; and a chunk is no null pointer.
        each(&mut |block| unsafe {
            let here = here(block);
            if *here == all {
                *here = NOTED;
                gone.push(NonNull::new_unchecked(here.cast()));
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
        self.trim_at = 2 * self.free;
        gone
    }
}

/// Gives a list of blocks to the depot.
pub(super) fn give(class: usize, list: *mut Free) {
    let (mut at, mut count) = (list, 0);
    while !at.is_null() {
        count += 1;
        // SAFETY: the list is the caller's.
        at = unsafe { (*at).next };
    }
    if count > 0 {
        give_so_many(class, list, count);
    }
}

/// As `give`, of a list that is known to have so many, and at least one.
pub(super) fn give_so_many(class: usize, list: *mut Free, count: u32) {
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

/// There is something for the keeper to do.
pub(super) static MUCH: AtomicBool = AtomicBool::new(false);
/// One of the threads at rest.
pub(super) static KEEPER: Mutex<Option<Arc<Parker>>> = Mutex::new(None);

fn call_keeper() {
    if !MUCH.swap(true, Ordering::SeqCst)
        && let Some(keeper) = &*lock(&KEEPER)
    {
        keeper.unpark();
    }
}

/// Gives memory back where there is much and nothing has moved since the last look; whether something has.
pub(super) fn trim() -> bool {
    let mut moved = false;
    for class in 1..CLASSES {
        let mut depot = depot(class);
        if std::mem::take(&mut depot.moved) {
            moved |= depot.has_much(class);
        } else if depot.has_much(class) {
            let gone = depot.trim(class);
            // To give them back takes the system a while, which nobody has to wait for.
            drop(depot);
            for chunk in gone {
                // SAFETY: all of its blocks were free, and none is in a list any more.
                unsafe { pages::put(chunk) };
            }
        }
    }
    moved
}
