//! A pending tuple as a tuple of pending parts: `let (a, b) = split(x);`.
//!
//! Each part is a task that takes its value out of the tuple, which lies apart when it is there. So the
//! parts depend on the tuple's work as anything else would.

use crate::core::{Either, Lent};
use crate::error::{Error, Hop};
use crate::many::each_tuple;
use crate::result::AsyncResult;
use crate::sync::{Mutex, lock};
use crate::work::{gather, try_gather};

/// A tuple of 1 to 12.
#[diagnostic::on_unimplemented(
    message = "a pending `{Self}` cannot be taken apart by a pattern",
    label = "only the result of a tuple of 1 to 12 can",
    note = "pass it to a function that takes the value, or `.await` it in the async form of the chain"
)]
pub trait TakeApart: Sized {
    type Parts;

    #[track_caller]
    fn take_apart(whole: AsyncResult<Self>) -> Self::Parts;
}

/// One value of a tuple, until its part takes it.
type Slot<T> = Mutex<Option<T>>;

/// What the tuple's work came to. Its failure is seen here, so that its path has one hop of this.
type Apart<Slots> = AsyncResult<Result<Slots, Error>>;

fn part<T: Send, Slots: Send + Sync>(
    hop: Hop,
    apart: &Apart<Slots>,
    slot: fn(&Slots) -> &Slot<T>,
) -> AsyncResult<T> {
    try_gather(hop, (Lent::of(apart.owner()), ()), move |(apart, ())| match &*apart {
        Ok(slots) => {
            let value = lock(slot(slots)).take();
            Ok(value.unwrap_or_else(|| unreachable!("a part of a tuple was taken twice")))
        }
        Err(error) => Err(error.passed_on(hop)),
    })
}

macro_rules! take_apart {
    ($($T:ident $place:tt)+) => {
        impl<$($T: Send),+> TakeApart for ($($T,)+) {
            type Parts = ($(AsyncResult<$T>,)+);

            fn take_apart(whole: AsyncResult<Self>) -> Self::Parts {
                let hop = Hop::here(&"let");
                let inputs = (Either::of(whole.into_owner()), ());
                let slots = |values: Self| ($(Slot::new(Some(values.$place)),)+);
                let apart = gather(hop, inputs, move |(outcome, ())| outcome.map(slots));
                ($(part(hop, &apart, |slots| &slots.$place),)+)
            }
        }
    };
}
each_tuple!(take_apart);
