//! What nobody looks at.
#![deny(unused_must_use)]

use asynckit::{Pool, async_work, chain};

#[async_work]
fn number(n: u8) -> u8 {
    n
}

fn main() {
    let pool = Pool::new(1);
    number(1); //~ error number(1): unused `Work` that must be used
    number(1).spawn_on(&pool); //~ error number(1).spawn_on(&pool): unused `AsyncResult` that must be used
    chain!(&pool, number(1)); //~ error chain!(&pool, number(1)): unused `AsyncResult`
    chain!(&pool, async { number(1) }); //~ error chain!(&pool, async { number(1) }): unused `AsyncResult`
    let n = 1;
    let _ = chain!(&pool, async move {
        number(n).await; //~ error number(n).await: unused `Result` that must be used
        number(1); // a statement's work is a part of the chain
    });
}
