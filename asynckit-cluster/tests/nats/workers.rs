//! Workers that end, at each moment, and workers that are stopped for a while.

use std::path::Path;
use std::time::{Duration, Instant};

use asynckit::ErrorKind;

use crate::calls::{
    add, begun, begun_in, endless, gated, gated_once, held, poison, poison_once, process, whoami,
};
use crate::connections::Proxy;
use crate::signals::{Signal, signal, stop};
use crate::support::{Dir, Driven, NatsServer, WorkerProcess, soon, within_once};

/// One call is with a process of the worker, which is stopped and can't begin it; the others are still on the server.
#[test]
fn a_worker_killed_before_a_call_begins_loses_nothing() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let mut first = server.worker("first", 1);
    stop(process(0).spawn_on(&cluster).get().unwrap());
    dir.allow("go");
    let all: Vec<_> = (1..6).map(|n| gated(dir.path().to_owned(), n).spawn_on(&cluster)).collect();
    soon("the worker has one", || {
        cluster.status().workers.iter().any(|worker| !worker.running.is_empty())
    });
    first.kill();
    let second = server.worker("second", 1);
    for (n, one) in (1..6).zip(all) {
        assert_eq!(one.get().unwrap(), n);
        assert_eq!(begun(dir.path(), n), [second.id()], "none of these had begun");
    }
}

#[test]
fn a_worker_killed_while_a_call_runs_has_it_run_again() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let mut first = server.worker("first", 1);
    let held = held(&cluster, &dir);
    let second = server.worker("second", 1);
    first.kill();
    soon("it runs elsewhere", || begun(dir.path(), 1).contains(&second.id()));
    dir.allow("go");
    assert_eq!(held.get().unwrap(), 1);
    assert_eq!(cluster.status().redelivered, 1);
}

/// Its worker tells so at once, and not only by a silence; it goes on, with what runs beside it.
#[test]
fn a_killed_process_of_a_worker_has_its_call_run_again_and_harms_no_other() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, worker, mut lost) = (server.cluster(), server.worker("w", 2), 0);
    within_once(Duration::from_secs(5), || {
        let dir = Dir::new();
        let both = [1, 2].map(|n| gated(dir.path().to_owned(), n).spawn_on(&cluster));
        soon("both run", || (1..3).all(|n| !begun(dir.path(), n).is_empty()));
        let begin = Instant::now();
        signal(begun_in(dir.path(), 1)[0], Signal::KILL);
        lost += 1;
        soon("it is told of", || cluster.status().redelivered == lost);
        let took = begin.elapsed();
        soon("it runs again", || begun(dir.path(), 1).len() == 2);
        dir.allow("go");
        assert_eq!(both.map(|one| one.get().unwrap()), [1, 2]);
        assert_eq!(begun(dir.path(), 1), [worker.id(); 2]);
        let [one, other] = begun_in(dir.path(), 1)[..] else { unreachable!() };
        assert_ne!(one, other);
        assert_eq!(begun(dir.path(), 2).len(), 1);
        took
    });
}

/// After it ran and before it told: its connection is cut when it ends, so that it can't tell.
#[test]
fn a_worker_killed_before_it_tells_has_the_call_run_again() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let proxy = Proxy::to(server.port());
    let mut first = proxy.worker("first", 1);
    let held = held(&cluster, &dir);
    proxy.cut();
    dir.allow("go");
    soon("it has run", || dir.join("done-1").exists());
    first.kill();
    let second = server.worker("second", 1);
    assert_eq!(held.get().unwrap(), 1);
    assert!(begun(dir.path(), 1).contains(&second.id()));
}

#[test]
fn a_worker_killed_after_it_told_changes_nothing() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let mut first = server.worker("first", 1);
    dir.allow("go");
    assert_eq!(gated(dir.path().to_owned(), 1).spawn_on(&cluster).get().unwrap(), 1);
    first.kill();
    let second = server.worker("second", 1);
    assert_eq!(whoami(0).spawn_on(&cluster).get().unwrap(), second.id());
    assert_eq!(begun(dir.path(), 1).len(), 1);
}

/// A worker is killed when it has told an outcome, and has not heard that this is stored: so it has not said that the call
/// can go.
pub fn killed_before_it_is_done(server: &NatsServer, cluster: &Driven) -> Proxy {
    let (dir, proxy) = (Dir::new(), Proxy::to(server.port()));
    let mut worker = proxy.worker("w", 1);
    let held = held(cluster, &dir);
    proxy.hold(true);
    dir.allow("go");
    assert_eq!(held.get().unwrap(), 1);
    worker.kill();
    proxy
}

#[test]
fn a_worker_killed_before_it_is_done_leaves_nothing_of_what_it_told() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let proxy = killed_before_it_is_done(&server, &cluster);
    assert_eq!(server.messages("WORK"), 1);
    soon("it is gone", || server.messages("WORK") == 0);
    proxy.hold(false);
}

