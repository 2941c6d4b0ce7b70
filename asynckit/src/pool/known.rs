//! What a pool has to know of to find all that waits in it (`roots.rs`).

use std::collections::HashMap;

use crate::core::TaskRef;
use crate::sync::{AtomicUsize, Mutex};

/// The roots of a pool.
pub(super) struct Roots {
    pub(super) known: Mutex<Known>,
    /// How many edges to roots are linked, and how many steps have a task in hand.
    pub(super) count: AtomicUsize,
}

#[derive(Default)]
pub(super) struct Known {
    /// By their addresses, in the order in which they were met.
    pub(super) roots: HashMap<usize, (u64, TaskRef)>,
    /// Tasks that sleep until a waker is called, or until loans end.
    pub(super) sleepers: HashMap<usize, (u64, TaskRef)>,
    met: u64,
    /// At this size those that are over go.
    sweep_at: usize,
}

const FEW: usize = 64;

impl Roots {
    pub(super) fn none() -> Roots {
        Roots { known: Mutex::new(Known::default()), count: AtomicUsize::new(0) }
    }
}

impl Known {
    pub(super) fn number(&mut self) -> u64 {
        self.met += 1;
        self.met
    }

    /// Those that are of no more use. Each search is paid for by as many entries.
    pub(super) fn sweep(&mut self) -> Vec<TaskRef> {
        if self.roots.len() + self.sleepers.len() < self.sweep_at.max(FEW) {
            return Vec::new();
        }
        let is_over = |root: &TaskRef| root.is_set() && !root.is_being_told();
        let roots = self.roots.extract_if(|_, (_, root)| is_over(root));
        let sleepers = self.sleepers.extract_if(|_, (_, task)| !task.is_waiting());
        let over = roots.chain(sleepers).map(|(_, (_, task))| task).collect();
        self.sweep_at = 2 * (self.roots.len() + self.sleepers.len());
        over
    }

    /// All of them, in the order in which they were met.
    pub(super) fn list(&self) -> (Vec<TaskRef>, Vec<TaskRef>) {
        let sorted = |map: &HashMap<usize, (u64, TaskRef)>| {
            let mut all: Vec<_> = map.values().collect();
            all.sort_by_key(|(number, _)| *number);
            all.into_iter().map(|(_, task)| task.clone()).collect()
        };
        (sorted(&self.roots), sorted(&self.sleepers))
    }

    /// Likewise, and there are none from now on.
    pub(super) fn take(&mut self) -> (Vec<TaskRef>, Vec<TaskRef>) {
        let sorted = |map: &mut HashMap<usize, (u64, TaskRef)>| {
            let mut all: Vec<_> = std::mem::take(map).into_values().collect();
            all.sort_by_key(|(number, _)| *number);
            all.into_iter().map(|(_, task)| task).collect()
        };
        (sorted(&mut self.roots), sorted(&mut self.sleepers))
    }
}
