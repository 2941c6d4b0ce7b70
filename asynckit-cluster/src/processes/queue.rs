//! Calls that wait for a process: in their order, but for those of functions that run as often as they may.

use std::collections::{HashMap, VecDeque};

use crate::seam::{About, Outgoing};
use crate::status;
use crate::wire::{CallId, FunctionId};

#[derive(Default)]
pub(super) struct Queue {
    ready: VecDeque<Outgoing>,
    /// Those of functions at their limit.
    held: HashMap<FunctionId, VecDeque<Outgoing>>,
    /// How many calls of a function are with processes, where that is limited.
    out: HashMap<FunctionId, usize>,
    /// All that wait, and the newest delivery of each. What is withdrawn is taken out of here, and found to be gone when
    /// its turn comes; so is an older delivery of what has come again.
    waiting: HashMap<CallId, u32>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn push(&mut self, outgoing: Outgoing) {
        if outgoing.call.delivery > 1 {
            // It has had its turn, and where processes are killed all the time, the sooner it has run the less likely it is
            // there at the next time. Of several in their order.
            let at = self.ready.iter().position(|one| one.call.delivery == 1);
            self.enter(&outgoing);
            return self.ready.insert(at.unwrap_or(self.ready.len()), outgoing);
        }
        self.enter(&outgoing);
        self.ready.push_back(outgoing);
    }

    /// Back to where it came from by `next`.
    pub(super) fn push_back(&mut self, outgoing: Outgoing) {
        self.leaves(&outgoing.about);
        self.push_first(outgoing);
    }

    /// In front of the others.
    pub(super) fn push_first(&mut self, outgoing: Outgoing) {
        self.enter(&outgoing);
        self.ready.push_front(outgoing);
    }

    fn enter(&mut self, outgoing: &Outgoing) {
        let newest = self.waiting.entry(outgoing.call.id).or_default();
        *newest = outgoing.call.delivery.max(*newest);
    }

    /// The next one that may go out; from then on it counts in its function's limit.
    pub(super) fn next(&mut self) -> Option<Outgoing> {
        loop {
            let next = self.next_ready();
            if next.is_some() || !self.move_up() {
                return next;
            }
        }
    }

    /// What has left its line is withdrawn, it may be: then the turn is that of the one behind it.
    fn move_up(&mut self) -> bool {
        for (function, held) in &mut self.held {
            let out = self.out.get(function).copied().unwrap_or(0);
            while let Some(first) = held.pop_front() {
                if !waits(&self.waiting, &first) {
                    continue;
                }
                if first.about.limit.is_some_and(|limit| out >= limit.get()) {
                    held.push_front(first);
                    break;
                }
                self.ready.push_back(first);
                return true;
            }
        }
        false
    }

    fn next_ready(&mut self) -> Option<Outgoing> {
        while let Some(outgoing) = self.ready.pop_front() {
            if !waits(&self.waiting, &outgoing) {
                continue;
            }
            if let Some(limit) = outgoing.about.limit {
                let out = self.out.entry(outgoing.about.function).or_default();
                if *out >= limit.get() {
                    self.held.entry(outgoing.about.function).or_default().push_back(outgoing);
                    continue;
                }
                *out += 1;
            }
            self.waiting.remove(&outgoing.call.id);
            return Some(outgoing);
        }
        None
    }

    /// A call of this function is with a process no more.
    pub(super) fn leaves(&mut self, about: &About) {
        if about.limit.is_none() {
            return;
        }
        if let Some(out) = self.out.get_mut(&about.function) {
            *out = out.saturating_sub(1);
        }
        let Some(held) = self.held.get_mut(&about.function) else { return };
        // One that still waits: for one that is gone the others would have no turn.
        while let Some(first) = held.pop_front() {
            if waits(&self.waiting, &first) {
                return self.ready.push_front(first);
            }
        }
    }

    /// Takes a call out; `false` where it is not here.
    pub(super) fn remove(&mut self, id: CallId) -> bool {
        let was_there = self.waiting.remove(&id).is_some();
        // What is gone has arguments still, and may lie behind one whose turn is long in coming.
        let here = self.ready.len() + self.held.values().map(VecDeque::len).sum::<usize>();
        if here > 2 * self.waiting.len() + 8 || self.waiting.is_empty() {
            let waiting = &self.waiting;
            self.ready.retain(|one| waits(waiting, one));
            self.held.values_mut().for_each(|held| held.retain(|one| waits(waiting, one)));
        }
        was_there
    }

