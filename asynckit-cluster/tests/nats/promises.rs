//! What calls do, when nothing goes wrong; and what goes wrong by their own doing.

use asynckit::{CancelToken, ErrorKind, chain};

use crate::calls::{
    Lengthy, add, begun, begun_in, endless, fails, fails_at_length, gated, id_of, limited, panics,
    sum, too_long, whoami, zeros,
};
use crate::connections::Proxy;
use crate::signals::is_alive;
use crate::support::{Dir, NatsServer, WorkerProcess, soon};

#[test]
fn calls_run_on_workers_and_their_outcomes_come_back() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let worker = server.worker("w", 2);
    assert_eq!(add(2, 3).spawn_on(&cluster).get().unwrap(), 5);
    assert_eq!(whoami(0).spawn_on(&cluster).get().unwrap(), worker.id());
    let all = chain!(&cluster, {
        let sums: Vec<_> = (0..500).map(|n| add(n, 1)).collect();
        sums
    });
    let all: Vec<u64> = all.get().unwrap();
    assert_eq!(all, (1..=500).collect::<Vec<u64>>());
}

#[test]
fn failures_and_panics_travel() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let _worker = server.worker("w", 1);
    let error = fails("the disk is full".to_owned()).spawn_on(&cluster).get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.to_string().contains("the disk is full"), "{error}");
    let error = panics("a bug".to_owned()).spawn_on(&cluster).get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert!(error.to_string().contains("a bug"), "{error}");
}

/// One fails with nearly as many bytes as go in a message, and many at once with long texts: they are told of in pieces.
#[test]
fn failures_at_length_travel_and_others_after_them() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let proxy = Proxy::to(server.port());
    let url = format!("{}/test", proxy.url());
    let _worker = WorkerProcess::with(&url, "w", 80, |command| {
        command.env("ASYNCKIT_WORKER_PROCESSES", "1");
    });
    let sizes = (0..80).map(|n| if n == 0 { 500 << 10 } else { n });
    let all: Vec<_> = (0..)
        .zip(sizes.clone())
        .map(|(n, size)| fails_at_length(dir.path().to_owned(), n, size).spawn_on(&cluster))
        .collect();
    soon("all run", || (0..80).all(|n| !begun(dir.path(), n).is_empty()));
    // So that all of them are to be told at the same time.
    proxy.cut();
    dir.allow("go");
    soon("all have run", || (0..80).all(|n| dir.join(&format!("done-{n}")).exists()));
    proxy.mend();
    for (one, size) in all.into_iter().zip(sizes) {
        let error = one.get().unwrap_err();
        let lengthy = error.downcast_ref::<Lengthy>().unwrap();
        assert_eq!(lengthy.bytes.len(), size);
    }
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
}

#[test]
fn large_arguments_and_values_go_by_themselves() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let _worker = server.worker("w", 2);
    let large = vec![1u8; 3 << 20];
    // Once, for as many calls as need it.
    let all: Vec<_> = (0..8).map(|_| sum(large.clone()).spawn_on(&cluster)).collect();
    for one in all {
        assert_eq!(one.get().unwrap(), (3 << 20, 3 << 20));
    }
    // Several that are too much together.
    assert_eq!(sum(vec![2u8; 500 << 10]).spawn_on(&cluster).get().unwrap().0, 500 << 10);
    for size in [512 << 10, (512 << 10) + 1, 5 << 20] {
        assert_eq!(zeros(size).spawn_on(&cluster).get().unwrap().len(), size);
    }
}

#[test]
fn a_limit_holds_for_the_whole_cluster() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let _workers = [server.worker("a", 4), server.worker("b", 4)];
    let all: Vec<_> =
        (0..6).map(|n| limited(dir.path().to_owned(), n).spawn_on(&cluster)).collect();
    let running = || {
        let has =
            |n: u64| !begun(dir.path(), n).is_empty() && !dir.join(&format!("ended-{n}")).exists();
        (0..6).filter(|n| has(*n)).collect::<Vec<u64>>()
    };
    let mut ended = 0;
    while ended < 6 {
        soon("as many run as may", || running().len() == 2.min(6 - ended));
        // Long enough for a third one to begin, if there were a way.
        for _ in 0..20 {
            assert!(running().len() <= 2);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let first = running()[0];
        dir.allow(&format!("go-{first}"));
        soon("it has ended", || dir.join(&format!("ended-{first}")).exists());
        ended += 1;
    }
    for (n, one) in all.into_iter().enumerate() {
        assert_eq!(one.get().unwrap(), n as u64);
    }
}

