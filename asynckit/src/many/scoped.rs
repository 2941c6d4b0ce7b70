//! Results of a scope's values, which may borrow.

use crate::core::Outcomes;
use crate::error::{Error, Hop};
use crate::many::{JoinTuple, gather_in, join_list, join_tuple};
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

    /// As [`settle_all`](crate::Results::settle_all), of values that may borrow.
    ///
    /// ```
    /// use asynckit::{Pool, try_work};
    ///
    /// let (pool, words) = (Pool::new(2), ["one".to_owned(), String::new()]);
    /// let settled = pool.scope(|s| {
    ///     let first = |word: &str| word.chars().next().ok_or("an empty word");
    ///     let firsts = words.iter().map(|word| try_work(move || first(word)).spawn_on(s));
    ///     s.settle_all(firsts).get()
    /// })?;
    /// assert!(settled[0].as_ref().unwrap() == &'o' && settled[1].is_err());
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn settle_all<T: Send + 's>(
        &self,
        results: impl IntoIterator<Item = AsyncResult<T>>,
    ) -> AsyncResult<Vec<Result<T, Error>>> {
        let inputs = (Outcomes::of(results.into_iter().map(AsyncResult::into_owner)), ());
        let place = Some(self.place());
        gather_in(Hop::here(&"settle_all"), place, inputs, |(outcomes, ())| outcomes)
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
        join_tuple(Hop::here(&"join"), Some(self.place()), results)
    }
}
