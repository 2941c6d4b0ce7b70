//! Chains that are not written as chains.

use asynckit::{Pool, async_work, chain};

#[async_work]
fn number(n: u8) -> u8 {
    n
}

fn main() {
    let pool = Pool::new(1);
    let _ = chain!({ number(1) });
    let _ = chain!(&pool);
    let _ = chain!();
    let _ = chain!(&pool { number(1) });
    let _ = chain!(&pool, number(1), number(2));
}
