//! Where a task belongs: its pool, its scope if it is a scope's, and what else it is subject to.

use std::ops::ControlFlow;

use crate::core::{self, Account, Header, Homed, TaskRef, Traits, each_frame};
use crate::error::{Error, Hop};
use crate::observe::{Record, TaskId};
use crate::pool::shared::{PoolState, Shared};
use crate::sync::{Arc, AtomicU8, AtomicUsize, Mutex, Ordering, Parker, fence, lock};
use crate::terms::{Carriers, Inherited, Kept, PASSED_ON, Priority, Rank, Share, Stopwatch, Tree};

/// A pool, or a part of one.
#[derive(Clone)]
pub(crate) enum Place {
    /// Nothing but the pool: there is nothing to do for its tasks one by one.
    Pool(Arc<Shared>),
    Part(Arc<Part>),
}

/// A part of a pool, to which tasks are hooked.
pub(crate) type Part = Homed<Inside>;

/// What a part is.
#[derive(Default)]
pub(crate) struct Inside {
    pool: Option<Arc<Shared>>,
    scope: Option<Arc<Members>>,
    /// What its work passes on to what that submits.
    passes_on: Inherited,
    /// What all tasks of this place share, until the last of them is over.
    share: Option<Arc<Share>>,
    /// What measures the run of the work whose place it is.
    stopwatch: Option<Arc<Stopwatch>>,
    /// Whether its one task has a place in the queue.
    counted: AtomicU8,
    /// Its one task, where somebody looks on to that.
    pub(crate) watched: Option<Record>,
    /// The task of whose work its own are parts.
    pub(crate) part_of: Option<TaskId>,
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

impl Members {
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire) != 0
    }
}

impl Place {
    fn part(pool: &Arc<Shared>, inside: Inside) -> Place {
        Place::Part(Part::new_home(Inside { pool: Some(pool.clone()), ..inside }))
    }

    /// A pool, for work that is a part of this task.
    pub(crate) fn part_of(pool: &Arc<Shared>, task: TaskId) -> Place {
        Place::part(pool, Inside { part_of: Some(task), ..Inside::default() })
    }

    pub(crate) fn of_scope(pool: Arc<Shared>) -> Arc<Part> {
        let members = Members {
            count: AtomicUsize::new(1),
            cancelled: AtomicU8::new(0),
            owner: Parker::current(),
            list: Mutex::new(Vec::new()),
        };
        let (scope, passes_on) = (Some(Arc::new(members)), passed_on_here());
        Part::new_home(Inside { pool: Some(pool), scope, passes_on, ..Inside::default() })
    }

    pub(crate) fn pool(&self) -> &Arc<Shared> {
        match self {
            Place::Pool(pool) => pool,
            Place::Part(part) => part.pool(),
        }
    }

    fn inside(&self) -> Option<&Inside> {
        match self {
            Place::Pool(_) => None,
            Place::Part(part) => Some(part),
        }
    }

    pub(crate) fn is_scope(&self) -> bool {
        self.inside().is_some_and(|inside| inside.scope.is_some())
    }

    fn passes_on(&self) -> Inherited {
        self.inside().map(|inside| inside.passes_on.clone()).unwrap_or_default()
    }

    pub(crate) fn tree(&self) -> Option<&Arc<Tree>> {
        self.inside()?.passes_on.tree.as_ref()
    }

    pub(crate) fn carriers(&self) -> Option<&Arc<Carriers>> {
        self.inside()?.passes_on.carriers.as_ref()
    }

    pub(crate) fn share(&self) -> Option<&Arc<Share>> {
        self.inside()?.share.as_ref()
    }

    /// The same place for work that a token may cancel.
    pub(crate) fn with_tree(&self, tree: Arc<Tree>) -> Place {
        self.passing_on(Inherited { tree: Some(tree), ..self.passes_on() })
    }

    /// The same place for work that others may carry out.
    pub(crate) fn with_carriers(&self, carriers: Arc<Carriers>) -> Place {
        self.passing_on(Inherited { carriers: Some(carriers), ..self.passes_on() })
    }

