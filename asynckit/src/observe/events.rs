//! The events: what happened, when, and on which thread.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::ids::{CallbackId, LimitId, Need, PoolId, Row, TaskId};
use crate::error::Error;

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        #[non_exhaustive]
        pub struct $name<'a> {
            /// When: see [the clock](super#time).
            pub time: Duration,
            /// Where: the thread that tells of it.
            pub row: &'a Row,
            /// The pool whose observer is told.
            pub pool: PoolId,
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("time", &self.time)
                    .field("row", &self.row.name())
                    $(.field(stringify!($field), &self.$field))*
                    .finish_non_exhaustive()
            }
        }
    )*};
}

events! {
    /// A task was submitted.
    TaskSubmitted {
        /// Its number.
        task: TaskId,
        /// `module::function`; `closure`, `map` and the like for what has no name of its own.
        name: &'static str,
        /// The place of the call.
        at: &'static Location<'static>,
        /// What it is.
        kind: TaskKind,
        /// The results that it needs before it can begin, in the order of its inputs; also those that are there
        /// already.
        needs: &'a [Need],
        /// The task whose code has submitted it. None where it comes from outside of work, or from work that
        /// nobody looks on to.
        by: Option<TaskId>,
        /// The task whose work this is, or a part of it: that is `Around` this one, or has returned it as its
        /// own result.
        part_of: Option<TaskId>,
    }

    /// A task has all that it needs, and is queued. Again when it has waited after its begin.
    TaskReady {
        /// Which.
        task: TaskId,
    }

    /// A task begins: its code is called next, on this thread.
    TaskStarted {
        /// Which.
        task: TaskId,
    }

    /// A task's code has returned, and is to go on later: a future is pending, or what was called has returned a
    /// result that is not there yet. No thread is held meanwhile.
    TaskSuspended {
        /// Which.
        task: TaskId,
        /// The results that it waits for, as far as they are known. Where there are several, any of them may have
        /// it go on.
        on: &'a [Need],
    }

    /// A suspended task goes on: its code is called next, on this thread.
    TaskResumed {
        /// Which.
        task: TaskId,
    }

    /// Work that is tried again when it fails begins a try.
    AttemptBegun {
        /// The task whose tries these are.
        task: TaskId,
        /// Which one, counted from 1.
        number: u32,
        /// Why the one before failed.
        before: Option<&'a Error>,
    }

    /// A task is over: its code has returned, or will never be called (again).
    TaskEnded {
        /// Which.
        task: TaskId,
        /// How.
        how: Ending<'a>,
        /// Whether its code has returned just now, on this thread. Else it never began, or was suspended.
        ran: bool,
    }

    /// A task's result was set as failed while its code was under way: by a cancel, a limit of time, or the end of
    /// its pool. The code may run on; [`TaskEnded`] tells when it is over.
    TaskCancelled {
        /// Which.
        task: TaskId,
        /// Why.
        error: &'a Error,
    }

    /// Work has come to stand in the line of a [`Limit`](crate::Limit) or a [`Rate`](crate::Rate): before it begins, or to
    /// go on after a wait for which it had given its permit back.
    LineJoined {
        /// The task that stands there. None for work that is run in place where nobody looks on.
        task: Option<TaskId>,
        /// Which limit.
        limit: LimitId,
        /// How much work it lets run at once; of a rate, how much it lets begin at once.
        most: usize,
        /// Of a rate: how long it takes for one more turn.
        every: Option<Duration>,
        /// How many permits, or turns, the work wants.
        weight: usize,
        /// Where it was made.
        made_at: &'static Location<'static>,
        /// How many stood there before.
        ahead: usize,
    }

    /// Work has left the line of a [`Limit`](crate::Limit) or a [`Rate`](crate::Rate) without a permit: it was given up, or
    /// can't go on for now, whatever it gets.
    LineLeft {
        /// The task that stood there.
        task: Option<TaskId>,
        /// Which limit.
        limit: LimitId,
        /// How much work it lets run at once; of a rate, how much it lets begin at once.
        most: usize,
        /// Of a rate: how long it takes for one more turn.
        every: Option<Duration>,
        /// How many permits, or turns, the work wanted.
        weight: usize,
        /// Where it was made.
        made_at: &'static Location<'static>,
    }

    /// Work has got permits of a [`Limit`](crate::Limit), or turns of a [`Rate`](crate::Rate), at once or after its time
    /// in line. Turns are used up by that, and don't come back.
    PermitTaken {
        /// The task that has them now.
        task: Option<TaskId>,
        /// Which limit.
        limit: LimitId,
        /// How much work it lets run at once; of a rate, how much it lets begin at once.
        most: usize,
        /// Of a rate: how long it takes for one more turn.
        every: Option<Duration>,
        /// How many it has got.
        weight: usize,
        /// Where it was made.
        made_at: &'static Location<'static>,
    }

    /// The permits of work that is over have come back, or go to the next in line; or those of work that waits, where
    /// its limit [lends](crate::Limit::lending).
    PermitGiven {
        /// The task that had them.
        task: Option<TaskId>,
        /// Which limit.
        limit: LimitId,
        /// How much work it lets run at once.
        most: usize,
        /// How many these are.
        weight: usize,
        /// Where it was made.
        made_at: &'static Location<'static>,
    }

    /// Code of a task begins to wait for results on its thread: by `get`, `wait` and the like, or at the end of a
    /// scope.
    WaitBegun {
        /// The task whose code waits. None where it is one that nobody looks on to.
        task: Option<TaskId>,
        /// What for.
        on: &'a [Need],
        /// Whether any one of these will do.
        any: bool,
        /// Whether the wait has a limit of time.
        timed: bool,
        /// The place of the call.
        at: &'static Location<'static>,
    }

    /// The newest wait of this row is over.
    WaitEnded {
        /// The task whose code goes on.
        task: Option<TaskId>,
    }

    /// A callback was registered.
    CallbackRegistered {
        /// Its number.
        callback: CallbackId,
        /// What it waits for.
        on: Need,
        /// The place of the call.
        at: &'static Location<'static>,
        /// The task whose code has registered it.
        by: Option<TaskId>,
    }

    /// A callback is called next, on this thread.
    CallbackBegun {
        /// Which.
        callback: CallbackId,
    }

    /// A callback has returned, or will never be called.
    CallbackEnded {
        /// Which.
        callback: CallbackId,
        /// Whether it was called.
        called: bool,
    }

    /// A worker has found nothing to do.
    WorkerIdle {}

    /// A worker has something to do: its first task, or the first after it was idle.
    WorkerBusy {}

    /// How many workers a pool is to have: when the observer begins to look on, and when that changes.
    PoolSized {
        /// So many, without spare ones.
        workers: usize,
        /// What its threads' names begin with.
        name: &'a str,
        /// What its clock is: see [time](super#time).
        clock: Clock,
    }

    /// A pool has stopped, and nothing of it runs any more; or it was dropped all the same.
    PoolStopped {
        /// How many of its tasks run on. They still tell how they end.
        running: usize,
    }

    /// A task's code has run elsewhere, and its outcome is about to be here: so says who has carried it out
    /// ([`Call::ran`](crate::carry::Call::ran)).
    RanElsewhere {
        /// Which.
        task: TaskId,
        /// Where: the name of what has run it, such as a worker's process.
        place: &'a str,
        /// From when on, by the clock of events.
        began: Duration,
        /// Until when.
        ended: Duration,
    }

    /// Work, or who helps it along, says something of itself: see [`note`](crate::note).
    Noted {
        /// The task whose code says so.
        task: Option<TaskId>,
        /// What it is about.
        key: &'a str,
        /// The text.
        value: fmt::Arguments<'a>,
    }
}

