//! Results that the program sets.

use std::fmt;

use super::AsyncResult;
use crate::core::{self, Setting, TaskRef};
use crate::error::{BoxError, Error, Hop};

impl<T> AsyncResult<T> {
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
    #[track_caller]
    pub fn ready(value: T) -> AsyncResult<T> {
        let (owner, setting) = core::channel(Hop::here(&"AsyncResult"));
        let first = setting.set(value).is_ok();
        debug_assert!(first);
        AsyncResult::from_owner(owner)
    }

    /// A result that has failed.
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
        let (owner, setting) = core::channel(Hop::here(&"AsyncResult::channel"));
        (Setter { setting: Some(setting) }, AsyncResult::from_owner(owner))
    }

    /// Sets a result of [`new`](AsyncResult::new): the first call of `set` or `fail` wins.
    ///
    /// # Errors
    ///
    /// Hands the value back when the result is set already, and when it is not one to be set: that
    /// of work or of a channel.
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        let owner = self.owner();
        if !owner.may_set() {
            return Err(SetError { value, reason: Reason::NotOurs });
        }
        owner.set(value).map_err(SetError::late)
    }

    /// Fails a result of [`new`](AsyncResult::new); as [`set`](AsyncResult::set) otherwise.
    ///
    /// # Errors
    ///
    /// As `set`; hands the error back.
    pub fn fail<E: Into<BoxError>>(&self, error: E) -> Result<(), SetError<E>> {
        let owner = self.owner();
        if !owner.may_set() {
            return Err(SetError { value: error, reason: Reason::NotOurs });
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
    let error = crate::panic::catch(|| error.into());
    claimed.fail(match error {
        Ok(error) => Error::failed(task.hop, error, None),
        Err(payload) => Error::panicked(task.hop, payload, None),
    });
    Ok(())
}

impl<T> Default for AsyncResult<T> {
    /// As [`AsyncResult::new`].
    #[track_caller]
    fn default() -> AsyncResult<T> {
        AsyncResult::new()
    }
}

/// Sets the result of [`AsyncResult::channel`]. Dropped unset, it fails the result as
/// [`Abandoned`](crate::ErrorKind::Abandoned).
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
    /// Hands the value back when the result was cancelled.
    pub fn set(mut self, value: T) -> Result<(), SetError<T>> {
        self.take().set(value).map_err(SetError::late)
    }

    /// Fails the result.
    ///
    /// # Errors
    ///
    /// Hands the error back when the result was cancelled.
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
pub struct SetError<T> {
    value: T,
    reason: Reason,
}

#[derive(Clone, Copy)]
enum Reason {
    Late,
    NotOurs,
}

impl<T> SetError<T> {
    fn late(value: T) -> SetError<T> {
        SetError { value, reason: Reason::Late }
    }

    /// What was to be set.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reason {
            Reason::Late => "the result is set already",
            Reason::NotOurs => {
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
