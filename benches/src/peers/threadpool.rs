//! The `threadpool` crate with a channel: what many programs use. Graphs run by hand-made counters;
//! a job that waits for jobs would block the pool, so it has no `fib`.

use std::sync::{Arc, mpsc};

use super::Peer;
use super::counters::Counters;
use crate::body::Body;
use crate::graph::Graph;

/// A pool of `threadpool`'s.
pub struct ThreadPool {
    pool: threadpool::ThreadPool,
}

impl ThreadPool {
    pub fn new(threads: usize) -> ThreadPool {
        ThreadPool { pool: threadpool::ThreadPool::new(threads) }
    }
}

/// What the jobs of one run of a graph share.
struct Run {
    pool: threadpool::ThreadPool,
    counters: Counters,
    ended: mpsc::Sender<()>,
}

fn visit(run: &Arc<Run>, task: usize) {
    run.counters.run(task, |next| submit(run, next));
    if run.counters.dependents(task).is_empty() {
        run.ended.send(()).expect("somebody receives");
    }
}

fn submit(run: &Arc<Run>, task: usize) {
    let for_job = run.clone();
    run.pool.execute(move || visit(&for_job, task));
}

fn spawn_all(pool: &threadpool::ThreadPool, tasks: u64, results: &mpsc::Sender<u64>) {
    for n in 0..tasks {
        let results = results.clone();
        pool.execute(move || results.send(n).expect("somebody receives"));
    }
}

impl Peer for ThreadPool {
    fn name(&self) -> &'static str {
        "threadpool"
    }

    fn spawn_outside(&self, tasks: u64) -> u64 {
        let (sender, results) = mpsc::channel();
        spawn_all(&self.pool, tasks, &sender);
        drop(sender);
        results.iter().sum()
    }

    fn spawn_inside(&self, tasks: u64) -> u64 {
        let (sender, results) = mpsc::channel();
        let pool = self.pool.clone();
        self.pool.execute(move || spawn_all(&pool, tasks, &sender));
        results.iter().sum()
    }

    fn round_trip(&self, n: u64, body: Body) -> Option<u64> {
        let (sender, result) = mpsc::channel();
        self.pool.execute(move || {
            body.run();
            sender.send(n + 1).expect("somebody receives");
        });
        Some(result.recv().expect("the job sends"))
    }

    fn wait_inside(&self, times: u64) -> Option<u64> {
        let pair = |n| {
            let ((sets, its), (sender, result)) = (mpsc::channel(), mpsc::channel());
            self.pool.execute(move || {
                let value: u64 = its.recv().expect("it is set");
                sender.send(value).expect("somebody receives");
            });
            self.pool.execute(move || {
                std::thread::yield_now();
                sets.send(n).expect("somebody receives");
            });
            result.recv().expect("the job sends")
        };
        Some((0..times).map(pair).sum())
    }

    fn graph(&self, graph: &Arc<Graph>, body: Body) -> u64 {
        let (ended, ends) = mpsc::channel();
        let counters = Counters::new(graph.clone(), body);
        let run = Arc::new(Run { pool: self.pool.clone(), counters, ended });
        for task in graph.sources() {
            submit(&run, task);
        }
        for _ in graph.ends() {
            ends.recv().expect("the jobs send");
        }
        run.counters.answer()
    }
}
