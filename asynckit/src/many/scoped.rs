//! Results of a scope's values, which may borrow.

use crate::error::Hop;
use crate::many::{JoinTuple, join_list};
use crate::pool::{Scope, Spawn};
use crate::result::AsyncResult;

impl<'s> Scope<'s, '_> {
    /// As [`join_all`](crate::Results::join_all), of values that may borrow.
    ///
    /// ```
    /// let (pool, words) = (asynckit::Pool::new(2), ["one".to_owned(), "two".to_owned()]);
    /// let first = pool.scope(|s| {
    ///     let first = words.iter().map(|word| s.spawn(|| &word[..1])).collect::<Vec<_>>();
    ///     s.join_all(first).get()
    /// });
    /// assert_eq!(first?, ["o", "t"]);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn join_all<T: Send + 's>(
        &self,
        results: impl IntoIterator<Item = AsyncResult<T>>,
    ) -> AsyncResult<Vec<T>> {
        join_list(Hop::here(&"join_all"), Some(self.place()), results)
    }

    /// As [`join`](crate::Results::join), of values that may borrow: one result of all values of a
    /// tuple of 1 to 12 results.
    ///
    /// ```
    /// let (pool, word) = (asynckit::Pool::new(1), "word".to_owned());
    /// let both = pool.scope(|s| s.join((s.spawn(|| &word[..1]), s.spawn(|| word.len()))).get());
    /// assert_eq!(both?, ("w", 4));
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn join<R>(&self, results: R) -> AsyncResult<R::Values>
    where
        R: JoinTuple<Values: 's>,
    {
        results.join_tuple(Some(self.place()))
    }
}
