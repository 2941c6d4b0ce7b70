//! Runs that tests look at: real ones, of real pools.
#![allow(dead_code, reason = "each test program uses some of them")]

use std::sync::mpsc;
use std::thread::sleep;
use std::time::Duration;

use asynckit::{AsyncResult, Limit, Pool, Rate, Results, Retry, async_work, chain, try_work};
use asynckit_view::{Recording, Run};

#[async_work]
pub fn read(n: u64) -> u64 {
    n
}

#[async_work]
pub fn count(text: &u64) -> u64 {
    *text
}

#[async_work]
pub fn add(a: u64, b: u64) -> u64 {
    a + b
}

#[async_work]
pub fn refuse(n: u64) -> Result<u64, String> {
    Err(format!("no {n} </script><script>alert(1)</script> & \"quotes\""))
}

#[async_work]
pub fn step(left: &u64, middle: &u64, right: &u64) -> u64 {
    left.wrapping_add(*middle).wrapping_add(*right)
}

#[async_work]
pub fn fetch(millis: u64) -> u64 {
    sleep(Duration::from_millis(millis));
    millis
}

#[async_work]
pub fn sum(all: Vec<u64>) -> u64 {
    all.iter().sum()
}

/// Five tasks.
pub fn small(pool: &Pool) -> Run {
    let recording = Recording::of(pool).name("words");
    let total = chain!(pool, {
        let (a, b) = (read(1), read(2));
        add(count(&a), count(&b))
    });
    assert_eq!(total.get().unwrap(), 3);
    recording.finish()
}

/// Something fails, and what needs it is skipped.
pub fn failing(pool: &Pool) -> Run {
    let recording = Recording::of(pool).name("failing </title><b>");
    let one = read(1).spawn_on(pool);
    one.wait();
    let total = chain!(pool, {
        let bad = refuse(read(7));
        let more = add(bad, one);
        add(more, 2)
    });
    assert!(total.get().is_err());
    recording.finish()
}

/// Ends when it is told to.
#[async_work]
pub fn held(until: mpsc::Receiver<()>) -> u64 {
    until.recv().map_or(0, |()| 1)
}

/// The like, where another input is not over when the recording ends.
pub fn failing_early(pool: &Pool) -> Run {
    let recording = Recording::of(pool).name("early");
    let (end, until) = mpsc::channel();
    let total = chain!(pool, add(add(refuse(7), held(until)), 2));
    assert!(total.get().is_err());
    let run = recording.finish();
    end.send(()).unwrap();
    run
}

/// A grid of tasks, each of which needs three of the row before.
pub fn stencil(pool: &Pool, width: usize, rows: usize) -> Run {
    let recording = Recording::of(pool).name("stencil");
    let mut row: Vec<AsyncResult<u64>> =
        (0..width).map(|n| read(n as u64).spawn_on(pool)).collect();
    for _ in 1..rows {
        row = (0..width)
            .map(|k| {
                let (l, m, r) = (&row[(k + width - 1) % width], &row[k], &row[(k + 1) % width]);
                chain!(pool, step(l, m, r))
            })
            .collect();
    }
    row.join_all().get().unwrap();
    recording.finish()
}

/// So many tasks under a limit, nearly all of which stand in its line.
pub fn all_in_line(pool: &Pool, count: u64) -> Run {
    let recording = Recording::of(pool).name("line");
    let limit = Limit::new(2);
    (0..count).map(|n| read(n).limit(&limit).spawn_on(pool)).join_all().get().unwrap();
    recording.finish()
}

/// A limit that holds back, tasks that wait inside, one long task, a failure.
pub fn mixed(pool: &Pool) -> Run {
    let recording = Recording::of(pool).name("mixed");
    let limit = Limit::new(2);
    let pages: Vec<_> = (0..120).map(|n| fetch(2 + n % 5).limit(&limit).spawn_on(pool)).collect();
    let slow = fetch(150).spawn_on(pool);
    let sums: Vec<_> = (0..120)
        .map(|n| {
            chain!(pool, {
                let a = read(n);
                add(count(&a), n)
            })
        })
        .collect();
    let nested: Vec<_> = (0..8)
        .map(|_| {
            pool.spawn(|| {
                let inner = fetch(5).spawn_on(&asynckit::current());
                sleep(Duration::from_millis(2));
                inner.get().unwrap()
            })
        })
        .collect();
    let bad = chain!(pool, add(refuse(1), 2));
    sum(pages.join_all().get().unwrap()).run().unwrap();
    sums.join_all().get().unwrap();
    nested.join_all().get().unwrap();
    slow.get().unwrap();
    assert!(bad.get().is_err());
    recording.finish()
}

#[async_work(keep)]
pub fn parse(n: u64) -> u64 {
    sleep(Duration::from_millis(5));
    n
}

/// Two functions that are kept, and one that is not: of eight calls six are there, two of them under terms.
pub fn kept(pool: &Pool) -> Run {
    #[async_work(keep, priority = "high", limit = 2, retry = 1)]
    fn join(all: Vec<u64>) -> u64 {
        all.iter().sum()
    }
    let folder = tempfile::tempdir().unwrap();
    let store = asynckit_store::Store::open(folder.path().join("results.redb")).unwrap();
    let run = |from: u64| {
        let on = store.on(pool);
        let total = chain!(&on, {
            let all: Vec<_> = (from..from + 6).map(parse).collect();
            add(join(all), join(vec![1, 2]))
        });
        total.get().unwrap()
    };
    run(0);
    let recording = Recording::of(pool).name("kept");
    run(1);
    assert_eq!((store.stats().hits, store.stats().misses), (6, 10));
    recording.finish()
}

