//! What is borrowed does not live as long as the work, on a pool and inside of a task.

use asynckit::{AsyncResult, Pool, async_work, chain};

#[async_work]
fn size(text: &str) -> usize {
    text.len()
}
#[async_work]
fn repeated(text: &str, n: usize) -> usize {
    text.len() * n
}
#[async_work]
fn text() -> String {
    String::new()
}
#[async_work]
fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}
fn first(text: &String) -> &str {
    &text[..1]
}

fn by_itself(pool: &Pool, lent: &str) {
    let _ = size(lent).spawn_on(pool); //~ E0521 size(lent): escapes
}

fn in_a_task(pool: &Pool, lent: &str) {
    let _ = chain!(pool, {
        let n = AsyncResult::ready(1);
        repeated(lent, n) //~ E0521 repeated(lent, n): escapes
    });
}

fn in_the_async_form(pool: &Pool, lent: &str) {
    let _ = chain!(pool, async move { size(lent) }); //~ E0521 chain!(pool, async move { size(lent) }): escapes
}

fn main() {
    let pool = Pool::new(1);
    let local = String::new();
    let _ = size(&local).spawn_on(&pool); //~ E0597 &local
    let _ = chain!(&pool, size(&local)); //~ E0597 &local
    let _ = chain!(&pool, {
        let all = text();
        let _word = first(&all); //~ E0515 first(&all)
        let _words = words(&all); //~ E0515 words(&all)
    });
}
