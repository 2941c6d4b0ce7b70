//! Expansions give no warning where the user's own code gives none, in either edition.
#![deny(warnings, unused_qualifications, missing_docs, elided_lifetimes_in_paths)]

use std::fmt::Display;

use asynckit::{AsyncResult, Pool, Work, async_work, chain};

/// Keeps its documentation.
#[async_work]
#[must_use]
#[inline(never)]
pub fn documented(_unused: u8, text: &str) -> usize {
    text.len()
}

#[async_work]
fn generic<'a, T: Display + Send>(text: &'a str, shown: T, more: &str) -> String {
    format!("{text}{shown}{more}")
}

#[async_work]
fn unit() {}

#[async_work]
fn never() -> ! { panic!("never") }

#[async_work]
fn always_panics(n: usize) -> usize {
    panic!("{n}")
}

#[async_work]
async fn polled_and_panics() -> Result<u8, String> {
    std::future::ready(()).await;
    unimplemented!()
}

#[async_work(retry = 1, backoff = "1ms", timeout = "1s", limit = 2)]
fn with_all_options(mut n: u8, _unused: String, (a, _): (u8, u8)) -> Result<u8, String> {
    n += a;
    Ok(n)
}

#[async_work(retry = 1, timeout = "1s")]
async fn with_options_and_polled(text: &str) -> Result<usize, String> {
    std::future::ready(()).await;
    Ok(text.len())
}

/// What is temporary in the last expression is dropped before the parameters.
#[async_work]
fn ends_in_a_guard(mutex: std::sync::Mutex<Vec<u8>>) -> usize {
    mutex.lock().unwrap().len()
}

#[async_work]
async fn ends_in_a_guard_too(mutex: std::sync::Mutex<Vec<u8>>) -> usize {
    mutex.lock().unwrap().len()
}

#[async_work]
fn one_line(n: usize) -> usize { n }

#[async_work]
#[allow(unused_variables)]
fn allowed(n: usize) {}

/// A type of the user's own.
pub struct Client {
    base: String,
}

/// What is expected of a plain function is met by an annotated one.
#[async_work]
#[expect(dead_code)]
fn nobody_calls_this(n: u8) -> Result<u8, String> {
    Ok(n)
}

#[async_work]
#[expect(dead_code, unused_variables, unused_mut)]
async fn nor_this<'a, T: Send>(mut n: u8, text: &'a str, t: T) -> Vec<&'a str>
where
    T: Display,
{
    Vec::new()
}

/// A type of whose methods only some are called.
pub struct Partly<'a>(&'a str);

impl<'a> Partly<'a> {
    #[async_work]
    #[expect(dead_code)]
    fn never_called(self) -> Self {
        self
    }

    #[async_work]
    fn expects(&self, #[expect(unused_variables)] n: u8) -> usize {
        #![expect(unused_mut)]
        let mut size = self.0.len();
        size
    }
}

impl Client {
    /// Does not use `self`.
    #[async_work]
    pub fn ignores(&self, n: usize) -> usize {
        n
    }

    #[async_work]
    async fn polled(mut self) -> String {
        self.base.push('!');
        self.base
    }
}

fn chained(pool: &Pool, list: Vec<String>) -> AsyncResult<(usize, Vec<usize>)> {
    chain!(pool, {
        let mut total = one_line(0);
        let all: Vec<_> = list.into_iter().map(|text| one_line(text.len())).collect();
        unit();
        let handle = one_line(1);
        drop({ handle });
        if total.is_set() {
            stop(1);
        }
        for n in 0..3 {
            total = add(total, n);
        }
        (total, all)
    })
}

fn add(a: usize, b: usize) -> usize {
    a + b
}

fn stop(code: i32) -> ! {
    std::process::exit(code)
}

fn main() {
    let pool = Pool::new(1);
    let client = Client { base: String::new() };
    let work: Work<'_, usize> = client.ignores(1);
    let _ = work.run();
    let _ = chain!(&pool, client.polled()).get();
    let _ = chain!(&pool, { one_line(1) }).get();
    let _ = chain!(&pool, async move { one_line(1) }).get();
    let _ = chained(&pool, vec![String::new()]).get();
    let _ = (documented(1, "").run(), generic("", 1, "").run(), allowed(1).run());
    never().detach_on(&pool);
    let _ = Partly("a").expects(1).run();
    ends_in_a_guard(Default::default()).detach_on(&pool);
    ends_in_a_guard_too(Default::default()).detach_on(&pool);
    always_panics(1).detach_on(&pool);
    polled_and_panics().detach_on(&pool);
    with_all_options(1, String::new(), (1, 2)).detach_on(&pool);
    with_options_and_polled("").detach_on(&pool);
}
