//! Signatures that `#[async_work]` takes as they are: receivers, trait objects, closures, nested and
//! generated functions, names that are no ordinary names.

use std::collections::HashMap;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use asynckit::{AsyncResult, Pool, Work, async_work, chain};

use crate::support::soon;

#[derive(Clone, Default)]
struct Site {
    pages: Vec<String>,
}

#[allow(clippy::needless_arbitrary_self_type)]
impl Site {
    const LIMIT: usize = 3;

    #[async_work]
    fn boxed(self: Box<Self>) -> usize {
        self.pages.len()
    }
    #[async_work]
    fn pinned(self: Pin<Box<Self>>) -> usize {
        self.pages.len()
    }
    #[async_work]
    fn explicit(self: &Self, more: usize) -> usize {
        self.pages.len() + more
    }
    #[async_work]
    fn arc_lent(self: &Arc<Self>, n: usize) -> usize {
        Arc::strong_count(self) + n
    }
    #[async_work]
    fn first(&self) -> Option<String> {
        let first = self.pages.first()?;
        Some(first.clone())
    }
    #[async_work]
    fn limit() -> usize {
        Self::LIMIT
    }
    #[async_work]
    async fn shared(self: Arc<Self>, n: AsyncResult<usize>) -> asynckit::Result<usize> {
        Ok(n.await? + self.pages.len())
    }
}

#[test]
fn receivers_of_every_kind() {
    let site = Site { pages: vec!["a".into(), "b".into()] };
    assert_eq!(Box::new(site.clone()).boxed().run().unwrap(), 2);
    assert_eq!(Box::pin(site.clone()).pinned().run().unwrap(), 2);
    assert_eq!(site.explicit(1).run().unwrap(), 3);
    assert_eq!(site.first().run().unwrap().unwrap(), "a");
    assert_eq!(Site::limit().run().unwrap(), 3);
    let site = Arc::new(site);
    assert_eq!(site.arc_lent(1).run().unwrap(), 2);
    assert_eq!(site.shared(AsyncResult::ready(1)).run().unwrap(), 3);
}

trait Store: Send + Sync {
    type Key: Debug + Send;

    fn load(&self, key: Self::Key) -> Work<'_, String>;

    #[async_work]
    fn describe(&self, key: Self::Key) -> String
    where
        Self: Sized,
    {
        format!("{key:?} {}", std::any::type_name::<Self>().rsplit("::").next().unwrap_or(""))
    }

    #[async_work]
    async fn waits(&self, input: AsyncResult<u8>) -> asynckit::Result<u8> {
        input.await
    }
}

impl Store for Site {
    type Key = usize;

    #[async_work]
    fn load(&self, key: usize) -> String {
        self.pages[key].clone()
    }
}

#[test]
fn traits_with_types_of_their_own() {
    let site = Site { pages: vec!["a".into()] };
    let store: &dyn Store<Key = usize> = &site;
    assert_eq!(store.load(0).run().unwrap(), "a");
    assert_eq!(store.waits(AsyncResult::ready(4)).run().unwrap(), 4);
    assert_eq!(site.describe(7).run().unwrap(), "7 Site");
    assert!(store.load(1).run().unwrap_err().is_panic());
}

#[async_work]
fn objects(shown: &(dyn Debug + Sync), call: &(dyn Fn(u8) -> u8 + Sync), n: u8) -> String {
    format!("{shown:?}{}", call(n))
}
#[async_work]
fn optional(text: Option<&str>, many: &[&str], map: &HashMap<String, u8>) -> usize {
    text.map_or(0, str::len) + many.len() + map.len()
}
#[async_work]
fn inner<'a>(texts: Vec<&'a str>) -> Vec<&'a str> {
    texts.into_iter().rev().collect()
}
#[async_work]
fn higher<F>(call: F, n: u8) -> u8
where
    F: for<'x> Fn(&'x u8) -> &'x u8 + Send,
{
    *call(&n)
}
#[async_work]
fn words(r#type: u8, r#fn: u8) -> u8 {
    r#type + r#fn
}
#[async_work]
fn array<const N: usize>(all: [u8; N]) -> [u8; N] {
    all
}
#[async_work]
fn returns_early(n: u8) -> Result<u8, std::num::ParseIntError> {
    if n == 0 {
        return "x".parse();
    }
    let one: u8 = "1".parse()?;
    Ok(n - one)
}
#[async_work]
fn tuple(pair: (u8, &str)) -> (u8, usize) {
    (pair.0, pair.1.len())
}

