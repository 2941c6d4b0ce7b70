//! What is known of each task under way: a number, by the task's own.
//!
//! Those ascend on each thread that submits. So they lie in blocks of a few, and a thread has those at hand that it came to
//! last: nothing is searched for, as a rule, nobody takes a lock, and who ends a task only reads what who submitted it
//! wrote. A block is gone when all of its tasks have ended and no thread has it at hand: there are as many as that takes.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use crate::sync::lock;

/// The tasks of a block.
const SIZE: u64 = 64;
/// The locks of all blocks, so that threads seldom meet.
const SHELVES: usize = 16;
/// The blocks that a thread has at hand, beside that in which it submits: work that goes on from task to task goes through
/// many of them.
const AT_HAND: usize = 64;

#[derive(Default)]
pub(crate) struct Live(Arc<Shelves>);

#[derive(Default)]
struct Shelves {
    shelves: [Mutex<Shelf>; SHELVES],
    /// Nobody asks any more.
    is_over: AtomicBool,
}

type Shelf = HashMap<u64, LiveBlock, BuildHasherDefault<Spread>>;

struct LiveBlock {
    words: Arc<Words>,
    /// Tasks that have not ended, or may still be submitted; and threads that have it at hand.
    left: u64,
}

/// Of each task one more than its number, so that zero is none.
type Words = [AtomicU32; SIZE as usize];

/// Numbers that ascend need no better hash than one that spreads them.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write_u64(&mut self, number: u64) {
        // By the golden ratio; of the product the upper half is spread best.
        self.0 = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(self.0 ^ u64::from(byte)));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Shelves {
    fn shelf(&self, block: u64) -> &Mutex<Shelf> {
        &self.shelves[(block % SHELVES as u64) as usize]
    }

    /// The block, which stays for so many things more; made if need be.
    fn open(&self, block: u64, more: u64) -> Arc<Words> {
        let mut shelf = lock(self.shelf(block));
        if self.is_over.load(Ordering::Relaxed) {
            return Arc::new([const { AtomicU32::new(0) }; _]);
        }
        let new = || LiveBlock { words: Arc::new([const { AtomicU32::new(0) }; _]), left: 0 };
        let block = shelf.entry(block).or_insert_with(new);
        block.left += more;
        block.words.clone()
    }

    /// Likewise, for one thing more, if it is there.
    fn find(&self, block: u64) -> Option<Arc<Words>> {
        let mut shelf = lock(self.shelf(block));
        let block = shelf.get_mut(&block)?;
        block.left += 1;
        Some(block.words.clone())
    }

    /// So many of these are over.
    fn close(&self, block: u64, fewer: u64) {
        let mut shelf = lock(self.shelf(block));
        if let Some(there) = shelf.get_mut(&block) {
            // Who looks on twice is told twice.
            there.left = there.left.saturating_sub(fewer);
            if there.left == 0 {
                shelf.remove(&block);
            }
        }
    }
}

impl Live {
    #[inline]
    fn at(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Lets go of all that is known, for good.
    pub(crate) fn end(&self) {
        self.0.is_over.store(true, Ordering::Relaxed);
        for shelf in &self.0.shelves {
            // Whoever holds a lock after this one sees that it is over.
            *lock(shelf) = Shelf::default();
        }
    }
}

/// What a thread has at hand of it.
pub(crate) struct LiveHere {
    all: Weak<Shelves>,
    /// Where that lies: as long as somebody has it at hand, nothing else does.
    at: usize,
    /// Where it submits, and how many tasks less than it may.
    open: Option<Held>,
    /// Where it ends tasks, by the last digits of the block's number; and of each how many ended here.
    ends: [Option<Held>; AT_HAND],
}

struct Held {
    block: u64,
    words: Arc<Words>,
    count: u64,
}

impl LiveHere {
    pub(crate) fn of(live: &Live) -> LiveHere {
        let (all, at) = (Arc::downgrade(&live.0), live.at());
        LiveHere { all, at, open: None, ends: [const { None }; AT_HAND] }
    }

    /// Whether it is of this one.
    #[inline]
    pub(crate) fn is_of(&self, live: &Live) -> bool {
        self.at == live.at()
    }

    /// Whether what it is of is gone, or over.
    pub(crate) fn is_over(&self) -> bool {
        self.all.upgrade().is_none_or(|all| all.is_over.load(Ordering::Relaxed))
    }

    /// A task was submitted, of which this is known: less than the greatest number.
    #[inline]
    pub(crate) fn begin(&mut self, live: &Live, task: u64, known: u32) {
        let block = task / SIZE;
        let held = match &mut self.open {
            Some(held) if held.block == block => held,
            _ => self.reopen(live, block),
        };
        held.count += 1;
        // ORDERING: Relaxed: whoever asks for the task has heard of it, after this.
        held.words[(task % SIZE) as usize].store(known + 1, Ordering::Relaxed);
    }

