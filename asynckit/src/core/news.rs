//! News of tasks, for those who look on: told before the step that they are about can be seen by anybody else, and on
//! the thread that takes it.
//!
//! What those who look on know of a task lies behind its cell, or its home has it, which is then counted for the
//! task. News of what a task needs go by way of the home in either case: that is there then.

use super::cell::{CellPtr, Header, Needs, News};
use super::edge::Edge;
use crate::error::Error;
use crate::observe::{Need, Onlookers, Record, TaskKind, Told};
use crate::sync::Arc;

/// Tells those who look on.
///
/// # Safety
/// The task is alive, and so is its home.
#[cold]
pub(super) unsafe fn tell(task: CellPtr, news: &News<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        match (told(task.as_ref()), news) {
            (None, _) | (_, News::Submitted(_) | News::Waits(_)) => tell_home(task, news),
            (Some(told), news) => news.tell(told, task.as_ref()),
        }
    }
}

/// A task that has its record with it, and who is told.
///
/// # Safety
/// Its home is alive meanwhile.
#[inline]
pub(super) unsafe fn told(task: &Header) -> Option<Told<'_>> {
    let record = task.watched()?;
    // SAFETY: the caller's promise.
    let by = unsafe { (*task.home()).onlookers.as_ref()? };
    Some(record.told(by))
}

impl News<'_> {
    /// Tells them, but for what a task needs: that its home tells.
    pub(crate) fn tell(&self, told: Told<'_>, task: &Header) {
        match *self {
            News::Submitted(_) | News::Waits(_) => {}
            // What is done on the spot calls no code of the program's.
            News::Begins { .. } if task.is_immediate() => {}
            News::Begins { then } => told.begins(then),
            News::Ends(error) => told.ends(error, task.is_set()),
            News::Lost(error) => told.lost(error),
            News::Cut(error) => told.cut(error),
        }
    }
}

/// Those who will be told what has become of a task that the caller is about to give up: its pool, which keeps them,
/// may be gone as soon as that is done.
pub(super) struct Witness(Option<Arc<Onlookers>>);

impl Witness {
    #[inline]
    pub(super) fn of(task: &Header) -> Witness {
        #[cold]
        #[inline(never)]
        fn of_pool(record: &Record) -> Option<Arc<Onlookers>> {
            Onlookers::of(record.pool)
        }
        Witness(task.watched().and_then(of_pool))
    }

    /// # Safety
    /// The task is alive, and the caller has given it up.
    unsafe fn tell(&self, task: CellPtr, news: &News<'_>) {
        // SAFETY: the caller's promise; what has no record with it is hooked, or not seen.
        unsafe {
            let Some(record) = task.as_ref().watched() else { return tell_home(task, news) };
            if let Some(by) = &self.0 {
                news.tell(record.told(by), task.as_ref());
            }
        }
    }

    /// It has not begun, or waits again, and will not go on; why, if its result was not set before.
    ///
    /// # Safety
    /// As `tell`.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn lost(&self, task: CellPtr, error: Option<&Error>) {
        // SAFETY: the caller's promise.
        unsafe { self.tell(task, &News::Lost(error)) }
    }

    /// Its result was set so while somebody runs it.
    ///
    /// # Safety
    /// As `tell`.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn cut(&self, task: CellPtr, error: &Error) {
        // SAFETY: the caller's promise.
        unsafe { self.tell(task, &News::Cut(error)) }
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
///
/// # Safety
/// Its home is alive.
#[inline]
pub(super) unsafe fn ready(task: &Header) {
    if task.watched().is_some_and(|record| !record.is_told()) {
        // SAFETY: the caller's promise.
        unsafe { tell_ready(task) }
    }
}

/// # Safety
/// As `ready`.
#[cold]
#[inline(never)]
unsafe fn tell_ready(task: &Header) {
    // SAFETY: the caller's promise.
    if let Some(told) = unsafe { told(task) } {
        told.ready();
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
