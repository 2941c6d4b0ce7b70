//! What is borrowed does not live as long as the work, on a pool and inside of a task.

use asynckit::{Pool, async_work, chain};

#[async_work]
fn size(text: &str) -> usize {
    text.len()
}
#[async_work]
fn text() -> String {
    String::new()
}
fn first(text: &String) -> &str {
    &text[..1]
}

fn main() {
    let pool = Pool::new(1);
    let local = String::new();
    let _ = size(&local).spawn_on(&pool); //~ E0597 &local
    let _ = chain!(&pool, {
        let all = text();
        let _word = first(&all); //~ E0515 first(&all)
    });
}
