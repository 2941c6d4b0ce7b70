//! Pools: what they are made of, and the ways to put work on them.

use std::sync::{Arc, Barrier};
use std::thread;

use asynckit::{AsyncResult, ErrorKind, Pool, Work, async_work, current, try_current};
use asynckit::{try_work, work};

use crate::support::{Broken, Counter, Gate, OnDrop, drop_quietly, eventually, occupy, soon};

#[async_work]
fn double(n: u32) -> u32 {
    n * 2
}

#[async_work]
fn open(gate: Gate) {
    gate.open();
}

#[test]
fn work_runs_on_the_threads_of_the_pool() {
    soon(|| {
        let pool = Pool::builder().workers(2).thread_name("crawler").build().unwrap();
        let (id, name) = pool
            .spawn(|| (thread::current().id(), thread::current().name().map(str::to_owned)))
            .get()
            .unwrap();
        assert_ne!(id, thread::current().id());
        assert!(name.unwrap().starts_with("crawler"));
    });
}

#[test]
fn all_workers_work_at_once() {
    soon(|| {
        let pool = Pool::new(4);
        let barrier = Arc::new(Barrier::new(4));
        let all: Vec<_> = (0..4)
            .map(|_| {
                let barrier = barrier.clone();
                pool.spawn(move || barrier.wait().is_leader())
            })
            .collect();
        let leaders = all.into_iter().filter(|r| *r.get_ref().unwrap()).count();
        assert_eq!(leaders, 1);
    });
}

#[test]
fn the_count_of_workers_is_the_one_wanted() {
    assert_eq!(Pool::new(3).worker_count(), 3);
    assert_eq!(Pool::builder().workers(2).build().unwrap().worker_count(), 2);
    let cores = thread::available_parallelism().map_or(1, Into::into);
    assert_eq!(Pool::default().worker_count(), cores);
    assert_eq!(Pool::builder().build().unwrap().worker_count(), cores);
}

#[test]
fn the_stack_is_as_large_as_wanted() {
    #[inline(never)]
    fn use_up(megabytes: usize) -> usize {
        let block = std::hint::black_box([1u8; 1 << 20]);
        let below = if megabytes > 1 { use_up(megabytes - 1) } else { 0 };
        below + block.iter().map(|b| *b as usize).sum::<usize>()
    }
    soon(|| {
        let pool = Pool::builder().workers(1).stack_size(64 << 20).build().unwrap();
        assert_eq!(pool.spawn(|| use_up(8)).get().unwrap(), 8 << 20);
    });
}

#[test]
fn a_pool_that_cannot_be_had_is_an_error() {
    // No address space is that large.
    let built = Pool::builder().workers(1).stack_size(1 << 56).build();
    let error = built.map(drop).unwrap_err();
    assert!(!error.to_string().is_empty());
    let _: &dyn std::error::Error = &error;
}

#[test]
fn work_does_nothing_until_it_is_spawned() {
    soon(|| {
        let (ran, drops) = (Counter::new(), Counter::new());
        let (runs, held) = (ran.clone(), drops.on_drop());
        let unused = work(move || {
            drop(held);
            runs.add()
        });
        assert_eq!((ran.count(), drops.count()), (0, 0));
        drop(unused);
        assert_eq!((ran.count(), drops.count()), (0, 1));
    });
}

#[test]
fn work_can_run_in_place() {
    let here = thread::current().id();
    assert_eq!(work(|| thread::current().id()).run().unwrap(), here);
    let local = [1, 2, 3];
    assert_eq!(work(|| local.len()).run().unwrap(), 3);
    assert_eq!(double(4).run().unwrap(), 8);
    assert!(work(|| -> u8 { panic!("on purpose") }).run().unwrap_err().is_panic());
}

#[test]
fn closures_are_work() {
    soon(|| {
        let pool = Pool::new(1);
        // As it is.
        let kept: Result<u8, Broken> = work(|| Err(Broken(1))).spawn_on(&pool).get().unwrap();
        assert_eq!(kept, Err(Broken(1)));
        let kept: Result<u8, Broken> = pool.spawn(|| Err(Broken(1))).get().unwrap();
        assert_eq!(kept, Err(Broken(1)));
        // Flattened.
        let failed = try_work(|| Err::<u8, _>(Broken(2))).spawn_on(&pool).get().unwrap_err();
        assert_eq!((failed.kind(), failed.downcast_ref()), (ErrorKind::Failed, Some(&Broken(2))));
        let good = try_work(|| Ok::<_, Broken>(3)).spawn_on(&pool);
        assert_eq!(good.get().unwrap(), 3);
    });
}

#[test]
fn every_shape_of_a_pool_is_a_place() {
    fn generic(pool: &impl asynckit::Spawner<'static>) -> AsyncResult<u32> {
        double(1).spawn_on(pool)
    }
    soon(|| {
        let shared = Arc::new(Pool::new(1));
        assert_eq!(double(1).spawn_on(&shared).get().unwrap(), 2);
        assert_eq!(double(1).spawn_on(&*shared).get().unwrap(), 2);
        assert_eq!(double(1).spawn_on(&&*shared).get().unwrap(), 2);
        assert_eq!(generic(&shared).get().unwrap(), 2);
        let boxed = Box::new(Pool::new(1));
        assert_eq!(double(1).spawn_on(&boxed).get().unwrap(), 2);
        assert_eq!(generic(&boxed).get().unwrap(), 2);
        let handle = shared.clone();
        let other = thread::spawn(move || double(2).spawn_on(&handle).get().unwrap());
        assert_eq!(other.join().unwrap(), 4);
    });
}

