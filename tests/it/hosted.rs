//! Pools on the threads of rayon and tokio keep what pools promise.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use asynckit::{
    AsyncResult, ErrorKind, Pool, PoolBuilder, Results, async_work, chain, current, work,
};
use rayon::prelude::*;

use crate::support::{Counter, Gate, soon};

#[async_work]
fn add(a: u64, b: u64) -> u64 {
    a + b
}

#[async_work]
fn sum(numbers: Vec<u64>) -> u64 {
    numbers.iter().sum()
}

fn fib(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let a = work(move || fib(n - 1)).spawn_on(&current());
    let b = work(move || fib(n - 2)).spawn_on(&current());
    a.get().unwrap() + b.get().unwrap()
}

fn rayon_pool(threads: usize) -> Arc<rayon::ThreadPool> {
    Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap())
}

/// Does the same on a pool of each host, from a thread of neither.
fn on_each(test: impl Fn(Pool) + Send + Sync + 'static) {
    with_each(move |builder| test(builder.build().unwrap()));
}

fn with_each(test: impl Fn(PoolBuilder) + Send + Sync + 'static) {
    soon(move || {
        for threads in [1, 3] {
            test(Pool::builder().on_rayon(rayon_pool(threads)));
        }
        test(Pool::builder().on_global_rayon());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
        let runtime = runtime.unwrap();
        for workers in [1, 3] {
            test(Pool::builder().on_tokio(runtime.handle().clone()).workers(workers));
        }
    });
}

#[test]
fn graphs_come_to_their_results() {
    on_each(|pool| {
        let total = chain!(&pool, {
            let sums: Vec<_> = (0..100).map(|n| add(n, 1)).collect();
            sum(sums)
        });
        assert_eq!(total.get().unwrap(), 5050);
        let mut n = pool.spawn(|| 0);
        for _ in 0..10_000 {
            n = chain!(&pool, add(n, 1));
        }
        assert_eq!(n.get().unwrap(), 10_000);
        let result = chain!(&pool, async move {
            let mut n = 0;
            for i in 0..100 {
                n = add(n, i).await?;
            }
            add(n, 0)
        });
        assert_eq!(result.get().unwrap(), 4950);
    });
}

#[test]
fn many_threads_may_submit() {
    on_each(|pool| {
        let ran = Counter::new();
        thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    for _ in 0..500 {
                        let ran = ran.clone();
                        drop(pool.spawn(move || ran.add()));
                    }
                });
            }
        });
        pool.run_until_idle();
        assert_eq!(ran.count(), 2000);
    });
}

#[test]
fn work_may_wait_for_work() {
    on_each(|pool| {
        assert_eq!(pool.spawn(|| fib(12)).get().unwrap(), 144);
    });
}

#[test]
fn a_spare_stands_in_while_work_waits() {
    on_each(|pool| {
        // More of them than there are threads, and each waits for what runs last.
        let results: Vec<_> = (0..8)
            .map(|_| {
                let (setter, result) = AsyncResult::channel();
                (setter, pool.spawn(move || result.get().unwrap()))
            })
            .collect();
        let (setters, waits): (Vec<_>, Vec<_>) = results.into_iter().unzip();
        let sets = pool.spawn(move || setters.into_iter().for_each(|s| s.set(1_u64).unwrap()));
        sets.get().unwrap();
        assert_eq!(waits.join_all().get().unwrap().iter().sum::<u64>(), 8);
        // Likewise for other calls that block.
        let gate = Gate::new();
        let opens = gate.clone();
        let blocked: Vec<_> = (0..4)
            .map(|_| {
                let gate = gate.clone();
                pool.spawn(move || asynckit::blocking(|| gate.pass()))
            })
            .collect();
        pool.spawn(move || opens.open()).get().unwrap();
        blocked.join_all().get().unwrap();
    });
}

#[test]
fn a_cycle_of_waits_is_an_error() {
    on_each(|pool| {
        let (setter, own) = AsyncResult::<AsyncResult<ErrorKind>>::channel();
        let waits = pool.spawn(move || own.get().unwrap().get().unwrap_err().kind());
        let itself = waits.map(|kind| kind).spawn_on(&pool);
        setter.set(itself.clone()).unwrap();
        assert_eq!(itself.get().unwrap(), ErrorKind::Deadlock);
    });
}

