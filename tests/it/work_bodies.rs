//! The body of an annotated function is what it would be without the attribute: its attributes, its
//! early returns; and a call's place in the source is the user's.

use std::fmt::Display;

use asynckit::{Pool, async_work, chain};

use crate::support::soon;

#[async_work]
fn documented(text: &str) -> usize {
    //! Documentation may stand inside.
    #![expect(unused_variables, reason = "an attribute of the function may stand inside, too")]
    let n = 1;
    text.len()
}
#[async_work]
async fn polled(text: &str) -> usize {
    #![allow(unused_mut, unused_variables)]
    let mut n = 1;
    text.len()
}

#[test]
fn a_body_may_begin_with_attributes() {
    assert_eq!(documented("ab").run().unwrap(), 2);
    assert_eq!(polled("ab").run().unwrap(), 2);
}

type Job = Box<dyn Fn() -> u8 + Send + Sync>;

#[async_work]
async fn job(n: u8) -> Result<Job, String> {
    match n {
        0 => return Err("none".into()),
        1 => return Ok(Box::new(|| 1)),
        _ => {}
    }
    Ok(Box::new(move || n))
}
#[async_work]
async fn maybe(n: u8) -> Option<Box<dyn Display + Send>> {
    for at in 0..n {
        if at == 2 {
            return Some(Box::new(at));
        }
    }
    Some(Box::new("none"))
}
#[async_work]
async fn bytes(all: bool) -> &'static [u8] {
    if all {
        return &[1, 2];
    }
    &[1]
}
#[async_work]
async fn shown(n: u8) -> impl Display {
    if n > 1 {
        return "many".to_owned();
    }
    n.to_string()
}
#[async_work]
async fn nothing(at_once: bool) {
    if at_once {
        return;
    }
    std::future::ready(()).await;
}

#[test]
fn an_early_return_coerces_to_the_written_type() {
    assert_eq!(job(1).run().unwrap()(), 1);
    assert_eq!(job(2).run().unwrap()(), 2);
    assert!(job(0).run().is_err());
    assert_eq!(maybe(3).run().unwrap().unwrap().to_string(), "2");
    assert_eq!(bytes(true).run().unwrap(), [1, 2]);
    assert_eq!(shown(2).run().unwrap().to_string(), "many");
    nothing(true).run().unwrap();
}

#[async_work]
fn check(n: u8) -> Result<u8, String> {
    Err(format!("check {n}"))
}
#[async_work(retry = 1)]
fn check_again(n: u8) -> Result<u8, String> {
    Err(format!("check {n}"))
}
#[async_work]
async fn check_later(n: u8) -> Result<u8, String> {
    Err(format!("check {n}"))
}

#[test]
fn a_function_that_is_passed_by_name_is_called_at_a_line_of_the_user() {
    soon(|| {
        let pool = Pool::new(1);
        let by_name = [
            (0..1).map(check).next().unwrap().run(),
            (0..1).map(check_again).next().unwrap().spawn_on(&pool).get(),
            [1].map(check_later).into_iter().next().unwrap().run(),
            chain!(&pool, (0..2).map(check).collect::<Vec<_>>()).get().map(|_| 1),
            pool.map([1], check).next().unwrap(),
        ];
        for error in by_name.map(Result::unwrap_err) {
            let printed = format!("{error:#}");
            assert!(printed.contains(file!()) && !printed.contains("rustc/"), "{printed}");
        }
        let line = line!() + 1;
        let called = format!("{:#}", check(1).run().unwrap_err());
        assert!(called.contains(&format!(":{line})")), "{called}");
    });
}
