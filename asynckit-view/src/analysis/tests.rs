//! What is found out about runs made by hand.

use super::causes::{INSIDE, RUN};
use super::*;
use crate::model::State;
use crate::testing::{Sample, called, failing};

const MS: u64 = 1_000_000;

fn path(steps: &[paths::Step]) -> Vec<(u32, u64)> {
    steps.iter().map(|step| (step.task, step.run / MS)).collect()
}

fn said(model: &Model) -> String {
    verdict(model, &Analysis::of(model)).iter().map(|part| part.text()).collect()
}

#[test]
fn the_path_goes_back_by_the_input_that_came_last_and_adds_up_to_the_run() {
    let mut run = Sample::new(2, 12);
    let a = run.task("load", 0, [1, 4], &[]);
    let b = run.task("load", 1, [0, 7], &[]);
    let c = run.task("merge", 0, [8, 12], &[a, b]);
    let found = Analysis::of(&run.0);
    assert_eq!(path(&found.ran.steps), [(b, 7), (c, 4)]);
    assert_eq!(found.ran.sum.queued, MS);
    assert_eq!(found.ran.length, run.0.end);
    assert_eq!(path(&found.span.steps), [(b, 7), (c, 4)]);
    assert_eq!(found.span.length, 11 * MS);
}

#[test]
fn the_path_adds_up_where_a_task_began_before_its_input_ended() {
    // By the clocks of two threads.
    let mut run = Sample::new(2, 12);
    let a = run.task("load", 0, [1, 5], &[]);
    let b = run.task("merge", 1, [4, 8], &[a]);
    run.0.tasks[b as usize].ready = 4 * MS;
    let c = run.child(b, 3, "merge", 0, [3, 12]);
    let found = Analysis::of(&run.0);
    assert_eq!(path(&found.ran.steps), [(a, 2), (b, 0), (c, 9)]);
    assert_eq!(found.ran.length, 12 * MS);
}

#[test]
fn waits_that_seem_to_be_between_the_stretches_of_a_task_take_nothing_from_it() {
    // By the clocks of two threads: as those that begin before the stretch that they are in.
    let mut run = Sample::new(2, 14);
    let outer = run.task("outer", 0, [0, 12], &[]);
    let inner = run.child(outer, 1, "inner", 1, [1, 5]);
    run.waits(outer, [4, 6], Some(inner));
    run.waits(outer, [7, 8], None);
    run.piece(outer, 0, [0, 4], None);
    run.piece(outer, 0, [8, 12], None);
    run.child(outer, 8, "inner", 1, [8, 14]);
    let found = Analysis::of(&run.0);
    assert_eq!((found.ran.length, found.span.length), (14 * MS, 11 * MS));
}

#[test]
fn both_paths_go_through_what_a_task_waited_for_inside() {
    let mut run = Sample::new(2, 10);
    let outer = run.task("outer", 0, [0, 10], &[]);
    let inner = run.child(outer, 1, "inner", 1, [2, 8]);
    run.waits(outer, [3, 9], Some(inner));
    let found = Analysis::of(&run.0);
    assert_eq!(path(&found.ran.steps), [(outer, 1), (inner, 6), (outer, 1)]);
    assert_eq!((found.ran.sum.inside, found.ran.sum.queued), (MS, MS));
    assert_eq!(found.ran.length, 10 * MS);
    assert_eq!(path(&found.span.steps), [(outer, 1), (inner, 6), (outer, 1)]);
    assert_eq!(found.span.length, 8 * MS);
    assert_eq!(found.own, [4 * MS, 6 * MS]);
}

#[test]
fn both_paths_go_through_what_a_suspended_task_waited_for() {
    let mut run = Sample::new(2, 10);
    let outer = run.task("outer", 0, [0, 10], &[]);
    let inner = run.child(outer, 1, "inner", 1, [2, 8]);
    run.piece(outer, 0, [0, 2], None);
    run.piece(outer, 1, [9, 10], None);
    let found = Analysis::of(&run.0);
    assert_eq!(path(&found.ran.steps), [(outer, 1), (inner, 6), (outer, 1)]);
    assert_eq!(found.ran.length, 10 * MS);
    assert_eq!(path(&found.span.steps), [(outer, 1), (inner, 6), (outer, 1)]);
    assert_eq!(found.span.length, 8 * MS);
    assert_eq!(found.own, [3 * MS, 6 * MS]);
}

#[test]
fn a_wait_for_an_unknown_result_is_taken_to_be_for_what_the_task_submitted() {
    let mut run = Sample::new(2, 10);
    let outer = run.task("outer", 0, [0, 10], &[]);
    let inner = run.child(outer, 1, "inner", 1, [2, 8]);
    run.waits(outer, [3, 9], None);
    assert_eq!(path(&Analysis::of(&run.0).ran.steps), [(outer, 1), (inner, 6), (outer, 1)]);
}

