//! How errors get from functions into results, and what an annotated function makes.
//!
//! An error that is one travels in a box, and what is none but converts into one is converted. What
//! lends one, as `anyhow::Error` does, travels whole. Which of these a type is, no bound can say: they
//! overlap. So the expansion asks by a method call ([`Errors::way`]), whose resolution takes the first
//! that fits.

use core::marker::PhantomData;
use core::ops::Deref;
use std::any::TypeId;
use std::fmt;

use super::at::{CalledAt, hop};
use crate::error::{BoxError, Lent, Whole};
use crate::work::{Work, new_async_work, new_work};

/// A return type whose error travels along the chain: a `Result`.
#[diagnostic::on_unimplemented(
    message = "`#[async_work]` took this return type for a `Result`, and it is not one",
    label = "`{Self}` is not a `Result<T, E>`",
    note = "write `#[async_work(plain)]` to hand the value on as it is"
)]
pub trait Fallible {
    /// What travels on success.
    type Value;
    /// What travels on failure.
    type Error: IntoFailure;

    #[doc(hidden)]
    fn into_result(self) -> Result<Self::Value, Self::Error>;
}

impl<T, E: IntoFailure> Fallible for Result<T, E> {
    type Value = T;
    type Error = E;

    #[inline]
    fn into_result(self) -> Result<T, E> {
        self
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
pub trait IntoFailure {
    #[doc(hidden)]
    fn into_box(self) -> BoxError;
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> IntoFailure for E {
    #[inline]
    fn into_box(self) -> BoxError {
        self.into()
    }
}

/// The way that an error travels.
pub trait ErrorWay<E>: Copy + Send {
    #[doc(hidden)]
    fn take(self, error: E) -> BoxError;
}

/// Whatever converts into a box.
#[derive(Clone, Copy)]
pub struct Converted;

impl<E: IntoFailure> ErrorWay<E> for Converted {
    #[inline]
    fn take(self, error: E) -> BoxError {
        error.into_box()
    }
}

/// What lends an error.
#[derive(Clone, Copy)]
pub struct AsItIs;

impl<E> ErrorWay<E> for AsItIs
where
    E: IntoFailure + AsRef<Lent> + fmt::Debug + Send + Sync + 'static,
{
    #[inline]
    fn take(self, error: E) -> BoxError {
        // A box lends what is in it, and is what the rest is put into.
        if TypeId::of::<E>() == TypeId::of::<BoxError>() {
            return error.into_box();
        }
        Box::new(Whole::new(error))
    }
}

/// The errors of a function, to be asked for their way.
pub struct Errors<E>(LendingWay<E>);
/// As [`Errors`], of those that are none.
pub struct LendingWay<E>(Converting<E>);
/// As [`LendingWay`], of those that lend none.
pub struct Converting<E>(PhantomData<fn(E)>);

impl<E: core::error::Error> Errors<E> {
    #[inline]
    pub fn way(&self) -> Converted {
        Converted
    }
}

impl<E: AsRef<Lent> + fmt::Debug + Send + Sync + 'static> LendingWay<E> {
    #[inline]
    pub fn way(&self) -> AsItIs {
        AsItIs
    }
}

impl<E> Converting<E> {
    #[inline]
    pub fn way(&self) -> Converted {
        Converted
    }
}

impl<E> Deref for Errors<E> {
    type Target = LendingWay<E>;

    #[inline]
    fn deref(&self) -> &LendingWay<E> {
        &self.0
    }
}

impl<E> Deref for LendingWay<E> {
    type Target = Converting<E>;

    #[inline]
    fn deref(&self) -> &Converting<E> {
        &self.0
    }
}

/// The errors of a function.
#[inline]
pub fn errors_of<R: Fallible>(_body: &impl FnOnce() -> R) -> Errors<R::Error> {
    Errors(LendingWay(Converting(PhantomData)))
}

/// Those of an `async fn`.
#[inline]
pub fn async_errors_of<R: Fallible>(_body: &impl Future<Output = R>) -> Errors<R::Error> {
    Errors(LendingWay(Converting(PhantomData)))
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
pub fn plain_work<'w, T, F>(
    origin: &'static &'static str,
    at: impl CalledAt,
    body: F,
) -> Work<'w, T>
where
    T: Send + 'w,
    F: FnOnce() -> T + Send + 'w,
{
    new_work(hop(origin, at), move || Ok(body()))
}

/// The work of a function whose error travels apart from its value.
#[inline]
#[track_caller]
pub fn fallible_work<'w, R, W, F>(
    origin: &'static &'static str,
    at: impl CalledAt,
    way: W,
    body: F,
) -> Work<'w, R::Value>
where
    R: Fallible,
    R::Value: Send + 'w,
    W: ErrorWay<R::Error> + 'w,
    F: FnOnce() -> R + Send + 'w,
{
    new_work(hop(origin, at), move || body().into_result().map_err(|error| way.take(error)))
}

/// [`plain_work`] of an `async fn`.
#[inline]
#[track_caller]
pub fn async_work<'w, T, F>(
    origin: &'static &'static str,
    at: impl CalledAt,
    body: F,
) -> Work<'w, T>
where
    T: Send + 'w,
    F: Future<Output = T> + Send + 'w,
{
    new_async_work(hop(origin, at), async move { Ok(body.await) })
}

/// [`fallible_work`] of an `async fn`.
#[inline]
#[track_caller]
pub fn fallible_async_work<'w, R, W, F>(
    origin: &'static &'static str,
    at: impl CalledAt,
    way: W,
    body: F,
) -> Work<'w, R::Value>
where
    R: Fallible,
    R::Value: Send + 'w,
    W: ErrorWay<R::Error> + 'w,
    F: Future<Output = R> + Send + 'w,
{
    new_async_work(hop(origin, at), async move {
        body.await.into_result().map_err(|error| way.take(error))
    })
}
