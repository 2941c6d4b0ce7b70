//! Calls that wait for a process: in their order, but for those of functions that run as often as they may.

use std::collections::{HashMap, HashSet, VecDeque};

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
    /// All that wait. What is withdrawn is taken out of here, and found to be gone when its turn comes.
    waiting: HashSet<CallId>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn push(&mut self, outgoing: Outgoing) {
        self.waiting.insert(outgoing.call.id);
        self.ready.push_back(outgoing);
    }

    /// Back to where it came from by `next`.
    pub(super) fn push_back(&mut self, outgoing: Outgoing) {
        self.leaves(&outgoing.about);
        self.push_first(outgoing);
    }

    /// In front of the others.
    pub(super) fn push_first(&mut self, outgoing: Outgoing) {
        self.waiting.insert(outgoing.call.id);
        self.ready.push_front(outgoing);
    }

    /// The next one that may go out; from then on it counts in its function's limit.
    pub(super) fn next(&mut self) -> Option<Outgoing> {
        while let Some(outgoing) = self.ready.pop_front() {
            if !self.waiting.contains(&outgoing.call.id) {
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
        let held = self.held.get_mut(&about.function);
        if let Some(first) = held.and_then(VecDeque::pop_front) {
            self.ready.push_front(first);
        }
    }

    /// Takes a call out; `false` where it is not here.
    pub(super) fn remove(&mut self, id: CallId) -> bool {
        let was_there = self.waiting.remove(&id);
        if self.waiting.is_empty() {
            self.ready.clear();
            self.held.clear();
        }
        was_there
    }

    /// All that wait, taken out.
    pub(super) fn take_all(&mut self) -> Vec<CallId> {
        self.ready.clear();
        self.held.clear();
        self.waiting.drain().collect()
    }

    /// How many wait, by function.
    pub(super) fn by_function(&self) -> Vec<(String, usize)> {
        let all = self.ready.iter().chain(self.held.values().flatten());
        let waiting = all.filter(|outgoing| self.waiting.contains(&outgoing.call.id));
        status::by_function(waiting.map(|outgoing| outgoing.about.path))
    }
}
