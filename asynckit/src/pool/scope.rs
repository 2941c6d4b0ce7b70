//! Scopes: work that borrows from the stack, and why none of it outlives what it borrows.
//!
//! Safe code may forget every handle and leak every guard. So nothing below rests on the drop of
//! anything that the program holds.
//!
//! # What may borrow is a scope's
//!
//! Work that borrows for `'w` can be submitted to a [`Spawner<'w>`](crate::Spawner) alone, and a scope is one
//! for just its own `'s`, which what is borrowed outlives and no handle can name outside. All else that
//! makes cells asks for `'static`: a pool, `AsyncResult::ready` and its kin, what joins results by
//! itself, limits of time on results. So a value that may borrow is in a cell that is made with
//! `Traits::BORROWS` (`Header::borrows`): that of a member (`Part::traits`), of `Scope::ready` or `channel`, or what
//! is gathered of such (`work/lift.rs`: `try_gather`), be it joined or a part of a tuple that is taken apart.
//!
//! Work that is run in place is no scope's. It has come to its end when `run` returns, its cell included:
//! what is left of it is dropped on the spot, whatever step is under way below (`core/run.rs`: `run_in_place`),
//! and its value counts as one that borrows (`State::claim_unsubmitted`).
//!
//! # The end
//!
//! [`Pool::scope`] returns when the count of members is zero (`place.rs`), whatever panics. A member leaves
//! the count when it is *over*, which is more than that its result is set. Its home is told so
//! (`core/fail.rs`: `over`) when
//!
//! - closure, inputs and future are dropped: by who runs it, or by who disposes of it (`fail::dispose`), and by
//!   nobody else, as one claims or seizes it (`core/state.rs`); mostly before its result is seen, of a job after that;
//! - the thread that ended it has done all that this led to: the end comes last in its trampoline
//!   (`trampoline::defer_last`), after steps, errands and disposals;
//! - what it had on loan for work that it returned is given back (`Part::leave`, `terms/share.rs`). The tasks that its
//!   work has begun as parts of itself count for themselves.
//!
//! Last, what is unset of `channel` fails, and this thread's own queue is emptied (`Part::end`).
//!
//! # What is left behind
//!
//! - *Handles*: they own their value as a variable would, and may leave the scope where it outlives that.
//!   The last one drops the value before its own drop returns, or the last loan does, a member's of some
//!   scope that the value outlives as well (`core/release.rs`). A value that may borrow is not put off, however deep
//!   drops nest (`trampoline::drop_here`, `release::must_not_wait`), nor left to whoever keeps the memory. All that hold
//!   a handle (`Awaited`, the iterators, `CancelOnDrop`, `Setter`) have a drop of their own that names the value's
//!   type, so that the compiler has what is borrowed outlive them.
//! - *Forgotten handles*: their value is never touched again. Nor does anybody walk over values.
//! - *Futures*: an `Awaited` that has asked to be told when the value is free takes that back and lets go
//!   of the value as a handle does. One that is forgotten has its hold for ever: its wish stays, and whoever
//!   ends the last loan tells a waker, no more.
//! - *Setters*: one that is left sets nothing any more and gets the value back. One that sets a value which
//!   nobody owns drops it before `set` returns (`complete::drop_unheld`), whatever else the completion leads to
//!   later.
//! - *Wakers* of members and of futures, *timers*, the lists of *tokens*, of the scope and of the pool's roots, entries
//!   in *queues*, *frames* that others look at: all of them refer to the cell's memory alone (`TaskRef`, `Entry`), of
//!   which nothing but its header is looked at when the task is over. They may fail a task, which then is disposed of
//!   on their thread, before it leaves the scope.
//! - *Accounts* of loans (`Lender`, `Account`): they are only compared, and keep a cell's memory.
//! - *Callbacks* (`on_set`), the programs' own wakers and the hook own all they use, and so do *errors* and
//!   the payloads of panics: `'static`.
//! - *Iterators*: `Map` keeps its closure and items and can't leave the scope; what it has begun are
//!   members.
//! - *Clones under way, callbacks and borrowing tasks* have a loan, which counts as a holder of the value: it
//!   ends before they do (`core/clones.rs`).
//! - *Steps that are put off* on a thread (`trampoline.rs`), the rest of a long list of dependents among them
//!   (`complete::ListRest`): of members, whose end comes after them. Parts of a tuple that was set by hand are no
//!   members; they are made by a step of the thread that sets it. That is done before `set` returns, or, in a drop
//!   that a step has led to, before the member that this is a part of leaves or a scope that is in it ends.
//! - *Memory*: a cell's block is given back whenever it comes, and so is the part of the pool that it is hooked to;
//!   nothing of its value, closure or inputs is in it by then.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::core::{self, TaskRef, Watch};
use crate::error::{self, At, Error};
use crate::panic;
use crate::pool::goal::Goal;
use crate::pool::handle::Pool;
use crate::pool::place::{Part, Place};
use crate::pool::shared::Shared;
use crate::pool::threads::{Test, has, remove};
use crate::pool::wait::wait;
use crate::pool::walks;
use crate::sync::{Arc, Parker};

