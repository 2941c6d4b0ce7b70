//! Drivers that come to their end, whatever they have to do with others then.

use std::time::{Duration, Instant};

use asynckit::{AsyncResult, async_work};

use crate::support::{Driven, LONG, NatsServer, soon, within_once};
use crate::workers::killed_before_it_is_done;

macro_rules! limited {
    ($($name:ident)*) => {
        $(#[async_work(remote, limit = 1)]
        fn $name(n: u64) -> u64 {
            n
        })*

        /// A call of each of many functions.
        fn one_of_each(n: u64, on: &Driven) -> Vec<AsyncResult<u64>> {
            vec![$($name(n).spawn_on(on)),*]
        }
    };
}

limited!(a b c d e f g h i j k l);

/// More calls go out than a client keeps for a server that takes nothing.
#[test]
fn a_driver_whose_server_is_gone_for_good_ends() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    server.stop();
    let all: Vec<_> = (0..4_096).map(|n| one_of_each(n, &cluster)).collect();
    // Its thread doesn't answer.
    soon("it waits for room", || cluster.status().queued.is_empty());
    let begin = Instant::now();
    let (send, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        cluster.stop_timeout(Duration::ZERO);
        send.send(()).unwrap();
    });
    assert!(ended.recv_timeout(LONG).is_ok(), "it has not ended");
    assert!(all.into_iter().flatten().all(|one| one.get().is_err()));
    assert!(begin.elapsed() < LONG);
}

/// It is about to find out what the worker has left: a call that has come out, and was not acknowledged.
#[test]
fn a_driver_that_ends_soon_after_a_worker_leaves_nothing_and_does_not_wait() {
    let Some(server) = NatsServer::start() else { return };
    within_once(Duration::from_secs(2), || {
        let cluster = server.cluster();
        let proxy = killed_before_it_is_done(&server, &cluster);
        soon("it is known to be gone", || cluster.status().workers.is_empty());
        let mut beats = server.watch_drivers();
        beats.wait_for(2);
        assert_eq!(server.messages("WORK"), 1);
        let begin = Instant::now();
        drop(cluster);
        let took = begin.elapsed();
        assert_eq!(server.messages("WORK"), 0);
        proxy.hold(false);
        took
    });
}
