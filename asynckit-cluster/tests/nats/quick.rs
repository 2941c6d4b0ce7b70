//! What is left out so that short calls are quick, and made up for: messages that tell of a call that it is there.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, CancelToken, ErrorKind, async_work};
use rustix::process::{Pid, Signal, kill_process};

use crate::calls::add;
use crate::support::{Dir, NatsServer, soon};

/// Ends its worker at once, and with that itself.
#[async_work(remote(deliveries = 2))]
fn ends_its_worker(dir: PathBuf) {
    std::fs::write(dir.join(format!("begun-{}", std::process::id())), "").unwrap();
    let worker = std::os::unix::process::parent_id().try_into().unwrap();
    kill_process(Pid::from_raw(worker).unwrap(), Signal::KILL).unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

/// The server dies while outcomes are on their way to it: they go again as soon as it is back. Who waited out the time
/// limit of their acknowledgement would be silent for more than five seconds, each time.
#[test]
fn outcomes_come_at_once_when_the_server_is_back() {
    let Some(mut server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let _workers = [server.worker("a", 2), server.worker("b", 2)];
    let mut out = VecDeque::<AsyncResult<u64>>::new();
    // The longest silence after each restart.
    let mut silences = vec![Duration::ZERO];
    let mut last = Instant::now();
    for n in 0..12_000 {
        if out.len() == 1_000 {
            out.pop_front().unwrap().get().unwrap();
            let silence = silences.last_mut().unwrap();
            *silence = last.elapsed().max(*silence);
            last = Instant::now();
        }
        out.push_back(add(n, 1).spawn_on(&cluster));
        if n % 4_000 == 3_000 {
            server.kill();
            server.run();
            silences.push(Duration::ZERO);
            last = Instant::now();
        }
    }
    out.into_iter().for_each(|one| assert!(one.get().is_ok()));
    // A machine that has much to do may hold one up.
    let least = silences[1..].iter().min().unwrap();
    assert!(*least < Duration::from_millis(4_500), "{silences:?}");
}

/// The server has not been asked where it is: it is, when nobody wants it any more.
#[test]
fn a_call_that_is_withdrawn_before_anybody_has_it_leaves_nothing() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, token) = (server.cluster(), CancelToken::new());
    let one = add(1, 1).spawn_on(&token.on(&cluster));
    soon("the server has it", || server.messages("WORK") == 1);
    token.cancel();
    assert_eq!(one.get().unwrap_err().kind(), ErrorKind::Cancelled);
    soon("it is taken out", || server.messages("WORK") == 0);
}

/// Nor has it said by then that it has them.
#[test]
fn calls_that_are_withdrawn_on_their_way_leave_nothing() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, token) = (server.cluster(), CancelToken::new());
    let all: Vec<_> = (0..4_000).map(|n| add(n, 1).spawn_on(&token.on(&cluster))).collect();
    soon("the first have come", || server.messages("WORK") > 0);
    token.cancel();
    assert!(all.into_iter().all(|one| one.get().is_err()));
    drop(cluster);
    soon("they are taken out", || server.messages("WORK") == 0);
}

#[test]
fn a_call_that_gets_lost_on_its_way_goes_out_again() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let one = add(1, 1).spawn_on(&cluster);
    soon("the server has it", || server.messages("WORK") == 1);
    server.forget_calls();
    let _worker = server.worker("w", 1);
    assert_eq!(one.get().unwrap(), 2);
}

/// It does so before the worker has said that it has the call. Which of those that are gone it was is not known the first
/// time; after that it is told of before it begins.
#[test]
fn a_call_that_ends_its_worker_at_once_is_lost_after_its_deliveries() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let mut workers: Vec<_> = (0..4).map(|n| server.worker(&format!("w{n}"), 1)).collect();
    let error = ends_its_worker(dir.path().to_owned()).spawn_on(&cluster).get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    let begun = std::fs::read_dir(dir.path()).unwrap().count();
    assert!((2..=3).contains(&begun), "{begun} times");
    assert!(workers.iter_mut().any(|worker| worker.is_alive()));
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
}
