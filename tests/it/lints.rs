//! Annotated functions and chains are free of clippy's complaints, also of the pedantic ones: whatever
//! stands here is checked by `cargo clippy`. What is allowed is the user's own.
#![deny(warnings, clippy::all, clippy::pedantic)]
#![deny(clippy::shadow_same, clippy::shadow_unrelated, clippy::allow_attributes)]
#![allow(clippy::many_single_char_names, clippy::needless_pass_by_value)]

use std::fmt::Display;
use std::sync::Arc;

use asynckit::{AsyncResult, Pool, async_work, chain};

use crate::support::soon;

#[async_work]
fn unused(_a: u8, _: String) -> u8 {
    1
}
#[async_work]
fn unit(_nothing: ()) {}
#[async_work]
fn after((): (), n: u8) -> u8 {
    n
}
#[async_work]
fn last(n: u8, (): (), (): ()) -> u8 {
    n
}
#[async_work]
fn length(text: String) -> usize {
    text.len()
}
#[async_work]
#[deny(clippy::implicit_return)]
#[allow(clippy::needless_return, clippy::allow_attributes)]
fn returned(text: &str) -> usize {
    return text.len();
}
#[async_work]
fn begins_with_attributes(text: &str) -> usize {
    #![allow(clippy::let_and_return)]
    let length = text.len();
    length
}
#[async_work]
fn lent(text: &str) -> usize {
    text.len()
}
#[async_work]
fn shared(text: Arc<String>) -> usize {
    text.len()
}
#[async_work]
fn fallible(n: u8) -> Result<u8, String> {
    if n > 1 { Ok(n) } else { Err("small".into()) }
}
#[async_work]
fn shown<T: Display + Send>(value: T) -> String {
    value.to_string()
}
#[async_work]
fn shown_too(value: impl Display + Send) -> String {
    value.to_string()
}
#[async_work]
async fn awaits(n: AsyncResult<u8>) -> asynckit::Result<u8> {
    n.await
}
#[async_work]
async fn awaits_nothing(n: u8) -> u8 {
    n
}
#[async_work]
fn never() -> ! {
    panic!("never")
}
#[async_work]
fn always_panics(n: u8) -> u8 {
    panic!("{n}")
}
#[async_work]
fn list(all: Vec<u8>) -> Vec<u8> {
    all
}
#[async_work]
fn nested() -> (u8, (String, u8)) {
    (1, (String::new(), 2))
}
fn plain(n: u8) -> u8 {
    n
}
fn log(_: u8) {}
fn log_unit((): ()) {}

struct Client {
    base: String,
    nothing: (),
}

impl Client {
    #[async_work]
    fn new(base: &str) -> Self {
        Self { base: base.to_owned(), nothing: () }
    }
    #[async_work]
    fn get(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
    /// Does not use `self`.
    #[async_work]
    fn ignores(&self) -> usize {
        1
    }
    #[async_work]
    fn eaten(self) -> String {
        self.base
    }
}

fn units(pool: &Pool, input: AsyncResult<u8>, client: &Client) -> AsyncResult<(u8, usize)> {
    let nothing = ();
    chain!(pool, {
        let logged = log(input.clone());
        let a = after(logged, input.clone());
        let b = after(nothing, input.clone());
        let c = after(client.nothing, input.clone());
        let d = after(unit(()), a);
        let e = last(d, (), ());
        unit(log(input.clone()));
        log_unit(log(input.clone()));
        let all: Vec<()> = vec![(), nothing];
        drop(b);
        drop({ c });
        log_unit(drop(input));
        (e, length(String::from_utf8(vec![b'a'; all.len()]).unwrap_or_default()))
    })
}

fn everything(pool: &Pool, input: AsyncResult<u8>) -> AsyncResult<(u8, usize, String)> {
    static CLIENT: Client = Client { base: String::new(), nothing: () };
    chain!(pool, {
        let a = fallible(input);
        let b = plain(a);
        let (c, (text, _)) = nested();
        let size = lent("text");
        let more: Vec<_> = (2..4).map(fallible).collect();
        drop(list(more));
        drop(CLIENT.get("x"));
        CLIENT.ignores();
        if size.is_set() {
            log(3);
        }
        for n in 2..4 {
            fallible(n);
        }
        let d = if b.is_set() { plain(1) } else { 2 };
        let e = match d {
            1 => fallible(2),
            _ => fallible(3),
        };
        unused(1, text.clone());
        awaits_nothing(1);
        let f = u8::max(c, e);
        (u8::max(f, b), length(text.clone()), shown(text))
    })
}

fn steered(pool: &Pool) -> AsyncResult<u8> {
    chain!(pool, async move {
        let a = fallible(2).await?;
        unit(()).await?;
        if a > 2 {
            return fallible(a);
        }
        let Ok(n) = "5".parse::<u8>() else {
            return Err("not a number")?;
        };
        awaits({ AsyncResult::ready(n) })
    })
}

#[test]
fn what_is_free_of_complaints_runs() {
    soon(|| {
        let pool = Pool::new(2);
        let client = Client::new("a").run().unwrap();
        assert_eq!(client.get("b").run().unwrap(), "ab");
        assert_eq!(units(&pool, AsyncResult::ready(4), &client).get().unwrap(), (4, 2));
        assert_eq!(client.eaten().run().unwrap(), "a");
        let (most, length, text) = everything(&pool, AsyncResult::ready(9)).get().unwrap();
        assert_eq!((most, length, &*text), (9, 0, ""));
        assert_eq!(steered(&pool).get().unwrap(), 5);
        let shared = shared(Arc::new(String::from("abc"))).run().unwrap();
        assert_eq!(shown_too(shared).run().unwrap(), "3");
        assert_eq!(returned("ab").run().unwrap() + begins_with_attributes("a").run().unwrap(), 3);
        assert!(always_panics(1).run().unwrap_err().is_panic());
        assert!(never().run().unwrap_err().is_panic());
    });
}
