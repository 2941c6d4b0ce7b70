//! Where streams begin.

use crate::cancel::Cancellable;
use crate::pool::{Current, Pool, Scope, Spawn, Spawner};
use crate::stream::Stream;

impl Pool {
    /// Sends items through several stages, in bounded memory; see [`Stream`].
    ///
    /// ```
    /// let (pool, words) = (asynckit::Pool::new(2), ["one".to_owned(), "three".to_owned()]);
    /// let letters = pool.stream(&words).map(|word| word.len()).fold(0, |sum, n| sum + n)?;
    /// assert_eq!(letters, 8);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn stream<'a, I>(&self, items: I) -> Stream<'a, I::Item>
    where
        I: IntoIterator<IntoIter: 'a, Item: Send + 'a>,
    {
        Stream::new(self.place(), items.into_iter())
    }
}

impl Scope<'_, '_> {
    /// As [`Pool::stream`]: inside of a scope.
    ///
    /// ```
    /// let (pool, words) = (asynckit::Pool::new(2), ["one".to_owned(), "three".to_owned()]);
    /// let sizes: Vec<usize> = pool.scope(|s| s.stream(&words).map(|word| word.len()).collect())?;
    /// assert_eq!(sizes, [3, 5]);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn stream<'a, I>(&self, items: I) -> Stream<'a, I::Item>
    where
        I: IntoIterator<IntoIter: 'a, Item: Send + 'a>,
    {
        Stream::new(self.place(), items.into_iter())
    }
}

impl Current {
    /// As [`Pool::stream`], on the pool of the work that calls it.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(1);
    /// let sum = pool.spawn(|| asynckit::current().stream(1..=4).map(|n| n * n).fold(0, |a, b| a + b));
    /// assert_eq!(sum.get()??, 30);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn stream<'a, I>(&self, items: I) -> Stream<'a, I::Item>
    where
        I: IntoIterator<IntoIter: 'a, Item: Send + 'a>,
    {
        Stream::new(self.place(), items.into_iter())
    }
}

impl<S: ?Sized> Cancellable<'_, S> {
    /// As [`Pool::stream`]: cancelling the token ends the stream.
    ///
    /// ```
    /// use asynckit::{CancelToken, ErrorKind, Pool};
    ///
    /// let (pool, token) = (Pool::new(1), CancelToken::new());
    /// let endless = token.on(&pool).stream(0u64..).for_each(|n| {
    ///     if n == 100 {
    ///         token.cancel();
    ///     }
    /// });
    /// assert_eq!(endless.unwrap_err().kind(), ErrorKind::Cancelled);
    /// ```
    pub fn stream<'a, 'w, I>(&self, items: I) -> Stream<'a, I::Item>
    where
        S: Spawner<'w>,
        I: IntoIterator<IntoIter: 'a, Item: Send + 'a>,
    {
        Stream::new(self.place(), items.into_iter())
    }
}
