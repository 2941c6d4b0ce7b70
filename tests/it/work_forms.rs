//! What `#[async_work]` goes on: methods, traits, generics, patterns, `async fn`, and how parameters
//! are dropped.

use std::borrow::Cow;
use std::fmt::Display;
use std::io;
use std::sync::{Arc, Mutex};

use asynckit::{AsyncResult, Pool, Work, async_work};

use crate::support::soon;

#[derive(Clone, Debug)]
struct Client {
    base: String,
}

impl Client {
    #[async_work]
    fn new(base: &str) -> Self {
        Self { base: base.to_owned() }
    }
    #[async_work]
    fn get(&self, path: &str) -> io::Result<String> {
        Ok(format!("{}{path}", self.base))
    }
    #[async_work]
    fn shared(self: Arc<Self>, mut path: String) -> String {
        path.insert_str(0, &self.base);
        path
    }
    #[async_work]
    fn eaten(mut self) -> String {
        self.base.push('!');
        self.base
    }
    #[async_work]
    async fn polled(&self, n: usize) -> usize {
        self.base.len() + std::future::ready(n).await
    }
    #[async_work]
    fn letters<'a>(&'a self, more: &'a str) -> impl Iterator<Item = char> + use<'a> {
        self.base.chars().chain(more.chars())
    }
}

#[test]
fn methods_and_associated_functions() {
    let client = Client::new("b/").run().unwrap();
    assert_eq!(client.get("x").run().unwrap(), "b/x");
    assert_eq!(Arc::new(client.clone()).shared("y".into()).run().unwrap(), "b/y");
    assert_eq!(client.clone().eaten().run().unwrap(), "b/!");
    assert_eq!(client.letters("k").run().unwrap().collect::<String>(), "b/k");
    soon(move || {
        let pool = Pool::new(1);
        let polled = pool.scope(|s| client.polled(1).spawn_on(s).get());
        assert_eq!(polled.unwrap(), 3);
    });
}

struct Wrapper<T>(T);

impl<T: Clone + Send + Sync + 'static> Wrapper<T> {
    #[async_work]
    fn value(&self) -> T {
        self.0.clone()
    }
    #[async_work]
    fn make(value: T) -> Self {
        Self(value)
    }
}

/// Borrows, and gives itself up.
struct Parser<'a>(&'a str);

impl<'a> Parser<'a> {
    #[async_work]
    fn parse(self: Parser<'a>) -> usize {
        self.0.len()
    }
    #[async_work]
    fn new(text: &'a str, _more: &str) -> Self {
        Self(text)
    }
}

#[test]
fn generic_impls() {
    assert_eq!(Wrapper::make(3).run().unwrap().value().run().unwrap(), 3);
    let text = String::from("abc");
    assert_eq!(Parser::new(&text, "").run().unwrap().parse().run().unwrap(), 3);
}

trait Fetch {
    fn fetch(&self, url: String) -> Work<'_, usize>;
    fn both<'w>(&'w self, text: &'w str) -> Work<'w, usize>;
}

impl Fetch for Client {
    #[async_work]
    fn fetch(&self, url: String) -> usize {
        self.base.len() + url.len()
    }
    #[async_work]
    fn both(&self, text: &str) -> usize {
        self.base.len() + text.len()
    }
}

trait Named: Sync {
    fn name(&self) -> String;

    #[async_work]
    fn greeting(&self, word: &str) -> String {
        format!("{word}, {}", self.name())
    }
}

impl Named for Client {
    fn name(&self) -> String {
        self.base.clone()
    }
}

#[test]
fn traits_that_can_be_objects() {
    let client = Client::new("c").run().unwrap();
    let object: &dyn Fetch = &client;
    assert_eq!(object.fetch("abc".into()).run().unwrap(), 4);
    assert_eq!(object.both("ab").run().unwrap(), 3);
    let object: &dyn Named = &client;
    assert_eq!(object.greeting("hello").run().unwrap(), "hello, c");
}

#[async_work]
fn shown<T: Display + Send, const N: usize>(first: T, rest: [T; N]) -> String
where
    [T; N]: Clone,
{
    rest.iter().fold(first.to_string(), |all, one| format!("{all}{one}"))
}
#[async_work]
fn unsized_one<T: Display + Send + Sync + ?Sized>(one: &T) -> String {
    one.to_string()
}
#[async_work]
fn some_impl(shown: impl Display + Send, map: impl Fn(u8) -> u8 + Send) -> String {
    format!("{shown}{}", map(1))
}
#[async_work]
fn named<'a>(a: &'a str, b: &str, c: &'a [u8]) -> usize {
    a.len() + b.len() + c.len()
}
#[async_work]
fn cow(text: Cow<'_, str>) -> Cow<'_, str> {
    text
}
#[async_work]
fn numbers(n: u32) -> impl Iterator<Item = u32> {
    0..n
}
#[async_work]
fn fallible_numbers(n: u32) -> io::Result<impl Iterator<Item = u32>> {
    let n = n.checked_sub(1).ok_or_else(|| io::Error::other("none"))?;
    Ok(0..n)
}
#[async_work]
fn constant(long: bool) -> &'static str {
    if long { "long" } else { "" }
}

