//! What a pool tells those who look on: to whom, and in which words of the core's and the pool's.

use std::fmt::Display;
use std::sync::PoisonError;

use crate::core::{Header, News, TaskRef, Traits};
use crate::error::At;
use crate::observe::{
    CallbackId, Everywhere, Listeners, Onlooker, Record, TaskId, Told, tell_everywhere,
};
use crate::pool::place::{Inside, Part, Place};
use crate::pool::shared::Shared;
use crate::pool::shown::{kind_of, need_of, task_here, with_needs, with_watched_here};
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
        self.onlookers.tell_one(onlooker, &self.size(workers));
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
        self.onlookers.tell(self.onlookers.count(), None, told);
    }

    /// What is kept of a task that is about to be submitted, where anybody looks on.
    pub(crate) fn watch(&self, traits: Traits) -> Option<Record> {
        let everywhere = trace::observer(traits.is_immediate());
        let is_seen = self.is_looked_on() || everywhere.is_some();
        is_seen.then(|| Record::new(self.onlookers.listeners(everywhere)))
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
    /// Its one task is about to be queued.
    pub(crate) fn tell_ready(&self) {
        if let Some(watched) = &self.watched {
            watched.ready();
        }
    }

    /// News of its one task.
    pub(crate) fn news(&self, task: &Header, news: News<'_>) {
        if let Some(watched) = &self.watched {
            tell_news(watched, self.part_of, task, news);
        }
    }
}

/// Tells news of a task to those who look on to it.
pub(crate) fn tell_news(watched: &Record, of: Option<TaskId>, task: &Header, news: News<'_>) {
    match news {
        News::Submitted(each) => {
            with_needs(each, |needs| {
                watched.submitted(task.hop, kind_of(task), needs, (task_here(), of));
            });
        }
        // What is done on the spot calls no code of the program's.
        News::Begins if task.is_immediate() => {}
        News::Begins => watched.begins(),
        News::Waits(each) => with_needs(each, |needs| watched.waits(needs)),
        News::Ends(error) => watched.ends(error, task.is_set()),
        News::Lost(error) => watched.lost(error),
        News::Cut(error) => watched.cut(error),
    }
}

/// A callback, for those who look on.
pub(crate) struct Callback {
    id: CallbackId,
    by: By,
    called: bool,
}

/// Who is told of it.
enum By {
    Pool(Listeners),
    Everywhere(Everywhere),
}

impl Callback {
    /// It was registered for the result of a task, of this pool if of any; `None` where nobody looks on.
    pub(crate) fn registered(
        task: &Header,
        pool: Option<&Arc<Shared>>,
        at: At,
    ) -> Option<Callback> {
        let everywhere = trace::callbacks();
        let by = match pool.filter(|pool| pool.is_looked_on()) {
            Some(pool) => By::Pool(pool.onlookers.listeners(everywhere)),
            None if everywhere.is_some() => By::Everywhere(everywhere),
            None => return None,
        };
        let callback = Callback { id: CallbackId::next(), by, called: false };
        let (on, by) = (need_of(task), task_here());
        callback.tell(&Told::CallbackRegistered { callback: callback.id, on, at, by });
        Some(callback)
    }

    fn tell(&self, told: &Told<'_>) {
        match &self.by {
            By::Pool(listeners) => _ = listeners.tell(told),
            By::Everywhere(everywhere) => tell_everywhere(*everywhere, told),
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

/// The work that this thread is doing, and who looks on to it, if anybody does.
pub(crate) fn listeners_here() -> Option<(TaskId, Listeners)> {
    with_watched_here(|watched| Some((watched.id, watched.by.clone())))
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
        by.tell(&Told::Noted(Some(task), key, format_args!("{value}")));
    }
}