#[test]
fn the_causes_of_each_worker_add_up_to_its_time() {
    let mut run = Sample::new(3, 20);
    let limit = run.limit("disk", 1);
    let a = run.task("load", 0, [1, 6], &[]);
    let b = run.task("load", 1, [6, 12], &[]);
    run.held(b, limit, 5);
    let c = run.task("merge", 2, [14, 18], &[a, b]);
    run.waits(c, [15, 17], None);
    let found = Analysis::of(&run.0);
    for row in &found.causes.rows {
        assert!((row.iter().sum::<f64>() - run.0.end as f64).abs() < 1.0, "{row:?}");
        assert!(row.iter().all(|&part| part >= 0.0), "{row:?}");
    }
    let total = found.causes.total.map(|part| (part / MS as f64).round() as u64);
    // Of the three, 13 ms run, 2 wait inside; one is held back from the first to the sixth millisecond; while
    // something is ready and nobody has come yet, one worker is about to.
    assert_eq!(total, [13, 4, 5, 2, 36, 0]);
    let bins: f64 = found.causes.bins.iter().flatten().sum();
    assert!((bins - found.causes.all).abs() < 10.0);
}

#[test]
fn what_is_held_before_it_goes_on_is_held_by_the_limit() {
    let mut run = Sample::new(2, 20);
    let limit = run.limit("disk", 1);
    // Its second try stood in line from the fourth millisecond to the tenth.
    let tried = run.task("load", 0, [0, 12], &[]);
    run.piece(tried, 0, [0, 2], None);
    run.piece(tried, 0, [10, 12], None);
    run.holds(tried, limit, [4, 10]);
    // This one blocked its thread, first for a result and then to go on.
    let blocked = run.task("merge", 1, [0, 20], &[]);
    run.waits(blocked, [5, 15], None);
    run.holds(blocked, limit, [12, 15]);
    let found = Analysis::of(&run.0);
    for row in &found.causes.rows {
        assert!((row.iter().sum::<f64>() - run.0.end as f64).abs() < 1.0, "{row:?}");
    }
    let total = found.causes.total.map(|part| (part / MS as f64).round() as u64);
    assert_eq!(total, [14, 0, 6 + 3, 7, 10, 0]);
    let held: f64 = found.causes.bins[2].iter().sum();
    assert!((held - 9.0 * MS as f64).abs() < 10.0, "{held}");
    let sum = &found.ran.sum;
    assert_eq!([sum.run, sum.inside, sum.held].map(|time| time / MS), [10, 7, 3]);
    let figures: Vec<u64> = found.figures.iter().map(|figures| figures.held / MS).collect();
    assert_eq!(figures, [6, 3]);
}

#[test]
fn the_sentence_says_of_a_rate_how_often() {
    let mut run = Sample::new(1, 30);
    let rate = run.limit("mail", 1);
    run.0.limits[rate as usize].every = Some(50 * MS);
    let task = run.task("send", 0, [25, 30], &[]);
    run.held(task, rate, 25);
    let said = said(&run.0);
    assert!(
        said.starts_with(
            "30.0 ms on 1 worker: the rate “mail” (20 per second) held back the critical path for 25.0 ms."
        ),
        "{said}"
    );
    assert!(said.ends_with(" of worker time was held by a rate."), "{said}");
}

#[test]
fn a_callback_is_no_idle_time() {
    let mut run = Sample::new(1, 20);
    run.task("first", 0, [0, 4], &[]);
    run.task("second", 0, [10, 14], &[]);
    // One within another one, one around a task, and one within a task, which has that time already.
    for (start, end) in [(4, 8), (5, 6), (9, 15), (11, 12)] {
        run.callback(0, [start, end], None);
    }
    let causes = Analysis::of(&run.0).causes;
    let ms = |ns: f64| (ns / 1e6).round() as u64;
    assert_eq!((ms(causes.total[RUN]), ms(causes.total[INSIDE])), (14, 0));
    assert_eq!(ms(causes.all), 20);
}

#[test]
fn the_sentence_names_a_failure_that_took_much_with_it() {
    assert_eq!(
        said(&failing()),
        "10.0 ms on 2 workers: count #3 failed at 7.00 ms, and 1 of 5 tasks never ran. Parallelism 1.71. ✕ 1 failure, 1 skipped"
    );
}

#[test]
fn an_input_that_was_not_over_yet_is_not_why_a_task_was_skipped() {
    let mut run = Sample::new(2, 10);
    let failed = run.task("read", 0, [0, 2], &[]);
    let running = run.task("fetch", 1, [0, 10], &[]);
    run.0.tasks[running as usize].state = State::Running;
    let first = run.skipped("join", &[failed, running]);
    let second = run.skipped("print", &[first]);
    run.fails(failed, "no such file", &[first, second]);
    let skipped: Vec<usize> = Analysis::of(&run.0).edges.iter().map(|edge| edge.skipped).collect();
    assert_eq!(skipped, [1, 0, 1]);
}