#[test]
fn generics_lifetimes_and_impl_trait() {
    assert_eq!(shown(1, [2, 3]).run().unwrap(), "123");
    assert_eq!(shown::<u8, 0>(1, []).run().unwrap(), "1");
    assert_eq!(unsized_one("text").run().unwrap(), "text");
    assert_eq!(some_impl(3, |n| n + 1).run().unwrap(), "32");
    assert_eq!(named("a", &String::from("bc"), &[1, 2, 3]).run().unwrap(), 6);
    assert_eq!(cow("abc".into()).run().unwrap(), "abc");
    assert_eq!(numbers(3).run().unwrap().sum::<u32>(), 3);
    assert_eq!(fallible_numbers(3).run().unwrap().sum::<u32>(), 1);
    assert_eq!(constant(true).run().unwrap(), "long");
}

#[async_work]
fn patterns((a, b): (u8, u8), mut list: Vec<u8>, [c, _]: [u8; 2], _unused: u8, _: u8) -> Vec<u8> {
    list.push(a + b + c);
    list
}
#[async_work]
fn configured(#[cfg(unix)] a: u8, #[cfg(not(unix))] b: &str, #[allow(unused)] c: u8) -> u8 {
    a
}
#[async_work]
fn never() -> ! {
    panic!("never {}", 1)
}
#[async_work]
fn nothing() {}

#[test]
fn patterns_configuration_and_unusual_results() {
    assert_eq!(patterns((1, 2), vec![], [3, 4], 5, 6).run().unwrap(), [6]);
    assert_eq!(configured(1, 2).run().unwrap(), 1);
    assert!(never().run().unwrap_err().is_panic());
    nothing().run().unwrap();
}

#[async_work]
async fn awaits(result: AsyncResult<u8>) -> Result<u8, asynckit::Error> {
    Ok(result.await? + 1)
}

#[test]
fn an_async_function_holds_no_thread_while_it_waits() {
    soon(|| {
        let pool = Pool::new(1);
        let (setter, result) = AsyncResult::channel();
        let waits = awaits(result).spawn_on(&pool);
        let runs = nothing().spawn_on(&pool);
        runs.get().unwrap();
        setter.set(1).unwrap();
        assert_eq!(waits.get().unwrap(), 2);
    });
}

/// Says when it is dropped.
struct Loud(&'static str, Arc<Mutex<Vec<&'static str>>>);

impl Drop for Loud {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0);
    }
}

impl Loud {
    #[async_work]
    fn annotated(self, _a: Loud, (b, _): (Loud, Loud), _: Loud, c: Loud) {
        self.1.lock().unwrap().push("body");
        let _local = Loud("local", Arc::clone(&c.1));
        let _ = &b;
    }
    fn plain(self, _a: Loud, (b, _): (Loud, Loud), _: Loud, c: Loud) {
        self.1.lock().unwrap().push("body");
        let _local = Loud("local", Arc::clone(&c.1));
        let _ = &b;
    }
    #[async_work]
    fn unused(self, _a: Loud) {}
}

#[test]
fn parameters_are_dropped_as_those_of_a_plain_function() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let loud = |name| Loud(name, Arc::clone(&log));
    let (own, a, b) = (loud("self"), loud("a"), (loud("b"), loud("b.1")));
    own.plain(a, b, loud("_"), loud("c"));
    let expected = std::mem::take(&mut *log.lock().unwrap());
    let (own, a, b) = (loud("self"), loud("a"), (loud("b"), loud("b.1")));
    let work = own.annotated(a, b, loud("_"), loud("c"));
    assert!(log.lock().unwrap().is_empty(), "dropped before it runs");
    work.run().unwrap();
    assert_eq!(*log.lock().unwrap(), expected);
    log.lock().unwrap().clear();
    let work = loud("self").unused(loud("a"));
    assert!(log.lock().unwrap().is_empty(), "dropped before it runs");
    work.run().unwrap();
    assert_eq!(*log.lock().unwrap(), ["a", "self"]);
}

mod renamed {
    pub use ::asynckit as kit;
}

#[async_work(crate = renamed::kit)]
fn by_another_name(n: u8) -> Result<u8, &'static str> {
    Ok(n)
}
#[async_work(crate = "renamed::kit", plain)]
fn by_a_string(n: u8) -> Result<u8, &'static str> {
    Ok(n)
}

#[test]
fn the_crate_may_have_another_name() {
    assert_eq!(by_another_name(1).run().unwrap(), 1);
    assert_eq!(by_a_string(1).run().unwrap(), Ok(1));
}
