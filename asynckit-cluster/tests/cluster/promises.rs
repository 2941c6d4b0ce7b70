//! What holds whatever carries the calls.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use asynckit::{CancelToken, ErrorKind, Results, chain};
use asynckit_cluster::{Cluster, RemoteError, WorkerStatus};
use rustix::process::Signal;

use crate::functions::*;
use crate::site::{Folder, Site, eventually, is_alive, signal};

/// A test and its name.
pub type Test = (&'static str, fn(&Site));

pub const ALL: &[Test] = &[
    ("a_call_runs_in_another_process", a_call_runs_in_another_process),
    ("values_and_arguments_travel", values_and_arguments_travel),
    ("what_borrows_goes_by_a_scope", what_borrows_goes_by_a_scope),
    ("remote_work_in_remote_work_runs_there", remote_work_in_remote_work_runs_there),
    ("large_arguments_and_values_travel", large_arguments_and_values_travel),
    ("a_failure_is_the_same_as_here", a_failure_is_the_same_as_here),
    ("an_error_travels_typed_where_that_is_said", an_error_travels_typed_where_that_is_said),
    ("a_panic_and_its_place_travel", a_panic_and_its_place_travel),
    ("a_failed_call_is_tried_again", a_failed_call_is_tried_again),
    ("a_call_has_an_id_of_its_own", a_call_has_an_id_of_its_own),
    ("a_limit_holds_for_the_whole_cluster", a_limit_holds_for_the_whole_cluster),
    (
        "what_is_cancelled_before_it_begins_never_runs",
        what_is_cancelled_before_it_begins_never_runs,
    ),
    ("what_runs_learns_that_it_is_cancelled", what_runs_learns_that_it_is_cancelled),
    ("a_time_limit_holds_there", a_time_limit_holds_there),
    ("what_is_past_its_deadline_is_not_begun", what_is_past_its_deadline_is_not_begun),
    (
        "what_is_out_of_time_is_killed_after_its_grace",
        what_is_out_of_time_is_killed_after_its_grace,
    ),
    ("what_is_cancelled_is_killed_after_its_grace", what_is_cancelled_is_killed_after_its_grace),
    ("who_takes_too_much_memory_ends", who_takes_too_much_memory_ends),
    ("a_killed_worker_loses_no_call", a_killed_worker_loses_no_call),
    (
        "a_worker_killed_before_it_begins_loses_no_call",
        a_worker_killed_before_it_begins_loses_no_call,
    ),
    (
        "a_worker_that_is_killed_after_it_told_changes_nothing",
        a_worker_that_is_killed_after_it_told_changes_nothing,
    ),
    ("a_poison_call_is_lost_and_nobody_else", a_poison_call_is_lost_and_nobody_else),
    ("a_call_that_goes_out_once_is_lost_at_once", a_call_that_goes_out_once_is_lost_at_once),
    (
        "a_stopped_worker_loses_its_lease_and_tells_nothing_twice",
        a_stopped_worker_loses_its_lease_and_tells_nothing_twice,
    ),
    (
        "chaos_loses_nothing_and_hands_out_nothing_twice",
        chaos_loses_nothing_and_hands_out_nothing_twice,
    ),
    (
        "what_is_given_up_with_the_pool_leaves_nothing",
        what_is_given_up_with_the_pool_leaves_nothing,
    ),
    ("the_status_says_who_runs_what", the_status_says_who_runs_what),
    ("who_looks_on_sees_where_calls_ran", who_looks_on_sees_where_calls_ran),
    ("two_clusters_are_two", two_clusters_are_two),
    ("a_deterministic_pool_waits_for_its_calls", a_deterministic_pool_waits_for_its_calls),
    ("an_async_chain_goes_out", an_async_chain_goes_out),
];

fn a_call_runs_in_another_process(site: &Site) {
    let cluster = site.cluster(1);
    let other = process().spawn_on(&*cluster).get().unwrap();
    assert_ne!(other, std::process::id());
    assert_eq!(process().run().unwrap(), std::process::id(), "without a cluster it is a function");
    assert_eq!(process().spawn_on(&*cluster).get().unwrap(), other, "workers are kept");
}

fn values_and_arguments_travel(site: &Site) {
    let cluster = site.cluster(2);
    assert_eq!(add(1, 2).spawn_on(&*cluster).get().unwrap(), 3);
    let loud = chain!(&*cluster, {
        let text = shout("a b");
        let again = shout(&text);
        again
    });
    assert_eq!(loud.get().unwrap(), "A B");
    assert_eq!(asynchronous(4).spawn_on(&*cluster).get().unwrap(), 5);
    let all = (0..500).map(|n| add(n, n).spawn_on(&*cluster)).try_join_all();
    assert_eq!(all.get().unwrap(), (0..500).map(|n| 2 * n).collect::<Vec<u64>>());
}

fn what_borrows_goes_by_a_scope(site: &Site) {
    let cluster = site.cluster(2);
    let numbers: Vec<u64> = (0..100).collect();
    let there: Vec<u64> = cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let sums = (0..100).map(|n| Numbers::sum(&numbers[..n]).spawn_on(&place));
        sums.collect::<Vec<_>>().into_iter().map(|sum| sum.get().unwrap()).collect()
    });
    let here: Vec<u64> = (0..100).map(|n| numbers[..n].iter().sum()).collect();
    assert_eq!(there, here);
}

