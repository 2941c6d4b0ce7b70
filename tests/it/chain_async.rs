//! The async form of a chain: values steer the work.

use std::io;

use asynckit::{AsyncResult, Pool, async_work, chain};

use crate::support::{Broken, soon};

#[async_work]
fn number(n: usize) -> usize {
    n
}
#[async_work]
fn merge(a: usize, b: usize) -> usize {
    a + b
}
#[async_work]
fn bytes(n: usize) -> Vec<u8> {
    vec![0; n]
}
#[async_work]
fn size(bytes: &[u8]) -> usize {
    bytes.len()
}
#[async_work]
fn halves(bytes: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let (a, b) = bytes.split_at(bytes.len() / 2);
    (a.to_vec(), b.to_vec())
}
#[async_work]
fn broken(n: u32) -> Result<usize, Broken> {
    Err(Broken(n))
}

#[test]
fn values_steer_the_work_and_no_thread_waits() {
    soon(|| {
        let pool = Pool::new(1);
        let result = chain!(&pool, async move {
            let page = bytes(5);
            if size(&page).await? < 3 {
                return merge(0, 0);
            }
            let mut total = 0;
            for n in 0..3 {
                total += merge(n, 1).await?;
            }
            let (a, b) = halves(page).await?;
            let b = AsyncResult::ready(b);
            let n = size(&b).await? + a.len();
            merge(n, total)
        });
        assert_eq!(result.get().unwrap(), 11);
    });
}

#[test]
fn results_are_awaited_by_value_by_reference_and_as_variables() {
    soon(|| {
        let pool = Pool::new(1);
        let outside = number(3);
        let input = AsyncResult::new();
        let given = input.clone();
        let result = chain!(&pool, async move {
            let a = number(1);
            let lent = *(&a).await?;
            let moved = a.await?;
            let later = outside.await?; // work that has not started
            let set = given.await?;
            number(lent + moved + later + set)
        });
        input.set(4).unwrap();
        assert_eq!(result.get().unwrap(), 9);
    });
}

#[test]
fn a_question_mark_takes_any_error_that_travels() {
    fn chained(pool: &Pool, case: u8) -> asynckit::Error {
        let result = chain!(pool, async move {
            match case {
                0 => {
                    let _: usize = "x".parse()?;
                }
                1 => Err(io::Error::other("no"))?,
                2 => Err("text")?,
                3 => Err(anyhow::anyhow!("any"))?,
                4 => {
                    broken(1).await?;
                }
                _ => return broken(2),
            }
            number(1)
        });
        result.get().unwrap_err()
    }
    soon(|| {
        let pool = Pool::new(1);
        let errors: Vec<_> = (0..6).map(|case| chained(&pool, case)).collect();
        assert!(errors[0].downcast_ref::<std::num::ParseIntError>().is_some());
        assert!(errors[1].downcast_ref::<io::Error>().is_some());
        assert!(errors[2].to_string().ends_with("text"));
        assert!(errors[3].to_string().ends_with("any"));
        assert_eq!(errors[4].downcast_ref(), Some(&Broken(1)));
        assert!(errors[4].origin().ends_with("::broken"));
        assert_eq!(errors[5].downcast_ref(), Some(&Broken(2)));
    });
}

#[test]
fn it_ends_as_other_chains_do() {
    soon(|| {
        let pool = Pool::new(1);
        let tuple = chain!(&pool, async move {
            let a = number(1);
            (a, bytes(2))
        });
        assert_eq!(tuple.get().unwrap(), (1, vec![0, 0]));
        let list = chain!(&pool, async move { (0..3).map(number).collect::<Vec<_>>() });
        assert_eq!(list.get().unwrap(), [0, 1, 2]);
        let nothing = chain!(&pool, async move {
            number(1).await?;
        });
        nothing.get().unwrap();
        let early = chain!(&pool, async move {
            if number(1).await? == 1 {
                return;
            }
            number(2).await?;
        });
        early.get().unwrap();
        assert_eq!(chain!(&pool, async { number(3) }).get().unwrap(), 3);
    });
}

#[test]
fn it_outlives_the_function_that_started_it() {
    fn start(pool: &Pool, input: AsyncResult<usize>) -> AsyncResult<usize> {
        let local = 1;
        chain!(pool, async move {
            let n = input.await?;
            merge(n, local)
        })
    }
    soon(|| {
        let pool = std::sync::Arc::new(Pool::new(1));
        let (setter, input) = AsyncResult::channel();
        let result = start(&pool, input);
        let again = chain!(pool, async move { result });
        setter.set(2).unwrap();
        assert_eq!(again.get().unwrap(), 3);
    });
}

#[test]
fn closures_and_inner_async_blocks_are_left_alone() {
    soon(|| {
        let pool = Pool::new(1);
        let result = chain!(&pool, async move {
            let returns = |n: usize| {
                if n > 1 {
                    return n;
                }
                0
            };
            let inner = async { Ok::<usize, io::Error>(returns(5)) };
            let n = inner.await?;
            let started: Vec<_> = (0..n).map(number).collect();
            let mut sum = 0;
            for one in started {
                sum += one.await?;
            }
            number(sum)
        });
        assert_eq!(result.get().unwrap(), 10);
    });
}

macro_rules! on {
    ($pool:expr, $body:expr) => {
        chain!($pool, $body)
    };
}
macro_rules! around {
    ($pool:expr, $body:expr) => {
        on!($pool, $body)
    };
}
macro_rules! of_block {
    ($pool:expr, $body:block) => {
        chain!($pool, $body)
    };
}

#[test]
fn a_macro_may_hand_it_on_as_an_expression() {
    soon(|| {
        let pool = Pool::new(1);
        let moved = on!(&pool, async move {
            let n = number(1).await?;
            number(n + 1)
        });
        let lent = around!(&pool, async { number(number(1).await? + 2) });
        let block = of_block!(&pool, {
            let n = number(4);
            merge(n, 0)
        });
        assert_eq!((moved.get().unwrap(), lent.get().unwrap(), block.get().unwrap()), (2, 3, 4));
    });
}
