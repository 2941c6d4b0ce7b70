//! What it costs to send calls over NATS on loopback, by default and with `sync_interval: always`:
//! `cargo bench -p asynckit-cluster --features nats --bench nats`. It needs `nats-server` on the path.

mod measure;
#[path = "measure/server.rs"]
mod server;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, async_work};
use asynckit_cluster::{Cluster, serve_if_asked};
use measure::{WINDOW, empty, most_memory, quantiles, run};
use server::{Server, Worker};

#[async_work(remote)]
fn length(bytes: Vec<u8>) -> usize {
    bytes.len()
}

#[async_work(remote)]
fn bytes(length: usize) -> Vec<u8> {
    vec![1; length]
}

/// Takes long the first time.
#[async_work(remote)]
fn sleeps_once(file: PathBuf) -> u32 {
    // A worker has its calls run by processes of its own.
    let worker = std::os::unix::process::parent_id();
    if !file.exists() {
        std::fs::write(file, worker.to_string()).unwrap();
        std::thread::sleep(Duration::from_secs(60));
    }
    worker
}

type Part = fn(&mut Server);

fn main() {
    serve_if_asked();
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|one| !one.starts_with('-')).collect();
    let parts: [(&str, Part); 6] = [
        ("single", one_at_a_time),
        ("many", many_at_a_time),
        ("large", large),
        ("memory", memory),
        ("restart", restart),
        ("death", death),
    ];
    println!("{} processors", std::thread::available_parallelism().map_or(0, usize::from));
    for sync in ["", "sync_interval: always"] {
        println!("-- {}", if sync.is_empty() { "the server's default" } else { sync });
        let mut server = Server::start(sync);
        for (name, part) in parts {
            if wanted.is_empty() || wanted.iter().any(|one| one == name) {
                part(&mut server);
            }
        }
    }
}

fn one_at_a_time(server: &mut Server) {
    let (cluster, _workers) = cluster(server, 1);
    let times = (0..3_000).map(|n| {
        let begin = Instant::now();
        assert_eq!(empty(n).spawn_on(&cluster).get().unwrap(), n);
        begin.elapsed()
    });
    println!("submit -> result, one at a time: {}", quantiles(times.collect()));
}

fn many_at_a_time(server: &mut Server) {
    for workers in [1, 2, 4] {
        let (cluster, _workers) = cluster(server, workers);
        let mut best = f64::MAX;
        for _ in 0..3 {
            let begin = Instant::now();
            run(&cluster, 30_000);
            best = best.min(begin.elapsed().as_secs_f64());
        }
        let rate = 30_000.0 / best;
        println!("empty calls, {WINDOW} out at once, {workers} workers: {rate:.0} a second");
    }
}

fn large(server: &mut Server) {
    let (cluster, _workers) = cluster(server, 1);
    for megabytes in [1, 50] {
        let once = |seed: u8| {
            let bytes = vec![seed; megabytes << 20];
            let begin = Instant::now();
            assert_eq!(length(bytes).spawn_on(&cluster).get().unwrap(), megabytes << 20);
            begin.elapsed()
        };
        let times: Vec<_> = (0..7).map(once).collect();
        println!("an argument of {megabytes} MB: {}", quantiles(times));
        let times = (0..7).map(|_| {
            let begin = Instant::now();
            assert_eq!(
                bytes(megabytes << 20).spawn_on(&cluster).get().unwrap().len(),
                megabytes << 20
            );
            begin.elapsed()
        });
        println!("a value of {megabytes} MB: {}", quantiles(times.collect()));
    }
}

fn memory(server: &mut Server) {
    let (cluster, _workers) = cluster(server, 2);
    let before = most_memory();
    run(&cluster, 100_000);
    println!("100,000 calls: the driver's memory {before} kB before, {} kB after", most_memory());
}

/// The server is killed under load and started again at once: how long no call comes out.
fn restart(server: &mut Server) {
    let (cluster, _workers) = cluster(server, 2);
    let mut longest = Duration::ZERO;
    let mut last = Instant::now();
    let mut out = VecDeque::new();
    for n in 0..30_000 {
        if out.len() == WINDOW {
            let result: AsyncResult<u64> = out.pop_front().unwrap();
            result.get().unwrap();
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
        out.push_back(empty(n).spawn_on(&cluster));
        if n == 15_000 {
            server.kill();
            server.run();
        }
    }
    out.into_iter().for_each(|result| assert!(result.get().is_ok()));
    println!(
        "the server killed and started again, 30,000 calls: the longest silence {longest:.2?}"
    );
}

/// A worker is killed while it runs a call: how long until another one has done it.
fn death(server: &mut Server) {
    let (cluster, mut workers) = cluster(server, 2);
    let times = (0..4).map(|n| {
        let file = std::env::temp_dir().join(format!("asynckit-bench-{}-{n}", std::process::id()));
        let result = sleeps_once(file.clone()).spawn_on(&cluster);
        let id = loop {
            match std::fs::read_to_string(&file).ok().and_then(|id| id.parse::<u32>().ok()) {
                Some(id) => break id,
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        let begin = Instant::now();
        let its = workers.iter_mut().find(|worker| worker.0.id() == id).unwrap();
        *its = server.worker();
        assert_ne!(result.get().unwrap(), id);
        let _ = std::fs::remove_file(&file);
        begin.elapsed()
    });
    println!(
        "a worker's death, until another one has done its call: {}",
        quantiles(times.collect())
    );
}

/// A cluster of so many workers, which have done something already.
fn cluster(server: &Server, workers: usize) -> (Cluster, Vec<Worker>) {
    let cluster = server.connect();
    let workers = (0..workers).map(|_| server.worker()).collect();
    run(&cluster, 5_000);
    (cluster, workers)
}
