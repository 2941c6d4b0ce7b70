//! Who is compared, and what each of them is asked to do.

use std::sync::Arc;

use crate::body::Body;
use crate::graph::Graph;

mod asynckit;
mod counters;
mod executors;
mod forte;
mod futures;
mod rayon;
mod threadpool;

/// One who runs the workloads, the way its users would write them. Each method returns what the
/// work came to, which is checked, or `None` where the peer has no sensible way to do it.
pub trait Peer: Send {
    /// What it is called in the table.
    fn name(&self) -> &'static str;

    /// Submits tasks that give `0..tasks`, from a thread of its own; the sum of the results.
    fn spawn_outside(&self, tasks: u64) -> u64;

    /// The same from inside a task.
    fn spawn_inside(&self, tasks: u64) -> u64;

    /// Submits one task that adds 1 to `n`, and waits for another thread to run it.
    fn round_trip(&self, n: u64) -> Option<u64>;

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

    /// A [`Graph::tree`].
    fn tree(&self, graph: &Arc<Graph>) -> u64 {
        self.graph(graph, Body::EMPTY)
    }

    /// Fibonacci's number, each call a task that waits for two more.
    fn fib(&self, _n: u32) -> Option<u64> {
        None
    }

    /// How many bytes so many tasks take that wait for their inputs.
    fn pending_bytes(&self, _tasks: usize) -> Option<i64> {
        None
    }
}

/// All peers, each with a pool of so many threads; forte only where it is asked for.
pub fn all(threads: usize, with_forte: bool) -> Vec<Box<dyn Peer>> {
    let mut all: Vec<Box<dyn Peer>> = vec![
        Box::new(asynckit::Asynckit::new(threads)),
        Box::new(rayon::Rayon::new(threads)),
        Box::new(futures::Futures(executors::Tokio::new(threads))),
        Box::new(futures::Futures(executors::AsyncExecutor::new(threads))),
        Box::new(futures::Futures(executors::FuturesPool::new(threads))),
        Box::new(threadpool::ThreadPool::new(threads)),
    ];
    if with_forte {
        all.push(Box::new(futures::Futures(forte::Forte::new(threads))));
    }
    all
}