#[test]
fn parameters_of_every_kind() {
    assert_eq!(objects(&"a", &|n| n + 1, 1).run().unwrap(), "\"a\"2");
    assert_eq!(optional(Some("abc"), &["d"], &HashMap::new()).run().unwrap(), 4);
    let text = String::from("ab");
    assert_eq!(inner(vec![&text, &text[1..]]).run().unwrap(), ["b", "ab"]);
    assert_eq!(higher(|n| n, 3).run().unwrap(), 3);
    assert_eq!(words(1, 2).run().unwrap(), 3);
    assert_eq!(array([1, 2]).run().unwrap(), [1, 2]);
    assert_eq!(returns_early(3).run().unwrap(), 2);
    assert!(returns_early(0).run().is_err());
    assert_eq!(tuple((1, &text)).run().unwrap(), (1, 2));
}

macro_rules! generated {
    ($($visibility:vis $name:ident($argument:ident: $type:ty) -> $result:ty $body:block)*) => { $(
        #[async_work]
        $visibility fn $name($argument: $type) -> $result $body
    )* };
}
generated! {
    pub(crate) twice(n: u64) -> u64 { n * 2 }
    text_of(bytes: &[u8]) -> Result<String, std::string::FromUtf8Error> {
        String::from_utf8(bytes.to_vec())
    }
}

macro_rules! annotated {
    ($item:item) => {
        #[async_work]
        $item
    };
}
annotated! {
    fn thrice(n: u64) -> u64 {
        n * 3
    }
}

#[test]
fn functions_that_macros_write_and_functions_in_functions() {
    fn outer(pool: &Pool, n: u64) -> AsyncResult<u64> {
        #[async_work]
        fn inside(n: u64) -> u64 {
            #[async_work]
            fn deeper(n: u64) -> u64 {
                n + 1
            }
            deeper(n).run().unwrap() + 1
        }
        chain!(pool, {
            let doubled = twice(thrice(n));
            inside(doubled)
        })
    }
    soon(|| {
        let pool = Pool::new(1);
        assert_eq!(outer(&pool, 2).get().unwrap(), 14);
        assert_eq!(text_of(b"abc").run().unwrap(), "abc");
        assert!(text_of(&[0xff]).run().is_err());
    });
}

/// Kept as they are written.
mod kept {
    use super::async_work;

    /// Documented.
    #[async_work]
    #[deprecated = "on purpose"]
    #[doc(alias = "elderly")]
    pub(super) fn old() -> u8 {
        1
    }

    #[async_work]
    #[cfg_attr(all(), inline(never))]
    #[cfg(any())]
    pub(super) fn absent() -> NoSuchType {}
}

#[test]
fn attributes_and_visibility_stay() {
    #[expect(deprecated)]
    let old = kept::old();
    assert_eq!(old.run().unwrap(), 1);
}

/// Such as macros write: nothing between the marks, or a mark after the last.
#[rustfmt::skip]
#[allow(clippy::multiple_bound_locations)]
mod bare {
    use super::*;

    #[async_work]
    pub(super) fn nothing<>() -> u8 where { 1 }
    #[async_work]
    pub(super) fn lent<'a,>(text: &'a str,) -> usize where { text.len() }
    #[async_work]
    pub(super) fn unbound<T:>(t: T) -> T where T:, T: Send, { t }
    #[async_work]
    pub(super) fn open<T: Clone +>(t: &T) -> T where T: Send + Sync + { t.clone() }
}

#[test]
fn lists_that_are_empty_or_end_in_a_mark() {
    let text = "text".to_owned();
    assert_eq!(bare::nothing().run().unwrap(), 1);
    assert_eq!(bare::lent(&text).run().unwrap(), 4);
    assert_eq!(bare::unbound(2).run().unwrap(), 2);
    assert_eq!(bare::open(&3).run().unwrap(), 3);
}
