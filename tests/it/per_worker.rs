//! Hooks of workers, and values that workers keep.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::{self, ThreadId};

use asynckit::{PerWorker, Pool, current, work};

use crate::support::{Counter, Gate, OnDrop, eventually, reporting, soon};

/// Notes which threads made and dropped it.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<(Vec<ThreadId>, Vec<ThreadId>)>>);

struct Noted(Notes, usize);

impl Notes {
    fn make(&self) -> Noted {
        self.0.lock().unwrap().0.push(thread::current().id());
        Noted(self.clone(), 0)
    }

    fn made(&self) -> Vec<ThreadId> {
        self.0.lock().unwrap().0.clone()
    }

    fn dropped(&self) -> Vec<ThreadId> {
        self.0.lock().unwrap().1.clone()
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().1.push(thread::current().id());
    }
}

fn kept(pool: &Pool) -> (PerWorker<Noted>, Notes) {
    let notes = Notes::default();
    let its = notes.clone();
    (PerWorker::new(pool, move || its.make()), notes)
}

#[test]
fn each_worker_makes_its_own_and_drops_it_at_the_end() {
    soon(|| {
        let pool = Pool::new(3);
        let (kept, notes) = kept(&pool);
        assert!(notes.made().is_empty());
        let together = Arc::new(Barrier::new(3));
        for _ in 0..50 {
            let all: Vec<_> = (0..3)
                .map(|_| {
                    let (kept, together) = (kept.clone(), together.clone());
                    pool.spawn(move || {
                        kept.with(|mine| {
                            together.wait();
                            mine.1 += 1;
                        });
                    })
                })
                .collect();
            all.into_iter().for_each(|one| one.get().unwrap());
        }
        let made = notes.made();
        assert_eq!(made.iter().map(|id| format!("{id:?}")).collect::<BTreeSet<_>>().len(), 3);
        assert!(notes.dropped().is_empty() && !made.contains(&thread::current().id()));
        pool.stop();
        let ids =
            |all: Vec<ThreadId>| all.iter().map(|id| format!("{id:?}")).collect::<BTreeSet<_>>();
        assert_eq!((notes.dropped().len(), ids(notes.dropped())), (3, ids(made)));
        drop(kept);
    });
}

#[test]
fn spares_borrow_what_is_free() {
    soon(|| {
        let pool = Pool::new(2);
        let (kept, notes) = kept(&pool);
        let (together, kept) = (Arc::new(Barrier::new(2)), Arc::new(kept));
        let use_both = || {
            let one = || {
                let (kept, together) = (kept.clone(), together.clone());
                pool.spawn(move || kept.with(|_| _ = together.wait()))
            };
            let (a, b) = (one(), one());
            a.get().unwrap();
            b.get().unwrap();
        };
        use_both();
        assert_eq!(notes.made().len(), 2);
        // Two workers block, and use nothing: those that stand in for them make no more.
        let gate = Gate::new();
        let blocked: Vec<_> = (0..2)
            .map(|_| {
                let gate = gate.clone();
                pool.spawn(move || asynckit::blocking(|| gate.pass()))
            })
            .collect();
        use_both();
        assert_eq!(notes.made().len(), 2);
        gate.open();
        blocked.into_iter().for_each(|one| one.get().unwrap());
        pool.stop();
        assert_eq!(notes.dropped().len(), 2);
    });
}

#[test]
fn there_are_never_more_than_threads() {
    soon(|| {
        let pool = Pool::builder().workers(2).max_spares(1).build().unwrap();
        let (kept, notes) = kept(&pool);
        let inner = kept.clone();
        // Work that waits inside of `with` for work that asks, on the same thread: as with spares.
        let nested = pool.spawn(move || {
            kept.with(|_| {
                let inner = inner.clone();
                work(move || inner.with(|_| 1)).spawn_on(&current()).get().unwrap()
            })
        });
        assert_eq!(nested.get().unwrap(), 1);
        assert!(notes.made().len() <= 2);
        let (kept, notes) = self::kept(&pool);
        fn deep(kept: &PerWorker<Noted>, n: u32) -> u32 {
            kept.with(|_| if n == 0 { 0 } else { 1 + deep(kept, n - 1) })
        }
        let mine = kept.clone();
        assert_eq!(pool.spawn(move || deep(&mine, 2)).get().unwrap(), 2);
        let mine = kept.clone();
        let error = pool.spawn(move || deep(&mine, 3)).get().unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("all 3 values"), "{error}");
        assert!(notes.made().len() <= 6);
    });
}

#[test]
fn a_panic_in_making_fails_the_work_that_asked() {
    soon(|| {
        let pool = Pool::new(1);
        let tries = Counter::new();
        let its = tries.clone();
        let kept = PerWorker::new(&pool, move || {
            assert!(its.add() > 1, "no connection");
            7
        });
        let asks = || {
            let kept = kept.clone();
            pool.spawn(move || kept.with(|n| *n))
        };
        let error = asks().get().unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("no connection"));
        assert_eq!((asks().get().unwrap(), asks().get().unwrap(), tries.count()), (7, 7, 2));
        // One that was left in the middle is not used again.
        let broken = kept.clone();
        assert!(pool.spawn(move || broken.with(|_| panic!("in the middle"))).get().is_err());
        assert_eq!((asks().get().unwrap(), tries.count()), (7, 3));
    });
}

