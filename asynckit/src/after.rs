//! Order without a value: work that begins after something else.

use crate::core::Earlier;
use crate::work::pending_work;
use crate::{AsyncResult, Work};

impl<'w, T: Send + 'w> Work<'w, T> {
    /// The same work, which begins only when `earlier` is set.
    ///
    /// For side effects: the value of `earlier` is neither moved nor looked at. Who moves it waits,
    /// as after `&`, until this work begins. If `earlier` fails, the work does not run and fails
    /// with the same error, as all that depends on a failure does.
    ///
    /// ```
    /// use asynckit::{Pool, async_work, chain};
    ///
    /// #[async_work]
    /// fn create(name: &'static str) -> std::io::Result<()> {
    /// #   let _ = name;
    ///     Ok(()) // the directory
    /// }
    /// #[async_work]
    /// fn write(file: &'static str) -> std::io::Result<()> {
    /// #   let _ = file;
    ///     Ok(()) // a file in it
    /// }
    ///
    /// let pool = Pool::new(2);
    /// let written = chain!(&pool, {
    ///     let directory = create("out");
    ///     let a = write("out/a").after(&directory);
    ///     let b = write("out/b").after(&directory); // beside the first
    ///     (a, b)
    /// });
    /// written.get()?;
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn after<U: Send + 'w>(self, earlier: &AsyncResult<U>) -> Work<'w, T> {
        let inputs = (Earlier::of(earlier.owner()), ());
        pending_work(self.hop(), inputs, move |here, ((), ())| self.finish_inside(here))
    }
}
