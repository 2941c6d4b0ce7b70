//! Order without a value: work that begins after something else.

use crate::core::{Earlier, EndEdge, Here, Unsubmitted};
use crate::result::AsyncResult;
use crate::work::lift::pending_cell;
use crate::work::{AfterOthers, Form, Work};

impl<T: Send> AfterOthers<'_, T> {
    /// Makes it a task that waits for the results.
    #[cold]
    #[inline(never)]
    #[expect(clippy::boxed_local, reason = "what is not inlined moves less by it")]
    pub(super) fn into_cell(self: Box<Self>) -> Unsubmitted<T> {
        let AfterOthers { earlier, work } = *self;
        let (hop, inputs) = (work.hop, (Earlier::of(earlier), ()));
        let call = move |here: &Here<'_>, ((), ())| work.go_on_inside(here, true);
        pending_cell(hop, inputs, call)
    }
}

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
    pub fn after<U: Send + 'w>(mut self, earlier: &AsyncResult<U>) -> Work<'w, T> {
        let edge = EndEdge::of(earlier.owner());
        if let Some(Form::Later(later)) = &mut self.form {
            later.earlier.push(edge);
            return self;
        }
        Work::of_form(
            self.hop,
            Form::Later(Box::new(AfterOthers { earlier: vec![edge], work: self })),
        )
    }
}
