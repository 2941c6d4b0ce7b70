//! asynckit, as a user writes it: annotated functions, `chain!` and `spawn_on`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use asynckit::observe::{Observer, TaskEnded, TaskStarted};
use asynckit::{AsyncResult, Error, Pool, async_work, chain, current};

use super::Peer;
use crate::body::Body;
use crate::graph::{Graph, fold, neighbours};

#[async_work]
fn same(n: u64) -> u64 {
    n
}

#[async_work]
fn successor(n: u64, body: Body) -> u64 {
    body.run();
    n + 1
}

#[async_work]
fn copy(n: &u64) -> u64 {
    *n
}

#[async_work]
fn spawn_all(tasks: u64) -> Result<u64, Error> {
    let here = current();
    let results: Vec<_> = (0..tasks).map(|n| same(n).spawn_on(&here)).collect();
    results.into_iter().map(AsyncResult::get).sum()
}

#[async_work]
fn fib(n: u32) -> Result<u64, Error> {
    if n < 2 {
        return Ok(n.into());
    }
    let here = current();
    let a = fib(n - 1).spawn_on(&here);
    let b = fib(n - 2).spawn_on(&here);
    Ok(a.get()? + b.get()?)
}

#[async_work]
fn source(task: usize, body: Body) -> u64 {
    body.run();
    fold([task as u64])
}

#[async_work]
fn source_after(task: usize, _released: &u64, body: Body) -> u64 {
    body.run();
    fold([task as u64])
}

#[async_work]
fn link(n: u64) -> u64 {
    fold([n])
}

#[async_work]
fn pair(a: u64, b: u64) -> u64 {
    fold([a, b])
}

#[async_work]
fn all(values: Vec<u64>) -> u64 {
    fold(values)
}

#[async_work]
fn of_one(a: &u64, body: Body) -> u64 {
    body.run();
    fold([*a])
}

#[async_work]
fn of_two(a: &u64, b: &u64, body: Body) -> u64 {
    body.run();
    fold([*a, *b])
}

#[async_work]
fn of_three(a: &u64, b: &u64, c: &u64, body: Body) -> u64 {
    body.run();
    fold([*a, *b, *c])
}

/// A pool of asynckit's.
pub struct Asynckit {
    name: &'static str,
    pool: Pool,
}

/// What a pool is called where somebody looks on.
pub const OBSERVED: &str = "observed";

/// Counts what begins and ends, and for how long it runs: as little as one who looks on may do.
#[derive(Default)]
struct Counts {
    tasks: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Observer for Counts {
    fn started(&self, event: &TaskStarted<'_>) {
        self.tasks.fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_sub(event.time.as_nanos() as u64, Ordering::Relaxed);
    }

    fn ended(&self, event: &TaskEnded<'_>) {
        self.nanoseconds.fetch_add(event.time.as_nanos() as u64, Ordering::Relaxed);
    }
}

impl Asynckit {
    pub fn new(threads: usize) -> Asynckit {
        Asynckit { name: "asynckit", pool: Pool::new(threads) }
    }

    /// The same, with somebody who looks on.
    pub fn observed(threads: usize) -> Asynckit {
        let builder = Pool::builder().workers(threads).observer(Counts::default());
        Asynckit { name: OBSERVED, pool: builder.build().expect("threads can be started") }
    }

    /// The results of a graph's tasks; `first` makes those that need nothing.
    fn results(
        &self,
        graph: &Graph,
        body: Body,
        first: impl Fn(usize) -> AsyncResult<u64>,
    ) -> Vec<AsyncResult<u64>> {
        let mut results: Vec<AsyncResult<u64>> = Vec::with_capacity(graph.len());
        for task in 0..graph.len() {
            let result = match *graph.inputs(task) {
                [] => first(task),
                [a] => {
                    let a = &results[a];
                    chain!(&self.pool, of_one(a, body))
                }
                [a, b] => {
                    let (a, b) = (&results[a], &results[b]);
                    chain!(&self.pool, of_two(a, b, body))
                }
                [a, b, c] => {
                    let (a, b, c) = (&results[a], &results[b], &results[c]);
                    chain!(&self.pool, of_three(a, b, c, body))
                }
                _ => unreachable!("tasks of these graphs have at most three inputs"),
            };
            results.push(result);
        }
        results
    }

    /// The last row of a stencil; `first` makes the tasks of the first one.
    fn last_row(
        &self,
        graph: &Graph,
        width: usize,
        body: Body,
        first: impl Fn(usize) -> AsyncResult<u64>,
    ) -> Vec<AsyncResult<u64>> {
        let mut row: Vec<_> = (0..width).map(first).collect();
        for _ in 1..graph.len() / width {
            let cell = |column| {
                let [a, b, c] = neighbours(column, width).map(|column| &row[column]);
                chain!(&self.pool, of_three(a, b, c, body))
            };
            row = (0..width).map(cell).collect();
        }
        row
    }

