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

use crate::error::{BoxError, Hop, Lent, Whole};
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

/// The way of what a function returns.
pub trait ErrorWay<R>: Copy + Send {
    type Value;

    #[doc(hidden)]
    fn outcome(self, returned: R) -> Result<Self::Value, BoxError>;
}

/// It is the value.
#[derive(Clone, Copy)]
pub struct AsValue;

impl<T> ErrorWay<T> for AsValue {
    type Value = T;

    #[inline]
    fn outcome(self, returned: T) -> Result<T, BoxError> {
        Ok(returned)
    }
}

/// Its error is whatever converts into a box.
#[derive(Clone, Copy)]
pub struct Converted;

impl<R: Fallible> ErrorWay<R> for Converted {
    type Value = R::Value;

    #[inline]
    fn outcome(self, returned: R) -> Result<R::Value, BoxError> {
        returned.into_result().map_err(IntoFailure::into_box)
    }
}

/// Its error is what lends one.
#[derive(Clone, Copy)]
pub struct AsItIs;

impl<R> ErrorWay<R> for AsItIs
where
    R: Fallible<Error: AsRef<Lent> + fmt::Debug + Send + Sync + 'static>,
{
    type Value = R::Value;

    #[inline]
    fn outcome(self, returned: R) -> Result<R::Value, BoxError> {
        returned.into_result().map_err(|error| {
            // A box lends what is in it, and is what the rest is put into.
            if TypeId::of::<R::Error>() == TypeId::of::<BoxError>() {
                return error.into_box();
            }
            Box::new(Whole::new(error))
        })
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

/// The work of a function.
#[inline]
pub fn sync_work<'w, R, W, F>(site: Hop, way: W, body: F) -> Work<'w, W::Value>
where
    W: ErrorWay<R, Value: Send + 'w> + 'w,
    F: FnOnce() -> R + Send + 'w,
{
    new_work(site, move || way.outcome(body()))
}

/// The work of an `async fn`.
#[inline]
pub fn async_work<'w, R, W, F>(site: Hop, way: W, body: F) -> Work<'w, W::Value>
where
    W: ErrorWay<R, Value: Send + 'w> + 'w,
    F: Future<Output = R> + Send + 'w,
{
    new_async_work(site, async move { way.outcome(body.await) })
}
