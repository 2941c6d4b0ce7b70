//! Callbacks of results: telling those who look on of them, and which are under way, for who looks at a pool.
//!
//! A callback is no task and has no frame. So each thread keeps a list of those that it is in, under a lock that nobody
//! else wants but who takes a snapshot. Most callbacks are short and nobody asks for them: one costs that lock twice.

use std::cell::OnceCell;
use std::time::Duration;

use crate::core::{Header, task_here};
use crate::error::{At, Hop};
use crate::observe::{CallbackId, Listeners, Moment, Observer, PoolId, Row, tell};
use crate::pool::shared::Shared;
use crate::pool::shown::need_of;
use crate::sync::{Arc, Mutex, Weak, lock};
use crate::trace;

/// A callback that is registered. There may be many for long, so that it has only what is not known when it is called.
pub(crate) struct Callback {
    id: CallbackId,
    at: At,
    pool: Option<PoolId>,
    by: Option<By>,
    called: bool,
}

/// Who is told of it.
enum By {
    Pool(Listeners),
    Everywhere(&'static dyn Observer),
}

/// What is known of one that a thread is in.
#[derive(Clone)]
pub(super) struct Calling {
    pub(super) id: CallbackId,
    /// Where it was registered.
    pub(super) at: At,
    /// What its result is of, and whose.
    pub(super) of: Hop,
    pub(super) pool: Option<PoolId>,
    /// Since when, by the clock of the pool, where somebody looks on to that.
    pub(super) since: Option<Duration>,
}

/// The callbacks that a thread is in.
struct Calls {
    row: Row,
    all: Mutex<Vec<Calling>>,
}

/// Those of each thread that has called one.
static THREADS: Mutex<Vec<Weak<Calls>>> = Mutex::new(Vec::new());

thread_local! {
    static CALLS: OnceCell<Arc<Calls>> = const { OnceCell::new() };
}

/// All that are under way, with the row of their thread; the newest first.
pub(super) fn under_way() -> Vec<(Row, Calling)> {
    let threads: Vec<Arc<Calls>> = lock(&THREADS).iter().filter_map(Weak::upgrade).collect();
    let mut all = Vec::new();
    for thread in threads {
        let calls = lock(&thread.all);
        all.extend(calls.iter().rev().map(|call| (thread.row.clone(), call.clone())));
    }
    all
}

impl Calls {
    fn of_this_thread() -> Arc<Calls> {
        let calls = Arc::new(Calls { row: Row::here(), all: Mutex::new(Vec::new()) });
        let mut threads = lock(&THREADS);
        threads.retain(|thread| thread.strong_count() > 0);
        threads.push(Arc::downgrade(&calls));
        drop(threads);
        calls
    }
}

/// This thread is in a callback.
struct In;

impl In {
    fn begin(call: Calling) -> In {
        // A thread that is about to end keeps no list.
        let _ =
            CALLS.try_with(|calls| lock(&calls.get_or_init(Calls::of_this_thread).all).push(call));
        In
    }
}

impl Drop for In {
    fn drop(&mut self) {
        let _ = CALLS.try_with(|calls| calls.get().and_then(|calls| lock(&calls.all).pop()));
    }
}

impl Callback {
    /// It was registered for the result of a task, of this pool if of any.
    pub(crate) fn registered(task: &Header, pool: Option<&Arc<Shared>>, at: At) -> Callback {
        let everywhere = trace::callbacks();
        let by = match pool.filter(|pool| pool.is_looked_on()) {
            Some(pool) => Some(By::Pool(pool.onlookers.listeners(everywhere))),
            None => everywhere.map(By::Everywhere),
        };
        let (id, pool) = (CallbackId::next(), pool.map(|pool| pool.onlookers.pool()));
        let callback = Callback { id, at, pool, by, called: false };
        if let Some(moment) = callback.moment() {
            let (on, by) = (need_of(task), task_here());
            tell!(moment, CallbackRegistered { callback: id, on, at, by });
        }
        callback
    }

    fn moment(&self) -> Option<Moment<'_>> {
        Some(match self.by.as_ref()? {
            By::Pool(listeners) => listeners.moment(),
            By::Everywhere(by) => Moment::of_no_pool(*by),
        })
    }

    /// Calls it; with what its result is of.
    pub(crate) fn called<R>(mut callback: Callback, of: Hop, f: impl FnOnce() -> R) -> R {
        let begun = callback.moment().map(|moment| {
            let callback = callback.id;
            tell!(moment, CallbackBegun { callback })
        });
        // Another clock may be that of whoever looks on everywhere.
        let is_its = matches!(callback.by, Some(By::Pool(_)));
        let since = begun.filter(|_| is_its).map(Duration::from_nanos);
        callback.called = true;
        let Callback { id, at, pool, .. } = callback;
        let _in = In::begin(Calling { id, at, of, pool, since });
        f()
    }
}

impl Drop for Callback {
    /// It is over, or will never be called.
    fn drop(&mut self) {
        if let Some(moment) = self.moment() {
            let (callback, called) = (self.id, self.called);
            tell!(moment, CallbackEnded { callback, called });
        }
    }
}
