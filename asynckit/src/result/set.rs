//! Results that the program sets.

use std::fmt;
use std::marker::PhantomData;

use super::AsyncResult;
use crate::continuation;
use crate::error::{BoxError, Error, Hop};
use crate::panic;
use crate::task::{Borrow, Header, Job, Owner, State, Step, Steps, TaskRef, Typed, allocate};

/// The job of a cell that no task sets.
struct ByHand<By>(PhantomData<By>);

/// Who sets it.
trait Setting {
    const MANUAL: bool = false;
    const OF_SCOPE: bool = false;
}
/// Any handle.
enum Handles {}
/// Who made it.
enum Maker {}
/// Likewise, for a value that may borrow.
enum MakerInScope {}

impl Setting for Handles {
    const MANUAL: bool = true;
}
impl Setting for Maker {}
impl Setting for MakerInScope {
    const OF_SCOPE: bool = true;
}

impl<T, By: Setting> Job<T> for ByHand<By> {
    const SIMPLE: bool = true;
    const BY_HAND: bool = true;
    const MANUAL: bool = By::MANUAL;
    const OF_SCOPE: bool = By::OF_SCOPE;

    fn run(&self, _task: &Header) -> Step<T> {
        unreachable!("a result without work was run")
    }

    fn release(&self, _cancelled: bool) {}
}

/// Writes an outcome where nobody has before. The caller closes the cell.
fn write<T>(cell: &Typed<impl Steps, T>, value: T) -> Result<(), SetError<T>> {
    if !cell.header().state.settle(false) {
        return Err(SetError::late(value));
    }
    cell.write(value);
    Ok(())
}

/// A cell that is to be set.
fn unset<T, By: Setting>(hop: Hop) -> (Typed<Owner, T>, TaskRef) {
    let state = State::unsubmitted();
    if By::MANUAL {
        state.add_hand();
    }
    let (owner, token) = allocate(hop, None, state, ByHand::<By>(PhantomData));
    (owner, token.into_reference())
}

fn ready<T, By: Setting>(hop: Hop, value: T) -> AsyncResult<T> {
    let (owner, task) = unset::<T, By>(hop);
    let first = task.state.settle(false);
    debug_assert!(first);
    owner.write(value);
    continuation::close(task, false);
    AsyncResult::from_owner(owner)
}

fn channel<T, By: Setting>(hop: Hop) -> (Setter<T>, AsyncResult<T>) {
    let (owner, task) = unset::<T, By>(hop);
    (Setter { cell: Some(owner.borrow()), task }, AsyncResult::from_owner(owner))
}

/// A result whose value may borrow.
pub(crate) fn ready_in_scope<T>(hop: Hop, value: T) -> AsyncResult<T> {
    ready::<T, MakerInScope>(hop, value)
}

/// As `AsyncResult::channel`, for a value that may borrow.
pub(crate) fn channel_in_scope<T>(hop: Hop) -> (Setter<T>, AsyncResult<T>) {
    channel::<T, MakerInScope>(hop)
}