/// Three results with a callback each, of which the last takes its time.
pub fn called(pool: &Pool) -> Run {
    let recording = Recording::of(pool).name("called");
    let (done, all_done) = mpsc::channel();
    let results: Vec<_> = (0..3).map(|n| fetch(n).spawn_on(pool)).collect();
    for (n, result) in results.iter().enumerate() {
        let done = done.clone();
        result.on_set(move |_| {
            sleep(Duration::from_millis(20 * (n as u64 / 2)));
            done.send(()).unwrap();
        });
    }
    for _ in 0..3 {
        all_done.recv().unwrap();
    }
    results.join_all().get().unwrap();
    recording.finish()
}

/// A callback after its task, and one within the wait of another task that runs its task meanwhile. No task is over
/// before its callback is registered.
pub fn called_within() -> Run {
    let pool = Pool::new(1);
    let recording = Recording::of(&pool).name("called within");
    let (done, all_done) = mpsc::channel();
    let tell = done.clone();
    let (begin, begun) = mpsc::channel();
    let first = held(begun).spawn_on(&pool);
    first.on_set(move |_| done.send(()).unwrap());
    begin.send(()).unwrap();
    let outer = pool.spawn(move || {
        let (begin, begun) = mpsc::channel();
        let inner = held(begun).spawn_on(&asynckit::current());
        inner.on_set(move |_| tell.send(()).unwrap());
        begin.send(()).unwrap();
        inner.get().unwrap()
    });
    outer.get().unwrap();
    all_done.recv().unwrap();
    all_done.recv().unwrap();
    pool.stop();
    recording.finish()
}

/// A task that is suspended four times, and others on the same row between its stretches.
pub fn suspended() -> Run {
    let pool = Pool::new(1);
    let recording = Recording::of(&pool).name("suspended");
    let result = chain!(&pool, async move {
        for n in 0..4 {
            sleep(Duration::from_micros(200));
            fetch(n % 2).await?;
        }
        read(4)
    });
    result.get().unwrap();
    pool.stop();
    recording.finish()
}

#[async_work]
pub fn heavy() {
    sleep(Duration::from_millis(10));
}

#[async_work]
pub fn send() {
    sleep(Duration::from_millis(1));
}

/// Heavy work takes two of three permits, so one at a time; mail goes out by a rate; and a call that fails at first stands
/// in line before its second try.
pub fn held_by_limits(pool: &Pool) -> Run {
    let recording = Recording::of(pool).name("held");
    let (limit, rate) = (Limit::new(3), Rate::per_second(50));
    let heavies = |n: usize| (0..n).map(|_| heavy().limit(&limit.take(2)).spawn_on(pool));
    let (begin, begun) = mpsc::channel();
    let (its, mut tries) = (limit.clone(), 0);
    let tried = Retry::new(1).work(move || {
        tries += 1;
        let (is_first, begin) = (tries == 1, begin.clone());
        let one = try_work(move || {
            begin.send(()).unwrap();
            // All others stand in line by then.
            sleep(Duration::from_millis(5));
            if is_first { Err("once more") } else { Ok(()) }
        });
        one.limit(&its.take(2))
    });
    let tried = tried.spawn_on(pool);
    begun.recv().unwrap();
    let all: Vec<_> = heavies(12).collect();
    let mail: Vec<_> = (0..6).map(|_| send().rate(&rate).spawn_on(pool)).collect();
    tried.get().unwrap();
    all.join_all().get().unwrap();
    mail.join_all().get().unwrap();
    recording.finish()
}

macro_rules! functions {
    ($($name:ident)*) => {
        $(#[async_work] pub fn $name(n: u64) -> u64 { sleep(Duration::from_micros(n)); n })*

        /// One task of each of 48 functions.
        pub fn of_many_functions(pool: &Pool) -> Run {
            let recording = Recording::of(pool).name("functions");
            let all = [$($name(500).spawn_on(pool)),*];
            all.into_iter().join_all().get().unwrap();
            recording.finish()
        }
    };
}

functions! {
    work_00 work_01 work_02 work_03 work_04 work_05 work_06 work_07 work_08 work_09 work_10
    work_11 work_12 work_13 work_14 work_15 work_16 work_17 work_18 work_19 work_20 work_21
    work_22 work_23 work_24 work_25 work_26 work_27 work_28 work_29 work_30 work_31 work_32
    work_33 work_34 work_35 work_36 work_37 work_38 work_39 work_40 work_41 work_42 work_43
    work_44 work_45 work_46 work_47
}

/// Takes longer than anybody has patience for.
#[async_work]
pub fn count_late() -> u64 {
    sleep(Duration::from_millis(100));
    1
}

/// The like of `mixed` in virtual time: futures, tries with pauses, a limit.
pub fn mixed_virtual(pool: &Pool) -> Run {
    let recording = Recording::of(pool);
    let limit = Limit::new(2);
    let retry = Retry::new(2).backoff(Duration::from_millis(30));
    let pages: Vec<_> = (0..9).map(|n| read(n).limit(&limit).spawn_on(pool)).collect();
    let bad = retry.work(|| refuse(4)).spawn_on(pool);
    let steered = chain!(pool, async move {
        let mut n = 1;
        while n < 20 {
            n = add(n, n).await?;
        }
        count(&read(n))
    });
    let all = chain!(pool, sum(pages));
    assert_eq!(all.get().unwrap(), 36);
    assert_eq!(steered.get().unwrap(), 32);
    assert!(bad.get().is_err());
    recording.finish()
}
