//! Calls of which nobody knows for a while where they are, or whether anybody wants them.

use std::process::Stdio;
use std::time::Duration;

use asynckit::{AsyncResult, CancelToken, ErrorKind};

use crate::calls::{add, begun, endless, gated, gated_once, held, limited, sum};
use crate::connections::Proxy;
use crate::drivers::driver;
use crate::signals::{Signal, signal, stop};
use crate::support::{Dir, Driven, NatsServer, WorkerProcess, soon};

/// A server that forgets the ids of messages soon.
fn forgetful() -> Option<NatsServer> {
    let server = NatsServer::start()?;
    // So that the stream is there.
    drop(server.cluster());
    server.change("WORK", |config| config.duplicate_window = Duration::from_secs(2));
    Some(server)
}

/// Two calls run, one of which may go out but once. Of neither does the driver know that it has left: it hears nothing, until
/// the server knows none of their ids any more.
struct Unknown {
    proxy: Proxy,
    cluster: Driven,
    dir: Dir,
    worker: WorkerProcess,
    once: AsyncResult<u64>,
    often: AsyncResult<u64>,
}

impl Unknown {
    fn at(server: &NatsServer) -> Unknown {
        let (proxy, dir) = (Proxy::to(server.port()), Dir::new());
        let cluster = Driven::at(proxy.url());
        let worker = server.worker("w", 4);
        let mut beats = server.watch_beats();
        beats.wait_for(1);
        proxy.hold(true);
        let once = gated_once(dir.path().to_owned(), 1).spawn_on(&cluster);
        let often = gated(dir.path().to_owned(), 2).spawn_on(&cluster);
        soon("both run", || (1..3).all(|n| !begun(dir.path(), n).is_empty()));
        // One comes each second.
        beats.wait_for(4);
        proxy.cut();
        Unknown { proxy, cluster, dir, worker, once, often }
    }

    fn mend(&self) {
        self.proxy.hold(false);
        self.proxy.mend();
    }

    fn runs(&self) -> (usize, usize) {
        (begun(self.dir.path(), 1).len(), begun(self.dir.path(), 2).len())
    }
}

#[test]
fn what_runs_goes_on_though_the_server_has_forgotten_it() {
    let Some(server) = forgetful() else { return };
    let at = Unknown::at(&server);
    at.mend();
    // Long enough for them to be sent again, or be given up.
    server.watch_beats().wait_for(9);
    at.dir.allow("go");
    assert_eq!(at.runs(), (1, 1));
    assert_eq!((at.once.get().unwrap(), at.often.get().unwrap()), (1, 2));
    assert_eq!(at.cluster.status().redelivered, 0);
}

#[test]
fn what_may_go_out_once_is_not_sent_again_to_a_server_that_has_forgotten_it() {
    let Some(server) = forgetful() else { return };
    let mut at = Unknown::at(&server);
    at.worker.kill();
    at.mend();
    let _other = server.worker("other", 4);
    soon("the other one runs again", || at.runs().1 == 2);
    at.dir.allow("go");
    assert_eq!(at.once.get().unwrap_err().kind(), ErrorKind::Lost);
    assert_eq!(at.often.get().unwrap(), 2);
    assert_eq!((begun(at.dir.path(), 1).len(), at.cluster.status().redelivered), (1, 1));
}

/// It had handed the call out before it died.
#[test]
fn what_may_go_out_once_is_not_sent_again_to_a_server_that_has_lost_it() {
    let Some(mut server) = NatsServer::start() else { return };
    let at = Unknown::at(&server);
    server.kill();
    server.forget();
    server.run();
    at.mend();
    server.watch_beats().wait_for(9);
    at.dir.allow("go");
    assert_eq!(at.once.get().unwrap(), 1);
    assert_eq!(at.often.get().unwrap(), 2);
    assert_eq!(begun(at.dir.path(), 1).len(), 1);
}

/// It runs the first one, which it was given up for, and says so each second.
#[test]
fn a_worker_that_comes_back_does_not_vouch_for_a_newer_delivery() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let first = server.worker("first", 1);
    let held = held(&cluster, &dir);
    first.stop();
    soon("it is given up", || cluster.status().redelivered == 1);
    first.signal(Signal::CONT);
    server.watch_beats().wait_for(3);
    server.forget_calls();
    let second = server.worker("second", 1);
    soon("it is known to be lost", || begun(dir.path(), 1).contains(&second.id()));
    dir.allow("go");
    assert_eq!(held.get().unwrap(), 1);
}

