//! The handle on a result: owns it like the value itself.

mod await_;
mod completed;
mod scoped;
mod set;
mod wait;

pub use await_::{Awaited, AwaitedRef};
pub(crate) use completed::Completed;
pub use completed::{AsCompleted, KeyedAsCompleted};
pub use set::{SetError, Setter};

use std::fmt;

use crate::core::{Header, Owner};
use crate::error::Error;
use crate::pool::{Inside, Place};

/// The value of work under way, or its failure: a handle that owns the value as a `T` would.
///
/// - Moving the handle moves the value, `&handle` lends it, dropping it lets go of it.
/// - `handle.clone()` exists where `T: Clone + Sync`. Each clone stands for one of the value, made
///   when it is needed: the last handle takes the value itself, each other one clones it.
/// - Dropping the only handle of work that nothing depends on detaches the work: it runs.
///
/// A handle is `Send` and `Sync` where `T: Send`.
///
/// Whatever happened before the result was set happens before what sees it set.
///
/// ```
/// use asynckit::{AsyncResult, Pool};
///
/// let pool = Pool::new(1);
/// let greeting: AsyncResult<String> = pool.spawn(|| "hello".to_owned());
/// assert_eq!(greeting.get_ref()?, "hello");
/// let copy = greeting.clone();
/// assert_eq!(copy.get()?, "hello");     // the one clone that was written
/// assert_eq!(greeting.get()?, "hello"); // the string itself
/// # Ok::<(), asynckit::Error>(())
/// ```
#[must_use = "the value, and a failure of the work, would go unnoticed: `.get()` it, pass it on, or \
              let it run with `drop(..)`"]
pub struct AsyncResult<T> {
    owner: Owner<T>,
}

impl<T> AsyncResult<T> {
    #[inline]
    pub(crate) fn from_owner(owner: Owner<T>) -> AsyncResult<T> {
        AsyncResult { owner }
    }

    #[inline]
    pub(crate) fn owner(&self) -> &Owner<T> {
        &self.owner
    }

    /// The right to the value, without the right to set it.
    #[inline]
    pub(crate) fn into_owner(mut self) -> Owner<T> {
        self.owner.give_up_setting();
        self.owner
    }

    /// Whether the value or the failure is there. Never blocks; once true it stays so.
    ///
    /// ```
    /// let (setter, result) = asynckit::AsyncResult::channel();
    /// assert!(!result.is_set());
    /// setter.set(1).unwrap();
    /// assert!(result.is_set());
    /// ```
    pub fn is_set(&self) -> bool {
        self.owner().is_set()
    }

    /// Whether a failure is there. Never blocks.
    ///
    /// ```
    /// let (setter, result) = asynckit::AsyncResult::<u8>::channel();
    /// assert!(!result.is_error());
    /// setter.fail("no").unwrap();
    /// assert!(result.is_error());
    /// ```
    pub fn is_error(&self) -> bool {
        self.owner.has_failed()
    }

    /// Fails the result as [`Cancelled`](crate::ErrorKind::Cancelled) for all who hold it and all
    /// that depends on it; true when this call did.
    ///
    /// Work that has not begun does not run; work that runs may ask
    /// [`is_cancelled`](crate::is_cancelled), and its value is dropped. What the work depended on
    /// is cancelled too where nothing else needs it or holds it, and nobody detached it.
    ///
    /// ```
    /// use asynckit::{ErrorKind, Pool, async_work, is_cancelled};
    ///
    /// #[async_work]
    /// fn search() {
    ///     while !is_cancelled() {
    ///         std::thread::yield_now();
    ///     }
    /// }
    ///
    /// let pool = Pool::new(1);
    /// let found = search().spawn_on(&pool);
    /// assert!(found.cancel());
    /// assert_eq!(found.get().unwrap_err().kind(), ErrorKind::Cancelled);
    /// pool.stop(); // `search` has come to its end
    /// ```
    pub fn cancel(&self) -> bool {
        self.owner().reference().give_up(Error::cancelled(self.owner().hop))
    }

    /// The scope that its work belongs to, which must not end before what is made of the result.
    pub(crate) fn scope(&self) -> Option<Place> {
        scope_of(self.owner())
    }
}

/// The scope that a task belongs to, unless it has ended.
pub(crate) fn scope_of(task: &Header) -> Option<Place> {
    let part = task.hooked_home::<Inside>()?;
    (part.is_scope() && !part.is_empty()).then(|| Place::Part(part.arc()))
}

impl<T: Clone + Sync> Clone for AsyncResult<T> {
    /// One more handle; the value is cloned when one of the two takes it and the other is there.
    fn clone(&self) -> AsyncResult<T> {
        AsyncResult::from_owner(self.owner.share())
    }
}

impl<T> fmt::Debug for AsyncResult<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = self.owner();
        let state = match (self.is_set(), self.is_error()) {
            (false, _) => "pending",
            (true, false) => "set",
            (true, true) => "failed",
        };
        write!(f, "AsyncResult({}, {state})", owner.hop)
    }
}