#[test]
fn detached_work_runs() {
    soon(|| {
        let pool = Pool::new(1);
        let gate = Gate::new();
        open(gate.clone()).detach_on(&pool);
        gate.pass();
    });
}

#[test]
fn work_that_there_is_room_for_is_taken() {
    soon(|| {
        let pool = Pool::new(1);
        let taken: Result<AsyncResult<u32>, Work<'static, u32>> = double(2).try_spawn_on(&pool);
        assert_eq!(taken.expect("room").get().unwrap(), 4);
    });
}

#[test]
fn inside_work_one_can_spawn_on_the_current_pool() {
    soon(|| {
        assert!(try_current().is_none());
        let pool = Pool::builder().workers(1).thread_name("inner").build().unwrap();
        let inner = pool.spawn(|| {
            assert!(try_current().is_some());
            work(|| thread::current().name().map(str::to_owned)).spawn_on(&current())
        });
        let name = inner.get().unwrap().get().unwrap();
        assert!(name.unwrap().starts_with("inner"));
        assert!(try_current().is_none());
    });
}

#[test]
#[should_panic]
fn outside_of_work_there_is_no_current_pool() {
    let _ = current();
}

#[test]
fn a_panic_kills_no_worker() {
    soon(|| {
        let pool = Pool::new(1);
        let id = pool.spawn(|| thread::current().id()).get().unwrap();
        for n in 0..100 {
            let error = pool.spawn(move || -> u8 { panic!("boom {n}") }).get().unwrap_err();
            assert!(error.is_panic());
        }
        assert_eq!(pool.spawn(|| thread::current().id()).get().unwrap(), id);
    });
}

#[test]
fn a_payload_that_panics_when_it_is_dropped_kills_no_worker() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    soon(|| {
        let pool = Pool::new(1);
        let r = pool.spawn(|| -> u8 { std::panic::panic_any(Bomb) });
        r.wait();
        drop_quietly(r);
        drop_quietly(pool.spawn(|| Bomb));
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
    });
}

#[test]
fn results_outlive_their_pool() {
    soon(|| {
        let pool = Pool::new(1);
        let r = pool.spawn(|| 5);
        drop(pool);
        assert!(r.is_set());
        assert_eq!(r.get().unwrap(), 5);
    });
}

#[test]
fn work_on_one_pool_may_depend_on_another() {
    soon(|| {
        let (a, b) = (Pool::new(1), Pool::new(1));
        let first = a.spawn(|| thread::current().id());
        let second = first.map(|id| id != thread::current().id()).spawn_on(&b);
        assert!(second.get().unwrap());
    });
}

#[test]
fn setting_from_outside_runs_no_work() {
    soon(|| {
        let pool = Pool::new(1);
        let here = thread::current().id();
        for _ in 0..200 {
            let (setter, input) = AsyncResult::channel();
            let there = input.map(move |()| thread::current().id() != here).spawn_on(&pool);
            setter.set(()).unwrap();
            assert!(there.get().unwrap());
        }
    });
}

#[test]
fn a_result_set_by_a_worker_starts_work_of_any_pool() {
    soon(|| {
        let (a, b) = (Pool::new(1), Pool::new(1));
        let (setter, input) = AsyncResult::channel();
        let on_b = input.map(|n: u32| n + 1).spawn_on(&b);
        a.spawn(move || setter.set(1).is_ok()).get().unwrap();
        assert_eq!(on_b.get().unwrap(), 2);
    });
}

#[test]
fn idle_pools_wake_up_again() {
    soon(|| {
        let pool = Pool::new(2);
        let ran = Counter::new();
        for n in 1..=500 {
            let runs = ran.clone();
            drop(pool.spawn(move || runs.add()));
            eventually("it ran", || ran.count() == n);
        }
    });
}

#[test]
fn large_values_and_closures_travel() {
    soon(|| {
        let pool = Pool::new(1);
        let large = [7u8; 10_000];
        let back = pool.spawn(move || large).get().unwrap();
        assert!(back.iter().all(|b| *b == 7));
        #[repr(align(128))]
        struct Aligned(u8);
        let aligned = Aligned(3);
        let back = pool.spawn(move || aligned).map(|a| (&raw const a as usize % 128, a.0));
        assert_eq!(back.spawn_on(&pool).get().unwrap(), (0, 3));
    });
}

#[test]
fn what_a_closure_holds_is_dropped_once_whatever_becomes_of_the_work() {
    soon(|| {
        let drops = Counter::new();
        let run = |value: OnDrop| move || drop(value);
        {
            let pool = Pool::new(1);
            pool.spawn(run(drops.on_drop())).get().unwrap();
            assert_eq!(drops.count(), 1, "run");

            let held = drops.on_drop();
            let panicked = pool.spawn(move || {
                let _held = held;
                panic!("on purpose");
            });
            panicked.get().unwrap_err();
            assert_eq!(drops.count(), 2, "panicked");

            let held = drops.on_drop();
            let skipped = AsyncResult::<u8>::failed("no").map(move |_| drop(held));
            skipped.spawn_on(&pool).get().unwrap_err();
            drop(work(run(drops.on_drop())));
            let busy = occupy(&pool);
            let queued = pool.spawn(run(drops.on_drop()));
            assert!(queued.cancel());
            drop(pool.spawn(run(drops.on_drop())));
            pool.stop_now();
            drop(pool.spawn(run(drops.on_drop())));
            busy.free();
        }
        eventually("each dropped", || drops.count() == 7);
    });
}
