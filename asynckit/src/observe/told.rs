//! What happened, as the layers above say it; made into the event that an observer is told.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::events::{
    AttemptBegun, CallbackBegun, CallbackEnded, CallbackRegistered, Clock, Ending, LineJoined,
    Noted, PermitGiven, PermitTaken, PoolSized, PoolStopped, RanElsewhere, TaskCancelled,
    TaskEnded, TaskKind, TaskReady, TaskResumed, TaskStarted, TaskSubmitted, TaskSuspended,
    WaitBegun, WaitEnded, WorkerBusy, WorkerIdle,
};
use super::ids::{CallbackId, LimitId, Need, PoolId, Row, TaskId};
use super::observer::Observer;
use crate::error::{Error, Hop};

/// When and where something happens.
pub(super) struct Moment<'a> {
    pub(super) time: Duration,
    pub(super) row: &'a Row,
    pub(super) pool: PoolId,
}

/// What there is to know of a limit.
#[derive(Clone, Copy)]
pub(crate) struct LimitFacts {
    pub(crate) id: LimitId,
    pub(crate) most: usize,
    /// How long it takes for one more, where time brings them.
    pub(crate) every: Option<Duration>,
    pub(crate) made_at: &'static Location<'static>,
}

/// What happens.
pub(crate) enum Told<'a> {
    Submitted {
        task: TaskId,
        hop: Hop,
        kind: TaskKind,
        needs: &'a [Need],
        by: Option<TaskId>,
        part_of: Option<TaskId>,
    },
    Ready(TaskId),
    Started(TaskId),
    Suspended(TaskId, &'a [Need]),
    Resumed(TaskId),
    Attempt(TaskId, u32, Option<&'a Error>),
    Ended {
        task: TaskId,
        how: Ending<'a>,
        ran: bool,
    },
    Cancelled(TaskId, &'a Error),
    InLine(Option<TaskId>, LimitFacts, usize),
    GotPermit(Option<TaskId>, LimitFacts),
    GavePermit(Option<TaskId>, LimitFacts),
    WaitBegun {
        task: Option<TaskId>,
        on: &'a [Need],
        any: bool,
        timed: bool,
        at: &'static Location<'static>,
    },
    WaitEnded(Option<TaskId>),
    CallbackRegistered {
        callback: CallbackId,
        on: Need,
        at: &'static Location<'static>,
        by: Option<TaskId>,
    },
    CallbackBegun(CallbackId),
    CallbackEnded(CallbackId, bool),
    Idle,
    Busy,
    Sized(usize, &'a str, Clock),
    Stopped(usize),
    Elsewhere {
        task: TaskId,
        place: &'a str,
        began: Duration,
        ended: Duration,
    },
    Noted(Option<TaskId>, &'a str, fmt::Arguments<'a>),
}

impl Told<'_> {
    /// Tells one observer.
    pub(super) fn to(&self, observer: &dyn Observer, moment: &Moment<'_>) {
        let &Moment { time, row, pool } = moment;
        /// Calls a method with an event, made of the moment and these fields.
        macro_rules! tell {
            ($method:ident, $event:ident { $($field:ident $(: $value:expr)?),* $(,)? }) => {
                observer.$method(&$event { time, row, pool, $($field $(: $value)?),* })
            };
        }
        match *self {
            Told::Submitted { task, hop, kind, needs, by, part_of } => {
                let (name, at) = (hop.name(), hop.at);
                tell!(submitted, TaskSubmitted { task, name, at, kind, needs, by, part_of });
            }
            Told::Ready(task) => tell!(ready, TaskReady { task }),
            Told::Started(task) => tell!(started, TaskStarted { task }),
            Told::Suspended(task, on) => tell!(suspended, TaskSuspended { task, on }),
            Told::Resumed(task) => tell!(resumed, TaskResumed { task }),
            Told::Attempt(task, number, before) => {
                tell!(attempt, AttemptBegun { task, number, before });
            }
            Told::Ended { task, ref how, ran } => {
                tell!(ended, TaskEnded { task, how: how.clone(), ran });
            }
            Told::Cancelled(task, error) => tell!(cancelled, TaskCancelled { task, error }),
            Told::InLine(task, LimitFacts { id, most, made_at, .. }, ahead) => {
                tell!(stands_in_line, LineJoined { task, limit: id, most, made_at, ahead });
            }
            Told::GotPermit(task, LimitFacts { id, most, made_at, .. }) => {
                tell!(got_permit, PermitTaken { task, limit: id, most, made_at });
            }
            Told::GavePermit(task, LimitFacts { id, most, made_at, .. }) => {
                tell!(gave_permit, PermitGiven { task, limit: id, most, made_at });
            }
            Told::WaitBegun { task, on, any, timed, at } => {
                tell!(wait_begun, WaitBegun { task, on, any, timed, at });
            }
            Told::WaitEnded(task) => tell!(wait_ended, WaitEnded { task }),
            Told::CallbackRegistered { callback, on, at, by } => {
                tell!(callback_registered, CallbackRegistered { callback, on, at, by });
            }
            Told::CallbackBegun(callback) => tell!(callback_begun, CallbackBegun { callback }),
            Told::CallbackEnded(callback, called) => {
                tell!(callback_ended, CallbackEnded { callback, called });
            }
            Told::Idle => tell!(worker_idle, WorkerIdle {}),
            Told::Busy => tell!(worker_busy, WorkerBusy {}),
            Told::Sized(workers, name, clock) => {
                tell!(pool_sized, PoolSized { workers, name, clock });
            }
            Told::Stopped(running) => tell!(pool_stopped, PoolStopped { running }),
            Told::Elsewhere { task, place, began, ended } => {
                tell!(ran_elsewhere, RanElsewhere { task, place, began, ended });
            }
            Told::Noted(task, key, value) => tell!(note, Noted { task, key, value }),
        }
    }
}
