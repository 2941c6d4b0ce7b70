//! Errors that are no [`Error`](std::error::Error) themselves but lend one, as those of `anyhow` and
//! `eyre`: they travel as they are, and nothing that they know is lost.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;

/// An error that a report lends.
pub(crate) type Lent = dyn StdError + Send + Sync;

/// What a [`Whole`] has to know of a report.
trait Lends: AsRef<Lent> + fmt::Debug + Any + Send + Sync {}

impl<R: AsRef<Lent> + fmt::Debug + Any + Send + Sync> Lends for R {}

/// A report on its way to the failure that it is the cause of. It poses as the error that it lends.
pub(crate) struct Whole(Box<dyn Lends>);

impl Whole {
    pub(crate) fn new(report: impl AsRef<Lent> + fmt::Debug + Send + Sync + 'static) -> Whole {
        Whole(Box::new(report))
    }

    /// The error that it lends.
    pub(super) fn error(&self) -> &(dyn StdError + 'static) {
        (*self.0).as_ref()
    }

    /// The report itself.
    pub(super) fn report<R: 'static>(&self) -> Option<&R> {
        (&*self.0 as &dyn Any).downcast_ref()
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.error(), f)
    }
}

impl fmt::Debug for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Whole {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error().source()
    }
}
