//! What a pool tells those who look on: to whom, and in which words of the core's and the pool's.

use std::fmt::Display;

use crate::core::{Header, News, TaskRef, Traits, task_here, with_watched_here};
use crate::error::At;
use crate::observe::{Listeners, Moment, Onlooker, Record, TaskId, Told, tell};
use crate::pool::place::{Part, Place};
use crate::pool::shared::Shared;
use crate::pool::shown::{need_of, onlookers_of};
use crate::sync::{Arc, Parker, thread};
use crate::trace;

impl Shared {
    /// Has somebody look on, from now on.
    pub(crate) fn observe(&self, onlooker: Onlooker) {
        self.leave_out_who_is_over();
        let onlooker = onlooker.for_pool();
        let workers = self.wanted();
        self.tell_size_to(self.onlookers.moment_of_newest(&onlooker));
        self.onlookers.add(onlooker, || self.phase.set_watched(true));
        if self.wanted() != workers {
            // It may have missed that.
            self.tell_size();
        }
    }

    /// Who is over is told nothing any more.
    pub(crate) fn leave_out_who_is_over(&self) {
        self.onlookers.sweep(|| self.phase.set_watched(false));
    }

    /// The number of workers has changed.
    pub(crate) fn tell_size(&self) {
        if self.is_looked_on() {
            self.tell_size_to(self.onlookers.moment());
        }
    }

    fn tell_size_to(&self, moment: Moment<'_>) {
        let (name, clock) = (&*self.config.thread_name, self.onlookers.clock());
        tell!(moment, PoolSized { workers: self.wanted(), name, clock });
    }

    /// Whether anybody looks on.
    #[inline]
    pub(crate) fn is_looked_on(&self) -> bool {
        self.onlookers.is_anybody()
    }

    /// What is kept of a task that is about to be submitted, where anybody looks on.
    pub(crate) fn watch(&self, traits: Traits) -> Option<Record> {
        let everywhere = trace::observer(traits.is_immediate());
        let is_seen = self.is_looked_on() || everywhere.is_some();
        is_seen.then(|| Record::new(&self.onlookers, self.onlookers.among(everywhere)))
    }

    /// Likewise, where somebody does.
    #[inline]
    pub(crate) fn watched(&self) -> Record {
        Record::new(&self.onlookers, self.onlookers.among(trace::observer(false)))
    }

    /// Tells that the pool has stopped, once: when its threads are gone, or `at_any_rate`.
    pub(crate) fn tell_stopped(&self, at_any_rate: bool) {
        if !self.is_looked_on() || !self.is_closed() {
            return;
        }
        let here = thread::current().id();
        let mut threads = self.threads();
        if !at_any_rate && !threads.has_nobody_but(&Parker::current()) {
            return;
        }
        if let Some(teller) = threads.teller {
            drop(threads);
            // Who stops the pool does not return before that is done.
            if at_any_rate && teller != here {
                self.wait_until(|| None, |threads| threads.has_told);
            }
            return;
        }
        threads.teller = Some(here);
        drop(threads);
        let running = self.stacks.tasks().iter().filter(|task| self.has(task)).count();
        tell!(self.onlookers.moment(), PoolStopped { running });
        let mut threads = self.threads();
        threads.has_told = true;
        threads.tell_resters();
    }
}

impl Part {
    /// What those who look on know of its one task, and who they are.
    fn told(&self) -> Option<Told<'_>> {
        Some(self.watched.as_ref()?.told(&self.pool().onlookers))
    }

    /// Its one task is about to be queued.
    pub(crate) fn tell_ready(&self) {
        if let Some(told) = self.told() {
            told.ready();
        }
    }

    /// News of its one task.
    pub(crate) fn news(&self, task: &Header, news: &News<'_>) {
        if let Some(told) = self.told() {
            news.tell(told, self.part_of, task);
        }
    }
}

/// A wait within work, for those who look on.
pub(crate) struct ToldWait(Arc<Shared>, Option<TaskId>);

impl ToldWait {
    /// It begins; `None` where nobody looks on.
    pub(crate) fn begin(
        pool: &Arc<Shared>,
        on: impl FnOnce() -> Vec<TaskRef>,
        (any, timed): (bool, bool),
        at: At,
    ) -> Option<ToldWait> {
        if !pool.is_looked_on() {
            return None;
        }
        let (on, task) = (on().iter().map(|task| need_of(task)).collect::<Vec<_>>(), task_here());
        tell!(pool.onlookers.moment(), WaitBegun { task, on: &on, any, timed, at });
        Some(ToldWait(pool.clone(), task))
    }
}

impl Drop for ToldWait {
    fn drop(&mut self) {
        tell!(self.0.onlookers.moment(), WaitEnded { task: self.1 });
    }
}

/// The work that this thread is doing, and who looks on to it, if anybody does.
pub(crate) fn listeners_here() -> Option<(TaskId, Listeners)> {
    with_watched_here(|watched, header| {
        let by = watched.listeners(onlookers_of(header)?);
        Some((watched.id, by))
    })
}

/// The same place for work that is a part of what this thread is doing, where somebody looks on to that.
pub(crate) fn as_a_part(place: Place) -> Place {
    match (&place, task_here()) {
        (Place::Pool(pool), Some(task)) => Place::part_of(pool, task),
        _ => place,
    }
}

/// Says something of the work that calls this, to whoever looks on to it
/// ([`Observer::note`](crate::Observer::note)): which file it is at, how many bytes it has read. Where nobody
/// looks on, and outside of work, it does nothing.
///
/// ```
/// use asynckit::{Pool, work};
///
/// let pool = Pool::new(1);
/// let size = work(|| {
///     let page = "a page".to_owned();
///     asynckit::note("bytes", page.len());
///     page.len()
/// });
/// assert_eq!(size.spawn_on(&pool).get()?, 6);
/// # Ok::<(), asynckit::Error>(())
/// ```
pub fn note(key: &str, value: impl Display) {
    if let Some((task, by)) = listeners_here() {
        let tell = |value| tell!(by.moment(), Noted { task: Some(task), key, value });
        tell(format_args!("{value}"));
    }
}
