//! The rest of what `#[async_work]` does not go on: several mistakes of one function are told at once.

use std::pin::Pin;

use asynckit::{Work, async_work};

struct Counter(u8);

impl Counter {
    #[async_work]
    fn pinned(self: Pin<&mut Self>) {}

    #[async_work]
    fn typed(self: &mut Self, _more: &mut u8) -> &str {
        "text"
    }
}

#[async_work(plain = true)]
const unsafe extern "C" fn everything(a: u8, _: ...) -> u8 {
    a
}

#[async_work]
fn lends_static(_text: &str) -> &'static str {
    "fine"
}

#[async_work]
impl Counter {}

fn main() {
    let _: Work<'_, u8> = everything(1);
    let _: Work<'_, &'static str> = lends_static("x");
}
