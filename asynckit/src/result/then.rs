//! What is to follow a result: more work, or a callback.

use super::AsyncResult;
use crate::Work;
use crate::core::{self, Deferred, Either, Moved, Observer, Outcome};
use crate::error::{BoxError, Error, Hop};
use crate::panic;
use crate::work::pending_work;

impl<T> AsyncResult<T> {
    /// Work that applies `f` to the value.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(1);
    /// let length = pool.spawn(|| "hello").map(str::len).spawn_on(&pool);
    /// assert_eq!(length.get()?, 5);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn map<'w, U>(self, f: impl FnOnce(T) -> U + Send + 'w) -> Work<'w, U>
    where
        T: Send + 'w,
        U: Send + 'w,
    {
        let inputs = (Moved::of(self.into_owner()), ());
        pending_work(Hop::here(&"map"), inputs, move |_, (value, ())| Outcome::Done(Ok(f(value))))
    }

    /// Work that applies `f` to the value and may fail.
    #[track_caller]
    pub fn and_then<'w, U, E>(self, f: impl FnOnce(T) -> Result<U, E> + Send + 'w) -> Work<'w, U>
    where
        T: Send + 'w,
        U: Send + 'w,
        E: Into<BoxError>,
    {
        let inputs = (Moved::of(self.into_owner()), ());
        pending_work(Hop::here(&"and_then"), inputs, move |task, (value, ())| {
            Outcome::Done(f(value).map_err(|error| task.failed(error.into())))
        })
    }

    /// Work that applies `f` to the failure, to recover from it or to fail otherwise; a value
    /// passes as it is.
    ///
    /// ```
    /// use asynckit::{AsyncResult, Error};
    ///
    /// let pool = asynckit::Pool::new(1);
    /// let failed: AsyncResult<u32> = asynckit::try_work(|| "x".parse::<u32>()).spawn_on(&pool);
    /// let mended = failed.or_else(|_| Ok::<_, Error>(0)).spawn_on(&pool);
    /// assert_eq!(mended.get()?, 0);
    /// # Ok::<(), Error>(())
    /// ```
    #[track_caller]
    pub fn or_else<'w, E>(self, f: impl FnOnce(Error) -> Result<T, E> + Send + 'w) -> Work<'w, T>
    where
        T: Send + 'w,
        E: Into<BoxError>,
    {
        let inputs = (Either::of(self.into_owner()), ());
        pending_work(Hop::here(&"or_else"), inputs, move |task, (outcome, ())| {
            Outcome::Done(match outcome {
                Ok(value) => Ok(value),
                Err(error) => f(error.observed()).map_err(|error| task.failed(error.into())),
            })
        })
    }

    /// Work that makes a value of a failure that is an `E`; a value passes as it is, and so does any
    /// other failure, unobserved.
    ///
    /// ```
    /// use std::num::ParseIntError;
    /// use asynckit::{ErrorKind, Pool, try_work};
    ///
    /// let pool = Pool::new(1);
    /// let parse = |text: &'static str| try_work(|| text.parse::<u32>()).spawn_on(&pool);
    /// let mended = parse("x").recover(|_: &ParseIntError| 0).spawn_on(&pool);
    /// assert_eq!(mended.get()?, 0);
    ///
    /// let other = parse("x").recover(|_: &std::io::Error| 0).spawn_on(&pool);
    /// assert_eq!(other.get().unwrap_err().kind(), ErrorKind::Failed);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn recover<'w, E>(self, f: impl FnOnce(&E) -> T + Send + 'w) -> Work<'w, T>
    where
        T: Send + 'w,
        E: std::error::Error + 'static,
    {
        let (hop, inputs) = (Hop::here(&"recover"), (Either::of(self.into_owner()), ()));
        pending_work(hop, inputs, move |_, (outcome, ())| {
            Outcome::Done(outcome.or_else(|error| {
                let value = error.downcast_ref().map(f);
                match value {
                    Some(value) => {
                        drop(error.observed());
                        Ok(value)
                    }
                    None => Err(error.passed_on(hop)),
                }
            }))
        })
    }

    /// Calls `f` once, on whichever thread sets the result; now, if it is set.
    ///
    /// It is called outside of all locks, and not before what sets the result has returned to it;
    /// keep it short. A panic in it goes to the pool's
    /// [`on_unobserved_error`](crate::PoolBuilder::on_unobserved_error), not to who sets the
    /// result. The value is lent to it: who wants to move it waits.
    pub fn on_set(&self, f: impl FnOnce(Result<&T, &Error>) + Send + 'static)
    where
        T: Send + Sync + 'static,
    {
        let owner = self.owner();
        let task = owner.reference();
        let value = owner.lend();
        let (hop, hook) = (task.hop, crate::pool::pool_of(&task).and_then(|pool| pool.hook()));
        let call: Box<dyn FnOnce() + Send> = Box::new(move || {
            let called = panic::catch(|| match value.outcome() {
                Ok(value) => f(Ok(value)),
                Err(error) => f(Err(&Self::failure(error))),
            });
            if let Err(payload) = called {
                // Dropped unseen, it goes to the hook.
                drop(Error::panicked(hop, payload, hook));
            }
        });
        match task.watch(Observer::Call(call)) {
            Ok(watch) => watch.stay(),
            Err(Observer::Call(call)) => core::defer(Deferred::of_closure(call)),
            Err(_) => unreachable!("an observer has changed its kind"),
        }
    }
}
