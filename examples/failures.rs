//! Failures travel along the chain: what depends on failed work is skipped, and whoever asks gets the
//! error itself.

use std::num::ParseIntError;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use asynckit::{Error, ErrorKind, Pool, Results, async_work, chain};

#[async_work]
fn parse(text: &str) -> Result<i32, ParseIntError> {
    text.parse()
}

#[async_work]
fn divide(a: i32, b: i32) -> i32 {
    a / b // panics when b is 0
}

#[async_work]
fn load(path: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(path).context("the settings are missing")
}

static REPORTED: AtomicBool = AtomicBool::new(false);

#[async_work]
fn report(n: i32) {
    REPORTED.store(true, Ordering::Relaxed);
    println!("the answer is {n}");
}

fn main() -> Result<(), Error> {
    let pool = Pool::new(2);

    // An error: neither `divide` nor `report` runs.
    let done = chain!(&pool, {
        let a = parse("12");
        let b = parse("many");
        report(divide(a, b))
    });
    let error = done.get().unwrap_err();
    println!("{error}\n{error:#}"); // in one line; with the way it took
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.origin().ends_with("::parse"));
    assert!(error.downcast_ref::<ParseIntError>().is_some());
    assert!(!REPORTED.load(Ordering::Relaxed));

    // A panic is caught: it costs the pool no worker, and fails what depends on it as an error does.
    let error = chain!(&pool, report(divide(parse("1"), parse("0")))).get().unwrap_err();
    println!("{error}");
    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert!(!REPORTED.load(Ordering::Relaxed));

    // A failure may also be turned into a value, and then what depends on it runs: that of one cause,
    // as here, or by `|error: &Error| ..` any.
    let answer = chain!(&pool, {
        let n = parse("many");
        let n = n.recover(|_: &ParseIntError| 42);
        divide(n, 2)
    });
    assert_eq!(answer.get()?, 21);

    // What `anyhow` adds stays with the error, and so does what has caused it.
    let error = load("no/such/file").spawn_on(&pool).get().unwrap_err();
    println!("{error:#}");
    assert!(error.to_string().ends_with("load failed: the settings are missing"));
    assert!(error.downcast_ref::<std::io::Error>().is_some());

    // How each of many ended, where some may fail.
    let parsed = ["1", "two", "3"].map(|text| parse(text).spawn_on(&pool)).settle_all();
    let (fine, failed): (Vec<_>, Vec<_>) = parsed.get()?.into_iter().partition(Result::is_ok);
    assert_eq!((fine.len(), failed.len()), (2, 1));
    Ok(())
}
