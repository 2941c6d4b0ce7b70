//! What went wrong, where, and which way the news travelled.
//!
//! One [`Error`] is one *original* failure, shared by all that it made fail, and a *path* of its
//! own: the work that failed and the work that was skipped because of it (`path.rs`). What the work
//! has returned is its cause, as it is (`whole.rs`), and printed with all that caused it in turn
//! (`causes.rs`). Of several some may be dropped for one (`company.rs`);
//! `failures.rs` says what failed of many. What was told from elsewhere is text (`relayed.rs`). What programs look for in a failure is found by its type (`sought.rs`).

mod causes;
mod company;
mod failures;
mod kind;
mod path;
mod relayed;
mod report;
mod sought;
mod whole;

use std::any::Any;
use std::fmt;
use std::time::Duration;

use crate::panic;
use crate::sync::Arc;
use causes::{Besides, Sources};
pub(crate) use company::Company;
pub use failures::{FailedAlike, Failures};
pub use kind::ErrorKind;
pub(crate) use path::At;
pub use path::Hop;
use path::Path;
pub use relayed::Failure;
pub use report::{BoxError, Error};
use report::{Cause, Original};
pub(crate) use report::{Hook, Report};
pub use sought::Sought;
pub(crate) use whole::{Lent, Whole};

/// The result of work: a value, or the [`Error`] of whatever failed on the way to it.
///
/// ```
/// fn main() -> asynckit::Result<()> {
///     let pool = asynckit::Pool::new(1);
///     assert_eq!(pool.spawn(|| 2 * 21).get()?, 42);
///     Ok(())
/// }
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// What all copies share, for who keeps it by its address.
    pub(crate) fn into_report(self) -> Arc<Report> {
        self.0
    }

    pub(crate) fn from_report(report: Arc<Report>) -> Error {
        Error(report)
    }

    fn make(kind: ErrorKind, hop: Hop, cause: Cause, hook: Option<Hook>) -> Error {
        Error::from_original(Original::new(kind, hop, cause, hook), Path::from(hop), 1)
    }

    /// The failure of work that returned `cause`; an error of ours passes along as it is.
    pub(crate) fn failed(hop: Hop, cause: BoxError, hook: Option<Hook>) -> Error {
        let cause = match cause.downcast::<Error>() {
            Ok(ours) => return ours.handed_on(hop),
            Err(cause) => cause,
        };
        let cause = match cause.downcast::<Whole>() {
            Ok(whole) => match whole.error().downcast_ref::<Error>() {
                Some(ours) => return ours.clone().handed_on(hop),
                None => Cause::Whole(*whole),
            },
            Err(cause) => Cause::Failure(cause),
        };
        Error::make(ErrorKind::Failed, hop, cause, hook)
    }

    /// The same failure, as that of work that has returned it.
    pub(crate) fn handed_on(self, hop: Hop) -> Error {
        if self.0.path.last() == Some(hop) { self } else { self.passed_on(hop) }
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

    pub(crate) fn ended(hop: Hop) -> Error {
        Error::outside(ErrorKind::Cancelled, hop, "was cancelled: its pool is to end")
    }

    pub(crate) fn stopped_with_scope(hop: Hop) -> Error {
        let words = "did not run: its scope ended, and no work of the pool was left that could set \
                     what it waited for";
        Error::outside(ErrorKind::Stopped, hop, words)
    }

    pub(crate) fn unset_in_scope(hop: Hop) -> Error {
        Error::outside(ErrorKind::Stopped, hop, "was not set before its scope ended")
    }

    pub(crate) fn abandoned(hop: Hop) -> Error {
        Error::outside(ErrorKind::Abandoned, hop, "will never be set: nobody who could is left")
    }

    pub(crate) fn unanswered(hop: Hop) -> Error {
        Error::outside(ErrorKind::Abandoned, hop, "was answered for another call by its carrier")
    }

    /// The same failure for work that was skipped because of it.
    pub(crate) fn passed_on(&self, hop: Hop) -> Error {
        let path = self.0.path.followed_by(hop);
        Error(Arc::new(Report { original: self.0.original.clone(), path, tries: self.0.tries }))
    }

    /// The same failure, as that of the last of so many tries of a call.
    pub(crate) fn tried(self, tries: u32) -> Error {
        let (original, path) = (self.0.original.clone(), self.0.path.clone());
        original.tried(tries);
        Error(Arc::new(Report { original, path, tries }))
    }

    /// Marks the failure as seen by the user's code, so that it is not reported as unobserved.
    pub(crate) fn observed(self) -> Error {
        self.observe();
        self
    }

    /// As `observed`.
    pub(crate) fn observe(&self) {
        self.0.original.observe();
    }

    /// The failure as one of several, for who drops some for another one.
    pub(crate) fn company(&self) -> &Arc<Company> {
        self.0.original.company()
    }

    /// Whether both are of one original.
    pub(crate) fn is_same_failure(&self, other: &Error) -> bool {
        Arc::ptr_eq(&self.0.original, &other.0.original)
    }

    /// What kind of failure this is.
    ///
    /// ```
    /// use asynckit::{ErrorKind, Pool};
    ///
    /// let pool = Pool::new(1);
    /// let panicked = pool.spawn(|| -> u8 { panic!("no") }).get().unwrap_err();
    /// assert_eq!(panicked.kind(), ErrorKind::Panicked);
    /// pool.stop();
    /// assert_eq!(pool.spawn(|| 1).get().unwrap_err().kind(), ErrorKind::Stopped);
    /// ```
    pub fn kind(&self) -> ErrorKind {
        self.0.original.kind
    }

    /// The work that failed first, as `module::function`.
    ///
    /// ```
    /// use asynckit::{Pool, async_work, chain};
    ///
    /// #[async_work]
    /// fn read(name: &'static str) -> std::io::Result<String> { std::fs::read_to_string(name) }
    /// #[async_work]
    /// fn lines(text: String) -> usize { text.lines().count() }
    ///
    /// let pool = Pool::new(1);
    /// let error = chain!(&pool, lines(read("no/such/file"))).get().unwrap_err();
    /// assert_eq!(error.origin(), concat!(module_path!(), "::read"));
    /// ```
    pub fn origin(&self) -> &'static str {
        self.0.original.hop.name()
    }

    /// How often the work was tried: more than once where it was to be tried again
    /// ([`Retry`](crate::Retry)).
    ///
    /// ```
    /// use asynckit::{Retry, try_work};
    ///
    /// let error = Retry::new(2).work(|| try_work(|| Err::<u8, _>("busy"))).run().unwrap_err();
    /// assert_eq!(error.tries(), 3);
    /// assert_eq!(error.to_string(), "closure failed: busy (tried 3 times)");
    /// ```
    pub fn tries(&self) -> u32 {
        self.0.tries
    }

    /// The error that the work returned, if it is an `E`; else the first of its sources that is one.
    ///
    /// ```
    /// use std::num::ParseIntError;
    /// use asynckit::{Pool, try_work};
    ///
    /// let pool = Pool::new(1);
    /// let error = try_work(|| "x".parse::<u8>()).spawn_on(&pool).get().unwrap_err();
    /// assert!(error.downcast_ref::<ParseIntError>().is_some());
    /// assert!(error.downcast_ref::<std::io::Error>().is_none());
    /// ```
    ///
    /// What an annotated function returns as an `anyhow::Error` or an `eyre::Report` is found by
    /// what that was made of; the whole of it is had by [`report_ref`](Error::report_ref).
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        causes::chain(self.0.original.cause.error()?).find_map(|cause| cause.downcast_ref())
    }

    /// What the work returned, where that is an `R` which is no error itself but lends one: an
    /// `anyhow::Error`, an `eyre::Report`.
    ///
    /// ```
    /// use anyhow::Context;
    /// use asynckit::async_work;
    ///
    /// #[derive(Debug, PartialEq)]
    /// struct Step(u32);
    /// # impl std::fmt::Display for Step {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    /// #         write!(f, "in step {}", self.0)
    /// #     }
    /// # }
    ///
    /// #[async_work]
    /// fn load() -> anyhow::Result<Vec<u8>> {
    ///     std::fs::read("no/such/file").context(Step(2))
    /// }
    ///
    /// let error = load().run().unwrap_err();
    /// assert!(error.downcast_ref::<std::io::Error>().is_some());
    /// let whole: &anyhow::Error = error.report_ref().unwrap();
    /// assert_eq!(whole.downcast_ref(), Some(&Step(2))); // what only `anyhow` finds
    /// ```
    pub fn report_ref<R: AsRef<Lent> + 'static>(&self) -> Option<&R> {
        self.0.original.cause.report()
    }

    /// Whether the work panicked.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(1);
    /// let error = pool.spawn(|| -> u8 { panic!("on purpose") }).get().unwrap_err();
    /// assert!(error.is_panic() && error.to_string().ends_with("on purpose"));
    /// ```
    pub fn is_panic(&self) -> bool {
        self.kind() == ErrorKind::Panicked
    }

    /// Goes on with the panic that failed the work, with the payload it had.
    ///
    /// # Panics
    ///
    /// Always. The payload can be had once: for a further copy of the error, and for an error
    /// that is no panic, the panic carries this error's text.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(1);
    /// let outcome = std::panic::catch_unwind(|| {
    ///     // As if the closure had been called here.
    ///     pool.spawn(|| -> u8 { panic!("on purpose") }).get().unwrap_or_else(|e| e.resume_panic())
    /// });
    /// assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&"on purpose"));
    /// ```
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
        let Report { original, path, tries } = &*self.0;
        let cause = original.cause.error().filter(|_| f.alternate());
        write!(f, "{original}")?;
        if let Some(error) = cause {
            write!(f, "{}", Sources(error))?;
        }
        if *tries > 1 {
            write!(f, " (tried {tries} times)")?;
        }
        if f.alternate() {
            write!(f, " [{path}]")?;
        }
        match (cause, original.cause.debug()) {
            (Some(error), Some(debug)) => write!(f, "{}", Besides { error, debug }),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl std::error::Error for Error {
    /// The cause itself: the error that the work returned.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.original.cause.error()
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
