//! An argument of a task goes to another thread.

use std::rc::Rc;

use asynckit::{Pool, async_work, chain};

#[async_work]
fn number(n: u8) -> u8 {
    n
}
fn both(_shared: Rc<u8>, n: u8) -> u8 {
    n
}

fn main() {
    let pool = Pool::new(1);
    let shared = Rc::new(1);
    let _ = chain!(&pool, {
        let n = number(1);
        both(shared, n) //~ E0277 both(shared, n): cannot be sent between threads: an argument of this call is pending
    });
}