#[test]
fn scopes_borrow() {
    on_each(|pool| {
        let numbers: Vec<u64> = (0..100).collect();
        let total: u64 = pool.scope(|s| {
            let parts: Vec<_> =
                numbers.chunks(7).map(|part| s.spawn(|| part.iter().sum::<u64>())).collect();
            parts.join_all().get().unwrap().iter().sum()
        });
        assert_eq!(total, 4950);
    });
}

#[test]
fn stops_are_those_of_any_pool() {
    with_each(|builder| {
        let pool = builder.clone().build().unwrap();
        let ran = Counter::new();
        for _ in 0..100 {
            let ran = ran.clone();
            drop(pool.spawn(move || ran.add()));
        }
        let never = AsyncResult::<u64>::new();
        let pending = chain!(&pool, add(never.clone(), 1));
        pool.stop();
        assert_eq!(ran.count(), 100);
        assert_eq!(pending.get().unwrap_err().kind(), ErrorKind::Stopped);
        assert_eq!(pool.spawn(|| ()).get().unwrap_err().kind(), ErrorKind::Stopped);

        let pool = builder.workers(1).build().unwrap();
        let (begun, gate) = (Gate::new(), Gate::new());
        let running = pool.spawn({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.open();
                gate.pass();
            }
        });
        let queued = pool.spawn(|| ());
        begun.pass();
        let still = pool.stop_timeout(Duration::from_millis(5)).unwrap_err();
        assert_eq!(still.work().count(), 1, "{still}");
        assert_eq!(queued.get().unwrap_err().kind(), ErrorKind::Stopped);
        gate.open();
        running.get().unwrap();
        pool.stop_timeout(Duration::from_secs(20)).unwrap();
    });
}

#[test]
fn a_full_queue_blocks_who_submits() {
    with_each(|builder| {
        let pool = builder.queue_capacity(2).build().unwrap();
        let results: Vec<_> = (0..50).map(|n| pool.spawn(move || n)).collect();
        assert_eq!(results.join_all().get().unwrap().iter().sum::<u64>(), 49 * 25);
    });
}

#[test]
fn work_runs_on_the_threads_of_the_host() {
    soon(|| {
        let rayon = rayon_pool(2);
        let own: HashSet<_> = rayon.broadcast(|_| thread::current().id()).into_iter().collect();
        let pool = Pool::on_rayon(rayon);
        assert_eq!(pool.worker_count(), 2);
        let used = (0..200).map(|_| pool.spawn(|| thread::current().id()));
        let used: HashSet<_> = used.map(|thread| thread.get().unwrap()).collect();
        assert!(used.is_subset(&own), "{used:?} {own:?}");

        let threads = tokio::runtime::Builder::new_multi_thread().thread_name("theirs").build();
        let runtime = threads.unwrap();
        let pool = Pool::on_tokio(runtime.handle().clone());
        let name = pool.spawn(|| thread::current().name().map(str::to_owned));
        assert_eq!(name.get().unwrap().as_deref(), Some("theirs"));
    });
}

#[test]
fn an_idle_pool_holds_no_thread() {
    soon(|| {
        let rayon = rayon_pool(1);
        let pool = Pool::on_rayon(rayon.clone());
        for n in 0..100 {
            assert_eq!(pool.spawn(move || n).get().unwrap(), n);
            assert_eq!(rayon.install(|| n), n);
        }
    });
}

#[test]
fn a_busy_pool_lets_the_host_have_its_turn() {
    soon(|| {
        let rayon = rayon_pool(1);
        let pool = Pool::on_rayon(rayon.clone());
        let over = Gate::new();
        fn again(over: Gate) {
            if !over.is_open() {
                work(move || again(over)).detach_on(&current());
            }
        }
        let its = over.clone();
        drop(pool.spawn(move || again(its)));
        assert_eq!(rayon.install(|| 5), 5);
        over.open();
    });
}

#[test]
fn a_thread_of_rayon_may_wait_for_the_pool() {
    soon(|| {
        // There is no other thread that could do the work.
        let rayon = rayon_pool(1);
        let inner = rayon.clone();
        let total = rayon.install(move || {
            let pool = Pool::on_rayon(inner);
            let sum = chain!(&pool, add(add(1, 2), 3)).get().unwrap();
            let numbers = [1, 2, 3];
            let lent = pool.scope(|s| s.spawn(|| numbers.iter().sum::<u64>()).get().unwrap());
            let ran = Counter::new();
            let counts = ran.clone();
            drop(pool.spawn(move || counts.add()));
            pool.run_until_idle();
            let counts = ran.clone();
            drop(pool.spawn(move || counts.add()));
            // Drop finishes what was accepted.
            drop(pool);
            sum + lent + ran.count() as u64
        });
        assert_eq!(total, 6 + 6 + 2);
    });
}

