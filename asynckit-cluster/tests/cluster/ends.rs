//! Processes that end, at each moment, and such as are stopped for a while.

use std::collections::HashSet;
use std::time::Duration;

use asynckit::{ErrorKind, Results};
use asynckit_cluster::Cluster;
use rustix::process::Signal;

use crate::functions::*;
use crate::signals::{is_alive, signal, stop};
use crate::site::{Folder, Here, Site, Test, eventually};

pub const ALL: &[Test] = &[
    ("a_killed_worker_loses_no_call", a_killed_worker_loses_no_call),
    (
        "a_worker_killed_before_it_begins_loses_no_call",
        a_worker_killed_before_it_begins_loses_no_call,
    ),
    (
        "a_worker_killed_before_it_tells_loses_no_call",
        a_worker_killed_before_it_tells_loses_no_call,
    ),
    (
        "a_worker_that_is_killed_after_it_told_changes_nothing",
        a_worker_that_is_killed_after_it_told_changes_nothing,
    ),
    ("a_poison_call_is_lost_and_nobody_else", a_poison_call_is_lost_and_nobody_else),
    ("a_call_that_goes_out_once_is_lost_at_once", a_call_that_goes_out_once_is_lost_at_once),
    ("a_lost_call_is_tried_again_where_it_may", a_lost_call_is_tried_again_where_it_may),
    ("a_call_has_one_id_at_each_delivery", a_call_has_one_id_at_each_delivery),
    ("a_worker_stopped_within_its_lease_goes_on", a_worker_stopped_within_its_lease_goes_on),
    (
        "a_stopped_worker_loses_its_lease_and_tells_nothing_twice",
        a_stopped_worker_loses_its_lease_and_tells_nothing_twice,
    ),
];

/// While the call runs: it runs again, in another process.
fn a_killed_worker_loses_no_call(site: &Site) {
    let (cluster, folder) = (site.cluster(2), Folder::new());
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let one = meet(&runs, &until).spawn_on(&cluster.on(s));
        eventually("it runs", || folder.count("runs") == 1);
        signal(folder.processes("runs")[0], Signal::KILL);
        eventually("it runs again", || folder.count("runs") == 2);
        folder.make("until");
        let [first, second] = folder.processes("runs")[..] else { unreachable!() };
        assert_ne!(first, second);
        assert_eq!(one.get().unwrap(), second);
    });
    assert_eq!(cluster.status().redelivered, 1);
    // It ends itself.
    let file = folder.file("at first");
    assert_eq!(end_at_first(&file).spawn_here(&cluster), folder.processes("at first")[1]);
    assert_eq!(folder.count("at first"), 2);
}

fn a_worker_killed_before_it_begins_loses_no_call(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    folder.make("until");
    let idle = process().spawn_on(&*cluster).get().unwrap();
    // Stopped, it has the call and does not begin it.
    stop(idle);
    cluster.pool().scope(|s| {
        let result = meet(&runs, &until).spawn_on(&cluster.on(s));
        eventually("a worker has it", || {
            cluster.status().workers.iter().any(|worker| !worker.running.is_empty())
        });
        signal(idle, Signal::KILL);
        assert_ne!(result.get().unwrap(), idle);
    });
    assert_eq!(folder.count("runs"), 1);
}

/// Its code has come to its end: it runs again nevertheless, as nobody knows how it came out.
fn a_worker_killed_before_it_tells_loses_no_call(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    assert_eq!(end_before_it_tells(&folder.file("runs")).spawn_here(&cluster), Untold(2));
    assert_eq!(folder.processes("runs").into_iter().collect::<HashSet<_>>().len(), 2);
    assert_eq!(cluster.status().redelivered, 1);
}

fn a_worker_that_is_killed_after_it_told_changes_nothing(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    folder.make("until");
    let told = meet(&folder.file("runs"), &folder.file("until")).spawn_here(&cluster);
    signal(told, Signal::KILL);
    eventually("nothing is left of it", || !is_alive(told));
    assert_ne!(process().spawn_on(&*cluster).get().unwrap(), told);
    assert_eq!(folder.count("runs"), 1);
}

fn a_poison_call_is_lost_and_nobody_else(site: &Site) {
    let (cluster, folder) = (site.cluster(2), Folder::new());
    let file = folder.file("runs");
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let poison = end(&file, "speak").spawn_on(&place);
        let others: Vec<_> = (0..200).map(|n| add(n, 1).spawn_on(&place)).collect();
        for (n, one) in others.into_iter().enumerate() {
            assert_eq!(one.get().unwrap(), n as u64 + 1);
        }
        let error = poison.get().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Lost);
        let text = error.to_string();
        assert!(text.contains("end was lost, 3 times: w"), "{text}");
        assert!(text.contains("signal 6 (SIGABRT); its last words: "), "{text}");
        assert!(text.contains("these are my last words"), "{text}");
        assert_eq!(folder.count("runs"), 3);
        for (how, words) in [("exit", "exit code 3"), ("segv", "signal 11 (SIGSEGV)")] {
            let error = end(&file, how).spawn_on(&place).get().unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    });
}

fn a_call_that_goes_out_once_is_lost_at_once(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let error = end_once(&folder.file("runs")).fail_here(&cluster);
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert!(error.to_string().contains("was lost, once: "), "{error}");
    assert_eq!(folder.count("runs"), 1);
}

/// Deliveries are no tries: what may go out once is lost with its process, and that is a failure as others are.
fn a_lost_call_is_tried_again_where_it_may(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    assert_eq!(end_at_first_try(&folder.file("runs")).spawn_here(&cluster), 2);
    assert_eq!((folder.count("runs"), cluster.status().redelivered), (2, 0));
}

/// And another one at each try.
fn a_call_has_one_id_at_each_delivery(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    assert_eq!(id_each_time(&folder.file("ids")).spawn_here(&cluster), 3);
    let [lost, failed, last] = &folder.lines("ids")[..] else { panic!("it ran three times") };
    assert_eq!(lost, failed);
    assert_ne!(failed, last);
}

fn a_worker_stopped_within_its_lease_goes_on(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let one = meet(&runs, &until).spawn_on(&cluster.on(s));
        eventually("it runs", || folder.count("runs") == 1);
        let stopped = folder.processes("runs")[0];
        stop(stopped);
        folder.make("until");
        std::thread::sleep(Duration::from_millis(100));
        assert!(!one.is_set());
        signal(stopped, Signal::CONT);
        assert_eq!(one.get().unwrap(), stopped);
    });
    assert_eq!((folder.count("runs"), cluster.status().redelivered), (1, 0));
}

/// Then it is killed, so that it can't go on with what somebody else does by now.
fn a_stopped_worker_loses_its_lease_and_tells_nothing_twice(site: &Site) {
    let folder = Folder::new();
    let cluster = site.with(Cluster::builder().lease(Duration::from_millis(300)), 2);
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let one = meet(&runs, &until).spawn_on(&cluster.on(s));
        eventually("it runs", || folder.count("runs") == 1);
        let stopped = folder.processes("runs")[0];
        stop(stopped);
        // Over NATS the lease is the worker's, of 10 s.
        eventually("it runs again", || folder.count("runs") == 2);
        eventually("it is gone", || !is_alive(stopped));
        folder.make("until");
        assert_eq!(one.get().unwrap(), folder.processes("runs")[1]);
    });
    let all = (0..50).map(|n| add(n, n).spawn_on(&*cluster)).try_join_all().get().unwrap();
    assert_eq!(all, (0..50).map(|n| 2 * n).collect::<Vec<u64>>());
    assert_eq!((folder.count("runs"), cluster.status().open), (2, 0));
}
