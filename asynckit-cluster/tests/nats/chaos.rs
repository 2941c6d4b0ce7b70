//! Workers that are killed all the time, and the server now and then: all outcomes are right, each once.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::calls::add;
use crate::support::{NatsServer, WorkerProcess};

/// For some seconds, with some workers, of which one is killed each second, and so many calls a second; `scripts/soak`
/// says how many of each.
#[test]
fn calls_come_out_right_while_workers_and_the_server_are_killed() {
    let Some(mut server) = NatsServer::start() else { return };
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("ASYNCKIT_SOAK").unwrap_or(12);
    let most = number("ASYNCKIT_SOAK_WORKERS").unwrap_or(4);
    let a_second = number("ASYNCKIT_SOAK_CALLS").unwrap_or(400);
    let cluster = server.cluster();
    let mut workers: Vec<WorkerProcess> =
        (0..most).map(|n| server.worker(&format!("w{n}"), 2)).collect();
    let (begin, mut all) = (Instant::now(), Vec::new());
    for round in 1..=seconds {
        let from = all.len() as u64;
        all.extend((from..from + a_second).map(|n| add(n, 1).spawn_on(&cluster)));
        let at = (round % most) as usize;
        workers[at].kill();
        workers[at] = server.worker(&format!("w{at}-{round}"), 2);
        if round % 30 == 6 {
            server.kill();
            server.run();
        }
        std::thread::sleep(Duration::from_secs(round).saturating_sub(begin.elapsed()));
    }
    let calls = all.len();
    for (n, one) in (0..).zip(all) {
        assert_eq!(one.get().unwrap(), n + 1);
    }
    let status = cluster.status();
    assert_eq!(status.open, 0);
    let words = format!(
        "{calls} calls, the last outcome after {:.1} s; {seconds} kills of {most} workers, {} delivered again\n",
        begin.elapsed().as_secs_f64(),
        status.redelivered
    );
    std::io::stderr().write_all(words.as_bytes()).unwrap();
}
