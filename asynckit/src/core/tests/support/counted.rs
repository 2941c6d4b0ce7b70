//! Values that count themselves, and gates.

use std::sync::atomic::AtomicBool;

use super::eventually;
use crate::sync::{Arc, AtomicUsize, Ordering::SeqCst};

/// Values that count themselves.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    pub(crate) made: Arc<AtomicUsize>,
    pub(crate) clones: Arc<AtomicUsize>,
    pub(crate) drops: Arc<AtomicUsize>,
}

impl Tally {
    pub(crate) fn value(&self, number: usize) -> Counted {
        self.made.fetch_add(1, SeqCst);
        Counted { number, tally: self.clone() }
    }

    pub(crate) fn clones(&self) -> usize {
        self.clones.load(SeqCst)
    }

    pub(crate) fn drops(&self) -> usize {
        self.drops.load(SeqCst)
    }

    /// How many there are now.
    pub(crate) fn alive(&self) -> usize {
        self.made.load(SeqCst) + self.clones() - self.drops()
    }
}

pub(crate) struct Counted {
    pub(crate) number: usize,
    tally: Tally,
}

impl Clone for Counted {
    fn clone(&self) -> Counted {
        self.tally.clones.fetch_add(1, SeqCst);
        Counted { number: self.number, tally: self.tally.clone() }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.tally.drops.fetch_add(1, SeqCst);
    }
}

/// A gate that threads wait at until it is opened.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<AtomicBool>);

impl Gate {
    pub(crate) fn open(&self) {
        self.0.store(true, SeqCst);
    }
    pub(crate) fn is_open(&self) -> bool {
        self.0.load(SeqCst)
    }
    pub(crate) fn pass(&self) {
        eventually(|| self.is_open());
    }
}
