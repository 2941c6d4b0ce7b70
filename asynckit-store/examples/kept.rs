//! Lists what a store keeps, and forgets it.
//!
//! ```text
//! cargo run -p asynckit-store --example kept -- results.redb                    # a line for each, the last used first
//! cargo run -p asynckit-store --example kept -- results.redb functions          # a line for each function
//! cargo run -p asynckit-store --example kept -- results.redb forget transcribe  # those of this function
//! cargo run -p asynckit-store --example kept -- results.redb unused 30          # those not used for 30 days
//! ```
//!
//! Without a file it shows itself what it does, on a store of its own.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use asynckit::{Pool, async_work};
use asynckit_store::{Entry, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => show(),
        [path] => list(&Store::open(path)?),
        [path, "functions"] => functions(&Store::open(path)?),
        [path, "forget", function] => forget(&Store::open(path)?, |entry| is_of(entry, function)),
        [path, "unused", days] => {
            let limit = Duration::from_secs(86_400 * days.parse::<u64>()?);
            forget(&Store::open(path)?, |entry| entry.unused() > limit)
        }
        _ => Err("usage: kept FILE [functions | forget FUNCTION | unused DAYS]".into()),
    }
}

fn list(store: &Store) -> Result<(), Box<dyn Error>> {
    for entry in store.entries()? {
        println!("{entry}");
    }
    Ok(())
}

fn functions(store: &Store) -> Result<(), Box<dyn Error>> {
    let mut all: BTreeMap<String, (usize, u64, Duration)> = BTreeMap::new();
    for entry in store.entries()? {
        let (count, size, took) = all.entry(entry.function().to_owned()).or_default();
        *count += 1;
        *size += entry.size();
        *took += entry.took();
    }
    for (function, (count, size, took)) in all {
        println!("{function}: {count} values of {size} bytes, which took {took:.1?}");
    }
    Ok(())
}

fn forget(store: &Store, picks: impl FnMut(&Entry) -> bool) -> Result<(), Box<dyn Error>> {
    println!("{} forgotten", store.forget(picks)?);
    Ok(())
}

/// By its whole path, or by the end of it.
fn is_of(entry: &Entry, function: &str) -> bool {
    let path = entry.function();
    path == function || path.ends_with(&format!("::{function}"))
}

/// Something to keep.
#[async_work(keep)]
fn factor(n: u64) -> Vec<u64> {
    let (mut left, mut factors) = (n, Vec::new());
    for candidate in 2..=n {
        while left.is_multiple_of(candidate) {
            factors.push(candidate);
            left /= candidate;
        }
    }
    factors
}

fn show() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("results.redb");
    let pool = Pool::new(2);
    for _ in 0..2 {
        let store = Store::open(&path)?;
        for n in [91, 360, 1_000_003] {
            println!("{n} = {:?}", factor(n).spawn_on(&store.on(&pool)).get()?);
        }
        println!("{}", store.stats());
    }
    let store = Store::open(&path)?;
    list(&store)?;
    functions(&store)?;
    forget(&store, |entry| is_of(entry, "factor"))?;
    assert!(store.entries()?.is_empty());
    Ok(())
}
