//! The work that a waiting thread needs: what its goal depends on, found by following edges.

use std::collections::HashSet;

use crate::core::{self, TaskRef};
use crate::pool::goal::Goal;
use crate::pool::shared::Shared;
use crate::pool::walks::inputs;
use crate::pool::worker;
use crate::sync::Arc;

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
            && pool.has(&task)
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