    #[cold]
    #[inline(never)]
    fn reopen(&mut self, live: &Live, block: u64) -> &mut Held {
        if let Some(full) = self.open.take() {
            live.0.close(full.block, SIZE.saturating_sub(full.count));
        }
        let words = live.0.open(block, SIZE);
        self.open.insert(Held { block, words, count: 0 })
    }

    /// What is known of a task; nothing of one that was never told of here.
    #[inline]
    pub(crate) fn get(&mut self, live: &Live, task: u64) -> Option<u32> {
        let held = self.held(live, task / SIZE)?;
        read(held, task)
    }

    /// Likewise, where it has ended: nobody asks for it any more.
    #[inline]
    pub(crate) fn end(&mut self, live: &Live, task: u64) -> Option<u32> {
        let held = self.held(live, task / SIZE)?;
        let known = read(held, task)?;
        held.count += 1;
        Some(known)
    }

    #[inline]
    fn held(&mut self, live: &Live, block: u64) -> Option<&mut Held> {
        let place = &mut self.ends[(block % AT_HAND as u64) as usize];
        if place.as_ref().is_none_or(|held| held.block != block) {
            LiveHere::fetch(live, block, place);
        }
        place.as_mut().filter(|held| held.block == block)
    }

    #[cold]
    #[inline(never)]
    fn fetch(live: &Live, block: u64, place: &mut Option<Held>) {
        if let Some(words) = live.0.find(block)
            && let Some(before) = place.replace(Held { block, words, count: 0 })
        {
            live.0.close(before.block, before.count + 1);
        }
    }
}

#[inline]
fn read(held: &Held, task: u64) -> Option<u32> {
    held.words[(task % SIZE) as usize].load(Ordering::Relaxed).checked_sub(1)
}

/// The thread ends, or turns to others.
impl Drop for LiveHere {
    fn drop(&mut self) {
        let Some(all) = self.all.upgrade() else { return };
        if let Some(open) = self.open.take() {
            all.close(open.block, SIZE.saturating_sub(open.count));
        }
        for held in self.ends.iter_mut().filter_map(Option::take) {
            all.close(held.block, held.count + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Live {
        /// How many blocks there are.
        fn blocks(&self) -> usize {
            self.0.shelves.iter().map(|shelf| lock(shelf).len()).sum()
        }
    }

    #[test]
    fn what_is_known_of_tasks_is_found_by_any_thread_and_gone_when_they_have_ended() {
        const TASKS: u64 = 100_000;
        let live = Live::default();
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let live = &live;
                let (tell, told) = std::sync::mpsc::sync_channel(1_000);
                // As threads take numbers: in stretches, of which some are another's.
                let ids = (0..TASKS).map(move |k| (k / 100 * 4 + thread) * 100 + k % 100 + 1);
                scope.spawn(move || {
                    let mut here = LiveHere::of(live);
                    for id in ids {
                        here.begin(live, id, id as u32);
                        tell.send(id).unwrap();
                    }
                });
                scope.spawn(move || {
                    let mut here = LiveHere::of(live);
                    let mut late = Vec::new();
                    for id in told {
                        assert_eq!(here.get(live, id), Some(id as u32));
                        // A few take long.
                        if id % 1_000 == 0 {
                            late.push(id);
                        } else {
                            assert_eq!(here.end(live, id), Some(id as u32));
                        }
                    }
                    for id in late {
                        assert_eq!(here.end(live, id), Some(id as u32));
                    }
                    assert_eq!(here.end(live, 4 * TASKS + 1_000), None);
                });
            }
        });
        assert_eq!(live.blocks(), 0);
    }

    #[test]
    fn there_are_only_blocks_of_tasks_under_way() {
        let live = Live::default();
        let mut here = LiveHere::of(&live);
        for id in 0..1_000 * SIZE {
            // Of others nothing is told here.
            if id % 3 == 0 {
                here.begin(&live, id, 7);
                assert_eq!(here.end(&live, id), Some(7));
                assert_eq!(here.get(&live, id + 1), None);
            }
            assert!(live.blocks() <= AT_HAND + 1);
        }
        here.begin(&live, 5, 1);
        drop(here);
        assert_eq!(live.blocks(), 1);
        assert_eq!(LiveHere::of(&live).end(&live, 5), Some(1));
        assert_eq!(live.blocks(), 0);
        let here = LiveHere::of(&live);
        assert!(!here.is_over());
        drop(live);
        assert!(here.is_over());
    }
}
