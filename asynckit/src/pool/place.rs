//! Where a task belongs: its pool, its scope if it is a scope's, and what else it is subject to.

use crate::cancel::Tree;
use crate::continuation;
use crate::error::{Error, Hop};
use crate::limit::Pass;
use crate::pool::share::{Kept, Share};
use crate::pool::{Shared, context};
use crate::sync::{Arc, AtomicU8, AtomicUsize, Mutex, Ordering, Parker, lock};
use crate::task::{Borrow, Header, Lease, TaskRef};
use crate::time::Stopwatch;

/// A pool, or a scope of one.
pub(crate) struct Place {
    pool: Arc<Shared>,
    /// Whether it is nothing but the pool: then there is nothing to do for its tasks one by one.
    plain: bool,
    scope: Option<Arc<Members>>,
    /// Who may cancel all tasks of this place.
    tree: Option<Arc<Tree>>,
    /// What all tasks of this place share, until the last of them is over.
    share: Option<Arc<Share>>,
    /// What measures the run of the work whose place it is.
    stopwatch: Option<Arc<Stopwatch>>,
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
        Place::make(pool, None, None)
    }

    fn make(pool: Arc<Shared>, scope: Option<Arc<Members>>, tree: Option<Arc<Tree>>) -> Lease {
        Place::make_for(pool, scope, tree, None, None)
    }

    /// As `make`, for one work and what it is made of.
    fn make_for(
        pool: Arc<Shared>,
        scope: Option<Arc<Members>>,
        tree: Option<Arc<Tree>>,
        share: Option<Arc<Share>>,
        stopwatch: Option<Arc<Stopwatch>>,
    ) -> Lease {
        let plain = scope.is_none() && tree.is_none() && share.is_none() && stopwatch.is_none();
        Lease::new(Place { pool, plain, scope, tree, share, stopwatch })
    }

    pub(crate) fn of_scope(pool: Arc<Shared>) -> Lease {
        let members = Members {
            count: AtomicUsize::new(1),
            cancelled: AtomicU8::new(0),
            owner: Parker::current(),
            list: Mutex::new(Vec::new()),
        };
        let tree = context::place().and_then(|around| around.tree.clone());
        Place::make(pool, Some(Arc::new(members)), tree)
    }

    /// The same place for work that a token may cancel.
    pub(crate) fn with_tree(&self, tree: Arc<Tree>) -> Lease {
        Place::make(self.pool.clone(), self.scope.clone(), Some(tree))
    }

    /// The same place for work that has a pass.
    pub(crate) fn with_pass(&self, pass: Pass) -> Lease {
        self.with_kept(Kept::Pass(pass))
    }

    /// The same place for work that has been lent what a call was: until it is over, whenever its
    /// result is set.
    pub(crate) fn with_loans(&self, loans: Vec<Borrow>) -> Lease {
        self.with_kept(Kept::Loans(loans))
    }

    fn with_kept(&self, kept: Kept) -> Lease {
        let share = Some(Share::new(kept, self.share.clone()));
        let (scope, tree, stopwatch) =
            (self.scope.clone(), self.tree.clone(), self.stopwatch.clone());
        Place::make_for(self.pool.clone(), scope, tree, share, stopwatch)
    }

    /// The same place for work whose run is measured.
    pub(crate) fn with_stopwatch(&self, stopwatch: Arc<Stopwatch>) -> Lease {
        let (scope, tree, share) = (self.scope.clone(), self.tree.clone(), self.share.clone());
        Place::make_for(self.pool.clone(), scope, tree, share, Some(stopwatch))
    }

    /// Where work of a place submits more: what belongs to one task or one scope is left out.
    pub(crate) fn for_more(place: &Lease) -> Lease {
        if place.scope.is_none() && place.share.is_none() && place.stopwatch.is_none() {
            return place.clone();
        }
        Place::make(place.pool.clone(), None, place.tree.clone())
    }

    /// A place for the calling thread: the tree of the work that it is doing, if any, is passed on
    /// to what that submits.
    pub(crate) fn here(place: &Lease) -> Lease {
        if place.tree.is_some() || !Tree::any() {
            return place.clone();
        }
        let Some(around) = context::place() else { return place.clone() };
        match &around.tree {
            None => place.clone(),
            Some(_) if place.scope.is_none() && Arc::ptr_eq(&place.pool, &around.pool) => {
                Place::for_more(&around)
            }
            Some(tree) => place.with_tree(tree.clone()),
        }
    }

    pub(crate) fn pool(&self) -> &Arc<Shared> {
        &self.pool
    }

    /// Whether it is this pool, or a part of it.
    pub(crate) fn is_of(&self, pool: &Shared) -> bool {
        std::ptr::eq(&raw const *self.pool, pool)
    }

    pub(crate) fn is_scope(&self) -> bool {
        self.scope.is_some()
    }

    pub(crate) fn tree(&self) -> Option<&Arc<Tree>> {
        self.tree.as_ref()
    }

    /// What its tasks share, the innermost first.
    pub(crate) fn shares(&self) -> impl Iterator<Item = &Arc<Share>> {
        std::iter::successors(self.share.as_ref(), |share| share.around())
    }

    /// Whether its tasks have the value of a cell lent, as parts of work that has.
    pub(crate) fn lends(&self, cell: &TaskRef) -> bool {
        self.share.as_ref().is_some_and(|share| share.lends(cell))
    }

    pub(crate) fn stopwatch(&self) -> Option<&Arc<Stopwatch>> {
        self.stopwatch.as_ref()
    }

    /// One of its tasks is about to run.
    pub(crate) fn begin(&self, task: &Header) {
        if let Some(stopwatch) = &self.stopwatch
            && !task.is_immediate()
        {
            stopwatch.begin(task);
        }
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Whether it counts its tasks: `enter` and `leave` do something.
    pub(crate) fn counts(&self) -> bool {
        self.scope.is_some() || self.share.is_some()
    }

    /// Whether it is to be shown its tasks, to find them again.
    pub(crate) fn lists(&self) -> bool {
        self.scope.is_some() || self.tree.is_some()
    }

    /// A new member; `leave` ends its membership.
    pub(crate) fn enter(&self) {
        if let Some(share) = &self.share {
            share.enter();
        }
        if let Some(members) = &self.scope {
            members.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Shows a member to the thread that waits for the scope's end, and to who may cancel it. Not
    /// before it is submitted: from now on others may run or cancel it.
    pub(crate) fn show(&self, task: &TaskRef) {
        if let Some(tree) = &self.tree {
            tree.add(task);
        }
        self.list(task);
    }

    /// Enters a member of a scope, or a result that is to be set before its end, into the scope's list.
    pub(crate) fn list(&self, task: &TaskRef) {
        let Some(members) = &self.scope else { return };
        let mut over = Vec::new();
        let mut list = lock(&members.list);
        if list.len() == list.capacity() {
            let is_over =
                |task: &TaskRef| task.state.is_over() || (task.is_set_by_hand() && task.is_set());
            over = list.extract_if(.., |task| is_over(task)).collect();
        }
        list.push(task.clone());
        drop(list);
        drop(over);
        if members.is_cancelled() {
            // Whoever cancelled the scope may not have seen it.
            continuation::fail(task, Error::cancelled(task.hop), true);
        }
    }

    /// A member is over, and need not be found any more.
    pub(crate) fn forget(&self, task: &TaskRef) {
        if let Some(tree) = &self.tree {
            tree.forget(task);
        }
    }

    /// A member is over, and so is what its end led to. It gives back what it shared, which may lead to
    /// more that has to happen before `leave`.
    pub(crate) fn give_back(&self) {
        if let Some(share) = &self.share {
            share.leave();
        }
    }

    /// The same, after `give_back` and what that led to.
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
            // In a callback the ends of members may be this thread's to bring about.
            continuation::drain();
            if !self.is_empty() {
                members.owner.park(None);
            }
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
            continuation::fail(&member, Error::cancelled(member.hop), true);
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.scope.as_ref().is_some_and(|members| members.is_cancelled())
            || self.tree.as_ref().is_some_and(|tree| tree.is_cancelled())
    }

    /// Why a task of this place is not to begin, if it is not.
    pub(crate) fn refusal(&self, hop: Hop) -> Option<Error> {
        if self.plain {
            return None;
        }
        if let Some(error) = self.tree.as_ref().and_then(|tree| tree.refusal(hop)) {
            return Some(error);
        }
        self.is_cancelled().then(|| Error::cancelled(hop))
    }

    /// All members of a scope are over. What only the program would have set is not set any more, and what
    /// this thread still had to do for any of it is done.
    pub(crate) fn end(&self) {
        if let Some(members) = &self.scope {
            let list = std::mem::take(&mut *lock(&members.list));
            for unset in list.iter().filter(|one| one.is_set_by_hand() && !one.is_set()) {
                continuation::settle_failed(unset, Error::unset_in_scope(unset.hop));
            }
            drop(list);
            continuation::drain();
        }
    }
}

impl Members {
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire) != 0
    }
}
