//! Blocking work beside async code: results are awaited, and the pool runs on threads that the
//! runtime has for such work, so that the program needs no others.

use std::time::Duration;

use asynckit::{Error, Pool, async_work, chain};

/// Async, and uses the runtime's timers.
#[async_work]
async fn fetch(page: u32) -> Vec<u8> {
    tokio::time::sleep(Duration::from_millis(5)).await;
    page.to_le_bytes().repeat(1000)
}

/// Blocking, and would hold up the runtime's own threads.
#[async_work]
fn checksum(page: &[u8]) -> u64 {
    page.iter().fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)))
}

#[async_work]
fn merge(sums: Vec<u64>) -> u64 {
    sums.into_iter().fold(0, u64::wrapping_add)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let pool = Pool::on_tokio(tokio::runtime::Handle::current());

    let total = chain!(&pool, {
        let sums: Vec<_> = (0..8)
            .map(|page| {
                let page = fetch(page).spawn_on(&pool);
                chain!(&pool, checksum(&page))
            })
            .collect();
        merge(sums)
    });
    // Holds no thread. With a limit of tokio's:
    let Ok(total) = tokio::time::timeout(Duration::from_secs(60), total).await else {
        panic!("it should not take that long");
    };

    let in_place = (0_u32..8).map(|page| checksum(&page.to_le_bytes().repeat(1000)).run());
    assert_eq!(total?, merge(in_place.collect::<Result<_, _>>()?).run()?);
    println!("eight pages have been summed up");
    Ok(())
}
