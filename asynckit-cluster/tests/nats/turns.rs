//! Workers that have more to do than time: who waits gets a turn, and loses nothing by waiting.

use std::time::{Duration, Instant};

use asynckit::AsyncResult;
use asynckit_cluster::Cluster;

use crate::calls::{begun, gated_once, limited_once, nap};
use crate::support::{Dir, LONG, NatsServer, WorkerProcess, soon};

/// Waits for a call while there are always others that wait as well, and take so long; how many these were.
fn under_steady_load(
    cluster: &Cluster,
    milliseconds: [u64; 2],
    one: impl FnOnce() -> AsyncResult<u64>,
) -> u64 {
    let [first, others] = milliseconds;
    let mut load = vec![nap(first).spawn_on(cluster)];
    load.extend((0..3).map(|_| nap(others).spawn_on(cluster)));
    let mut count = load.len() as u64;
    soon("they are under way", || {
        cluster.status().workers.iter().any(|worker| !worker.running.is_empty())
    });
    let (one, begin) = (one(), Instant::now());
    while !one.is_set() {
        assert!(begin.elapsed() < LONG, "it never has its turn");
        for call in load.iter_mut().filter(|call| call.is_set()) {
            *call = nap(others).spawn_on(cluster);
            count += 1;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    one.get().unwrap();
    for call in load {
        call.cancel();
    }
    count
}

/// It waits for a process that runs nothing else, and two threads that end at different times share the only one.
#[test]
fn what_goes_alone_gets_its_turn_in_a_busy_process() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let _worker = WorkerProcess::with(&format!("{}/test", server.url()), "w", 2, |command| {
        command.env("ASYNCKIT_WORKER_PROCESSES", "1");
    });
    dir.allow("go");
    let others = under_steady_load(&cluster, [2_000, 4_000], || {
        gated_once(dir.path().to_owned(), 1).spawn_on(&cluster)
    });
    assert!(server.published("WORK") > others + 1, "it was handed back");
    assert_eq!((begun(dir.path(), 1).len(), cluster.status().redelivered), (1, 0));
}

/// The worker asks for calls of both kinds, and has a thread for one of them.
#[test]
fn what_is_limited_gets_its_turn_among_others() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let _worker = server.worker("w", 1);
    under_steady_load(&cluster, [3_000; 2], || {
        limited_once(dir.path().to_owned(), 1).spawn_on(&cluster)
    });
    assert_eq!((begun(dir.path(), 1).len(), cluster.status().redelivered), (1, 0));
}

/// A worker lives long, and sees many drivers.
#[test]
fn a_worker_asks_for_no_calls_of_functions_that_no_driver_has() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let _worker = server.worker("w", 1);
    let limited = |n, cluster: &Cluster| limited_once(dir.path().to_owned(), n).spawn_on(cluster);
    assert_eq!(limited(1, &cluster).get().unwrap(), 1);
    soon("it asks", || server.requests_for_limited() > 0);
    drop(cluster);
    // A request stands for 5 s.
    let mut last = Instant::now();
    soon("it has not asked for a while", || {
        if server.requests_for_limited() > 0 {
            last = Instant::now();
        }
        last.elapsed() > Duration::from_secs(8)
    });
    assert_eq!(limited(2, &server.cluster()).get().unwrap(), 2);
}