/// It was taken from the stream once more, by a worker that is gone by now.
#[test]
fn what_is_left_of_an_older_delivery_is_taken_away() {
    let Some(server) = forgetful() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let mut first = server.worker("first", 1);
    let held = held(&cluster, &dir);
    let older = server.last_call();
    first.kill();
    let second = server.worker("second", 1);
    soon("it runs again", || begun(dir.path(), 1).contains(&second.id()));
    server.publish_again(older);
    let mut third = server.worker("third", 1);
    soon("the older one runs as well", || begun(dir.path(), 1).contains(&third.id()));
    third.kill();
    assert_eq!(server.messages("WORK"), 2);
    soon("it is taken away", || server.messages("WORK") == 1);
    dir.allow("go");
    assert_eq!(held.get().unwrap(), 1);
}

/// The server has refused it, and then it has died: so it has not gone out, and may.
#[test]
fn what_may_go_out_once_and_has_not_does_so_when_the_server_is_back() {
    let Some(mut server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let _worker = server.worker("w", 1);
    let held = held(&cluster, &dir);
    server.change("WORK", |config| config.max_messages = 1);
    let once = gated_once(dir.path().to_owned(), 2).spawn_on(&cluster);
    server.watch_drivers().wait_for(2);
    server.kill();
    server.run();
    server.change("WORK", |config| config.max_messages = -1);
    dir.allow("go");
    assert_eq!((held.get().unwrap(), once.get().unwrap()), (1, 2));
    assert_eq!(begun(dir.path(), 2).len(), 1);
}

/// The first one is back, and has told its outcome: nobody is there who could take the second from the stream.
#[test]
fn a_newer_delivery_of_what_has_come_out_is_taken_away() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let mut worker = server.worker("w", 1);
    let held = held(&cluster, &dir);
    worker.stop();
    soon("it goes out again", || cluster.status().redelivered == 1 && server.messages("WORK") == 1);
    worker.signal(Signal::CONT);
    worker.signal(Signal::TERM);
    dir.allow("go");
    assert_eq!(held.get().unwrap(), 1);
    assert!(worker.ended());
    soon("it is taken away", || server.messages("WORK") == 0);
    assert_eq!(begun(dir.path(), 1).len(), 1);
}

/// Calls that the server has, of which it has not said so, and then it is away.
fn not_acknowledged(server: &NatsServer) -> (Proxy, Driven, CancelToken, Vec<AsyncResult<u64>>) {
    let proxy = Proxy::to(server.port());
    let (cluster, token) = (Driven::at(proxy.url()), CancelToken::new());
    proxy.hold(true);
    let dir = Dir::new();
    let mut all = vec![add(0, 1).spawn_on(&token.on(&cluster))];
    all.extend((0..20).map(|n| add(n, 1).spawn_on(&token.on(&cluster))));
    all.push(gated_once(dir.path().to_owned(), 1).spawn_on(&token.on(&cluster)));
    soon("the server has them", || server.messages("WORK") == 22);
    proxy.cut();
    proxy.hold(false);
    (proxy, cluster, token, all)
}

#[test]
fn calls_that_are_withdrawn_while_the_server_is_away_leave_nothing() {
    let Some(server) = NatsServer::start() else { return };
    let (proxy, cluster, token, all) = not_acknowledged(&server);
    token.cancel();
    for one in all {
        assert_eq!(one.get().unwrap_err().kind(), ErrorKind::Cancelled);
    }
    proxy.mend();
    soon("they are taken out", || server.messages("WORK") == 0);
    drop(cluster);
}

#[test]
fn a_cluster_that_ends_while_the_server_is_away_leaves_nothing_if_that_is_back_soon() {
    let Some(server) = NatsServer::start() else { return };
    let (proxy, cluster, _token, all) = not_acknowledged(&server);
    std::thread::scope(|s| {
        s.spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            proxy.mend();
        });
        cluster.stop_timeout(Duration::ZERO);
    });
    assert!(all.into_iter().all(|one| one.get().is_err()));
    soon("they are taken out", || server.messages("WORK") == 0);
}

