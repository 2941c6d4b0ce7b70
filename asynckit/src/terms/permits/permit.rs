//! What one can do with a permit.

use super::{Permit, Permits};
use crate::core::TaskRef;
use crate::sync::{Arc, lock};
use crate::terms::watched::Watched;

impl Permit {
    pub(crate) fn limit(&self) -> &Arc<Permits> {
        &self.permits
    }

    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    /// The task that has it, if that is known.
    pub(crate) fn holder(&self) -> Option<TaskRef> {
        lock(&self.permits.state).holders.get(&self.number).cloned()
    }

    /// It is with another task from now on.
    pub(crate) fn set_holder(&mut self, task: Option<&TaskRef>) {
        let mut state = lock(&self.permits.state);
        let before = state.holders.remove(&self.number);
        self.number = state.hold(task, 0);
        drop(state);
        drop(before);
    }

    /// Who was told of it.
    pub(crate) fn watched(&self) -> Option<&Watched> {
        self.told.as_ref()
    }

    /// Tells of it, and has its return told. Turns don't return.
    pub(crate) fn tell(&mut self, watched: Watched) {
        watched.took(self.permits.facts, self.weight);
        self.told = (!self.permits.is_timed()).then_some(watched);
    }

    /// A part of it, as a permit of its own.
    pub(crate) fn split_off(&mut self, weight: usize) -> Permit {
        self.weight -= weight;
        Permit { permits: self.permits.clone(), weight, number: 0, told: None }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // Before it goes to the next in line.
        if let Some(watched) = self.told.take() {
            watched.gave(self.permits.facts, self.weight);
        }
        let mut state = lock(&self.permits.state);
        if state.supply.comes_back() {
            state.taken -= self.weight;
        }
        let left = state.holders.remove(&self.number);
        let helps = state.supply.give_back(self.weight);
        drop(state);
        drop(left);
        if helps {
            self.permits.hand_on();
        }
    }
}
