//! Where work can be submitted.

use crate::pool::context;
use crate::pool::handle::Pool;
use crate::pool::local::CountedPool;
use crate::pool::place::{Place, place_here};
use crate::pool::scope::Scope;
use crate::pool::shared::Shared;
use crate::sync::Arc;
use crate::terms::PASSED_ON;

pub(crate) mod sealed {
    use super::{Arc, Place, Shared};

    /// What leads to a place for work. A type that has such a place is one itself by handing on its own:
    ///
    /// ```
    /// use asynckit::carry::{AsyncSpawner, Handle, Spawn};
    /// use asynckit::{Pool, Spawner, work};
    ///
    /// struct Server { pool: Pool }
    ///
    /// impl Spawn for Server {
    ///     fn place(&self) -> Handle { self.pool.place() }
    /// }
    /// impl Spawner<'static> for Server {}
    /// impl AsyncSpawner for Server {}
    ///
    /// let server = Server { pool: Pool::new(1) };
    /// assert_eq!(work(|| 42).spawn_on(&server).get()?, 42);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub trait Spawn {
        /// Where it leads to.
        fn place(&self) -> Handle;

        /// The pool, where it is nothing but that: the plain way of a submission.
        #[doc(hidden)]
        #[inline]
        fn plain(&self) -> Option<PlainPool<'_>> {
            None
        }
    }

    /// What a spawner leads to; see [`Spawn`].
    #[derive(Clone)]
    pub struct Handle(pub(crate) Place);

    impl std::fmt::Debug for Handle {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Handle").finish_non_exhaustive()
        }
    }

    /// A pool as such.
    #[doc(hidden)]
    pub struct PlainPool<'a>(pub(crate) &'a Arc<Shared>);
}

pub(crate) use sealed::PlainPool;
pub use sealed::{Handle, Spawn};

/// Where work runs: a [`Pool`] takes work that owns all it uses, a [`Scope`] also work that
/// borrows.
///
/// Everything that takes a spawner takes a reference, a `Box` or an `Arc` of one too.
///
/// ```
/// use asynckit::{AsyncResult, Pool, Spawner, work};
///
/// /// On a pool, a scope, the pool of the work that runs, or any of these with a token.
/// fn answer(place: &impl Spawner<'static>) -> AsyncResult<u32> {
///     work(|| 42).spawn_on(place)
/// }
///
/// let pool = Pool::new(1);
/// assert_eq!(answer(&pool).get()?, 42);
/// # Ok::<(), asynckit::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "work that borrows can't run on `{Self}`, or `{Self}` is no place to run work at all",
    label = "expected `&Pool`, or inside `pool.scope(|s| ..)` the scope `s`",
    note = "work that owns its inputs runs on a pool; work that borrows runs on a scope of one"
)]
pub trait Spawner<'w>: Spawn {}

/// A spawner whose work may go on by itself: what the async form of a chain needs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't run the async form of a chain",
    label = "expected `&Pool`",
    note = "the async form owns all it uses: run it on the pool, and on the scope the plain form"
)]
pub trait AsyncSpawner: Spawner<'static> {}

impl Spawn for Pool {
    fn place(&self) -> Handle {
        Handle(Place::Pool(self.shared().clone()).here())
    }

    #[inline]
    fn plain(&self) -> Option<PlainPool<'_>> {
        (!PASSED_ON.any()).then(|| PlainPool(self.shared()))
    }
}
impl Spawner<'static> for Pool {}
impl AsyncSpawner for Pool {}

impl Spawn for Scope<'_, '_> {
    fn place(&self) -> Handle {
        Handle(Place::Part(self.place.clone()).here())
    }
}
impl<'s> Spawner<'s> for Scope<'s, '_> {}

/// The pool of the work that is running; see [`current`].
///
/// ```
/// use asynckit::{Pool, current, work};
///
/// let pool = Pool::new(1);
/// let outer = pool.spawn(|| work(|| 1).spawn_on(&current()).get());
/// assert_eq!(outer.get()??, 1);
/// # Ok::<(), asynckit::Error>(())
/// ```
#[derive(Clone)]
pub struct Current {
    way: SpawnWay,
}

