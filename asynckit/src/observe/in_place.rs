//! Work that is run in place: it is no task of a pool, so that those are told who look on to everything.

use super::events::{Ending, TaskKind};
use super::ids::TaskId;
use super::onlookers::{Everywhere, tell_everywhere};
use super::told::Told;
use crate::error::{Error, Hop};

/// Work that is run in place.
pub(crate) struct InPlace {
    /// Its number, where it is told of.
    task: Option<TaskId>,
    everywhere: Everywhere,
}

impl InPlace {
    /// It is about to run.
    pub(crate) fn begin(hop: Hop, everywhere: Everywhere) -> InPlace {
        let task = everywhere.map(|_| TaskId::next());
        if let Some(task) = task {
            let (kind, needs) = (TaskKind::Call, &[]);
            let told = Told::Submitted { task, hop, kind, needs, by: None, part_of: None };
            tell_everywhere(everywhere, &told);
        }
        InPlace { task, everywhere }
    }

    /// Runs a part of it, which catches its panics.
    pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        let Some(task) = self.task else { return f() };
        tell_everywhere(self.everywhere, &Told::Resumed(task));
        let answer = f();
        tell_everywhere(self.everywhere, &Told::Suspended(task, &[]));
        answer
    }

    /// It is over.
    pub(crate) fn end(&self, error: Option<&Error>) {
        if let Some(task) = self.task {
            let how = error.map_or(Ending::Value, Ending::Failed);
            tell_everywhere(self.everywhere, &Told::Ended { task, how, ran: false });
        }
    }
}
