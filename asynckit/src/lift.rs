//! Calls as tasks: a call whose arguments are results is lifted to a task that makes it when they
//! are there.

use std::marker::PhantomData;

use crate::core::{
    self, Body, Call, Closure, Either, Flat, Here, Inputs, Jobbed, Outcome, Owner, Traits, Unsubmitted,
    by_room,
};
use crate::error::{BoxError, Error, Hop};
use crate::future::Polled;
use crate::pool::{self, Current, Handle, Place, Spawn, Spawner};
use crate::{AsyncResult, Work};

/// What becomes of a call with inputs `L` and a closure `B`: of several functions the one with the
/// right room for the closure.
pub(crate) struct Lifting<'w, L, T, B>(PhantomData<(&'w (), L, T, B)>);

/// Where a call is to be made.
enum To<'a> {
    Pool(&'a crate::sync::Arc<pool::Shared>),
    Place(&'a Place, Traits),
    Nowhere,
}

impl<'w, L, T, B> Lifting<'w, L, T, B>
where
    L: Inputs + Send + 'w,
    T: Send + 'w,
    B: Body<L::Values, Outcome<T>> + Send + 'w,
{
    /// Makes a task of the call.
    const START: fn(Hop, To<'_>, L, B) -> Owner<T> = by_room!(B, start);
    /// Makes work of it.
    pub(crate) const WORK: fn(Hop, L, B) -> Work<'w, T> = by_room!(B, work);

    #[inline]
    fn start<Room>(hop: Hop, to: To<'_>, inputs: L, body: B) -> Owner<T> {
        let call = Call::<L, T, Room>::new(inputs, Closure::new(body));
        match to {
            To::Pool(pool) => pool::on_pool(pool, hop, call),
            To::Place(place, traits) => pool::on_place(place, false, hop, traits, call),
            To::Nowhere => core::submit_nowhere(hop, call),
        }
    }

    fn work<Room>(hop: Hop, inputs: L, body: B) -> Work<'w, T> {
        let call = Call::<L, T, Room>::new(inputs, Closure::new(body));
        Work::with_cell(hop, Unsubmitted::new(hop, Traits::PLAIN, call))
    }
}

/// Makes a call when its inputs are there.
#[inline]
pub(crate) fn lifted<'w, L, T>(
    name: &'static &'static str,
    at: crate::error::At,
    inputs: L,
    spawner: &(impl Spawner<'w> + ?Sized),
    call: impl Body<L::Values, Outcome<T>> + Send + 'w,
) -> AsyncResult<T>
where
    L: Inputs + Send + 'w,
    T: Send + 'w,
{
    let hop = Hop { name, at };
    AsyncResult::from_owner(match spawner.pool() {
        Some(pool) => Lifting::START(hop, To::Pool(pool), inputs, call),
        None => {
            let Handle(place) = spawner.place();
            Lifting::START(hop, To::Place(&place, Traits::PLAIN), inputs, call)
        }
    })
}

/// Collects inputs when they are there, on whichever thread brings the last.
pub(crate) fn gather<L, U>(
    hop: Hop,
    inputs: L,
    shape: impl FnOnce(L::Values) -> U + Send,
) -> AsyncResult<U>
where
    L: Inputs + Send,
    U: Send,
{
    // What is gathered from a scope's work belongs to the scope, which must not end before. (Results
    // of one type: what it borrows outlives all their scopes.)
    let mut place = None;
    inputs.edges(&mut |edge| {
        let part = edge.upstream().hooked_home::<pool::Inside>();
        let of_scope = part.filter(|part| part.is_scope());
        place = place.take().or(of_scope.map(|part| Place::Part(part.arc())));
    });
    gather_at(hop, place, inputs, shape)
}

/// As `gather`, on a place that must not end before.
pub(crate) fn gather_at<L, U>(
    hop: Hop,
    place: Option<Place>,
    inputs: L,
    shape: impl FnOnce(L::Values) -> U + Send,
) -> AsyncResult<U>
where
    L: Inputs + Send,
    U: Send,
{
    let shape = move |_: &Here<'_>, values| Outcome::Done(Ok(shape(values)));
    AsyncResult::from_owner(match &place {
        Some(place) => Lifting::START(hop, To::Place(place, Traits::IMMEDIATE), inputs, shape),
        None => Lifting::START(hop, To::Nowhere, inputs, shape),
    })
}

/// Hands the outcome of `whole` over as soon as it is there.
pub(crate) fn hand_over<T: Send>(
    hop: Hop,
    whole: AsyncResult<T>,
    to: impl FnOnce(Result<T, Error>) + Send,
) {
    let inputs = (Either::of(whole.into_owner()), ());
    drop(gather(hop, inputs, |(outcome, ())| to(outcome)));
}

/// Makes a task of a future.
pub(crate) fn spawn_async<T: Send + 'static>(
    place: &Current,
    name: &'static &'static str,
    at: crate::error::At,
    future: impl Future<Output = Result<Outcome<T>, BoxError>> + Send + 'static,
) -> AsyncResult<T> {
    let Handle(place) = place.place();
    let task = Jobbed(Polled::new(future));
    AsyncResult::from_owner(pool::on_place(&place, false, Hop { name, at }, Traits::PLAIN, task))
}

/// A result that stands for what a call comes to.
pub(crate) fn flatten<T>(result: AsyncResult<T>) -> Outcome<T> {
    Outcome::Flatten(Flat(result.into_owner()))
}
