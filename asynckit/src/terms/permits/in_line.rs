//! What one can do with a place in line, and what is told of it.

use super::InLine;
use crate::sync::lock;
use crate::terms::watched::Watched;

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