#[derive(Clone)]
enum SpawnWay {
    /// From a plain task.
    Counted(Arc<CountedPool>),
    Place(Place),
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Current").finish_non_exhaustive()
    }
}

/// A spawner of its own for what outlives the caller.
pub(crate) fn owned(spawner: &(impl AsyncSpawner + ?Sized)) -> Current {
    let Handle(place) = spawner.place();
    Current { way: SpawnWay::Place(place) }
}

impl Spawn for Current {
    fn place(&self) -> Handle {
        Handle(match &self.way {
            SpawnWay::Counted(pool) => Place::Pool(pool.0.clone()).here(),
            SpawnWay::Place(place) => place.here(),
        })
    }

    #[inline]
    fn plain(&self) -> Option<PlainPool<'_>> {
        match &self.way {
            SpawnWay::Counted(pool) if !PASSED_ON.any() => Some(PlainPool(&pool.0)),
            SpawnWay::Place(Place::Pool(pool)) if !PASSED_ON.any() => Some(PlainPool(pool)),
            _ => None,
        }
    }
}
impl Spawner<'static> for Current {}
impl AsyncSpawner for Current {}

macro_rules! through {
    ($($pointer:ty),*) => { $(
        impl<S: Spawn + ?Sized> Spawn for $pointer {
            fn place(&self) -> Handle {
                (**self).place()
            }

            #[inline]
            fn plain(&self) -> Option<PlainPool<'_>> {
                (**self).plain()
            }
        }
        impl<'w, S: Spawner<'w> + ?Sized> Spawner<'w> for $pointer {}
        impl<S: AsyncSpawner + ?Sized> AsyncSpawner for $pointer {}
    )* };
}
through!(&S, Arc<S>, Box<S>, std::rc::Rc<S>);

/// The pool of the work that calls it, to submit more work to.
///
/// Work of a scope gets the scope's pool.
///
/// # Panics
///
/// Outside of a pool's work; [`try_current`] doesn't.
///
/// ```
/// let pool = asynckit::Pool::new(1);
/// let outer = pool.spawn(|| {
///     let inner = asynckit::work(|| 41).spawn_on(&asynckit::current());
///     inner.get().map(|n| n + 1)
/// });
/// assert_eq!(outer.get()?.unwrap(), 42);
/// # Ok::<(), asynckit::Error>(())
/// ```
pub fn current() -> Current {
    try_current().expect(
        "asynckit::current() was called outside of a pool's work; pass the pool, or ask with \
         try_current()",
    )
}

/// As [`current`], and `None` outside of a pool's work.
///
/// ```
/// assert!(asynckit::try_current().is_none());
/// let pool = asynckit::Pool::new(1);
/// assert!(pool.spawn(|| asynckit::try_current().is_some()).get()?);
/// # Ok::<(), asynckit::Error>(())
/// ```
pub fn try_current() -> Option<Current> {
    match context::counted() {
        Some(pool) => Some(Current { way: SpawnWay::Counted(pool) }),
        None => current_place(),
    }
}

#[cold]
#[inline(never)]
fn current_place() -> Option<Current> {
    let place = place_here()?;
    Some(Current { way: SpawnWay::Place(place.for_more()) })
}

/// Has a type of ours that narrows a place down (its fields are `place` and what that is of) be a place for all work that
/// the wider one is for.
macro_rules! narrows_a_place {
    ($name:ident) => {
        impl<S: ?Sized> $crate::pool::Spawn for $name<'_, S> {
            fn place(&self) -> $crate::pool::Handle {
                $crate::pool::Handle(self.place.here())
            }
        }
        impl<'w, S: $crate::pool::Spawner<'w> + ?Sized> $crate::pool::Spawner<'w> for $name<'_, S> {}
        impl<S: $crate::pool::AsyncSpawner + ?Sized> $crate::pool::AsyncSpawner for $name<'_, S> {}

        impl<S: ?Sized> ::std::fmt::Debug for $name<'_, S> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use narrows_a_place;
