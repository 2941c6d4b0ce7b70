//! The depots, and the keeper, which gives back what is free in them.

use std::ptr::{NonNull, null_mut};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::super::pages::{self, CHUNK};
use super::{CLASSES, FIRST, Free, STEP, batch, flush};
use crate::sync::{Arc, Mutex, MutexGuard, Ordering, Parker, lock};

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

/// Gives a list of blocks to the depot.
pub(super) fn give(class: usize, list: *mut Free) {
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
#[cfg(all(test, not(asynckit_loom)))]
pub(in crate::core) fn free_in_depot(layout: std::alloc::Layout) -> usize {
    let depot = depot(super::class_of(layout));
    depot.free + depot.left as usize
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
