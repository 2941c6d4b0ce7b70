//! News of tasks, for those who look on: told before the step that they are about can be seen by anybody else, and on
//! the thread that takes it.
//!
//! What those who look on know of a task lies behind its cell, or its home has it, which is then counted for the
//! task. News of what a task needs go by way of the home in either case: that is there then.

use super::cell::{CellPtr, Header, News};
use super::edge::Edge;
use super::seen;
use crate::error::Error;
use crate::observe::{Record, TaskKind};

/// What is shown each result that a task needs.
type Show<'a> = &'a mut dyn FnMut(&Header);

/// Tells those who look on.
///
/// # Safety
/// The task is alive; and its home, where the news are of what it needs.
#[cold]
#[inline(never)]
pub(super) unsafe fn tell(task: CellPtr, news: News<'_>) {
    // SAFETY: the caller's promise; a hooked task has a count of its home.
    unsafe {
        let header = task.as_ref();
        let Some(watched) = header.watched() else {
            if header.state.is_hooked() {
                let home = header.home();
                ((*home).table.tells)(home, task, news);
            }
            return;
        };
        match news {
            News::Submitted(_) | News::Waits(_) => {
                let home = header.home();
                ((*home).table.tells)(home, task, news);
            }
            // What is done on the spot calls no code of the program's.
            News::Begins if header.state.is_immediate() => {}
            News::Begins => watched.begins(),
            News::Ends(error) => watched.ends(error, header.outcome.is_closed()),
            News::Lost(error) => watched.lost(error),
            News::Cut(error) => watched.cut(error),
        }
    }
}

/// A task is about to be queued, or handed to a worker.
pub(super) fn ready(task: &Header) {
    if let Some(watched) = task.watched() {
        watched.ready();
    }
}

/// A task is about to be tied.
///
/// # Safety
/// Nobody else knows it.
#[cold]
#[inline(never)]
pub(super) unsafe fn submitted(task: CellPtr) {
    // SAFETY: the caller's promise.
    unsafe { tell(task, News::Submitted(&|show| each_input(task, show))) }
}

/// A run is over, and the task is to go on later.
///
/// # Safety
/// The caller has the claim.
#[cold]
#[inline(never)]
pub(super) unsafe fn waits(task: CellPtr) {
    // SAFETY: the caller's promise.
    unsafe {
        tell(
            task,
            News::Waits(&|show| {
                each_input(task, show);
                let awaited = task.as_ref().table().awaited;
                let _ = awaited(task, &mut |cell| show(cell.as_ref()));
            }),
        );
    }
}

/// A task that has not begun, or waits again, will not go on; why, if its result was not set before.
///
/// # Safety
/// The caller has claimed or seized it.
pub(super) unsafe fn lost(task: CellPtr, error: Option<&Error>) {
    // SAFETY: the caller's promise.
    unsafe { tell(task, News::Lost(error)) }
}

/// Shows what a task's edges come from, all those that are open.
///
/// # Safety
/// Nobody else may use the edges meanwhile.
unsafe fn each_input(task: CellPtr, show: Show<'_>) {
    // SAFETY: the caller's promise; an open edge keeps its upstream.
    unsafe {
        (task.as_ref().table().edges)(task, &mut |edge: &Edge| {
            if edge.is_open() {
                show(edge.upstream());
            }
        });
    }
}

impl Header {
    /// What those who look on know of it, where that lies behind the cell.
    #[inline]
    pub(crate) fn watched(&self) -> Option<&Record> {
        if !self.state.is_watched() {
            return None;
        }
        // SAFETY: the mark says that it is there, as long as the cell.
        Some(unsafe { seen::of(CellPtr::from(self).cast(), self.table().layout).as_ref() })
    }

    /// What a task is for those who look on.
    pub(crate) fn shown_as(&self) -> TaskKind {
        self.table().shown_as
    }
}
