//! Where tasks run, as the layers above make it: a pool, or a part of one.
//!
//! *The home lives:* whatever a task does with its home happens while that is alive.
//!
//! - A hooked task has a count of its home.
//! - Of any other, the home is a pool, and that lives as long as one of its threads, and as long as its
//!   count is not zero. While none of its threads runs anything, and nothing is queued, each of its open tasks
//!   waits; and whoever brings an end to that has been counted: an edge from a cell that is not the pool's
//!   own (`meet`), a loan's end (`release`), a step of this thread's trampoline (`release`). Who sleeps until a
//!   waker is called is hooked.
//! - A pool ends when nothing of it runs, is queued or counted, and all that waited was failed.

use std::ops::Deref;
use std::ptr::NonNull;

use super::cell::{Header, Home, HomeTable, News};
use super::complete::ListRest;
use super::entry::{Claimed, Entry};
use super::frame::Frame;
use super::handle::{Owner, TaskRef};
use super::schedule::{Schedule, ToHomes};
use super::state::Traits;
use super::task::{self, Submitted, TaskOf, Unsubmitted};
use super::trampoline;
use crate::error::{Error, Hook, Hop};
use crate::observe::{Onlookers, Record};
use crate::sync::Arc;

/// What a home does.
///
/// What it promises is above: it lives as long as that says.
pub(crate) trait IsHome: Sized + Send + Sync + 'static {
    /// What tells homes of this type from others.
    const KIND: u8;
    /// Queues a task that became ready, on whatever thread this is.
    fn schedule(home: &Homed<Self>, entry: Entry);
    /// Likewise, behind the others.
    fn queue(home: &Homed<Self>, entry: Entry);
    /// Has the rest of a long list visited.
    fn rest(home: &Homed<Self>, rest: ListRest);
    /// A task of this home is to be tied to a cell of another one. True where the home has counted the edge.
    fn meet(home: &Homed<Self>, upstream: &TaskRef) -> bool;
    /// Counts something that the home has to live for.
    fn hold(home: &Homed<Self>);
    /// Something that was counted is over.
    fn met(home: &Homed<Self>);
    /// A task that had begun has come to wait again. `hidden`: nothing leads to it but its waker, or the end of
    /// loans, so that it is to be found when the home ends.
    fn sleeps(home: &Homed<Self>, task: &TaskRef, hidden: bool);
    /// A hooked task is over: nothing is left of its closure and inputs.
    fn over(home: &Homed<Self>, task: &TaskRef);
    /// What those who look on know of a task that is hooked to it.
    fn record(_home: &Homed<Self>) -> Option<&Record> {
        None
    }
    /// News of a hooked task.
    fn tells(_home: &Homed<Self>, _task: &Header, _news: &News<'_>) {}
    /// Whom to tell of failures that nobody looks at.
    fn hook(home: &Homed<Self>) -> Option<Hook>;
    /// Who looks on to its tasks, where these have their records with them (`seen.rs`).
    fn onlookers(&self) -> Option<Arc<Onlookers>> {
        None
    }
}

/// A home, with what the core has to know of it in front. Always in an `Arc`.
#[repr(C)]
pub(crate) struct Homed<P> {
    home: Home,
    inner: P,
}

// SAFETY: the front is a constant table's address, and who looks on, which any thread may read.
unsafe impl<P: Sync> Sync for Homed<P> {}
// SAFETY: the front may be moved and dropped by any thread; the rest is a `P`.
unsafe impl<P: Send> Send for Homed<P> {}

