//! Options that `#[async_work]` does not know.

use asynckit::{Work, async_work};

#[async_work(blocking)]
fn unknown() {}

#[async_work(plain, fallible)]
fn both() -> Result<u8, u8> {
    Ok(1)
}

#[async_work(crate = 5, retries = 3)]
fn two_mistakes() {}

#[async_work(retry, timeout = 5, limit = 0)]
fn three_mistakes() {}

#[async_work(timeout = "5 days", backoff = "1s", limit = "4", timeout = "1s")]
fn four_mistakes() {}

#[async_work(timeout = "1s", timeout = "2s")]
fn given_twice() {}

struct Token;

impl Token {
    #[async_work(retry = 3)]
    fn used_up(self) {}
}

fn main() {
    let _: Work<'_, ()> = unknown();
    let _: Work<'_, ()> = two_mistakes();
    let _ = both();
    let _: Work<'_, ()> = three_mistakes();
    let _: Work<'_, ()> = four_mistakes();
    let _: Work<'_, ()> = given_twice();
    let _: Work<'_, ()> = Token.used_up();
}
