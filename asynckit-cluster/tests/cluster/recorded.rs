//! What a recording says of calls that workers run.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use asynckit::{ErrorKind, async_work, chain};
use asynckit_view::{Recording, Run};
use serde_json::Value;

use crate::functions::{end_once, fails, meet, note, wait_for};
use crate::site::{Folder, Site, Test, eventually};

pub const ALL: &[Test] = &[
    ("what_ran_there_lies_between_what_led_to_it", what_ran_there_lies_between_what_led_to_it),
    ("one_that_runs_alone_is_beside_no_other", one_that_runs_alone_is_beside_no_other),
    ("who_waits_for_room_is_told_as_held", who_waits_for_room_is_told_as_held),
    ("who_waits_for_a_turn_is_told_as_held", who_waits_for_a_turn_is_told_as_held),
    ("failed_and_lost_calls_are_marked", failed_and_lost_calls_are_marked),
];

/// Tests keep somebody waiting for so long.
const LONG: Duration = Duration::from_millis(40);

const MICROS: f64 = LONG.as_micros() as f64;

/// Clocks of two threads differ by less, in microseconds.
const SLACK: f64 = 500.0;

#[async_work]
fn here(n: u64) -> u64 {
    n
}

#[async_work(remote)]
fn there(n: u64) -> u64 {
    sleep(LONG);
    n
}

#[async_work(remote, limit = 1)]
fn alone(runs: &Path, until: &Path) -> u64 {
    let times = note(runs);
    wait_for(until);
    times
}

#[async_work(remote, limit = 4, weight = n)]
fn weighty(n: u64, runs: &Path, until: &Path) -> u64 {
    note(runs);
    wait_for(until);
    n
}

#[async_work(remote, rate = "2/s")]
fn paced(n: u64) -> u64 {
    n
}

/// A stretch of a task on a row, in microseconds, and what is said of the task.
#[derive(Debug)]
struct Slice {
    function: String,
    row: String,
    start: f64,
    end: f64,
    about: Value,
}

impl Slice {
    fn is_of_worker(&self) -> bool {
        self.row.starts_with('w')
    }

    fn held(&self) -> f64 {
        self.about["us held by a limit"].as_f64().unwrap_or(0.0)
    }
}

/// What a trace and a summary say.
struct Seen {
    summary: String,
    /// In the order of time.
    slices: Vec<Slice>,
    /// How the counters of limits went.
    counters: Vec<(String, Value)>,
}