fn remote_work_in_remote_work_runs_there(site: &Site) {
    let cluster = site.cluster(2);
    let (outside, inside) = nested().spawn_on(&*cluster).get().unwrap();
    assert_eq!(outside, inside);
}

fn large_arguments_and_values_travel(site: &Site) {
    let cluster = site.cluster(2);
    let large: Vec<u8> = (0..1_000_000u32).map(|n| n as u8).collect();
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let all: Vec<_> = (0..6).map(|_| length(&large).spawn_on(&place)).collect();
        all.into_iter().for_each(|one| assert_eq!(one.get().unwrap(), large.len()));
    });
    let n = 700_000;
    assert_eq!(bytes(n).spawn_on(&*cluster).get().unwrap().len(), n);
    // Through the driver, and out again.
    let again = chain!(&*cluster, {
        let all = bytes(n);
        length(&all)
    });
    assert_eq!(again.get().unwrap(), n);
}

fn a_failure_is_the_same_as_here(site: &Site) {
    let cluster = site.cluster(1);
    let error = fails("A".into()).spawn_on(&*cluster).get().unwrap_err();
    let here = fails("A".into()).run().unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (here.kind(), here.to_string()));
    assert_eq!(error.origin(), here.origin());
    let remote: &RemoteError = error.downcast_ref().unwrap();
    assert_eq!(remote.to_string(), "nothing was written");
    let whole = format!("{error:#}");
    assert!(whole.contains("nothing was written: the disk A is full"), "{whole}");
    assert!(whole.contains(concat!("fails (", file!(), ":")), "{whole}");
    // What has failed inside of it says so.
    let error = outer(1).spawn_on(&*cluster).get().unwrap_err();
    assert!(error.origin().ends_with("::inner"), "{error:#}");
    assert!(error.to_string().ends_with("inner failed: invalid digit found in string"), "{error}");
}

fn an_error_travels_typed_where_that_is_said(site: &Site) {
    let cluster = site.cluster(1);
    let error = fails_typed("A".into()).spawn_on(&*cluster).get().unwrap_err();
    assert_eq!(error.downcast_ref::<Full>().unwrap().disk, "A");
    assert_eq!(error.to_string(), fails_typed("A".into()).run().unwrap_err().to_string());
}

fn a_panic_and_its_place_travel(site: &Site) {
    let cluster = site.cluster(1);
    let error = panics(3).spawn_on(&*cluster).get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panicked);
    let text = error.to_string();
    assert!(text.contains("functions.rs:") && text.ends_with(": 3 on purpose"), "{text}");
    assert_eq!(add(1, 1).spawn_on(&*cluster).get().unwrap(), 2, "the worker goes on");
}

fn a_failed_call_is_tried_again(site: &Site) {
    let (cluster, folder) = (site.cluster(2), Folder::new());
    assert_eq!(third_time(&folder.file("runs")).spawn_here(&cluster), 3);
    assert_eq!(folder.count("runs"), 3);
}

fn a_call_has_an_id_of_its_own(site: &Site) {
    let cluster = site.cluster(1);
    let ids: Vec<String> =
        (0..10).map(|_| id_of_this_call().spawn_on(&*cluster)).try_join_all().get().unwrap();
    let mut others = ids.clone();
    others.sort();
    others.dedup();
    assert_eq!(others.len(), ids.len(), "{ids:?}");
    assert!(asynckit_cluster::call_id().is_none());
}

