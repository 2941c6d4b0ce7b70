//! A chain that ends in a plain value.

use asynckit::{Pool, chain};

fn plain(n: u8) -> u8 {
    n
}

fn main() {
    let pool = Pool::new(1);
    let _ = chain!(&pool, {
        let n = plain(1);
        n //~ E0277 n: a chain ends in work, an `AsyncResult`, or a tuple or `Vec` of them; `u8` is none
    });
    let _ = chain!(&pool, plain(1)); //~ E0277 plain(1): a chain ends in work
}