/// How results are made by hand. Their values own all they use: what borrows lives in a scope, see
/// [`Scope::ready`](crate::Scope::ready) and [`Scope::channel`](crate::Scope::channel).
impl<T: 'static> AsyncResult<T> {
    /// A result to be set with [`set`](AsyncResult::set) or [`fail`](AsyncResult::fail), on any of
    /// its handles.
    ///
    /// It fails as [`Abandoned`](crate::ErrorKind::Abandoned) when it is unset and only tasks that
    /// wait for it hold it any more.
    ///
    /// ```
    /// use asynckit::{AsyncResult, Pool, async_work, chain};
    ///
    /// #[async_work]
    /// fn double(n: i32) -> i32 { 2 * n }
    ///
    /// let pool = Pool::new(1);
    /// let input = AsyncResult::new();
    /// let doubled = chain!(&pool, double(input.clone()));
    /// input.set(21).unwrap();
    /// assert_eq!(doubled.get()?, 42);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn new() -> AsyncResult<T> {
        AsyncResult::from_owner(unset::<T, Handles>(Hop::here(&"AsyncResult")).0)
    }

    /// A result that has its value.
    ///
    /// ```
    /// use asynckit::{AsyncResult, Pool, async_work, chain};
    ///
    /// #[async_work]
    /// fn double(n: i32) -> i32 { 2 * n }
    ///
    /// let pool = Pool::new(1);
    /// let known = AsyncResult::ready(21);
    /// assert_eq!(chain!(&pool, double(known)).get()?, 42);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn ready(value: T) -> AsyncResult<T> {
        ready::<T, Maker>(Hop::here(&"AsyncResult"), value)
    }

    /// A result that has failed.
    ///
    /// ```
    /// use asynckit::{AsyncResult, Pool};
    ///
    /// fn fetch(pool: &Pool, url: &'static str) -> AsyncResult<usize> {
    ///     if !url.starts_with("https:") {
    ///         return AsyncResult::failed(format!("`{url}` is not safe"));
    ///     }
    ///     pool.spawn(|| url.len())
    /// }
    ///
    /// let error = fetch(&Pool::new(1), "http://a").get().unwrap_err();
    /// assert_eq!(error.to_string(), "AsyncResult failed: `http://a` is not safe");
    /// ```
    #[track_caller]
    pub fn failed(error: impl Into<BoxError>) -> AsyncResult<T> {
        let hop = Hop::here(&"AsyncResult");
        let (owner, task) = unset::<T, Maker>(hop);
        continuation::settle_failed(&task, Error::failed(hop, error.into(), None));
        AsyncResult::from_owner(owner)
    }

    /// A result and the one [`Setter`] that may set it.
    ///
    /// ```
    /// use asynckit::AsyncResult;
    ///
    /// let (setter, result) = AsyncResult::channel();
    /// std::thread::spawn(move || setter.set(7));
    /// assert_eq!(result.get()?, 7);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn channel() -> (Setter<T>, AsyncResult<T>) {
        channel::<T, Maker>(Hop::here(&"AsyncResult::channel"))
    }
}

impl<T> AsyncResult<T> {
    /// Sets a result of [`new`](AsyncResult::new): the first call of `set` or `fail` wins.
    ///
    /// # Errors
    ///
    /// Hands the value back when the result is set already, and when it is not one to be set: that
    /// of work or of a channel.
    ///
    /// ```
    /// let result = asynckit::AsyncResult::new();
    /// result.set(1)?;
    /// assert_eq!(result.set(2).unwrap_err().into_inner(), 2); // the first one wins
    /// assert_eq!(result.get().unwrap(), 1);
    /// # Ok::<(), asynckit::SetError<i32>>(())
    /// ```
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        let owner = self.owner();
        if !owner.is_manual() {
            return Err(SetError { value, reason: Reason::NotOurs });
        }
        write(owner, value)?;
        continuation::close(owner.reference(), false);
        Ok(())
    }

    /// Fails a result of [`new`](AsyncResult::new); as [`set`](AsyncResult::set) otherwise.
    ///
    /// # Errors
    ///
    /// As `set`; hands the error back.
    ///
    /// ```
    /// let result = asynckit::AsyncResult::<u8>::new();
    /// let copy = result.clone();
    /// result.fail("the line is dead").unwrap();
    /// assert!(copy.get().unwrap_err().to_string().ends_with("the line is dead"));
    /// ```
    pub fn fail<E: Into<BoxError>>(&self, error: E) -> Result<(), SetError<E>> {
        let owner = self.owner();
        if !owner.is_manual() {
            return Err(SetError { value: error, reason: Reason::NotOurs });
        }
        fail_cell(&owner.reference(), error)
    }
}

