//! The async form of a chain.

use crate::pool::{AsyncSpawner, Current, owned};
use crate::work::{flatten, spawn_async};

use super::fallible::IntoFailure;
use crate::error::{BoxError, Hop};
use crate::result::AsyncResult;

/// An error that `?` has taken out of the async form of a chain: any that can travel.
pub struct Thrown(pub(super) BoxError);

impl<E: IntoFailure> From<E> for Thrown {
    #[inline]
    fn from(error: E) -> Self {
        Self(error.into_box())
    }
}

/// The pool of the async form, which outlives the caller.
#[inline]
pub fn owned_place<P: AsyncSpawner + ?Sized>(place: &P) -> Current {
    owned(place)
}

/// Starts the async form: a task that is polled, and whose value is the result that it ends in.
pub fn chain_future<T, F>(place: &Current, site: Hop, body: F) -> AsyncResult<T>
where
    T: Send + 'static,
    F: Future<Output = Result<AsyncResult<T>, Thrown>> + Send + 'static,
{
    spawn_async(site, place, async move { body.await.map(flatten).map_err(|Thrown(error)| error) })
}
