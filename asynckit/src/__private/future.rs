//! The async form of a chain.

use crate::pool::{AsyncSpawner, Current, owned};
use crate::work::{flatten, spawn_async};

use super::call::Site;
use super::fallible::IntoFailure;
use crate::error::BoxError;
use crate::result::AsyncResult;

/// An error that `?` has taken out of the async form of a chain: any that can travel.
pub struct Thrown(BoxError);

impl<E: IntoFailure> From<E> for Thrown {
    #[inline]
    fn from(error: E) -> Self {
        Self(error.into_box())
    }
}

pub(super) fn into_box(Thrown(error): Thrown) -> BoxError {
    error
}

/// The pool of the async form, which outlives the caller.
#[inline]
pub fn owned_place<P: AsyncSpawner + ?Sized>(place: &P) -> Current {
    owned(place)
}

/// Starts the async form: a task that is polled, and whose value is the result that it ends in.
pub fn chain_future<T, F>(place: &Current, site: Site, body: F) -> AsyncResult<T>
where
    T: Send + 'static,
    F: Future<Output = Result<AsyncResult<T>, Thrown>> + Send + 'static,
{
    let (name, at) = site.apart();
    spawn_async(
        place,
        name,
        at,
        async move { body.await.map(flatten).map_err(|Thrown(error)| error) },
    )
}
