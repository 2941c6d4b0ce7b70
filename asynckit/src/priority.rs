//! Work that begins before or after other work.

use std::marker::PhantomData;

use crate::core::{Awaits, Here, Job, JobStep, Unsubmitted, VisitEdges};
use crate::error::{Error, Hop};
use crate::pool::{self, Handle, Place, Spawn, Spawner, narrows_a_place};
use crate::result::AsyncResult;
use crate::terms::Priority;
use crate::work::stage::{Staged, start_at};
use crate::work::{Term, Work, work};

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

/// Work of some priority: it is submitted to its place with that.
struct RankedWork<'w, T> {
    priority: Priority,
    inner: Staged<'w, T>,
    awaits: Awaits<T>,
}

impl<T: Send> Job<T> for RankedWork<'_, T> {
    const IMMEDIATE: bool = true;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.awaits.edges(visit);
    }

    fn run(&self, here: &Here<'_>) -> JobStep<T> {
        if let Some(outcome) = self.awaits.outcome() {
            return JobStep::Done(outcome);
        }
        let place = pool::place_here().map(|place| place.with_priority(self.priority));
        self.awaits.result(start_at(self.inner.take(), here, place), true)
    }

    fn run_in_place(&self, here: &Here<'_>) -> Result<T, Error> {
        self.inner.take().run_part(here.hook())
    }

    fn release(&self, cancelled: bool) {
        self.awaits.release(cancelled);
        self.inner.release();
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
    pub fn priority(mut self, priority: Priority) -> Work<'w, T> {
        match self.put_around(ranked_cell, Term::Priority(priority)) {
            Ok(()) => self,
            Err(_) => self.ranked(priority),
        }
    }

    fn ranked(self, priority: Priority) -> Work<'w, T> {
        let hop = self.hop();
        let job = RankedWork { priority, inner: Staged::of(self), awaits: Awaits::nothing() };
        Work::with_job(hop, job)
    }
}

fn ranked_cell<T: Send>(hop: Hop, inner: Unsubmitted<T>, term: Term) -> Unsubmitted<T> {
    let Term::Priority(priority) = term else { unreachable!("a priority is no other term") };
    Work::with_cell(hop, inner).ranked(priority).into_cell()
}
