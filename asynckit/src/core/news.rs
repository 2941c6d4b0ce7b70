//! News of tasks, for those who look on: told before the step that they are about can be seen by anybody else, and on
//! the thread that takes it.
//!
//! What those who look on know of a task lies behind its cell, or its home has it, which is then counted for the
//! task.

use std::ops::ControlFlow;

use super::cell::{CellPtr, Header, News};
use super::edge::Edge;
use super::frame::each_frame;
use crate::error::Error;
use crate::observe::{Need, Onlookers, Record, TaskId, TaskKind, Told};
use crate::sync::Arc;

/// Tells those who look on.
///
/// # Safety
/// The task is alive, and so is its home.
#[cold]
pub(super) unsafe fn tell(task: CellPtr, news: &News<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        match told(task.as_ref()) {
            Some(told) => news.tell(told, None, task.as_ref()),
            None => tell_home(task, news),
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
    /// Tells them. `part_of`: the task that this one is a part of.
    pub(crate) fn tell(&self, told: Told<'_>, part_of: Option<TaskId>, task: &Header) {
        match *self {
            News::Submitted(needs) => {
                told.submitted(task.hop, task.told_as(), needs, (task_here(), part_of));
            }
            News::Waits(needs) => told.waits(needs),
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
                news.tell(record.told(by), None, task.as_ref());
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
/// Nobody else knows it, and its home is alive.
#[cold]
#[inline(never)]
pub(super) unsafe fn submitted(task: CellPtr) {
    // SAFETY: the caller's promise; an open edge keeps its upstream.
    unsafe {
        let header = task.as_ref();
        let mut needs = Needs::of(header.watched());
        (header.table().edges)(task, &mut |edge| needs.push_edge(edge));
        let Some(told) = told(header) else {
            return tell_home(task, &News::Submitted(needs.all()));
        };
        if needs.are_told && told.infers_ready() {
            told.record().ready_follows();
        }
        told.submitted(header.hop, header.told_as(), needs.all(), (task_here(), None));
    }
}

/// A run is over, and the task is to go on later.
///
/// # Safety
/// The caller has the claim.
#[cold]
#[inline(never)]
pub(super) unsafe fn waits(task: CellPtr) {
    let mut needs = Needs::of(None);
    // SAFETY: the caller's promise; an open edge keeps its upstream, and a task what it awaits.
    unsafe {
        let table = task.as_ref().table();
        (table.edges)(task, &mut |edge| needs.push_edge(edge));
        let _ = (table.awaited)(task, &mut |cell| needs.push(cell.as_ref()));
        tell(task, &News::Waits(needs.all()));
    }
}

/// So many are kept without an allocation.
const FEW: usize = 8;

/// What a task needs, one by one.
struct Needs<'a> {
    few: [Need; FEW],
    len: usize,
    many: Vec<Need>,
    of: Option<&'a Record>,
    /// Whether all who are told of the task are told of these.
    are_told: bool,
}

impl<'a> Needs<'a> {
    #[inline]
    fn of(task: Option<&'a Record>) -> Needs<'a> {
        let (few, many) = ([Need::Outside; FEW], Vec::new());
        Needs { few, len: 0, many, of: task, are_told: task.is_some() }
    }

    #[inline]
    fn push_edge(&mut self, edge: &Edge) {
        if edge.is_open() {
            self.push(edge.upstream());
        }
    }

    #[inline]
    fn push(&mut self, cell: &Header) {
        let need = match cell.record() {
            Some(its) => {
                self.are_told &= self.of.is_some_and(|of| its.is_told_to_all_of(of));
                Need::Task(its.id)
            }
            None => {
                self.are_told = false;
                Need::Outside
            }
        };
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

    #[inline]
    fn all(&self) -> &[Need] {
        if self.many.is_empty() { &self.few[..self.len] } else { &self.many }
    }
}

/// Shows what those who look on know of the work that this thread is doing, and that. `None` where nobody does.
#[inline]
pub(crate) fn with_watched_here<R>(mut f: impl FnMut(&Record, &Header) -> Option<R>) -> Option<R> {
    each_frame(|frame| match frame.header().record() {
        Some(watched) => ControlFlow::Break(f(watched, frame.header())),
        // It is run in place, as a part of what is below.
        None if frame.home_address().is_null() => ControlFlow::Continue(()),
        None => ControlFlow::Break(None),
    })
    .flatten()
}

/// The number of that work.
#[inline]
pub(crate) fn task_here() -> Option<TaskId> {
    with_watched_here(|watched, _| Some(watched.id))
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

    /// What those who look on know of it, wherever that is.
    #[inline]
    pub(crate) fn record(&self) -> Option<&Record> {
        self.watched().or_else(|| if self.state.is_hooked() { self.record_of_home() } else { None })
    }

    #[cold]
    #[inline(never)]
    fn record_of_home(&self) -> Option<&Record> {
        let home = self.home();
        // SAFETY: a hooked task has a count of its home as long as it is there.
        unsafe { ((*home).table.record)(home).map(|record| record.as_ref()) }
    }

    /// What a task is for those who look on.
    pub(crate) fn shown_as(&self) -> TaskKind {
        self.table().shown_as
    }

    /// Likewise, of one that may be done on the spot.
    #[inline]
    fn told_as(&self) -> TaskKind {
        match self.shown_as() {
            TaskKind::Call if self.is_immediate() => TaskKind::Gather,
            kind => kind,
        }
    }
}