#[test]
fn a_scope_on_a_thread_of_rayon_gives_up_what_can_never_run() {
    soon(|| {
        for threads in [1, 2] {
            let rayon = rayon_pool(threads);
            let inner = rayon.clone();
            rayon.install(move || {
                let pool = Pool::on_rayon(inner);
                let never = AsyncResult::<u64>::new();
                let member = pool.scope(|s| {
                    drop(s.spawn(|| ()));
                    chain!(s, add(never.clone(), 1))
                });
                assert_eq!(member.get().unwrap_err().kind(), ErrorKind::Stopped);
            });
        }
    });
}

#[test]
fn work_may_use_rayon() {
    soon(|| {
        for threads in [1, 3] {
            let pool = Pool::on_rayon(rayon_pool(threads));
            let sums: Vec<_> = (0..20)
                .map(|n| {
                    pool.spawn(move || (0..1000_u64).into_par_iter().map(|m| m * n).sum::<u64>())
                })
                .collect();
            let total: u64 = sums.into_iter().map(|sum| sum.get().unwrap()).sum::<u64>();
            assert_eq!(total, 499_500 * 190);
            // And back again, from whichever thread that is.
            let pool = Arc::new(pool);
            let its = pool.clone();
            let nested: AsyncResult<u64> = pool.spawn(move || {
                let its = &its;
                (0..50_u64).into_par_iter().map(|n| its.spawn(move || n).get().unwrap()).sum()
            });
            assert_eq!(nested.get().unwrap(), 1225_u64);
        }
    });
}

#[test]
fn async_work_may_use_tokio() {
    #[async_work]
    async fn later(n: u64) -> u64 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        tokio::spawn(async move { n + 1 }).await.unwrap()
    }
    soon(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
        let pool = Pool::on_tokio(runtime.handle().clone());
        let sum = chain!(&pool, {
            let all: Vec<_> = (0..50).map(later).collect();
            sum(all)
        });
        assert_eq!(runtime.block_on(async { sum.await }).unwrap(), 1275);
        let sum = chain!(&pool, async move { add(later(1).await?, later(2).await?) });
        assert_eq!(sum.get().unwrap(), 5);
    });
}

#[test]
fn no_waiter_hangs_where_the_runtime_has_shut_down() {
    soon(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
        let runtime = runtime.unwrap();
        let pool = Pool::on_tokio(runtime.handle().clone());
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
        let never = AsyncResult::<u64>::new();
        let pending = chain!(&pool, add(never.clone(), 1));
        drop(runtime);
        assert_eq!(pool.spawn(|| 1).get().unwrap_err().kind(), ErrorKind::Stopped);
        assert_eq!(pending.get().unwrap_err().kind(), ErrorKind::Stopped);
        pool.stop();
    });
}

#[test]
fn the_number_of_workers_can_be_changed() {
    on_each(|pool| {
        pool.set_worker_count(1);
        let now = Arc::new(AtomicUsize::new(0));
        let results = (0..20).map(|_| {
            let now = now.clone();
            pool.spawn(move || {
                let before = now.fetch_add(1, SeqCst);
                thread::yield_now();
                now.fetch_sub(1, SeqCst);
                before
            })
        });
        let results = results.collect::<Vec<_>>().join_all().get().unwrap();
        assert_eq!(results, [0; 20], "one at a time");
        // Without workers it is those who wait that do the work.
        pool.set_worker_count(0);
        let here = thread::current().id();
        pool.run_until_idle();
        assert_eq!(pool.spawn(move || thread::current().id()).get().unwrap(), here);
    });
}

#[test]
fn a_thread_of_rayon_begins_no_other_work_inside_of_work() {
    static LOCK: Mutex<()> = Mutex::new(());
    #[async_work]
    fn locks(n: u64) -> u64 {
        let _held = LOCK.lock().unwrap();
        (0..n * 500).into_par_iter().map(|x| std::hint::black_box(x) % 7).sum()
    }
    soon(|| {
        for threads in [1, 2] {
            let pool = Pool::on_rayon(rayon_pool(threads));
            let all = (0..100).map(|n| locks(n).spawn_on(&pool)).join_all();
            assert_eq!(all.get().unwrap().len(), 100);
        }
    });
}
