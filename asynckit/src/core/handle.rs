//! The ways to hold a cell, for the layers above: as an owner of its value, or by a loan of it (`owner.rs`); by a
//! reference to its memory; and by the entry that goes with a task that is ready. They are safe to use.

mod owner;

use std::collections::HashSet;

use super::cell::{self, CellKind, CellPtr, Header};
use super::complete;
use super::entry::{Claimed, Entry};
use super::fail;
use super::lists;
use super::run;
use super::schedule::{Schedule, ToHomes};
use super::state::Seize;
use super::watchers::{CellEvent, Watch, Watcher};
use crate::error::Error;
use crate::sync::weakened;

pub(crate) use super::reference::TaskRef;
pub(crate) use owner::{Account, Lender, Loan, Owner, Setting};

impl TaskRef {
    /// Fails it, whether it has begun or not; whether this call did. What it needed is cancelled, too.
    pub(crate) fn give_up(&self, error: Error) -> bool {
        // SAFETY: the reference.
        !self.is_set() && unsafe { fail::fail(self.0, error) }
    }

    /// Fails it if it has not begun, or waits again.
    pub(crate) fn fail_waiting(&self, error: Error, cancelled: bool) -> bool {
        // SAFETY: the reference.
        unsafe { fail::fail_waiting(self.0, error, cancelled) }
    }

    /// Fails all tasks that wait for it and are of such a home; whether there were any.
    ///
    /// # Safety
    /// The homes of tasks for which `is_of` is true are alive.
    pub(super) unsafe fn fail_dependents(
        &self,
        is_of: &dyn Fn(&Header) -> bool,
        error: &dyn Fn(&Header) -> Error,
    ) -> bool {
        // SAFETY: the reference; the caller's promise.
        unsafe { lists::fail_dependents_of(self.0, is_of, &|cell| error(cell.as_ref())) }
    }

    /// Has a suspended task go on: its entry, where the caller ended its sleep.
    pub(crate) fn wake(&self) -> Option<Entry> {
        // SAFETY: who ends a task's sleep has its entry.
        self.state.wake().then(|| unsafe { Entry::new(self.0) })
    }

    /// Likewise, and has its home queue it.
    pub(crate) fn resume(&self) {
        // What sleeps until it is woken is hooked, so that its home is there.
        if self.state.is_hooked()
            && let Some(entry) = self.wake()
        {
            ToHomes.ready(entry);
        }
    }

    /// Claims a task that is ready, wherever its entry is: that stays there, and finds the task taken.
    pub(crate) fn claim(&self) -> Option<Claimed> {
        // SAFETY: the reference.
        unsafe { complete::claim_ready(self.0) }
    }

    /// The right to fail a result that no work sets, where nobody has set it before.
    pub(crate) fn claim_by_hand(&self) -> Option<Claimed> {
        match self.state.seize() {
            // SAFETY: who has seized a cell without work may close it.
            Seize::Won(_) => Some(unsafe { Claimed::new(self.0) }),
            Seize::Claimed => None,
        }
    }

    /// What a task waits for, as far as it is not there: each once, shown while the task can't begin.
    pub(crate) fn each_missing(&self, mut show: impl FnMut(TaskRef)) {
        if !self.state.visit() {
            return;
        }
        let mut seen = HashSet::new();
        let mut last = None;
        if self.kind() != CellKind::ByHand {
            // SAFETY: the visit keeps the edges as they are, and an open edge its upstream.
            unsafe {
                (self.table().edges)(self.0, &mut |edge| {
                    if edge.is_open() && !edge.upstream().outcome.is_closed() {
                        let upstream = edge.holder().cell();
                        if last.replace(upstream) != Some(upstream) && seen.insert(upstream) {
                            show(TaskRef::new(upstream));
                        }
                    }
                });
            }
        }
        self.state.unvisit();
    }

    /// The results that a suspended task awaits, where nothing else can wake it.
    pub(crate) fn awaited(&self) -> Option<Vec<TaskRef>> {
        if !self.state.is_suspended() || !self.state.visit() {
            return None;
        }
        let mut all = Vec::new();
        // SAFETY: the visit keeps the job from running, and the job what it awaits.
        let known =
            unsafe { (self.table().awaited)(self.0, &mut |cell| all.push(TaskRef::new(cell))) };
        self.state.unvisit();
        known.then_some(all)
    }

