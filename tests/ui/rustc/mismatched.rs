//! Arguments of the wrong type.

use asynckit::{Pool, async_work, chain};

#[async_work]
fn number(n: u8) -> u8 {
    n
}
#[async_work]
fn size(text: &str) -> usize {
    text.len()
}

fn main() {
    let pool = Pool::new(1);
    let _ = chain!(&pool, {
        let n = number(1);
        let a = size(&n); //~ E0308 &n
        let b = size(n); //~ E0308 n
    });
}
