//! Expansions survive hostile names, and no prelude.
#![no_implicit_prelude]

use ::asynckit::{AsyncResult, Pool, async_work, chain};

pub struct Probed;
pub struct Lifted;
pub mod core {}
pub mod std {}
pub mod asynckit {}

#[allow(non_camel_case_types)]
pub struct u8_;

#[async_work]
fn give(place: u8, now: u8) -> u8 {
    place + now
}

#[async_work]
fn value(value: u8, list: &str) -> ::std::result::Result<u8, ::std::string::String> {
    let arg0 = list.len();
    ::std::result::Result::Ok(value + arg0 as u8)
}

#[async_work]
fn pair((later, _): (u8, u8), _here: u8, arg0: u8) -> (u8, u8) {
    (later, arg0)
}

const __ASYNCKIT: u8 = 1;

#[async_work(retry = 1, timeout = "1s", limit = 2)]
fn optioned(time: u8, limit: &u8, (a, b): (u8, u8)) -> ::std::result::Result<u8, ::std::string::String> {
    ::std::result::Result::Ok(time + limit + a + b + __ASYNCKIT)
}

fn chained(pool: &Pool, place: AsyncResult<u8>, input0: u8) -> AsyncResult<(u8, u8)> {
    chain!(pool, {
        let now = give(place, input0);
        let later = value(now, "text");
        let function = |here: u8| here;
        let here = function(later);
        let (a, b) = pair((1, 2), here, input0);
        if same(true) { (a, b) } else { (give(1, 2), b) }
    })
}

fn same(borrowed: bool) -> bool {
    borrowed
}

fn steered(pool: &Pool, place: AsyncResult<u8>) -> AsyncResult<u8> {
    chain!(pool, async move {
        let borrowed = place.await?;
        if borrowed > 1 {
            return give(borrowed, 1);
        }
        value(borrowed, "x")
    })
}

fn main() {
    let pool = Pool::new(1);
    let _ = chained(&pool, AsyncResult::ready(1), 1).get();
    let _ = optioned(1, &2, (3, 4)).run();
    let _ = steered(&pool, AsyncResult::ready(1)).get();
}