/// For longer than that is said.
#[test]
fn a_call_that_was_cancelled_while_its_worker_was_away_is_ended() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir, token) = (server.cluster(), Dir::new(), CancelToken::new());
    let proxy = Proxy::to(server.port());
    let _worker = proxy.worker("w", 1);
    let one = endless(dir.path().to_owned(), 1).spawn_on(&token.on(&cluster));
    soon("it runs", || !begun(dir.path(), 1).is_empty());
    proxy.cut();
    token.cancel();
    assert_eq!(one.get().unwrap_err().kind(), ErrorKind::Cancelled);
    server.watch_drivers().wait_for(13);
    proxy.mend();
    soon("it is told", || dir.join("cancelled-1").exists());
}

#[test]
fn a_call_that_was_cancelled_while_its_driver_was_away_is_ended() {
    let Some(server) = NatsServer::start() else { return };
    let (dir, token) = (Dir::new(), CancelToken::new());
    let proxy = Proxy::to(server.port());
    let cluster = Driven::at(proxy.url());
    let _worker = server.worker("w", 1);
    let one = endless(dir.path().to_owned(), 1).spawn_on(&token.on(&cluster));
    soon("it runs", || !begun(dir.path(), 1).is_empty());
    proxy.cut();
    token.cancel();
    assert_eq!(one.get().unwrap_err().kind(), ErrorKind::Cancelled);
    server.watch_beats().wait_for(13);
    assert!(!dir.join("cancelled-1").exists());
    proxy.mend();
    soon("it is told", || dir.join("cancelled-1").exists());
}

/// Its worker comes to them when it has heard nothing of it for long, and has no use for them; and then it is there again.
#[test]
fn calls_that_were_given_back_for_a_silent_driver_go_out_again() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir, busy) = (server.cluster(), Dir::new(), Dir::new());
    let _worker = server.worker("w", 1);
    let held = gated(busy.path().to_owned(), 1).spawn_on(&cluster);
    soon("it is at something else", || !begun(busy.path(), 1).is_empty());
    let mut silent = driver(&server, &dir, Stdio::inherit());
    soon("the calls are out", || server.messages("WORK") == 21);
    stop(silent.id());
    server.watch_beats().wait_for(17);
    busy.allow("go");
    assert_eq!(held.get().unwrap(), 1);
    soon("they are given back", || server.messages("WORK") == 0);
    assert!((0..20).all(|n| begun(dir.path(), n).is_empty()));
    signal(silent.id(), Signal::CONT);
    dir.allow("go");
    assert!(silent.wait().unwrap().success());
    assert!((0..20).all(|n| begun(dir.path(), n).len() == 1));
}

#[test]
fn calls_come_though_the_server_has_forgotten_the_consumers() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let any = add(1, 1).spawn_on(&cluster);
    let one = limited(dir.path().to_owned(), 1).spawn_on(&cluster);
    soon("they are out", || server.messages("WORK") == 2);
    server.forget_consumers();
    let _worker = server.worker("w", 2);
    dir.allow("go-1");
    assert_eq!((any.get().unwrap(), one.get().unwrap()), (2, 1));
    // And while somebody waits for what comes.
    server.forget_consumers();
    dir.allow("go-2");
    assert_eq!(add(2, 2).spawn_on(&cluster).get().unwrap(), 4);
    assert_eq!(limited(dir.path().to_owned(), 2).spawn_on(&cluster).get().unwrap(), 2);
}

/// They take a while to get to the server; others hear of the driver all the same.
#[test]
fn a_driver_says_that_it_lives_beside_a_long_line_of_calls() {
    let Some(server) = NatsServer::start() else { return };
    let proxy = Proxy::to(server.port());
    let cluster = Driven::at(proxy.url());
    proxy.slow(2 << 20);
    let mut beats = server.watch_drivers();
    beats.wait_for(1);
    let all: Vec<_> = (0..80).map(|n| sum(vec![n; 400 << 10]).spawn_on(&cluster)).collect();
    soon("the line moves", || server.messages("WORK") > 0);
    let before = beats.count();
    soon("most of them have come", || server.messages("WORK") >= 60);
    assert!(beats.count() >= before + 3, "{} times", beats.count() - before);
    proxy.slow(0);
    let _worker = server.worker("w", 2);
    assert!(all.into_iter().all(|one| one.get().is_ok()));
}
