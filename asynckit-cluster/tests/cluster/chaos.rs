//! Workers that are killed all the time: all outcomes are right, each once.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use asynckit_cluster::{Cluster, WorkerStatus};
use rustix::process::{Pid, Signal, kill_process};

use crate::functions::*;
use crate::site::{LIMIT, Site, Test, eventually, soak};

pub const ALL: &[Test] = &[
    (
        "chaos_loses_nothing_and_hands_out_nothing_twice",
        chaos_loses_nothing_and_hands_out_nothing_twice,
    ),
    (
        "calls_come_out_right_while_workers_are_killed_each_second",
        calls_come_out_right_while_workers_are_killed_each_second,
    ),
];

/// What takes so long that it has to be asked for: `.ci/run` does so.
pub const LONG: &[Test] = &[(
    "no_call_of_20_000_is_lost_in_a_minute_of_killed_workers",
    no_call_of_20_000_is_lost_in_a_minute_of_killed_workers,
)];

fn chaos_loses_nothing_and_hands_out_nothing_twice(site: &Site) {
    let cluster = site.with(Cluster::builder().deliveries(1_000), 4);
    let results: Vec<_> = (0..3_000).map(|n| risky(n).spawn_on(&*cluster)).collect();
    let mut killed = Killed::default();
    // Each time one worker of those that run something. (Over NATS a new one may have calls before the driver has heard
    // of its process.)
    while !results.iter().all(|result| result.is_set()) {
        let status = cluster.status();
        let is_busy = |worker: &&WorkerStatus| worker.running.len() > 1 && worker.process != 0;
        let mut busy = status.workers.iter().filter(is_busy);
        if killed.0.len() < 20 {
            busy.any(|worker| killed.one_more(worker.process));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    for (n, result) in results.into_iter().enumerate() {
        assert_eq!(result.get().unwrap(), (n * n) as u64);
    }
    assert_eq!(cluster.status().open, 0);
}

/// Those that were killed. Each is there until its end is noticed, and takes further signals.
#[derive(Default)]
struct Killed(HashSet<u32>);

impl Killed {
    /// Whether it lived until now.
    fn one_more(&mut self, process: u32) -> bool {
        let id = Pid::from_raw(process.cast_signed()).unwrap();
        !self.0.contains(&process)
            && kill_process(id, Signal::KILL).is_ok()
            && self.0.insert(process)
    }
}

/// One of them, with the usual deliveries. For some seconds, and with as many workers and calls as `scripts/soak` says.
fn calls_come_out_right_while_workers_are_killed_each_second(site: &Site) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<usize>().ok());
    let workers = number("ASYNCKIT_SOAK_WORKERS").unwrap_or(4);
    let a_second = number("ASYNCKIT_SOAK_CALLS").unwrap_or(200) as u64;
    let chaos = Chaos { seconds: soak().unwrap_or(5), workers, a_second };
    chaos.goes_by(site);
}

/// As long and as many as is promised: a minute, and 20,000 calls.
fn no_call_of_20_000_is_lost_in_a_minute_of_killed_workers(site: &Site) {
    let chaos = Chaos { seconds: 60, workers: 10, a_second: 400 };
    assert!(chaos.seconds * chaos.a_second >= 20_000);
    chaos.goes_by(site);
}

/// So many workers, of which a tenth is killed each second, one at least, while so many calls a second go out.
struct Chaos {
    seconds: u64,
    workers: usize,
    a_second: u64,
}

/// How long a call takes there, in milliseconds.
const LASTS: u64 = 15;

/// Each outcome that has come of each call.
type Outcomes = HashMap<u64, Vec<Result<u64, String>>>;

impl Chaos {
    /// All of the calls go out and come back, however long a busy machine takes for that.
    fn goes_by(&self, site: &Site) {
        let Chaos { seconds, workers, a_second } = *self;
        let cluster = site.cluster(workers);
        let outcomes = Arc::<Mutex<Outcomes>>::default();
        let (begin, mut calls, mut killed) = (Instant::now(), 0, Killed::default());
        for round in 1..=seconds {
            for n in calls..calls + a_second {
                let its = outcomes.clone();
                risky_for(n, LASTS).spawn_on(&*cluster).on_set(move |outcome| {
                    let outcome = outcome.copied().map_err(|error| format!("{error:#}"));
                    its.lock().unwrap().entry(n).or_default().push(outcome);
                });
            }
            calls += a_second;
            for _ in 0..(workers / 10).max(1) {
                kill_one(&cluster, round as usize, &mut killed);
            }
            std::thread::sleep(Duration::from_secs(round).saturating_sub(begin.elapsed()));
        }
        wait_for_all(&cluster);
        let (redelivered, took) = (cluster.status().redelivered, begin.elapsed().as_secs_f64());
        // When that is over, so is all that could be told of them.
        drop(cluster);
        let outcomes = outcomes.lock().unwrap();
        for n in 0..calls {
            assert_eq!(outcomes.get(&n).map(Vec::as_slice), Some(&[Ok(n * n)][..]), "of {n}");
        }
        assert!(redelivered > 0, "none was lost with its worker");
        let words = format!(
            "{}: {calls} calls, the last outcome after {took:.1} s; {} kills of {workers} workers in {seconds} s, \
             {redelivered} calls delivered again\n",
            site.name,
            killed.0.len(),
        );
        std::io::stderr().write_all(words.as_bytes()).unwrap();
    }
}

/// Kills one of those that run something; in turn, so that a call which was lost with one is not with the next.
fn kill_one(cluster: &Cluster, turn: usize, killed: &mut Killed) {
    let is_busy = |worker: &WorkerStatus| !worker.running.is_empty() && worker.process != 0;
    eventually("one that is busy is killed", || {
        let workers = cluster.status().workers.into_iter().filter(is_busy);
        let mut busy: Vec<u32> = workers.map(|worker| worker.process).collect();
        let first = turn % busy.len().max(1);
        busy.rotate_left(first);
        busy.into_iter().any(|process| killed.one_more(process))
    });
}

/// Until each call has its outcome; one that is lost is waited for in vain.
fn wait_for_all(cluster: &Cluster) {
    let mut last = (usize::MAX, Instant::now());
    loop {
        let open = cluster.status().open;
        if open == 0 {
            return;
        }
        if open < last.0 {
            last = (open, Instant::now());
        }
        assert!(last.1.elapsed() < LIMIT / 2, "{open} calls have no outcome, and none comes");
        std::thread::sleep(Duration::from_millis(20));
    }
}
