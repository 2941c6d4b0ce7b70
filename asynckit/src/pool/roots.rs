//! What a pool's tasks wait for that is not the pool's own; and who has a task of the pool in hand.
//!
//! Whatever waits in a pool waits, in the end, for a *root*: a result that the program sets, another pool's
//! task, a waker, or the end of a loan. A pool remembers just these, so that a stop finds all that can't go
//! on. Plain graphs have none.
//!
//! Each edge to a root is counted, from its link to its visit, and so is each step that has a task of the pool
//! in hand: a stop waits until that is queued, and the pool lives as long (`core/home.rs`).
//!
//! *Named race, "the late task":* a task is tied while the pool is closed. Who ties it links its edges and then
//! looks whether the pool is closed; who closes it says so and then walks the roots, both in sequentially
//! consistent order: one of them fails the task.

use crate::core::{self, Header, ListRest, TaskRef};
use crate::pool::place::Inside;
use crate::pool::shared::Shared;
use crate::pool::{deadlock, walks};
use crate::sync::{Ordering, lock};

impl Shared {
    /// Whether a task is of this pool, or of a part of it.
    #[inline]
    pub(crate) fn has(&self, task: &Header) -> bool {
        self.is_of(task) || self.has_in_part(task)
    }

    #[cold]
    #[inline(never)]
    fn has_in_part(&self, task: &Header) -> bool {
        task.hooked_home::<Inside>().is_some_and(|part| part.pool().is(self))
    }

    /// A task of this pool is to be tied to a cell that is not known as the pool's own. Whether it is a root: the
    /// edge is counted then.
    pub(super) fn meets(&self, upstream: &TaskRef) -> bool {
        if self.has(upstream) || upstream.is_set() {
            return false;
        }
        self.count_in();
        if !self.has_adopted(upstream) {
            // The next edge to it need not look again.
            let _ = upstream.is_by_hand() && self.adopt(upstream);
            self.roots.meet(upstream, false);
        }
        true
    }

    /// A task that had begun has come to wait again.
    pub(super) fn sleeps(&self, task: &TaskRef, hidden: bool) {
        if hidden {
            self.roots.meet(task, true);
        }
        if self.is_closed() {
            task.fail_waiting(self.not_begun(task.hop), false);
        } else if task.is_suspended() {
            deadlock::look_at_await(task);
        } else {
            deadlock::look_again(task);
        }
    }

    /// Something that the pool lives for.
    pub(super) fn count_in(&self) {
        // ORDERING: Relaxed: the pool is there for another reason as well.
        if self.roots.count.fetch_add(1, Ordering::Relaxed) == 0 {
            core::keep(self);
        }
    }

    /// That is over: its task is queued, or it has none.
    pub(super) fn count_out(&self) {
        // It may be the last that keeps the pool.
        let pool = self.arc();
        // ORDERING: AcqRel: who finds the count zero sees the queue as it is.
        if pool.roots.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            core::let_go(&pool);
            if pool.is_stopping() {
                pool.finish_stop(0);
            }
        }
    }

    pub(super) fn is_counted(&self) -> bool {
        self.roots.count.load(Ordering::Acquire) != 0
    }

    /// Whether something that its tasks wait for is there, or is about to be, though who waits was not told.
    pub(super) fn has_news(&self) -> bool {
        let (roots, sleepers) = self.known_now();
        // What depends on such a one, over any number of tasks, may go on.
        if self.is_counted() && roots.iter().any(|root| root.is_being_told()) {
            return true;
        }
        let is_here = |root: &TaskRef| {
            let begun = root.is_claimed() && !root.is_set();
            root.is_immediate() && (begun || walks::is_about_to_run(root))
        };
        roots.iter().any(is_here) || sleepers.iter().any(walks::is_about_to_run)
    }

    /// Fails all tasks that wait for roots, or sleep; whether there were any.
    pub(crate) fn fail_waiting(&self) -> bool {
        let (roots, sleepers) = self.roots.take();
        let mut any = false;
        for root in roots {
            self.abandon(&root);
            let stopped = |task: &Header| self.not_begun(task.hop);
            any |= core::fail_dependents(&root, &|task| self.has(task), &stopped);
        }
        // One that was woken since is queued.
        for task in sleepers.into_iter().filter(|task| task.is_waiting()) {
            any |= task.fail_waiting(self.not_begun(task.hop), false);
        }
        any
    }

    /// The roots; and the tasks that sleep.
    pub(super) fn known_now(&self) -> (Vec<TaskRef>, Vec<TaskRef>) {
        lock(&self.roots.known).list()
    }

    /// Fails all tasks that wait for work which is under way: the pool is closed, and they will not begin.
    pub(super) fn fail_dependents_of_running(&self) {
        let stopped = |task: &Header| self.not_begun(task.hop);
        for task in self.stacks.tasks() {
            core::fail_dependents(&task, &|task| self.has(task), &stopped);
        }
    }

    /// The rest of a long list is to be visited by who has nothing else to do.
    pub(super) fn put_rest(&self, rest: ListRest) {
        self.queue.put_rest(rest);
        self.notify();
        if self.is_closed() {
            self.fail_queued();
        }
    }
}
