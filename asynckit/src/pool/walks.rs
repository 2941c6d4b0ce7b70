//! What waits for what, found by following edges.

use std::collections::HashSet;

use crate::core::{Account, TaskRef};
use crate::pool::context;
use crate::pool::place::Inside;
use crate::pool::registry::pool_of;
use crate::pool::shared::Shared;
use crate::pool::threads::{any_without_workers, has, remove_once};
use crate::sync::{Arc, Mutex, Ordering, Parker, StaticCounter, lock};

/// What a task waits for: its inputs that are not there.
pub(crate) fn inputs(task: &TaskRef) -> Vec<TaskRef> {
    let mut unset = Vec::new();
    if !task.is_waiting() {
        return unset;
    }
    task.each_missing(|upstream| unset.push(upstream));
    for account in task.wishes() {
        let pool = pool_of(account.task()).or_else(context::pool);
        unset.extend(pool.map(|pool| borrowers(&account, &pool)).unwrap_or_default());
    }
    unset
}

/// So many queued tasks a search looks at.
const MANY: usize = 1024;

/// The tasks of a pool that are to use what a handle has lent, or do. They are looked for among what runs, is
/// queued or sleeps, and what waits for that.
pub(crate) fn borrowers(account: &Account, pool: &Shared) -> Vec<TaskRef> {
    let mut path = pool.queue.tasks(MANY);
    // Who was woken for these may have looked in between.
    pool.notify();
    path.extend(pool.stacks.tasks());
    let (roots, sleepers) = pool.known_now();
    path.extend(roots.into_iter().chain(sleepers));
    let (mut seen, mut found) = (HashSet::new(), Vec::new());
    while let Some(task) = path.pop() {
        if seen.len() >= 16 * MANY || !seen.insert(task.address()) {
            continue;
        }
        path.extend(task.dependents());
        let kept = || task.hooked_home::<Inside>().is_some_and(|part| part.borrows_from(account));
        if task.borrows_from(account) || kept() {
            found.push(task);
        }
    }
    found
}

/// Whether a task waits, over any number of tasks, for a result that is no work's.
pub(crate) fn waits_for_no_work(task: &TaskRef) -> bool {
    let mut seen = HashSet::new();
    let mut path = vec![task.clone()];
    while let Some(task) = path.pop() {
        if task.is_set() || !seen.insert(task.address()) {
            continue;
        }
        if task.is_by_hand() {
            return true;
        }
        path.extend(inputs(&task));
    }
    false
}

/// Whether a task has all that it waits for, but was not queued yet: whoever
/// sets a result closes it first, and visits then who waits for it. What is done on the spot counts as
/// being there when what it waits for is.
pub(crate) fn is_about_to_run(first: &TaskRef) -> bool {
    if !first.is_waiting() || first.is_set() {
        // Or it is ready, and on its way to the queue.
        return first.is_ready();
    }
    let mut seen = HashSet::new();
    let mut path = vec![first.clone()];
    while let Some(task) = path.pop() {
        if !seen.insert(task.address()) || task.is_set() {
            continue;
        }
        if !task.is_waiting() {
            // Work that is done on the spot is under way; other work may take its time, unless it has
            // just been made ready.
            if task.is_immediate() || task.is_ready() {
                continue;
            }
            return false;
        }
        let mut lacks = false;
        task.each_missing(|upstream| {
            if upstream.is_immediate() {
                path.push(upstream);
            } else {
                lacks = true;
            }
        });
        lacks |= !task.wishes().is_empty();
        let is_woken = || task.awaited().is_some_and(|all| all.iter().any(|one| one.is_set()));
        if lacks || (task.is_suspended() && !is_woken()) {
            // It may have been made ready during this look, and shows no inputs any more.
            return first.is_ready();
        }
    }
    true
}

/// How often tasks that had begun have come to wait for the work of a pool that somebody may have to
/// help, and who is to know.
static CHANGES: StaticCounter = StaticCounter::new(0);
static WATCHERS: Mutex<Vec<Arc<Parker>>> = Mutex::new(Vec::new());

/// A task waits for the result that its work returned: where that takes another pool, without workers,
/// who waits looks again which pools it may have to help.
pub(crate) fn look_again(task: &TaskRef) {
    if !any_without_workers() {
        return;
    }
    let is_news = |pool: &Arc<Shared>| !pool.has(task) && pool.is_helped_here();
    if pools_of(vec![task.clone()]).iter().any(is_news) {
        CHANGES.fetch_add(1, Ordering::SeqCst);
        lock(&WATCHERS).iter().for_each(|watcher| watcher.unpark());
    }
}

/// A waiting thread's look at such changes. As long as all pools have workers there is nothing to see.
pub(crate) struct Changes {
    watcher: Option<Arc<Parker>>,
    seen: u64,
}

impl Changes {
    pub(crate) fn watch(parker: &Arc<Parker>) -> Changes {
        let watcher = any_without_workers().then(|| parker.clone());
        if watcher.is_some() {
            lock(&WATCHERS).extend(watcher.clone());
        }
        Changes { watcher, seen: CHANGES.load(Ordering::SeqCst) }
    }

    /// Whether there were any since this was asked last.
    pub(crate) fn any(&mut self) -> bool {
        let now = CHANGES.load(Ordering::SeqCst);
        self.watcher.is_some() && std::mem::replace(&mut self.seen, now) != now
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        let Some(own) = &self.watcher else { return };
        // It may wait again from within what it runs meanwhile.
        remove_once(&mut lock(&WATCHERS), own);
    }
}

/// The pools whose work a goal with these roots needs. As a rule it is one, and the first task that has one
/// tells; only where there are pools without workers, whose work the waiter may have to do, is the
/// whole graph looked at.
pub(crate) fn pools_of(roots: Vec<TaskRef>) -> Vec<Arc<Shared>> {
    let thorough = any_without_workers();
    let mut pools: Vec<Arc<Shared>> = Vec::new();
    let mut seen = HashSet::new();
    let mut path = roots;
    while let Some(task) = path.pop() {
        if task.is_set() || !seen.insert(task.address()) {
            continue;
        }
        if let Some(its) = pool_of(&task) {
            if !has(&pools, &its) {
                pools.push(its);
            }
            if !thorough {
                break;
            }
        }
        path.extend(inputs(&task));
    }
    pools
}
