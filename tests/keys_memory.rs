//! Limits and rates by key leave no memory behind.
//!
//! A process of its own, as what it measures is the whole process.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use asynckit::{Limit, Pool, Rate, Results, work};

const KEYS: usize = 50_000;
const ROUNDS: usize = 10;
const MEGABYTE: usize = 1 << 20;

/// How many bytes of this process are in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("what the system knows of us");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    let kilobytes = line.trim().strip_suffix(" kB").expect("in kilobytes");
    kilobytes.parse::<usize>().expect("a number") * 1024
}

/// All of them at once, each used; what is in memory when all is forgotten.
fn round(pool: &Pool, limit: &Limit, rate: &Rate, round: usize) -> usize {
    let name = |n: usize| format!("host {round} {n} with a name of some length");
    let all: Vec<_> = (0..KEYS).map(|n| (limit.of(&name(n)), rate.of(&name(n)))).collect();
    assert_eq!((limit.keys(), rate.keys()), (KEYS, KEYS));
    let results = all.iter().step_by(10).map(|(limit, rate)| {
        let used = work(|| 1).limit(limit).rate(rate);
        used.spawn_on(pool)
    });
    assert_eq!(results.join_all().get().expect("it can't fail").len(), KEYS / 10);
    drop(all);
    let start = Instant::now();
    while limit.keys() + rate.keys() > 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "keys are left: {limit:?} {rate:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
    resident()
}

#[test]
fn many_keys_leave_nothing_behind() {
    let (pool, limit, rate) = (Pool::new(2), Limit::new(2), Rate::per_second(10_000));
    let rounds: Vec<usize> = (0..ROUNDS).map(|n| round(&pool, &limit, &rate, n)).collect();
    println!("in memory after each round of {KEYS} keys: {rounds:?} bytes");
    let (first, last) = (rounds[1], rounds[ROUNDS - 1]);
    // One round takes some 50 MB; what stayed of each would show.
    assert!(last < first + 8 * MEGABYTE, "{rounds:?}");
}
