//! What one can do with a permit, and with a place in line.

use super::{InLine, Permit, Permits};
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
        lock(&self.permits.state).supply.split();
        Permit { permits: self.permits.clone(), weight, number: 0, told: None }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // Before it goes to the next in line. Turns don't.
        if let Some(watched) = self.told.take() {
            watched.gave(self.permits.facts, self.weight);
        }
        if self.permits.is_timed() {
            return;
        }
        let mut state = lock(&self.permits.state);
        state.taken -= self.weight;
        state.supply.give_back(self.weight);
        let left = state.holders.remove(&self.number);
        drop(state);
        drop(left);
        self.permits.hand_on();
    }
}

impl InLine {
    /// Tells that so much is wanted here, and has it told if the line is left without.
    pub(crate) fn tell(&self, watched: Watched, weight: usize) {
        watched.joined(self.permits.facts, weight, self.ahead);
        lock(&self.waiter.slot).told.push((watched, weight));
    }

    /// Who stands here can't go on for now, whatever it gets.
    pub(crate) fn step_aside(&self) {
        self.tell_left();
        let mut slot = lock(&self.waiter.slot);
        slot.stepped_aside = true;
        let permit = slot.permit.take();
        drop(slot);
        drop(permit);
        self.give_up();
    }

    pub(crate) fn give_up(&self) {
        // Before others get on.
        self.tell_left();
        let mut state = lock(&self.permits.state);
        let in_line = state.take_out(self.number);
        drop(state);
        // Who is next now may find room.
        if in_line.is_some() {
            self.permits.hand_on();
        }
    }

    /// Once, as nothing is told of who has got what it stood here for.
    fn tell_left(&self) {
        let told = std::mem::take(&mut lock(&self.waiter.slot).told);
        for (watched, weight) in told {
            watched.left(self.permits.facts, weight);
        }
    }
}
