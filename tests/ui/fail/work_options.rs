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

#[async_work(rate = "10 a second", weight = 3, burst = 0)]
fn no_rate() {}

#[async_work(rate = "0/s", burst = 5)]
fn never() {}

#[async_work(limit = 4, weight, priority = "urgent")]
fn weightless() {}

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
    let _: Work<'_, ()> = no_rate();
    let _: Work<'_, ()> = never();
    let _: Work<'_, ()> = weightless();
}
