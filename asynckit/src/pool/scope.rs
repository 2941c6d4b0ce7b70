//! Scopes: work that borrows from the stack.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::AsyncResult;
use crate::core::{TaskRef, Watch};
use crate::error::{self, Error};
use crate::panic;
use crate::pool::needed;
use crate::pool::wait::{Goal, Test, wait};
use crate::pool::place::Part;
use crate::pool::{Place, Pool};
use crate::sync::{Arc, Parker};
use crate::work::work;

/// A place for work that borrows local data; see [`Pool::scope`].
pub struct Scope<'s, 'env: 's> {
    pub(crate) place: Arc<Part>,
    /// `'s` is invariant, so that it can't be shortened to less than the scope's own life.
    scope: PhantomData<&'s mut &'s ()>,
    env: PhantomData<&'env mut &'env ()>,
}

impl Pool {
    /// Runs `f` with a scope whose work may borrow what lives outside of `f`.
    ///
    /// It returns when all work of the scope is over: run, failed or cancelled, its closure and
    /// inputs dropped, and likewise each value that nobody took over. What happens to the handles
    /// makes no difference. On a worker of the pool it meanwhile runs the scope's own work.
    ///
    /// The end of a scope does not wait for results that only the program can set: when nothing in
    /// the pool runs or is queued any more, work of the scope that waits for such a result fails
    /// as [`Stopped`](crate::ErrorKind::Stopped). Where another thread is to set it, `get` what
    /// depends on it inside of `f`.
    ///
    /// All that the work did happens before `scope` returns.
    ///
    /// # Panics
    ///
    /// Where `f` does, after the scope's work is over; what has not begun is cancelled then.
    /// Inside of work, where waiting for the scope's end would be a deadlock: the work fails so.
    ///
    /// ```
    /// use asynckit::{AsyncResult, Pool, async_work};
    ///
    /// #[async_work]
    /// fn sum(part: &[u64]) -> u64 { part.iter().sum() }
    ///
    /// let pool = Pool::new(2);
    /// let numbers = [1, 2, 3, 4];
    /// let total: u64 = pool.scope(|s| {
    ///     let parts: Vec<_> = numbers.chunks(2).map(|part| sum(part).spawn_on(s)).collect();
    ///     parts.into_iter().map(|part| part.get().unwrap()).sum()
    /// });
    /// assert_eq!(total, 10);
    /// ```
    #[track_caller]
    pub fn scope<'env, R>(&'env self, f: impl for<'s> FnOnce(&'s Scope<'s, 'env>) -> R) -> R {
        let at = Location::caller();
        let place = Place::of_scope(self.shared().clone());
        let scope = Scope { place: place.clone(), scope: PhantomData, env: PhantomData };
        // Nothing between here and the end may unwind past the wait for the members.
        let outcome = panic::catch(|| f(&scope));
        if outcome.is_err() {
            place.cancel();
        }
        place.leave();
        let ended = panic::catch(|| wait(&Ended(&place), None, at)).unwrap_or(Ok(false));
        if !place.is_empty() {
            // Whatever failed the wait can't end it, as members borrow what the caller owns. Those
            // that have not begun are given up; those that run come to an end by themselves.
            place.cancel();
            place.wait_until_empty();
        }
        place.forget_members();
        match (outcome, ended) {
            (Ok(value), Ok(_)) => value,
            (Ok(_), Err(error)) => error::raise(error),
            (Err(payload), _) => std::panic::resume_unwind(payload),
        }
    }
}

impl<'s> Scope<'s, '_> {
    /// Runs a closure on the scope's pool: short for [`asynckit::work`](crate::work) and
    /// [`spawn_on`](crate::Work::spawn_on).
    #[track_caller]
    pub fn spawn<T: Send + 's>(&self, f: impl FnOnce() -> T + Send + 's) -> AsyncResult<T> {
        work(f).spawn_on(self)
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// All members of a scope are over.
struct Ended<'a>(&'a Arc<Part>);

impl Goal for Ended<'_> {
    fn reached(&self) -> bool {
        if !self.0.is_empty() && self.0.pool().is_still() {
            self.give_up_hopeless();
        }
        self.0.is_empty()
    }

    fn test(&self) -> Test {
        let place = self.0.clone();
        Box::new(move || place.is_empty())
    }

    fn roots(&self) -> Vec<TaskRef> {
        let mut members = self.0.members();
        members.retain(|member| !member.is_set());
        members
    }

    fn watch(&self, parker: &Arc<Parker>) -> Vec<Watch> {
        // The last member wakes the thread that made the scope, which is this one; and so does the
        // last thread of the pool that has nothing more to do.
        self.0.pool().watch_stillness(parker);
        Vec::new()
    }
}

impl Ended<'_> {
    /// Nothing in the pool runs or is queued: members that wait for results which no work will set
    /// can never run.
    fn give_up_hopeless(&self) {
        for member in self.0.members() {
            if needed::waits_for_no_work(&member) {
                member.fail_waiting(Error::stopped_with_scope(member.hop), false);
            }
        }
    }
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.pool().unwatch_stillness(&Parker::current());
    }
}
