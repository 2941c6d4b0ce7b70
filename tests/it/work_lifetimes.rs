//! How long work may live: as long as all that goes into it, also where the lifetimes and types are
//! those of an `impl` or a trait around the function, or stand only in the result.

use std::fmt::Display;
use std::sync::Arc;

use asynckit::{Pool, Work, async_work};

use crate::support::soon;

#[derive(Clone, Copy)]
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    #[async_work]
    fn size(self) -> usize {
        self.0.len()
    }
    #[async_work]
    fn replaced(mut self, text: &'a str) -> Self {
        self.0 = text;
        self
    }
    #[async_work]
    fn size_with(self, more: &str) -> usize {
        self.0.len() + more.len()
    }
    #[async_work]
    fn new(text: &'a str) -> Self {
        Self(text)
    }
    #[async_work]
    fn longer(one: Self, other: Self) -> Result<Self, String> {
        if one.0 == other.0 { Err("the same".into()) } else { Ok(one) }
    }
    #[async_work]
    fn words(&self) -> Vec<&'a str> {
        self.0.split(' ').collect()
    }
    #[async_work]
    fn rest(&self) -> Reader<'_> {
        Reader(&self.0[1..])
    }
    #[async_work]
    async fn polled(self) -> usize {
        self.0.len()
    }
    #[async_work]
    fn shared(self: Arc<Self>) -> usize {
        self.0.len()
    }
}

#[test]
fn self_by_value_lives_as_long_as_what_it_borrows() {
    soon(|| {
        let (pool, text) = (Pool::new(1), String::from("a bc"));
        let reader = Reader(&text);
        let sizes = pool.scope(|s| {
            let all = [
                reader.size().spawn_on(s),
                reader.polled().spawn_on(s),
                reader.size_with(&text).spawn_on(s),
                Arc::new(reader).shared().spawn_on(s),
            ];
            all.map(|size| size.get().unwrap())
        });
        assert_eq!(sizes, [4, 4, 8, 4]);
        assert_eq!(reader.replaced("x").run().unwrap().0, "x");
        assert_eq!(Reader::new(&text).run().unwrap().words().run().unwrap(), ["a", "bc"]);
        assert_eq!(Reader::longer(reader, Reader("b")).run().unwrap().0, text);
        assert!(Reader::longer(reader, reader).run().is_err());
        assert_eq!(reader.rest().run().unwrap().0, " bc");
    });
}

struct Pair<'a, 'b, T>(&'a str, &'b str, T);

impl<'a, 'b, T: Display + Send> Pair<'a, 'b, T> {
    #[async_work]
    fn new(a: &'a str, b: &'b str, more: T) -> Self {
        Self(a, b, more)
    }
    #[async_work]
    fn shown(self) -> String {
        format!("{}{}{}", self.0, self.1, self.2)
    }
    #[async_work]
    fn one(value: T) -> String {
        value.to_string()
    }
    #[async_work]
    fn some(values: Vec<T>, text: &str) -> String {
        format!("{}{text}", values.len())
    }
    #[async_work]
    fn called(value: T, f: fn(T) -> String) -> String {
        f(value)
    }
    #[async_work]
    fn boxed(value: T, f: Box<dyn Fn(T) -> String + Send + 'b>) -> String {
        f(value)
    }
    #[async_work]
    fn given_back(value: T) -> Result<(T, usize), String> {
        Ok((value, 1))
    }
    #[async_work]
    fn iterated(self) -> impl Iterator<Item = T> + Send {
        std::iter::once(self.2)
    }
}

struct Grid<T, const N: usize>([T; N]);

impl<T: Copy + Send, const N: usize> Grid<T, N> {
    #[async_work]
    fn of(cells: [T; N]) -> Self {
        Self(cells)
    }
    #[async_work]
    fn first(grid: Grid<T, N>) -> T {
        grid.0[0]
    }
}

struct Cache<Key>(Key);

impl<Key: Display + Send> Cache<Key> {
    #[async_work]
    fn both(self, key: Key) -> String {
        format!("{}{key}", self.0)
    }
    /// A lifetime that is declared says it where the macro can't know.
    #[async_work]
    fn alone<'w>(key: Key) -> String
    where
        Key: 'w,
    {
        key.to_string()
    }
}