#[test]
fn cancelled_work_learns_of_it_and_what_waits_is_not_begun() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let _worker = server.worker("w", 1);
    let [its, other] = [CancelToken::new(), CancelToken::new()];
    let running = endless(dir.path().to_owned(), 1).spawn_on(&its.on(&cluster));
    soon("it runs", || !begun(dir.path(), 1).is_empty());
    let waiting = endless(dir.path().to_owned(), 2).spawn_on(&other.on(&cluster));
    // So many wait, and so many are with the worker.
    let there = || {
        let status = cluster.status();
        let queued: usize = status.queued.iter().map(|(_, count)| count).sum();
        let with_it: usize = status.workers.iter().map(|worker| worker.running.len()).sum();
        (queued, with_it)
    };
    soon("the other one is out", || matches!(there(), (1, 1) | (0, 2)));
    other.cancel();
    assert_eq!(waiting.get().unwrap_err().kind(), ErrorKind::Cancelled);
    // Else the worker could hear of the first alone, and have room for this one.
    soon("it is taken back", || there() == (0, 1));
    its.cancel();
    assert_eq!(running.get().unwrap_err().kind(), ErrorKind::Cancelled);
    soon("it was told", || dir.join("cancelled-1").exists());
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    assert!(begun(dir.path(), 2).is_empty());
}

/// Its worker is told so again and again, and that gives it no more time.
#[test]
fn what_is_cancelled_and_goes_on_is_killed_when_its_grace_is_over() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir, token) = (server.cluster(), Dir::new(), CancelToken::new());
    let _worker = server.worker("w", 1);
    let one = gated(dir.path().to_owned(), 1).spawn_on(&token.on(&cluster));
    soon("it runs", || !begun(dir.path(), 1).is_empty());
    let process = begun_in(dir.path(), 1)[0];
    let mut beats = server.watch_beats();
    beats.wait_for(1);
    let before = beats.count();
    token.cancel();
    assert_eq!(one.get().unwrap_err().kind(), ErrorKind::Cancelled);
    soon("it is killed", || !is_alive(process));
    // One comes each second.
    assert!(beats.count() - before < 8, "{} s", beats.count() - before);
}

#[test]
fn a_limit_of_time_ends_the_wait_and_not_the_worker() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let _worker = server.worker("w", 2);
    let error = too_long(dir.path().to_owned(), 1).spawn_on(&cluster).get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    dir.allow("go");
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
}

#[test]
fn a_call_has_an_id_of_its_own() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let _worker = server.worker("w", 2);
    let mut all: Vec<String> =
        (0..20).map(|n| id_of(n).spawn_on(&cluster).get().unwrap()).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 20);
    assert!(all.iter().all(|id| !id.is_empty()));
}

/// Also before the worker has said how it is, which it does each second.
#[test]
fn a_status_knows_the_process_of_who_runs_a_call() {
    let Some(server) = NatsServer::start() else { return };
    let dir = Dir::new();
    // It has said so before there was a driver to hear it.
    let worker = server.worker("w", 1);
    server.watch_beats().wait_for(1);
    for n in 0..3 {
        let cluster = server.cluster();
        let held = gated(dir.path().to_owned(), n).spawn_on(&cluster);
        let process = loop {
            let status = cluster.status();
            if let Some(one) = status.workers.iter().find(|one| !one.running.is_empty()) {
                break one.process;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        };
        assert_eq!(process, worker.id());
        dir.allow("go");
        assert_eq!(held.get().unwrap(), n);
        std::fs::remove_file(dir.join("go")).unwrap();
    }
}

#[test]
fn a_status_says_who_is_there_and_what_runs() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let _worker = server.worker("the-one", 1);
    let token = CancelToken::new();
    let first = endless(dir.path().to_owned(), 1).spawn_on(&token.on(&cluster));
    soon("it runs", || !begun(dir.path(), 1).is_empty());
    let second = endless(dir.path().to_owned(), 2).spawn_on(&token.on(&cluster));
    soon("the status says so", || {
        let status = cluster.status();
        let worker = status.workers.iter().find(|worker| worker.name == "the-one");
        let runs = worker.is_some_and(|worker| {
            worker.running.iter().any(|call| call.function.ends_with("endless"))
        });
        let queued: usize = status.queued.iter().map(|(_, count)| count).sum();
        runs && queued <= 1 && status.open == 2
    });
    token.cancel();
    assert!(first.get().is_err() && second.get().is_err());
}