    /// All that wait, taken out.
    pub(super) fn take_all(&mut self) -> Vec<CallId> {
        self.ready.clear();
        self.held.clear();
        self.waiting.drain().map(|(id, _)| id).collect()
    }

    /// How many wait, by function.
    pub(super) fn by_function(&self) -> Vec<(String, usize)> {
        let all = self.ready.iter().chain(self.held.values().flatten());
        let waiting = all.filter(|outgoing| waits(&self.waiting, outgoing));
        status::by_function(waiting.map(|outgoing| outgoing.about.path))
    }
}

/// Whether it is the newest delivery of a call that waits.
fn waits(waiting: &HashMap<CallId, u32>, outgoing: &Outgoing) -> bool {
    waiting.get(&outgoing.call.id) == Some(&outgoing.call.delivery)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(queue: &mut Queue) -> Option<(u64, u32)> {
        queue.next().map(|one| (one.call.id.number, one.call.delivery))
    }

    #[test]
    fn what_comes_again_goes_out_once_as_its_newest_delivery() {
        let (mut queue, about) = (Queue::default(), About::limited(None));
        queue.push(Outgoing::delivered(1, 1, &about));
        // So that the first one is not forgotten altogether when it is taken back.
        queue.push(Outgoing::delivered(2, 1, &about));
        assert!(queue.remove(CallId { run: 1, number: 1 }));
        queue.push(Outgoing::delivered(1, 2, &about));
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.by_function(), [("f".to_owned(), 2)]);
        queue.push(Outgoing::delivered(3, 2, &about));
        assert_eq!(next(&mut queue), Some((1, 2)), "it has had its turn before");
        assert_eq!(next(&mut queue), Some((3, 2)));
        assert_eq!(next(&mut queue), Some((2, 1)));
        assert_eq!(next(&mut queue), None);
    }

    /// A process gives the older delivery back when the newer one is here already, or the other way round.
    #[test]
    fn an_older_delivery_does_not_take_the_place_of_a_newer_one() {
        let (mut queue, about) = (Queue::default(), About::limited(None));
        queue.push(Outgoing::delivered(1, 2, &about));
        queue.push_first(Outgoing::delivered(1, 1, &about));
        assert_eq!(next(&mut queue), Some((1, 2)));
        assert_eq!(next(&mut queue), None);
        assert_eq!(queue.len(), 0);
    }

    /// With their arguments, which may be much.
    #[test]
    fn what_is_withdrawn_behind_one_that_waits_is_not_kept() {
        for limit in [None, Some(1)] {
            let (mut queue, about) = (Queue::default(), About::limited(limit));
            queue.push(Outgoing::delivered(1, 1, &about));
            queue.push(Outgoing::delivered(2, 1, &about));
            let first = next(&mut queue);
            for number in 3..10_000 {
                queue.push(Outgoing::delivered(number, 1, &about));
                assert_eq!(limit.and_then(|_| next(&mut queue)), None);
                assert!(queue.remove(CallId { run: 1, number }));
            }
            let kept = queue.ready.len() + queue.held.values().map(VecDeque::len).sum::<usize>();
            assert!(kept < 20, "{kept} are kept");
            queue.leaves(&about);
            assert_eq!((first, next(&mut queue)), (Some((1, 1)), Some((2, 1))));
        }
    }

    #[test]
    fn a_call_behind_one_that_is_withdrawn_has_its_turn_within_a_limit() {
        let (mut queue, about) = (Queue::default(), About::limited(Some(1)));
        (1..=3).for_each(|number| queue.push(Outgoing::delivered(number, 1, &about)));
        assert_eq!(next(&mut queue), Some((1, 1)));
        assert_eq!(next(&mut queue), None, "two are held");
        assert!(queue.remove(CallId { run: 1, number: 2 }));
        queue.leaves(&about);
        assert_eq!(next(&mut queue), Some((3, 1)));
    }

    /// It has left its line, and no process was free for it.
    #[test]
    fn a_call_behind_one_that_is_withdrawn_at_its_turn_has_its_own() {
        let (mut queue, about) = (Queue::default(), About::limited(Some(1)));
        (1..=3).for_each(|number| queue.push(Outgoing::delivered(number, 1, &about)));
        assert_eq!((next(&mut queue), next(&mut queue)), (Some((1, 1)), None));
        queue.leaves(&about);
        assert!(queue.remove(CallId { run: 1, number: 2 }));
        assert_eq!((next(&mut queue), next(&mut queue)), (Some((3, 1)), None));
        queue.leaves(&about);
        assert_eq!((next(&mut queue), queue.len()), (None, 0));
    }
}
