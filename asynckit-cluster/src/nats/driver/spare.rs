//! Large arguments on the server, and which of them are there though no open call needs them: a next call may have the
//! same, and does not have to send it again.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::wire::Hash;

/// How long one is kept after the last call that needed it.
const KEPT: Duration = Duration::from_secs(60);

/// How many bytes of such are kept.
const MOST: u64 = 256 << 20;

#[derive(Default)]
pub(super) struct Larges {
    /// How many open calls need each.
    needed: HashMap<Hash, usize>,
    /// What no open call needs, how large it is, and since when; from the oldest on.
    spare: VecDeque<(Hash, u64, Instant)>,
}

impl Larges {
    /// A call needs this one.
    pub(super) fn need(&mut self, hash: Hash) {
        *self.needed.entry(hash).or_default() += 1;
        self.spare.retain(|(its, ..)| *its != hash);
    }

    /// A call has needed it, and is over.
    pub(super) fn release(&mut self, hash: Hash, size: u64, now: Instant) {
        let Some(count) = self.needed.get_mut(&hash) else { return };
        *count -= 1;
        if *count == 0 {
            self.needed.remove(&hash);
            self.there(hash, size, now);
        }
    }

    /// It has been stored, maybe after the last call that needs it was over.
    pub(super) fn there(&mut self, hash: Hash, size: u64, now: Instant) {
        if !self.needed.contains_key(&hash) {
            self.spare.retain(|(its, ..)| *its != hash);
            self.spare.push_back((hash, size, now));
        }
    }

    /// What is to go by now.
    pub(super) fn old(&mut self, now: Instant) -> Vec<Hash> {
        let mut size: u64 = self.spare.iter().map(|(_, size, _)| size).sum();
        let mut old = Vec::new();
        while let Some((hash, its, since)) = self.spare.front().copied()
            && (size > MOST || now.duration_since(since) >= KEPT)
        {
            size -= its;
            old.push(hash);
            self.spare.pop_front();
        }
        old
    }

    /// All that no call needs.
    pub(super) fn all_spare(&mut self) -> Vec<Hash> {
        self.spare.drain(..).map(|(hash, ..)| hash).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Hash = [1; 32];
    const B: Hash = [2; 32];

    #[test]
    fn what_no_call_needs_is_kept_for_a_while() {
        let (mut larges, now) = (Larges::default(), Instant::now());
        larges.need(A);
        larges.need(A);
        larges.release(A, 1, now);
        assert_eq!(larges.old(now + 2 * KEPT), [[0; 32]; 0], "a call needs it");
        larges.release(A, 1, now);
        assert_eq!(larges.old(now + KEPT / 2), [[0; 32]; 0]);
        // Needed again, it is kept from then on.
        larges.need(A);
        larges.release(A, 1, now + KEPT);
        assert_eq!(larges.old(now + KEPT), [[0; 32]; 0]);
        assert_eq!(larges.old(now + 2 * KEPT), [A]);
        assert_eq!(larges.old(now + 3 * KEPT), [[0; 32]; 0]);
    }

    #[test]
    fn the_oldest_go_when_they_are_too_large() {
        let (mut larges, now) = (Larges::default(), Instant::now());
        for hash in [A, B] {
            larges.need(hash);
            larges.release(hash, MOST, now);
        }
        // It has arrived only now.
        larges.there(B, MOST, now);
        assert_eq!(larges.old(now), [A]);
        assert_eq!(larges.all_spare(), [B]);
    }
}