    /// A chain of so many links behind a result.
    fn links(&self, first: AsyncResult<u64>, count: usize) -> AsyncResult<u64> {
        let mut last = first;
        for _ in 0..count {
            last = chain!(&self.pool, link(last));
        }
        last
    }
}

/// The value of a task that can't fail.
fn value(result: AsyncResult<u64>) -> u64 {
    result.get().expect("the work can't fail")
}

/// What the tasks come to that nobody needs.
fn ends(graph: &Graph, results: &[AsyncResult<u64>]) -> u64 {
    fold(graph.ends().map(|task| *results[task].get_ref().expect("the work can't fail")))
}

impl Peer for Asynckit {
    fn name(&self) -> &'static str {
        self.name
    }

    fn spawn_outside(&self, tasks: u64) -> u64 {
        let results: Vec<_> = (0..tasks).map(|n| same(n).spawn_on(&self.pool)).collect();
        results.into_iter().map(value).sum()
    }

    fn spawn_inside(&self, tasks: u64) -> u64 {
        value(spawn_all(tasks).spawn_on(&self.pool))
    }

    fn round_trip(&self, n: u64, body: Body) -> Option<u64> {
        Some(value(successor(n, body).spawn_on(&self.pool)))
    }

    fn wait_inside(&self, times: u64) -> Option<u64> {
        let pair = |n| {
            let result = AsyncResult::new();
            let its = result.clone();
            let waits = self.pool.spawn(move || value(its));
            let sets = self.pool.spawn(move || {
                std::thread::yield_now();
                result.set(n).expect("nobody else sets it");
            });
            sets.get().expect("it has set it");
            value(waits)
        };
        Some((0..times).map(pair).sum())
    }

    fn graph(&self, graph: &Arc<Graph>, body: Body) -> u64 {
        let results = self.results(graph, body, |task| source(task, body).spawn_on(&self.pool));
        ends(graph, &results)
    }

    fn released(
        &self,
        graph: &Arc<Graph>,
        width: Option<usize>,
        body: Body,
    ) -> Option<(u64, Duration)> {
        let (setter, release) = AsyncResult::channel();
        let first = |task: usize| chain!(&self.pool, source_after(task, &release, body));
        let released = || {
            let begin = Instant::now();
            setter.set(1).expect("it was not set before");
            begin
        };
        Some(match width {
            None => {
                let results = self.results(graph, body, first);
                let begin = released();
                (ends(graph, &results), begin.elapsed())
            }
            Some(width) => {
                let row = self.last_row(graph, width, body, first);
                let begin = released();
                (fold(row.into_iter().map(value)), begin.elapsed())
            }
        })
    }

    fn chain(&self, graph: &Arc<Graph>) -> u64 {
        let (setter, first) = AsyncResult::channel();
        let last = self.links(first, graph.len() - 1);
        setter.set(fold([0])).expect("it was not set before");
        fold([value(last)])
    }

    fn fan(&self, graph: &Arc<Graph>) -> u64 {
        let width = graph.len() - 2;
        let mut wide = Vec::with_capacity(width);
        let result = chain!(&self.pool, {
            let top = source(0, Body::EMPTY);
            for _ in 0..width {
                let one = of_one(&top, Body::EMPTY);
                wide.push(one);
            }
            all(wide)
        });
        fold([value(result)])
    }

    fn stencil(&self, graph: &Arc<Graph>, width: usize, body: Body) -> u64 {
        let first = |task| source(task, body).spawn_on(&self.pool);
        fold(self.last_row(graph, width, body, first).into_iter().map(value))
    }

    fn tree(&self, graph: &Arc<Graph>) -> u64 {
        let leaves = graph.len().div_ceil(2);
        let mut level: Vec<_> =
            (0..leaves).map(|n| source(n, Body::EMPTY).spawn_on(&self.pool)).collect();
        while level.len() > 1 {
            let mut below = level.into_iter();
            level = Vec::new();
            while let (Some(a), Some(b)) = (below.next(), below.next()) {
                level.push(chain!(&self.pool, pair(a, b)));
            }
        }
        fold(level.into_iter().map(value))
    }

    fn fib(&self, n: u32) -> Option<u64> {
        Some(value(fib(n).spawn_on(&self.pool)))
    }

    fn burst(&self, tasks: usize, pending: &mut dyn FnMut()) -> Option<u64> {
        let first = AsyncResult::new();
        let all: Vec<_> = (0..tasks).map(|_| chain!(&self.pool, copy(&first))).collect();
        pending();
        first.set(1).expect("it was not set before");
        Some(all.into_iter().map(value).sum())
    }
}
