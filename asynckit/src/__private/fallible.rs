//! How errors get from functions into results, and what an annotated function makes.

use core::panic::Location;

use crate::error::Hop;
use crate::work::{new_async_work, new_work};
use crate::{BoxError, Work};

/// A return type whose error travels along the chain: a `Result`.
#[diagnostic::on_unimplemented(
    message = "`#[async_work]` took this return type for a `Result`, and it is not one",
    label = "`{Self}` is not a `Result<T, E>`",
    note = "write `#[async_work(plain)]` to hand the value on as it is"
)]
pub trait Fallible {
    /// What travels on success.
    type Value;

    #[doc(hidden)]
    fn into_outcome(self) -> Result<Self::Value, BoxError>;
}

impl<T, E: Failure> Fallible for Result<T, E> {
    type Value = T;

    #[inline]
    fn into_outcome(self) -> Result<T, BoxError> {
        self.map_err(Failure::into_box)
    }
}

/// An error that can travel from work to all that depends on it.
#[diagnostic::on_unimplemented(
    message = "the error type `{Self}` cannot travel along a chain",
    label = "not an error that can go to other threads",
    note = "an error that travels is `std::error::Error + Send + Sync + 'static`, or converts into \
            `Box<dyn Error + Send + Sync>` as `String` and `anyhow::Error` do",
    note = "or write `#[async_work(plain)]` to hand the whole `Result` on as the value"
)]
pub trait Failure {
    #[doc(hidden)]
    fn into_box(self) -> BoxError;
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> Failure for E {
    #[inline]
    fn into_box(self) -> BoxError {
        self.into()
    }
}

/// A line of the source.
type At = &'static Location<'static>;

/// Where a function is defined: the line of a call that has none of its own.
#[track_caller]
pub const fn defined() -> At {
    Location::caller()
}

/// Fails to compile, at the type, where it may not go to another thread.
#[inline]
pub const fn work_moves_to_another_thread<T: Send + ?Sized>() {}

/// Fails to compile, at the type, where it is no `Result`.
#[inline]
pub const fn returns_a_result<R: Fallible>() {}

/// The work of a function whose value travels as it is.
#[inline]
#[track_caller]
pub fn plain_work<'w, T, F>(origin: &'static &'static str, defined: At, body: F) -> Work<'w, T>
where
    T: Send + 'w,
    F: FnOnce() -> T + Send + 'w,
{
    new_work(Hop::of_call(origin, defined), move || Ok(body()))
}

/// The work of a function whose error travels apart from its value.
#[inline]
#[track_caller]
pub fn fallible_work<'w, R, F>(
    origin: &'static &'static str,
    defined: At,
    body: F,
) -> Work<'w, R::Value>
where
    R: Fallible,
    R::Value: Send + 'w,
    F: FnOnce() -> R + Send + 'w,
{
    new_work(Hop::of_call(origin, defined), move || body().into_outcome())
}

/// [`plain_work`] of an `async fn`.
#[inline]
#[track_caller]
pub fn async_work<'w, T, F>(origin: &'static &'static str, defined: At, body: F) -> Work<'w, T>
where
    T: Send + 'w,
    F: Future<Output = T> + Send + 'w,
{
    new_async_work(Hop::of_call(origin, defined), async move { Ok(body.await) })
}

/// [`fallible_work`] of an `async fn`.
#[inline]
#[track_caller]
pub fn fallible_async_work<'w, R, F>(
    origin: &'static &'static str,
    defined: At,
    body: F,
) -> Work<'w, R::Value>
where
    R: Fallible,
    R::Value: Send + 'w,
    F: Future<Output = R> + Send + 'w,
{
    new_async_work(Hop::of_call(origin, defined), async move { body.await.into_outcome() })
}
