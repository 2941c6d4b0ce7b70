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

struct LogBlock {
    words: Box<[AtomicU32]>,
    length: AtomicUsize,
    next: OnceLock<Arc<LogBlock>>,
}

impl LogBlock {
    fn new(words: usize) -> Arc<LogBlock> {
        let words = (0..words).map(|_| AtomicU32::new(0)).collect();
        Arc::new(LogBlock { words, length: AtomicUsize::new(0), next: OnceLock::new() })
    }
}

/// The end at which one thread writes.
pub(super) struct Writer {
    block: Arc<LogBlock>,
    length: usize,
}

/// The beginning, from which anybody reads.
pub(super) struct Log(Arc<LogBlock>);

/// A new one, and how many words of memory it took.
pub(super) fn log() -> (Writer, Log, usize) {
    let block = LogBlock::new(FIRST);
    (Writer { block: block.clone(), length: 0 }, Log(block), FIRST)
}

/// Writes one entry, which nobody sees before it is whole.
#[derive(Clone)]
pub(super) struct Pen<'a> {
    /// The room that is left, from where it goes on.
    left: std::slice::Iter<'a, AtomicU32>,
}

/// In place of a number that has no room in a word, and follows in two.
const WIDE: u32 = u32::MAX;
/// The words that a number takes at most.
pub(super) const NUMBER: usize = 3;

impl<'a> Pen<'a> {
    /// How much room is left in the block.
    #[inline(always)]
    pub(super) fn left(&self) -> usize {
        self.left.len()
    }

    #[inline(always)]
    pub(super) fn word(&mut self, word: u32) {
        self.later().write(word);
    }

    /// Leaves room for a word that follows from what is written behind it.
    #[inline(always)]
    pub(super) fn later(&mut self) -> Later<'a> {
        let place = self.left.next();
        debug_assert!(place.is_some(), "an entry has more words than was said");
        Later(place)
    }

    /// A number, in a word if it is small.
    #[inline(always)]
    pub(super) fn number(&mut self, number: u64) {
        match short(number) {
            Some(word) => self.word(word),
            // By value, so that a pen is in registers.
            None => *self = self.clone().wide(number),
        }
    }

    #[cold]
    #[inline(never)]
    fn wide(mut self, number: u64) -> Pen<'a> {
        for word in [WIDE, number as u32, (number >> 32) as u32] {
            self.word(word);
        }
        self
    }
}

/// Room for one word.
pub(super) struct Later<'a>(Option<&'a AtomicU32>);

impl Later<'_> {
    #[inline(always)]
    pub(super) fn write(self, word: u32) {
        if let Some(place) = self.0 {
            // ORDERING: Relaxed: the store of the length, in `Writer::end`, publishes it.
            place.store(word, Ordering::Relaxed);
        }
    }
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
        Writer { block: LogBlock::new(0), length: 0 }
    }

    /// Begins an entry of so many words at most; and how many words of memory that took anew.
    #[inline(always)]
    pub(super) fn begin(&mut self, most: usize) -> (Pen<'_>, usize) {
        let mut taken = 0;
        if self.length + most > self.block.words.len() {
            taken = self.grow(most);
        }
        (Pen { left: self.block.words[self.length..].iter() }, taken)
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
        let next = LogBlock::new(words);
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
        let first = std::mem::replace(&mut self.0, LogBlock::new(0));
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
