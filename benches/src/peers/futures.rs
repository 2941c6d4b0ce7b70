//! What users of an executor write: spawned futures that await each other's handles, shared where
//! several tasks need one value.

use std::sync::Arc;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::Shared;

use super::Peer;
use crate::body::Body;
use crate::graph::{Graph, fold, neighbours};

/// An executor of futures on threads of its own. It is never dropped, so that tasks find it without
/// counting references.
pub trait Executor: Copy + Send + Sync + 'static {
    /// What it is called in the table.
    const NAME: &'static str;

    /// Whether a thread that waits from outside leaves the work to others.
    const HAS_OUTSIDE: bool = true;

    /// The handle on a task; it awaits the result.
    type Handle<T: Send + 'static>: Future<Output = T> + Send + Unpin + 'static;

    /// Starts a task.
    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Self::Handle<T>;

    /// Waits for a future from outside.
    fn block_on<T: Send>(self, future: impl Future<Output = T> + Send) -> T;

    /// Calls `f` where tasks are best spawned.
    fn enter<T>(self, f: impl FnOnce() -> T) -> T {
        f()
    }

    /// Fibonacci's number, each call a task.
    fn fib(self, n: u32) -> u64 {
        self.block_on(self.spawn(fib(self, n)))
    }

    /// The root of a binary tree over so many leaves.
    fn reduce(self, leaves: usize) -> u64 {
        self.block_on(reduce(self, leaves))
    }

    /// Any graph, for an executor that can't run it as futures which share values.
    fn graph(self, _graph: &Arc<Graph>, _body: Body) -> Option<u64> {
        None
    }
}

#[expect(
    clippy::manual_async_fn,
    reason = "an async fn that spawns itself can't be seen to be Send"
)]
fn fib<E: Executor>(executor: E, n: u32) -> impl Future<Output = u64> + Send + 'static {
    async move {
        if n < 2 {
            return n.into();
        }
        let a = executor.spawn(fib(executor, n - 1));
        let b = executor.spawn(fib(executor, n - 2));
        a.await + b.await
    }
}

fn reduce<E: Executor>(executor: E, leaves: usize) -> E::Handle<u64> {
    let mut level: Vec<_> =
        (0..leaves).map(|n| executor.spawn(async move { fold([n as u64]) })).collect();
    while level.len() > 1 {
        let mut below = level.into_iter();
        level = Vec::new();
        while let (Some(a), Some(b)) = (below.next(), below.next()) {
            level.push(executor.spawn(async move { fold([a.await, b.await]) }));
        }
    }
    level.pop().expect("a tree has a root")
}

async fn fold_all<F: Future<Output = u64>>(handles: impl IntoIterator<Item = F>) -> u64 {
    let mut values = Vec::new();
    for handle in handles {
        values.push(handle.await);
    }
    fold(values)
}

/// The peer that works with an executor.
pub struct Futures<E>(pub E);

impl<E: Executor> Futures<E> {
    /// A chain of so many links behind a value that is to be sent.
    fn links(&self, first: oneshot::Receiver<u64>, count: usize) -> E::Handle<u64> {
        let executor = self.0;
        let mut last = executor.spawn(async move { first.await.expect("it is sent") });
        for _ in 1..count {
            last = executor.spawn(async move { fold([last.await]) });
        }
        last
    }

    /// A task whose value several others need.
    fn shared(&self, task: impl Future<Output = u64> + Send + 'static) -> Shared<E::Handle<u64>> {
        self.0.spawn(task).shared()
    }
}

