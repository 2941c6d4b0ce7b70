//! Who looks on to work that has permits, or stands in line for some.

use crate::observe::{LimitFacts, Listeners, TaskId, tell};

/// The task that those who look on know the work by, and who they are.
#[derive(Clone)]
pub(crate) struct Watched {
    pub(crate) task: TaskId,
    pub(crate) by: Listeners,
}

impl Watched {
    /// It stands in line, after so many others.
    pub(super) fn joined(&self, facts: LimitFacts, weight: usize, ahead: usize) {
        let LimitFacts { id: limit, most, every, made_at } = facts;
        let task = Some(self.task);
        tell!(self.by.moment(), LineJoined { task, limit, most, every, weight, made_at, ahead });
    }

    /// It leaves the line without any.
    pub(super) fn left(&self, facts: LimitFacts, weight: usize) {
        let LimitFacts { id: limit, most, every, made_at } = facts;
        let task = Some(self.task);
        tell!(self.by.moment(), LineLeft { task, limit, most, every, weight, made_at });
    }

    /// It has got so many.
    pub(super) fn took(&self, facts: LimitFacts, weight: usize) {
        let LimitFacts { id: limit, most, every, made_at } = facts;
        let task = Some(self.task);
        tell!(self.by.moment(), PermitTaken { task, limit, most, every, weight, made_at });
    }

    /// They come back.
    pub(super) fn gave(&self, facts: LimitFacts, weight: usize) {
        let LimitFacts { id: limit, most, made_at, .. } = facts;
        let task = Some(self.task);
        tell!(self.by.moment(), PermitGiven { task, limit, most, weight, made_at });
    }
}
