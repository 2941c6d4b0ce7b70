//! What steps answer: each time the word of a state, or a cell, is asked for something, how that came out.

use crate::error::Error;

/// What became of an attempt to run a task.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Claim {
    /// The caller runs it.
    Won { special: bool },
    /// Somebody else does, did, or nobody will.
    Lost,
    /// Inputs are missing.
    Lacking,
}

/// What became of an attempt to keep a task from running.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Seize {
    /// The caller disposes of it, and this may still come by.
    Won(Comes),
    /// It runs or has run, or was seized before.
    Claimed,
}

/// Who still comes by at a task that was seized.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Comes {
    /// Its linked edges. The caller counts as one more of them, so that nobody ends the inputs
    /// before it is done with them; it arrives, too.
    Edges,
    /// Whoever has it from a queue.
    Entry,
    /// Nobody.
    Nobody,
}

/// What the arrival of something that was lacking came to.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Arrival {
    /// More is missing.
    Lacking,
    /// That was the last: the caller has the task's entry, and queues it.
    Ready { special: bool },
    /// Likewise, and the caller runs it.
    Claimed { special: bool },
    /// That was the last edge of a task that had been seized: the caller ends what edges kept.
    Gone,
}

/// What a runner found that puts a task to sleep.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Suspend {
    /// It sleeps until it is woken.
    Sleeps,
    /// It was woken while it ran: the caller has its entry.
    WokenAgain,
}

/// How a task is run.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Run {
    /// It may leave its thread before it has begun, for a value that is lent.
    Plain,
    /// Those who look on were told that it begins, after the last such loan was over. A clone of a value may have got in
    /// its way since: that is waited for on the spot (`clones.rs`).
    Told,
    /// On a thread that waits for it, as a part of what that does.
    InPlace,
}

/// How a run ended. A tag and at most a word beside it, so that it is handed on in registers.
#[must_use]
pub(crate) enum Ran {
    /// The value is written, and nothing is left of inputs and closure.
    Value,
    /// Likewise; and once that is known to all, the trampoline has something to drop.
    ValueFirst,
    /// Nothing is left of inputs and closure, and there is no value.
    Failed(Error),
    /// As `Value`, and the job is still to be dropped.
    Over,
    /// As `Failed`, and the job is still to be dropped.
    OverFailed(Error),
    /// It has not run: a value that is to move in is lent. Whoever ends the last loan goes on.
    Lent,
    /// It waits for an edge that is not linked yet: to the result that its work has returned.
    Waits,
    /// Likewise, and that stands for its own, so that what is left is done on the spot.
    WaitsLast,
    /// Its future is pending.
    Pending,
}
