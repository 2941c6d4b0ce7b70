//! The async form may outlive a scope.

use asynckit::{Pool, async_work, chain};

#[async_work]
fn number(n: u8) -> u8 {
    n
}

fn main() {
    let pool = Pool::new(1);
    pool.scope(|s| {
        let _ = chain!(s, async move { number(1) }); //~ E0277 s, async: can't run the async form
    });
}
