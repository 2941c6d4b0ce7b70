//! `.await` on a result, under any executor.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::AsyncResult;
use crate::continuation::{Event, Observer, Watch, watch};
use crate::error::Error;
use crate::future::await_begins;
use crate::task::{Owner, Take, TaskRef, Typed, let_go_of};

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
    owner: Option<Typed<Owner, T>>,
    watch: Option<Watch>,
    /// Whether it has asked to be told when nobody borrows the value any more.
    wishes: bool,
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

/// Sees to it that the waker is called when the result is set; true where it is set already.
fn is_set(task: &TaskRef, held: &mut Option<Watch>, waker: &Waker) -> bool {
    if task.is_set() {
        return true;
    }
    if held.as_ref().is_some_and(|watch| watch.renew(waker)) {
        return false;
    }
    match watch(task, Observer::Waker(waker.clone())) {
        Ok(new) => *held = Some(new),
        Err(_) => return true,
    }
    // It may have been told between the two looks.
    task.is_set()
}

impl<T> Future for Awaited<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Some(owner) = this.owner.take() else { panic!("a future was polled after its end") };
        let task = owner.reference();
        if !is_set(&task, &mut this.watch, context.waker()) {
            if let Some(error) = await_begins(&task, context.waker()) {
                return Poll::Ready(Err(error.observed()));
            }
            this.owner = Some(owner);
            return Poll::Pending;
        }
        if let Err(error) = owner.outcome() {
            return Poll::Ready(Err(AsyncResult::<T>::failure(error)));
        }
        loop {
            match owner.holds.take() {
                Take::Itself => return Poll::Ready(owner.take()),
                Take::Clone => return Poll::Ready(owner.into_borrow().clone_value()),
                Take::Lent => {
                    this.watch = Some(Watch::enter(
                        &task,
                        Event::Free,
                        Observer::Waker(context.waker().clone()),
                    ));
                    task.waiters.tell_observers();
                    this.wishes = task.holds.wait_for_borrows();
                    if this.wishes {
                        this.owner = Some(owner);
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

/// What it holds goes as with a handle that is dropped; so the value may not have what it borrows end
/// before.
impl<T> Drop for Awaited<T> {
    fn drop(&mut self) {
        let Some(owner) = &self.owner else { return };
        if self.wishes {
            // If it is told just now, that is no news to anybody.
            let _ = owner.holds.stop_waiting();
        }
        let_go_of(owner);
    }
}

impl<'a, T: Sync> Future for AwaitedRef<'a, T> {
    type Output = Result<&'a T, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let task = this.result.owner().reference();
        if !is_set(&task, &mut this.watch, context.waker()) {
            let failure = await_begins(&task, context.waker());
            return failure.map_or(Poll::Pending, |error| Poll::Ready(Err(error.observed())));
        }
        Poll::Ready(this.result.owner().outcome().map_err(AsyncResult::<T>::failure))
    }
}

impl<T> IntoFuture for AsyncResult<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Awaited<T>;

    fn into_future(self) -> Awaited<T> {
        Awaited { owner: Some(self.into_owner()), watch: None, wishes: false }
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