    /// The same place for work that begins before or after other work.
    pub(crate) fn with_priority(&self, priority: Priority) -> Place {
        let passes_on = Inherited { rank: Some(Rank::new(priority)), ..self.passes_on() };
        Place::part(self.pool(), Inside { passes_on, ..self.parts() })
    }

    /// The same place for work that passes on what that of another one does.
    pub(crate) fn inheriting(&self, other: &Place) -> Place {
        let its = other.passes_on();
        if its.is_nothing() { self.clone() } else { self.passing_on(its.or(self.passes_on())) }
    }

    /// The same place for work that passes these on to what it submits.
    fn passing_on(&self, passes_on: Inherited) -> Place {
        let scope = self.inside().and_then(|inside| inside.scope.clone());
        Place::part(self.pool(), Inside { scope, passes_on, ..Inside::default() })
    }

    /// The same place for work that has a permit, or keeps what was lent to it.
    pub(crate) fn with_kept(&self, kept: Kept) -> Place {
        let share = Some(Share::new(kept, self.share().cloned()));
        Place::part(self.pool(), Inside { share, ..self.parts() })
    }

    /// The same place for work whose run is measured.
    pub(crate) fn with_stopwatch(&self, stopwatch: Arc<Stopwatch>) -> Place {
        Place::part(self.pool(), Inside { stopwatch: Some(stopwatch), ..self.parts() })
    }

    /// The same place for one task, of which it keeps count by itself.
    pub(crate) fn for_one(&self, counted: bool, watched: Option<Record>) -> Arc<Part> {
        let pool = Some(self.pool().clone());
        let counted = AtomicU8::new(u8::from(counted));
        Part::new_home(Inside { pool, counted, watched, ..self.parts() })
    }

    /// What a part of it has of it.
    fn parts(&self) -> Inside {
        let Some(inside) = self.inside() else { return Inside::default() };
        Inside {
            scope: inside.scope.clone(),
            passes_on: inside.passes_on.clone(),
            share: inside.share.clone(),
            stopwatch: inside.stopwatch.clone(),
            part_of: inside.watched.as_ref().map_or(inside.part_of, |watched| Some(watched.id)),
            ..Inside::default()
        }
    }

    /// Where work of a place submits more: what belongs to one task or one scope is left out.
    pub(crate) fn for_more(self) -> Place {
        let Place::Part(part) = self else { return self };
        if part.passes_on.is_nothing() {
            return Place::Pool(part.pool().clone());
        }
        Place::part(part.pool(), Inside { passes_on: part.passes_on.clone(), ..Inside::default() })
    }

    /// A place for the calling thread: what the work that it is doing passes on, if anything, is passed on to
    /// what that submits.
    pub(crate) fn here(&self) -> Place {
        if !PASSED_ON.any() {
            return self.clone();
        }
        let here = passed_on_here();
        if here.is_nothing() { self.clone() } else { self.passing_on(self.passes_on().or(here)) }
    }
}

impl Part {
    pub(crate) fn pool(&self) -> &Arc<Shared> {
        match &self.pool {
            Some(pool) => pool,
            None => unreachable!("a part of no pool"),
        }
    }

    pub(crate) fn is_scope(&self) -> bool {
        self.scope.is_some()
    }

    pub(crate) fn tree(&self) -> Option<&Arc<Tree>> {
        self.passes_on.tree.as_ref()
    }

    /// When its tasks begin, where others are ready too.
    pub(crate) fn priority(&self) -> Priority {
        self.passes_on.rank.as_ref().map_or(Priority::Normal, Rank::priority)
    }

    /// What its tasks share, and what those around them do.
    pub(crate) fn shares(&self) -> impl Iterator<Item = &Arc<Share>> {
        std::iter::successors(self.share.as_ref(), |share| share.around())
    }

