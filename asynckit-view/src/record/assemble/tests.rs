//! What is inferred where it was not told.

use std::panic::Location;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::*;
use crate::analysis::Analysis;
use crate::record::Recording;
use crate::record::entry::Entry;
use crate::record::mine::with_mine;
use asynckit::observe::{Observer, Row};
use asynckit::{AsyncResult, Pool, Results, Retry, async_work, chain};

/// Wants to be told each `ready`, so that the recording is as well.
struct Wants;
impl Observer for Wants {}

#[async_work]
fn start(n: u64) -> u64 {
    n
}
#[async_work]
fn look(a: &u64, b: &u64) -> u64 {
    a.wrapping_add(*b)
}
#[async_work]
fn take(a: u64, b: u64) -> Result<u64, String> {
    if a % 7 == 3 { Err("on purpose".to_owned()) } else { Ok(a.wrapping_mul(31).wrapping_add(b)) }
}
#[async_work]
fn count(all: Vec<Result<u64, asynckit::Error>>) -> usize {
    all.len()
}

#[async_work]
async fn fails() -> Result<u64, String> {
    Err("on purpose".to_owned())
}

/// Values that are lent and moved, failures, lists, and what is cancelled.
fn run(pool: &Pool) {
    let mut row: Vec<_> = (0..16).map(|n| start(n).spawn_on(pool)).collect();
    let lost = start(1).spawn_on(pool);
    for _ in 0..20 {
        let looked: Vec<_> = row
            .windows(2)
            .map(|two| {
                let (a, b) = (&two[0], &two[1]);
                chain!(pool, look(a, b))
            })
            .collect();
        row = row.into_iter().zip(looked).map(|(a, b)| chain!(pool, take(a, b))).collect();
        let last = start(row.len() as u64).spawn_on(pool);
        row.push(last);
    }
    lost.cancel();
    row.push(lost);
    let all = row.settle_all();
    assert_eq!(chain!(pool, count(all)).get().unwrap(), 17);
}

#[test]
fn when_tasks_are_ready_is_inferred_as_it_would_be_told() {
    for workers in [0, 1, 3] {
        let recording = Recording::new();
        let pool = Pool::builder().workers(workers).observer(recording.observer());
        let pool = pool.observer(Wants).build().unwrap();
        run(&pool);
        pool.stop();
        let told = told(&recording.recorder);
        let parts = Parts::of(&told, |_, _| false);
        let all = Assembly { parts, told: &told, began: 0, end: u64::MAX };
        let both = (0..told.tasks.len())
            .filter_map(|k| all.raw(k).ready.map(|ready| (ready, all.inferred_ready(k))));
        let both: Vec<_> = both.collect();
        assert!(both.len() > 100, "{}", both.len());
        // A thread that was held up between the end of an input and the count of what is lacking tells of a moment before
        // the last end.
        assert!(both.iter().all(|(told, inferred)| Some(*told) <= *inferred), "{both:?}");
        let same = both.iter().filter(|(told, inferred)| Some(*told) == *inferred).count();
        assert!(if workers == 0 { same == both.len() } else { 2 * same > both.len() }, "{both:?}");
    }
}

#[test]
fn what_waits_for_a_value_that_nobody_sets_is_not_ready() {
    let recording = Recording::new();
    let pool = Pool::builder().workers(0).observer(recording.observer()).build().unwrap();
    let (by_hand, first) = (AsyncResult::new(), start(1).spawn_on(&pool));
    let waits = chain!(&pool, look(&by_hand, &first));
    pool.run_until_idle();
    let ready = |recording: &Recording| {
        let told = told(&recording.recorder);
        let parts = Parts::of(&told, |_, _| false);
        let all = Assembly { parts, told: &told, began: 0, end: u64::MAX };
        let last = told.tasks.len() - 1;
        (all.ready(last), told.tasks[last].ended.map(|(time, _)| time))
    };
    assert_eq!(ready(&recording), (None, None));
    waits.cancel();
    let (ready, ended) = ready(&recording);
    assert!(ready.is_some() && ready == ended, "{ready:?} {ended:?}");
    let run = recording.so_far();
    assert_eq!(run.tasks(), 2);
    drop(by_hand);
}

#[test]
fn what_needs_a_task_that_only_counts_does_so_too() {
    // Each thread takes room for 64 at once.
    let recording = Recording::new().limit(65);
    let pool = Pool::builder().workers(0).observer(recording.observer()).build().unwrap();
    let (give, given) = channel::<[AsyncResult<u64>; 2]>();
    std::thread::scope(|scope| {
        let (tell, told) = channel();
        let pool = &pool;
        scope.spawn(move || {
            tell.send(start(0).spawn_on(pool)).unwrap();
            let [full, counts] = given.recv().unwrap();
            let all = [chain!(pool, look(&full, &full)), chain!(pool, look(&full, &counts))];
            all.join_all().get().unwrap();
        });
        let first = told.recv().unwrap();
        give.send([start(1).spawn_on(pool), start(2).spawn_on(pool)]).unwrap();
        first.get().unwrap();
    });
    pool.stop();
    let told = told(&recording.recorder);
    let parts = Parts::of(&told, |_, _| false);
    let all = Assembly { parts, told: &told, began: 0, end: u64::MAX };
    let run = recording.finish();
    assert_eq!((run.tasks(), run.beyond()), (3, 2));
    for &k in &all.parts.kept {
        assert!(all.ready(k) <= all.raw(k).spans.first().map(|span| span.start));
        assert!(all.ready(k).is_some());
    }
}

