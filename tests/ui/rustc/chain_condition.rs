//! Values that are not there yet cannot decide anything.

use asynckit::{Pool, async_work, chain};

#[async_work]
fn ok(n: u8) -> bool {
    n > 1
}

#[async_work]
fn number(n: u8) -> u8 {
    n
}

fn main() {
    let pool = Pool::new(1);
    let _ = chain!(&pool, {
        let a = number(1);
        if ok(a) { number(2) } else { number(3) } //~ E0277 ok(a): the condition is a `AsyncResult<bool>`, not a `bool`
    });
}
