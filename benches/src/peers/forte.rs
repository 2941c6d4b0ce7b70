//! forte: futures where a task's value goes one way, `join` for what divides, and hand-made counters
//! in a scope for other graphs.

use std::sync::Arc;

use forte::{Scope, Worker};

use super::counters::Counters;
use super::executors::leak;
use super::futures::Executor;
use crate::body::Body;
use crate::graph::{Graph, fold};

/// A pool of forte's. A thread that waits takes part in the work, so the pool has one thread less of
/// its own.
#[derive(Clone, Copy)]
pub struct Forte(&'static forte::ThreadPool);

impl Forte {
    pub fn new(threads: usize) -> Forte {
        let pool = leak(forte::ThreadPool::new());
        pool.resize_to(threads - 1);
        Forte(pool)
    }
}

impl Executor for Forte {
    const NAME: &'static str = "forte";
    const HAS_OUTSIDE: bool = false;
    type Handle<T: Send + 'static> = async_executor::Task<T>;

    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> async_executor::Task<T> {
        self.0.spawn_future(task)
    }

    fn block_on<T: Send>(self, future: impl Future<Output = T> + Send) -> T {
        self.0.block_on(future)
    }

    fn enter<T>(self, f: impl FnOnce() -> T) -> T {
        self.0.with_worker(|_| f())
    }

    fn fib(self, n: u32) -> u64 {
        self.0.with_worker(|worker| fib(worker, n))
    }

    fn reduce(self, leaves: usize) -> u64 {
        self.0.with_worker(|worker| reduce(worker, 0, leaves))
    }

    fn graph(self, graph: &Arc<Graph>, body: Body) -> Option<u64> {
        let counters = Counters::new(graph.clone(), body);
        self.0.scope(|scope| {
            for task in graph.sources() {
                let counters = &counters;
                scope.spawn(move |scope| visit(counters, scope, task));
            }
        });
        Some(counters.answer())
    }
}

fn visit<'s>(counters: &'s Counters, scope: &Scope<'s>, task: usize) {
    counters.run(task, |next| scope.spawn(move |scope| visit(counters, scope, next)));
}

fn fib(worker: &Worker, n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = worker.join(|worker| fib(worker, n - 1), |worker| fib(worker, n - 2));
    a + b
}

fn reduce(worker: &Worker, first: usize, leaves: usize) -> u64 {
    if leaves == 1 {
        return fold([first as u64]);
    }
    let half = leaves / 2;
    let (a, b) = worker
        .join(|worker| reduce(worker, first, half), |worker| reduce(worker, first + half, half));
    fold([a, b])
}
