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

fn main() {
    let _: Work<'_, ()> = unknown();
    let _: Work<'_, ()> = two_mistakes();
    let _ = both();
}
