//! rayon: `join` for what divides, hand-made counters in a scope for other graphs.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rayon::Scope;

use super::Peer;
use super::counters::Counters;
use crate::body::Body;
use crate::graph::{Graph, fold};

/// A pool of rayon's.
pub struct Rayon {
    pool: rayon::ThreadPool,
}

impl Rayon {
    pub fn new(threads: usize) -> Rayon {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        Rayon { pool: pool.expect("the threads can be started") }
    }

    /// Runs a graph.
    fn count(&self, graph: &Graph, counters: &Counters) -> u64 {
        self.pool.scope(|scope| {
            for task in graph.sources() {
                scope.spawn(move |scope| visit(counters, scope, task));
            }
        });
        counters.answer()
    }
}

fn visit<'s>(counters: &'s Counters, scope: &Scope<'s>, task: usize) {
    counters.run(task, |next| scope.spawn(move |scope| visit(counters, scope, next)));
}

fn fib(n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = rayon::join(|| fib(n - 1), || fib(n - 2));
    a + b
}

fn reduce(first: usize, leaves: usize) -> u64 {
    if leaves == 1 {
        return fold([first as u64]);
    }
    let half = leaves / 2;
    let (a, b) = rayon::join(|| reduce(first, half), || reduce(first + half, half));
    fold([a, b])
}

impl Peer for Rayon {
    fn name(&self) -> &'static str {
        "rayon"
    }

    fn spawn_outside(&self, tasks: u64) -> u64 {
        let (sender, results) = mpsc::channel();
        for n in 0..tasks {
            let sender = sender.clone();
            self.pool.spawn(move || sender.send(n).expect("somebody receives"));
        }
        drop(sender);
        results.iter().sum()
    }

    fn spawn_inside(&self, tasks: u64) -> u64 {
        let mut results = vec![0; tasks as usize];
        self.pool.scope(|scope| {
            for (n, result) in results.iter_mut().enumerate() {
                scope.spawn(move |_| *result = n as u64);
            }
        });
        results.into_iter().sum()
    }

    fn round_trip(&self, n: u64, body: Body) -> Option<u64> {
        Some(self.pool.install(|| {
            body.run();
            n + 1
        }))
    }

    fn graph(&self, graph: &Arc<Graph>, body: Body) -> u64 {
        self.count(graph, &Counters::new(graph.clone(), body))
    }

    fn released(
        &self,
        graph: &Arc<Graph>,
        _width: Option<usize>,
        body: Body,
    ) -> Option<(u64, Duration)> {
        let counters = Counters::new(graph.clone(), body);
        let begin = Instant::now();
        let answer = self.count(graph, &counters);
        Some((answer, begin.elapsed()))
    }

    fn tree(&self, graph: &Arc<Graph>) -> u64 {
        fold([self.pool.install(|| reduce(0, graph.len().div_ceil(2)))])
    }

    fn fib(&self, n: u32) -> Option<u64> {
        Some(self.pool.install(|| fib(n)))
    }
}
