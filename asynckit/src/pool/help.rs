//! Threads from outside that do a pool's work for a while, where nobody else does: the pool has no workers,
//! or the thread is one of its host's.

use crate::core::Header;
use crate::pool::block::blocking;
use crate::pool::place::{Inside, Part};
use crate::pool::shared::Shared;
use crate::pool::sleep::Idle;
use crate::pool::threads::{has, remove};
use crate::pool::{context, worker};
use crate::sync::{Arc, Deadline, Parker, weakened};

/// Runs one task of the pool, or sleeps until there may be one, or until `enough`: which is looked
/// at once more before it sleeps, under the pool's lock.
pub(crate) fn help_once(pool: &Arc<Shared>, deadline: Option<Deadline>, enough: &dyn Fn() -> bool) {
    match pool.take_any() {
        Some(entry) => worker::execute(pool, entry),
        None => sleep_once(pool, deadline, enough),
    }
}

/// Takes a place in a pool's queue for work from outside, as soon as there is one; false where the pool is
/// being stopped, and where those who fill the queue stand in line for a permit that the caller's work has. A
/// worker of another pool has a spare meanwhile.
pub(crate) fn enter_queue(pool: &Arc<Shared>) -> bool {
    if !pool.is_stopping() && pool.queue.try_enter() {
        return true;
    }
    let around = context::stack();
    let waits_for_this = || {
        let parts = around.iter().filter_map(|task| task.hooked_home::<Inside>());
        let mut limits = parts.flat_map(Part::shares).filter_map(|share| share.limit());
        limits.any(|limit| limit.has_any_in_line(|task| fills_queue_of(pool, task)))
    };
    while !pool.is_stopping() {
        if pool.queue.try_enter() {
            return true;
        }
        if waits_for_this() {
            return false;
        }
        if pool.is_helped_here() {
            // Nobody else makes room in such a pool.
            let _member = Helping::begin(pool);
            help_once(pool, None, &|| pool.queue.has_room() || pool.is_stopping());
        } else {
            let gives_up = || pool.is_stopping() || pool.is_helped_here() || waits_for_this();
            if blocking(|| pool.queue.enter(gives_up)) {
                return true;
            }
        }
    }
    false
}

/// Whether a task that stands in a line takes up room in this pool's queue.
fn fills_queue_of(pool: &Shared, task: &Header) -> bool {
    let part = task.hooked_home::<Inside>();
    part.is_some_and(|part| part.is_counted() && part.pool().is(pool))
}

/// A task has come to stand in a line. Who has the permit may be one of those that wait for the room it takes up.
pub(crate) fn look_at_queue(task: &Header) {
    if let Some(part) = task.hooked_home::<Inside>()
        && part.is_counted()
    {
        part.pool().queue.wake_blocked();
    }
}

/// Does a pool's work as long as there is some, and then sleeps until there is more, or until no thread
/// of the pool does anything.
pub(crate) fn help_until_rest(pool: &Arc<Shared>) {
    struct Resting<'a>(&'a Arc<Shared>, Arc<Parker>);
    impl Drop for Resting<'_> {
        fn drop(&mut self) {
            remove(&mut self.0.threads().resters, &self.1);
        }
    }
    let _member = Helping::begin(pool);
    while let Some(entry) = pool.take_any() {
        worker::execute(pool, entry);
    }
    let resting = Resting(pool, Parker::current());
    pool.threads().resters.push(resting.1.clone());
    sleep_once(pool, None, &|| false);
}

fn sleep_once(pool: &Arc<Shared>, deadline: Option<Deadline>, enough: &dyn Fn() -> bool) {
    match pool.sleep(false, deadline, enough) {
        Idle::Search { woken: true } => pool.attention.end_search(),
        Idle::Search { woken: false } | Idle::Leave => {}
        Idle::Quiet => pool.finish_stop(1),
    }
}

/// As `sleep_once`, until one of several pools may have a task.
pub(super) fn sleep_for(
    pools: &[&Arc<Shared>],
    deadline: Option<Deadline>,
    enough: &dyn Fn() -> bool,
) {
    let Some((last, others)) = pools.split_last() else { return };
    let parker = Parker::current();
    others.iter().for_each(|pool| pool.add_sleeper(&parker));
    let any_queued = || others.iter().any(|pool| !pool.queue.is_empty());
    sleep_once(last, deadline, &|| enough() || (any_queued() && !weakened("others' queues")));
    others.iter().for_each(|pool| pool.remove_sleeper(&parker));
}

/// A thread from outside does the work of pools for a while.
#[derive(Default)]
pub(super) struct Helpers<'a>(Vec<Helping<'a>>);

impl<'a> Helpers<'a> {
    /// Helps just these pools from now on.
    pub(super) fn join(&mut self, pools: &[&'a Arc<Shared>]) {
        self.0.retain(|helping| pools.iter().any(|pool| Arc::ptr_eq(helping.pool, pool)));
        for pool in pools {
            if !self.0.iter().any(|helping| Arc::ptr_eq(helping.pool, pool)) {
                self.0.push(Helping::begin(pool));
            }
        }
    }
}

/// A thread from outside does a pool's work for a while.
pub(crate) struct Helping<'a> {
    pool: &'a Arc<Shared>,
    /// Whether it was counted in.
    counts: bool,
}

impl<'a> Helping<'a> {
    pub(crate) fn begin(pool: &'a Arc<Shared>) -> Helping<'a> {
        // A thread counts once: it may help again from within a task, or a callback.
        if context::works_for(pool) {
            return Helping { pool, counts: false };
        }
        let here = Parker::current();
        let mut threads = pool.threads();
        if has(&threads.helpers, &here) {
            return Helping { pool, counts: false };
        }
        threads.alive += 1;
        threads.helpers.push(here);
        if pool.is_hosted() {
            pool.publish(&threads);
        }
        drop(threads);
        Helping { pool, counts: true }
    }

    fn count_out(&self) {
        let pool = self.pool;
        let mut threads = pool.threads();
        threads.alive -= 1;
        remove(&mut threads.helpers, &Parker::current());
        if pool.is_hosted() {
            pool.publish(&threads);
        }
        threads.tell_rest();
        drop(threads);
        // If this was the last that did anything, a stop may have waited for just that.
        pool.finish_stop(0);
        pool.tell_stopped(false);
    }
}

impl Drop for Helping<'_> {
    fn drop(&mut self) {
        if self.counts {
            self.count_out();
        }
        // It may have been woken for what another one is to do now.
        if !self.pool.queue.is_empty() {
            self.pool.notify();
        }
    }
}
