//! What is in a log: the events of tasks.

use asynckit::ErrorKind;
use asynckit::observe::{Need, TaskKind};

use crate::model::State;

/// What is in a log, with lists of tasks as `L`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<L> {
    /// What follows is of this row.
    Row(u64),
    Submitted {
        task: u64,
        site: u32,
        kind: Kind,
        by: Option<u64>,
        part_of: Option<u64>,
        needs: L,
        /// Besides these it needs what is not known: also where that is in the list.
        more: bool,
    },
    Ready(u64),
    Started(u64),
    Suspended {
        task: u64,
        on: L,
    },
    Resumed(u64),
    Ended {
        task: u64,
        end: End,
    },
    /// The result was set as failed while the code ran.
    Cancelled {
        task: u64,
        end: End,
    },
    InLine {
        task: u64,
        limit: u64,
    },
    /// It left the line without a permit.
    LeftLine {
        task: u64,
        limit: u64,
    },
    GotPermit {
        task: u64,
        limit: u64,
        weight: u64,
    },
    GavePermit {
        task: u64,
        limit: u64,
    },
    WaitBegun {
        task: u64,
        on: L,
    },
    WaitEnded(u64),
    /// Its code ran elsewhere, on a row that is no thread's.
    Elsewhere {
        task: u64,
        row: u64,
        began: u64,
        ended: u64,
    },
}

/// What a task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// It runs code of the program.
    Runs = 0,
    /// It is around other tasks, which run the code.
    Around = 1,
    /// It hands on results.
    Gather = 2,
}

impl Kind {
    pub(super) fn of(kind: TaskKind) -> Kind {
        match kind {
            TaskKind::Around | TaskKind::Retry => Kind::Around,
            TaskKind::Gather => Kind::Gather,
            _ => Kind::Runs,
        }
    }
}

/// How a task ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct End {
    pub(super) state: State,
    /// It ran, and this is its own.
    pub(super) own: bool,
    /// Its value came too late; `Cancelled` says what for.
    pub(super) late: bool,
}

impl End {
    pub(super) const DONE: End = End { state: State::Done, own: true, late: false };
    pub(super) const LATE: End = End { state: State::Cancelled, own: false, late: true };

    pub(super) fn failed(kind: ErrorKind) -> End {
        End { own: true, ..End::skipped(kind).but(State::Failed, State::Skipped) }
    }

    pub(super) fn skipped(kind: ErrorKind) -> End {
        let state = match kind {
            ErrorKind::Panicked => State::Panicked,
            ErrorKind::Cancelled => State::Cancelled,
            ErrorKind::TimedOut => State::TimedOut,
            ErrorKind::Stopped => State::Stopped,
            _ => State::Skipped,
        };
        End { state, own: false, late: false }
    }

    fn but(self, state: State, instead_of: State) -> End {
        if self.state == instead_of { End { state, ..self } } else { self }
    }
}

/// A list of tasks that is written.
pub(super) trait Tasks {
    /// Their numbers. Of what is no task there is none.
    fn numbers(&self) -> impl Iterator<Item = u64>;
    /// How many these are at most.
    fn most(&self) -> usize;
}

impl Tasks for &[Need] {
    #[inline]
    fn numbers(&self) -> impl Iterator<Item = u64> {
        self.iter().filter_map(|need| need.task()).map(|task| task.get())
    }

    #[inline]
    fn most(&self) -> usize {
        self.len()
    }
}
