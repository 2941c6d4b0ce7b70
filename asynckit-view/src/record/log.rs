//! A list of words that one thread appends to, while others may read what is there. Nobody ever waits, and nothing takes
//! an atomic step that locks.
//!
//! It lies in blocks. A block's words are written first, then its length; so whoever has seen the length
//! sees the words.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// The words of a block, unless one entry needs more.
const BLOCK: usize = 1 << 13;
/// The words of the first one: there are threads that tell of little. The next ones grow.
const FIRST: usize = 1 << 5;

struct Block {
    words: Box<[AtomicU32]>,
    length: AtomicUsize,
    next: OnceLock<Arc<Block>>,
}

impl Block {
    fn new(words: usize) -> Arc<Block> {
        let words = (0..words).map(|_| AtomicU32::new(0)).collect();
        Arc::new(Block { words, length: AtomicUsize::new(0), next: OnceLock::new() })
    }
}

/// The end at which one thread writes.
pub(super) struct Writer {
    block: Arc<Block>,
    length: usize,
}

/// The beginning, from which anybody reads.
pub(super) struct Log(Arc<Block>);

/// A new one, and how many words of memory it took.
pub(super) fn log() -> (Writer, Log, usize) {
    let block = Block::new(FIRST);
    (Writer { block: block.clone(), length: 0 }, Log(block), FIRST)
}

/// Writes one entry, which nobody sees before it is whole.
#[derive(Clone, Copy)]
pub(super) struct Pen<'a> {
    /// What is left, from where it goes on.
    words: &'a [AtomicU32],
}

/// In place of a number that has no room in a word, and follows in two.
const WIDE: u32 = u32::MAX;
/// The words that a number takes at most.
pub(super) const NUMBER: usize = 3;

impl<'a> Pen<'a> {
    /// How much room is left in the block.
    #[inline(always)]
    pub(super) fn left(&self) -> usize {
        self.words.len()
    }

    #[inline(always)]
    pub(super) fn word(&mut self, word: u32) {
        self.words = write(self.words, [word]);
    }

    /// Leaves room for a word that follows from what is written behind it.
    #[inline(always)]
    pub(super) fn later(&mut self) -> Later<'a> {
        let there = self.words.split_first();
        debug_assert!(there.is_some(), "an entry has more words than was said");
        let (place, rest) = there.unzip();
        self.words = rest.unwrap_or_default();
        Later(place)
    }

    /// A number, in a word if it is small.
    #[inline(always)]
    pub(super) fn number(&mut self, number: u64) {
        self.words = match short(number) {
            Some(word) => write(self.words, [word]),
            None => wide(self.words, number),
        };
    }
}

/// Room for one word.
pub(super) struct Later<'a>(Option<&'a AtomicU32>);

impl Later<'_> {
    #[inline(always)]
    pub(super) fn write(self, word: u32) {
        if let Some(place) = self.0 {
            // ORDERING: as in `write`.
            place.store(word, Ordering::Relaxed);
        }
    }
}

/// Writes words at the beginning of what is left, and tells what is left then. (By value, so that a pen is in registers.)
#[inline(always)]
fn write<const N: usize>(left: &[AtomicU32], words: [u32; N]) -> &[AtomicU32] {
    let there = left.split_first_chunk::<N>();
    debug_assert!(there.is_some(), "an entry has more words than was said");
    let Some((places, rest)) = there else { return left };
    for (place, word) in places.iter().zip(words) {
        // ORDERING: the store of the length, in `Writer::end`, publishes it.
        place.store(word, Ordering::Relaxed);
    }
    rest
}

#[cold]
#[inline(never)]
fn wide(left: &[AtomicU32], number: u64) -> &[AtomicU32] {
    write(left, [WIDE, number as u32, (number >> 32) as u32])
}

/// The one word that a number takes, if it does.
#[inline(always)]
pub(super) fn short(number: u64) -> Option<u32> {
    u32::try_from(number).ok().filter(|&word| word != WIDE)
}

/// Reads a number.
pub(super) fn number(words: &mut std::slice::Iter<'_, u32>) -> Option<u64> {
    let mut next = || words.next().map(|&word| u64::from(word));
    match next()? {
        wide if wide == u64::from(WIDE) => Some(next()? | next()? << 32),
        number => Some(number),
    }
}

impl Writer {
    /// One that writes nowhere.
    pub(super) fn none() -> Writer {
        Writer { block: Block::new(0), length: 0 }
    }

    /// Begins an entry of so many words at most; and how many words of memory that took anew.
    #[inline(always)]
    pub(super) fn begin(&mut self, most: usize) -> (Pen<'_>, usize) {
        let mut taken = 0;
        if self.length + most > self.block.words.len() {
            taken = self.grow(most);
        }
        (Pen { words: &self.block.words[self.length..] }, taken)
    }

    /// Ends the entry that has left so much room in its block.
    #[inline(always)]
    pub(super) fn end(&mut self, left: usize) {
        self.length = self.block.words.len() - left;
        // ORDERING: release, for the acquiring load in `Log::words`.
        self.block.length.store(self.length, Ordering::Release);
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, entry: usize) -> usize {
        let words = (2 * self.block.words.len()).clamp(FIRST, BLOCK).max(entry);
        let next = Block::new(words);
        // Only this thread sets it, and only once.
        let _ = self.block.next.set(next.clone());
        (self.block, self.length) = (next, 0);
        words
    }
}

impl Log {
    /// All words that were written up to now. Entries are whole.
    pub(super) fn words(&self) -> Vec<u32> {
        let mut words = Vec::new();
        let mut block = Some(&self.0);
        while let Some(here) = block {
            // First: where there is a next one, nothing more is written to this one. Else it would be possible to miss
            // its last words, and see later ones.
            let next = here.next.get();
            // ORDERING: acquire, for the releasing store in `Writer::end`.
            let length = here.length.load(Ordering::Acquire);
            words.extend(here.words[..length].iter().map(|word| word.load(Ordering::Relaxed)));
            block = next;
        }
        words
    }
}

/// One block after the other: a long list must not drop itself recursively.
impl Drop for Log {
    fn drop(&mut self) {
        let first = std::mem::replace(&mut self.0, Block::new(0));
        let mut block = Arc::into_inner(first);
        while let Some(mut here) = block {
            block = here.next.take().and_then(Arc::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Writer {
        fn push(&mut self, entry: &[u32]) {
            let (mut pen, _) = self.begin(entry.len());
            entry.iter().for_each(|&word| pen.word(word));
            let left = pen.left();
            self.end(left);
        }
    }

    #[test]
    fn what_is_written_is_read_in_order_and_whole_while_more_is_written() {
        let (mut writer, log, _) = log();
        const ENTRIES: u32 = 20_000;
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for n in 0..ENTRIES {
                    writer.push(&[n, n + 1, n + 2]);
                }
            });
            let mut seen = 0;
            while seen < ENTRIES {
                let words = log.words();
                let (entries, rest) = words.as_chunks::<3>();
                assert!(rest.is_empty());
                assert!((0..).zip(entries).all(|(n, entry)| *entry == [n, n + 1, n + 2]));
                assert!(entries.len() as u32 >= seen);
                seen = entries.len() as u32;
            }
        });
    }

    #[test]
    fn a_long_log_drops_without_recursion() {
        let (mut writer, log, _) = log();
        let entry = vec![1; BLOCK];
        for _ in 0..2_000 {
            writer.push(&entry);
        }
        let small = std::thread::Builder::new().stack_size(64 << 10);
        small.spawn(move || drop(log)).unwrap().join().unwrap();
    }
}
