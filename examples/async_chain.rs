//! Values steer the work: in an async chain, `.await?` gives a value to decide by. It holds no thread
//! while it waits, and needs no async runtime.

use asynckit::{AsyncResult, Error, Pool, async_work, chain};

/// A list that comes in pieces: each names the next.
struct Piece {
    numbers: Vec<u32>,
    next: Option<u32>,
}

#[async_work]
fn piece(number: u32) -> Piece {
    let first = number * 3;
    Piece { numbers: (first..first + 3).collect(), next: (number < 4).then_some(number + 1) }
}

#[async_work]
fn sum(numbers: Vec<u32>) -> u32 {
    numbers.iter().sum()
}

fn total(pool: &Pool, most: usize) -> AsyncResult<u32> {
    chain!(pool, async move {
        let mut numbers = Vec::new();
        let mut next = Some(0);
        while let Some(number) = next {
            let piece = piece(number).await?;
            numbers.extend(piece.numbers);
            next = piece.next;
            if numbers.len() > most {
                return sum(vec![]); // ends the chain: too many
            }
        }
        sum(numbers)
    })
}

fn main() -> Result<(), Error> {
    let pool = Pool::new(1);

    let all = total(&pool, 100);
    let none = total(&pool, 10);
    let (all, none) = (all.get()?, none.get()?);

    println!("all numbers: {all}; cut off: {none}");
    assert_eq!(all, (0..15).sum());
    assert_eq!(none, 0);
    Ok(())
}