fn a_limit_holds_for_the_whole_cluster(site: &Site) {
    let (cluster, folder) = (site.cluster(4), Folder::new());
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let all: Vec<_> = (0..6).map(|_| limited(&runs, &until).spawn_on(&place)).collect();
        eventually("two run", || folder.count("runs") == 2);
        // Others go on meanwhile, and these two stay alone.
        assert_eq!(add(1, 1).spawn_on(&place).get().unwrap(), 2);
        assert_eq!(add(1, 1).spawn_on(&place).get().unwrap(), 2);
        assert_eq!(folder.count("runs"), 2);
        folder.make("until");
        all.into_iter().for_each(|one| assert!(one.get().is_ok()));
    });
    assert_eq!(folder.count("runs"), 6);
}

fn what_is_cancelled_before_it_begins_never_runs(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let (runs, until, never) = (folder.file("runs"), folder.file("until"), folder.file("never"));
    let token = CancelToken::new();
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let first = meet(&runs, &until).spawn_on(&place);
        eventually("it runs", || folder.count("runs") == 1);
        let behind: Vec<_> =
            (0..20).map(|_| meet(&never, &until).spawn_on(&token.on(&place))).collect();
        eventually("they are out", || cluster.status().open == 21);
        token.cancel();
        for one in behind {
            assert_eq!(one.get().unwrap_err().kind(), ErrorKind::Cancelled);
        }
        // Over NATS that has to get there before the worker has time for the next: what was asked for later is answered
        // later.
        eventually("nothing waits", || cluster.status().queued.is_empty());
        assert_eq!(cluster.status().open, 1);
        folder.make("until");
        assert!(first.get().is_ok());
    });
    assert_eq!(add(1, 1).spawn_on(&*cluster).get().unwrap(), 2);
    assert_eq!(folder.count("never"), 0);
}

fn what_runs_learns_that_it_is_cancelled(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let (runs, cancelled) = (folder.file("runs"), folder.file("cancelled"));
    cluster.pool().scope(|s| {
        let result = patient(&runs, &cancelled).spawn_on(&cluster.on(s));
        eventually("it runs", || folder.count("runs") == 1);
        assert!(result.cancel());
        let begin = Instant::now();
        eventually("it has learned of it", || folder.count("cancelled") == 1);
        assert!(begin.elapsed() < Duration::from_secs(4));
        assert_eq!(result.get().unwrap_err().kind(), ErrorKind::Cancelled);
    });
    assert_eq!(add(1, 1).spawn_on(&*cluster).get().unwrap(), 2);
}

fn a_time_limit_holds_there(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let error = slow(&folder.file("it")).fail_here(&cluster);
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let text = error.to_string();
    assert!(text.ends_with("slow was not done within 50ms"), "{text}");
}

fn what_is_past_its_deadline_is_not_begun(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let idle = process().spawn_on(&*cluster).get().unwrap();
    // Stopped, it gets the call, and comes to it when that is out of time.
    signal(idle, Signal::STOP);
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    folder.make("until");
    cluster.pool().scope(|s| {
        let late = meet(&runs, &until).deadline(Duration::from_millis(200));
        let error = late.spawn_on(&cluster.on(s)).get().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    });
    signal(idle, Signal::CONT);
    assert_eq!(add(1, 1).spawn_on(&*cluster).get().unwrap(), 2);
    assert_eq!(folder.count("runs"), 0);
    // One that has enough time is begun.
    let token = CancelToken::with_timeout(Duration::from_secs(100));
    let soon_enough = add(1, 2).deadline(Duration::from_secs(90)).spawn_on(&token.on(&*cluster));
    assert_eq!(soon_enough.get().unwrap(), 3);
}

