//! The work that a waiting thread needs: what its goal depends on, found by following edges.

use std::collections::HashSet;

use crate::core::{self, Account, TaskRef};
use crate::pool::wait::Goal;
use crate::pool::{Inside, Shared, context, pool_of, worker};
use crate::sync::{Arc, Mutex, Ordering, Parker, StaticCounter, lock};

/// Runs what the goal needs and nobody has begun, as long as there is any.
pub(crate) fn run(goal: &impl Goal, pool: &Arc<Shared>) {
    loop {
        let mut ran = false;
        let mut roots = goal.roots();
        pool.shuffle(&mut roots);
        for root in roots {
            ran |= run_below(root, goal, pool);
            if goal.reached() {
                return;
            }
        }
        if !ran {
            return;
        }
    }
}

/// Walks down from `root` to tasks that are ready and runs them on the way back up, so that a
/// long chain takes one walk.
fn run_below(root: TaskRef, goal: &impl Goal, pool: &Arc<Shared>) -> bool {
    let mut ran = false;
    let mut seen = HashSet::new();
    let mut path = vec![root];
    while let Some(task) = path.last().cloned() {
        if goal.reached() {
            break;
        }
        if task.is_ready()
            && belongs(&task, pool)
            && let Some(claimed) = task.claim()
        {
            worker::execute_here(pool, claimed);
            // Inside of a callback its end would wait for the callback's.
            core::drain();
            ran = true;
            // It may have returned a result that it waits for now.
            seen.remove(&task.address());
            continue;
        }
        let mut unset =
            if !task.is_set() && seen.insert(task.address()) { inputs(&task) } else { vec![] };
        if unset.is_empty() {
            path.pop();
        } else {
            pool.shuffle(&mut unset);
            path.extend(unset);
        }
    }
    ran
}

fn belongs(task: &TaskRef, pool: &Shared) -> bool {
    pool.has(task)
}

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

/// The results of which a suspended task awaits one, where nothing else can wake it.
pub(crate) fn awaited(task: &TaskRef) -> Option<Vec<TaskRef>> {
    task.awaited()
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
    path.extend(pool.known_tasks());
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
pub(crate) fn is_about_to_run(task: &TaskRef) -> bool {
    if !task.is_waiting() || task.is_set() {
        // Or it is ready, and on its way to the queue.
        return task.is_ready();
    }
    let mut seen = HashSet::new();
    let mut path = vec![task.clone()];
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
        let is_woken = || awaited(&task).is_some_and(|all| all.iter().any(|one| one.is_set()));
        if lacks || (task.is_suspended() && !is_woken()) {
            return false;
        }
    }
    true
}

/// How many pools there are without workers.
static WITHOUT_WORKERS: StaticCounter = StaticCounter::new(0);

/// Keeps count of the pools without workers.
pub(crate) fn count_workers(before: usize, now: usize) {
    if before > 0 && now == 0 {
        WITHOUT_WORKERS.fetch_add(1, Ordering::SeqCst);
    } else if before == 0 && now > 0 {
        WITHOUT_WORKERS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How often tasks that had begun have come to wait for the work of a pool that somebody may have to
/// help, and who is to know.
static CHANGES: StaticCounter = StaticCounter::new(0);
static WATCHERS: Mutex<Vec<Arc<Parker>>> = Mutex::new(Vec::new());

/// A task waits for the result that its work returned: where that takes another pool, without workers,
/// who waits looks again which pools it may have to help.
pub(crate) fn look_again(task: &TaskRef) {
    if WITHOUT_WORKERS.load(Ordering::SeqCst) == 0 {
        return;
    }
    let is_news = |pool: &Arc<Shared>| !belongs(task, pool) && pool.is_helped_here();
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
        let watcher = (WITHOUT_WORKERS.load(Ordering::SeqCst) > 0).then(|| parker.clone());
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
        let mut watchers = lock(&WATCHERS);
        // Once: it may wait again from within what it runs meanwhile.
        if let Some(place) = watchers.iter().position(|parker| Arc::ptr_eq(parker, own)) {
            watchers.swap_remove(place);
        }
    }
}

/// The pools whose work a goal with these roots needs. As a rule it is one, and the first task that has one
/// tells; only where there are pools without workers, whose work the waiter may have to do, is the
/// whole graph looked at.
pub(crate) fn pools_of(roots: Vec<TaskRef>) -> Vec<Arc<Shared>> {
    let thorough = WITHOUT_WORKERS.load(Ordering::SeqCst) > 0;
    let mut pools: Vec<Arc<Shared>> = Vec::new();
    let mut seen = HashSet::new();
    let mut path = roots;
    while let Some(task) = path.pop() {
        if task.is_set() || !seen.insert(task.address()) {
            continue;
        }
        if let Some(its) = pool_of(&task) {
            if !pools.iter().any(|pool| Arc::ptr_eq(pool, &its)) {
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