/// Fails a result where nobody has set it before, and tells all who wait.
fn fail_cell<E: Into<BoxError>>(task: &TaskRef, error: E) -> Result<(), SetError<E>> {
    if !task.state.settle(true) {
        return Err(SetError::late(error));
    }
    // The right to write is ours; `into` is foreign code, and may panic.
    let error = panic::catch(|| panic::noting(|| error.into()));
    let error = match error {
        Ok(error) => Error::failed(task.hop, error, None),
        Err(payload) => Error::panicked(task.hop, payload, None),
    };
    crate::task::write_failure(task, error);
    continuation::close(task.clone(), false);
    Ok(())
}

impl<T: 'static> Default for AsyncResult<T> {
    /// As [`AsyncResult::new`].
    #[track_caller]
    fn default() -> AsyncResult<T> {
        AsyncResult::new()
    }
}

/// Sets the result of [`AsyncResult::channel`] or [`Scope::channel`](crate::Scope::channel). Dropped unset, it fails the result as
/// [`Abandoned`](crate::ErrorKind::Abandoned).
///
/// ```
/// use asynckit::{AsyncResult, ErrorKind};
///
/// let (setter, result) = AsyncResult::<u8>::channel();
/// drop(setter);
/// assert_eq!(result.get().unwrap_err().kind(), ErrorKind::Abandoned);
/// ```
#[must_use = "a setter that is dropped fails its result"]
pub struct Setter<T> {
    /// `None` once used.
    cell: Option<Typed<Borrow, T>>,
    task: TaskRef,
}

impl<T> Setter<T> {
    /// Sets the result.
    ///
    /// # Errors
    ///
    /// Hands the value back when the result was cancelled, or its scope has ended.
    ///
    /// ```
    /// let (setter, result) = asynckit::AsyncResult::channel();
    /// let sender = std::thread::spawn(move || setter.set("from elsewhere"));
    /// assert_eq!(result.get()?, "from elsewhere");
    /// sender.join().unwrap().unwrap();
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn set(mut self, value: T) -> Result<(), SetError<T>> {
        let Some(cell) = self.cell.take() else { unreachable!("a setter was used twice") };
        write(&cell, value)?;
        // Whoever moves the value must not find it lent to the setter.
        drop(cell);
        continuation::close(self.task.clone(), false);
        Ok(())
    }

    /// Fails the result.
    ///
    /// # Errors
    ///
    /// Hands the error back when the result was cancelled, or its scope has ended.
    ///
    /// ```
    /// let (setter, result) = asynckit::AsyncResult::<u8>::channel();
    /// setter.fail(std::io::Error::other("no such host")).unwrap();
    /// assert!(result.get().unwrap_err().downcast_ref::<std::io::Error>().is_some());
    /// ```
    pub fn fail<E: Into<BoxError>>(mut self, error: E) -> Result<(), SetError<E>> {
        self.cell.take();
        fail_cell(&self.task, error)
    }
}

impl<T> Drop for Setter<T> {
    fn drop(&mut self) {
        if self.cell.is_some() {
            continuation::settle_failed(&self.task, Error::abandoned(self.task.hop));
        }
    }
}

impl<T> fmt::Debug for Setter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Setter({})", self.task.hop)
    }
}

/// Why a result could not be set, with what was to be set.
///
/// ```
/// let result = asynckit::AsyncResult::new();
/// result.set(String::from("first")).unwrap();
/// let late = result.set(String::from("second")).unwrap_err();
/// assert_eq!(late.to_string(), "the result is set already");
/// assert_eq!(late.into_inner(), "second");
/// ```
pub struct SetError<T> {
    value: T,
    reason: Reason,
}

#[derive(Clone, Copy)]
enum Reason {
    Late,
    NotOurs,
}

impl<T> SetError<T> {
    fn late(value: T) -> SetError<T> {
        SetError { value, reason: Reason::Late }
    }

    /// What was to be set.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reason {
            Reason::Late => "the result is set already",
            Reason::NotOurs => {
                "only a result from `AsyncResult::new` can be set by its handles; this one belongs \
                 to work or to a `Setter`"
            }
        })
    }
}

impl<T> fmt::Debug for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetError({self})")
    }
}

impl<T> std::error::Error for SetError<T> {}
