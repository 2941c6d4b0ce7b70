//! Results and tokens that are cancelled by dropping them.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::core::TaskRef;
use crate::error::Error;
use crate::result::{AsyncResult, Awaited};

mod sealed {
    /// What can be cancelled by dropping it.
    pub trait Cancel {
        #[doc(hidden)]
        fn cancel_now(&self);
    }
}
pub(super) use sealed::Cancel;

impl<T> Cancel for AsyncResult<T> {
    fn cancel_now(&self) {
        self.cancel();
    }
}

/// A result or token that is cancelled when this is dropped; made by
/// [`AsyncResult::cancel_on_drop`] and [`CancelToken::cancel_on_drop`](crate::CancelToken::cancel_on_drop).
///
/// It can be used as what is in it. [`disarm`](CancelOnDrop::disarm) takes that out again.
///
/// ```
/// use asynckit::{Pool, async_work, is_cancelled};
///
/// #[async_work]
/// fn serve() { while !is_cancelled() { std::thread::yield_now(); } }
///
/// let pool = Pool::new(1);
/// {
///     let _serves = serve().spawn_on(&pool).cancel_on_drop();
///     // .. whatever needs it, and may return early ..
/// }
/// pool.stop(); // does not wait for ever
/// ```
#[must_use = "what is in it is cancelled when this is dropped"]
pub struct CancelOnDrop<C: Cancel> {
    /// `None` once disarmed.
    inner: Option<C>,
}

impl<C: Cancel> CancelOnDrop<C> {
    pub(super) fn of(inner: C) -> CancelOnDrop<C> {
        CancelOnDrop { inner: Some(inner) }
    }

    /// What is in it, which dropping will not cancel any more.
    ///
    /// ```
    /// let result = asynckit::AsyncResult::ready(7).cancel_on_drop();
    /// assert_eq!(result.disarm().get()?, 7); // it goes on, whatever becomes of this function
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn disarm(mut self) -> C {
        self.inner.take().unwrap_or_else(|| unreachable!("it was disarmed twice"))
    }
}

impl<C: Cancel> Deref for CancelOnDrop<C> {
    type Target = C;

    fn deref(&self) -> &C {
        self.inner.as_ref().unwrap_or_else(|| unreachable!("it was used after it was disarmed"))
    }
}

impl<C: Cancel> Drop for CancelOnDrop<C> {
    fn drop(&mut self) {
        if let Some(inner) = &self.inner {
            inner.cancel_now();
        }
    }
}

impl<C: Cancel + fmt::Debug> fmt::Debug for CancelOnDrop<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelOnDrop").field(&**self).finish()
    }
}

impl<T> AsyncResult<T> {
    /// The result, to be cancelled when this is dropped (where otherwise the work would go on by
    /// itself). Awaited, it is cancelled when the future is dropped before its end.
    ///
    /// ```
    /// use asynckit::{AsyncResult, ErrorKind};
    ///
    /// let result = AsyncResult::<u8>::new();
    /// drop(result.clone().cancel_on_drop());
    /// assert_eq!(result.get().unwrap_err().kind(), ErrorKind::Cancelled);
    /// ```
    pub fn cancel_on_drop(self) -> CancelOnDrop<AsyncResult<T>> {
        CancelOnDrop::of(self)
    }
}

/// The future of an [`AsyncResult`] that is cancelled with it.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let pool = asynckit::Pool::new(1);
/// let page = pool.spawn(|| "a page").cancel_on_drop();
/// assert_eq!(page.await?, "a page"); // had this future been dropped, so had the work
/// # Ok::<(), asynckit::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "a future does nothing until it is awaited"]
pub struct AwaitedOrCancelled<T> {
    awaited: Awaited<T>,
    /// Until its end.
    task: Option<TaskRef>,
}

impl<T> IntoFuture for CancelOnDrop<AsyncResult<T>> {
    type Output = Result<T, Error>;
    type IntoFuture = AwaitedOrCancelled<T>;

    fn into_future(self) -> AwaitedOrCancelled<T> {
        let result = self.disarm();
        let task = result.owner().reference();
        AwaitedOrCancelled { awaited: result.into_future(), task: Some(task) }
    }
}

impl<T> Future for AwaitedOrCancelled<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.awaited).poll(context);
        if outcome.is_ready() {
            this.task = None;
        }
        outcome
    }
}

impl<T> Drop for AwaitedOrCancelled<T> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.give_up(Error::cancelled(task.hop));
        }
    }
}

impl<T> fmt::Debug for AwaitedOrCancelled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitedOrCancelled").finish_non_exhaustive()
    }
}
