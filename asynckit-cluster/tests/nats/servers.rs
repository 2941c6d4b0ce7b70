//! Servers that are killed under load, and started again.

use std::time::Instant;

use crate::calls::{add, begun, gated, limited, sum};
use crate::support::{Dir, LONG, NatsServer, soon};

/// Kills the server in the middle of many calls, and starts it again.
fn under_load(mut server: NatsServer, disturb: impl FnOnce(&mut NatsServer)) {
    let (cluster, dir) = (server.cluster(), Dir::new());
    let workers = [server.worker("a", 2), server.worker("b", 2)];
    let held = gated(dir.path().to_owned(), 1).spawn_on(&cluster);
    // Of these two run, and the others are on the server for as long.
    let numbers = 10..16;
    let few: Vec<_> =
        numbers.clone().map(|n| limited(dir.path().to_owned(), n).spawn_on(&cluster)).collect();
    let run = || numbers.clone().filter(|n| !begun(dir.path(), *n).is_empty()).count();
    soon("they run", || !begun(dir.path(), 1).is_empty() && run() == 2);
    let large = vec![1u8; 1 << 20];
    let many: Vec<_> = (0..2000).map(|n| add(n, 1).spawn_on(&cluster)).collect();
    let sums: Vec<_> = (0..4).map(|_| sum(large.clone()).spawn_on(&cluster)).collect();
    soon("outcomes come", || many.iter().filter(|one| one.is_set()).count() >= 100);
    server.kill();
    disturb(&mut server);
    server.run();
    dir.allow("go");
    numbers.clone().for_each(|n| dir.allow(&format!("go-{n}")));
    let begin = Instant::now();
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    let after = begin.elapsed();
    for (n, one) in many.into_iter().enumerate() {
        assert_eq!(one.get().unwrap(), n as u64 + 1);
    }
    for one in sums {
        assert_eq!(one.get().unwrap().0, 1 << 20);
    }
    assert_eq!(held.get().unwrap(), 1);
    assert_eq!(begun(dir.path(), 1).len(), 1, "its worker was there all the time");
    for (n, one) in numbers.zip(few) {
        assert_eq!(one.get().unwrap(), n);
    }
    // With all that was to be done before it, on a machine that does much else.
    assert!(after < LONG, "{after:?}");
    drop(workers);
}

#[test]
fn a_server_that_comes_back_with_its_store_loses_nothing() {
    let Some(server) = NatsServer::start() else { return };
    under_load(server, |_| {});
}

#[test]
fn a_server_that_comes_back_with_an_empty_store_loses_nothing() {
    let Some(server) = NatsServer::start() else { return };
    under_load(server, NatsServer::forget);
}

#[test]
fn a_server_that_syncs_always_loses_nothing() {
    let Some(server) = NatsServer::with("", "sync_interval: always") else { return };
    under_load(server, |_| {});
}

#[test]
fn calls_wait_for_a_server_that_is_away() {
    let Some(mut server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let _worker = server.worker("w", 1);
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    server.kill();
    let waiting: Vec<_> = (0..50).map(|n| add(n, 1).spawn_on(&cluster)).collect();
    server.run();
    for (n, one) in waiting.into_iter().enumerate() {
        assert_eq!(one.get().unwrap(), n as u64 + 1);
    }
}
