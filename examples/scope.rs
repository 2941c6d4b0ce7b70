//! Work that borrows: within a scope, tasks may use local data; the scope ends after the last of them.

use asynckit::{AsyncResult, Error, Pool, async_work, chain};

#[async_work]
fn count(text: &str, letter: char) -> usize {
    text.chars().filter(|&c| c == letter).count()
}

#[async_work]
fn sum(counts: Vec<usize>) -> usize {
    counts.iter().sum()
}

fn main() -> Result<(), Error> {
    let pool = Pool::new(2);
    let text = String::from("she sells sea shells\nby the sea shore\nthe shells she sells\n");

    // One task a line, each borrows its line from `text`: no `Arc`, no clone.
    let total = pool.scope(|s| {
        let counts: Vec<AsyncResult<usize>> =
            text.lines().map(|line| count(line, 's').spawn_on(s)).collect();
        chain!(s, sum(counts)).get()
    })?;

    println!("there are {total} letters s in it");
    assert_eq!(total, text.matches('s').count()); // the text is still ours
    Ok(())
}