fn what_is_out_of_time_is_killed_after_its_grace(site: &Site) {
    let folder = Folder::new();
    let cluster = site.with(Cluster::builder().grace(Duration::from_millis(50)), 1);
    let file = folder.file("process");
    let error = cluster.pool().scope(|s| slow(&file).spawn_on(&cluster.on(s)).get()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let killed = folder.process("process");
    eventually("it is gone", || !is_alive(killed));
    assert_ne!(process().spawn_on(&*cluster).get().unwrap(), killed);
    assert_eq!(cluster.status().redelivered, 0, "it does not go out again");
}

fn what_is_cancelled_is_killed_after_its_grace(site: &Site) {
    let folder = Folder::new();
    let cluster = site.with(Cluster::builder().grace(Duration::from_millis(50)), 1);
    let file = folder.file("process");
    cluster.pool().scope(|s| {
        let result = deaf(&file).spawn_on(&cluster.on(s));
        let killed = folder.process("process");
        let behind = add(1, 2).spawn_on(&*cluster);
        result.cancel();
        eventually("it is gone", || !is_alive(killed));
        assert_eq!(behind.get().unwrap(), 3);
    });
}

fn who_takes_too_much_memory_ends(site: &Site) {
    let cluster = site.cluster(1);
    assert_eq!(greedy(1 << 20).spawn_on(&*cluster).get().unwrap(), 1 << 20);
    let error = greedy(400 << 20).spawn_on(&*cluster).get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert!(error.to_string().contains("memory allocation of 419430400 bytes failed"), "{error}");
    // Others have the usual, which is no limit.
    assert_eq!(unlimited(400 << 20).spawn_on(&*cluster).get().unwrap(), 400 << 20);
}

fn a_killed_worker_loses_no_call(site: &Site) {
    let (cluster, folder) = (site.cluster(2), Folder::new());
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let one = meet(&runs, &until).spawn_on(&place);
        eventually("it runs", || folder.count("runs") == 1);
        let killed = the_worker(&cluster);
        signal(killed, Signal::KILL);
        eventually("it runs again", || folder.count("runs") == 2);
        folder.make("until");
        assert_ne!(one.get().unwrap(), killed);
    });
    assert_eq!(cluster.status().redelivered, 1);
    // It ends itself, when it has run and before it has told.
    assert_ne!(end_at_first(&folder.file("at first")).spawn_here(&cluster), 0);
    assert_eq!(folder.count("at first"), 2);
}

/// The only process that runs a call.
fn the_worker(cluster: &Cluster) -> u32 {
    let mut process = None;
    eventually("a worker runs it", || {
        let status = cluster.status();
        let busy = status.workers.iter().find(|worker| !worker.running.is_empty());
        process = busy.map(|worker| worker.process).filter(|process| *process != 0);
        process.is_some()
    });
    process.unwrap()
}

fn a_worker_killed_before_it_begins_loses_no_call(site: &Site) {
    let cluster = site.cluster(1);
    let idle = process().spawn_on(&*cluster).get().unwrap();
    // Stopped, it has the call and does not begin it.
    signal(idle, Signal::STOP);
    let result = process().spawn_on(&*cluster);
    // Over NATS it can't say so.
    if site.name == "processes" {
        eventually("it is with the worker", || {
            cluster.status().workers.iter().any(|worker| !worker.running.is_empty())
        });
    }
    signal(idle, Signal::KILL);
    assert_ne!(result.get().unwrap(), idle);
}

fn a_worker_that_is_killed_after_it_told_changes_nothing(site: &Site) {
    let cluster = site.cluster(1);
    let first = process().spawn_on(&*cluster);
    assert!(first.clone().get().is_ok());
    let told = first.get().unwrap();
    signal(told, Signal::KILL);
    assert_ne!(process().spawn_on(&*cluster).get().unwrap(), told);
    eventually("nothing is left of it", || !is_alive(told));
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

fn a_stopped_worker_loses_its_lease_and_tells_nothing_twice(site: &Site) {
    let folder = Folder::new();
    let cluster = site.with(Cluster::builder().lease(Duration::from_millis(300)), 2);
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let one = meet(&runs, &until).spawn_on(&cluster.on(s));
        eventually("it runs", || folder.count("runs") == 1);
        let stopped = the_worker(&cluster);
        signal(stopped, Signal::STOP);
        eventually("it runs again", || folder.count("runs") == 2);
        folder.make("until");
        let other = one.get().unwrap();
        assert_ne!(other, stopped);
        if is_alive(stopped) {
            signal(stopped, Signal::CONT);
        }
    });
    let all = (0..50).map(|n| add(n, n).spawn_on(&*cluster)).try_join_all().get().unwrap();
    assert_eq!(all, (0..50).map(|n| 2 * n).collect::<Vec<u64>>());
    assert_eq!(cluster.status().open, 0);
}

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
            signal_if_there(worker.process);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    for (n, result) in results.into_iter().enumerate() {
        assert_eq!(result.get().unwrap(), (n * n) as u64);
    }
    assert_eq!(cluster.status().open, 0);
}

fn signal_if_there(process: u32) {
    let process = rustix::process::Pid::from_raw(process.cast_signed()).unwrap();
    let _ = rustix::process::kill_process(process, Signal::KILL);
}

