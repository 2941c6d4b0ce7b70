//! Edges of dependents that were given up: how many there are in a cell's list, when that is swept, and who may not be.

use super::{LACK, State};
use crate::sync::{Ordering, weakened};

/// It was given up, and lets go of its inputs: what becomes of these is of no concern to it.
const DEAF: u64 = 1 << 10;
/// One edge in its list whose dependent was given up.
const DEAD: u64 = 1 << 11;
const DEADS: u64 = SWEEP_AT - DEAD;
/// The list is swept when 2 to this power of its edges are dead: at most half of those that were alive when it was swept
/// last, so that never more are dead than alive.
const SWEEP_AT: u64 = 1 << 28;
const SWEEPS_AT: u64 = LACK - SWEEP_AT;

impl State {
    /// Who has seized it lets go of its inputs, and it need not hear if one of them fails.
    #[cold]
    pub(crate) fn mark_deaf(&self) {
        // ORDERING: Release, against the one below: whoever sweeps the edges sees that nobody goes by them.
        self.0.fetch_or(DEAF, Ordering::AcqRel);
    }

    #[cold]
    pub(crate) fn is_deaf(&self) -> bool {
        self.has(DEAF)
    }

    /// One more edge in its list is dead: whether that is to be swept now. This is said once, until `begin_sweep`.
    #[cold]
    #[must_use]
    pub(crate) fn note_dead(&self) -> bool {
        let mut full = false;
        self.change(|old| {
            let dead = (old & DEADS) / DEAD + 1;
            full = dead == 1 << ((old & SWEEPS_AT) / SWEEP_AT);
            (dead <= DEADS / DEAD).then_some(old + DEAD)
        });
        full
    }

    /// The list is swept next: of all dead edges that were counted so far. What dies from now on is counted anew.
    #[cold]
    pub(crate) fn begin_sweep(&self) {
        if !weakened("swept too late") {
            self.change(|old| Some(old & !DEADS));
        }
    }

    /// The list was swept, and so many edges are left in it; whether so many have died meanwhile that it is to be swept
    /// again.
    #[cold]
    #[must_use]
    pub(crate) fn swept(&self, alive: usize) -> bool {
        let power = u64::from((alive / 2).max(1).ilog2()).min(SWEEPS_AT / SWEEP_AT);
        let mut again = false;
        self.change(|mut old| {
            if weakened("swept too late") {
                old &= !DEADS;
            }
            again = (old & DEADS) / DEAD >= 1 << power;
            Some((old & !SWEEPS_AT) | (power * SWEEP_AT))
        });
        again
    }
}
