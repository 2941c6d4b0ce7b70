//! What went wrong, where, and which way the news travelled.
//!
//! One [`Error`] is one *original* failure, shared by all that it made fail, and a *path* of its
//! own: the work that failed and the work that was skipped because of it (`path.rs`).

mod path;
mod report;

use std::any::Any;
use std::fmt;
use std::time::Duration;

use crate::panic;
use crate::sync::Arc;
pub(crate) use path::Hop;
use path::Path;
pub(crate) use report::Hook;
use report::{Cause, Original};

/// An error that can go from work to all that depends on it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What kind of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The work returned an error.
    Failed,
    /// The work panicked.
    Panicked,
    /// Somebody cancelled the result.
    Cancelled,
    /// A limit of time ran out.
    TimedOut,
    /// The pool was stopped before the work could run.
    Stopped,
    /// Nobody is left who could set the result.
    Abandoned,
    /// A wait could never have ended.
    Deadlock,
}

/// Why a result has no value.
///
/// All that depends on failed work fails with the *same* error: each copy shares the original
/// cause and knows the path that it took from work to work. Copying one is cheap.
///
/// - `{}` is one line: `crawler::download failed: no such host`.
/// - `{:#}` and `{:?}` add the path, with the source line of each call:
///   `[download (src/main.rs:31) -> size (:32) -> merge (:33)]`. Of a long path the first and the
///   last eight calls are kept, and how many lie between.
///
/// ```
/// use asynckit::{ErrorKind, Pool, async_work, chain};
///
/// #[async_work]
/// fn read(name: &'static str) -> std::io::Result<String> { std::fs::read_to_string(name) }
/// #[async_work]
/// fn lines(text: String) -> usize { text.lines().count() }
///
/// let pool = Pool::new(1);
/// let error = chain!(&pool, lines(read("no/such/file"))).get().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Failed);
/// assert!(error.origin().ends_with("::read"));
/// let cause: &std::io::Error = error.downcast_ref().unwrap();
/// assert_eq!(cause.kind(), std::io::ErrorKind::NotFound);
/// assert!(format!("{error:#}").contains(" -> lines ("));
/// ```
#[derive(Clone)]
pub struct Error(Arc<Report>);

pub(crate) struct Report {
    original: Arc<Original>,
    path: Path,
    tries: u32,
}

