//! oneTBB, by a C++ program that runs beside this one (tbb.rs): a flow graph of nodes for graphs,
//! `parallel_invoke` for what divides, a task group for single tasks.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use super::Peer;
use crate::body::{Body, Pace};
use crate::graph::{Graph, fold};
use crate::tbb::{self, Program};

pub const NAME: &str = "oneTBB";
/// Why there is no such program; the build script says so.
const WHY_NOT: &str = env!("ONETBB_WHY_NOT");

/// Why oneTBB does not take part, if it does not.
pub fn why_not() -> Option<&'static str> {
    tbb::PATH.is_empty().then_some(WHY_NOT)
}

/// The program, and what it has been told.
pub struct OneTbb {
    program: RefCell<Program>,
    /// The graphs that it knows, by number.
    graphs: RefCell<Vec<Arc<Graph>>>,
    took: Cell<Duration>,
    /// How many of the program's steps take as long as one of ours: it was compiled by another
    /// compiler.
    steps_a_step: f64,
}

impl OneTbb {
    pub fn new(threads: usize) -> OneTbb {
        let (mut program, steps) = (Program::start(threads), 1_000_000);
        let theirs = program.ask(&format!("pace {steps}")).1.as_nanos() as f64;
        OneTbb {
            program: RefCell::new(program),
            graphs: RefCell::default(),
            took: Cell::default(),
            steps_a_step: Pace::measure().nanoseconds(Body::of(steps)) / theirs,
        }
    }

    fn steps(&self, body: Body) -> u32 {
        (f64::from(body.steps()) * self.steps_a_step).round() as u32
    }

    /// What an order comes to. How long it has taken is added to what others took.
    fn answer(&self, order: &str) -> u64 {
        let (answer, took) = self.program.borrow_mut().ask(order);
        self.took.set(self.took.get() + took);
        answer
    }

    /// The number of a graph, which the program gets to know unless it does.
    fn number(&self, graph: &Arc<Graph>) -> usize {
        let mut graphs = self.graphs.borrow_mut();
        if let Some(number) = graphs.iter().position(|known| Arc::ptr_eq(known, graph)) {
            return number;
        }
        let mut program = self.program.borrow_mut();
        program.send(&format!("graph {}", graph.len()));
        for task in 0..graph.len() {
            let inputs = graph.inputs(task);
            let numbers: String = inputs.iter().map(|input| format!(" {input}")).collect();
            program.send(&format!("{}{numbers}", inputs.len()));
        }
        graphs.push(graph.clone());
        graphs.len() - 1
    }
}

impl Peer for OneTbb {
    fn name(&self) -> &'static str {
        NAME
    }

    fn took(&self) -> Option<Duration> {
        Some(self.took.take())
    }

    fn spawn_outside(&self, tasks: u64) -> u64 {
        self.answer(&format!("outside {tasks}"))
    }

    fn spawn_inside(&self, tasks: u64) -> u64 {
        self.answer(&format!("inside {tasks}"))
    }

    fn round_trips(&self, trips: u64, pause: Duration, body: Body) -> Option<f64> {
        let pause = pause.as_micros();
        let right = self.answer(&format!("trips {trips} {pause} {}", self.steps(body)));
        assert_eq!(right, 1, "{NAME}: round trips");
        Some(self.took.take().as_nanos() as f64)
    }

    fn graph(&self, graph: &Arc<Graph>, body: Body) -> u64 {
        let number = self.number(graph);
        self.answer(&format!("run {number} {}", self.steps(body)))
    }

    fn tree(&self, graph: &Arc<Graph>) -> u64 {
        fold([self.answer(&format!("tree {}", graph.len().div_ceil(2)))])
    }

    fn fib(&self, n: u32) -> Option<u64> {
        Some(self.answer(&format!("fib {n}")))
    }
}