    /// Has an await of a suspended task fail, when it goes on; false where it does already.
    pub(crate) fn fail_await(&self, error: Error) -> bool {
        if !self.state.is_suspended() || !self.state.visit() {
            return false;
        }
        // SAFETY: the visit keeps the job from running.
        unsafe { (self.table().fail_await)(self.0, error) };
        self.state.unvisit();
        true
    }

    /// The accounts of what is lent, where a task waits for that. Not shown one by one, as a look at who
    /// borrows may lead to steps, which may be this task's own.
    pub(crate) fn wishes(&self) -> Vec<Account> {
        let mut wishes = Vec::new();
        if !self.state.visit() {
            return wishes;
        }
        // SAFETY: the visit keeps the edges as they are, and an open edge its holder.
        unsafe {
            (self.table().edges)(self.0, &mut |edge| {
                if edge.is_open() && edge.moves() && edge.upstream().outcome.is_closed() {
                    let lender = Lender::new(edge.holder());
                    if lender.is_lent() {
                        wishes.push(lender.account());
                    }
                }
            });
        }
        self.state.unvisit();
        wishes
    }

    /// Whether it is to use what was lent on this account, or does, and is not done with it.
    pub(crate) fn borrows_from(&self, account: &Account) -> bool {
        let mut borrows = false;
        // SAFETY: the reference keeps the cell, and these edges are only compared.
        unsafe {
            let loans = self.table().loans;
            loans(self.0, &mut |edge| borrows |= edge.borrows_by(account.holder()));
        }
        borrows
    }

    /// The tasks that wait for it now.
    pub(crate) fn dependents(&self) -> Vec<TaskRef> {
        // SAFETY: the reference keeps the cell; each of these comes with one.
        unsafe { lists::dependents(self.0) }.into_iter().map(TaskRef).collect()
    }

    /// Looks on until it is set; `Err` hands the watcher back where it is.
    pub(crate) fn watch(&self, watcher: Watcher) -> Result<Watch, Watcher> {
        let mut watch = Watch::enter(self.address(), CellEvent::Set, watcher);
        // For the mark, if this is the first.
        self.holds.add_ref();
        let (looks_on, first) = self.outcome.observe();
        if !first {
            // SAFETY: added just now.
            unsafe { cell::drop_ref(self.0) }
        }
        if looks_on || weakened("observe") {
            return Ok(watch);
        }
        // Unless it was told in between.
        match watch.take() {
            Some(watcher) => Err(watcher),
            None => Ok(watch),
        }
    }
}

impl Entry {
    #[inline]
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: an entry keeps its task, by its being open or by a reference.
        unsafe { self.0.as_ref() }
    }

    pub(crate) fn reference(&self) -> TaskRef {
        // SAFETY: an entry keeps its task, by its being open or by a reference, while another one is added.
        unsafe { TaskRef::new(self.0) }
    }

    /// Whether it is this task's.
    #[inline]
    pub(crate) fn is_of(&self, task: CellPtr) -> bool {
        self.0 == task
    }

    /// Claims the task, unless somebody has: then there is nothing left to be done about it.
    #[inline]
    pub(crate) fn claim(self) -> Option<Claimed> {
        // SAFETY: the entry is used up.
        unsafe { complete::claim(self.0).then(|| Claimed::new(self.0)) }
    }
}

impl Claimed {
    #[inline]
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: a claimed task is open until who has claimed it is done.
        unsafe { self.0.as_ref() }
    }

    /// Runs it.
    ///
    /// # Safety
    /// Its home is alive meanwhile.
    #[inline]
    pub(super) unsafe fn run(self, to: &mut impl Schedule) {
        // SAFETY: the claim is used up; the caller's promise.
        unsafe { run::run_claimed(self.0, to) }
    }

    /// Runs it, where nobody is told of it (`Header::has_news`).
    ///
    /// # Safety
    /// As `run`.
    #[inline(always)]
    pub(super) unsafe fn run_plain(self, to: &mut impl Schedule) {
        // SAFETY: the claim is used up; that its home is alive is the caller's promise, and so is that nobody is told of it.
        unsafe { run::run_plain(self.0, to) }
    }

    /// Gives the claim back, and has the task queued: for a caller that would run it later than others may.
    pub(crate) fn put_back(self) {
        // SAFETY: the claim is used up; a task that was handed back has a home that is alive.
        unsafe { run::put_back(self.0) }
    }

    /// Fails it instead.
    pub(crate) fn fail(self, error: Error) {
        // SAFETY: the claim is used up.
        unsafe { fail::fail_claimed(self.0, error) }
    }
}
