//! Workers that are killed all the time: all outcomes are right, each once.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use asynckit_cluster::{Cluster, WorkerStatus};
use rustix::process::Signal;

use crate::functions::*;
use crate::site::{Site, Test, eventually, soak};

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

fn chaos_loses_nothing_and_hands_out_nothing_twice(site: &Site) {
    let cluster = site.with(Cluster::builder().deliveries(1_000), 4);
    let results: Vec<_> = (0..3_000).map(|n| risky(n).spawn_on(&*cluster)).collect();
    let mut killed = 0;
    // Each time one worker of those that run something. (Over NATS a new one may have calls before the driver has heard
    // of its process.)
    while !results.iter().all(|result| result.is_set()) {
        let status = cluster.status();
        let is_busy = |worker: &&WorkerStatus| worker.running.len() > 1 && worker.process != 0;
        let busy = status.workers.iter().find(is_busy);
        if let Some(worker) = busy.filter(|_| killed < 20) {
            killed += 1;
            kill_if_there(worker.process);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    for (n, result) in results.into_iter().enumerate() {
        assert_eq!(result.get().unwrap(), (n * n) as u64);
    }
    assert_eq!(cluster.status().open, 0);
}

/// How long a call takes in the next one, in milliseconds.
const LASTS: u64 = 15;

fn kill_if_there(process: u32) {
    let process = rustix::process::Pid::from_raw(process.cast_signed()).unwrap();
    let _ = rustix::process::kill_process(process, Signal::KILL);
}

/// Each outcome that has come of each call.
type Outcomes = HashMap<u64, Vec<Result<u64, String>>>;

/// One of them, or a tenth where there are more, with the usual deliveries. For some seconds, and with as many workers
/// and calls as `scripts/soak` says.
fn calls_come_out_right_while_workers_are_killed_each_second(site: &Site) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<usize>().ok());
    let seconds = soak().unwrap_or(5);
    let most = number("ASYNCKIT_SOAK_WORKERS").unwrap_or(4);
    let a_second = number("ASYNCKIT_SOAK_CALLS").unwrap_or(200) as u64;
    let cluster = site.cluster(most);
    let outcomes = Arc::<Mutex<Outcomes>>::default();
    let (begin, mut calls, mut killed) = (Instant::now(), 0, 0u64);
    for round in 1..=seconds {
        for n in calls..calls + a_second {
            let its = outcomes.clone();
            risky_for(n, LASTS).spawn_on(&*cluster).on_set(move |outcome| {
                let outcome = outcome.copied().map_err(|error| format!("{error:#}"));
                its.lock().unwrap().entry(n).or_default().push(outcome);
            });
        }
        calls += a_second;
        let is_busy = |worker: &WorkerStatus| !worker.running.is_empty() && worker.process != 0;
        let busy = || {
            let workers = cluster.status().workers.into_iter();
            workers.filter(is_busy).map(|worker| worker.process).collect::<Vec<u32>>()
        };
        // (Right after those that were killed before there may be none.)
        eventually("some are busy", || !busy().is_empty());
        for process in busy().into_iter().take((most / 10).max(1)) {
            kill_if_there(process);
            killed += 1;
        }
        std::thread::sleep(Duration::from_secs(round).saturating_sub(begin.elapsed()));
    }
    while cluster.status().open > 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let (redelivered, took) = (cluster.status().redelivered, begin.elapsed().as_secs_f64());
    // When that is over, so is all that could be told of them.
    drop(cluster);
    let outcomes = outcomes.lock().unwrap();
    for n in 0..calls {
        assert_eq!(outcomes.get(&n).map(Vec::as_slice), Some(&[Ok(n * n)][..]), "of {n}");
    }
    assert!(killed >= seconds && redelivered > 0, "{killed} killed, {redelivered} delivered again");
    let words = format!(
        "{}: {calls} calls, the last outcome after {took:.1} s; {killed} kills of {most} workers in {seconds} s, \
         {redelivered} calls delivered again\n",
        site.name,
    );
    std::io::stderr().write_all(words.as_bytes()).unwrap();
}
