//! Who looks on may have seen enough: then it is told nothing more, and costs nothing.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use asynckit::observe::{Observer, TaskEnded, TaskSubmitted};
use asynckit::{AsyncResult, Pool, chain, work};

use crate::observing_pools::add;
use crate::support::{eventually, soon};

/// Counts what it is told, until it has seen enough.
#[derive(Default)]
struct Enough {
    submitted: AtomicUsize,
    ended: AtomicUsize,
    asked: AtomicUsize,
    over: AtomicUsize,
}

impl Enough {
    fn told(&self) -> [usize; 2] {
        [self.submitted.load(SeqCst), self.ended.load(SeqCst)]
    }

    fn end(&self) {
        self.over.store(1, SeqCst);
    }
}

impl Observer for Enough {
    fn submitted(&self, _: &TaskSubmitted<'_>) {
        self.submitted.fetch_add(1, SeqCst);
    }
    fn ended(&self, _: &TaskEnded<'_>) {
        self.ended.fetch_add(1, SeqCst);
    }
    fn infers_ready(&self) -> bool {
        true
    }
    fn is_over(&self) -> bool {
        self.asked.fetch_add(1, SeqCst);
        self.over.load(SeqCst) != 0
    }
}

fn observed(pool: &Pool) -> Arc<Enough> {
    let observer = Arc::new(Enough::default());
    pool.observe(observer.clone());
    observer
}

#[test]
fn who_is_over_is_told_nothing_more_once_another_one_looks_on() {
    let pool = Pool::builder().workers(0).build().unwrap();
    let run = || work(|| ()).spawn_on(&pool).get().unwrap();
    let first = observed(&pool);
    let stays = observed(&pool);
    for round in 1..=100 {
        let one = observed(&pool);
        run();
        assert_eq!(one.told(), [1, 1]);
        assert_eq!(first.told(), [round.min(50), round.min(50)]);
        assert_eq!(stays.told(), [round, round]);
        one.end();
        if round == 50 {
            first.end();
        }
    }
    let last = observed(&pool);
    run();
    assert_eq!((last.told(), stays.told(), first.told()), ([1, 1], [101, 101], [50, 50]));
}

#[test]
fn a_task_under_way_is_told_to_those_who_were_there_and_are_not_over() {
    let pool = Pool::builder().workers(0).build().unwrap();
    let ([gone, stays], input) = ([(); 2].map(|()| observed(&pool)), AsyncResult::new());
    let sum = chain!(&pool, add(1, &input));
    gone.end();
    let late = observed(&pool);
    input.set(2).unwrap();
    assert_eq!(sum.get().unwrap(), 3);
    assert_eq!((gone.told(), stays.told(), late.told()), ([1, 0], [1, 1], [0, 0]));
}

#[test]
fn who_is_over_is_not_asked_again_and_does_not_hold_up_the_others() {
    let pool = Pool::builder().workers(0).build().unwrap();
    let all: Vec<_> = (0..20)
        .map(|_| {
            let one = observed(&pool);
            one.end();
            one
        })
        .collect();
    let last = observed(&pool);
    assert!(all.iter().all(|one| one.asked.load(SeqCst) == 1));
    assert_eq!(last.asked.load(SeqCst), 0);
}

#[test]
fn a_worker_that_runs_out_of_work_leaves_out_who_is_over() {
    soon(|| {
        let pool = Pool::new(1);
        let one = observed(&pool);
        work(|| ()).spawn_on(&pool).get().unwrap();
        one.end();
        eventually("it is told nothing more", || {
            let before = one.told();
            work(|| ()).spawn_on(&pool).get().unwrap();
            one.told() == before
        });
        let other = observed(&pool);
        work(|| ()).spawn_on(&pool).get().unwrap();
        assert_eq!(other.told(), [1, 1]);
    });
}

#[test]
fn observers_come_and_go_while_there_is_work() {
    soon(|| {
        let pool = Pool::new(2);
        let stays = observed(&pool);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let one = observed(&pool);
                        work(|| ()).spawn_on(&pool).get().unwrap();
                        let [submitted, ended] = one.told();
                        assert!(submitted >= 1 && ended >= 1);
                        one.end();
                    }
                });
            }
        });
        assert_eq!(stays.told(), [600, 600]);
    });
}
