//! Large arguments and values, which go by themselves: once, and for as long as somebody needs them.

use std::time::Duration;

use asynckit::ErrorKind;

use crate::calls::{begun, gated_zeros, poison_with, sum};
use crate::connections::Proxy;
use crate::support::{Dir, Driven, NatsServer, soon};

/// In how many messages 3 MiB and their length go: pieces of half of one, and what it all is.
const MESSAGES: u64 = 7 + 1;

#[test]
fn a_large_argument_goes_once_and_goes_away_with_the_last_call() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let all: Vec<_> = (0..8).map(|_| sum(vec![1; 3 << 20]).spawn_on(&cluster)).collect();
    soon("all are there", || server.messages("WORK") == 8);
    assert_eq!(server.objects(), (1, MESSAGES));
    let _worker = server.worker("w", 2);
    for one in all {
        assert_eq!(one.get().unwrap(), (3 << 20, 3 << 20));
    }
    soon("it is gone", || server.objects().0 == 0);
}

#[test]
fn a_large_argument_of_a_call_that_goes_out_again_does_not_go_again() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let _worker = server.worker("w", 1);
    let error = poison_with(vec![1; 3 << 20]).spawn_on(&cluster).get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert_eq!(cluster.status().redelivered, 2);
    soon("it is gone", || server.objects().0 == 0);
    // (Where one was a mark is left.)
    assert!(server.objects().1 <= MESSAGES + 1, "{:?}", server.objects());
}

/// Also where that is before it has arrived.
#[test]
fn a_large_argument_of_a_cancelled_call_goes_away() {
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
    soon("they were under way", || server.objects().1 > 3);
    soon("nothing is left", || server.messages("WORK") == 0 && server.objects().0 == 0);
    drop(cluster);
    assert_eq!(server.objects().0, 0);
}

/// Its value is on the server, and the driver hears of it when it has begun to end.
#[test]
fn a_large_value_that_nobody_waits_for_goes_away_with_the_cluster() {
    let Some(server) = NatsServer::start() else { return };
    let dir = Dir::new();
    let proxy = Proxy::to(server.port());
    let cluster = Driven::at(proxy.url());
    let _worker = server.worker("w", 1);
    let one = gated_zeros(dir.path().to_owned(), 1, 1 << 20).spawn_on(&cluster);
    soon("it runs", || !begun(dir.path(), 1).is_empty());
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