impl Seen {
    fn of(run: &Run) -> Seen {
        let (folder, summary) = (Folder::new(), run.summary().to_string());
        run.save_trace(folder.file("run.json")).unwrap();
        let text = std::fs::read(folder.file("run.json")).unwrap();
        let trace: Value = serde_json::from_slice(&text).unwrap();
        let events = trace["traceEvents"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let row = |event: &Value| {
            let its = |name: &&Value| name["name"] == "thread_name" && name["tid"] == event["tid"];
            text(&events.iter().find(its).unwrap()["args"]["name"])
        };
        let slice = |event: &Value| {
            let (start, long) = (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap());
            let (function, about) = (text(&event["name"]), event["args"].clone());
            Slice { function, row: row(event), start, end: start + long, about }
        };
        let of_tasks = |event: &&Value| event["ph"] == "X" && event["args"]["task"].is_u64();
        let mut slices: Vec<Slice> = events.iter().filter(of_tasks).map(slice).collect();
        slices.sort_by(|a, b| a.start.total_cmp(&b.start));
        let counters = events.iter().filter(|event| event["ph"] == "C");
        let counters = counters.map(|event| (text(&event["name"]), event["args"].clone()));
        let of_limits = |name: &str| name.starts_with("limit ") || name.starts_with("rate ");
        let counters = counters.filter(|(name, _)| of_limits(name)).collect();
        Seen { summary, slices, counters }
    }

    /// Where calls of a function ran. Each did so once, on a worker's row, and within the time from when it was asked for
    /// here until its outcome was taken here.
    #[track_caller]
    fn ran(&self, function: &str) -> Vec<&Slice> {
        let its = || self.slices.iter().filter(|slice| slice.function == function);
        let there: Vec<&Slice> = its().filter(|slice| slice.is_of_worker()).collect();
        for one in &there {
            let of_it = |slice: &&Slice| slice.about["task"] == one.about["task"];
            let all: Vec<&Slice> = its().filter(of_it).collect();
            let [asked, .., taken] = all[..] else { panic!("{all:#?}") };
            assert_eq!(all.iter().filter(|slice| slice.is_of_worker()).count(), 1, "{all:#?}");
            assert!(asked.start <= one.start + SLACK && one.end <= taken.end + SLACK, "{all:#?}");
        }
        // The summary's table has as many, and says of none that it failed.
        assert_eq!(self.counted(function), (there.len(), 0), "{}", self.summary);
        there
    }

    /// What the summary's table says of a function: how many calls there were, and how many of them failed.
    fn counted(&self, function: &str) -> (usize, usize) {
        let rows = self.summary.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let row = rows.filter(|row| row.len() > 3).find(|row| row[0] == function);
        let row = row.expect(&self.summary);
        (row[1].parse().unwrap(), row[row.len() - 2].parse().unwrap())
    }
}

#[track_caller]
fn one_after_the_other(all: &[&Slice], slack: f64) {
    for two in all.windows(2) {
        assert!(two[0].end <= two[1].start + slack, "{two:#?}");
    }
}

fn what_ran_there_lies_between_what_led_to_it(site: &Site) {
    let (cluster, folder) = (site.cluster(2), Folder::new());
    let recording = Recording::of(cluster.pool());
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let both = [(); 2].map(|()| meet(&runs, &until).spawn_on(&place));
        eventually("both run", || folder.count("runs") == 2);
        sleep(LONG);
        folder.make("until");
        both.into_iter().for_each(|one| assert!(one.get().is_ok()));
        // What comes back from one process goes out to the next.
        let chained = chain!(&place, {
            let a = here(1);
            let b = there(a);
            let c = here(b);
            let d = there(c);
            here(d)
        });
        assert_eq!(chained.get().unwrap(), 1);
    });
    let seen = Seen::of(&recording.finish());
    let (both, there) = (seen.ran("meet"), seen.ran("there"));
    let [a, b] = both[..] else { panic!("{both:#?}") };
    assert_ne!(a.row, b.row, "each on a row of its own");
    assert!(a.start.max(b.start) < a.end.min(b.end), "at once: {a:?} {b:?}");
    assert!(there.iter().all(|one| one.end - one.start >= MICROS - SLACK), "{there:#?}");
    let here = seen.slices.iter().filter(|slice| slice.function == "here").collect::<Vec<_>>();
    assert!(here.iter().all(|one| !one.is_of_worker()), "{here:#?}");
    let ([c, e, g], [d, f]) = (&here[..], &there[..]) else { panic!("{here:#?} {there:#?}") };
    one_after_the_other(&[c, d, e, f, g], SLACK);
}

fn one_that_runs_alone_is_beside_no_other(site: &Site) {
    let (cluster, folder) = (site.cluster(2), Folder::new());
    let recording = Recording::of(cluster.pool());
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let all = [(); 3].map(|()| alone(&runs, &until).spawn_on(&place));
        eventually("one runs", || folder.count("runs") > 0);
        sleep(LONG);
        folder.make("until");
        all.into_iter().for_each(|one| assert!(one.get().is_ok()));
    });
    let seen = Seen::of(&recording.finish());
    let all = seen.ran("alone");
    assert_eq!(all.len(), 3);
    // A worker's clock is known up to how long its messages take, and the next may begin elsewhere before any has come.
    one_after_the_other(&all, MICROS / 2.0);
}

