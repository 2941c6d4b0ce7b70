//! Order without a value: work that begins after something else.

use crate::core::{Earlier, EndEdge, Here, Unsubmitted};
use crate::result::AsyncResult;
use crate::work::{Follows, Term, Work, Wrap, pending_work};

/// Work that begins after others. Each `after` adds to the list, so that work which follows many is not
/// nested as often.
struct AfterOthers<'w, T> {
    earlier: Vec<EndEdge>,
    inner: Work<'w, T>,
}

impl<'w, T: Send + 'w> Follows<T> for AfterOthers<'w, T> {
    fn add(&mut self, edge: EndEdge) {
        self.earlier.push(edge);
    }

    fn put_around(&mut self, wrap: Wrap<T>, term: Term) -> Result<(), Term> {
        // What counts from the submission counts while it follows, too.
        if term.comes_first() { Err(term) } else { self.inner.put_around(wrap, term) }
    }

    fn into_cell(self: Box<Self>) -> Unsubmitted<T> {
        let AfterOthers { earlier, inner } = *self;
        let (hop, inputs) = (inner.hop(), (Earlier::of(earlier), ()));
        let call = move |here: &Here<'_>, ((), ())| inner.begin_inside(here);
        pending_work(hop, inputs, call).into_cell()
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
    pub fn after<U: Send + 'w>(self, earlier: &AsyncResult<U>) -> Work<'w, T> {
        let edge = EndEdge::of(earlier.owner());
        self.put_after(edge, |edge, inner| Box::new(AfterOthers { earlier: vec![edge], inner }))
    }
}