#[test]
fn types_of_an_impl_need_not_be_static() {
    let (a, b) = (String::from("a"), String::from("b"));
    assert_eq!(Pair::new(&a, &b, &b).run().unwrap().shown().run().unwrap(), "abb");
    assert_eq!(Pair::one(&a).run().unwrap(), "a");
    assert_eq!(Pair::some(vec![&a], &b).run().unwrap(), "1b");
    assert_eq!(Pair::called(&a, |text| text.to_uppercase()).run().unwrap(), "A");
    assert_eq!(Pair::boxed(&a, Box::new(|text| format!("{text}{b}"))).run().unwrap(), "ab");
    assert_eq!(Pair::given_back(&a).run().unwrap(), (&a, 1));
    assert_eq!(Pair("", "", &a).iterated().run().unwrap().collect::<Vec<_>>(), [&a]);
    let grid = Grid::of([&a, &b]).run().unwrap();
    assert_eq!(Grid::first(grid).run().unwrap(), "a");
    assert_eq!(Cache(&a).both(&b).run().unwrap(), "ab");
    assert_eq!(Cache::alone(&a).run().unwrap(), "a");
}

trait Parse: Sized + Send {
    type Out: Send;

    #[async_work]
    fn parse(self) -> usize {
        1
    }
    #[async_work]
    fn same(value: Self) -> Self {
        value
    }
    #[async_work]
    fn out(self, out: Self::Out) -> Self::Out {
        out
    }
}

impl<'a> Parse for Reader<'a> {
    type Out = &'a str;

    #[async_work]
    fn parse(self) -> usize {
        self.0.len()
    }
}

impl Parse for u8 {
    type Out = ();
}

/// Declared by hand.
trait Object {
    fn lent<'w>(&'w self, text: &'w str) -> Work<'w, usize>;
    fn boxed<'w>(self: Box<Self>, text: &'w str) -> Work<'w, usize>
    where
        Self: 'w;
    fn owned(self: Box<Self>) -> Work<'static, usize>;
}

impl Object for String {
    #[async_work]
    fn lent(&self, text: &str) -> usize {
        self.len() + text.len()
    }
    #[async_work]
    fn boxed(self: Box<Self>, text: &str) -> usize {
        self.len() + text.len()
    }
    #[async_work]
    fn owned(self: Box<Self>) -> usize
    where
        Self: 'static,
    {
        self.len()
    }
}

#[test]
fn methods_of_traits_take_self_by_value() {
    let text = String::from("abc");
    assert_eq!(Reader(&text).parse().run().unwrap(), 3);
    assert_eq!(7_u8.parse().run().unwrap(), 1);
    assert_eq!(Reader::same(Reader(&text)).run().unwrap().0, text);
    assert_eq!(Reader("").out(&text).run().unwrap(), text);
    let object = || -> Box<dyn Object> { Box::new(text.clone()) };
    assert_eq!(object().lent("d").run().unwrap(), 4);
    assert_eq!(object().boxed("d").run().unwrap(), 4);
    assert_eq!(object().owned().run().unwrap(), 3);
}

#[async_work]
fn blanks<'a>(n: usize) -> Vec<&'a str> {
    vec![""; n]
}
#[async_work]
fn blanks_beside<'a, T: Send>(value: T, text: &str) -> (Vec<&'a str>, T, usize) {
    (blanks(1).run().unwrap_or_default(), value, text.len())
}
#[async_work]
async fn blanks_later<'a>(n: usize) -> Result<Vec<&'a str>, String> {
    Ok(vec![""; n])
}

#[test]
fn a_lifetime_may_stand_in_the_result_alone() {
    let (pool, text) = (Pool::new(1), String::from("ab"));
    assert_eq!(blanks(2).spawn_on(&pool).get().unwrap(), ["", ""]);
    assert_eq!(blanks_beside(&text, &text).run().unwrap(), (vec![""], &text, 2));
    assert_eq!(blanks_later(1).spawn_on(&pool).get().unwrap(), [""]);
}

macro_rules! doubled {
    ($x:ident) => {
        #[async_work]
        fn difference($x: u8, x: u8) -> u8 {
            $x - x
        }
    };
}
doubled!(x);

#[test]
fn parameters_may_differ_by_their_macro_alone() {
    assert_eq!(difference(3, 1).run().unwrap(), 2);
}
