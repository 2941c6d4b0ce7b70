//! Who is compared, and what each of them is asked to do.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::body::Body;
use crate::graph::Graph;
use crate::median;

mod asynckit;
mod counters;
mod executors;
mod forte;
mod futures;
pub mod onetbb;
mod rayon;
mod threadpool;

/// One who runs the workloads, the way its users would write them. Each method returns what the
/// work came to, which is checked, or `None` where the peer has no sensible way to do it.
pub trait Peer: Send {
    /// What it is called in the table.
    fn name(&self) -> &'static str;

    /// How long the work has taken since this was asked last, for a peer that runs in a process of
    /// its own: by its own clock, as being told what to do is not counted.
    fn took(&self) -> Option<Duration> {
        None
    }

    /// Submits tasks that give `0..tasks`, from a thread of its own; the sum of the results.
    fn spawn_outside(&self, tasks: u64) -> u64;

    /// The same from inside a task.
    fn spawn_inside(&self, tasks: u64) -> u64;

    /// Submits one task that adds 1 to `n`, and waits for another thread to run it.
    fn round_trip(&self, _n: u64, _body: Body) -> Option<u64> {
        None
    }

    /// Takes a round trip so often, each after a pause; the median of what they take, in ns.
    fn round_trips(&self, trips: u64, pause: Duration, body: Body) -> Option<f64> {
        let trip = |n| {
            thread::sleep(pause);
            let begin = Instant::now();
            let result = self.round_trip(n, body)?;
            let elapsed = begin.elapsed();
            assert_eq!(result, n + 1, "{}: round trips", self.name());
            Some(elapsed.as_nanos() as f64)
        };
        median((0..trips).map(trip).collect::<Option<Vec<f64>>>()?)
    }

    /// Any graph, each task with this body.
    fn graph(&self, graph: &Arc<Graph>, body: Body) -> u64;

    /// A [`Graph::chain`].
    fn chain(&self, graph: &Arc<Graph>) -> u64 {
        self.graph(graph, Body::EMPTY)
    }

    /// A [`Graph::fan`].
    fn fan(&self, graph: &Arc<Graph>) -> u64 {
        self.graph(graph, Body::EMPTY)
    }

    /// A [`Graph::stencil`] of this width.
    fn stencil(&self, graph: &Arc<Graph>, _width: usize, body: Body) -> u64 {
        self.graph(graph, body)
    }

    /// A graph that is all there before its first task may begin; what it comes to, and how long that takes from then
    /// on. `width`: of a [`Graph::stencil`].
    fn released(
        &self,
        _graph: &Arc<Graph>,
        _width: Option<usize>,
        _body: Body,
    ) -> Option<(u64, Duration)> {
        None
    }

    /// A [`Graph::tree`].
    fn tree(&self, graph: &Arc<Graph>) -> u64 {
        self.graph(graph, Body::EMPTY)
    }

    /// Fibonacci's number, each call a task that waits for two more.
    fn fib(&self, _n: u32) -> Option<u64> {
        None
    }

    /// So often, one after the other: a task waits for a value, which another one sets once it has let others run; the sum
    /// of what the first of each two had, which is 0, 1, and so on.
    fn wait_inside(&self, _times: u64) -> Option<u64> {
        None
    }

    /// Submits so many tasks that need one value which is not there, calls `pending`, and then sets
    /// it; the sum of the results, each of which is 1.
    fn burst(&self, _tasks: usize, _pending: &mut dyn FnMut()) -> Option<u64> {
        None
    }
}

/// Starts a peer with a pool of so many threads.
type Start = fn(usize) -> Box<dyn Peer>;

const ALL: [(&str, Start); 9] = [
    ("asynckit", |threads| Box::new(asynckit::Asynckit::new(threads))),
    (asynckit::OBSERVED, |threads| Box::new(asynckit::Asynckit::observed(threads))),
    ("rayon", |threads| Box::new(rayon::Rayon::new(threads))),
    ("tokio", |threads| Box::new(futures::Futures(executors::Tokio::new(threads)))),
    (onetbb::NAME, |threads| Box::new(onetbb::OneTbb::new(threads))),
    ("async-executor", |threads| {
        Box::new(futures::Futures(executors::AsyncExecutor::new(threads)))
    }),
    ("futures", |threads| Box::new(futures::Futures(executors::FuturesPool::new(threads)))),
    ("threadpool", |threads| Box::new(threadpool::ThreadPool::new(threads))),
    (FORTE, |threads| Box::new(futures::Futures(forte::Forte::new(threads)))),
];
const FORTE: &str = "forte";

/// The names of those who take part. Two do only where they are asked for: forte, whose heartbeat takes a
/// part of a core even when it is idle, which the others would pay for; and asynckit where somebody looks on.
pub fn names(is_asked_for: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let is_there = |name: &&str| match *name {
        FORTE | asynckit::OBSERVED => is_asked_for(name),
        onetbb::NAME => onetbb::why_not().is_none(),
        _ => true,
    };
    ALL.iter().map(|(name, _)| *name).filter(is_there).collect()
}

/// Starts the peer of this name.
pub fn start(name: &str, threads: usize) -> Option<Box<dyn Peer>> {
    ALL.iter().find(|(one, _)| *one == name).map(|(_, start)| start(threads))
}
