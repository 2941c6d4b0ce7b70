//! The work of `measure.py` on this crate, by processes and over NATS. `beside/run` runs it, beside others; it needs
//! `nats-server` on the path.

#[path = "../measure/server.rs"]
mod server;

use std::time::{Duration, Instant};

use asynckit::{Results, async_work};
use asynckit_cluster::{Cluster, serve_if_asked};
use bytes::Bytes;
use server::Server;

const SINGLE: u64 = 1_000;
const BATCH: u64 = 1_024;
const FOR: Duration = Duration::from_secs(5);
const LARGE: usize = 1 << 20;
const LARGES: u64 = 50;

#[async_work(remote)]
fn empty(n: u64) -> u64 {
    n
}

#[async_work(remote)]
fn length(data: Bytes) -> usize {
    data.len()
}

fn main() {
    serve_if_asked();
    row("asynckit, processes", &Cluster::processes(2).unwrap());
    for (sync, name) in
        [("", "asynckit, NATS"), ("sync_interval: always", "asynckit, NATS, synced")]
    {
        let server = Server::start(sync);
        let (cluster, _worker) = (server.connect(), server.worker());
        row(name, &cluster);
    }
}

fn row(name: &str, cluster: &Cluster) {
    for _ in 0..3 {
        empties(cluster);
    }
    let single =
        (0..SINGLE).map(|n| timed(|| assert_eq!(empty(n).spawn_on(cluster).get().unwrap(), n)));
    let single = sorted(single);
    let (mut count, begin) = (0, Instant::now());
    while begin.elapsed() < FOR {
        empties(cluster);
        count += BATCH;
    }
    let rate = count as f64 / begin.elapsed().as_secs_f64();
    let large = (0..LARGES).map(|seed| {
        let data = other_bytes(seed);
        timed(|| assert_eq!(length(data).spawn_on(cluster).get().unwrap(), LARGE))
    });
    let large = sorted(large);
    let at = |times: &[Duration], part: f64| {
        times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3
    };
    println!(
        "| {name} | {:.2} ms | {:.2} ms | {rate:.0} | {:.2} ms |",
        at(&single, 0.5),
        at(&single, 0.99),
        at(&large, 0.5)
    );
}

/// Some calls, out at once.
fn empties(cluster: &Cluster) {
    let all = (0..BATCH).map(|n| empty(n).spawn_on(cluster)).try_join_all().get().unwrap();
    assert!(all.into_iter().eq(0..BATCH));
}

/// Bytes that nobody has yet: those of a simple generator of numbers.
fn other_bytes(seed: u64) -> Bytes {
    let mut state = seed + 1;
    let words = std::iter::repeat_with(|| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_le_bytes()
    });
    words.take(LARGE / 8).flatten().collect::<Vec<u8>>().into()
}

fn timed(call: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    call();
    begin.elapsed()
}

fn sorted(times: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut times: Vec<_> = times.collect();
    times.sort();
    times
}