/// The result of work: a value, or the [`Error`] of whatever failed on the way to it.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    fn from_original(original: Original, path: Path) -> Error {
        Error(Arc::new(Report { original: Arc::new(original), path, tries: 1 }))
    }

    /// What all copies share, for who keeps it by its address.
    pub(crate) fn into_report(self) -> Arc<Report> {
        self.0
    }

    pub(crate) fn from_report(report: Arc<Report>) -> Error {
        Error(report)
    }

    fn make(kind: ErrorKind, hop: Hop, cause: Cause, hook: Option<Hook>) -> Error {
        Error::from_original(Original::new(kind, hop, cause, hook), Path::from(hop))
    }

    /// The failure of work that returned `cause`; an error of ours passes along as it is.
    pub(crate) fn failed(hop: Hop, cause: BoxError, hook: Option<Hook>) -> Error {
        match cause.downcast::<Error>() {
            Ok(ours) if ours.0.path.last() == Some(hop) => *ours,
            Ok(ours) => ours.passed_on(hop),
            Err(cause) => Error::make(ErrorKind::Failed, hop, Cause::Failure(cause), hook),
        }
    }

    /// The failure of work that panicked; a panic with an error of ours is that error.
    pub(crate) fn panicked(hop: Hop, payload: panic::Payload, hook: Option<Hook>) -> Error {
        match payload.downcast::<Error>() {
            Ok(ours) if ours.kind() == ErrorKind::Deadlock || ours.kind() == ErrorKind::Stopped => {
                ours.passed_on(hop)
            }
            Ok(ours) => {
                let message = ours.to_string();
                Error::make(ErrorKind::Panicked, hop, Cause::panic(message, ours), hook)
            }
            Err(payload) => {
                let message = panic::message(&*payload);
                Error::make(ErrorKind::Panicked, hop, Cause::panic(message, payload), hook)
            }
        }
    }

    /// A failure that is not of the work's own making: `words` follow the work's name.
    pub(crate) fn outside(kind: ErrorKind, hop: Hop, words: impl Into<String>) -> Error {
        Error::make(kind, hop, Cause::Words(words.into()), None)
    }

    pub(crate) fn cancelled(hop: Hop) -> Error {
        Error::outside(ErrorKind::Cancelled, hop, "was cancelled")
    }

    pub(crate) fn timed_out(hop: Hop, limit: Duration) -> Error {
        Error::outside(ErrorKind::TimedOut, hop, format!("was not done within {limit:?}"))
    }

    pub(crate) fn stopped(hop: Hop) -> Error {
        Error::outside(ErrorKind::Stopped, hop, "did not run: its pool was stopped")
    }

    pub(crate) fn stopped_with_scope(hop: Hop) -> Error {
        let words = "did not run: its scope ended, and no work of the pool was left that could set \
                     what it waited for";
        Error::outside(ErrorKind::Stopped, hop, words)
    }

    pub(crate) fn abandoned(hop: Hop) -> Error {
        Error::outside(ErrorKind::Abandoned, hop, "will never be set: nobody who could is left")
    }

    /// The same failure for work that was skipped because of it.
    pub(crate) fn passed_on(&self, hop: Hop) -> Error {
        let path = self.0.path.followed_by(hop);
        Error(Arc::new(Report { original: self.0.original.clone(), path, tries: self.0.tries }))
    }

    /// The same failure, as that of the last of so many tries of a call.
    pub(crate) fn tried(self, tries: u32, call: Hop) -> Error {
        let (original, mut path) = (self.0.original.clone(), self.0.path.clone());
        path.relocate(call);
        Error(Arc::new(Report { original, path, tries }))
    }

    /// Marks the failure as seen by the user's code, so that it is not reported as unobserved.
    pub(crate) fn observed(self) -> Error {
        self.0.original.observe();
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.original.kind
    }

    /// The work that failed first, as `module::function`.
    pub fn origin(&self) -> &'static str {
        self.0.original.hop.name()
    }

    /// How often the work was tried: more than once where it was to be tried again
    /// ([`Retry`](crate::Retry)).
    pub fn tries(&self) -> u32 {
        self.0.tries
    }

    /// The error that the work returned, if it is an `E`.
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        match &self.0.original.cause {
            Cause::Failure(error) => error.downcast_ref(),
            _ => None,
        }
    }

    /// Whether the work panicked.
    pub fn is_panic(&self) -> bool {
        self.kind() == ErrorKind::Panicked
    }

    /// Goes on with the panic that failed the work, with the payload it had.
    ///
    /// # Panics
    ///
    /// Always. The payload can be had once: for a further copy of the error, and for an error
    /// that is no panic, the panic carries this error's text.
    pub fn resume_panic(self) -> ! {
        let text = self.to_string();
        let payload = self.0.original.take_payload();
        drop(self.observed());
        match payload {
            Some(payload) => std::panic::resume_unwind(payload),
            None => panic!("{text}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.original)?;
        if self.0.tries > 1 {
            write!(f, " (tried {} times)", self.0.tries)?;
        }
        if f.alternate() { write!(f, " [{}]", self.0.path) } else { Ok(()) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl std::error::Error for Error {
    /// The cause's own source. The cause itself is part of this error's text, so that printing a
    /// chain of sources repeats nothing.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.original.cause {
            Cause::Failure(error) => error.source(),
            _ => None,
        }
    }
}

impl From<Error> for std::io::Error {
    /// Keeps the error as the inner error.
    fn from(error: Error) -> std::io::Error {
        std::io::Error::other(error)
    }
}

/// A panic with an error of ours, for waits that have no other way to fail.
pub(crate) fn raise(error: Error) -> ! {
    let payload: Box<dyn Any + Send> = Box::new(error.observed());
    std::panic::resume_unwind(payload)
}
