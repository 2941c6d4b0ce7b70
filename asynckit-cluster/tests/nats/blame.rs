//! Workers that are lost as a whole, without a word: which of their calls have to do with it.

use std::time::Duration;

use asynckit::{ErrorKind, async_work};
use rustix::process::{Pid, Signal, kill_process};

use crate::calls::{begun, gated, nap};
use crate::support::{Dir, NatsServer, WorkerProcess, soon};

/// Ends its worker, and with that itself and all else that runs there.
#[async_work(remote)]
fn ends_its_worker_soon(_any: u32) {
    std::thread::sleep(Duration::from_secs(1));
    let worker = std::os::unix::process::parent_id().try_into().unwrap();
    kill_process(Pid::from_raw(worker).unwrap(), Signal::KILL).unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

/// Workers are killed more often than a call may be lost; one after the other, so that each has all of the calls. When it is
/// known that one of them may be the end of its worker, they run one at a time, and the others wait in that worker.
#[test]
fn calls_that_wait_in_a_worker_have_nothing_to_do_with_its_end() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let start = |name: &str| {
        WorkerProcess::with(&format!("{}/test", server.url()), name, 8, |command| {
            command.env("ASYNCKIT_WORKER_PROCESSES", "1");
        })
    };
    let mut worker = start("w0");
    let all: Vec<_> = (0..8).map(|n| gated(dir.path().to_owned(), n).spawn_on(&cluster)).collect();
    soon("all run", || (0..8).all(|n| !begun(dir.path(), n).is_empty()));
    for round in 1..=4 {
        worker.kill();
        worker = start(&format!("w{round}"));
        soon("one of them runs", || (0..8).any(|n| begun(dir.path(), n).contains(&worker.id())));
        // Long enough for the worker to say of the others that it has them.
        server.watch_beats().wait_for(2);
    }
    dir.allow("go");
    for (n, one) in (0..8).zip(all) {
        assert_eq!(one.get().unwrap(), n);
    }
}

/// There is one worker, so that they are together again each time.
#[test]
fn a_call_beside_one_that_ends_its_worker_is_not_lost_with_it() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let mut worker = server.worker("w", 2);
    let poison = ends_its_worker_soon(0).spawn_on(&cluster);
    let beside = nap(3_000).spawn_on(&cluster);
    soon("both come to their ends", || {
        if !worker.is_alive() {
            worker = server.worker("w", 2);
        }
        poison.is_set() && beside.is_set()
    });
    let error = poison.get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert!(error.to_string().contains("3 times: w"), "{error}");
    beside.get().unwrap();
}
