//! `.await` on a result, under any executor.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::AsyncResult;
use crate::core::{Owner, Watch, Watcher};
use crate::error::Error;
use crate::terms::{await_begins, watch_until_set};

/// The future of an [`AsyncResult`]: its value or its failure.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let pool = asynckit::Pool::new(1);
/// let page = pool.spawn(|| "a page".to_owned());
/// assert_eq!(page.await?, "a page"); // holds no thread of the executor meanwhile
/// # Ok::<(), asynckit::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "a future does nothing until it is awaited"]
pub struct Awaited<T> {
    owner: Option<Owner<T>>,
    watch: Option<Watch>,
}

/// The future of an `&AsyncResult`: lends the value.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let pool = asynckit::Pool::new(1);
/// let page = pool.spawn(|| "a page".to_owned());
/// assert_eq!((&page).await?.len(), 6);
/// assert_eq!(page.await?, "a page");
/// # Ok::<(), asynckit::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "a future does nothing until it is awaited"]
pub struct AwaitedRef<'a, T> {
    result: &'a AsyncResult<T>,
    watch: Option<Watch>,
}

impl<T> Future for Awaited<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Some(owner) = this.owner.take() else { panic!("a future was polled after its end") };
        let task = owner.reference();
        if !watch_until_set(&task, &mut this.watch, context.waker()) {
            if let Some(error) = await_begins(&task, context.waker()) {
                return Poll::Ready(Err(error.observed()));
            }
            this.owner = Some(owner);
            return Poll::Pending;
        }
        while owner.is_lent() {
            if this.watch.as_ref().is_some_and(|watch| watch.renew(context.waker())) {
                this.owner = Some(owner);
                return Poll::Pending;
            }
            let watch = owner.lender().watch(Watcher::Waker(context.waker().clone()));
            // It may be free by now, and nobody be told.
            if owner.is_lent() {
                this.watch = Some(watch);
                this.owner = Some(owner);
                return Poll::Pending;
            }
        }
        Poll::Ready(owner.take().map_err(Error::observed))
    }
}

impl<T> Drop for Awaited<T> {
    /// As what it holds: it looks on no more, and the handle goes as any other.
    fn drop(&mut self) {
        if let (Some(owner), Some(_)) = (&self.owner, &self.watch) {
            owner.lender().ignore();
        }
    }
}

impl<'a, T: Sync> Future for AwaitedRef<'a, T> {
    type Output = Result<&'a T, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let task = this.result.owner().reference();
        if !watch_until_set(&task, &mut this.watch, context.waker()) {
            let failure = await_begins(&task, context.waker());
            return failure.map_or(Poll::Pending, |error| Poll::Ready(Err(error.observed())));
        }
        Poll::Ready(this.result.owner().outcome().map_err(Error::observed))
    }
}

impl<T> IntoFuture for AsyncResult<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Awaited<T>;

    fn into_future(self) -> Awaited<T> {
        Awaited { owner: Some(self.into_owner()), watch: None }
    }
}

impl<'a, T: Sync> IntoFuture for &'a AsyncResult<T> {
    type Output = Result<&'a T, Error>;
    type IntoFuture = AwaitedRef<'a, T>;

    fn into_future(self) -> AwaitedRef<'a, T> {
        AwaitedRef { result: self, watch: None }
    }
}

impl<T> fmt::Debug for Awaited<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Awaited").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for AwaitedRef<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AwaitedRef").field(self.result).finish()
    }
}
