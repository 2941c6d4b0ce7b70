//! Types must be known at the call.

use asynckit::{Pool, chain};

fn any<T: Default>(_n: u8) -> T {
    T::default()
}
fn list(_n: Vec<u8>) -> u8 {
    1
}

fn call(pool: &Pool, n: u8) {
    let _ = chain!(pool, {
        let a = any(n); //~ E0282 any(n)
    });
}

fn main() {
    let pool = Pool::new(1);
    let _ = chain!(&pool, {
        let items = Vec::new(); //~ E0282 items
        list(items);
    });
}
