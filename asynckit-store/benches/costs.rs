//! What keeping costs: `cargo bench -p asynckit-store`.

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

    let on = store.on(&pool);
    let begun = Instant::now();
    for n in 0..CALLS {
        kept(n).spawn_on(&on).get().expect("a value");
    }
    report(
        "a hit, from outside, one after the other",
        format!("{:.1} µs", each(begun.elapsed(), CALLS)),
    );
    let begun = Instant::now();
    for n in 0..CALLS {
        plain(n).spawn_on(&on).get().expect("a value");
    }
    report(
        "a call without `keep` on the same place",
        format!("{:.1} µs", each(begun.elapsed(), CALLS)),
    );
    drop(on);
    drop(store);

    for (what, n) in [("without a store: a call with `keep`", true), ("a call without", false)] {
        let begun = Instant::now();
        for _ in 0..20 {
            let all = match n {
                true => (0..CALLS).map(|n| kept(n).spawn_on(&pool)).join_all(),
                false => (0..CALLS).map(|n| plain(n).spawn_on(&pool)).join_all(),
            };
            all.get().expect("values");
        }
        report(what, format!("{:.0} ns", each(begun.elapsed(), 20 * CALLS) * 1e3));
    }

    let store = Store::open(folder.path().join("many.redb")).expect("a store");
    let (begun, many) = (Instant::now(), 100_000);
    let all = (0..many).map(|n| hundred_bytes(n).spawn_on(&store.on(&pool))).join_all();
    all.get().expect("values");
    let there = begun.elapsed();
    store.flush().expect("room on the disk");
    let time = begun.elapsed();
    report("100,000 results of 100 bytes: computed", format!("{there:.0?}"));
    report("and on the disk", format!("{time:.0?}"));
    report("kept a second", format!("{:.0}", many as f64 / time.as_secs_f64()));
}
