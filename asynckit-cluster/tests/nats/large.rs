//! Large arguments and values, which go by themselves: once, and for as long as somebody needs them or may.

use std::time::Duration;

use asynckit::{AsyncResult, ErrorKind};

use crate::calls::{begun, gated_zeros, poison_with, sum};
use crate::client::Harm;
use crate::connections::Proxy;
use crate::signals::Signal;
use crate::support::{Dir, Driven, NatsServer, WorkerProcess, soon};

/// In how many messages 3 MiB and their length go: four for each.
const MESSAGES: u64 = 12;

#[test]
fn a_large_argument_goes_once_and_goes_away_with_the_cluster() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let all: Vec<_> = (0..8).map(|_| sum(vec![1; 3 << 20]).spawn_on(&cluster)).collect();
    soon("all are there", || server.messages("WORK") == 8);
    assert_eq!(server.objects(), (1, MESSAGES));
    let _worker = server.worker("w", 2);
    for one in all {
        assert_eq!(one.get().unwrap(), (3 << 20, 3 << 20));
    }
    drop(cluster);
    assert_eq!(server.objects().0, 0);
}

/// While nobody needs it, the server has it for a while.
#[test]
fn a_large_argument_of_calls_one_after_the_other_goes_once() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let _worker = server.worker("w", 1);
    let mut beats = server.watch_drivers();
    for n in 0..5 {
        assert_eq!(sum(vec![1; 3 << 20]).spawn_on(&cluster).get().unwrap(), (3 << 20, 3 << 20));
        assert_eq!(server.objects(), (1, MESSAGES), "after call {n}");
        // What the driver does each second it has done.
        beats.wait_for(3);
    }
    drop(cluster);
    assert_eq!(server.objects().0, 0);
}

/// To the server, and from there to each worker, of which several calls wait for it.
#[test]
fn a_large_argument_of_several_calls_goes_once_each_way() {
    let Some(server) = NatsServer::start() else { return };
    let (to_driver, to_worker) = (Proxy::to(server.port()), Proxy::to(server.port()));
    let cluster = Driven::at(to_driver.url());
    let all: Vec<_> = (0..4).map(|_| sum(vec![1; 6 << 20]).spawn_on(&cluster)).collect();
    soon("all are there", || server.messages("WORK") == 4);
    let _worker = to_worker.worker("w", 4);
    for one in all {
        assert_eq!(one.get().unwrap(), (6 << 20, 6 << 20));
    }
    let (sent, fetched) = (to_driver.bytes()[0], to_worker.bytes()[1]);
    let once = 6 << 20..7 << 20;
    assert!(once.contains(&sent) && once.contains(&fetched), "{sent} and {fetched} bytes");
}

/// The server has lost it: each of the calls tells so, and it is put there once.
#[test]
fn a_large_argument_that_is_gone_goes_once_more() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let all: Vec<_> = (0..4).map(|_| sum(vec![1; 3 << 20]).spawn_on(&cluster)).collect();
    soon("all are there", || server.messages("WORK") == 4);
    server.forget_objects();
    let _worker = server.worker("w", 4);
    for one in all {
        assert_eq!(one.get().unwrap(), (3 << 20, 3 << 20));
    }
    assert_eq!((server.objects(), cluster.status().redelivered), ((1, 2 * MESSAGES), 0));
}

/// A part of it is not there, is not what was put there, or is longer: it is not taken, and put there once more.
#[test]
fn a_large_argument_that_is_harmed_goes_once_more() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    for (n, harm) in [(1, Harm::Lose), (2, Harm::Garble), (3, Harm::Lengthen)] {
        for chunk in [0, 11] {
            // (No worker has it, and nothing is left of the one before.)
            let size = (3 << 20) - chunk;
            let (one, other) = (sum(vec![n; size]).spawn_on(&cluster), sum(vec![n; size]));
            let other = other.spawn_on(&cluster);
            soon("both are there", || server.messages("WORK") == 2);
            server.harm("argument", chunk, harm);
            let before = server.objects().1;
            let mut worker = server.worker("w", 2);
            for one in [one, other] {
                assert_eq!(one.get().unwrap(), (size, size as u64 * u64::from(n)), "{harm:?}");
            }
            assert_eq!(server.objects(), (1, before + MESSAGES), "{harm:?} {chunk}");
            worker.signal(Signal::TERM);
            assert!(worker.ended());
            server.forget_objects();
        }
    }
    assert_eq!(cluster.status().redelivered, 0);
}

