//! Where tasks run, as the layers above make it: a pool, or a part of one.
//!
//! *The home lives:* whatever a task does with its home happens while that is alive.
//!
//! - A hooked task has a count of its home.
//! - Of any other, the home is a pool, and that lives as long as one of its threads, and as long as its
//!   count is not zero. While none of its threads runs anything, and nothing is queued, each of its open tasks
//!   waits; and whoever brings an end to that has been counted: an edge from a cell that is not the pool's
//!   own (`meet`), a loan's end (`hold`), a step of this thread's trampoline (`hold`). Who sleeps until a
//!   waker is called is hooked.
//! - A pool ends when nothing of it runs, is queued or counted, and all that waited was failed.

use std::ops::Deref;

use super::cell::{CellPtr, Header, Home, HomeTable};
use super::complete::{Rest, Schedule};
use super::handle::{Claimed, Entry, TaskRef};
use crate::error::Hook;
use crate::sync::Arc;

/// What a home does.
///
/// What it promises is above: it lives as long as that says.
pub(crate) trait IsHome: Sized + Send + Sync + 'static {
    /// Queues a task that became ready, on whatever thread this is.
    fn schedule(home: &Homed<Self>, entry: Entry);
    /// Likewise, behind the others.
    fn queue(home: &Homed<Self>, entry: Entry);
    /// Has the rest of a long list visited.
    fn rest(home: &Homed<Self>, rest: Rest);
    /// A task of this home is to be tied to a cell of another one. True where the home has counted the edge.
    fn meet(home: &Homed<Self>, upstream: &TaskRef) -> bool;
    /// Counts something that the home has to live for.
    fn hold(home: &Homed<Self>);
    /// Something that was counted is over.
    fn met(home: &Homed<Self>);
    /// A task that had begun has come to wait again.
    fn sleeps(home: &Homed<Self>, task: &TaskRef);
    /// A hooked task is over: nothing is left of its closure and inputs.
    fn over(home: &Homed<Self>, task: &TaskRef);
    /// Whom to tell of failures that nobody looks at.
    fn hook(home: &Homed<Self>) -> Option<Hook>;
}

/// A home, with what the core has to know of it in front.
#[repr(C)]
pub(crate) struct Homed<P> {
    home: Home,
    inner: P,
}

// SAFETY: the front is a constant table's address.
unsafe impl<P: Sync> Sync for Homed<P> {}
// SAFETY: likewise.
unsafe impl<P: Send> Send for Homed<P> {}

impl<P: IsHome> Homed<P> {
    const TABLE: HomeTable = HomeTable {
        schedule: |home, task| unsafe { P::schedule(of(home), Entry::new(task)) },
        queue: |home, task| unsafe { P::queue(of(home), Entry::new(task)) },
        rest: |home, rest| unsafe { P::rest(of(home), rest) },
        meet: |home, upstream| unsafe { P::meet(of(home), &TaskRef::new(upstream)) },
        hold: |home| unsafe { P::hold(of(home)) },
        met: |home| unsafe { P::met(of(home)) },
        sleeps: |home, task| unsafe { P::sleeps(of(home), &TaskRef::new(task)) },
        over: |home, task| unsafe { P::over(of(home), &TaskRef::new(task)) },
        release: |home| unsafe { Arc::decrement_strong_count(home.cast::<Homed<P>>()) },
        hook: |home| unsafe { P::hook(of(home)) },
    };

    pub(crate) fn new(inner: P) -> Homed<P> {
        Homed { home: Home { table: const { &Self::TABLE } }, inner }
    }

    /// The address by which tasks know it.
    #[inline]
    pub(crate) fn address(&self) -> *const Home {
        std::ptr::from_ref(self).cast()
    }

    /// One more task is hooked to it.
    pub(super) fn count_in(self: &Arc<Self>) -> *const Home {
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

    /// A result that no work sets belongs to this home from now on, so that its next edges need no look; whether
    /// it does.
    pub(crate) fn adopt(&self, root: &TaskRef) -> bool {
        root.adopt(self.address())
    }

    pub(crate) fn abandon(&self, root: &TaskRef) -> bool {
        root.abandon(self.address())
    }
}

/// Fails all tasks that wait for a cell and whose homes are such.
pub(crate) fn fail_dependents(
    root: &TaskRef,
    is_of: &dyn Fn(*const Home) -> bool,
    error: &dyn Fn(&Header) -> crate::Error,
) -> bool {
    // SAFETY: the homes are the caller's own, or parts of it: the page above.
    unsafe { root.fail_dependents(is_of, error) }
}

/// # Safety
/// The address of a live `Homed<P>`, all of it.
#[inline]
unsafe fn of<'a, P>(home: *const Home) -> &'a Homed<P> {
    // SAFETY: the caller's promise.
    unsafe { &*home.cast::<Homed<P>>() }
}

/// Whom to tell of the failures of a task that nobody looks at.
///
/// # Safety
/// The task is alive, and so is its home.
pub(super) unsafe fn hook_of(task: CellPtr) -> Option<Hook> {
    // SAFETY: the caller's promise.
    unsafe {
        let home = task.as_ref().home();
        if home.is_null() { None } else { ((*home).table.hook)(home) }
    }
}

impl<P> Deref for Homed<P> {
    type Target = P;

    #[inline]
    fn deref(&self) -> &P {
        &self.inner
    }
}
