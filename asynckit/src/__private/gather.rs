//! What a chain may end in.

use crate::core::{Inputs, Many};
use crate::error::Hop;
use crate::many::{JoinTuple, each_tuple};
use crate::pool::{Handle, Spawner};
use crate::result::AsyncResult;
use crate::work::{Work, gather_at};

/// What a chain may end in: work, a result, or a tuple or `Vec` of them.
#[diagnostic::on_unimplemented(
    message = "a chain ends in work, an `AsyncResult`, or a tuple or `Vec` of them; `{Self}` is none of these",
    label = "this is a plain `{Self}`",
    note = "annotate the function that makes it with `#[async_work]`, or end the chain with \
            `AsyncResult::ready(value)`",
    note = "what fails ends the async form of a chain with `Err(error)?`"
)]
pub trait Gather<'w> {
    /// The value of the chain's result.
    type Value;

    #[doc(hidden)]
    #[track_caller]
    fn gather<S: Spawner<'w> + ?Sized>(self, place: &S) -> AsyncResult<Self::Value>;
}

/// What the block of the async form ends in.
#[inline]
#[track_caller]
pub fn end_of_block<'w, S, G>(place: &S, end: G) -> AsyncResult<G::Value>
where
    S: Spawner<'w> + ?Sized,
    G: Gather<'w>,
{
    end.gather(place)
}

impl<'w, T: Send> Gather<'w> for Work<'w, T> {
    type Value = T;

    #[inline]
    fn gather<S: Spawner<'w> + ?Sized>(self, place: &S) -> AsyncResult<T> {
        self.spawn_on(place)
    }
}

impl<'w, T: 'w> Gather<'w> for AsyncResult<T> {
    type Value = T;

    #[inline]
    fn gather<S: ?Sized>(self, _place: &S) -> AsyncResult<T> {
        self
    }
}

impl Gather<'_> for () {
    type Value = ();

    fn gather<S: ?Sized>(self, _place: &S) -> AsyncResult<()> {
        AsyncResult::ready(())
    }
}

impl<'w, G: Gather<'w>> Gather<'w> for Vec<G>
where
    G::Value: Send + 'w,
{
    type Value = Vec<G::Value>;

    fn gather<S: Spawner<'w> + ?Sized>(self, place: &S) -> AsyncResult<Vec<G::Value>> {
        let all: Vec<_> = self.into_iter().map(|one| one.gather(place)).collect();
        let inputs = (Many::of(all.into_iter().map(AsyncResult::into_owner)), ());
        gather_here(place, inputs, |(values, ())| values)
    }
}

/// Collects what a chain on this place ends in.
#[track_caller]
fn gather_here<'w, S, L, U>(
    place: &S,
    inputs: L,
    shape: impl FnOnce(L::Values) -> U + Send,
) -> AsyncResult<U>
where
    S: Spawner<'w> + ?Sized,
    L: Inputs + Send,
    U: Send,
{
    let Handle(place) = place.place();
    gather_at(Hop::here(&"chain"), Some(place), inputs, shape)
}

macro_rules! gather_tuple {
    ($($G:ident $place:tt)+) => {
        impl<'w, $($G: Gather<'w>),+> Gather<'w> for ($($G,)+)
        where
            $($G::Value: Send + 'w),+
        {
            type Value = ($($G::Value,)+);

            fn gather<S: Spawner<'w> + ?Sized>(self, place: &S) -> AsyncResult<Self::Value> {
                let results = ($(self.$place.gather(place),)+);
                gather_here(place, results.into_inputs(), <($(AsyncResult<$G::Value>,)+)>::values)
            }
        }
    };
}
each_tuple!(gather_tuple);

/// What may be the condition of an `if` or `while` in a chain: a `bool`.
#[diagnostic::on_unimplemented(
    message = "the condition is a `{Self}`, not a `bool`: a chain runs on before its values are there",
    label = "not a `bool` yet",
    note = "values steer the work in `chain!(&pool, async move {{ if ok(&page).await? {{ .. }} .. }})`"
)]
pub trait Condition {
    #[doc(hidden)]
    fn holds(self) -> bool;
}

impl Condition for bool {
    #[inline]
    fn holds(self) -> bool {
        self
    }
}

#[inline]
pub fn plain_condition<C: Condition>(condition: C) -> bool {
    condition.holds()
}