/// It is on the disk when the server is so good, and maybe not: what is missing is put there again.
#[test]
fn a_large_argument_goes_once_more_to_a_server_that_has_lost_all() {
    let Some(mut server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let one = sum(vec![1; 3 << 20]).spawn_on(&cluster);
    soon("it is there", || server.messages("WORK") == 1);
    server.kill();
    server.forget();
    server.run();
    let _worker = server.worker("w", 1);
    assert_eq!(one.get().unwrap(), (3 << 20, 3 << 20));
    assert_eq!(server.objects(), (1, MESSAGES));
    assert_eq!(cluster.status().redelivered, 0);
}

/// There is room for one and a half: what does not fit waits, and nothing is left of what has come of it.
#[test]
fn large_arguments_wait_for_room_in_a_full_stream() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    server.change("ARGUMENTS", |config| config.max_bytes = 9 << 19);
    let all: Vec<_> = (1..5u8).map(|n| sum(vec![n; 3 << 20]).spawn_on(&cluster)).collect();
    soon("one is there", || server.messages("WORK") == 1);
    let mut beats = server.watch_drivers();
    beats.wait_for(2);
    assert_eq!((server.messages("WORK"), cluster.status().open), (1, 4));
    let _worker = server.worker("w", 2);
    for (one, n) in all.into_iter().zip(1..) {
        assert_eq!(one.get().unwrap(), (3 << 20, n * (3 << 20)));
    }
    drop(cluster);
    assert_eq!(server.objects().0, 0);
}

/// A call that runs until `go` is there, and has a large value; its driver speaks to the server by a proxy.
struct Running {
    dir: Dir,
    proxy: Proxy,
    cluster: Driven,
    _worker: WorkerProcess,
    one: AsyncResult<Vec<u8>>,
}

impl Running {
    fn on(server: &NatsServer) -> Running {
        let dir = Dir::new();
        let proxy = Proxy::to(server.port());
        let cluster = Driven::at(proxy.url());
        let _worker = server.worker("w", 1);
        let one = gated_zeros(dir.path().to_owned(), 1, 1 << 20).spawn_on(&cluster);
        soon("it runs", || !begun(dir.path(), 1).is_empty());
        Running { dir, proxy, cluster, _worker, one }
    }
}

#[test]
fn a_large_value_that_is_garbled_is_not_taken() {
    let Some(server) = NatsServer::start() else { return };
    let Running { dir, proxy, cluster: _cluster, _worker, one } = Running::on(&server);
    proxy.cut();
    dir.allow("go");
    soon("its outcome is stored", || server.messages("WORK") == 0);
    server.harm("value", 1, Harm::Garble);
    proxy.mend();
    assert!(one.get().unwrap().iter().all(|byte| *byte == 0));
    assert_eq!(begun(dir.path(), 1).len(), 2, "it has run again");
}

#[test]
fn a_large_argument_of_a_call_that_goes_out_again_does_not_go_again() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let _worker = server.worker("w", 1);
    let error = poison_with(vec![1; 3 << 20]).spawn_on(&cluster).get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert_eq!(cluster.status().redelivered, 2);
    drop(cluster);
    assert_eq!(server.objects(), (0, MESSAGES));
}

/// A minute after the last call that needed it; also where that was cancelled before it had arrived.
#[test]
fn a_large_argument_that_no_call_needs_goes_away() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    // So that there is a place for them.
    let first = sum(vec![0; 1 << 20]).spawn_on(&cluster);
    soon("it is there", || server.objects().0 == 1);
    first.cancel();
    for n in 1..30u8 {
        let one = sum(vec![n; 1 << 20]).spawn_on(&cluster);
        // At another moment each time.
        std::thread::sleep(Duration::from_millis(u64::from(n) / 4));
        one.cancel();
    }
    soon("they were under way", || server.objects().1 > 4);
    soon("no call is left", || server.messages("WORK") == 0);
    // (Each look at it leaves something for a while: so not many a second.)
    let mut beats = server.watch_drivers();
    soon("nothing is left", || {
        beats.wait_for(1);
        server.objects().0 == 0
    });
}

/// Its value is on the server, and the driver hears of it when it has begun to end.
#[test]
fn a_large_value_that_nobody_waits_for_goes_away_with_the_cluster() {
    let Some(server) = NatsServer::start() else { return };
    let Running { dir, proxy, cluster, _worker, one } = Running::on(&server);
    proxy.hold(true);
    dir.allow("go");
    soon("its outcome is stored", || server.messages("WORK") == 0);
    assert_eq!((server.messages("DONE"), server.objects().0), (1, 1));
    std::thread::scope(|s| {
        s.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            proxy.hold(false);
        });
        cluster.stop_timeout(Duration::ZERO);
    });
    assert_eq!(one.get().unwrap_err().kind(), ErrorKind::Stopped);
    soon("nothing is left", || server.messages("DONE") == 0 && server.objects().0 == 0);
}
