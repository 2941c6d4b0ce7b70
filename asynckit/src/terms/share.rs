//! What the tasks of a place share until the last of them is really over: a limit's permit, and what is
//! lent to the work that they are parts of.
//!
//! A result may be there while its work goes on: it was cancelled, or is out of time. So what work needs
//! to run is not given back when there is a result, but when its closure, its inputs and its future are
//! gone, and those of all that it has started as parts of itself: they are at its place.

use crate::core::{self, Account};
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering, lock};
use crate::terms::nested::{Nested, enter};
use crate::terms::permits::{Permit, Permits};

/// What is kept until the last task of a place is over.
pub(crate) struct Share {
    tasks: AtomicUsize,
    /// The limit whose permit is kept, if it is one, and how much of it that is.
    limit: Option<(Arc<Permits>, usize)>,
    kept: Mutex<Option<Kept>>,
    /// The share of the work around it.
    around: Option<Arc<Share>>,
}

/// Dropped, it goes to who waits for it.
pub(crate) enum Kept {
    Permit(Permit),
    Loans(core::KeptLoans),
}

impl Share {
    pub(crate) fn new(kept: Kept, around: Option<Arc<Share>>) -> Arc<Share> {
        let limit = match &kept {
            Kept::Permit(permit) => Some((permit.limit().clone(), permit.weight())),
            Kept::Loans(_) => None,
        };
        Arc::new(Share { tasks: AtomicUsize::new(0), limit, kept: Mutex::new(Some(kept)), around })
    }

    pub(crate) fn limit(&self) -> Option<&Arc<Permits>> {
        self.limit.as_ref().map(|(limit, _)| limit)
    }

    /// The limit whose permit is kept now: it may be given back while the work waits.
    pub(crate) fn held(&self) -> Option<&Permits> {
        let limit = self.limit()?;
        (!limit.lends() || lock(&self.kept).is_some()).then_some(limit)
    }

    /// The work waits: gives the permit back, where its limit lends, and it has it.
    pub(crate) fn lend(&self) -> Option<Permit> {
        if !self.limit().is_some_and(|limit| limit.lends()) {
            return None;
        }
        match lock(&self.kept).take()? {
            Kept::Permit(permit) => Some(permit),
            Kept::Loans(_) => unreachable!("what has a limit keeps a permit"),
        }
    }

    pub(crate) fn put_back(&self, permit: Permit) {
        *lock(&self.kept) = Some(Kept::Permit(permit));
    }

    /// How much of it is kept.
    pub(crate) fn weight(&self) -> usize {
        self.limit.as_ref().map_or(0, |(_, weight)| *weight)
    }

    /// The share of the work around it.
    pub(crate) fn around(&self) -> Option<&Arc<Share>> {
        self.around.as_ref()
    }

    fn each(&self) -> impl Iterator<Item = &Share> {
        std::iter::successors(Some(self), |share| share.around.as_deref())
    }

    /// Whether the tasks have on loan what this handle has lent.
    pub(crate) fn borrows_from(&self, account: &Account) -> bool {
        self.each().any(|share| match &*lock(&share.kept) {
            Some(Kept::Loans(loans)) => account.has(loans),
            _ => false,
        })
    }

    /// One more task.
    pub(crate) fn enter(&self) {
        for share in self.each() {
            share.tasks.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// One less. Who gets next what was kept sees what it did.
    pub(crate) fn leave(&self) {
        for share in self.each() {
            // ORDERING: AcqRel: the last one to leave comes after all others.
            if share.tasks.fetch_sub(1, Ordering::AcqRel) == 1 {
                let kept = lock(&share.kept).take();
                drop(kept);
            }
        }
    }
}

crate::sync::local! {
    /// The permits of work that this thread runs in place.
    static IN_PLACE: Nested<Arc<Share>> = const { Nested::nothing() };
}

/// Has a permit for what is run in place.
pub(crate) fn with_permit_in_place<R>(permit: Permit, f: impl FnOnce() -> R) -> R {
    struct End(Arc<Share>);
    impl Drop for End {
        fn drop(&mut self) {
            self.0.leave();
        }
    }
    let share = Share::new(Kept::Permit(permit), None);
    share.enter();
    let _end = End(share.clone());
    let _entered = enter(&IN_PLACE, share);
    f()
}

/// Those that this thread has.
pub(crate) fn shares_in_place() -> Vec<Arc<Share>> {
    IN_PLACE.with(Nested::all)
}
