//! Only tuples are taken apart.

use asynckit::{Pool, async_work, chain};

#[async_work]
fn list() -> Vec<u8> {
    vec![1, 2]
}

fn main() {
    let pool = Pool::new(1);
    let _ = chain!(&pool, {
        let (a, b) = list(); //~ E0277 list(): a pending `Vec<u8>` cannot be taken apart
        (a, b)
    });
}
