//! The shortest useful program: annotate ordinary functions, write down what depends on what.

use asynckit::{Error, Pool, async_work, chain};

/// Any blocking function will do.
#[async_work]
fn read(path: &'static str) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

#[async_work]
fn count_words(text: &str) -> usize {
    text.split_whitespace().count()
}

#[async_work]
fn add(a: usize, b: usize) -> usize {
    a + b
}

fn main() -> Result<(), Error> {
    let pool = Pool::new(2);

    let total = chain!(&pool, {
        let manifest = read(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")); // starts now
        let program = read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart.rs")); // so does this
        add(count_words(&manifest), count_words(&program)) // three tasks that wait for their inputs
    });
    let total = total.get()?;

    println!("the two files have {total} words");
    assert!(total > 50);
    Ok(())
}
