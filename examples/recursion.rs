//! Work that starts more work and waits for it, on a pool of one worker: a wait inside work runs the
//! work that it waits for, so it does not deadlock.

use asynckit::{Error, Pool, async_work, current};

#[async_work]
fn fib(n: u32) -> Result<u64, Error> {
    if n < 2 {
        return Ok(n.into());
    }
    let a = fib(n - 1).spawn_on(&current());
    let b = fib(n - 2).spawn_on(&current());
    Ok(a.get()? + b.get()?)
}

fn main() -> Result<(), Error> {
    let pool = Pool::new(1);
    let n = fib(16).spawn_on(&pool).get()?;

    println!("fib(16) = {n}");
    assert_eq!(n, 987);
    Ok(())
}
