//! Workers that are killed all the time, and the server now and then: all outcomes are right, each once.

use std::collections::VecDeque;
use std::io::Write;
use std::time::{Duration, Instant};

use crate::calls::add;
use crate::support::{NatsServer, WorkerProcess};

/// For some seconds; `scripts/soak` says for how many.
#[test]
fn calls_come_out_right_while_workers_and_the_server_are_killed() {
    let Some(mut server) = NatsServer::start() else { return };
    let seconds = std::env::var("ASYNCKIT_SOAK").ok().and_then(|text| text.parse().ok());
    let seconds: u64 = seconds.unwrap_or(12);
    let cluster = server.cluster();
    let mut workers: Vec<WorkerProcess> =
        (0..4).map(|n| server.worker(&format!("w{n}"), 2)).collect();
    let (begin, mut out, mut calls, mut round) = (Instant::now(), VecDeque::new(), 0u64, 0);
    while begin.elapsed() < Duration::from_secs(seconds) {
        while begin.elapsed() < Duration::from_secs(round) {
            if out.len() == 1_000 {
                let (n, one): (u64, asynckit::AsyncResult<u64>) = out.pop_front().unwrap();
                assert_eq!(one.get().unwrap(), n + 1);
            }
            out.push_back((calls, add(calls, 1).spawn_on(&cluster)));
            calls += 1;
        }
        round += 1;
        let at = (round % 4) as usize;
        workers[at].kill();
        workers[at] = server.worker(&format!("w{at}-{round}"), 2);
        if round % 30 == 6 {
            server.kill();
            server.run();
        }
    }
    for (n, one) in out {
        assert_eq!(one.get().unwrap(), n + 1);
    }
    let status = cluster.status();
    assert_eq!(status.open, 0);
    let words = format!("{calls} calls, {} redelivered\n", status.redelivered);
    std::io::stderr().write_all(words.as_bytes()).unwrap();
}
