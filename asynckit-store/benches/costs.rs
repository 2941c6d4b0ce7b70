//! What keeping costs: `cargo bench -p asynckit-store`. Beside joblib's Memory where the Python of
//! `ASYNCKIT_PYTHON` (else `python3`) has it.

use std::process::Command;
use std::time::{Duration, Instant};

use asynckit::{Pool, Results, async_work, chain};
use asynckit_store::Store;

#[async_work(keep)]
fn kept(n: u64) -> [u64; 4] {
    [n; 4]
}

#[async_work]
fn plain(n: u64) -> [u64; 4] {
    [n; 4]
}

#[async_work(keep)]
fn hundred_bytes(n: u64) -> String {
    format!("{n:0100}")
}

#[async_work(keep)]
fn last(all: Vec<[u64; 4]>) -> u64 {
    all.len() as u64
}

const CALLS: u64 = 10_000;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("results.redb");
    let pool = Pool::new(2);

    let each = |time: Duration, calls: u64| time.as_secs_f64() * 1e6 / calls as f64;
    let report = |what: &str, figure: String| println!("{what:<66} {figure:>14}");

    let chain_of = |store: &Store| {
        let begun = Instant::now();
        let on = store.on(&pool);
        let count = chain!(&on, {
            let all: Vec<_> = (0..CALLS).map(kept).collect();
            last(all)
        });
        assert_eq!(count.get().expect("a count"), CALLS);
        begun.elapsed()
    };
    let store = Store::open(&path).expect("a store");
    report("a chain of 10,000 calls, computed", format!("{:.0?}", chain_of(&store)));
    drop(store);

    let begun = Instant::now();
    let store = Store::open(&path).expect("a store");
    let time = chain_of(&store);
    report("the same chain, all kept, its store just opened", format!("{time:.0?}"));
    report("with the opening of the store", format!("{:.0?}", begun.elapsed()));
    assert_eq!(store.stats().misses, 0);

    // On this thread alone, and the best of many rounds: a machine that does something else as well shows less.
    let alone = Pool::new(0);
    let on = store.on(&alone);
    let best = |call: &dyn Fn(u64)| {
        let round = |from: u64| {
            let begun = Instant::now();
            (from..from + 100).for_each(call);
            begun.elapsed()
        };
        (0..CALLS / 100).map(|n| round(100 * n)).min().expect("a round")
    };
    let hit = best(&|n| assert_eq!(kept(n).spawn_on(&on).get().expect("a value"), [n; 4]));
    report("a hit, submission and `get` included", format!("{:.1} µs", each(hit, 100)));
    let call = best(&|n| assert_eq!(plain(n).spawn_on(&on).get().expect("a value"), [n; 4]));
    report("a call without `keep` on the same place", format!("{:.1} µs", each(call, 100)));
    let call = best(&|n| assert_eq!(kept(n).spawn_on(&alone).get().expect("a value"), [n; 4]));
    report("without a store: a call with `keep`", format!("{:.2} µs", each(call, 100)));
    let call = best(&|n| assert_eq!(plain(n).spawn_on(&alone).get().expect("a value"), [n; 4]));
    report("without a store: a call without", format!("{:.2} µs", each(call, 100)));
    drop(on);
    drop(store);

    let store = Store::open(folder.path().join("many.redb")).expect("a store");
    let (begun, before, many) = (Instant::now(), processor_time(), 100_000);
    let all = (0..many).map(|n| hundred_bytes(n).spawn_on(&store.on(&pool))).join_all();
    all.get().expect("values");
    let there = begun.elapsed();
    store.flush().expect("room on the disk");
    let time = begun.elapsed();
    report("100,000 results of 100 bytes: computed", format!("{there:.0?}"));
    report("and on the disk", format!("{time:.0?}"));
    report("kept a second", format!("{:.0}", many as f64 / time.as_secs_f64()));
    if let (Some(before), Some(after)) = (before, processor_time()) {
        let time = after - before;
        report("processor time that took, of all threads", format!("{time:.1?}"));
    }

    match joblib() {
        Some((hit, results)) => {
            report("joblib's Memory: a hit", format!("{hit:.1} µs"));
            report("joblib's Memory: kept a second", format!("{results:.0}"));
        }
        None => println!("Left out: no Python with joblib (ASYNCKIT_PYTHON names one)."),
    }
}

/// What joblib's Memory takes for a hit, in µs, and how many results it keeps a second.
fn joblib() -> Option<(f64, f64)> {
    let python = std::env::var_os("ASYNCKIT_PYTHON").unwrap_or_else(|| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/joblib_memory.py");
    let output = Command::new(python).arg(script).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (hit, results) = text.trim().split_once(' ')?;
    Some((hit.parse().ok()?, results.parse().ok()?))
}

/// How long the threads of this process were on a processor: a machine that does something else as well counts less.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut numbers = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || numbers.next()?.parse::<u64>().ok();
    // In hundredths of a second, as everywhere on Linux.
    Some(Duration::from_millis(10 * (next()? + next()?)))
}