/// What a task is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum TaskKind {
    /// A call of a function or a closure.
    Call,
    /// A future, which is polled.
    Future,
    /// Work that is tried again when it fails. Each try is another task, `part_of` this one, or is run as a part of
    /// this one.
    Retry,
    /// It is around other work, which it limits, puts off, or has done elsewhere. That is another task, `part_of` this one;
    /// this one has no code of the program's. It is not started, unless the work is to be done elsewhere: then it is, and
    /// suspended and resumed, as the future of who [carries](crate::carry) it is polled, and there may be no other task.
    Around,
    /// It hands results on and has no code of the program's: a list or tuple of results as one, the end of a
    /// chain. It is never started.
    Gather,
}

/// How a task has ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Ending<'a> {
    /// It ran, and has a value.
    Value,
    /// It ran and failed.
    ///
    /// A clone of the error counts as one more copy: a failure that nobody looks at is told of when the last one is
    /// dropped. So keep its text.
    Failed(&'a Error),
    /// Its code was not called, or will not go on: an input has failed, it was cancelled, its time was over, its
    /// pool is stopped.
    Skipped(&'a Error),
    /// Its result was set as failed before ([`TaskCancelled`]): what it came to is dropped, or it does not go on.
    Late,
}

/// What the times of a pool's events are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Clock {
    /// Time of the process, which never goes back: [`now`](super::now).
    Process,
    /// The virtual time of a deterministic pool, since it was made.
    Virtual,
}
