//! Work that is run in place: it is no task of a pool, so that those are told who look on to everything.

use super::events::{Ending, TaskKind};
use super::ids::TaskId;
use super::onlookers::{Everywhere, Nowhere, tell};
use crate::error::{Error, Hop};

/// Work that is run in place.
pub(crate) struct InPlace {
    /// Its number, where it is told of.
    task: Option<TaskId>,
    by: Nowhere,
}

impl InPlace {
    /// It is about to run.
    pub(crate) fn begin(hop: Hop, everywhere: Everywhere) -> InPlace {
        let (task, by) = (everywhere.map(|_| TaskId::next()), Nowhere(everywhere));
        if let Some(task) = task {
            let (name, at, kind, needs) = (hop.name(), hop.at, TaskKind::Call, &[]);
            tell!(
                by.moment(),
                TaskSubmitted { task, name, at, kind, needs, by: None, part_of: None }
            );
        }
        InPlace { task, by }
    }

    /// Runs a part of it, which catches its panics.
    pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        let Some(task) = self.task else { return f() };
        tell!(self.by.moment(), TaskResumed { task });
        let answer = f();
        tell!(self.by.moment(), TaskSuspended { task, on: &[] });
        answer
    }

    /// It is over.
    pub(crate) fn end(&self, error: Option<&Error>) {
        if let Some(task) = self.task {
            let how = error.map_or(Ending::Value, Ending::Failed);
            tell!(self.by.moment(), TaskEnded { task, how, ran: false });
        }
    }
}