impl<E: Executor> Peer for Futures<E> {
    fn name(&self) -> &'static str {
        E::NAME
    }

    fn spawn_outside(&self, tasks: u64) -> u64 {
        let executor = self.0;
        executor.enter(|| {
            let handles: Vec<_> = (0..tasks).map(|n| executor.spawn(async move { n })).collect();
            executor.block_on(async {
                let mut sum = 0;
                for handle in handles {
                    sum += handle.await;
                }
                sum
            })
        })
    }

    fn spawn_inside(&self, tasks: u64) -> u64 {
        let executor = self.0;
        executor.block_on(executor.spawn(async move {
            let handles: Vec<_> = (0..tasks).map(|n| executor.spawn(async move { n })).collect();
            let mut sum = 0;
            for handle in handles {
                sum += handle.await;
            }
            sum
        }))
    }

    fn wait_inside(&self, times: u64) -> Option<u64> {
        let executor = self.0;
        let pair = |n| {
            let (sender, result) = oneshot::channel();
            let waits = executor.spawn(async move { result.await.expect("it is sent") });
            let sets = executor.spawn(async move {
                std::thread::yield_now();
                sender.send(n).expect("somebody receives");
            });
            executor.block_on(sets);
            executor.block_on(waits)
        };
        Some((0..times).map(pair).sum())
    }

    fn round_trip(&self, n: u64, body: Body) -> Option<u64> {
        let task = async move {
            body.run();
            n + 1
        };
        E::HAS_OUTSIDE.then(|| self.0.block_on(self.0.spawn(task)))
    }

    fn graph(&self, graph: &Arc<Graph>, body: Body) -> u64 {
        if let Some(answer) = self.0.graph(graph, body) {
            return answer;
        }
        self.0.enter(|| {
            let mut tasks: Vec<Shared<E::Handle<u64>>> = Vec::with_capacity(graph.len());
            for task in 0..graph.len() {
                let inputs: Vec<_> =
                    graph.inputs(task).iter().map(|&input| tasks[input].clone()).collect();
                tasks.push(self.shared(async move {
                    if inputs.is_empty() {
                        body.run();
                        return fold([task as u64]);
                    }
                    let mut values = Vec::with_capacity(inputs.len());
                    for input in inputs {
                        values.push(input.await);
                    }
                    body.run();
                    fold(values)
                }));
            }
            self.0.block_on(fold_all(graph.ends().map(|task| tasks[task].clone())))
        })
    }

    fn chain(&self, graph: &Arc<Graph>) -> u64 {
        self.0.enter(|| {
            let (sender, first) = oneshot::channel();
            let last = self.links(first, graph.len());
            sender.send(fold([0])).expect("it is awaited");
            fold([self.0.block_on(last)])
        })
    }

    fn fan(&self, graph: &Arc<Graph>) -> u64 {
        let executor = self.0;
        executor.enter(|| {
            let top = self.shared(async { fold([0]) });
            let wide: Vec<_> = (0..graph.len() - 2)
                .map(|_| {
                    let top = top.clone();
                    executor.spawn(async move { fold([top.await]) })
                })
                .collect();
            fold([executor.block_on(executor.spawn(fold_all(wide)))])
        })
    }

    fn stencil(&self, graph: &Arc<Graph>, width: usize, body: Body) -> u64 {
        if let Some(answer) = self.0.graph(graph, body) {
            return answer;
        }
        self.0.enter(|| {
            let source = |n| {
                self.shared(async move {
                    body.run();
                    fold([n as u64])
                })
            };
            let mut row: Vec<_> = (0..width).map(source).collect();
            for _ in 1..graph.len() / width {
                let cell = |column| {
                    let [a, b, c] = neighbours(column, width).map(|column| row[column].clone());
                    self.shared(async move {
                        let values = [a.await, b.await, c.await];
                        body.run();
                        fold(values)
                    })
                };
                row = (0..width).map(cell).collect();
            }
            self.0.block_on(fold_all(row))
        })
    }

    fn tree(&self, graph: &Arc<Graph>) -> u64 {
        fold([self.0.enter(|| self.0.reduce(graph.len().div_ceil(2)))])
    }

    fn fib(&self, n: u32) -> Option<u64> {
        Some(self.0.fib(n))
    }

    fn burst(&self, tasks: usize, pending: &mut dyn FnMut()) -> Option<u64> {
        let executor = self.0;
        executor.enter(|| {
            let (sender, first) = oneshot::channel();
            let first = first.map(|first| first.expect("it is sent")).shared();
            let all: Vec<_> = (0..tasks).map(|_| executor.spawn(first.clone())).collect();
            pending();
            sender.send(1).expect("it is awaited");
            Some(executor.block_on(async {
                let mut sum = 0;
                for one in all {
                    sum += one.await;
                }
                sum
            }))
        })
    }
}
