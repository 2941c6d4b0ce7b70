//! Work that begins before or after other work.

use std::marker::PhantomData;

use crate::core::Here;
use crate::pool::{Handle, Place, Spawn, Spawner, narrows_a_place};
use crate::result::AsyncResult;
use crate::terms::Priority;
use crate::work::{Begin, Term, Work, work};

impl Priority {
    /// The pool or scope, for work of this priority.
    ///
    /// ```
    /// use asynckit::{CancelToken, Pool, Priority, chain, work};
    ///
    /// let (pool, token) = (Pool::new(1), CancelToken::new());
    /// let background = Priority::Low.on(&pool);
    /// let sum = chain!(&background, u32::wrapping_add(work(|| 1), 1));
    /// // It goes together with a token, in either order.
    /// let six = token.on(&background).spawn(|| 6);
    /// assert_eq!(sum.get()? * six.get()?, 12);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn on<'a, S: Spawn + ?Sized>(self, place: &'a S) -> Prioritized<'a, S> {
        let Handle(place) = place.place();
        Prioritized { place: place.with_priority(self), of: PhantomData }
    }
}

/// A pool or scope, for work of some priority; made by [`Priority::on`].
///
/// ```
/// use asynckit::{Pool, Priority, work};
///
/// let pool = Pool::new(1);
/// let place = Priority::High.on(&pool); // wherever `&pool` may stand
/// assert_eq!(work(|| 1).spawn_on(&place).get()?, 1);
/// # Ok::<(), asynckit::Error>(())
/// ```
pub struct Prioritized<'a, S: ?Sized> {
    place: Place,
    of: PhantomData<&'a S>,
}

impl<S: ?Sized> Prioritized<'_, S> {
    /// Runs a closure there: short for [`asynckit::work`](crate::work) and
    /// [`spawn_on`](crate::Work::spawn_on).
    ///
    /// ```
    /// use asynckit::{Pool, Priority};
    ///
    /// let pool = Pool::new(1);
    /// assert_eq!(Priority::Low.on(&pool).spawn(|| 6 * 7).get()?, 42);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn<'w, T: Send + 'w>(&self, f: impl FnOnce() -> T + Send + 'w) -> AsyncResult<T>
    where
        S: Spawner<'w>,
    {
        work(f).spawn_on(self)
    }
}

narrows_a_place!(Prioritized);

impl Term for Priority {
    const COMES_FIRST: bool = true;

    fn begin(&self, place: Place, _here: &Here<'_>) -> Begin {
        Begin::On(place.with_priority(*self))
    }
}

impl<'w, T: Send + 'w> Work<'w, T> {
    /// The same work, which begins before or after other work that is ready; see [`Priority`].
    ///
    /// [`run`](Work::run) in place takes no notice of it.
    ///
    /// ```
    /// use asynckit::{Pool, Priority, async_work};
    ///
    /// #[async_work]
    /// fn thumbnail(photo: u32) -> u32 { photo / 10 }
    ///
    /// let pool = Pool::new(2);
    /// let later = thumbnail(120).priority(Priority::Low).spawn_on(&pool);
    /// let now = thumbnail(20).priority(Priority::High).spawn_on(&pool);
    /// assert_eq!(now.get()? + later.get()?, 14);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn priority(self, priority: Priority) -> Work<'w, T> {
        self.under(priority)
    }
}
