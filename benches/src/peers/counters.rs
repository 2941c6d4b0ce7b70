//! What users of a pool without dependencies write themselves: a counter of missing inputs for
//! each task, and a place for its value.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::body::Body;
use crate::graph::{Graph, Lists, fold};

/// One run of a graph.
#[derive(Debug)]
pub struct Counters {
    graph: Arc<Graph>,
    /// Who needs whom, where that does not follow from the tasks' numbers.
    dependents: Option<Lists>,
    body: Body,
    missing: Vec<AtomicUsize>,
    values: Vec<AtomicU64>,
}

impl Counters {
    /// Nothing has run yet. The other peers are told what each task needs, and no more; so where more is needed
    /// to count, to find it is a part of the work.
    pub fn new(graph: Arc<Graph>, body: Body) -> Counters {
        let tasks = graph.len();
        Counters {
            body,
            dependents: (!graph.is_regular()).then(|| graph.found_dependents()),
            missing: (0..tasks).map(|task| AtomicUsize::new(graph.inputs(task).len())).collect(),
            values: (0..tasks).map(|_| AtomicU64::new(0)).collect(),
            graph,
        }
    }

    /// The tasks that need a task.
    pub fn dependents(&self, task: usize) -> &[usize] {
        match &self.dependents {
            Some(found) => found.get(task),
            None => self.graph.dependents(task),
        }
    }

    /// Runs a task, and spawns those that have all their inputs now.
    pub fn run(&self, task: usize, mut spawn: impl FnMut(usize)) {
        self.body.run();
        let value = self.graph.value(task, |input| self.values[input].load(Ordering::Relaxed));
        self.values[task].store(value, Ordering::Relaxed);
        for &dependent in self.dependents(task) {
            // ORDERING: whoever brings it to zero sees the values of all who counted before.
            if self.missing[dependent].fetch_sub(1, Ordering::AcqRel) == 1 {
                spawn(dependent);
            }
        }
    }

    /// The answer, when all tasks have run.
    pub fn answer(&self) -> u64 {
        fold(self.graph.ends().map(|task| self.values[task].load(Ordering::Acquire)))
    }
}
