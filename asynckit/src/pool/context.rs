//! What the calling thread is doing: for which pool, and as which worker of it.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::pool::Shared;
use crate::pool::worker::Local;
use crate::sync::Arc;
use crate::task::{Lease, TaskRef, each_frame};

thread_local! {
    /// The worker that this thread is.
    static LOCAL: RefCell<Option<Rc<Local>>> = const { RefCell::new(None) };
}

/// Where the work that this thread is doing belongs. Work run in place belongs where the work
/// around it does.
pub(crate) fn place() -> Option<Lease> {
    each_frame(|frame| match frame.task().lease() {
        Some(place) => ControlFlow::Break(place),
        None => ControlFlow::Continue(()),
    })
}

/// The pool that this thread works for: that of its work, or the one whose worker it is.
pub(crate) fn pool() -> Option<Arc<Shared>> {
    place()
        .map(|place| place.pool().clone())
        .or_else(|| local().map(|local| local.shared().clone()))
}

/// The task that this thread is doing.
pub(crate) fn task() -> Option<TaskRef> {
    each_frame(|frame| ControlFlow::Break(frame.task().clone()))
}

/// All tasks on this thread's stack, the newest last.
pub(crate) fn stack() -> Vec<TaskRef> {
    let mut stack = Vec::new();
    let _: Option<()> = each_frame(|frame| {
        stack.push(frame.task().clone());
        ControlFlow::Continue(())
    });
    stack.reverse();
    stack
}

/// Whether this thread is doing work of this pool.
pub(crate) fn works_for(pool: &Shared) -> bool {
    let runs_its_work = each_frame(|frame| match frame.task().place() {
        Some(place) if place.is_of(pool) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    runs_its_work.is_some() || is_worker_of(pool)
}

/// Whether the work that this thread is doing, if any, is of this pool.
pub(crate) fn works_for_only(pool: &Shared) -> bool {
    let other = each_frame(|frame| match frame.task().place() {
        Some(place) => ControlFlow::Break(!place.is_of(pool)),
        None => ControlFlow::Continue(()),
    });
    !other.unwrap_or(false)
}

/// The worker that this thread is from now on; the one it was before.
pub(crate) fn set_local(local: Option<Rc<Local>>) -> Option<Rc<Local>> {
    LOCAL.try_with(|here| here.replace(local)).ok().flatten()
}

pub(crate) fn local() -> Option<Rc<Local>> {
    LOCAL.try_with(|local| local.borrow().clone()).ok().flatten()
}

pub(crate) fn is_worker_of(pool: &Shared) -> bool {
    let is_its = |local: &RefCell<Option<Rc<Local>>>| {
        local.borrow().as_ref().is_some_and(|local| std::ptr::eq(&**local.shared(), pool))
    };
    LOCAL.try_with(is_its).unwrap_or(false)
}

/// Whether somebody has cancelled the task that this thread is doing.
pub(crate) fn is_cancelled() -> bool {
    let cancelled = each_frame(|frame| {
        let of_place = frame.task().place().is_some_and(|place| place.is_cancelled());
        if of_place || frame.task().state.is_settled() {
            ControlFlow::Break(true)
        } else if frame.in_place() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(false)
        }
    });
    cancelled.unwrap_or(false)
}
