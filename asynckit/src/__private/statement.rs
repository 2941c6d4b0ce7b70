//! The statements of a chain, whose work belongs to it.
//!
//! A statement's value is nobody's, so it is only looked at: by method resolution again, which takes a trait's method
//! first that takes work, results, and lists and tuples of them by value, then one that takes anything by reference.

use core::cell::Cell;
use core::future::Future;
use core::ops::Deref;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use std::panic::resume_unwind;

use super::Thrown;
use super::gather::Gather;
use super::probed::Probed;
use crate::error::{Error, Hop};
use crate::many::each_tuple;
use crate::panic::{self, Payload};
use crate::pool::{self, Current, Handle, PlainPool, Spawn, Spawner};
use crate::result::AsyncResult;
use crate::statements::{Statements, conclude};
use crate::sync::{Arc, OnceLock};
use crate::work::Work;

/// The place of a chain, with the work that its statements start.
pub struct ChainPlace<'p, P: ?Sized> {
    place: &'p P,
    statements: OfStatements,
}

/// Few chains have any.
struct OfStatements(OnceLock<Arc<Statements>>);

impl Drop for OfStatements {
    #[inline]
    fn drop(&mut self) {
        if let Some(statements) = self.0.get() {
            abandon(statements);
        }
    }
}

/// Where the chain does not come to its end its work goes on, detached.
#[cold]
#[inline(never)]
fn abandon(statements: &Statements) {
    statements.abandon();
}

#[inline]
pub fn chain_place<P: ?Sized>(place: &P) -> ChainPlace<'_, P> {
    ChainPlace { place, statements: OfStatements(OnceLock::new()) }
}

impl<P: ?Sized> ChainPlace<'_, P> {
    /// A statement has given this result.
    fn add<T: Send>(&self, result: AsyncResult<T>)
    where
        P: Spawn,
    {
        let Handle(place) = self.place.place();
        self.statements.0.get_or_init(Statements::new).add(result, place);
    }

    /// The work of statements, if there is any to wait for or to fail with.
    fn claim(&self) -> Option<Arc<Statements>> {
        let statements = self.statements.0.get()?;
        statements.claim().then(|| statements.clone())
    }
}

impl<P: Spawn + ?Sized> Spawn for ChainPlace<'_, P> {
    fn place(&self) -> Handle {
        self.place.place()
    }

    #[inline]
    fn plain(&self) -> Option<PlainPool<'_>> {
        self.place.plain()
    }
}
impl<'w, P: Spawner<'w> + ?Sized> Spawner<'w> for ChainPlace<'_, P> {}

/// The result of a chain.
#[inline]
#[track_caller]
pub fn end_of_chain<'w, P, G>(place: &ChainPlace<'_, P>, end: G) -> AsyncResult<G::Value>
where
    P: Spawner<'w> + ?Sized,
    G: Gather<'w, Value: Send>,
{
    let end = end.gather(place);
    if place.statements.0.get().is_none() { end } else { conclude_chain(place, end) }
}

#[cold]
#[inline(never)]
#[track_caller]
fn conclude_chain<'w, P, T>(place: &ChainPlace<'_, P>, end: AsyncResult<T>) -> AsyncResult<T>
where
    P: Spawner<'w> + ?Sized,
    T: Send,
{
    let Some(statements) = place.claim() else { return end };
    let Handle(lease) = place.place();
    // It has the name of the call that it ends in, if it does not end in a value that is there.
    let hop = if end.is_set() { Hop::here(&"chain") } else { end.owner().hop };
    conclude(hop, lease, Ok(end), statements)
}

/// The async form of a chain with statements: the end of the block is not yet that of the chain.
pub async fn whole<T: Send + 'static>(
    place: &ChainPlace<'_, Current>,
    block: impl Future<Output = Result<AsyncResult<T>, Thrown>>,
) -> Result<AsyncResult<T>, Thrown> {
    let ended = Caught(pin!(block)).await;
    let (Some(statements), Some(task)) = (place.claim(), pool::task_here()) else {
        return ended.unwrap_or_else(|payload| resume_unwind(payload));
    };
    let Handle(lease) = place.place();
    let (hop, hook) = (task.hop, || lease.pool().hook());
    let end = match ended {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(Thrown(error))) => Err(Error::failed(hop, error, hook())),
        Err(payload) => Err(Error::panicked(hop, payload, hook())),
    };
    Ok(conclude(hop, lease, end, statements))
}