fn what_is_given_up_with_the_pool_leaves_nothing(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let other = process().spawn_on(&*cluster).get().unwrap();
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let all: Vec<_> = (0..3).map(|_| meet(&runs, &until).spawn_on(&place)).collect();
        eventually("one runs", || folder.count("runs") == 1);
        cluster.stop_timeout(Duration::from_millis(10));
        for one in all {
            assert_eq!(one.get().unwrap_err().kind(), ErrorKind::Stopped);
        }
    });
    assert_eq!(cluster.status().open, 0);
    // Over NATS it is somebody else's.
    if site.name == "processes" {
        eventually("the worker has ended", || !is_alive(other));
    }
}

fn the_status_says_who_runs_what(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let all: Vec<_> = (0..3).map(|_| meet(&runs, &until).spawn_on(&place)).collect();
        eventually("one runs", || folder.count("runs") == 1);
        eventually("all are out", || cluster.status().open == 3);
        let status = cluster.status();
        let text = status.to_string();
        assert_eq!(status.workers.len(), 1);
        assert!(text.contains("(process ") && text.contains("functions::meet, for "), "{text}");
        folder.make("until");
        all.into_iter().for_each(|one| assert!(one.get().is_ok()));
    });
}

/// Where calls ran, and when: `place, began, ended`.
#[derive(Default)]
struct Rows(Mutex<Vec<(String, Duration, Duration)>>);

impl asynckit::Observer for Rows {
    fn ran_elsewhere(&self, event: &asynckit::observe::RanElsewhere<'_>) {
        let row = (event.place.to_owned(), event.began, event.ended);
        self.0.lock().unwrap().push(row);
    }
}

fn who_looks_on_sees_where_calls_ran(site: &Site) {
    let (cluster, rows) = (site.cluster(2), Arc::new(Rows::default()));
    // So that both clocks are known well.
    (0..200).map(|n| add(n, n).spawn_on(&*cluster)).try_join_all().get().unwrap();
    cluster.pool().observe(rows.clone());
    let begin = asynckit::observe::now();
    let all: Vec<_> = (0..6).map(|_| nap(30).spawn_on(&*cluster)).collect();
    all.into_iter().for_each(|one| one.get().unwrap());
    let end = asynckit::observe::now();
    // (An outcome is seen by who waits for it when all was told of it.)
    let mut seen = rows.0.lock().unwrap().clone();
    assert_eq!(seen.len(), 6);
    seen.sort();
    for (place, began, ended) in &seen {
        assert!(place.starts_with('w'), "{place}");
        assert!(begin <= *began && *ended <= end, "{begin:?} {seen:?} {end:?}");
        assert!(*ended - *began >= Duration::from_millis(30), "{seen:?}");
    }
    // One after the other, in each of them, as well as messages can tell.
    for pair in seen.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        assert!(pair[0].2 <= pair[1].1 + Duration::from_millis(25), "{seen:?}");
    }
}

fn two_clusters_are_two(site: &Site) {
    let (one, two) = (site.cluster(1), site.cluster(1));
    let first = process().spawn_on(&*one).get().unwrap();
    let second = process().spawn_on(&*two).get().unwrap();
    assert_ne!(first, second);
    drop(one);
    assert_eq!(process().spawn_on(&*two).get().unwrap(), second);
}

fn a_deterministic_pool_waits_for_its_calls(site: &Site) {
    let pool = asynckit::Pool::deterministic(5);
    let cluster = site.with(Cluster::builder().pool(pool), 1);
    let sum = chain!(&*cluster, {
        let one = add(1, 2);
        let two = add(3, 4);
        add(one, two)
    });
    assert_eq!(sum.get().unwrap(), 10);
}

fn an_async_chain_goes_out(site: &Site) {
    let cluster = site.cluster(1);
    let sum = chain!(&*cluster, async move {
        let one = add(1, 2).await?;
        let two = add(one, 4).await?;
        add(one, two)
    });
    assert_eq!(sum.get().unwrap(), 10);
}

/// Work that borrows, on a scope of the cluster's pool.
trait Here<T> {
    fn spawn_here(self, cluster: &Cluster) -> T;
    fn fail_here(self, cluster: &Cluster) -> asynckit::Error;
}

impl<'w, T: Send + std::fmt::Debug + 'w> Here<T> for asynckit::Work<'w, T> {
    fn spawn_here(self, cluster: &Cluster) -> T {
        cluster.pool().scope(|s| self.spawn_on(&cluster.on(s)).get()).unwrap()
    }

    fn fail_here(self, cluster: &Cluster) -> asynckit::Error {
        cluster.pool().scope(|s| self.spawn_on(&cluster.on(s)).get()).unwrap_err()
    }
}
