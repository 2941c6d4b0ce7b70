//! Fan out over a collection, fan in again: a list of pending results goes where a list of values is
//! wanted.

use std::ops::Range;

use asynckit::{AsyncResult, Error, Pool, async_work, chain};

#[async_work]
fn primes(range: Range<u32>) -> Vec<u32> {
    let is_prime = |n: u32| {
        let mut divisors = (2..).take_while(|d| d * d <= n);
        n > 1 && !divisors.any(|d| n.is_multiple_of(d))
    };
    range.filter(|&n| is_prime(n)).collect()
}

/// Waits for all of them: it takes plain values, and knows nothing of tasks.
#[async_work]
fn join(parts: Vec<Vec<u32>>) -> Vec<u32> {
    parts.concat()
}

fn primes_below(pool: &Pool, end: u32) -> AsyncResult<Vec<u32>> {
    let ranges = (0..end).step_by(1000).map(|start| start..end.min(start + 1000));
    chain!(pool, {
        let parts: Vec<_> = ranges.map(primes).collect(); // fan out: each starts at once
        join(parts) // fan in
    })
}

fn main() -> Result<(), Error> {
    let pool = Pool::default();
    let primes = primes_below(&pool, 20_000).get()?;

    println!("{} primes below 20000, the last is {:?}", primes.len(), primes.last());
    assert_eq!(primes.len(), 2262);
    assert_eq!(primes[..5], [2, 3, 5, 7, 11]); // in the order of the list, whichever was done first
    Ok(())
}