#[test]
fn the_sentence_names_one_long_chain() {
    let mut run = Sample::new(4, 10);
    let a = run.task("load", 0, [0, 4], &[]);
    run.task("parse", 0, [4, 10], &[a]);
    assert!(said(&run.0).starts_with(
        "10.0 ms on 4 workers: one chain of tasks, load → parse, takes 10.0 ms by itself. More workers cannot"
    ));
}

#[test]
fn the_sentence_names_the_limit_that_held_back() {
    let mut run = Sample::new(4, 30);
    let limit = run.limit("disk", 1);
    for k in 0..6 {
        let task = run.task("write", k % 4, [u64::from(k) * 5, u64::from(k) * 5 + 5], &[]);
        run.held(task, limit, u64::from(k) * 5);
    }
    assert!(
        said(&run.0).starts_with(
            "30.0 ms on 4 workers: the limit “disk” (1 at once) held back the critical path for 25.0 ms."
        ),
        "{}",
        said(&run.0)
    );
}

#[test]
fn the_sentence_says_that_more_workers_would_help() {
    let mut run = Sample::new(2, 30);
    for k in 0..12 {
        run.task("step", k % 2, [u64::from(k / 2) * 5, u64::from(k / 2) * 5 + 5], &[]);
    }
    assert_eq!(
        said(&run.0),
        "30.0 ms on 2 workers: the workers were busy 100 % of the time, so the amount of work sets the time. \
         Parallelism 12.0: more workers would help."
    );
}

#[test]
fn the_sentence_says_what_was_after_the_last_task() {
    assert_eq!(
        said(&called()),
        "20.0 ms on 2 workers: the last task ended after 8.00 ms, and then callbacks ran for 12.0 ms, the longest \
         that of main.rs:7. Parallelism 1.00; 40 % of worker time nothing was ready."
    );
    let mut run = Sample::new(1, 20);
    run.task("step", 0, [0, 5], &[]);
    // Two at the same time are there for as long as one.
    for row in 0..2 {
        run.callback(row, [5, 11], None);
    }
    assert!(
        said(&run.0).starts_with(
            "20.0 ms on 1 worker: the last task ended after 5.00 ms, and then no task ran for 15.0 ms."
        ),
        "{}",
        said(&run.0)
    );
}

#[test]
fn the_sentence_says_that_callbacks_took_the_time() {
    let mut run = Sample::new(1, 20);
    for k in 0..4 {
        let task = run.task("step", 0, [5 * k, 5 * k + 2], &[]);
        run.callback(0, [5 * k + 2, 5 * k + 5], Some(task));
    }
    assert!(
        said(&run.0).starts_with(
            "20.0 ms on 1 worker: the workers were busy 100 % of the time, 60 % of that with callbacks, so the amount"
        ),
        "{}",
        said(&run.0)
    );
}

#[test]
fn what_runs_at_once_elsewhere_is_all_run_time() {
    let mut run = Sample::new(2, 10);
    run.0.rows[1].helps = true;
    run.task("near", 0, [0, 5], &[]);
    for from in [0, 2, 4] {
        run.task("far", 1, [from, from + 5], &[]);
    }
    let causes = Analysis::of(&run.0).causes;
    assert_eq!((causes.total[RUN] / MS as f64).round() as u64, 20);
    assert!(causes.total.iter().all(|&part| part >= 0.0), "{:?}", causes.total);
    assert!((causes.all - causes.total.iter().sum::<f64>()).abs() < 1.0);
}

#[test]
fn the_sentence_of_virtual_time_in_which_none_passed() {
    let mut run = Sample::new(1, 0);
    run.task("step", 0, [0, 0], &[]);
    assert_eq!(said(&run.0), "No time passed: in virtual time only pauses and timeouts take any.");
}

#[test]
fn the_sentence_of_nothing() {
    assert_eq!(said(&Sample::new(2, 1).0), "Nothing ran. The recording holds no task.");
}

#[test]
fn a_task_with_a_hundred_thousand_waits_is_looked_at_in_time() {
    let mut run = Sample::new(2, 400_001);
    let outer = run.task("outer", 0, [0, 400_001], &[]);
    for k in 0..100_000 {
        let inner = run.child(outer, 4 * k, "inner", 1, [4 * k + 1, 4 * k + 2]);
        run.waits(outer, [4 * k, 4 * k + 3], Some(inner));
    }
    let begin = std::time::Instant::now();
    assert_eq!(Analysis::of(&run.0).ran.steps.len(), 200_001);
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}

#[test]
fn workers_that_never_began_were_idle_for_a_cause() {
    let mut run = Sample::new(1, 10);
    run.0.unneeded = 3;
    let limit = run.limit("disk", 1);
    run.task("write", 0, [0, 5], &[]);
    let b = run.task("write", 0, [5, 10], &[]);
    run.held(b, limit, 5);
    let total = Analysis::of(&run.0).causes.total.map(|part| (part / MS as f64).round() as u64);
    assert_eq!(total, [10, 0, 5, 0, 25, 0]);
}