/// A future whose panic is a part of its output.
struct Caught<'a, F>(Pin<&'a mut F>);

impl<F: Future> Future for Caught<'_, F> {
    type Output = Result<F::Output, Payload>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match panic::catch(|| self.0.as_mut().poll(context)) {
            Ok(polled) => polled.map(Ok),
            Err(payload) => Poll::Ready(Err(payload)),
        }
    }
}

/// The value of a statement, held up to have its type looked at.
pub struct Loose<X>(Cell<Option<X>>);

impl<X> Probed<X> {
    #[inline]
    pub fn __loosen(self) -> Loose<X> {
        Loose(Cell::new(Some(self.0)))
    }
}

impl<X> Loose<X> {
    #[inline]
    fn take(&self) -> X {
        self.0.take().unwrap_or_else(|| unreachable!("a statement has one value"))
    }
}

/// Never called, as that of `Probed`.
impl<X> Deref for Loose<X> {
    type Target = X;

    fn deref(&self) -> &X {
        unreachable!("a statement's value is not looked at")
    }
}

/// Work, a result, or a list or tuple of them.
pub trait Started {}

/// The same, where it can be started.
#[doc(hidden)]
pub trait Start<'w>: Started {
    fn start<P: Spawner<'w> + ?Sized>(self, place: &ChainPlace<'_, P>);
}

impl<T> Started for Work<'_, T> {}
impl<T> Started for AsyncResult<T> {}
impl<X: Started> Started for Vec<X> {}

impl<'w, T: Send> Start<'w> for Work<'w, T> {
    fn start<P: Spawner<'w> + ?Sized>(self, place: &ChainPlace<'_, P>) {
        place.add(self.spawn_on(place));
    }
}

impl<'w, T: Send> Start<'w> for AsyncResult<T> {
    fn start<P: Spawner<'w> + ?Sized>(self, place: &ChainPlace<'_, P>) {
        place.add(self);
    }
}

impl<'w, X: Start<'w>> Start<'w> for Vec<X> {
    fn start<P: Spawner<'w> + ?Sized>(self, place: &ChainPlace<'_, P>) {
        self.into_iter().for_each(|one| one.start(place));
    }
}

macro_rules! tuple {
    ($($T:ident $place:tt)+) => {
        impl<$($T: Started),+> Started for ($($T,)+) {}

        impl<'w, $($T: Start<'w>),+> Start<'w> for ($($T,)+) {
            fn start<P: Spawner<'w> + ?Sized>(self, place: &ChainPlace<'_, P>) {
                $(self.$place.start(place);)+
            }
        }
    };
}
each_tuple!(tuple);

/// What becomes of work and results, and of lists and tuples of them. The bounds on what is in them stand on the
/// method, so that it is not passed over where they fail.
pub trait LooseStarted: Sized {
    type All: Started;

    fn __take(self) -> Self::All;

    #[inline]
    fn __statement<'w, P>(self, place: &ChainPlace<'_, P>)
    where
        P: Spawner<'w> + ?Sized,
        Self::All: Start<'w>,
    {
        self.__take().start(place);
    }
}

impl<X: Started> LooseStarted for Loose<X> {
    type All = X;

    #[inline]
    fn __take(self) -> X {
        self.take()
    }
}

/// What becomes of other values: nothing.
pub trait LooseUnchanged {
    type Value;

    fn __statement<P: ?Sized>(&self, place: &P) -> Self::Value;
}

impl<X> LooseUnchanged for Loose<X> {
    type Value = X;

    #[inline]
    fn __statement<P: ?Sized>(&self, _place: &P) -> X {
        self.take()
    }
}
