//! What calls are subject to: limits, time, memory, and whether anybody wants them.

use std::fs;
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use asynckit::{CancelToken, ErrorKind, Pool, Results, chain};
use asynckit_cluster::Cluster;
use asynckit_store::Store;
use rustix::process::Signal;

use crate::functions::*;
use crate::signals::{is_alive, signal, stop};
use crate::site::{Folder, Here, Site, Test, eventually, within_once};

pub const ALL: &[Test] = &[
    ("a_limit_holds_for_the_whole_cluster", a_limit_holds_for_the_whole_cluster),
    ("a_weight_counts_for_the_whole_cluster", a_weight_counts_for_the_whole_cluster),
    (
        "a_rate_holds_for_the_whole_cluster_and_holds_no_process",
        a_rate_holds_for_the_whole_cluster_and_holds_no_process,
    ),
    ("turns_are_taken_by_each_try_and_not_by_hits", turns_are_taken_by_each_try_and_not_by_hits),
    ("who_waits_for_room_takes_no_turn_before", who_waits_for_room_takes_no_turn_before),
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
    (
        "what_is_given_up_with_the_pool_leaves_nothing",
        what_is_given_up_with_the_pool_leaves_nothing,
    ),
];

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

fn a_weight_counts_for_the_whole_cluster(site: &Site) {
    // It counts for all drivers of a process: one site at a time.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (cluster, folder) = (site.cluster(4), Folder::new());
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let three = heavy(3, &runs, &until).spawn_on(&place);
        eventually("one runs", || folder.count("runs") == 1);
        let two = heavy(2, &runs, &until).spawn_on(&place);
        // There are workers for it, and no room. It is not sent.
        for _ in 0..5 {
            assert_eq!(add(1, 1).spawn_on(&place).get().unwrap(), 2);
        }
        assert_eq!((cluster.status().open, folder.count("runs")), (1, 1));
        folder.make("until");
        assert_eq!((three.get().unwrap(), two.get().unwrap()), (3, 2));
    });
    assert_eq!(folder.count("runs"), 2);
    // By a number that comes later, and as much as there is.
    let sum = cluster.pool().scope(|s| {
        chain!(&cluster.on(s), {
            let four = add(1, 3);
            heavy(four, &runs, &until)
        })
        .get()
    });
    assert_eq!(sum.unwrap(), 4);
    let error = heavy(5, &runs, &until).fail_here(&cluster);
    assert!(error.to_string().contains("heavy failed: takes 5 of a limit of 4"), "{error}");
    assert_eq!(heavy_twice(&folder.file("tries")).spawn_here(&cluster), 2);
    let pool = Pool::new(2);
    let here = pool.scope(|s| [2, 4].map(|n| heavy(n, &runs, &until).spawn_on(s).get().unwrap()));
    assert_eq!(here, [2, 4], "without a cluster it is a function");
}

fn a_rate_holds_for_the_whole_cluster_and_holds_no_process(site: &Site) {
    let (cluster, folder, token) = (site.cluster(1), Folder::new(), CancelToken::new());
    let runs = folder.file("runs");
    // Nobody has a turn for an hour.
    static SPENT: Once = Once::new();
    SPENT.call_once(|| assert_eq!(hourly(folder.file("spent"), 1).run().unwrap(), 1));
    let place = token.on(&*cluster);
    let all: Vec<_> = (0..3).map(|n| hourly(runs.clone(), n).spawn_on(&place)).collect();
    let in_chain = chain!(&place, {
        let n = add(1, 2);
        hourly(runs.clone(), n)
    });
    for _ in 0..5 {
        assert_eq!(add(1, 1).spawn_on(&*cluster).get().unwrap(), 2);
    }
    assert_eq!((cluster.status().open, folder.count("runs")), (0, 0));
    token.cancel();
    for one in all.into_iter().chain([in_chain]) {
        assert_eq!(one.get().unwrap_err().kind(), ErrorKind::Cancelled);
    }
    assert_eq!(folder.count("runs"), 0);
}

