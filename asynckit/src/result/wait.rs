//! Getting at the value from ordinary code: `get` and its kin, which block or hand back.

use std::panic::Location;
use std::time::Duration;

use super::AsyncResult;
use crate::core::Owner;
use crate::error::{self, At, Error};
use crate::pool::{Set, Unlent, run_at_once, wait};
use crate::sync::Deadline;

/// Takes the value of a set result, or a clone where others own it too; what this handle has lent is waited
/// for, or the owner handed back at the deadline.
#[cold]
#[inline(never)]
fn take<T>(owner: Owner<T>, until: Option<Deadline>, at: At) -> Result<Result<T, Error>, Owner<T>> {
    while owner.is_lent() {
        match wait(&Unlent(owner.lender()), until, at) {
            Ok(true) => {}
            Ok(false) => return Err(owner),
            Err(error) => return Ok(Err(error.observed())),
        }
    }
    Ok(owner.take().map_err(Error::observed))
}

/// As `take`, without a deadline.
#[inline]
fn get_set<T>(owner: Owner<T>, at: At) -> Result<T, Error> {
    owner.take_alone().or_else(|owner| {
        let taken = take(owner, None, at);
        taken.unwrap_or_else(|_| unreachable!("an untimed wait ended without end"))
    })
}

/// Waits until the result is set.
#[inline]
fn wait_until_set<T>(owner: &Owner<T>, at: At) -> Result<(), Error> {
    if owner.is_set() || run_at_once(owner, &|| owner.claim()) {
        return Ok(());
    }
    wait_for(owner, at)
}

/// Likewise, where others are to bring that about.
#[cold]
#[inline(never)]
fn wait_for<T>(owner: &Owner<T>, at: At) -> Result<(), Error> {
    wait(&Set(&[owner.reference()]), None, at).map(drop)
}

impl<T> AsyncResult<T> {
    /// Blocks until the result is set, with a value or a failure.
    ///
    /// Inside of a pool's work the wait may run the work it needs on this thread; see
    /// [`Pool`](crate::Pool).
    ///
    /// # Panics
    ///
    /// Inside of work, where the wait could never end: the work that waits then fails as
    /// [`Deadlock`](crate::ErrorKind::Deadlock) or [`Stopped`](crate::ErrorKind::Stopped).
    /// [`get`](AsyncResult::get) and [`get_ref`](AsyncResult::get_ref) return that error instead.
    ///
    /// ```
    /// use asynckit::{AsyncResult, Pool};
    ///
    /// let pool = Pool::new(2);
    /// let results: Vec<AsyncResult<u32>> = (0..9).map(|n| pool.spawn(move || n / (n % 4))).collect();
    /// results.iter().for_each(AsyncResult::wait); // also for those that fail
    /// assert_eq!(results.iter().filter(|result| result.is_error()).count(), 3);
    /// ```
    #[track_caller]
    pub fn wait(&self) {
        if let Err(error) = wait_until_set(self.owner(), Location::caller()) {
            error::raise(error);
        }
    }

    /// As [`wait`](AsyncResult::wait), for this long at most; whether the result is set. It runs no
    /// work.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (setter, result) = asynckit::AsyncResult::channel();
    /// assert!(!result.wait_timeout(Duration::from_millis(1)));
    /// setter.set(7).unwrap();
    /// assert!(result.wait_timeout(Duration::from_secs(9)));
    /// ```
    #[track_caller]
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        let task = self.owner().reference();
        wait(&Set(&[task]), Some(Deadline::after(limit)), Location::caller()).unwrap_or(false)
    }

    /// Blocks until the result is set, and gives the value or the failure.
    ///
    /// The last handle gets the value itself, after those it is lent to are done with it; each
    /// other one gets a clone.
    ///
    /// # Errors
    ///
    /// The failure of the work, or of what it depended on. Inside of work also
    /// [`Deadlock`](crate::ErrorKind::Deadlock) where the wait could never end.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(1);
    /// assert_eq!(pool.spawn(|| 6 * 7).get()?, 42);
    /// let failed = asynckit::try_work(|| "x".parse::<u8>()).spawn_on(&pool);
    /// assert!(failed.get().is_err());
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn get(self) -> Result<T, Error> {
        let at = Location::caller();
        let owner = self.into_owner();
        wait_until_set(&owner, at).map_err(Error::observed)?;
        get_set(owner, at)
    }

    /// Blocks until the result is set, and lends the value.
    ///
    /// # Errors
    ///
    /// As [`get`](AsyncResult::get).
    ///
    /// ```
    /// let pool = asynckit::Pool::new(1);
    /// let words = pool.spawn(|| vec!["one", "two"]);
    /// assert_eq!(words.get_ref()?.len(), 2); // it is looked at
    /// assert_eq!(words.get()?, ["one", "two"]); // and still there
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn get_ref(&self) -> Result<&T, Error>
    where
        T: Sync,
    {
        let at = Location::caller();
        wait_until_set(self.owner(), at).map_err(Error::observed)?;
        self.owner().outcome().map_err(Error::observed)
    }

    /// The value or the failure if it is there, without blocking.
    ///
    /// # Errors
    ///
    /// Hands the result back when it is not set yet, or when the value is still lent.
    ///
    /// ```
    /// let (setter, mut result) = asynckit::AsyncResult::channel();
    /// let mut setter = Some(setter);
    /// let value = loop {
    ///     match result.try_get() {
    ///         Ok(outcome) => break outcome?,
    ///         Err(pending) => result = pending, // and the program does something else
    ///     }
    ///     if let Some(setter) = setter.take() {
    ///         setter.set(7).unwrap();
    ///     }
    /// };
    /// assert_eq!(value, 7);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn try_get(self) -> Result<Result<T, Error>, AsyncResult<T>> {
        if !self.is_set() {
            return Err(self);
        }
        take(self.into_owner(), Some(Deadline::past()), Location::caller())
            .map_err(AsyncResult::from_owner)
    }

    /// As [`get`](AsyncResult::get), for this long at most. It runs no work.
    ///
    /// # Errors
    ///
    /// Hands the result back when it is not set in time, or when the value is still lent.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::AsyncResult;
    ///
    /// let (setter, result) = AsyncResult::channel();
    /// let Err(result) = result.get_timeout(Duration::from_millis(1)) else { panic!() };
    /// setter.set(7).unwrap();
    /// assert_eq!(result.get_timeout(Duration::from_secs(9)).unwrap().unwrap(), 7);
    /// ```
    #[track_caller]
    pub fn get_timeout(self, limit: Duration) -> Result<Result<T, Error>, AsyncResult<T>> {
        let (until, at) = (Some(Deadline::after(limit)), Location::caller());
        if !wait(&Set(&[self.owner().reference()]), until, at).unwrap_or(false) {
            return Err(self);
        }
        take(self.into_owner(), until, at).map_err(AsyncResult::from_owner)
    }
}
