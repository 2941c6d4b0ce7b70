//! The executors of futures: tokio's, smol's, and that of the futures crate.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use futures::executor;
use futures::future::RemoteHandle;
use futures::task::SpawnExt;
use tokio::task::JoinHandle;

use super::futures::Executor;

/// Keeps a value until the process ends.
pub fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// tokio's multi-threaded runtime.
#[derive(Clone, Copy)]
pub struct Tokio(&'static tokio::runtime::Runtime);

impl Tokio {
    pub fn new(threads: usize) -> Tokio {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).build();
        Tokio(leak(runtime.expect("the threads can be started")))
    }
}

impl Executor for Tokio {
    const NAME: &'static str = "tokio";
    type Handle<T: Send + 'static> = Joined<T>;

    fn spawn<T: Send + 'static>(self, task: impl Future<Output = T> + Send + 'static) -> Joined<T> {
        Joined(self.0.spawn(task))
    }

    fn block_on<T: Send>(self, future: impl Future<Output = T> + Send) -> T {
        self.0.block_on(future)
    }
}

/// The handle on a task of tokio's that does not panic.
pub struct Joined<T>(JoinHandle<T>);

impl<T> Future for Joined<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(context).map(|joined| joined.expect("tasks don't panic"))
    }
}

/// smol's executor.
#[derive(Clone, Copy)]
pub struct AsyncExecutor(&'static async_executor::Executor<'static>);

impl AsyncExecutor {
    pub fn new(threads: usize) -> AsyncExecutor {
        let executor = leak(async_executor::Executor::new());
        for _ in 0..threads {
            thread::spawn(|| executor::block_on(executor.run(std::future::pending::<()>())));
        }
        AsyncExecutor(executor)
    }
}

impl Executor for AsyncExecutor {
    const NAME: &'static str = "async-executor";
    type Handle<T: Send + 'static> = async_executor::Task<T>;

    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> async_executor::Task<T> {
        self.0.spawn(task)
    }

    fn block_on<T: Send>(self, future: impl Future<Output = T> + Send) -> T {
        executor::block_on(future)
    }
}

/// The pool of the futures crate.
#[derive(Clone, Copy)]
pub struct FuturesPool(&'static executor::ThreadPool);

impl FuturesPool {
    pub fn new(threads: usize) -> FuturesPool {
        let pool = executor::ThreadPool::builder().pool_size(threads).create();
        FuturesPool(leak(pool.expect("the threads can be started")))
    }
}

impl Executor for FuturesPool {
    const NAME: &'static str = "futures";
    type Handle<T: Send + 'static> = RemoteHandle<T>;

    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> RemoteHandle<T> {
        self.0.spawn_with_handle(task).expect("the pool runs")
    }

    fn block_on<T: Send>(self, future: impl Future<Output = T> + Send) -> T {
        executor::block_on(future)
    }
}
