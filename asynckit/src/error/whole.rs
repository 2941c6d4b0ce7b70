//! Errors that are no [`Error`](std::error::Error) themselves but lend one, as those of `anyhow` and
//! `eyre`: they travel as they are, and nothing that they know is lost.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;

/// An error that a report lends.
pub(crate) type Lent = dyn StdError + Send + Sync;

/// What a [`Whole`] has to know of a report.
trait Lends: Send + Sync {
    fn lent(&self) -> &(dyn StdError + 'static);
    fn any(&self) -> &dyn Any;
    /// The report as it prints itself, with what it knows besides the error.
    fn debug(&self) -> &dyn fmt::Debug;
}

impl<R> Lends for R
where
    R: AsRef<Lent> + fmt::Debug + Send + Sync + 'static,
{
    fn lent(&self) -> &(dyn StdError + 'static) {
        self.as_ref()
    }

    fn any(&self) -> &dyn Any {
        self
    }

    fn debug(&self) -> &dyn fmt::Debug {
        self
    }
}

/// A report on its way to the failure that it is the cause of. It poses as the error that it lends.
pub(crate) struct Whole(Box<dyn Lends>);

impl Whole {
    pub(crate) fn new<R>(report: R) -> Whole
    where
        R: AsRef<Lent> + fmt::Debug + Send + Sync + 'static,
    {
        Whole(Box::new(report))
    }

    /// The error that it lends.
    pub(super) fn error(&self) -> &(dyn StdError + 'static) {
        self.0.lent()
    }

    /// The report itself.
    pub(super) fn report<R: 'static>(&self) -> Option<&R> {
        self.0.any().downcast_ref()
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.error(), f)
    }
}

impl fmt::Debug for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.debug().fmt(f)
    }
}

impl StdError for Whole {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error().source()
    }
}
