//! Failures that were dropped for another one: a list fails with its first failure, and what else fails of it counts as
//! seen when somebody has had that one.
//!
//! Whether anybody has is often known only later, and so is whether a dropped failure is to be reported. Until then
//! its report waits with the *leader*, the failure that it was dropped for. A leader may have a leader of its own,
//! where lists are made of lists; never in a cycle, where two lists share results.

use crate::sync::{Arc, Mutex, OnceLock, lock};

/// A failure as one of several.
pub(crate) struct Company {
    leader: OnceLock<Arc<Company>>,
    state: Mutex<CompanyState>,
}

enum CompanyState {
    /// It is not known whether the failure will have been seen, and these wait for that.
    Open(Vec<Then>),
    /// It was seen, or is gone unseen.
    Known(bool),
}

/// What is done when that is known; and who is the next of whom it is known thereby.
pub(super) type Then = Box<dyn FnOnce(bool) -> Option<Arc<Company>> + Send>;

/// Taken by who ties a failure to its leader, so that nobody closes a cycle meanwhile.
static TIES: Mutex<()> = Mutex::new(());

impl Company {
    pub(super) fn new() -> Arc<Company> {
        let state = Mutex::new(CompanyState::Open(Vec::new()));
        Arc::new(Company { leader: OnceLock::new(), state })
    }

    /// From now on `other` counts as seen when this one is.
    pub(crate) fn takes(self: &Arc<Company>, other: &Arc<Company>) {
        let _ties = lock(&TIES);
        let mut leaders = std::iter::successors(Some(self), |company| company.leader.get());
        if !leaders.any(|leader| Arc::ptr_eq(leader, other)) {
            let _ = other.leader.set(self.clone());
        }
    }

    /// The failure that it was dropped for.
    pub(super) fn leader(&self) -> Option<&Arc<Company>> {
        self.leader.get()
    }

    /// Does this when it is known whether the failure was seen.
    pub(super) fn when_known(&self, then: Then) {
        let mut state = lock(&self.state);
        let seen = match &mut *state {
            CompanyState::Open(waiting) => return waiting.push(then),
            CompanyState::Known(seen) => *seen,
        };
        drop(state);
        if let Some(next) = then(seen) {
            next.know(seen);
        }
    }

    /// It is known now, if it was not before. One after the other, as they may lie deep in each other.
    pub(super) fn know(self: Arc<Company>, seen: bool) {
        let mut next = vec![self];
        while let Some(company) = next.pop() {
            let mut state = lock(&company.state);
            let CompanyState::Open(waiting) = &mut *state else { continue };
            let waiting = std::mem::take(waiting);
            *state = CompanyState::Known(seen);
            drop(state);
            next.extend(waiting.into_iter().filter_map(|then| then(seen)));
        }
    }
}

impl Drop for Company {
    /// Leaders may be many, one behind the other.
    fn drop(&mut self) {
        let mut leader = self.leader.take();
        while let Some(mut company) = leader.and_then(Arc::into_inner) {
            leader = company.leader.take();
        }
    }
}
