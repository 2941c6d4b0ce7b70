//! What users of a pool without dependencies write themselves: a counter of missing inputs for
//! each task, and a place for its value.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::body::Body;
use crate::graph::{Graph, fold};

/// One run of a graph.
#[derive(Debug)]
pub struct Counters {
    graph: Arc<Graph>,
    body: Body,
    missing: Vec<AtomicUsize>,
    values: Vec<AtomicU64>,
}

impl Counters {
    /// Nothing has run yet.
    pub fn new(graph: Arc<Graph>, body: Body) -> Counters {
        let tasks = graph.len();
        Counters {
            body,
            missing: (0..tasks).map(|task| AtomicUsize::new(graph.inputs(task).len())).collect(),
            values: (0..tasks).map(|_| AtomicU64::new(0)).collect(),
            graph,
        }
    }

    /// The graph that is run.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Runs a task, and spawns those that have all their inputs now.
    pub fn run(&self, task: usize, mut spawn: impl FnMut(usize)) {
        self.body.run();
        let graph = self.graph();
        let value = graph.value(task, |input| self.values[input].load(Ordering::Relaxed));
        self.values[task].store(value, Ordering::Relaxed);
        for &dependent in graph.dependents(task) {
            // ORDERING: whoever brings it to zero sees the values of all who counted before.
            if self.missing[dependent].fetch_sub(1, Ordering::AcqRel) == 1 {
                spawn(dependent);
            }
        }
    }

    /// The answer, when all tasks have run.
    pub fn answer(&self) -> u64 {
        fold(self.graph().ends().map(|task| self.values[task].load(Ordering::Acquire)))
    }
}
