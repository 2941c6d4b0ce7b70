//! Results that are joined do not borrow: the join may outlive its caller.

use asynckit::{AsyncResult, Results};

struct Noisy<'a>(&'a String);

impl Drop for Noisy<'_> {
    fn drop(&mut self) {
        println!("{}", self.0);
    }
}

fn main() {
    let other = AsyncResult::<u32>::new();
    let local = String::new();
    let both = (AsyncResult::ready(Noisy(&local)), other).join(); //~ E0597 &local
    drop(both);
}
