//! Closures that are submitted where they are written.

use crate::pool::{Current, Pool, Scope};
use crate::result::AsyncResult;
use crate::work::work;

impl Pool {
    /// Runs a closure on the pool: short for [`asynckit::work`](crate::work) and
    /// [`spawn_on`](crate::Work::spawn_on).
    ///
    /// ```
    /// let pool = asynckit::Pool::new(1);
    /// let words = "one two".to_owned();
    /// let count = pool.spawn(move || words.split(' ').count());
    /// assert_eq!(count.get()?, 2);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn<T: Send + 'static>(
        &self,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> AsyncResult<T> {
        work(f).spawn_on(self)
    }
}

impl<'s> Scope<'s, '_> {
    /// Runs a closure on the scope's pool: short for [`asynckit::work`](crate::work) and
    /// [`spawn_on`](crate::Work::spawn_on).
    ///
    /// ```
    /// let (pool, numbers) = (asynckit::Pool::new(1), vec![1, 2, 3]);
    /// let sum: i32 = pool.scope(|s| s.spawn(|| numbers.iter().sum()).get())?;
    /// assert_eq!((sum, numbers.len()), (6, 3));
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn<T: Send + 's>(&self, f: impl FnOnce() -> T + Send + 's) -> AsyncResult<T> {
        work(f).spawn_on(self)
    }
}

impl Current {
    /// Runs a closure there: short for [`asynckit::work`](crate::work) and
    /// [`spawn_on`](crate::Work::spawn_on).
    ///
    /// ```
    /// let pool = asynckit::Pool::new(1);
    /// let sum = pool.spawn(|| {
    ///     let other_half = asynckit::current().spawn(|| 40);
    ///     Ok::<_, asynckit::Error>(2 + other_half.get()?)
    /// });
    /// assert_eq!(sum.get()??, 42);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn<T: Send + 'static>(
        &self,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> AsyncResult<T> {
        work(f).spawn_on(self)
    }
}
