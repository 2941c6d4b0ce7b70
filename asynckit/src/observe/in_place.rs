//! Work that is run in place: it is no task of a pool, so that those are told who look on to everything.

use super::events::{Ending, TaskKind};
use super::ids::TaskId;
use super::observer::Observer;
use super::onlookers::{Everywhere, Moment, tell};
use crate::error::{Error, Hop};

/// Work that is run in place: its number and who is told, where it is told of.
pub(crate) struct InPlace(Option<(TaskId, &'static dyn Observer)>);

impl InPlace {
    /// It is about to run.
    pub(crate) fn begin(hop: Hop, everywhere: Everywhere) -> InPlace {
        let told = everywhere.map(|by| (TaskId::next(), by));
        if let Some((task, by)) = told {
            let (name, at, kind, needs) = (hop.name(), hop.at, TaskKind::Call, &[]);
            tell!(
                Moment::of_no_pool(by),
                TaskSubmitted { task, name, at, kind, needs, by: None, part_of: None }
            );
        }
        InPlace(told)
    }

    /// Runs a part of it, which catches its panics.
    pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        let Some((task, by)) = self.0 else { return f() };
        tell!(Moment::of_no_pool(by), TaskResumed { task });
        let answer = f();
        tell!(Moment::of_no_pool(by), TaskSuspended { task, on: &[] });
        answer
    }

    /// It is over.
    pub(crate) fn end(&self, error: Option<&Error>) {
        if let Some((task, by)) = self.0 {
            let how = error.map_or(Ending::Value, Ending::Failed);
            tell!(Moment::of_no_pool(by), TaskEnded { task, how, ran: false });
        }
    }
}
