//! What the calling thread is doing: the tasks on its stack, and the pool it works for.

use std::cell::RefCell;
use std::rc::Rc;

use crate::pool::worker::Local;
use crate::pool::{Place, Shared};
use crate::sync::Arc;
use crate::task::TaskRef;

/// One task under way on this thread.
struct Frame {
    task: TaskRef,
    /// Whether the work is a part of that of the frame before: it was run in place.
    in_place: bool,
}

#[derive(Default)]
struct Context {
    /// The tasks under way, the newest last: each older one waits for the next.
    frames: Vec<Frame>,
    /// The worker that this thread is.
    local: Option<Rc<Local>>,
}

thread_local! {
    static CONTEXT: RefCell<Context> = const {
        RefCell::new(Context { frames: Vec::new(), local: None })
    };
}

fn with<R: Default>(f: impl FnOnce(&mut Context) -> R) -> R {
    CONTEXT.try_with(|context| f(&mut context.borrow_mut())).unwrap_or_default()
}

/// Runs `f` as the work of `task`.
pub(crate) fn within<R>(task: &TaskRef, in_place: bool, f: impl FnOnce() -> R) -> R {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            let frame = with(|context| context.frames.pop());
            drop(frame);
        }
    }
    let frame = Frame { task: task.clone(), in_place };
    with(|context| context.frames.push(frame));
    let _leave = Leave;
    f()
}

/// Where the work that this thread is doing belongs. Work run in place belongs where the work
/// around it does.
pub(crate) fn place() -> Option<Arc<Place>> {
    with(|context| context.frames.iter().rev().find_map(|frame| frame.task.place().cloned()))
}

/// The pool that this thread works for: that of its work, or the one whose worker it is.
pub(crate) fn pool() -> Option<Arc<Shared>> {
    place()
        .map(|place| place.pool().clone())
        .or_else(|| local().map(|local| local.shared().clone()))
}

/// The task that this thread is doing.
pub(crate) fn task() -> Option<TaskRef> {
    with(|context| context.frames.last().map(|frame| frame.task.clone()))
}

/// All tasks on this thread's stack.
pub(crate) fn stack() -> Vec<TaskRef> {
    with(|context| context.frames.iter().map(|frame| frame.task.clone()).collect())
}

/// How many tasks are on this thread's stack.
pub(crate) fn depth() -> usize {
    with(|context| context.frames.len())
}

/// Whether this thread is doing work of this pool.
pub(crate) fn works_for(pool: &Arc<Shared>) -> bool {
    with(|context| {
        context.frames.iter().any(|frame| match frame.task.place() {
            Some(place) => Arc::ptr_eq(place.pool(), pool),
            None => false,
        })
    }) || is_worker_of(pool)
}

pub(crate) fn set_local(local: Option<Rc<Local>>) {
    let old = with(|context| std::mem::replace(&mut context.local, local));
    drop(old);
}

pub(crate) fn local() -> Option<Rc<Local>> {
    with(|context| context.local.clone())
}

pub(crate) fn is_worker_of(pool: &Arc<Shared>) -> bool {
    with(|context| context.local.as_ref().is_some_and(|local| Arc::ptr_eq(local.shared(), pool)))
}

/// Whether somebody has cancelled the task that this thread is doing.
pub(crate) fn is_cancelled() -> bool {
    with(|context| {
        for frame in context.frames.iter().rev() {
            let of_place = frame.task.place().is_some_and(|place| place.is_cancelled());
            if of_place || frame.task.state.is_settled() {
                return true;
            }
            if !frame.in_place {
                return false;
            }
        }
        false
    })
}
