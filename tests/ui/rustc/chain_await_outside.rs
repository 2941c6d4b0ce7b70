//! The plain form does not wait.

use asynckit::{Pool, async_work, chain};

#[async_work]
fn number(n: u8) -> u8 {
    n
}

fn main() {
    let pool = Pool::new(1);
    let _ = chain!(&pool, { let n = number(1).await; number(2) }); //~ E0728 await: only allowed inside `async`
}