/// A place for work that borrows local data; see [`Pool::scope`].
///
/// ```
/// let (pool, words) = (asynckit::Pool::new(2), ["one".to_owned(), "three".to_owned()]);
/// let sizes = pool.scope(|s| {
///     let sizes = [&words[0], &words[1]].map(|word| s.spawn(|| word.len()));
///     sizes.map(|size| size.get().unwrap())
/// });
/// assert_eq!(sizes, [3, 5]);
/// ```
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
    /// the pool runs, is queued or pauses between tries any more, work of the scope that waits for such a result fails
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
        in_scope(self.shared(), Location::caller(), f)
    }
}

/// As `Pool::scope`.
pub(crate) fn in_scope<'env, R>(
    pool: &'env Arc<Shared>,
    at: At,
    f: impl for<'s> FnOnce(&'s Scope<'s, 'env>) -> R,
) -> R {
    let place = Place::of_scope(pool.clone());
    let scope = Scope { place: place.clone(), scope: PhantomData, env: PhantomData };
    // Nothing between here and the end may unwind past the wait for the members.
    let outcome = panic::catch(|| f(&scope));
    if outcome.is_err() {
        place.cancel();
    }
    place.leave();
    let ended = panic::catch(|| wait(&AllOver(&place), None, at)).unwrap_or(Ok(false));
    if !place.is_empty() {
        // Whatever failed the wait can't end it, as members borrow what the caller owns. Those
        // that have not begun are given up; those that run come to an end by themselves.
        place.cancel();
        place.wait_until_empty();
    }
    place.end();
    match (outcome, ended) {
        (Ok(value), Ok(_)) => value,
        (Ok(_), Err(error)) => error::raise(error),
        (Err(payload), _) => std::panic::resume_unwind(payload),
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// All members of a scope are over.
struct AllOver<'a>(&'a Arc<Part>);

impl Goal for AllOver<'_> {
    fn reached(&self) -> bool {
        if !self.0.is_empty() && self.0.pool().is_out_of_work() {
            self.give_up_hopeless();
            // In a callback their end is this thread's to bring about.
            core::drain();
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

    fn pools(&self) -> Vec<Arc<Shared>> {
        // Members may have a result already, and be under way.
        let (mut pools, own) = (walks::pools_of(self.roots()), self.0.pool());
        if !has(&pools, own) {
            pools.push(own.clone());
        }
        pools
    }

    fn watch(&self, parker: &Arc<Parker>) -> Vec<Watch> {
        // The last member wakes the thread that made the scope, which is this one; and so does the
        // last thread of the pool that has nothing more to do.
        self.0.pool().threads().watchers.push(parker.clone());
        Vec::new()
    }
}

impl AllOver<'_> {
    /// Nothing in the pool runs, is queued or pauses: members that wait for results which no work will set
    /// can never run.
    fn give_up_hopeless(&self) {
        for member in self.0.members() {
            if !member.is_by_hand() && walks::waits_for_no_work(&member) {
                member.fail_waiting(Error::stopped_with_scope(member.hop), false);
            }
        }
    }
}

impl Drop for AllOver<'_> {
    fn drop(&mut self) {
        remove(&mut self.0.pool().threads().watchers, &Parker::current());
    }
}
