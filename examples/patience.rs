//! Time limits, further tries, so many at once, and a whole tree of work that is called off.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use asynckit::{
    AsyncResult, CancelToken, ErrorKind, Pool, async_work, chain, current, is_cancelled,
};

static CALLS: AtomicUsize = AtomicUsize::new(0);

/// A service that is busy at first, and wants no more than two calls at once.
#[async_work(retry = 3, backoff = "2ms", timeout = "5s", limit = 2)]
fn lookup(name: &str) -> Result<usize, String> {
    match CALLS.fetch_add(1, SeqCst) {
        0 | 1 => Err(format!("busy with something else than {name}")),
        _ => Ok(name.len()),
    }
}

#[async_work]
fn add(a: usize, b: usize) -> usize {
    a + b
}

/// Searches for ever, in more and more places, unless it is called off.
#[async_work]
fn search(depth: u32) {
    if depth > 0 {
        search(depth - 1).detach_on(&current());
        search(depth - 1).detach_on(&current());
    }
    while !is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn main() -> asynckit::Result<()> {
    let pool = Pool::new(4);

    // What fails now and then is made again; the chain does not notice.
    let sum = chain!(&pool, add(lookup("one"), lookup("three")));
    assert_eq!(sum.get()?, 8);
    assert_eq!(CALLS.load(SeqCst), 4);

    // So long for one run, wherever it had to wait before, with something else in its place.
    let (slow, fallback) = (search(0).timeout(Duration::from_millis(5)), "gave up");
    let outcome = slow.spawn_on(&pool).get().map_or_else(|_| fallback, |()| "found");
    assert_eq!(outcome, "gave up");

    // So long for all of it, from now on: here it would wait for ever.
    let input = AsyncResult::<usize>::new();
    let sum = input.clone().map(|n| n + 1).deadline(Duration::from_millis(5)).spawn_on(&pool);
    assert_eq!(sum.get().unwrap_err().kind(), ErrorKind::TimedOut);

    // A deadline for all of it: for what runs, and for what that has submitted in turn.
    let token = CancelToken::with_timeout(Duration::from_millis(20));
    let found = search(3).spawn_on(&token.on(&pool));
    let error = found.get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    println!("{error}");

    // Many items, a few of them at a time.
    let total: usize = pool.map(1..=1_000, |n: usize| n * n).limit(8).map(Result::unwrap).sum();
    assert_eq!(total, 333_833_500);
    pool.stop(); // every search has seen that it was called off
    Ok(())
}
