//! What those who are new to chains write: each is told on its own token, all in one go.

use std::rc::Rc;

use asynckit::{AsyncResult, Pool, async_work, chain};

#[async_work]
fn number(n: u8) -> u8 {
    n
}
#[async_work]
fn text() -> String {
    String::new()
}
#[async_work]
fn flag() -> bool {
    true
}
fn plain(n: u8) -> u8 {
    n
}
fn look(handle: &AsyncResult<u8>) -> bool {
    handle.is_set()
}

fn not_annotated(pool: &Pool) {
    let _ = chain!(pool, plain(3)); //~ E0277 plain(3): a chain ends in work
    let _ = chain!(pool, { let a = number(1); 3 }); //~ E0277 3: a chain ends in work
    let _ = chain!(pool, async move { Err("no") }); //~ E0277 Err("no"): a chain ends in work
}

fn values_that_are_not_there(pool: &Pool) {
    let _ = chain!(pool, { let a = text(); a.len() }); //~ E0599 len: no method named `len` found
    let _ = chain!(pool, { let a = number(1); a + 1 }); //~ E0369 +: cannot add
    let _ = chain!(pool, { let a = flag(); !a }); //~ E0600 !a: cannot apply unary operator
    let _ = chain!(pool, { let f = flag(); if f { number(1) } else { number(2) } }); //~ E0277 f {: the condition is a `AsyncResult<bool>`
    let _ = chain!(pool, { let f = flag(); while !f {} }); //~ E0277 f {}: the condition is a `AsyncResult<bool>`
    let _ = chain!(pool, { match number(1) { 1 => number(1), n => n } }); //~ E0308 1 => number(1), n
    let _ = chain!(pool, { let a = number(1); println!("{a}"); a }); //~ E0277 {a}: doesn't implement
    let _ = chain!(pool, { let a = text(); for _ in a {} }); //~ E0277 a {}: is not an iterator
    let _ = chain!(pool, { let n: u8 = number(1); number(n) }); //~ E0308 number(1): mismatched
}

fn handles_that_are_wanted(pool: &Pool) {
    let _ = chain!(pool, { let a = number(1); look(&a); a }); //~ E0308 &a: mismatched
}

fn places(pool: &Pool) {
    let _ = chain!(3, { let a = plain(1); { AsyncResult::ready(a) } }); //~ E0277 3, {: work that borrows can't run on
    let _ = number(1).spawn_on(3); //~ E0308 3: mismatched types
    pool.scope(|s| {
        let _ = chain!(s, async move { number(1) }); //~ E0277 s, async: can't run the async form
    });
}

fn arguments(pool: &Pool) {
    let shared = Rc::new(1);
    let both = |_: Rc<u8>, n: u8| n;
    let _ = chain!(pool, { let n = number(1); both(shared, n) }); //~ E0277 both(shared, n): `Rc<u8>` cannot be sent between threads
}

fn the_async_form(pool: &Pool) {
    let _ = chain!(pool, async move { let n = number(1)?; number(n) }); //~ E0277 number(1)?: the `?` operator can only be applied
    let _ = chain!(pool, async move { let n = number(1).await; number(n) }); //~ E0308 n: mismatched
}

fn work_alone() {
    let _ = number(1).get(); //~ E0599 get: no method named `get` found
}

fn main() {}
