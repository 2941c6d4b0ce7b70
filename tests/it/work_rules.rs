//! The rules of `#[async_work]`: what it goes on, and that it changes the return type alone.

use std::fmt::{self, Display};
use std::io;

use asynckit::{ErrorKind, Pool, Work, async_work};

use crate::support::{Counter, soon};

// 1: calling does nothing yet

#[async_work]
fn count(counter: Counter) {
    counter.add();
}

#[test]
fn calling_does_nothing_yet() {
    let counter = Counter::new();
    let work: Work<'_, ()> = count(counter.clone());
    drop(work);
    assert_eq!(counter.count(), 0);
    count(counter.clone()).run().unwrap();
    assert_eq!(counter.count(), 1);
}

#[test]
fn parameters_keep_their_types() {
    #[async_work]
    fn takes(
        text: &str,
        bytes: &[u8],
        shown: Box<dyn Display + Send>,
        map: fn(u8) -> u8,
        number: u64,
    ) -> String {
        format!("{text}{}{shown}{}{number}", bytes.len(), map(1))
    }
    let (text, bytes) = (String::from("a"), vec![1, 2]);
    let work = takes(&text, &bytes, Box::new('c'), |byte| byte + 1, "5".parse().unwrap());
    assert_eq!(work.run().unwrap(), "a2c25");
    assert_eq!(
        takes(&text, &[], Box::new(1), u8::reverse_bits, 1_u8.into()).run().unwrap(),
        "a011281"
    );
}

#[test]
fn a_function_stays_a_function() {
    #[async_work]
    fn size(page: &[u8]) -> usize {
        page.len()
    }
    const POINTER: for<'a> fn(&'a [u8]) -> Work<'a, usize> = size;
    let data = [1_u8; 6];
    let sizes: Vec<usize> = data.chunks(4).map(size).map(|work| work.run().unwrap()).collect();
    assert_eq!(sizes, [4, 2]);
    assert_eq!(POINTER(&data).run().unwrap(), 6);
}

// 2: where it runs

#[test]
fn work_runs_in_place_on_a_pool_or_without_a_handle() {
    soon(|| {
        let (pool, counter) = (Pool::new(1), Counter::new());
        count(counter.clone()).spawn_on(&pool).get().unwrap();
        count(counter.clone()).detach_on(&pool);
        pool.stop();
        assert_eq!(counter.count(), 2);
    });
}

// 3: failures

type Renamed = Result<u8, io::Error>;

#[async_work]
fn by_name(ok: bool) -> Result<u8, io::Error> {
    if ok { Ok(1) } else { Err(io::Error::other("no")) }
}
#[async_work]
fn by_path(text: &str) -> io::Result<u64> {
    text.parse().map_err(io::Error::other)
}
#[async_work]
fn without_arguments() -> fmt::Result {
    Err(fmt::Error)
}
#[async_work(fallible)]
fn by_option() -> Renamed {
    Err(io::Error::other("renamed"))
}
#[async_work(plain)]
fn kept(ok: bool) -> Result<u8, Vec<u8>> {
    if ok { Ok(1) } else { Err(vec![2]) }
}
#[async_work]
fn of_text(ok: bool) -> Result<u8, &'static str> {
    if ok { Ok(1) } else { Err("text") }
}
#[async_work]
fn of_any(text: String) -> anyhow::Result<u64> {
    anyhow::ensure!(text != "x", "no {text}");
    Ok(text.parse()?)
}
#[async_work]
fn boxed() -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
    Err("boxed".into())
}
#[async_work]
fn own(n: u64) -> Result<u64, asynckit::Error> {
    if n < 2 {
        return Ok(n);
    }
    Ok(own(n - 1).run()? + own(n - 2).run()?)
}

#[test]
fn the_error_of_a_result_travels_apart_from_its_value() {
    assert_eq!(by_name(true).run().unwrap(), 1);
    assert!(by_name(false).run().unwrap_err().downcast_ref::<io::Error>().is_some());
    assert_eq!(by_path("7").run().unwrap(), 7);
    assert_eq!(by_path("x").run().unwrap_err().kind(), ErrorKind::Failed);
    assert!(without_arguments().run().unwrap_err().downcast_ref::<fmt::Error>().is_some());
    assert!(by_option().run().is_err());
    assert_eq!(kept(false).run().unwrap(), Err(vec![2]));
    assert_eq!(kept(true).run().unwrap(), Ok(1));
    assert!(of_text(false).run().unwrap_err().to_string().ends_with("of_text failed: text"));
    assert_eq!(of_text(true).run().unwrap(), 1);
    assert!(of_any("x".into()).run().unwrap_err().to_string().ends_with("of_any failed: no x"));
    assert!(boxed().run().is_err());
    assert_eq!(own(10).run().unwrap(), 55);
}

#[test]
fn the_origin_is_the_module_and_the_function() {
    let error = by_name(false).run().unwrap_err();
    assert_eq!(error.origin(), concat!(module_path!(), "::by_name"));
    let error = Method.fails().run().unwrap_err();
    assert_eq!(error.origin(), concat!(module_path!(), "::fails"));
    let error = r#match().run().unwrap_err();
    assert_eq!(error.origin(), concat!(module_path!(), "::match"));
}

struct Method;

impl Method {
    #[async_work]
    fn fails(&self) -> Result<u8, &'static str> {
        Err("failed")
    }
}

#[async_work]
fn r#match() -> Result<u8, &'static str> {
    Err("raw")
}
