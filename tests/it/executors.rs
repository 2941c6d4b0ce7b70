//! Results are awaited under the executors that programs have: tokio, smol and that of `futures`.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use asynckit::{AsyncResult, Error, ErrorKind, Pool, async_work, chain};
use futures::future::{Either, join_all, select};
use futures::stream::{FuturesUnordered, StreamExt};

use crate::support::{Broken, Gate, LIMIT, soon};

#[async_work]
fn square(n: u64) -> u64 {
    n * n
}

#[async_work]
fn sum(numbers: Vec<u64>) -> u64 {
    numbers.iter().sum()
}

#[async_work]
fn fails() -> Result<u64, Broken> {
    Err(Broken(7))
}

/// What has to come out the same under each executor.
async fn program(pool: Arc<Pool>) -> Result<(), Error> {
    // Moved, lent and cloned.
    let result = pool.spawn(|| "value".to_owned());
    assert_eq!((&result).await?, "value");
    let copy = result.clone();
    assert_eq!(copy.await? + &result.await?, "valuevalue");

    // A graph that starts before it is awaited.
    let total = chain!(&*pool, {
        let squares: Vec<_> = (1..=10).map(square).collect();
        sum(squares)
    });
    assert_eq!(total.await?, 385);

    // Many at once, and in the order in which they come.
    let squares = (0..100).map(|n| square(n).spawn_on(&*pool));
    let squares = join_all(squares.map(IntoFuture::into_future)).await;
    assert_eq!(squares.into_iter().sum::<Result<u64, Error>>()?, 328_350);
    let mut squares: FuturesUnordered<_> =
        (0..100).map(|n| square(n).spawn_on(&*pool).into_future()).collect();
    let mut total = 0;
    while let Some(square) = squares.next().await {
        total += square?;
    }
    assert_eq!(total, 328_350);

    // A failure comes out of the `.await`.
    let error = chain!(&*pool, square(fails())).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Broken(7)));
    let error = pool.spawn(|| -> u64 { panic!("on purpose") }).await.unwrap_err();
    assert!(error.is_panic());

    // The future awaits what is set by another one, and a cancel ends the wait.
    let (setter, set) = AsyncResult::channel();
    drop(pool.spawn(move || setter.set(5)));
    assert_eq!(set.await?, 5);
    let never = AsyncResult::<u64>::new();
    let out = chain!(&*pool, square(never.clone()));
    out.cancel();
    assert_eq!(out.await.unwrap_err().kind(), ErrorKind::Cancelled);

    // Who loses a race may be dropped, and the work goes on.
    let (gate, begun) = (Gate::new(), Gate::new());
    let slow = pool.spawn({
        let (gate, begun) = (gate.clone(), begun.clone());
        move || {
            begun.open();
            // Several of these programs share two workers.
            asynckit::blocking(|| gate.pass());
        }
    });
    let fast = pool.spawn(|| 1);
    match select(slow.into_future(), fast.into_future()).await {
        Either::Right((fast, slow)) => {
            assert_eq!(fast?, 1);
            drop(slow);
        }
        Either::Left(_) => panic!("the gate was shut"),
    }
    gate.open();
    begun.pass();
    Ok(())
}

#[test]
fn under_tokio() {
    soon(|| {
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
        let current = tokio::runtime::Builder::new_current_thread().build();
        for runtime in [threads.unwrap(), current.unwrap()] {
            let pool = Arc::new(Pool::new(2));
            runtime.block_on(program(pool.clone())).unwrap();
            let spawned = (0..8).map(|_| runtime.spawn(program(pool.clone())));
            for program in spawned.collect::<Vec<_>>() {
                runtime.block_on(program).unwrap().unwrap();
            }
        }
    });
}

#[test]
fn under_tokio_with_its_timeouts() {
    soon(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let pool = Pool::new(1);
            let gate = Gate::new();
            let slow = pool.spawn({
                let gate = gate.clone();
                move || gate.pass()
            });
            // A future that was dropped in time leaves a result that can be awaited again.
            tokio::time::timeout(Duration::from_millis(5), &slow).await.unwrap_err();
            tokio::select! {
                _ = &slow => panic!("the gate was shut"),
                () = tokio::time::sleep(Duration::from_millis(5)) => gate.open(),
            }
            tokio::time::timeout(LIMIT, slow).await.unwrap().unwrap();
        });
    });
}

#[test]
fn under_smol() {
    soon(|| {
        let pool = Arc::new(Pool::new(2));
        smol::block_on(program(pool.clone())).unwrap();
        let spawned: Vec<_> = (0..8).map(|_| smol::spawn(program(pool.clone()))).collect();
        smol::block_on(async {
            for program in spawned {
                program.await.unwrap();
            }
        });
    });
}

#[test]
fn under_the_executors_of_futures() {
    soon(|| {
        let pool = Arc::new(Pool::new(2));
        futures::executor::block_on(program(pool.clone())).unwrap();
        let mut local = futures::executor::LocalPool::new();
        local.run_until(program(pool.clone())).unwrap();
        let threads = futures::executor::ThreadPool::builder().pool_size(2).create().unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        for _ in 0..8 {
            let (pool, sender) = (pool.clone(), sender.clone());
            threads.spawn_ok(async move { sender.send(program(pool).await).unwrap() });
        }
        receiver.iter().take(8).for_each(|outcome| outcome.unwrap());
    });
}

#[test]
fn a_pool_runs_futures_of_other_crates() {
    soon(|| {
        // No executor at all: channels and locks of async crates work as they are.
        let pool = Pool::new(1);
        let (sender, receiver) = smol::channel::bounded::<u64>(1);
        let received = chain!(&pool, async move {
            let mut sum = 0;
            while let Ok(n) = receiver.recv().await {
                sum += n;
            }
            AsyncResult::ready(sum)
        });
        let sent = chain!(&pool, async move {
            for n in 0..100 {
                sender.send(n).await?;
            }
        });
        sent.get().unwrap();
        assert_eq!(received.get().unwrap(), 4950);
    });
}
