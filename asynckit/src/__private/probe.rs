//! Which expressions of a chain are work is decided by their types, by method resolution: a
//! method of `Probed<Work<..>>` itself comes before that of a trait which every `Probed<..>` has.
//!
//! The bounds stand on the methods, never on the `impl`s: an `impl` whose bounds fail would be
//! passed over in silence, and the work would be taken for a plain value. And a type that is not
//! known yet would match the first `impl` that comes; so expressions are held by method syntax,
//! or dereference to what they hold, which both make rustc ask for the type (E0282).

use core::ops::Deref;

use super::call::{Lending, Reach};
use super::probed::Probed;
use super::take_apart::TakeApart;
use crate::core::{Here, Many, Moved, Outcome};
use crate::pool::Spawner;
use crate::result::AsyncResult;
use crate::work::{Work, flatten};

pub use crate::core::Plain;

/// Holds a reference.
#[inline]
pub fn probe<X>(value: X) -> Probed<X> {
    Probed(value)
}

/// Holds anything else, by method syntax: a `&mut` is lent on, as in any call.
pub trait Probe: Sized {
    #[inline]
    fn __probe(self) -> Probed<Self> {
        Probed(self)
    }

    /// The same at the end of a call that may be impossible, because it happens later.
    #[inline]
    fn __probed<R: Reach>(self, reach: R) -> R::Probed<Self> {
        reach.probed(self)
    }
}

impl<X> Probe for X {}

/// What becomes of values that are neither work nor results: nothing.
pub trait ProbedUnchanged: Sized {
    type Value;

    fn __value(self) -> Self::Value;

    #[inline]
    fn __start<P: ?Sized>(self, _place: &P) -> Self::Value {
        self.__value()
    }

    #[inline]
    fn __arg<P: ?Sized>(self, _place: &P) -> Plain<Self::Value> {
        Plain::new(self.__value())
    }

    #[inline]
    fn __lend(self) -> Plain<Self::Value> {
        Plain::new(self.__value())
    }

    #[inline]
    fn __take_apart(self) -> Self::Value {
        self.__value()
    }

    #[inline]
    fn __each(self) -> Self {
        self
    }

    #[inline]
    fn __finish(self, _here: &Here<'_>) -> Outcome<Self::Value> {
        Outcome::Done(Ok(self.__value()))
    }
}

impl<X> ProbedUnchanged for Probed<X> {
    type Value = X;

    #[inline]
    fn __value(self) -> X {
        self.0
    }
}

impl<'w, T> Probed<Work<'w, T>> {
    #[inline]
    pub fn __start<S>(self, place: &S) -> AsyncResult<T>
    where
        S: Spawner<'w> + ?Sized,
        T: Send,
    {
        self.0.spawn_on(place)
    }

    #[inline]
    pub fn __arg<S>(self, place: &S) -> Moved<T>
    where
        S: Spawner<'w> + ?Sized,
        T: Send,
    {
        Moved::of(self.0.spawn_on(place).into_owner())
    }

    #[inline]
    pub fn __finish(self, here: &Here<'_>) -> Outcome<T>
    where
        T: Send,
    {
        self.0.finish_inside(here)
    }
}

impl<T> Probed<AsyncResult<T>> {
    #[inline]
    pub fn __arg<P: ?Sized>(self, _place: &P) -> Moved<T>
    where
        T: Send,
    {
        Moved::of(self.0.into_owner())
    }

    #[inline]
    pub fn __take_apart<Parts>(self) -> Parts
    where
        T: TakeApart<Parts = Parts>,
    {
        T::take_apart(self.0)
    }

    #[inline]
    pub fn __finish(self, _here: &Here<'_>) -> Outcome<T>
    where
        T: Send,
    {
        flatten(self.0)
    }
}

impl<'a, T> Probed<&'a AsyncResult<T>> {
    /// A variable that is a reference lends, as `&` does.
    #[inline]
    pub fn __arg<P: ?Sized>(self, _place: &P) -> Lending<'a, T>
    where
        T: Send + Sync,
    {
        Lending(self.0)
    }

    #[inline]
    pub fn __lend(self) -> Lending<'a, T>
    where
        T: Send + Sync,
    {
        Lending(self.0)
    }
}

/// What a list of has one value that can be lent: nothing.
#[diagnostic::on_unimplemented(
    message = "a list of results can't be lent: its values lie apart until it is one result",
    label = "this is a list of `{Self}`",
    note = "make one result of it, and lend that: `let list = list.join_all();`, with \
            `use asynckit::Results;` (on a scope: `let list = s.join_all(list);`)",
    note = "braces pass the list as it is, handles and all: `f({{ &list }})`"
)]
pub trait LentAsOne {}

macro_rules! lists_are_not_lent {
    ($([$($generics:tt)*] $list:ty: $one:ty => $value:ty;)*) => { $(
        impl<'a, $($generics)*> Probed<&'a $list> {
            pub fn __lend(self) -> Lending<'a, Vec<$value>>
            where
                $one: LentAsOne,
            {
                unreachable!("no list is lent")
            }
        }
    )* };
}

lists_are_not_lent! {
    [T] Vec<AsyncResult<T>>: AsyncResult<T> => T;
    ['w, T] Vec<Work<'w, T>>: Work<'w, T> => T;
    [T, const N: usize] [AsyncResult<T>; N]: AsyncResult<T> => T;
    ['w, T, const N: usize] [Work<'w, T>; N]: Work<'w, T> => T;
}

impl<T> Probed<Vec<T>> {
    /// Looks at the elements instead.
    #[inline]
    pub fn __each(self) -> Each<T> {
        Each(self.0)
    }
}

/// A list, held up to have the type of its elements looked at.
#[must_use]
pub struct Each<T>(Vec<T>);

/// Never called, as that of [`Probed`].
impl<T> Deref for Each<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0[0]
    }
}

/// What becomes of a list of values that are neither work nor results: nothing.
pub trait EachUnchanged: Sized {
    type Value;

    fn __list(self) -> Vec<Self::Value>;

    #[inline]
    fn __start<P: ?Sized>(self, _place: &P) -> Vec<Self::Value> {
        self.__list()
    }

    #[inline]
    fn __arg<P: ?Sized>(self, _place: &P) -> Plain<Vec<Self::Value>> {
        Plain::new(self.__list())
    }
}

impl<T> EachUnchanged for Each<T> {
    type Value = T;

    #[inline]
    fn __list(self) -> Vec<T> {
        self.0
    }
}

impl<'w, T> Each<Work<'w, T>> {
    pub fn __start<S>(self, place: &S) -> Vec<AsyncResult<T>>
    where
        S: Spawner<'w> + ?Sized,
        T: Send,
    {
        self.0.into_iter().map(|work| work.spawn_on(place)).collect()
    }

    pub fn __arg<S>(self, place: &S) -> Many<T>
    where
        S: Spawner<'w> + ?Sized,
        T: Send,
    {
        Many::of(self.0.into_iter().map(|work| work.spawn_on(place).into_owner()))
    }
}

impl<T> Each<AsyncResult<T>> {
    pub fn __arg<P: ?Sized>(self, _place: &P) -> Many<T>
    where
        T: Send,
    {
        Many::of(self.0.into_iter().map(AsyncResult::into_owner))
    }
}
