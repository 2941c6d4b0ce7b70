//! Results that the program sets.

use std::fmt;

use super::AsyncResult;
use crate::core::{self, Setting, TaskRef, Traits};
use crate::error::{BoxError, Error, Hop};
use crate::foreign;
use crate::panic;

pub(super) fn ready<T>(traits: Traits, hop: Hop, value: T) -> AsyncResult<T> {
    let (owner, setting) = core::channel_of(traits, hop);
    let first = setting.set(value).is_ok();
    debug_assert!(first);
    AsyncResult::from_owner(owner)
}

pub(super) fn channel<T>(traits: Traits, hop: Hop) -> (Setter<T>, AsyncResult<T>) {
    let (owner, setting) = core::channel_of(traits, hop);
    (Setter { setting: Some(setting) }, AsyncResult::from_owner(owner))
}

/// How results are made by hand. Their values own all they use: what borrows lives in a scope, see
/// [`Scope::ready`](crate::Scope::ready) and [`Scope::channel`](crate::Scope::channel).
impl<T: 'static> AsyncResult<T> {
    /// A result to be set with [`set`](AsyncResult::set) or [`fail`](AsyncResult::fail), on any of
    /// its handles.
    ///
    /// It fails as [`Abandoned`](crate::ErrorKind::Abandoned) when it is unset and only tasks that
    /// wait for it hold it any more.
    ///
    /// ```
    /// use asynckit::{AsyncResult, Pool, async_work, chain};
    ///
    /// #[async_work]
    /// fn double(n: i32) -> i32 { 2 * n }
    ///
    /// let pool = Pool::new(1);
    /// let input = AsyncResult::new();
    /// let doubled = chain!(&pool, double(input.clone()));
    /// input.set(21).unwrap();
    /// assert_eq!(doubled.get()?, 42);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn new() -> AsyncResult<T> {
        AsyncResult::from_owner(core::manual(Hop::here(&"AsyncResult")))
    }

    /// A result that has its value.
    ///
    /// ```
    /// use asynckit::{AsyncResult, Pool, async_work, chain};
    ///
    /// #[async_work]
    /// fn double(n: i32) -> i32 { 2 * n }
    ///
    /// let pool = Pool::new(1);
    /// let known = AsyncResult::ready(21);
    /// assert_eq!(chain!(&pool, double(known)).get()?, 42);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn ready(value: T) -> AsyncResult<T> {
        ready(Traits::PLAIN, Hop::here(&"AsyncResult"), value)
    }

    /// A result that has failed.
    ///
    /// ```
    /// use asynckit::{AsyncResult, Pool};
    ///
    /// fn fetch(pool: &Pool, url: &'static str) -> AsyncResult<usize> {
    ///     if !url.starts_with("https:") {
    ///         return AsyncResult::failed(format!("`{url}` is not safe"));
    ///     }
    ///     pool.spawn(|| url.len())
    /// }
    ///
    /// let error = fetch(&Pool::new(1), "http://a").get().unwrap_err();
    /// assert_eq!(error.to_string(), "AsyncResult failed: `http://a` is not safe");
    /// ```
    #[track_caller]
    pub fn failed(error: impl Into<BoxError>) -> AsyncResult<T> {
        let hop = Hop::here(&"AsyncResult");
        let (owner, setting) = core::channel(hop);
        setting.task().fail_waiting(Error::failed(hop, error.into(), None), false);
        AsyncResult::from_owner(owner)
    }

    /// A result and the one [`Setter`] that may set it.
    ///
    /// ```
    /// use asynckit::AsyncResult;
    ///
    /// let (setter, result) = AsyncResult::channel();
    /// std::thread::spawn(move || setter.set(7));
    /// assert_eq!(result.get()?, 7);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn channel() -> (Setter<T>, AsyncResult<T>) {
        channel(Traits::PLAIN, Hop::here(&"AsyncResult::channel"))
    }
}

impl<T> AsyncResult<T> {
    /// Sets a result of [`new`](AsyncResult::new): the first call of `set` or `fail` wins.
    ///
    /// # Errors
    ///
    /// Hands the value back when the result is set already, and when it is not one to be set: that
    /// of work or of a channel.
    ///
    /// ```
    /// let result = asynckit::AsyncResult::new();
    /// result.set(1)?;
    /// assert_eq!(result.set(2).unwrap_err().into_inner(), 2); // the first one wins
    /// assert_eq!(result.get().unwrap(), 1);
    /// # Ok::<(), asynckit::SetError<i32>>(())
    /// ```
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        let owner = self.owner();
        if !owner.may_set() {
            return Err(SetError { value, reason: WhyNotSet::NotOurs });
        }
        owner.set(value).map_err(SetError::late)
    }

    /// Fails a result of [`new`](AsyncResult::new); as [`set`](AsyncResult::set) otherwise.
    ///
    /// # Errors
    ///
    /// As `set`; hands the error back.
    ///
    /// ```
    /// let result = asynckit::AsyncResult::<u8>::new();
    /// let copy = result.clone();
    /// result.fail("the line is dead").unwrap();
    /// assert!(copy.get().unwrap_err().to_string().ends_with("the line is dead"));
    /// ```
    pub fn fail<E: Into<BoxError>>(&self, error: E) -> Result<(), SetError<E>> {
        let owner = self.owner();
        if !owner.may_set() {
            return Err(SetError { value: error, reason: WhyNotSet::NotOurs });
        }
        fail_cell(&owner.reference(), error)
    }
}

