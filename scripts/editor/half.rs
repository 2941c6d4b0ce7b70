//! Code that is being written.

use asynckit::{AsyncResult, Pool, async_work, chain};

/// Doubles it.
#[async_work]
fn double(number: u32) -> u32 {
    number * 2
}

pub fn a_dot(pool: &Pool) -> AsyncResult<u32> {
    chain!(pool, {
        let first = double(1);
        first.
        //    ^ completion: is_set & get & cancel
        let second = double(2);
        //           ^ definition: 1 x fn double(number: u32) -> u32 {
        second
    })
}

pub fn an_argument(pool: &Pool) -> AsyncResult<u32> {
    chain!(pool, {
        let first = double(1);
        let second = double(
        //           ^ definition: 1 x fn double(number: u32) -> u32 {
        //                  ^ signature: fn double(number: u32)
        );
        double(first)
        //     ^ definition: 1 x let first = double(1);
    })
}

pub fn a_value(pool: &Pool) -> AsyncResult<u32> {
    chain!(pool, {
        let first = double(1);
        let second =
        double(first)
        //     ^ definition: 1 x let first = double(1);
        // ^ definition: 1 x fn double(number: u32) -> u32 {
    })
}

#[async_work]
fn half(number: u32) -> u32 {
    let twice = number * 2;
    twice.
    //    ^ completion: pow
}

#[async_work]
unsafe fn mistaken(number: u32) -> u32 {
    let twice = number * 2;
    twice
    // ^ definition: 1 x let twice = number * 2;
}