impl<P: IsHome> Homed<P> {
    const TABLE: HomeTable = HomeTable {
        // SAFETY: the home is alive, and the caller gives the task's entry away.
        schedule: |home, task| unsafe { P::schedule(of(home), Entry::new(task)) },
        // SAFETY: the home is alive, and the task's entry goes to the queue.
        queue: |home, task| unsafe { P::queue(of(home), Entry::new(task)) },
        // SAFETY: the home is alive.
        rest: |home, rest| unsafe { P::rest(of(home), rest) },
        // SAFETY: the home is alive, and the edge keeps its upstream.
        meet: |home, upstream| unsafe { P::meet(of(home), &TaskRef::new(upstream)) },
        // SAFETY: the home is alive.
        hold: |home| unsafe { P::hold(of(home)) },
        // SAFETY: a home that has counted something is alive until it is told.
        met: |home| unsafe { P::met(of(home)) },
        // SAFETY: the home is alive, and the caller keeps the task.
        sleeps: |home, task, hidden| unsafe { P::sleeps(of(home), &TaskRef::new(task), hidden) },
        // SAFETY: a hooked task's home is counted for it, and the caller keeps the task.
        over: |home, task| unsafe { P::over(of(home), &TaskRef::new(task)) },
        // SAFETY: only hooked tasks have records with their home, which is counted for them as long as they are there.
        record: |home| unsafe { P::record(of(home)).map(NonNull::from) },
        // SAFETY: a hooked task's home is counted for it; the caller keeps the task while it is told of.
        tells: |home, task, news| unsafe { P::tells(of(home), task.as_ref(), news) },
        // SAFETY: the count is the task's, and goes with it.
        release: |home| unsafe { Arc::decrement_strong_count(home.cast::<Homed<P>>()) },
        // SAFETY: the home is alive.
        hook: |home| unsafe { P::hook(of(home)) },
        kind: P::KIND,
    };

    pub(crate) fn new_home(inner: P) -> Arc<Homed<P>> {
        let (table, onlookers) = (const { &Self::TABLE }, inner.onlookers());
        Arc::new(Homed { home: Home { table, onlookers }, inner })
    }

    /// One more handle on it.
    pub(crate) fn arc(&self) -> Arc<Homed<P>> {
        let at = std::ptr::from_ref(self);
        // SAFETY: it is in an `Arc`, which is there as long as this borrow.
        unsafe {
            Arc::increment_strong_count(at);
            Arc::from_raw(at)
        }
    }

    /// Makes a task of this home and ties it to its inputs.
    #[inline(always)]
    pub(crate) fn submit<T, K: TaskOf<T>>(
        &self,
        traits: Traits,
        hop: Hop,
        task: K,
    ) -> (Owner<T>, Submitted) {
        // SAFETY: the home is alive, and promises to stay so as long as its tasks need it.
        unsafe { task::submit(self.address(), traits, hop, task, None) }
    }

    /// Likewise, and somebody looks on.
    #[inline(always)]
    pub(crate) fn submit_watched<T, K: TaskOf<T>>(
        &self,
        traits: Traits,
        hop: Hop,
        task: K,
        watched: Record,
    ) -> (Owner<T>, Submitted) {
        let traits = traits.and(Traits::WATCHED);
        // SAFETY: the home is alive, and promises to stay so as long as its tasks need it. The trait says that there is a
        // record, and it goes with the task.
        unsafe { task::submit(self.address(), traits, hop, task, Some(watched)) }
    }

    /// Likewise, hooked to it.
    pub(crate) fn submit_hooked<T, K: TaskOf<T>>(
        self: &Arc<Self>,
        traits: Traits,
        hop: Hop,
        task: K,
    ) -> (Owner<T>, Submitted) {
        let traits = traits.and(Traits::HOOKED);
        // SAFETY: the home is counted.
        unsafe { task::submit(self.hook_in(), traits, hop, task, None) }
    }

    /// Ties work that has a cell, hooked to it.
    pub(crate) fn submit_made_hooked<T>(
        self: &Arc<Self>,
        traits: Traits,
        work: Unsubmitted<T>,
    ) -> (Owner<T>, Submitted) {
        // SAFETY: the home is counted.
        unsafe { work.submit(self.hook_in(), traits.and(Traits::HOOKED)) }
    }

    /// Does a task that is done on the spot.
    pub(crate) fn do_now(&self, entry: Entry) {
        do_now(entry);
    }

    /// The address by which tasks know it.
    #[inline]
    pub(crate) fn address(&self) -> *const Home {
        std::ptr::from_ref(self).cast()
    }

    /// One more task is hooked to it.
    pub(super) fn hook_in(self: &Arc<Self>) -> *const Home {
        Arc::into_raw(self.clone()).cast()
    }

    /// Whether a task is of this home.
    #[inline]
    pub(crate) fn is_of(&self, task: &Header) -> bool {
        std::ptr::eq(task.home_address(), self.address())
    }

    /// Runs a task of this home's pool. The caller keeps that alive.
    #[inline]
    pub(crate) fn run(&self, task: Claimed, to: &mut impl Schedule) {
        // SAFETY: this is its home, or the pool that its home is a part of; the page above.
        unsafe { task.run(to) }
    }