#[test]
fn it_ends_with_its_pool_or_its_last_handle() {
    soon(|| {
        for workers in [0, 1] {
            let (pool, drops) = (Pool::new(workers), Counter::new());
            let its = drops.clone();
            let kept: PerWorker<OnDrop> = PerWorker::new(&pool, move || its.on_drop());
            let mine = kept.clone();
            pool.spawn(move || mine.with(|_| ())).get().unwrap();
            assert_eq!(drops.count(), 0);
            pool.stop();
            assert_eq!(drops.count(), 1);
            // Nobody comes to drop this one later.
            kept.with(|_| ());
            assert_eq!(drops.count(), 2);
            let (pool, drops) = (Pool::new(workers), Counter::new());
            let its = drops.clone();
            let kept: PerWorker<OnDrop> = PerWorker::new(&pool, move || its.on_drop());
            let mine = kept.clone();
            pool.spawn(move || mine.with(|_| ())).get().unwrap();
            drop(kept);
            eventually("the work has dropped its handle", || drops.count() == 1);
        }
    });
}

#[test]
fn a_worker_that_goes_takes_its_own_along() {
    soon(|| {
        let pool = Pool::new(2);
        let (kept, notes) = kept(&pool);
        let together = Arc::new(Barrier::new(2));
        let both: Vec<_> = (0..2)
            .map(|_| {
                let (kept, together) = (kept.clone(), together.clone());
                pool.spawn(move || kept.with(|_| _ = together.wait()))
            })
            .collect();
        both.into_iter().for_each(|one| one.get().unwrap());
        pool.set_worker_count(1);
        eventually("one has gone", || notes.dropped().len() == 1);
        assert!(notes.made().contains(&notes.dropped()[0]));
        let mine = kept.clone();
        pool.spawn(move || mine.with(|mine| mine.1 += 1)).get().unwrap();
        assert_eq!(notes.made().len(), 2);
    });
}

/// How often workers began and ended.
fn hooked(
    builder: asynckit::PoolBuilder,
) -> (asynckit::PoolBuilder, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (starts, stops) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (begun, ended) = (starts.clone(), stops.clone());
    let builder = builder
        .on_worker_start(move || _ = begun.fetch_add(1, SeqCst))
        .on_worker_stop(move || _ = ended.fetch_add(1, SeqCst));
    (builder, starts, stops)
}

thread_local! {
    static BEGUN: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

#[test]
fn hooks_are_called_first_and_last_on_each_worker_and_spare() {
    soon(|| {
        let (builder, starts, stops) = hooked(Pool::builder().workers(2));
        let pool = builder.on_worker_start(|| BEGUN.set(BEGUN.get() + 1)).build().unwrap();
        let together = Arc::new(Barrier::new(3));
        let waits = |n: u32| {
            let together = together.clone();
            pool.spawn(move || {
                asynckit::blocking(|| together.wait());
                BEGUN.get() + n
            })
        };
        // Three at a time take a spare.
        let all = [waits(0), waits(0), waits(0)];
        assert_eq!(all.map(|one| one.get().unwrap()), [1, 1, 1]);
        pool.stop();
        let (starts, stops) = (starts.load(SeqCst), stops.load(SeqCst));
        assert!(starts == stops && starts >= 3, "{starts} {stops}");
    });
}

#[test]
fn pools_without_workers_call_no_hooks() {
    soon(|| {
        for builder in [Pool::builder().workers(0), Pool::builder().deterministic(3)] {
            let (builder, starts, stops) = hooked(builder);
            let pool = builder.build().unwrap();
            let kept = PerWorker::new(&pool, || 1);
            let mine = kept.clone();
            assert_eq!(pool.spawn(move || mine.with(|n| *n)).get().unwrap(), 1);
            pool.stop();
            assert_eq!((starts.load(SeqCst), stops.load(SeqCst)), (0, 0));
        }
    });
}

#[test]
fn hooks_on_the_threads_of_others_are_called_when_these_come_and_go() {
    soon(|| {
        let threads = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
        for builder in
            [Pool::builder().on_rayon(threads), Pool::builder().on_tokio(runtime.handle().clone())]
        {
            let (builder, starts, stops) = hooked(builder);
            let pool = builder.build().unwrap();
            let (kept, notes) = kept(&pool);
            assert_eq!(starts.load(SeqCst), 0);
            for _ in 0..20 {
                let mine = kept.clone();
                pool.spawn(move || mine.with(|mine| mine.1 += 1)).get().unwrap();
                eventually("it has gone back", || starts.load(SeqCst) == stops.load(SeqCst));
            }
            // What they have made waits for the next ones.
            assert!(starts.load(SeqCst) >= 1 && notes.dropped().is_empty());
            assert!(notes.made().len() <= pool.worker_count());
            pool.stop();
            eventually("all is over", || notes.dropped().len() == notes.made().len());
        }
    });
}

#[test]
fn a_panic_in_a_hook_harms_nobody() {
    soon(|| {
        let reports = Counter::new();
        let told = reports.clone();
        let pool = Pool::builder()
            .workers(1)
            .on_unobserved_error(move |error| {
                assert!(error.is_panic() && error.origin().starts_with("on_worker_"), "{error}");
                told.add();
            })
            .on_worker_start(|| panic!("at first"))
            .on_worker_stop(|| panic!("at last"))
            .build()
            .unwrap();
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
        pool.stop();
        assert_eq!(reports.count(), 2);
        // Nor does one in dropping what was kept.
        struct Breaks;
        impl Drop for Breaks {
            fn drop(&mut self) {
                panic!("in a drop");
            }
        }
        let (pool, reports) = reporting(1);
        let kept = PerWorker::new(&pool, || Breaks);
        let mine = kept.clone();
        pool.spawn(move || mine.with(|_| ())).get().unwrap();
        pool.stop();
        assert_eq!(reports.count(), 0);
        drop(kept);
    });
}
