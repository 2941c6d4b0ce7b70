//! The trait of those who look on.

use super::events::{
    AttemptBegun, CallbackBegun, CallbackEnded, CallbackRegistered, LineJoined, Noted, PermitGiven,
    PermitTaken, PoolSized, PoolStopped, RanElsewhere, TaskCancelled, TaskEnded, TaskReady,
    TaskResumed, TaskStarted, TaskSubmitted, TaskSuspended, WaitBegun, WaitEnded, WorkerBusy,
    WorkerIdle,
};
use crate::sync::Arc;

/// Who looks on to the work of pools: see the [module](super).
///
/// Each method is called at its event, on the thread that the event is of.
pub trait Observer: Send + Sync + 'static {
    /// A task was submitted; nothing else knows of it yet.
    fn submitted(&self, _event: &TaskSubmitted<'_>) {}

    /// A task has all that it needs.
    fn ready(&self, _event: &TaskReady<'_>) {}

    /// Work stands in the line of a limit.
    fn stands_in_line(&self, _event: &LineJoined<'_>) {}

    /// Work has got a permit of a limit.
    fn got_permit(&self, _event: &PermitTaken<'_>) {}

    /// A permit has come back to its limit.
    fn gave_permit(&self, _event: &PermitGiven<'_>) {}

    /// A task begins, on this thread.
    fn started(&self, _event: &TaskStarted<'_>) {}

    /// A task's code waits for results, on this thread.
    fn wait_begun(&self, _event: &WaitBegun<'_>) {}

    /// The newest wait of this thread is over.
    fn wait_ended(&self, _event: &WaitEnded<'_>) {}

    /// A task has left this thread, to go on later.
    fn suspended(&self, _event: &TaskSuspended<'_>) {}

    /// A task goes on, on this thread.
    fn resumed(&self, _event: &TaskResumed<'_>) {}

    /// A try of work begins.
    fn attempt(&self, _event: &AttemptBegun<'_>) {}

    /// A task is over.
    fn ended(&self, _event: &TaskEnded<'_>) {}

    /// A task's result was set as failed while its code was under way.
    fn cancelled(&self, _event: &TaskCancelled<'_>) {}

    /// A callback was registered.
    fn callback_registered(&self, _event: &CallbackRegistered<'_>) {}

    /// A callback begins, on this thread.
    fn callback_begun(&self, _event: &CallbackBegun<'_>) {}

    /// A callback is over.
    fn callback_ended(&self, _event: &CallbackEnded<'_>) {}

    /// A worker has nothing to do.
    fn worker_idle(&self, _event: &WorkerIdle<'_>) {}

    /// A worker has something to do.
    fn worker_busy(&self, _event: &WorkerBusy<'_>) {}

    /// How many workers a pool is to have.
    fn pool_sized(&self, _event: &PoolSized<'_>) {}

    /// A pool has stopped.
    fn pool_stopped(&self, _event: &PoolStopped<'_>) {}

    /// A task's code has run elsewhere.
    fn ran_elsewhere(&self, _event: &RanElsewhere<'_>) {}

    /// Work says something of itself.
    fn note(&self, _event: &Noted<'_>) {}
}

/// The same observer, kept by others as well.
impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn submitted(&self, event: &TaskSubmitted<'_>) {
        (**self).submitted(event);
    }

    fn ready(&self, event: &TaskReady<'_>) {
        (**self).ready(event);
    }

    fn stands_in_line(&self, event: &LineJoined<'_>) {
        (**self).stands_in_line(event);
    }

    fn got_permit(&self, event: &PermitTaken<'_>) {
        (**self).got_permit(event);
    }

    fn gave_permit(&self, event: &PermitGiven<'_>) {
        (**self).gave_permit(event);
    }

    fn started(&self, event: &TaskStarted<'_>) {
        (**self).started(event);
    }

    fn wait_begun(&self, event: &WaitBegun<'_>) {
        (**self).wait_begun(event);
    }

    fn wait_ended(&self, event: &WaitEnded<'_>) {
        (**self).wait_ended(event);
    }

    fn suspended(&self, event: &TaskSuspended<'_>) {
        (**self).suspended(event);
    }

    fn resumed(&self, event: &TaskResumed<'_>) {
        (**self).resumed(event);
    }

    fn attempt(&self, event: &AttemptBegun<'_>) {
        (**self).attempt(event);
    }

    fn ended(&self, event: &TaskEnded<'_>) {
        (**self).ended(event);
    }

    fn cancelled(&self, event: &TaskCancelled<'_>) {
        (**self).cancelled(event);
    }

    fn callback_registered(&self, event: &CallbackRegistered<'_>) {
        (**self).callback_registered(event);
    }

    fn callback_begun(&self, event: &CallbackBegun<'_>) {
        (**self).callback_begun(event);
    }

    fn callback_ended(&self, event: &CallbackEnded<'_>) {
        (**self).callback_ended(event);
    }

    fn worker_idle(&self, event: &WorkerIdle<'_>) {
        (**self).worker_idle(event);
    }

    fn worker_busy(&self, event: &WorkerBusy<'_>) {
        (**self).worker_busy(event);
    }

    fn pool_sized(&self, event: &PoolSized<'_>) {
        (**self).pool_sized(event);
    }

    fn pool_stopped(&self, event: &PoolStopped<'_>) {
        (**self).pool_stopped(event);
    }

    fn ran_elsewhere(&self, event: &RanElsewhere<'_>) {
        (**self).ran_elsewhere(event);
    }

    fn note(&self, event: &Noted<'_>) {
        (**self).note(event);
    }
}
