//! The trait of those who look on, made of one list: which method is told which event.

use super::events;
use crate::sync::Arc;

/// What an observer is told.
pub(crate) trait Event {
    /// Tells one.
    fn tell(&self, observer: &dyn Observer);
}

macro_rules! observer {
    ($($(#[$doc:meta])* $method:ident: $event:ident,)*) => {
        /// Who looks on to the work of pools: see the [module](super).
        ///
        /// Each method is called at its event, on the thread that the event is of.
        pub trait Observer: Send + Sync + 'static {
            $($(#[$doc])* fn $method(&self, _event: &events::$event<'_>) {})*

            /// Whether this one can do without `ready` before a task's first begin where it follows from what was
            /// told before: a task that needs nothing but tasks is ready when the last of these has ended. Where
            /// all who look on say so a task costs less; else they are told all the same. Asked once, before all
            /// else.
            fn infers_ready(&self) -> bool {
                false
            }

            /// Whether this one wants to be told nothing more, for good. It is asked when another one is about to look on,
            /// and when a worker runs out of work; until then it may be told more. What was under way is not told either.
            fn is_over(&self) -> bool {
                false
            }

            /// One that looks on to a single pool, in place of this one: asked when this one is about to look on to a pool,
            /// which is each time that a builder with it builds one. Without it, this one is told of all of them.
            fn for_pool(&self) -> Option<Arc<dyn Observer>> {
                None
            }
        }

        /// The same observer, kept by others as well.
        impl<O: Observer + ?Sized> Observer for Arc<O> {
            $(#[inline] fn $method(&self, event: &events::$event<'_>) {
                (**self).$method(event);
            })*

            fn infers_ready(&self) -> bool {
                (**self).infers_ready()
            }

            fn is_over(&self) -> bool {
                (**self).is_over()
            }

            fn for_pool(&self) -> Option<Arc<dyn Observer>> {
                (**self).for_pool()
            }
        }

        $(impl Event for events::$event<'_> {
            #[inline]
            fn tell(&self, observer: &dyn Observer) {
                observer.$method(self);
            }
        })*
    };
}

observer! {
    /// A task was submitted; nothing else knows of it yet.
    submitted: TaskSubmitted,
    /// A task has all that it needs.
    ready: TaskReady,
    /// Work stands in the line of a limit.
    stands_in_line: LineJoined,
    /// Work has left the line of a limit without a permit.
    left_line: LineLeft,
    /// Work has got a permit of a limit.
    got_permit: PermitTaken,
    /// A permit has come back to its limit.
    gave_permit: PermitGiven,
    /// A task begins, on this thread.
    started: TaskStarted,
    /// A task's code waits for results, on this thread.
    wait_begun: WaitBegun,
    /// The newest wait of this thread is over.
    wait_ended: WaitEnded,
    /// A task has left this thread, to go on later.
    suspended: TaskSuspended,
    /// A task goes on, on this thread.
    resumed: TaskResumed,
    /// A try of work begins.
    attempt: AttemptBegun,
    /// A task is over.
    ended: TaskEnded,
    /// A task's result was set as failed while its code was under way.
    cancelled: TaskCancelled,
    /// A callback was registered.
    callback_registered: CallbackRegistered,
    /// A callback begins, on this thread.
    callback_begun: CallbackBegun,
    /// A callback is over.
    callback_ended: CallbackEnded,
    /// A worker has nothing to do.
    worker_idle: WorkerIdle,
    /// A worker has something to do.
    worker_busy: WorkerBusy,
    /// How many workers a pool is to have.
    pool_sized: PoolSized,
    /// A pool has stopped.
    pool_stopped: PoolStopped,
    /// A task's code has run elsewhere.
    ran_elsewhere: RanElsewhere,
    /// Work says something of itself.
    note: Noted,
}