fn turns_are_taken_by_each_try_and_not_by_hits(site: &Site) {
    let (cluster, folder) = (site.cluster(2), Folder::new());
    let begin = Instant::now();
    let all = (0..5).map(|n| in_turn(n).spawn_on(&*cluster)).try_join_all();
    assert_eq!(all.get().unwrap(), [0, 1, 2, 3, 4]);
    assert!(begin.elapsed() >= Duration::from_millis(1000), "{:?}", begin.elapsed());
    let begin = Instant::now();
    assert_eq!(each_try_in_turn(&folder.file("tries")).spawn_here(&cluster), 2);
    assert!(begin.elapsed() >= Duration::from_millis(250), "{:?}", begin.elapsed());
    let inside = in_turn_inside().spawn_on(&*cluster).get().unwrap();
    assert!(inside >= Duration::from_millis(500), "{inside:?}");
    // There is one turn for each site.
    let store = Store::open(folder.file("results.redb")).unwrap();
    for _ in 0..3 {
        assert_eq!(hourly_kept(3).spawn_on(&store.on(&*cluster)).get().unwrap(), 9);
    }
}

fn who_waits_for_room_takes_no_turn_before(site: &Site) {
    let (cluster, pool, folder) = (site.cluster(2), Pool::new(2), Folder::new());
    for (here, name) in [(false, "there"), (true, "here")] {
        let (runs, until) = (folder.file(name), folder.file(&format!("{name}-until")));
        let meet = || alone_in_turn(&runs, &until);
        let began = pool.scope(|s| {
            let place = cluster.on(s);
            let all: Vec<_> = (0..3)
                .map(|_| if here { meet().spawn_on(s) } else { meet().spawn_on(&place) })
                .collect();
            eventually("one runs", || folder.count(name) == 1);
            // So long that turns of the other two would be past.
            std::thread::sleep(Duration::from_millis(600));
            assert_eq!(folder.count(name), 1);
            let began = Instant::now();
            fs::write(&until, "").unwrap();
            all.into_iter().for_each(|one| assert!(one.get().is_ok()));
            began
        });
        assert!(began.elapsed() >= Duration::from_millis(250), "{:?}", began.elapsed());
    }
}

fn what_is_cancelled_before_it_begins_never_runs(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let [runs, heard, until, never] =
        ["runs", "heard", "until", "never"].map(|name| folder.file(name));
    let token = CancelToken::new();
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let first = patient(&runs, &heard).spawn_on(&place);
        eventually("it runs", || folder.count("runs") == 1);
        let behind: Vec<_> =
            (0..20).map(|_| meet(&never, &until).spawn_on(&token.on(&place))).collect();
        eventually("they are out", || cluster.status().open == 21);
        token.cancel();
        for one in behind {
            assert_eq!(one.get().unwrap_err().kind(), ErrorKind::Cancelled);
        }
        eventually("all of them are taken back", || {
            let status = cluster.status();
            let there: usize = status.workers.iter().map(|worker| worker.running.len()).sum();
            status.queued.is_empty() && there <= 1
        });
        assert_eq!(cluster.status().open, 1);
        // Where that has to travel it arrives in its order. So when the first hears that it isn't wanted, its worker knows
        // that the others are not, before it has time for them.
        assert!(first.cancel());
        eventually("it has heard that", || folder.count("heard") == 1);
    });
    folder.make("until");
    assert_eq!(add(1, 1).spawn_on(&*cluster).get().unwrap(), 2);
    assert_eq!(folder.count("never"), 0);
}

fn what_runs_learns_that_it_is_cancelled(site: &Site) {
    let (cluster, folder, mut n) = (site.cluster(1), Folder::new(), 0);
    within_once(Duration::from_secs(2), || {
        n += 1;
        let [runs, cancelled] = ["runs", "cancelled"].map(|name| format!("{name}-{n}"));
        let files = [&runs, &cancelled].map(|name| folder.file(name));
        cluster.pool().scope(|s| {
            let result = patient(&files[0], &files[1]).spawn_on(&cluster.on(s));
            eventually("it runs", || folder.count(&runs) == 1);
            assert!(result.cancel());
            let begin = Instant::now();
            eventually("it has learned of it", || folder.count(&cancelled) == 1);
            assert_eq!(result.get().unwrap_err().kind(), ErrorKind::Cancelled);
            begin.elapsed()
        })
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
    stop(idle);
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