#[test]
fn a_part_is_recorded_with_what_it_is_part_of() {
    let recording = Recording::new().limit(1);
    let pool = Pool::builder().workers(0).observer(recording.observer()).build().unwrap();
    let limited = |n: u64| start(n).timeout(Duration::from_secs(60)).spawn_on(&pool);
    let (recorded, counts) = (limited(1), limited(2));
    pool.run_until_idle();
    assert_eq!((recorded.get().unwrap(), counts.get().unwrap()), (1, 2));
    let told = told(&recording.recorder);
    assert_eq!(told.tasks.iter().map(|task| task.spans.len()).sum::<usize>(), 1);
    let run = recording.finish();
    assert_eq!(run.tasks(), 1);
    assert!(run.beyond() > 0);
}

#[test]
fn many_tries_of_a_recorded_task_take_no_more_than_there_is_room_for() {
    let recording = Recording::new().limit(1);
    let pool = Pool::builder().workers(0).observer(recording.observer()).build().unwrap();
    let tried = Retry::new(20_000).backoff(Duration::ZERO).work(fails);
    let tried = tried.spawn_on(&pool);
    pool.run_until_idle();
    drop(tried);
    assert!(recording.memory() < 256 << 10, "{}", recording.memory());
    assert_eq!(recording.finish().tasks(), 1);
}

/// What two threads tell whose clocks differ by 50 ns.
fn told_by_two_clocks(recorder: &Recorder) {
    let here = Location::caller();
    let [a, b] = ["a", "b"].map(Row::elsewhere);
    let write = |row: &Row, time, entry: Entry<Vec<u64>>| {
        with_mine(recorder, |mine| mine.write(recorder, row, time, &entry));
    };
    let submitted = |row: &Row, time, task, by, needs| {
        let site = with_mine(recorder, |mine| mine.sites.number(&recorder.sites, "f", here));
        let kind = Kind::Runs;
        write(
            row,
            time,
            Entry::Submitted { task, site, kind, by, part_of: None, needs, more: false },
        );
    };
    let wait = |from, to, on| {
        write(&b, from, Entry::WaitBegun { task: 1, on });
        write(&b, to, Entry::WaitEnded(1));
    };
    submitted(&a, 1_000, 1, None, vec![]);
    write(&b, 1_000, Entry::Started(1));
    // Before it began, within the code that has submitted it, and before what it needs has ended.
    submitted(&b, 960, 2, Some(1), vec![]);
    submitted(&b, 970, 3, Some(1), vec![2]);
    wait(960, 2_000, vec![2]);
    wait(1_990, 2_050, vec![]);
    write(&b, 2_100, Entry::Suspended { task: 1, on: vec![3] });
    write(&b, 2_500, Entry::Resumed(1));
    // Before it went on, and back in time.
    wait(2_450, 2_480, vec![]);
    submitted(&b, 2_490, 4, Some(1), vec![]);
    wait(2_600, 2_550, vec![]);
    write(&b, 3_000, Entry::Ended { task: 1, end: End::DONE });
    for (task, began, ended) in [(2, 970, 1_500), (3, 1_450, 2_510), (4, 2_490, 3_500)] {
        write(&a, began, Entry::Started(task));
        write(&a, ended, Entry::Ended { task, end: End::DONE });
    }
    for (callback, began, ended) in [(1, 3_450, 3_600), (2, 3_610, 3_590)] {
        recorder.callbacks.register(callback, Some(4), here, 10);
        assert!(recorder.callbacks.begin(callback, b.id().get(), began));
        recorder.callbacks.end(callback, ended);
    }
    recorder.pool().stopped = Some(4_000);
}

#[test]
fn clocks_that_differ_leave_nothing_that_ends_before_it_begins() {
    let recording = Recording::new();
    told_by_two_clocks(&recording.recorder);
    let model = model(&recording.recorder);
    assert_eq!((model.tasks.len(), model.pieces.len(), model.callbacks.len()), (4, 2, 2));
    for task in &model.tasks {
        let times = [0, task.submitted, task.ready, task.start, task.end, model.end];
        assert!(times.is_sorted(), "{task:?}");
    }
    assert!(model.pieces.iter().all(|piece| piece.start <= piece.end));
    assert!(model.callbacks.iter().all(|callback| callback.start <= callback.end));
    let waits: Vec<_> = model.waits.iter().flat_map(|wait| [wait.start, wait.end]).collect();
    // The second goes on where the first ended.
    assert_eq!(waits, [960, 2_000, 2_000, 2_050, 2_450, 2_480, 2_600, 2_600]);
    let found = Analysis::of(&model);
    for (task, own) in model.tasks.iter().zip(&found.own) {
        assert!(*own <= task.end - task.start, "{own} {task:?}");
    }
    // The way of the run ends with the last task, and its parts add up.
    assert_eq!(found.ran.length, 3_500);
    assert_eq!(found.ran.steps.last().unwrap().to, 3_500);
    assert!(found.span.length <= 3_500);
    let folder = tempfile::tempdir().unwrap();
    let run = recording.finish();
    for name in ["run.html", "run.json", "run.svg", "run.txt"] {
        run.save(folder.path().join(name)).unwrap();
    }
}
