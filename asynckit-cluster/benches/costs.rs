//! What it costs to send calls to processes: `cargo bench -p asynckit-cluster`.

mod measure;

use std::path::Path;
use std::time::{Duration, Instant};

use asynckit::{Results, async_work};
use asynckit_cluster::{Cluster, serve_if_asked};
use bytes::Bytes;
use measure::{WINDOW, empty, most_memory, quantiles, run};

#[async_work(remote)]
fn length(bytes: &[u8]) -> usize {
    bytes.len()
}

/// The same of bytes that serialize as one piece.
#[async_work(remote)]
fn length_of_piece(bytes: &Bytes) -> usize {
    bytes.len()
}

/// Takes long the first time.
#[async_work(remote)]
fn sleeps_once(file: &Path) -> u32 {
    if file.exists() {
        return std::process::id();
    }
    std::fs::write(file, std::process::id().to_string()).unwrap();
    std::thread::sleep(Duration::from_secs(60));
    0
}

fn main() {
    serve_if_asked();
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|one| !one.starts_with('-')).collect();
    let parts: [(&str, fn()); 5] = [
        ("single", one_at_a_time),
        ("many", many_at_a_time),
        ("large", large),
        ("memory", memory),
        ("death", death),
    ];
    println!("{} processors", std::thread::available_parallelism().map_or(0, usize::from));
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|one| one == name) {
            part();
        }
    }
}

fn cluster(processes: usize) -> Cluster {
    let cluster = Cluster::processes(processes).unwrap();
    run(&cluster, 20_000);
    cluster
}

fn one_at_a_time() {
    let begin = Instant::now();
    let fresh = Cluster::processes(1).unwrap();
    empty(1).spawn_on(&fresh).get().unwrap();
    println!("a cluster, until its first result: {:.2?}", begin.elapsed());
    let cluster = cluster(1);
    let times = (0..5_000).map(|n| {
        let begin = Instant::now();
        assert_eq!(empty(n).spawn_on(&cluster).get().unwrap(), n);
        begin.elapsed()
    });
    println!("submit -> result, one at a time: {}", quantiles(times.collect()));
}

fn many_at_a_time() {
    for processes in [1, 2, 4] {
        let cluster = cluster(processes);
        let mut best = f64::MAX;
        for _ in 0..3 {
            let begin = Instant::now();
            run(&cluster, 100_000);
            best = best.min(begin.elapsed().as_secs_f64());
        }
        let rate = 100_000.0 / best;
        println!("empty calls, {WINDOW} out at once, {processes} processes: {rate:.0} a second");
    }
}

fn large() {
    let cluster = cluster(1);
    let numbers = |bytes: &Vec<u8>| {
        cluster.pool().scope(|s| length(bytes).spawn_on(&cluster.on(s)).get()).unwrap()
    };
    let piece = |bytes: &Bytes| {
        cluster.pool().scope(|s| length_of_piece(bytes).spawn_on(&cluster.on(s)).get()).unwrap()
    };
    for megabytes in [1, 50] {
        large_ones(&format!("`[u8]` of {megabytes} MB"), megabytes << 20, |bytes| bytes, numbers);
        large_ones(&format!("`Bytes` of {megabytes} MB"), megabytes << 20, Bytes::from, piece);
    }
}

fn large_ones<T>(what: &str, size: usize, of: impl Fn(Vec<u8>) -> T, call: impl Fn(&T) -> usize) {
    let once = |seed: u8| {
        let bytes = of(vec![seed; size]);
        let begin = Instant::now();
        assert_eq!(call(&bytes), size);
        begin.elapsed()
    };
    println!("an argument {what}: {}", quantiles((0..9).map(once).collect()));
    println!("the same one again: {}", quantiles((0..9).map(|_| once(1)).collect()));
}

fn memory() {
    let cluster = cluster(2);
    let before = most_memory();
    run(&cluster, 100_000);
    println!("100,000 calls: the driver's memory {before} kB before, {} kB after", most_memory());
    let all = (0..100_000).map(|n| empty(n).spawn_on(&cluster)).try_join_all().get().unwrap();
    println!("all of {} out at once: {} kB at most", all.len(), most_memory());
}

/// A worker is killed while it runs a call: how long until it is noticed, and until another one works.
fn death() {
    let (cluster, folder) = (cluster(1), std::env::temp_dir());
    let (mut noticed, mut recovered) = (Vec::new(), Vec::new());
    for n in 0..20 {
        let file = folder.join(format!("asynckit-cluster-bench-{}-{n}", std::process::id()));
        cluster.pool().scope(|s| {
            let result = sleeps_once(&file).spawn_on(&cluster.on(s));
            let id = loop {
                let id = std::fs::read_to_string(&file).ok().and_then(|id| id.parse::<i32>().ok());
                match id.and_then(rustix::process::Pid::from_raw) {
                    Some(id) => break id,
                    None => std::thread::sleep(Duration::from_millis(1)),
                }
            };
            let (before, begin) = (cluster.status().redelivered, Instant::now());
            rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
            while cluster.status().redelivered == before {
                std::thread::sleep(Duration::from_micros(50));
            }
            noticed.push(begin.elapsed());
            result.get().unwrap();
            recovered.push(begin.elapsed());
            let _ = std::fs::remove_file(&file);
        });
    }
    println!("a worker's death, until it is noticed: {}", quantiles(noticed));
    println!(
        "until another one has done a call, with a grace of 2 s in between: {}",
        quantiles(recovered)
    );
}