/// Its late outcome is not handed out twice, and it goes on to work.
#[test]
fn a_worker_stopped_past_its_lease_is_replaced_and_may_come_back() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let first = server.worker("first", 1);
    let held = held(&cluster, &dir);
    first.stop();
    let mut second = server.worker("second", 1);
    soon("it runs elsewhere", || begun(dir.path(), 1).contains(&second.id()));
    dir.allow("go");
    assert_eq!(held.get().unwrap(), 1);
    first.signal(Signal::CONT);
    second.signal(Signal::TERM);
    assert!(second.ended());
    for n in 0..100 {
        assert_eq!(add(n, 1).spawn_on(&cluster).get().unwrap(), n + 1);
    }
    let status = cluster.status();
    assert_eq!((status.open, status.workers.len()), (0, 1));
    // Both of its outcomes came, and were of use once.
    soon("they are taken away", || server.messages("WORK") == 0 && server.messages("DONE") == 0);
    assert_eq!((begun(dir.path(), 1).len(), cluster.status().redelivered), (2, 1));
}

#[test]
fn a_poison_call_is_lost_after_its_deliveries_and_others_are_not() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let mut workers: Vec<_> = (0..4).map(|n| server.worker(&format!("w{n}"), 1)).collect();
    let poisoned = poison(dir.path().to_owned(), 1).spawn_on(&cluster);
    let error = poisoned.get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    let text = error.to_string();
    assert!(text.contains("3 times: w") && text.contains("(SIGABRT)"), "{text}");
    assert_eq!(begun(dir.path(), 1).len(), 3);
    assert!(workers.iter_mut().all(|worker| worker.is_alive()), "it is a process of theirs");
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
}

#[test]
fn what_may_go_out_once_is_lost_with_its_worker() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let _workers = [server.worker("a", 1), server.worker("b", 1)];
    let error = poison_once(dir.path().to_owned(), 1).spawn_on(&cluster).get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert_eq!(begun(dir.path(), 1).len(), 1);
}

/// Others run beside it in processes of that worker, and one of them ends its own.
#[test]
fn what_may_go_out_once_is_not_run_again_for_another_ones_end() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let _worker = server.worker("w", 2);
    let once = gated_once(dir.path().to_owned(), 1).spawn_on(&cluster);
    soon("it runs", || !begun(dir.path(), 1).is_empty());
    let error = poison(dir.path().to_owned(), 2).spawn_on(&cluster).get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    let many: Vec<_> = (0..500).map(|n| add(n, 1).spawn_on(&cluster)).collect();
    assert!(many.into_iter().all(|one| one.get().is_ok()));
    dir.allow("go");
    assert_eq!(once.get().unwrap(), 1);
    assert_eq!(begun(dir.path(), 1).len(), 1);
}

/// The whole worker goes, with all that it runs: what goes out once is lost, and all else runs again.
#[test]
fn what_may_go_out_once_never_runs_twice_though_its_worker_is_killed() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let mut worker = server.worker("w", 3);
    let once = gated_once(dir.path().to_owned(), 1).spawn_on(&cluster);
    let often = gated(dir.path().to_owned(), 2).spawn_on(&cluster);
    soon("both run", || (1..3).all(|n| !begun(dir.path(), n).is_empty()));
    worker.kill();
    let _other = server.worker("other", 2);
    assert_eq!(once.get().unwrap_err().kind(), ErrorKind::Lost);
    dir.allow("go");
    assert_eq!(often.get().unwrap(), 2);
    assert_eq!((begun(dir.path(), 1).len(), begun(dir.path(), 2).len()), (1, 2));
}

/// It finishes what runs, hands back what waits, and leaves.
#[test]
fn a_worker_that_is_asked_to_end_drains() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let mut first = server.worker("first", 1);
    let held = held(&cluster, &dir);
    first.signal(Signal::TERM);
    let next = gated(dir.path().to_owned(), 2).spawn_on(&cluster);
    let second = server.worker("second", 1);
    soon("another one takes what comes", || begun(dir.path(), 2) == [second.id()]);
    dir.allow("go");
    assert!(first.ended());
    assert_eq!((held.get().unwrap(), next.get().unwrap()), (1, 2));
    assert_eq!(begun(dir.path(), 1).len(), 1);
}

/// The variable that names the file of which a worker falls ill.
const ILL: &str = "ASYNCKIT_TEST_ILL";

/// Ends the process, where it is to be ill: as the worker was well when it began, that is one of those that it starts.
pub fn fall_ill_if_asked() {
    if std::env::var_os(ILL).is_some_and(|file| Path::new(&file).exists()) {
        std::process::exit(3);
    }
}

