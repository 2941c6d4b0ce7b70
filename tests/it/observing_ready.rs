//! Who finds out by itself when tasks are ready is told only where it can't.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use asynckit::observe::{Observer, TaskEnded, TaskId, TaskReady, TaskSubmitted};
use asynckit::{AsyncResult, Pool, Results, async_work, chain, work};

use crate::observing::log::Log;
use crate::observing::{add, double, one};

/// Writes down which functions' tasks are told to be ready.
#[derive(Clone, Default)]
struct Infers(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    names: HashMap<TaskId, &'static str>,
    ready: Vec<&'static str>,
    ended: usize,
}

impl Infers {
    fn ready(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().ready.clone()
    }

    fn ended(&self) -> usize {
        self.0.lock().unwrap().ended
    }
}

impl Observer for Infers {
    fn infers_ready(&self) -> bool {
        true
    }

    fn submitted(&self, e: &TaskSubmitted<'_>) {
        let name = e.name.rsplit("::").next().unwrap();
        self.0.lock().unwrap().names.insert(e.task, name);
    }

    fn ready(&self, e: &TaskReady<'_>) {
        let mut told = self.0.lock().unwrap();
        let name = told.names[&e.task];
        told.ready.push(name);
    }

    fn ended(&self, _: &TaskEnded<'_>) {
        self.0.lock().unwrap().ended += 1;
    }
}

#[async_work]
async fn awaits(input: AsyncResult<u32>) -> u32 {
    input.await.unwrap()
}

fn run(pool: &Pool) {
    let sum = chain!(pool, {
        let a = one();
        let b = double(&a);
        add(a, b)
    });
    assert_eq!(sum.get().unwrap(), 3);
}

#[test]
fn it_is_not_told_what_follows() {
    let infers = Infers::default();
    for workers in [0, 2] {
        run(&Pool::builder().workers(workers).observer(infers.clone()).build().unwrap());
    }
    assert_eq!(infers.ended(), 6);
    assert_eq!(infers.ready(), [""; 0]);
}

#[test]
fn it_is_told_of_what_else_brings_an_input() {
    let infers = Infers::default();
    let pool = Pool::builder().workers(0).observer(infers.clone()).build().unwrap();
    let (by_hand, unseen) = (AsyncResult::new(), Pool::deterministic(2));
    let a = chain!(&pool, double(&by_hand));
    let b = chain!(&pool, add(by_hand.clone(), one()));
    let elsewhere = one().spawn_on(&unseen);
    let c = chain!(&pool, add(elsewhere, one()));
    by_hand.set(1).unwrap();
    assert_eq!((a.get().unwrap(), b.get().unwrap(), c.get().unwrap()), (2, 2, 2));
    let mut ready = infers.ready();
    ready.sort_unstable();
    assert_eq!(ready, ["add", "add", "double"]);
}

/// It has not been told of what ends there, or earlier.
#[test]
fn it_is_told_of_what_others_were_told() {
    let (here, there, late) = (Infers::default(), Infers::default(), Infers::default());
    let pool = Pool::builder().workers(0).observer(here.clone()).build().unwrap();
    let other = Pool::builder().workers(0).observer(there.clone()).build().unwrap();
    let elsewhere = one().spawn_on(&other);
    let a = chain!(&pool, double(&elsewhere));
    other.run_until_idle();
    assert_eq!((a.get().unwrap(), elsewhere.get().unwrap()), (2, 1));
    assert_eq!((here.ready(), there.ready()), (vec!["double"], vec![]));
    let before = one().spawn_on(&pool);
    pool.observe(late.clone());
    let b = chain!(&pool, double(&before));
    assert_eq!((b.get().unwrap(), before.get().unwrap()), (2, 1));
    assert_eq!(late.ready(), ["double"]);
    run(&pool);
    assert_eq!(late.ready(), ["double"]);
}

#[test]
fn it_is_told_when_a_task_goes_on() {
    let infers = Infers::default();
    let pool = Pool::builder().workers(0).observer(infers.clone()).build().unwrap();
    let input = AsyncResult::new();
    let answer = awaits(input.clone()).spawn_on(&pool);
    pool.run_until_idle();
    let begun = infers.ready().len();
    input.set(1).unwrap();
    assert_eq!(answer.get().unwrap(), 1);
    assert_eq!(infers.ready()[begun..], ["awaits"]);
}

#[test]
fn beside_one_that_does_not_both_are_told() {
    for infers_first in [true, false] {
        let (infers, log) = (Infers::default(), Log::default());
        let builder = Pool::builder().workers(0);
        let builder = match infers_first {
            true => builder.observer(infers.clone()).observer(log.clone()),
            false => builder.observer(log.clone()).observer(infers.clone()),
        };
        run(&builder.build().unwrap());
        assert_eq!(infers.ready(), ["one", "double", "add"]);
        assert_eq!(log.lines(&["ready"]), ["ready one", "ready double", "ready add"]);
        log.check();
    }
}

#[test]
fn who_comes_later_and_wants_it_is_told() {
    let (infers, log) = (Infers::default(), Log::default());
    let pool = Pool::builder().workers(2).observer(infers.clone()).build().unwrap();
    run(&pool);
    pool.observe(log.clone());
    run(&pool);
    assert_eq!(infers.ready(), ["one", "double", "add"]);
    log.check();
}

#[test]
fn one_that_panics_when_it_is_asked_is_told() {
    struct Panics(Infers);
    impl Observer for Panics {
        fn infers_ready(&self) -> bool {
            panic!("on purpose");
        }
        fn submitted(&self, e: &TaskSubmitted<'_>) {
            self.0.submitted(e);
        }
        fn ready(&self, e: &TaskReady<'_>) {
            Observer::ready(&self.0, e);
        }
    }
    let infers = Infers::default();
    let panics = Panics(infers.clone());
    let pool = Pool::builder().workers(0).observer(panics).build().unwrap();
    work(|| ()).spawn_on(&pool).get().unwrap();
    let failed = work(|| -> u32 { panic!("on purpose") }).spawn_on(&pool);
    let all = [failed, work(|| 1).spawn_on(&pool)].into_iter().settle_all().get().unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(infers.ready(), ["closure"; 3]);
}
