//! What the calling thread is doing: for which pool, and as which worker of it.

use std::ops::ControlFlow;

use crate::core::{Frame, TaskRef, each_frame, runs_for};
use crate::pool::local::{CountedPool, is_worker_of, with_local};
use crate::pool::place::{Inside, Part, place_here};
use crate::pool::shared::{PoolState, Shared};
use crate::pool::threads::{Threads, has};
use crate::sync::{Arc, Parker};
use crate::terms::Timers;

/// The pool, where this thread is a worker of it and what it does is a task of the pool as such.
#[inline]
pub(crate) fn counted() -> Option<Arc<CountedPool>> {
    with_local(|local| {
        let local = local.filter(|local| runs_for(local.shared.address()))?;
        Some(local.counted.clone())
    })
}

/// The pool that this thread works for: that of its work, or the one whose worker it is.
pub(crate) fn pool() -> Option<Arc<Shared>> {
    place_here()
        .map(|place| place.pool().clone())
        .or_else(|| with_local(|local| local.map(|local| local.shared.clone())))
}

/// The pool whose worker this thread is, where it does the work of another pool, `here`, which it waited for.
pub(crate) fn lender(here: &Arc<Shared>) -> Option<Arc<Shared>> {
    let own = with_local(|local| local.map(|local| local.shared.clone()));
    own.filter(|own| !Arc::ptr_eq(own, here))
}

/// The timers of that pool, if it has a clock of its own.
pub(crate) fn virtual_timers() -> Option<Arc<Timers>> {
    pool()?.queue.seeded().map(|seeded| seeded.timers().clone())
}

/// The task that this thread is doing.
pub(crate) fn task() -> Option<TaskRef> {
    each_frame(|frame| ControlFlow::Break(frame.task()))
}

/// All tasks on this thread's stack, the newest last.
pub(crate) fn stack() -> Vec<TaskRef> {
    let mut stack = Vec::new();
    let _: Option<()> = each_frame(|frame| {
        stack.push(frame.task());
        ControlFlow::Continue(())
    });
    stack.reverse();
    stack
}

/// The pool of a task on the stack, if it has one.
fn pool_of(frame: &Frame) -> Option<&Shared> {
    frame.home::<PoolState>().or_else(|| Some(&**frame.home::<Inside>()?.pool()))
}

/// Calls `f` with whether each task on the stack is of this pool, the newest first, until that breaks.
fn each_of<B>(pool: &Shared, mut f: impl FnMut(bool) -> ControlFlow<B>) -> Option<B> {
    each_frame(|frame| match pool_of(frame) {
        Some(its) => f(its.is(pool)),
        None => ControlFlow::Continue(()),
    })
}

/// Whether this thread is doing work of this pool.
pub(crate) fn works_for(pool: &Shared) -> bool {
    let its = |is_its| if is_its { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    is_worker_of(pool) || each_of(pool, its).is_some()
}

/// Whether the work that this thread is doing, if any, is of this pool.
#[inline]
pub(crate) fn works_for_only(pool: &Shared) -> bool {
    runs_for(pool.address()) || works_for_no_other(pool)
}

#[cold]
#[inline(never)]
fn works_for_no_other(pool: &Shared) -> bool {
    each_of(pool, ControlFlow::Break).unwrap_or(true)
}

/// Whether nobody wants the result of the work that calls this any more: it was cancelled, or is
/// out of time, its [`CancelToken`](crate::CancelToken) says so, or its pool is
/// [to end](crate::Pool::end_within). It may stop early. False outside of work.
///
/// ```
/// use asynckit::{Pool, is_cancelled, work};
///
/// let pool = Pool::new(1);
/// let search = work(|| (0u64..).take_while(|_| !is_cancelled()).count()).spawn_on(&pool);
/// search.cancel();
/// pool.stop(); // the search has seen it
/// ```
pub fn is_cancelled() -> bool {
    // Closed as well: who ends because of this must not make room for what is about to be cancelled.
    let tells = |pool: &Shared| pool.is_ending() && pool.is_closed();
    let cancelled = each_frame(|frame| {
        let by_place = frame.home::<Inside>().is_some_and(Part::is_cancelled);
        if by_place || frame.is_set() || pool_of(frame).is_some_and(tells) {
            ControlFlow::Break(true)
        } else if frame.in_place() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(false)
        }
    });
    cancelled.unwrap_or(false)
}

impl Shared {
    /// Whether the calling thread may submit: anybody to an open pool, its own tasks to one that
    /// is being stopped.
    pub(crate) fn admits(&self) -> bool {
        (self.phase.is_open() && !self.phase.starves())
            || (!self.phase.is_closed() && works_for(self))
    }

    /// Whether the calling thread does this pool's work, helps it to, or closes it. It must not wait for itself.
    pub(crate) fn is_served_here(&self) -> bool {
        let here = Parker::current();
        let serves =
            |threads: &Threads| has(&threads.helpers, &here) || has(&threads.closers, &here);
        works_for(self) || serves(&self.threads())
    }
}
