//! What a pool has to know of to find all that waits in it (`roots.rs`).

use std::borrow::Borrow;
use std::collections::HashMap;

use crate::core::TaskRef;
use crate::sync::{AtomicUsize, Mutex, lock};

/// The roots of a pool.
#[derive(Default)]
pub(super) struct Roots {
    pub(super) known: Mutex<Known>,
    /// How many edges to roots are linked, and how many steps have a task in hand.
    pub(super) count: AtomicUsize,
}

#[derive(Default)]
pub(super) struct Known {
    /// By their addresses.
    all: HashMap<usize, Met>,
    met: u64,
    /// At this size those that are over go.
    sweep_at: usize,
}

/// A root; or a task of the pool that sleeps, until a waker is called or until loans end.
struct Met {
    number: u64,
    task: TaskRef,
    sleeps: bool,
}

const FEW: usize = 64;

impl Roots {
    /// Knows of one from now on.
    pub(super) fn meet(&self, task: &TaskRef, sleeps: bool) {
        let mut known = lock(&self.known);
        known.met += 1;
        let number = known.met;
        let new = || Met { number, task: task.clone(), sleeps };
        known.all.entry(task.address()).or_insert_with(new);
        let over = known.sweep();
        drop(known);
        drop(over);
    }

    /// The roots, and the tasks that sleep, in the order in which they were met. There are none from now on.
    pub(super) fn take(&self) -> (Vec<TaskRef>, Vec<TaskRef>) {
        let taken = std::mem::take(&mut *lock(&self.known));
        in_order(taken.all.into_values(), |met| met.task)
    }
}

impl Met {
    fn is_over(&self) -> bool {
        match self.sleeps {
            true => !self.task.is_waiting(),
            false => self.task.is_set() && !self.task.is_being_told(),
        }
    }
}

impl Known {
    /// Those that are of no more use. Each search is paid for by as many entries.
    fn sweep(&mut self) -> Vec<Met> {
        if self.all.len() < self.sweep_at.max(FEW) {
            return Vec::new();
        }
        let over = self.all.extract_if(|_, met| met.is_over()).map(|(_, met)| met).collect();
        self.sweep_at = 2 * self.all.len();
        over
    }

    /// The roots, and the tasks that sleep, in the order in which they were met.
    pub(super) fn list(&self) -> (Vec<TaskRef>, Vec<TaskRef>) {
        in_order(self.all.values(), |met| met.task.clone())
    }
}

/// The roots, and the tasks that sleep. Nothing is done with a task in another order than this.
fn in_order<M: Borrow<Met>>(
    all: impl Iterator<Item = M>,
    task: impl Fn(M) -> TaskRef,
) -> (Vec<TaskRef>, Vec<TaskRef>) {
    let mut all: Vec<M> = all.collect();
    all.sort_by_key(|met| met.borrow().number);
    let (sleepers, roots): (Vec<M>, Vec<M>) = all.into_iter().partition(|met| met.borrow().sleeps);
    (roots.into_iter().map(&task).collect(), sleepers.into_iter().map(&task).collect())
}
