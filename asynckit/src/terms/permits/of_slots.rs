//! The line for slots of a jobserver (`slots.rs`).

use std::panic::Location;

use super::{LineState, Permits};
use crate::observe::{LimitFacts, LimitId};
use crate::sync::{Arc, lock};
use crate::terms::slots::Slots;
use crate::terms::supply::Supply;

impl Permits {
    /// The line for slots of a jobserver. Who waits needs none.
    pub(crate) fn of_slots(slots: Slots, made_at: &'static Location<'static>) -> Arc<Permits> {
        let facts = LimitFacts { id: LimitId::next(), most: slots.most(), every: None, made_at };
        Permits::with(facts, true, Supply::Slots(slots), None)
    }

    /// Somebody stands in line: has a slot fetched, if that helps.
    pub(super) fn fetch_slot(self: &Arc<Self>, state: &mut LineState) {
        if let Supply::Slots(slots) = &mut state.supply {
            let line = Arc::downgrade(self);
            slots.fetch(move |token| line.upgrade().is_some_and(|line| line.arrived(token)));
        }
    }

    /// A slot has come, for who is first in line; whether another one is wanted.
    fn arrived(self: &Arc<Self>, token: std::io::Result<jobserver::Acquired>) -> bool {
        if let Supply::Slots(slots) = &mut lock(&self.state).supply {
            slots.put(token);
        }
        self.hand_on();
        let LineState { supply, line, .. } = &mut *lock(&self.state);
        let Supply::Slots(slots) = supply else { return false };
        slots.fetches_on(!line.is_empty())
    }
}