/// Nothing fails for that: others run what it has, and it comes back when it is well.
#[test]
fn a_worker_that_can_start_no_process_hands_its_calls_back_and_rests() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let url = format!("{}/test", server.url());
    let ill = WorkerProcess::with(&url, "ill", 2, |command| {
        command.env(ILL, dir.join("ill"));
    });
    server.watch_beats().wait_for(1);
    dir.allow("ill");
    dir.allow("go");
    let all: Vec<_> = (1..5).map(|n| gated(dir.path().to_owned(), n).spawn_on(&cluster)).collect();
    soon("they are handed back", || server.published("WORK") > 4);
    assert_eq!(cluster.status().redelivered, 0, "none was begun");
    let mut other = server.worker("other", 1);
    for (n, one) in (1..5).zip(all) {
        assert_eq!(one.get().unwrap(), n);
        assert_eq!(begun(dir.path(), n), [other.id()]);
    }
    other.signal(Signal::TERM);
    assert!(other.ended());
    std::fs::remove_file(dir.join("ill")).unwrap();
    assert_eq!(whoami(0).spawn_on(&cluster).get().unwrap(), ill.id());
}

/// It takes what the one that it has can run, and goes on at once when that is free.
#[test]
fn a_worker_that_can_start_fewer_processes_goes_on_with_those_it_has() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let said = std::fs::File::create(dir.join("said")).unwrap();
    let worker = WorkerProcess::with(&format!("{}/test", server.url()), "ill", 2, |command| {
        command.env(ILL, dir.join("ill")).stderr(said);
    });
    let first = gated(dir.path().to_owned(), 1).spawn_on(&cluster);
    soon("it runs", || !begun(dir.path(), 1).is_empty());
    dir.allow("ill");
    let others: Vec<_> = (0..20).map(|n| whoami(n).spawn_on(&cluster)).collect();
    let said = || std::fs::read_to_string(dir.join("said")).unwrap();
    soon("it says so", || said().contains("1 of 2"));
    let mut beats = server.watch_beats();
    beats.wait_for(1);
    let before = beats.count();
    dir.allow("go");
    assert_eq!(first.get().unwrap(), 1);
    assert!(others.into_iter().all(|one| one.get().unwrap() == worker.id()));
    // One comes each second.
    assert!(beats.count() - before < 7, "{} s", beats.count() - before);
    std::fs::remove_file(dir.join("ill")).unwrap();
    std::fs::remove_file(dir.join("go")).unwrap();
    let both = [2, 3].map(|n| gated(dir.path().to_owned(), n).spawn_on(&cluster));
    soon("it has two again", || (2..4).all(|n| !begun(dir.path(), n).is_empty()));
    dir.allow("go");
    assert_eq!(both.map(|one| one.get().unwrap()), [2, 3]);
}

/// With nobody whom it could tell that it ends.
#[test]
fn an_idle_worker_that_is_asked_to_end_does_so_though_the_server_is_away() {
    let Some(mut server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let mut worker = server.worker("w", 1);
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    // Its call is acknowledged, so that it has nothing left.
    soon("it is idle", || server.messages("WORK") == 0);
    server.kill();
    worker.signal(Signal::TERM);
    assert!(worker.ended());
}

#[test]
fn a_worker_of_an_older_build_gets_nothing() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let older_one = server.older_worker(&dir, "older");
    let held = gated(dir.path().to_owned(), 1).spawn_on(&cluster);
    let mut older = server.watch_beats();
    soon("the older one is there", || older.has_come());
    // Several of its beats, in which it could have taken the call.
    older.wait_for(3);
    assert!(begun(dir.path(), 1).is_empty());
    let status = cluster.status();
    let [its] = &status.workers[..] else { panic!("one is there") };
    assert_eq!((&*its.name, its.process, its.running.len()), ("older", older_one.id(), 0));
    assert!(!its.is_of_this_build && !server.a_subject_of_calls().contains(&its.build));
    let _same = server.worker("same", 1);
    dir.allow("go");
    assert_eq!(held.get().unwrap(), 1);
    soon("both are there", || cluster.status().workers.len() == 2);
    let status = cluster.status();
    let [older_one, same] = &status.workers[..] else { unreachable!() };
    assert_eq!((&*older_one.build, &*same.name), (&*its.build, "same"));
    assert!(same.is_of_this_build && server.a_subject_of_calls().contains(&same.build));
    let shown = status.to_string();
    let words = format!("{}): of another build, and gets no calls of this driver", its.build);
    assert!(shown.contains(&words), "{shown}");
}

/// A call of another worker's function that was begun is told when it isn't wanted, wherever it runs.
#[test]
fn a_dropped_cluster_leaves_nothing_on_the_server() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let _worker = server.worker("w", 1);
    let all: Vec<_> =
        (0..3).map(|n| endless(dir.path().to_owned(), n).spawn_on(&cluster)).collect();
    soon("one runs", || (0..3).any(|n| !begun(dir.path(), n).is_empty()));
    cluster.stop_timeout(Duration::from_millis(50));
    assert!(all.into_iter().all(|one| one.get().is_err()));
    drop(cluster);
    soon("it was told", || (0..3).any(|n| dir.join(&format!("cancelled-{n}")).exists()));
    soon("the streams are empty", || server.messages("WORK") == 0 && server.messages("DONE") == 0);
}
