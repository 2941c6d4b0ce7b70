//! Results whose values may borrow: they live in a scope.

use crate::core::Traits;
use crate::error::Hop;
use crate::pool::Scope;
use crate::result::AsyncResult;
use crate::result::set::{Setter, channel, ready};

impl<'s> Scope<'s, '_> {
    /// As [`AsyncResult::ready`], for a value that may borrow.
    ///
    /// ```
    /// use asynckit::{Pool, async_work, chain};
    ///
    /// #[async_work]
    /// fn length(word: &str) -> usize { word.len() }
    ///
    /// let (pool, words) = (Pool::new(1), "some words".to_owned());
    /// let length = pool.scope(|s| {
    ///     let word = s.ready(&words[5..]);
    ///     chain!(s, length(word)).get()
    /// });
    /// assert_eq!(length?, 5);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn ready<T: Send + 's>(&self, value: T) -> AsyncResult<T> {
        ready(Traits::BORROWS, Hop::here(&"Scope::ready"), value)
    }

    /// As [`AsyncResult::channel`], for a value that may borrow.
    ///
    /// What is unset at the scope's end fails as [`Stopped`](crate::ErrorKind::Stopped), and a later
    /// [`set`](Setter::set) gets its value back.
    ///
    /// ```
    /// use asynckit::{ErrorKind, Pool};
    ///
    /// let (pool, text) = (Pool::new(1), "text".to_owned());
    /// let (late, unset) = pool.scope(|s| {
    ///     let (setter, result) = s.channel();
    ///     drop(s.spawn(|| setter.set(text.as_str())));
    ///     assert_eq!(result.get().unwrap(), "text");
    ///     s.channel::<&str>()
    /// });
    /// assert_eq!(late.set(&text).unwrap_err().into_inner(), "text");
    /// assert_eq!(unset.get().unwrap_err().kind(), ErrorKind::Stopped);
    /// ```
    #[track_caller]
    pub fn channel<T: Send + 's>(&self) -> (Setter<T>, AsyncResult<T>) {
        let (setter, result) = channel(Traits::BORROWS, Hop::here(&"Scope::channel"));
        self.place.list(&result.owner().reference());
        (setter, result)
    }
}