/// Fails a result where nobody has set it before, and tells all who wait.
fn fail_cell<E: Into<BoxError>>(task: &TaskRef, error: E) -> Result<(), SetError<E>> {
    let Some(claimed) = task.claim_by_hand() else {
        return Err(SetError::late(error));
    };
    // The right to set it is ours; `into` is foreign code, and may panic.
    let error = panic::catch(|| foreign::noting(|| error.into()));
    claimed.fail(match error {
        Ok(error) => Error::failed(task.hop, error, None),
        Err(payload) => Error::panicked(task.hop, payload, None),
    });
    Ok(())
}

impl<T: 'static> Default for AsyncResult<T> {
    /// As [`AsyncResult::new`].
    #[track_caller]
    fn default() -> AsyncResult<T> {
        AsyncResult::new()
    }
}

/// Sets the result of [`AsyncResult::channel`] or [`Scope::channel`](crate::Scope::channel). Dropped unset, it fails the result as
/// [`Abandoned`](crate::ErrorKind::Abandoned).
///
/// ```
/// use asynckit::{AsyncResult, ErrorKind};
///
/// let (setter, result) = AsyncResult::<u8>::channel();
/// drop(setter);
/// assert_eq!(result.get().unwrap_err().kind(), ErrorKind::Abandoned);
/// ```
#[must_use = "a setter that is dropped fails its result"]
pub struct Setter<T> {
    /// `None` once used.
    setting: Option<Setting<T>>,
}

impl<T> Setter<T> {
    fn take(&mut self) -> Setting<T> {
        self.setting.take().unwrap_or_else(|| unreachable!("a setter was used twice"))
    }

    /// Sets the result.
    ///
    /// # Errors
    ///
    /// Hands the value back when the result was cancelled, or its scope has ended.
    ///
    /// ```
    /// let (setter, result) = asynckit::AsyncResult::channel();
    /// let sender = std::thread::spawn(move || setter.set("from elsewhere"));
    /// assert_eq!(result.get()?, "from elsewhere");
    /// sender.join().unwrap().unwrap();
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn set(mut self, value: T) -> Result<(), SetError<T>> {
        self.take().set(value).map_err(SetError::late)
    }

    /// Fails the result.
    ///
    /// # Errors
    ///
    /// Hands the error back when the result was cancelled, or its scope has ended.
    ///
    /// ```
    /// let (setter, result) = asynckit::AsyncResult::<u8>::channel();
    /// setter.fail(std::io::Error::other("no such host")).unwrap();
    /// assert!(result.get().unwrap_err().downcast_ref::<std::io::Error>().is_some());
    /// ```
    pub fn fail<E: Into<BoxError>>(mut self, error: E) -> Result<(), SetError<E>> {
        fail_cell(self.take().task(), error)
    }
}

impl<T> Drop for Setter<T> {
    fn drop(&mut self) {
        if let Some(setting) = &self.setting {
            let task = setting.task();
            task.fail_waiting(Error::abandoned(task.hop), false);
        }
    }
}

impl<T> fmt::Debug for Setter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.setting {
            Some(setting) => write!(f, "Setter({})", setting.task().hop),
            None => f.write_str("Setter"),
        }
    }
}

/// Why a result could not be set, with what was to be set.
///
/// ```
/// let result = asynckit::AsyncResult::new();
/// result.set(String::from("first")).unwrap();
/// let late = result.set(String::from("second")).unwrap_err();
/// assert_eq!(late.to_string(), "the result is set already");
/// assert_eq!(late.into_inner(), "second");
/// ```
pub struct SetError<T> {
    value: T,
    reason: WhyNotSet,
}

#[derive(Clone, Copy)]
enum WhyNotSet {
    Late,
    NotOurs,
}

impl<T> SetError<T> {
    fn late(value: T) -> SetError<T> {
        SetError { value, reason: WhyNotSet::Late }
    }

    /// What was to be set.
    ///
    /// ```
    /// let result = asynckit::AsyncResult::ready("first".to_owned());
    /// let late = result.set("second".to_owned()).unwrap_err();
    /// assert_eq!(late.into_inner(), "second");
    /// ```
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reason {
            WhyNotSet::Late => "the result is set already",
            WhyNotSet::NotOurs => {
                "only a result from `AsyncResult::new` can be set by its handles; this one belongs \
                 to work or to a `Setter`"
            }
        })
    }
}

impl<T> fmt::Debug for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetError({self})")
    }
}

impl<T> std::error::Error for SetError<T> {}
