//! The kinds of failures.

/// What kind of failure an [`Error`](crate::Error) is.
///
/// ```
/// use std::time::Duration;
/// use asynckit::{AsyncResult, ErrorKind, Pool, work};
///
/// /// What is to be said to the user.
/// fn advice(kind: ErrorKind) -> &'static str {
///     match kind {
///         ErrorKind::Failed | ErrorKind::Panicked => "please report this",
///         ErrorKind::TimedOut => "please try again later",
///         _ => "", // asked for by the program itself
///     }
/// }
///
/// let pool = Pool::new(1);
/// let never = AsyncResult::<u8>::new();
/// let late = never.clone().timeout(Duration::from_millis(1));
/// assert_eq!(advice(late.get().unwrap_err().kind()), "please try again later");
/// never.cancel();
/// assert_eq!(never.get().unwrap_err().kind(), ErrorKind::Cancelled);
/// let panics = work(|| -> u8 { panic!("on purpose") }).spawn_on(&pool);
/// assert_eq!(panics.get().unwrap_err().kind(), ErrorKind::Panicked);
/// ```
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
    /// The process that ran the work ended, each time that it was given to one.
    Lost,
}