    /// Whether its tasks have on loan what this handle has lent.
    pub(crate) fn borrows_from(&self, account: &Account) -> bool {
        self.share.as_ref().is_some_and(|share| share.borrows_from(account))
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

    /// What its tasks are made with.
    pub(crate) fn traits(&self) -> Traits {
        if self.is_scope() { Traits::BORROWS } else { Traits::PLAIN }
    }

    /// Its one task has begun, or never will: gives its place in the queue back.
    pub(crate) fn uncount(&self) -> bool {
        self.counted.load(Ordering::Relaxed) != 0 && self.counted.swap(0, Ordering::AcqRel) != 0
    }

    /// Whether it has one.
    pub(crate) fn is_counted(&self) -> bool {
        self.counted.load(Ordering::Relaxed) != 0
    }

    pub(crate) fn begun(&self) {
        if self.uncount() {
            self.pool().begun();
        }
    }

    /// A new member; `over` ends its membership.
    pub(crate) fn enter(&self) {
        if let Some(share) = &self.share {
            share.enter();
        }
        if let Some(members) = &self.scope {
            members.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Shows a member to the thread that waits for the scope's end, and to who may cancel it. Not
    /// before it is made and tied: from now on others may run or cancel it.
    pub(crate) fn show(&self, task: &TaskRef) {
        if let Some(tree) = self.tree() {
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
            let is_over = |task: &TaskRef| task.is_over() || (task.is_by_hand() && task.is_set());
            over = list.extract_if(.., |task| is_over(task)).collect();
        }
        list.push(task.clone());
        drop(list);
        drop(over);
        if members.is_cancelled() {
            // Whoever cancelled the scope may not have seen it.
            task.fail_waiting(Error::cancelled(task.hop), true);
        }
    }

    /// A member is over, and so is what its end led to.
    pub(crate) fn leave(&self) {
        if let Some(share) = &self.share {
            share.leave();
        }
        let Some(members) = &self.scope else { return };
        // The scope may be gone as soon as it is counted.
        let owner = members.owner.clone();
        // ORDERING: AcqRel: all that the members did happens before the scope's end (Acquire in `is_empty`).
        if members.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            owner.unpark();
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
            core::drain();
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
        // ORDERING: SeqCst fence, against the one in `look_whether_cancelled`: of a cancel and a task that comes to sleep one sees the
        // other.
        fence(Ordering::SeqCst);
        for member in self.members() {
            member.fail_waiting(Error::cancelled(member.hop), true);
        }
    }

    /// A member has come to sleep: whoever cancelled the scope may have found it running.
    pub(crate) fn look_whether_cancelled(&self, member: &TaskRef) {
        let Some(members) = &self.scope else { return };
        // ORDERING: SeqCst fence, as in `cancel`.
        fence(Ordering::SeqCst);
        if members.is_cancelled() {
            member.fail_waiting(Error::cancelled(member.hop), true);
        }
    }

    /// Whether its work is cancelled, as that sees it.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.scope.as_ref().is_some_and(|members| members.is_cancelled())
            || self.tree().is_some_and(|tree| tree.has_told())
    }

    /// Why a task of this place is not to begin, if it is not.
    pub(crate) fn refusal(&self, hop: Hop) -> Option<Error> {
        let by_tree = self.tree().and_then(|tree| tree.refusal(hop));
        by_tree.or_else(|| self.is_cancelled().then(|| Error::cancelled(hop)))
    }

    /// All members of a scope are over. What only the program would have set is not set any more, and what
    /// this thread still had to do for any of it is done.
    pub(crate) fn end(&self) {
        if let Some(members) = &self.scope {
            let list = std::mem::take(&mut *lock(&members.list));
            for unset in list.iter().filter(|one| one.is_by_hand() && !one.is_set()) {
                unset.fail_waiting(Error::unset_in_scope(unset.hop), false);
            }
            drop(list);
            core::drain();
        }
    }
}

/// Where the work that this thread is doing belongs. Work run in place belongs where the work
/// around it does.
pub(crate) fn place_here() -> Option<Place> {
    each_frame(|frame| {
        if let Some(pool) = frame.home::<PoolState>() {
            return ControlFlow::Break(Place::Pool(pool.arc()));
        }
        match frame.home::<Inside>() {
            Some(part) => ControlFlow::Break(Place::Part(part.arc())),
            None => ControlFlow::Continue(()),
        }
    })
}

/// What that work passes on.
fn passed_on_here() -> Inherited {
    place_here().map(|place| place.passes_on()).unwrap_or_default()
}