/// Limits that are kept here are the process's, whatever the cluster.
fn one_site_at_a_time() -> impl Drop {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn who_waits_for_room_is_told_as_held(site: &Site) {
    let _one = one_site_at_a_time();
    let (cluster, folder) = (site.cluster(2), Folder::new());
    let recording = Recording::of(cluster.pool());
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let three = weighty(3, &runs, &until).spawn_on(&place);
        eventually("one runs", || folder.count("runs") == 1);
        let two = weighty(2, &runs, &until).spawn_on(&place);
        eventually("the other is in line", || {
            cluster.pool().snapshot().limits.iter().any(|limit| limit.in_line == 1)
        });
        sleep(LONG);
        folder.make("until");
        assert_eq!((three.get().unwrap(), two.get().unwrap()), (3, 2));
    });
    let seen = Seen::of(&recording.finish());
    let all = seen.ran("weighty");
    let [three, two] = all[..] else { panic!("{all:#?}") };
    one_after_the_other(&all, SLACK);
    assert_eq!(three.held(), 0.0, "{three:?}");
    assert!(two.held() >= MICROS - SLACK, "{two:?}");
    let line = "held by the limit 4 at once: 1 time, ";
    assert!(seen.summary.contains(line), "{}", seen.summary);
    let both = |values: &Value| ["in use", "held"].map(|of| values[of].as_i64().unwrap());
    let all: Vec<[i64; 2]> = seen.counters.iter().map(|(_, values)| both(values)).collect();
    assert!(all.contains(&[3, 1]) && all.contains(&[2, 0]), "{all:?}");
    assert!(all.iter().all(|[used, _]| *used <= 4) && all.last() == Some(&[0, 0]), "{all:?}");
}

fn who_waits_for_a_turn_is_told_as_held(site: &Site) {
    let _one = one_site_at_a_time();
    let cluster = site.cluster(2);
    let recording = Recording::of(cluster.pool());
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let all = [1, 2, 3].map(|n| paced(n).spawn_on(&place));
        assert_eq!(all.map(|one| one.get().unwrap()), [1, 2, 3]);
    });
    let seen = Seen::of(&recording.finish());
    let all = seen.ran("paced");
    assert_eq!(all.len(), 3);
    // The first may have its turn at once. The others wait for one each.
    let mut held: Vec<f64> = all.iter().map(|one| one.held()).filter(|held| *held > 0.0).collect();
    held.sort_by(f64::total_cmp);
    let later = held.windows(2).all(|two| two[0] + MICROS <= two[1]);
    assert!(held.len() >= 2 && later, "{held:?}");
    let line = format!("held by the rate 2 per second: {} times, ", held.len());
    assert!(seen.summary.contains(&line), "{}", seen.summary);
    let counter: Vec<i64> =
        seen.counters.iter().map(|(_, values)| values["held"].as_i64().unwrap()).collect();
    assert!(counter.contains(&1) && counter.last() == Some(&0), "{counter:?}");
}

fn failed_and_lost_calls_are_marked(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let recording = Recording::of(cluster.pool());
    let runs = folder.file("runs");
    let kinds = cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let failed = fails("A".into()).spawn_on(&place).get().unwrap_err();
        let lost = end_once(&runs).spawn_on(&place).get().unwrap_err();
        [failed.kind(), lost.kind()]
    });
    assert_eq!(kinds, [ErrorKind::Failed, ErrorKind::Lost]);
    let run = recording.finish();
    let seen = Seen::of(&run);
    assert_eq!(run.failures(), 2);
    assert_eq!(["fails", "end_once"].map(|function| seen.counted(function)), [(1, 1); 2]);
    for (function, said) in [("fails", "nothing was written"), ("end_once", "was lost, once: w")] {
        let mark = |line: &str| {
            line.starts_with(&format!("✕ {function} #"))
                && line.contains(&format!(" failed: {said}"))
        };
        assert!(seen.summary.lines().any(mark), "{}", seen.summary);
        let its = seen.slices.iter().filter(|slice| slice.function == function);
        let its: Vec<&Slice> = its.collect();
        for one in &its {
            let error = one.about["error"].as_str().unwrap();
            assert!(one.about["state"] == "failed" && error.starts_with(said), "{one:#?}");
        }
        // Of one that was lost nobody has told when it ran.
        let there = its.iter().filter(|slice| slice.is_of_worker()).count();
        assert_eq!((its.is_empty(), there), (false, usize::from(function == "fails")), "{its:#?}");
    }
}
