//! A value is used after it was moved.

use asynckit::{Pool, async_work, chain};

#[async_work]
fn merge(a: &u8, b: u8) -> u8 {
    a + b
}
#[async_work]
fn number(n: u8) -> u8 {
    n
}

fn main() {
    let pool = Pool::new(1);
    let _ = chain!(&pool, {
        let a = number(1);
        merge(&a, a) //~ E0505 a
    });
    let _ = chain!(&pool, {
        let a = number(1);
        let b = number(2);
        let c = merge(&b, a);
        let d = merge(&b, a); //~ E0382 a
        (c, d)
    });
}