    /// As `run`, of a task that nobody is told of.
    #[inline(always)]
    pub(crate) fn run_plain(&self, task: Claimed, to: &mut impl Schedule) {
        debug_assert!(!task.header().has_news(), "somebody is to be told of a task");
        // SAFETY: this is its home, or the pool that its home is a part of, which the caller keeps alive; that nobody is
        // told was looked at.
        unsafe { task.run_plain(to) }
    }

    /// A result that no work sets is known to this home from now on; whether
    /// it does.
    pub(crate) fn adopt(&self, root: &TaskRef) -> bool {
        root.adopt(self.mark_of_roots())
    }

    /// Whether it does.
    pub(crate) fn has_adopted(&self, root: &TaskRef) -> bool {
        std::ptr::eq(root.home_address(), self.mark_of_roots())
    }

    /// That ends.
    pub(crate) fn abandon(&self, root: &TaskRef) {
        let _ = root.abandon(self.mark_of_roots());
    }

    /// In place of a home's address, for what is not a task of this home; never followed.
    fn mark_of_roots(&self) -> *const Home {
        self.address().wrapping_byte_add(1)
    }
}

/// Keeps a home until `let_go`.
pub(crate) fn keep<P>(home: &Homed<P>) {
    // SAFETY: it is in an `Arc`, which is there as long as this borrow.
    unsafe { Arc::increment_strong_count(std::ptr::from_ref(home)) }
}

/// Keeps it no longer. There was a `keep` for this, which the caller answers for.
pub(crate) fn let_go<P>(home: &Arc<Homed<P>>) {
    // SAFETY: the caller's promise; the borrowed `Arc` remains.
    unsafe { Arc::decrement_strong_count(Arc::as_ptr(home)) }
}

/// Fails all tasks that wait for a cell and are such.
pub(crate) fn fail_dependents(
    root: &TaskRef,
    is_of: &dyn Fn(&Header) -> bool,
    error: &dyn Fn(&Header) -> Error,
) -> bool {
    // SAFETY: the homes are the caller's own, or parts of it: the page above.
    unsafe { root.fail_dependents(is_of, error) }
}

/// Makes a task without a home, which is done on the spot when its inputs are there.
pub(crate) fn submit_nowhere<T, K: TaskOf<T>>(traits: Traits, hop: Hop, task: K) -> Owner<T> {
    let traits = traits.and(Traits::IMMEDIATE);
    // SAFETY: there is no home.
    let (owner, submitted) = unsafe { task::submit(std::ptr::null(), traits, hop, task, None) };
    if let Submitted::Immediate(entry) = submitted {
        do_now(entry);
    }
    owner
}

fn do_now(entry: Entry) {
    trampoline::hold_back(|| {
        if let Some(task) = entry.claim() {
            // SAFETY: its submitter keeps the home.
            unsafe { task.run(&mut ToHomes) }
        }
    });
}

impl Header {
    /// The home that it is hooked to, if that is of this type.
    pub(crate) fn hooked_home<P: IsHome>(&self) -> Option<&Homed<P>> {
        if !self.state.is_hooked() {
            return None;
        }
        // SAFETY: a hooked task has a count of its home as long as it is there.
        unsafe { home_of_kind(self.home()) }
    }
}

impl Frame {
    /// The home of its task, if that is of this type.
    pub(crate) fn home<P: IsHome>(&self) -> Option<&Homed<P>> {
        let home = self.home_address();
        // SAFETY: the home of a task that runs is alive.
        if home.is_null() { None } else { unsafe { home_of_kind(home) } }
    }
}

/// # Safety
/// The home is alive.
unsafe fn home_of_kind<'a, P: IsHome>(home: *const Home) -> Option<&'a Homed<P>> {
    // SAFETY: the caller's promise; the kind tells the type.
    unsafe { ((*home).table.kind == P::KIND).then(|| of(home)) }
}

/// # Safety
/// The address of a live `Homed<P>`, all of it.
#[inline]
unsafe fn of<'a, P>(home: *const Home) -> &'a Homed<P> {
    // SAFETY: the caller's promise.
    unsafe { &*home.cast::<Homed<P>>() }
}

impl<P> Deref for Homed<P> {
    type Target = P;

    #[inline]
    fn deref(&self) -> &P {
        &self.inner
    }
}
