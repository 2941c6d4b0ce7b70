//! Many results, each with a key.

use std::fmt;

use crate::result::{AsyncResult, KeyedAsCompleted};

/// Results with keys; made by [`Results::keyed`](crate::Results::keyed).
///
/// ```
/// use asynckit::{Pool, Results};
///
/// let pool = Pool::new(2);
/// let pages = ["a", "b"].map(|url| (url, pool.spawn(move || format!("page {url}"))));
/// for (url, page) in pages.keyed().as_completed() {
///     assert_eq!(page.get()?, format!("page {url}"));
/// }
/// # Ok::<(), asynckit::Error>(())
/// ```
#[must_use = "results with keys are iterated with `.as_completed()`"]
pub struct Keyed<I>(I);

impl<I> Keyed<I> {
    pub(super) fn new(results: I) -> Keyed<I> {
        Keyed(results)
    }

    /// The results, each with its key when it is set, in the order of their completion; a failed one is
    /// handed out as any other. The iterator blocks.
    ///
    /// ```
    /// use asynckit::{AsyncResult, Results};
    ///
    /// let (first, second) = (AsyncResult::channel(), AsyncResult::channel());
    /// let mut done = vec![("first", first.1), ("second", second.1)].keyed().as_completed();
    /// second.0.set(2).unwrap();
    /// let (key, value) = done.next().unwrap();
    /// assert_eq!((key, value.get()?), ("second", 2));
    /// # drop(first.0);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[allow(clippy::wrong_self_convention, reason = "known by this name elsewhere")]
    pub fn as_completed<K, T>(self) -> KeyedAsCompleted<K, T>
    where
        I: IntoIterator<Item = (K, AsyncResult<T>)>,
    {
        KeyedAsCompleted::new(self.0)
    }
}

impl<I> fmt::Debug for Keyed<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyed(..)")
    }
}
