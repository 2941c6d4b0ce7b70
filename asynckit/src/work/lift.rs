//! Calls as tasks: a call whose arguments are results is lifted to a task that makes it when they
//! are there.

use crate::core::{
    Body, CallWithInputs, Closure, Flat, Header, Here, Inputs, Job, Jobbed, Outcome, Owner, Traits,
    Unsubmitted, by_room,
};
use crate::error::{BoxError, Error, Hop};
use crate::observe::{Listeners, Need};
use crate::pool::{self, Current, Handle, Place, PlainPool, Spawn, Spawner};
use crate::result::{AsyncResult, scope_of};
use crate::work::future::Polled;
use std::marker::PhantomData;

/// What becomes of a call with inputs `L` and a closure `B`: of several functions the one with the
/// right room for the closure.
pub(crate) struct Lifting<'w, L, T, B>(PhantomData<(&'w (), L, T, B)>);

/// Where a call is to be made.
enum To<'a> {
    Place(&'a Place, Traits),
    /// No pool's; these are to see it.
    Nowhere(Option<Listeners>, Traits),
}

impl<'w, L, T, B> Lifting<'w, L, T, B>
where
    L: Inputs + Send + 'w,
    T: Send + 'w,
    B: Body<L::Values, Outcome<T>> + Send + 'w,
{
    /// Makes a task of the call.
    const START: fn(Hop, To<'_>, L, B) -> Owner<T> = by_room!(B, start);
    /// Makes a task of it, the plain way.
    const START_PLAINLY: fn(Hop, &pool::Shared, L, B) -> Owner<T> = by_room!(B, start_plainly);
    /// Likewise, where somebody looks on.
    const START_WATCHED: fn(Hop, &pool::Shared, L, B) -> Owner<T> = by_room!(B, start_watched);
    /// Makes the cell of work of it.
    const WORK: fn(Hop, L, B) -> Unsubmitted<T> = by_room!(B, work);

    #[inline(always)]
    fn call<Room>(inputs: L, body: B) -> CallWithInputs<'w, L, T, Room> {
        CallWithInputs::new(inputs, Closure::new(body))
    }

    #[inline(always)]
    fn start_plainly<Room>(hop: Hop, pool: &pool::Shared, inputs: L, body: B) -> Owner<T> {
        pool::on_plain_pool(pool, hop, Self::call::<Room>(inputs, body))
    }

    #[inline(always)]
    fn start_watched<Room>(hop: Hop, pool: &pool::Shared, inputs: L, body: B) -> Owner<T> {
        pool::on_watched_pool(pool, hop, Self::call::<Room>(inputs, body))
    }

    #[cold]
    #[inline(never)]
    fn start<Room>(hop: Hop, to: To<'_>, inputs: L, body: B) -> Owner<T> {
        let call = Self::call::<Room>(inputs, body);
        match to {
            To::Place(place, traits) => pool::on_place(place, false, hop, traits, call),
            To::Nowhere(by, traits) => pool::on_no_pool((by, Need::Outside), traits, hop, call),
        }
    }

    fn work<Room>(hop: Hop, inputs: L, body: B) -> Unsubmitted<T> {
        Unsubmitted::new(hop, Traits::PLAIN, Self::call::<Room>(inputs, body))
    }
}

/// The cell of work that makes a call when its inputs are there.
pub(super) fn pending_cell<'w, L, T>(
    hop: Hop,
    inputs: L,
    call: impl FnOnce(&Here<'_>, L::Values) -> Outcome<T> + Send + 'w,
) -> Unsubmitted<T>
where
    L: Inputs + Send + 'w,
    T: Send + 'w,
{
    Lifting::WORK(hop, inputs, call)
}

/// Makes a call when its inputs are there.
#[inline]
pub(crate) fn lifted<'w, L, T>(
    hop: Hop,
    inputs: L,
    spawner: &(impl Spawner<'w> + ?Sized),
    call: impl Body<L::Values, Outcome<T>> + Send + 'w,
) -> AsyncResult<T>
where
    L: Inputs + Send + 'w,
    T: Send + 'w,
{
    AsyncResult::from_owner(match spawner.plain() {
        Some(PlainPool(pool)) if pool::takes_plainly(pool) => {
            Lifting::START_PLAINLY(hop, pool, inputs, call)
        }
        _ => lifted_beside(hop, inputs, spawner, call),
    })
}

