//! Workers that are killed all the time, and the server now and then: all outcomes are right, each once.

use std::collections::VecDeque;
use std::io::Write;
use std::time::{Duration, Instant};

use crate::calls::add;
use crate::support::{NatsServer, WorkerProcess};

/// For some seconds, with some workers, of which one is killed each second; `scripts/soak` says how many of either.
#[test]
fn calls_come_out_right_while_workers_and_the_server_are_killed() {
    let Some(mut server) = NatsServer::start() else { return };
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("ASYNCKIT_SOAK").unwrap_or(12);
    let most = number("ASYNCKIT_SOAK_WORKERS").unwrap_or(4);
    let cluster = server.cluster();
    let mut workers: Vec<WorkerProcess> =
        (0..most).map(|n| server.worker(&format!("w{n}"), 2)).collect();
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
        let at = (round % most) as usize;
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
    let words = format!(
        "{calls} calls in {seconds} s, {round} of {most} workers killed, {} delivered again\n",
        status.redelivered
    );
    std::io::stderr().write_all(words.as_bytes()).unwrap();
}
