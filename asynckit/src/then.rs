//! What is to follow a result: more work, or a callback.

use std::any::{Any, TypeId};
use std::panic::Location;

use crate::core::{self, Deferred, Either, Loan, Moved, Outcome, Watcher};
use crate::error::{BoxError, Error, Hop, Sought};
use crate::foreign;
use crate::panic;
use crate::pool::{self, Callback};
use crate::result::AsyncResult;
use crate::work::{Work, pending_work};

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
    ///
    /// ```
    /// let pool = asynckit::Pool::new(1);
    /// let text = pool.spawn(|| "12".to_owned());
    /// let number = text.and_then(|text| text.parse::<u32>()).spawn_on(&pool);
    /// assert_eq!(number.get()?, 12);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
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

    /// Work that makes a value of a failure that was caused by an `E`; a value passes as it is, and so
    /// does any other failure, unobserved.
    ///
    /// `f` may ask for the error that the work returned, or for one of its sources
    /// ([`Error::downcast_ref`]); for the `anyhow::Error` or the `eyre::Report` that it returned
    /// ([`Error::report_ref`]); or for the [`Error`] itself: then it sees every failure, also a panic
    /// and what was cancelled.
    ///
    /// ```
    /// use std::num::ParseIntError;
    /// use asynckit::{Error, ErrorKind, Pool, try_work, work};
    ///
    /// let pool = Pool::new(1);
    /// let parse = |text: &'static str| try_work(|| text.parse::<u32>()).spawn_on(&pool);
    /// let mended = parse("x").recover(|_: &ParseIntError| 0).spawn_on(&pool);
    /// assert_eq!(mended.get()?, 0);
    ///
    /// let other = parse("x").recover(|_: &std::io::Error| 0).spawn_on(&pool);
    /// assert_eq!(other.get().unwrap_err().kind(), ErrorKind::Failed);
    ///
    /// let panics = work(|| -> u32 { panic!("on purpose") }).spawn_on(&pool);
    /// let any = panics.recover(|error: &Error| error.is_panic().into()).spawn_on(&pool);
    /// assert_eq!(any.get()?, 1);
    /// # Ok::<(), Error>(())
    /// ```
    #[track_caller]
    pub fn recover<'w, E, How>(self, f: impl FnOnce(&E) -> T + Send + 'w) -> Work<'w, T>
    where
        T: Send + 'w,
        E: Sought<How>,
    {
        let (hop, inputs) = (Hop::here(&"recover"), (Either::of(self.into_owner()), ()));
        pending_work(hop, inputs, move |_, (outcome, ())| {
            Outcome::Done(outcome.or_else(|error| match E::sought(&error) {
                Some(cause) => {
                    error.observe();
                    Ok(f(cause))
                }
                None => Err(error.passed_on(hop)),
            }))
        })
    }

    /// Calls `f` once, on whichever thread sets the result; now, if it is set.
    ///
    /// It is called in the span of `tracing` that the caller is in, outside of all locks, and not before what sets the result has returned to it;
    /// keep it short. A panic in it goes to the pool's
    /// [`on_unobserved_error`](crate::PoolBuilder::on_unobserved_error), not to who sets the
    /// result. The value is lent to it: who wants to move it waits. (A number, a `bool`, a `char` or `()`
    /// is copied instead.) What depends on the result does not wait for it otherwise, even if it blocks.
    ///
    /// ```
    /// use std::sync::mpsc;
    ///
    /// let pool = asynckit::Pool::new(1);
    /// let (events, seen) = mpsc::channel();
    /// let page = pool.spawn(|| "a page".to_owned());
    /// page.on_set(move |page| {
    ///     let _ = events.send(page.map(String::len).map_err(ToString::to_string));
    /// });
    /// assert_eq!(seen.recv().unwrap(), Ok(6));
    /// ```
    #[track_caller]
    pub fn on_set(&self, f: impl FnOnce(Result<&T, &Error>) + Send + 'static)
    where
        T: Send + Sync + 'static,
    {
        let owner = self.owner();
        let task = owner.reference();
        let value = owner.lend();
        let (hop, pool) = (task.hop, pool::pool_of(&task));
        let told = Callback::registered(&task, pool.as_ref(), Location::caller());
        let hook = pool.and_then(|pool| pool.hook());
        let call = move |seen: Seen<T>| {
            let call = || match &seen {
                Seen::Copied(value) => f(Ok(value)),
                Seen::Lent(value) => match value.outcome() {
                    Ok(value) => f(Ok(value)),
                    Err(error) => f(Err(&error.observed())),
                },
            };
            let called = panic::catch(|| Callback::called(told, hop, || foreign::noting(call)));
            if let Err(payload) = called {
                // Dropped unseen, it goes to the hook.
                drop(Error::panicked(hop, payload, hook));
            }
        };
        let watcher = if is_plain::<T>() {
            Watcher::Note(Box::new(move || {
                let copy = value.outcome().ok().and_then(copied).map(Seen::Copied);
                let seen = copy.unwrap_or_else(|| Seen::Lent(value));
                core::call(Deferred::of_closure(move || call(seen)));
            }))
        } else {
            Watcher::Call(Box::new(move || call(Seen::Lent(value))))
        };
        match task.watch(watcher) {
            Ok(watch) => watch.stay(),
            Err(Watcher::Call(call)) => core::call(Deferred::of_closure(call)),
            Err(Watcher::Note(note)) => note(),
            Err(_) => unreachable!("a watcher has changed its kind"),
        }
    }
}

/// What a callback looks at.
enum Seen<T> {
    Copied(T),
    Lent(Loan<T>),
}

macro_rules! plain {
    ($($plain:ty)*) => {
        /// Whether values of this type are as good as a copy of them.
        fn is_plain<T: 'static>() -> bool {
            [$(TypeId::of::<$plain>()),*].contains(&TypeId::of::<T>())
        }

        fn copied<T: 'static>(value: &T) -> Option<T> {
            let value: &dyn Any = value;
            $(if let Some(value) = value.downcast_ref::<$plain>() {
                let mut copy = Some(*value);
                let copy: &mut dyn Any = &mut copy;
                return copy.downcast_mut::<Option<T>>()?.take();
            })*
            None
        }
    };
}
plain!(() bool char u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);
