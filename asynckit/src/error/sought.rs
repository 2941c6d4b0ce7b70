//! What may be asked for of a failure by its type.

use std::any::Any;

use super::{Error, Lent};

mod sealed {
    /// It is an error.
    #[derive(Debug)]
    pub struct AsError;
    /// It is none, but lends one.
    #[derive(Debug)]
    pub struct AsReport;
}
use sealed::{AsError, AsReport};

/// What [`recover`](crate::AsyncResult::recover) and [`Retry::when`](crate::Retry::when) may ask for: the
/// [`Error`] itself, the error that the work returned, one of its sources, or a report that lends
/// one, as `anyhow::Error` does.
///
/// `How` tells errors from reports, which are no errors themselves.
#[diagnostic::on_unimplemented(
    message = "no failure is caused by a `{Self}`",
    label = "neither an error nor what lends one",
    note = "write the type of the error that the work returned, or of one of its sources, or \
            `&asynckit::Error` for every failure"
)]
pub trait Sought<How>: 'static {
    #[doc(hidden)]
    fn sought(error: &Error) -> Option<&Self>;
}

#[diagnostic::do_not_recommend]
impl<E: std::error::Error + 'static> Sought<AsError> for E {
    fn sought(error: &Error) -> Option<&E> {
        (error as &dyn Any).downcast_ref().or_else(|| error.downcast_ref())
    }
}

#[diagnostic::do_not_recommend]
impl<R: AsRef<Lent> + 'static> Sought<AsReport> for R {
    fn sought(error: &Error) -> Option<&R> {
        error.report_ref()
    }
}
