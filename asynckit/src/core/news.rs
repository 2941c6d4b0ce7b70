//! News of tasks, for those who look on: told before the step that they are about can be seen by anybody else, and on
//! the thread that takes it.
//!
//! What those who look on know of a task lies behind its cell, or its home has it, which is then counted for the
//! task. News of what a task needs go by way of the home in either case: that is there then.

use super::cell::{CellPtr, Header, Needs, News};
use super::edge::Edge;
use crate::error::Error;
use crate::observe::{Need, Record, TaskKind};

/// Tells those who look on.
///
/// # Safety
/// The task is alive; and its home, where the news are of what it needs.
#[cold]
pub(super) unsafe fn tell(task: CellPtr, news: &News<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        let header = task.as_ref();
        let Some(watched) = header.watched() else { return tell_home(task, news) };
        match news {
            News::Submitted(_) | News::Waits(_) => tell_home(task, news),
            news => news.tell(watched, header),
        }
    }
}

impl News<'_> {
    /// Tells them, but for what a task needs: that its home tells.
    pub(crate) fn tell(&self, watched: &Record, task: &Header) {
        match *self {
            News::Submitted(_) | News::Waits(_) => {}
            // What is done on the spot calls no code of the program's.
            News::Begins { .. } if task.is_immediate() => {}
            News::Begins { then } => watched.begins(then),
            News::Ends(error) => watched.ends(error, task.is_set()),
            News::Lost(error) => watched.lost(error),
            News::Cut(error) => watched.cut(error),
        }
    }
}

/// Has the home tell.
///
/// # Safety
/// As `tell`; a hooked task has a count of its home.
#[cold]
#[inline(never)]
unsafe fn tell_home(task: CellPtr, news: &News<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        if task.as_ref().state.has_news() {
            let home = task.as_ref().home();
            ((*home).table.tells)(home, task, news);
        }
    }
}

/// A task is about to be queued, or handed to a worker.
#[inline]
pub(super) fn ready(task: &Header) {
    if let Some(watched) = task.watched() {
        watched.ready();
    }
}

/// A task is about to be tied.
///
/// # Safety
/// Nobody else knows it.
#[inline]
pub(super) unsafe fn submitted(task: CellPtr) {
    // SAFETY: the caller's promise.
    unsafe { tell_home(task, &News::Submitted(Needs(task, false))) }
}

/// A run is over, and the task is to go on later.
///
/// # Safety
/// The caller has the claim.
#[cold]
#[inline(never)]
pub(super) unsafe fn waits(task: CellPtr) {
    // SAFETY: the caller's promise.
    unsafe { tell_home(task, &News::Waits(Needs(task, true))) }
}

/// A task that has not begun, or waits again, will not go on; why, if its result was not set before.
///
/// # Safety
/// The caller has claimed or seized it.
#[cold]
#[inline(never)]
pub(super) unsafe fn lost(task: CellPtr, error: Option<&Error>) {
    // SAFETY: the caller's promise.
    unsafe { tell(task, &News::Lost(error)) }
}

impl Needs {
    /// Calls `f` with what these are.
    pub(crate) fn with<R>(
        &self,
        what: impl Fn(&Header) -> Need,
        f: impl FnOnce(&[Need]) -> R,
    ) -> R {
        let mut list = List { few: [Need::Outside; FEW], len: 0, many: Vec::new() };
        // SAFETY: the promise of this type's making; an open edge keeps its upstream.
        unsafe {
            let table = self.0.as_ref().table();
            (table.edges)(self.0, &mut |edge: &Edge| {
                if edge.is_open() {
                    list.push(what(edge.upstream()));
                }
            });
            if self.1 {
                let _ = (table.awaited)(self.0, &mut |cell| list.push(what(cell.as_ref())));
            }
        }
        f(if list.many.is_empty() { &list.few[..list.len] } else { &list.many })
    }
}

/// So many are kept without an allocation.
const FEW: usize = 8;

/// Needs, one by one.
struct List {
    few: [Need; FEW],
    len: usize,
    many: Vec<Need>,
}

impl List {
    #[inline]
    fn push(&mut self, need: Need) {
        match self.few.get_mut(self.len) {
            Some(place) => *place = need,
            None => self.push_many(need),
        }
        self.len += 1;
    }

    #[cold]
    #[inline(never)]
    fn push_many(&mut self, need: Need) {
        if self.many.is_empty() {
            self.many.extend(self.few);
        }
        self.many.push(need);
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
        Some(unsafe { self.table().room.record(CellPtr::from(self).cast()).as_ref() })
    }

    /// What a task is for those who look on.
    pub(crate) fn shown_as(&self) -> TaskKind {
        self.table().shown_as
    }
}