/// As `lifted`, beside the plain way.
#[cold]
#[inline(never)]
fn lifted_beside<'w, L, T>(
    hop: Hop,
    inputs: L,
    spawner: &(impl Spawner<'w> + ?Sized),
    call: impl Body<L::Values, Outcome<T>> + Send + 'w,
) -> Owner<T>
where
    L: Inputs + Send + 'w,
    T: Send + 'w,
{
    if let Some(PlainPool(pool)) = spawner.plain()
        && pool::takes_watched(pool)
    {
        return Lifting::START_WATCHED(hop, pool, inputs, call);
    }
    let Handle(place) = spawner.place();
    Lifting::START(hop, To::Place(&place, Traits::PLAIN), inputs, call)
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
    try_gather(hop, inputs, |values| Ok(shape(values)))
}

/// As `gather`, where what comes of the inputs may be a failure.
pub(crate) fn try_gather<L, U>(
    hop: Hop,
    inputs: L,
    shape: impl FnOnce(L::Values) -> Result<U, Error> + Send,
) -> AsyncResult<U>
where
    L: Inputs + Send,
    U: Send,
{
    // What is gathered from a scope's work belongs to the scope, which ends when that is there.
    let (mut place, mut borrows) = (None, false);
    inputs.edges(&mut |edge| {
        place = place.take().or_else(|| scope_of(edge.upstream()));
        borrows |= edge.upstream().borrows();
    });
    // Set by hand, or left over from a scope that has ended: what comes of it may borrow as well.
    let traits = if borrows { Traits::BORROWS } else { Traits::PLAIN };
    gather_to(hop, place, traits, inputs, shape)
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
    gather_to(hop, place, Traits::PLAIN, inputs, |values| Ok(shape(values)))
}

fn gather_to<L, U>(
    hop: Hop,
    place: Option<Place>,
    traits: Traits,
    inputs: L,
    shape: impl FnOnce(L::Values) -> Result<U, Error> + Send,
) -> AsyncResult<U>
where
    L: Inputs + Send,
    U: Send,
{
    let mut seen_by = None;
    if place.is_none() {
        inputs.edges(&mut |edge| {
            seen_by = seen_by.take().or_else(|| pool::looked_on(edge.upstream()));
        });
    }
    let shape = move |_: &Here<'_>, values| Outcome::Done(shape(values));
    let to = match &place {
        Some(place) => To::Place(place, traits.and(Traits::IMMEDIATE)),
        None => To::Nowhere(seen_by, traits),
    };
    AsyncResult::from_owner(Lifting::START(hop, to, inputs, shape))
}

/// Makes a call when its inputs are there, on a place.
pub(super) fn start_task<'w, L, T>(
    hop: Hop,
    place: &Place,
    inputs: L,
    call: impl FnOnce(&Here<'_>, L::Values) -> Outcome<T> + Send + 'w,
) -> AsyncResult<T>
where
    L: Inputs + Send + 'w,
    T: Send + 'w,
{
    AsyncResult::from_owner(Lifting::START(hop, To::Place(place, Traits::PLAIN), inputs, call))
}

/// Makes a task of a job.
pub(crate) fn start_job<T, J: Job<T>>(hop: Hop, place: &Place, job: J) -> AsyncResult<T> {
    AsyncResult::from_owner(pool::made(place, false, Unsubmitted::of_job(hop, job)))
}

/// Makes a task of a job around a result, which is done on the spot.
pub(crate) fn start_around<T, J: Job<T>>(of: &Header, job: J) -> AsyncResult<T> {
    let seen = (pool::looked_on(of), pool::need_of(of));
    AsyncResult::from_owner(pool::on_no_pool(seen, Traits::IMMEDIATE, of.hop, Jobbed(job)))
}

/// Makes a task of a future.
pub(crate) fn spawn_async<T: Send + 'static>(
    hop: Hop,
    place: &Current,
    future: impl Future<Output = Result<Outcome<T>, BoxError>> + Send + 'static,
) -> AsyncResult<T> {
    let Handle(place) = place.place();
    start_job(hop, &place, Polled::<_, false>::new(future))
}

/// A result that stands for what a call comes to.
pub(crate) fn flatten<T>(result: AsyncResult<T>) -> Outcome<T> {
    Outcome::Flatten(Flat(result.into_owner()))
}
