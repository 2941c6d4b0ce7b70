//! oneTBB, by a C++ program (tbb/onetbb.cpp) that runs beside this one: a flow graph of nodes for
//! graphs, `parallel_invoke` for what divides, a task group for single tasks.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::Peer;
use crate::body::{Body, Pace};
use crate::graph::{Graph, fold};

pub const NAME: &str = "oneTBB";
/// The program, and why there is none; the build script says either.
const PROGRAM: &str = env!("ONETBB_PROGRAM");
const WHY_NOT: &str = env!("ONETBB_WHY_NOT");

/// Why oneTBB does not take part, if it does not.
pub fn why_not() -> Option<&'static str> {
    PROGRAM.is_empty().then_some(WHY_NOT)
}

/// The program. It also ends with its input, where this process ends otherwise than it should.
pub struct OneTbb {
    program: Child,
    orders: RefCell<BufWriter<ChildStdin>>,
    answers: RefCell<BufReader<ChildStdout>>,
    /// The graphs that it knows, by number.
    graphs: RefCell<Vec<Arc<Graph>>>,
    took: Cell<Duration>,
    /// How many of the program's steps take as long as one of ours: it was compiled by another
    /// compiler.
    steps_a_step: f64,
}

impl OneTbb {
    pub fn new(threads: usize) -> OneTbb {
        let mut program = Command::new(PROGRAM)
            .arg(threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program of oneTBB can be started");
        let mut peer = OneTbb {
            orders: RefCell::new(BufWriter::new(program.stdin.take().expect("it was piped"))),
            answers: RefCell::new(BufReader::new(program.stdout.take().expect("it was piped"))),
            graphs: RefCell::default(),
            took: Cell::default(),
            steps_a_step: 1.0,
            program,
        };
        let steps = 1_000_000;
        peer.answer(&format!("pace {steps}\n"));
        let theirs = peer.took.take().as_nanos() as f64;
        peer.steps_a_step = Pace::measure().nanoseconds(Body::of(steps)) / theirs;
        peer
    }

    fn steps(&self, body: Body) -> u32 {
        (f64::from(body.steps()) * self.steps_a_step).round() as u32
    }

    fn send(&self, order: &str) {
        self.orders.borrow_mut().write_all(order.as_bytes()).expect("the program of oneTBB runs");
    }

    /// What an order comes to. How long it has taken is added to what others took.
    fn answer(&self, order: &str) -> u64 {
        self.send(order);
        self.orders.borrow_mut().flush().expect("the program of oneTBB runs");
        let mut line = String::new();
        self.answers.borrow_mut().read_line(&mut line).expect("the program of oneTBB answers");
        let mut numbers = line.split_whitespace().map(|number| number.parse().ok());
        let (answer, took) = numbers
            .next()
            .zip(numbers.next())
            .and_then(|(answer, took)| answer.zip(took))
            .expect("the program of oneTBB answers with two numbers");
        self.took.set(self.took.get() + Duration::from_nanos(took));
        answer
    }

    /// The number of a graph, which the program gets to know unless it does.
    fn number(&self, graph: &Arc<Graph>) -> usize {
        let mut graphs = self.graphs.borrow_mut();
        if let Some(number) = graphs.iter().position(|known| Arc::ptr_eq(known, graph)) {
            return number;
        }
        self.send(&format!("graph {}\n", graph.len()));
        for task in 0..graph.len() {
            let inputs = graph.inputs(task);
            let numbers: String = inputs.iter().map(|input| format!(" {input}")).collect();
            self.send(&format!("{}{numbers}\n", inputs.len()));
        }
        graphs.push(graph.clone());
        graphs.len() - 1
    }
}

impl Drop for OneTbb {
    fn drop(&mut self) {
        // Nothing is left to be told of, where it has ended by itself.
        let _ = self.program.kill();
        let _ = self.program.wait();
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
        self.answer(&format!("outside {tasks}\n"))
    }

    fn spawn_inside(&self, tasks: u64) -> u64 {
        self.answer(&format!("inside {tasks}\n"))
    }

    fn round_trips(&self, trips: u64, pause: Duration, body: Body) -> Option<f64> {
        let pause = pause.as_micros();
        let right = self.answer(&format!("trips {trips} {pause} {}\n", self.steps(body)));
        assert_eq!(right, 1, "{NAME}: round trips");
        Some(self.took.take().as_nanos() as f64)
    }

    fn graph(&self, graph: &Arc<Graph>, body: Body) -> u64 {
        let number = self.number(graph);
        self.answer(&format!("run {number} {}\n", self.steps(body)))
    }

    fn tree(&self, graph: &Arc<Graph>) -> u64 {
        fold([self.answer(&format!("tree {}\n", graph.len().div_ceil(2)))])
    }

    fn fib(&self, n: u32) -> Option<u64> {
        Some(self.answer(&format!("fib {n}\n")))
    }
}
