//! The phases of a pool: open, stopping, closed.
//!
//! *Named race, "the late submission":* work is queued while the pool is closed. The submitter queues, and
//! then (`Attention::has_callable`) looks whether the pool is closed; whoever closes it says so, has all threads
//! fence, and empties the queues. One of them finds the task. For work that waits rather than being queued
//! see `roots.rs`.

use crate::sync::{AtomicU8, Ordering};

/// Which phase a pool is in, which only goes forward; and whether it is a plain one.
pub(crate) struct Phase(AtomicU8);

/// There is something to see to for each task of the pool, from its beginning on.
const SPECIAL: u8 = 4;
/// Somebody looks on to it.
const WATCHED: u8 = 16;
/// It has no thread at all, as none could be started.
const STARVES: u8 = 8;
const PHASE: u8 = 3;

/// Takes work from anywhere.
const OPEN: u8 = 0;
/// Takes work from its own tasks alone.
const STOPPING: u8 = 1;
/// Takes no work, and begins none.
const CLOSED: u8 = 2;

// ORDERING: SeqCst throughout: "the late submission", and *the late task*.
impl Phase {
    pub(crate) fn open(plain: bool) -> Phase {
        Phase(AtomicU8::new(if plain { OPEN } else { SPECIAL }))
    }

    /// Whether it is open and plain, and nobody looks on: one look.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.0.load(Ordering::SeqCst) == OPEN
    }

    /// Whether it is open, and plain but for those who look on.
    #[inline]
    pub(crate) fn is_plainly_watched(&self) -> bool {
        self.0.load(Ordering::SeqCst) == OPEN | WATCHED
    }

    /// Whether its tasks run, and there is nothing to see to for each, besides who looks on.
    #[inline]
    pub(crate) fn runs_plainly(&self) -> bool {
        self.0.load(Ordering::SeqCst) & (CLOSED | SPECIAL) == 0
    }

    /// From now on somebody looks on, or nobody does.
    pub(crate) fn set_watched(&self, watched: bool) {
        if watched {
            self.0.fetch_or(WATCHED, Ordering::SeqCst);
        } else {
            self.0.fetch_and(!WATCHED, Ordering::SeqCst);
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.0.load(Ordering::SeqCst) & PHASE == OPEN
    }

    pub(crate) fn is_stopping(&self) -> bool {
        !self.is_open()
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.0.load(Ordering::SeqCst) & CLOSED != 0
    }

    pub(crate) fn starves(&self) -> bool {
        self.0.load(Ordering::SeqCst) & STARVES != 0
    }

    pub(crate) fn set_starves(&self, starves: bool) {
        if starves {
            self.0.fetch_or(STARVES, Ordering::SeqCst);
        } else {
            self.0.fetch_and(!STARVES, Ordering::SeqCst);
        }
    }

    pub(crate) fn begin_stop(&self) {
        self.0.fetch_or(STOPPING, Ordering::SeqCst);
    }

    pub(crate) fn close(&self) {
        self.0.fetch_or(CLOSED, Ordering::SeqCst);
    }
}
