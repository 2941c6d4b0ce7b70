//! Where a task belongs: its pool, and its scope if it is a scope's.

use crate::pool::Shared;
use crate::sync::{Arc, AtomicU8, AtomicUsize, Mutex, Ordering, Parker, lock};
use crate::task::{Lease, TaskRef};

/// A pool, or a scope of one.
pub(crate) struct Place {
    pool: Arc<Shared>,
    scope: Option<Members>,
}

/// The members of a scope that are not over.
struct Members {
    /// How many, and one more while the scope's body runs.
    count: AtomicUsize,
    cancelled: AtomicU8,
    /// The thread that waits for the scope's end.
    owner: Arc<Parker>,
    /// The members, for the thread that waits for them to find work; from time to time those
    /// that are over are thrown out.
    list: Mutex<Vec<TaskRef>>,
}

impl Place {
    pub(crate) fn of_pool(pool: Arc<Shared>) -> Lease {
        Lease::new(Place { pool, scope: None })
    }

    pub(crate) fn of_scope(pool: Arc<Shared>) -> Lease {
        let members = Members {
            count: AtomicUsize::new(1),
            cancelled: AtomicU8::new(0),
            owner: Parker::current(),
            list: Mutex::new(Vec::new()),
        };
        Lease::new(Place { pool, scope: Some(members) })
    }

    pub(crate) fn pool(&self) -> &Arc<Shared> {
        &self.pool
    }

    pub(crate) fn is_scope(&self) -> bool {
        self.scope.is_some()
    }

    /// A new member; `leave` ends its membership.
    pub(crate) fn enter(&self) {
        if let Some(members) = &self.scope {
            members.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Shows a member to the thread that waits for the scope's end. Not before it is submitted:
    /// from now on others may run or cancel it.
    pub(crate) fn show(&self, task: &TaskRef) {
        let Some(members) = &self.scope else { return };
        let mut over = Vec::new();
        let mut list = lock(&members.list);
        if list.len() == list.capacity() {
            over = list.extract_if(.., |task| task.state.is_over()).collect();
        }
        list.push(task.clone());
        drop(list);
        drop(over);
        if self.is_cancelled() {
            // Whoever cancelled the scope may not have seen it.
            crate::continuation::fail(task, crate::Error::cancelled(task.hop), true);
        }
    }

    pub(crate) fn leave(&self) {
        let Some(members) = &self.scope else { return };
        // ORDERING: AcqRel: all that the members did happens before the scope's end (Acquire in
        // `is_empty`).
        if members.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            members.owner.unpark();
        }
    }

    /// Whether all members are over and the body has left.
    pub(crate) fn is_empty(&self) -> bool {
        self.scope.as_ref().is_none_or(|members| members.count.load(Ordering::Acquire) == 0)
    }

    /// Sleeps until the scope has ended. Only for the thread that made it.
    pub(crate) fn wait_until_empty(&self) {
        while let Some(members) = &self.scope
            && !self.is_empty()
        {
            members.owner.park(None);
        }
    }

    /// The members as they are now.
    pub(crate) fn members(&self) -> Vec<TaskRef> {
        self.scope.as_ref().map(|members| lock(&members.list).clone()).unwrap_or_default()
    }

    /// From now on members that have not begun are cancelled.
    pub(crate) fn cancel(&self) {
        let Some(members) = &self.scope else { return };
        members.cancelled.store(1, Ordering::Release);
        for member in self.members() {
            crate::continuation::fail(&member, crate::Error::cancelled(member.hop), true);
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.scope.as_ref().is_some_and(|members| members.cancelled.load(Ordering::Acquire) != 0)
    }

    /// Lets go of the list, once the scope has ended.
    pub(crate) fn forget_members(&self) {
        if let Some(members) = &self.scope {
            let list = std::mem::take(&mut *lock(&members.list));
            drop(list);
        }
    }
}
