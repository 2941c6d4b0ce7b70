//! What becomes ready at once on the threads of a host runs at once.

use std::sync::{Arc, Barrier};

use asynckit::{AsyncResult, Pool, async_work, chain};

use crate::support::soon;

const WORKERS: usize = 4;

#[async_work]
fn meets(_: &u32, all: Arc<Barrier>) {
    all.wait();
}

fn all_meet(pool: &Pool) {
    for _ in 0..20 {
        let (setter, value) = AsyncResult::channel();
        let made = chain!(pool, same(value));
        let all = Arc::new(Barrier::new(WORKERS));
        let meet: Vec<_> = (0..WORKERS).map(|_| chain!(pool, meets(&made, all.clone()))).collect();
        setter.set(1).unwrap();
        meet.into_iter().for_each(|one| one.get().unwrap());
    }
}

#[async_work]
fn same(n: u32) -> u32 {
    n
}

#[test]
fn each_thread_of_rayon_comes_for_one() {
    soon(|| {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(WORKERS).build().unwrap();
        all_meet(&Pool::on_rayon(Arc::new(threads)));
    });
}

#[test]
fn each_thread_of_tokio_comes_for_one() {
    soon(|| {
        let builder = &mut tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(WORKERS).build().unwrap();
        let pool = Pool::builder().workers(WORKERS).on_tokio(runtime.handle().clone());
        all_meet(&pool.build().unwrap());
    });
}

#[test]
fn each_spare_comes_for_one() {
    soon(|| all_meet_beside_blocked(&Pool::new(WORKERS)));
}

/// All but one of the workers are blocked, so that spares come.
fn all_meet_beside_blocked(pool: &Pool) {
    let (gates, blocked): (Vec<_>, Vec<_>) = (1..WORKERS)
        .map(|_| {
            let (gate, waits) = AsyncResult::channel();
            (gate, pool.spawn(move || waits.get().unwrap()))
        })
        .unzip();
    all_meet(pool);
    gates.into_iter().for_each(|gate| gate.set(()).unwrap());
    blocked.into_iter().for_each(|one| one.get().unwrap());
}
