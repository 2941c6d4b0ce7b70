//! What a pool tells those who look on: to whom, and in which words of the core's and the pool's.

use std::fmt::Display;
use std::sync::PoisonError;
use std::time::Duration;

use crate::core::{Header, News, TaskRef, Traits};
use crate::error::At;
use crate::observe::{CallbackId, Everywhere, Onlooker, TaskId, Told, Watched, tell_everywhere};
use crate::pool::place::{Inside, Part};
use crate::pool::shared::Shared;
use crate::pool::shown::{kind_of, need_of, needs, task_here, watched_here};
use crate::sync::{Arc, Parker, lock, thread};
use crate::trace;

impl Shared {
    /// Has somebody look on, from now on.
    pub(crate) fn observe(&self, onlooker: Onlooker) {
        let workers = self.wanted();
        self.tell_size_to(&onlooker, workers);
        self.onlookers.add(onlooker);
        self.phase.set_special();
        if self.wanted() != workers {
            // It may have missed that.
            self.tell_size();
        }
    }

    fn size(&self, workers: usize) -> Told<'_> {
        Told::Sized(workers, &self.config.thread_name, self.onlookers.clock())
    }

    fn tell_size_to(&self, onlooker: &Onlooker, workers: usize) {
        self.onlookers.tell_one(onlooker, &|| self.hook(), &self.size(workers));
    }

    /// The number of workers has changed.
    pub(crate) fn tell_size(&self) {
        if self.is_looked_on() {
            self.tell(&self.size(self.wanted()));
        }
    }

    /// Whether anybody looks on.
    #[inline]
    pub(crate) fn is_looked_on(&self) -> bool {
        self.onlookers.count() > 0
    }

    /// Tells all who look on.
    pub(crate) fn tell(&self, told: &Told<'_>) {
        self.onlookers.tell(self.onlookers.count(), None, &|| self.hook(), told);
    }

    /// What is kept of a task that is about to be submitted, where anybody looks on.
    pub(crate) fn watch(&self, traits: Traits) -> Option<Watched> {
        let seen_by = self.onlookers.count();
        let everywhere = trace::observer(traits.is_immediate());
        (seen_by > 0 || everywhere.is_some()).then(|| Watched::new(seen_by, everywhere))
    }

    /// Tells that the pool has stopped, once: when its threads are gone, or `at_any_rate`.
    pub(crate) fn tell_stopped(&self, at_any_rate: bool) {
        if !self.is_looked_on() || !self.is_closed() {
            return;
        }
        if !at_any_rate && !self.threads().has_nobody_but(&Parker::current()) {
            return;
        }
        let here = thread::current().id();
        let mut farewell = lock(&self.farewell);
        match farewell.by {
            None => farewell.by = Some(here),
            // Who stops the pool does not return before that is done.
            Some(other) if other != here && at_any_rate => {
                while !farewell.is_over {
                    let waited = self.told.wait(farewell);
                    farewell = waited.unwrap_or_else(PoisonError::into_inner);
                }
                return;
            }
            Some(_) => return,
        }
        drop(farewell);
        let running = self.stacks.tasks().iter().filter(|task| self.has_in_hand(task)).count();
        self.tell(&Told::Stopped(running));
        lock(&self.farewell).is_over = true;
        self.told.notify_all();
    }

    fn has_in_hand(&self, task: &Header) -> bool {
        let part = task.hooked_home::<Inside>();
        self.is_of(task) || part.is_some_and(|part| std::ptr::eq(&raw const **part.pool(), self))
    }
}

impl Part {
    /// Tells those who look on to its one task.
    fn tell(&self, watched: &Watched, told: &Told<'_>) -> Duration {
        let pool = self.pool();
        pool.onlookers.tell(watched.seen_by, watched.everywhere, &|| pool.hook(), told)
    }

    /// Tells them something of it, if there are any.
    pub(crate) fn tell_of(&self, told: impl FnOnce(TaskId, &dyn Fn(&Told<'_>))) {
        if let Some(watched) = &self.watched {
            told(watched.id, &|told| {
                self.tell(watched, told);
            });
        }
    }

    /// Its one task is about to be queued.
    pub(crate) fn tell_ready(&self) {
        if let Some(watched) = &self.watched {
            watched.ready(&|told| self.tell(watched, told));
        }
    }

    /// News of its one task.
    pub(crate) fn news(&self, task: &Header, news: News<'_>) {
        let Some(watched) = &self.watched else { return };
        let tell = |told: &Told<'_>| self.tell(watched, told);
        match news {
            News::Submitted(each) => {
                let from = (task_here(), self.part_of);
                watched.submitted(task.hop, kind_of(task), &needs(each), from, &tell);
            }
            // What is done on the spot calls no code of the program's.
            News::Begins if task.is_immediate() => {}
            News::Begins => watched.begins(&tell),
            News::Waits(each) => watched.waits(|| needs(each), &tell),
            News::Ends(error) => watched.ends(error, task.is_set(), &tell),
            News::Lost(error) => watched.lost(error, &tell),
            News::Cut(error) => {
                tell(&Told::Cancelled(watched.id, error));
            }
        }
    }
}

/// A callback, for those who look on.
pub(crate) struct Callback {
    id: CallbackId,
    pool: Option<Arc<Shared>>,
    seen_by: usize,
    everywhere: Everywhere,
    called: bool,
}

impl Callback {
    /// It was registered for the result of a task, of this pool if of any; `None` where nobody looks on.
    pub(crate) fn registered(
        task: &Header,
        pool: Option<&Arc<Shared>>,
        at: At,
    ) -> Option<Callback> {
        let pool = pool.filter(|pool| pool.is_looked_on()).cloned();
        let seen_by = pool.as_ref().map_or(0, |pool| pool.onlookers.count());
        let everywhere = trace::callbacks();
        if pool.is_none() && everywhere.is_none() {
            return None;
        }
        let id = CallbackId::next();
        let callback = Callback { id, pool, seen_by, everywhere, called: false };
        let (on, by) = (need_of(task), task_here());
        callback.tell(&Told::CallbackRegistered { callback: callback.id, on, at, by });
        Some(callback)
    }

    fn tell(&self, told: &Told<'_>) {
        match &self.pool {
            Some(pool) => {
                pool.onlookers.tell(self.seen_by, self.everywhere, &|| pool.hook(), told);
            }
            None => tell_everywhere(self.everywhere, told),
        }
    }

    /// Calls it.
    pub(crate) fn called<R>(callback: Option<Callback>, f: impl FnOnce() -> R) -> R {
        let _callback = callback.map(|mut callback| {
            callback.tell(&Told::CallbackBegun(callback.id));
            callback.called = true;
            callback
        });
        f()
    }
}

impl Drop for Callback {
    /// It is over, or will never be called.
    fn drop(&mut self) {
        self.tell(&Told::CallbackEnded(self.id, self.called));
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
        pool.tell(&Told::WaitBegun { task, on: &on, any, timed, at });
        Some(ToldWait(pool.clone(), task))
    }
}

impl Drop for ToldWait {
    fn drop(&mut self) {
        self.0.tell(&Told::WaitEnded(self.1));
    }
}

/// Tells something of the work that this thread is doing, where somebody looks on to it.
pub(crate) fn tell_here(told: impl FnOnce(TaskId, &dyn Fn(&Told<'_>))) {
    if let Some(part) = watched_here() {
        part.tell_of(told);
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
    tell_here(|task, tell| tell(&Told::Noted(Some(task), key, format_args!("{value}"))));
}
