//! Cancelling on purpose: a whole tree of work by a token, or one result by dropping its handle
//! (`on_drop.rs`).

mod on_drop;

use on_drop::Cancel;
pub use on_drop::{AwaitedOrCancelled, CancelOnDrop};

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::pool::{Handle, Place, Spawn, Spawner, narrows_a_place, place_here};
use crate::result::AsyncResult;
use crate::sync::Arc;
use crate::terms::{Reason, Timers, Tree};
use crate::work::work;

/// Cancels a whole tree of work.
///
/// Work that is submitted through [`on`](CancelToken::on) belongs to the token, and so does, by
/// itself, all that this work submits while it runs, to whichever pool or scope. Cancelling the
/// token fails all of it as [`Cancelled`](crate::ErrorKind::Cancelled), or as
/// [`TimedOut`](crate::ErrorKind::TimedOut) at the token's deadline: what has not begun does not
/// run, what runs may ask [`is_cancelled`](crate::is_cancelled), and what is submitted later fails
/// at once.
///
/// A clone is the same token. A [`child`](CancelToken::child) is cancelled with its parent, and
/// can be cancelled alone. Dropping a token cancels nothing; see
/// [`cancel_on_drop`](CancelToken::cancel_on_drop).
///
/// ```
/// use asynckit::{CancelToken, ErrorKind, Pool, async_work, current, is_cancelled};
///
/// /// Never ends by itself, and has others do the same.
/// #[async_work]
/// fn explore(depth: u32) -> Result<(), asynckit::Error> {
///     if depth == 0 {
///         while !is_cancelled() {
///             std::thread::yield_now();
///         }
///         return Ok(());
///     }
///     let left = explore(depth - 1).spawn_on(&current());
///     let right = explore(depth - 1).spawn_on(&current());
///     left.get().and_then(|()| right.get())
/// }
///
/// let pool = Pool::new(2);
/// let token = CancelToken::new();
/// let all = explore(3).spawn_on(&token.on(&pool));
/// token.cancel();
/// assert_eq!(all.get().unwrap_err().kind(), ErrorKind::Cancelled);
/// ```
#[derive(Clone)]
pub struct CancelToken {
    tree: Arc<Tree>,
}

impl CancelToken {
    /// A token of its own.
    ///
    /// ```
    /// use asynckit::{CancelToken, Pool};
    ///
    /// let (pool, token) = (Pool::new(1), CancelToken::new());
    /// assert_eq!(token.on(&pool).spawn(|| 2).get()?, 2);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn new() -> CancelToken {
        CancelToken { tree: Tree::new(None) }
    }

    /// A token with a deadline: after this long it is cancelled, and what it cancels fails as
    /// [`TimedOut`](crate::ErrorKind::TimedOut).
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::{AsyncResult, CancelToken, ErrorKind, Pool, chain};
    ///
    /// let pool = Pool::new(1);
    /// let token = CancelToken::with_timeout(Duration::from_millis(5));
    /// let never = AsyncResult::<u8>::new();
    /// let result = chain!(&token.on(&pool), u8::max(never.clone(), 1));
    /// assert_eq!(result.get().unwrap_err().kind(), ErrorKind::TimedOut);
    /// ```
    pub fn with_timeout(limit: Duration) -> CancelToken {
        CancelToken { tree: Tree::new(None) }.cancelled_after(limit)
    }

    /// A token that is cancelled with this one, and can be cancelled alone.
    ///
    /// ```
    /// let all = asynckit::CancelToken::new();
    /// let (one, other) = (all.child(), all.child());
    /// one.cancel();
    /// assert!(one.is_cancelled() && !other.is_cancelled());
    /// all.cancel();
    /// assert!(other.is_cancelled());
    /// ```
    pub fn child(&self) -> CancelToken {
        let tree = Tree::new(Some(self.tree.clone()));
        self.tree.add_child(&tree);
        CancelToken { tree }
    }

    /// A [`child`](CancelToken::child) with a deadline of its own.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let all = asynckit::CancelToken::new();
    /// let short = all.child_with_timeout(Duration::ZERO);
    /// assert!(short.is_cancelled() && !all.is_cancelled());
    /// ```
    pub fn child_with_timeout(&self, limit: Duration) -> CancelToken {
        self.child().cancelled_after(limit)
    }

    fn cancelled_after(self, limit: Duration) -> CancelToken {
        self.tree.set_deadline(Timers::system(), limit);
        self
    }

    /// The token of the work that calls this, if it has one.
    ///
    /// ```
    /// use asynckit::{CancelToken, Pool};
    ///
    /// let (pool, token) = (Pool::new(1), CancelToken::new());
    /// let belongs = token.on(&pool).spawn(|| CancelToken::current().is_some());
    /// assert!(belongs.get()? && CancelToken::current().is_none());
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn current() -> Option<CancelToken> {
        let place = place_here()?;
        place.tree().map(|tree| CancelToken { tree: tree.clone() })
    }

    /// The pool or scope, for work that belongs to this token rather than to that of the calling
    /// work.
    ///
    /// ```
    /// use asynckit::{CancelToken, Pool, chain, work};
    ///
    /// let (pool, token) = (Pool::new(1), CancelToken::new());
    /// let place = token.on(&pool);
    /// let two = chain!(&place, work(|| 2));
    /// let six = place.spawn(|| 6);
    /// assert_eq!(two.get()? * six.get()?, 12);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn on<'a, S: Spawn + ?Sized>(&self, place: &'a S) -> Cancellable<'a, S> {
        let Handle(place) = place.place();
        self.tree.go_by(place.pool().timers());
        Cancellable { place: place.with_tree(self.tree.clone()), of: PhantomData }
    }

    /// Cancels all work of the token and of its children; whether this call did.
    ///
    /// ```
    /// let token = asynckit::CancelToken::new();
    /// assert!(token.cancel());
    /// assert!(!token.cancel()); // once is enough
    /// ```
    pub fn cancel(&self) -> bool {
        self.tree.cancel(Reason::Asked)
    }

    /// Whether it was cancelled, or its deadline has passed.
    ///
    /// ```
    /// let token = asynckit::CancelToken::new();
    /// assert!(!token.is_cancelled());
    /// token.cancel();
    /// assert!(token.is_cancelled());
    /// ```
    pub fn is_cancelled(&self) -> bool {
        self.tree.is_cancelled()
    }

    /// The token, to be cancelled when this is dropped.
    ///
    /// ```
    /// let token = asynckit::CancelToken::new();
    /// drop(token.clone().cancel_on_drop());
    /// assert!(token.is_cancelled());
    /// ```
    pub fn cancel_on_drop(self) -> CancelOnDrop<CancelToken> {
        CancelOnDrop::of(self)
    }
}

impl Cancel for CancelToken {
    fn cancel_now(&self) {
        self.cancel();
    }
}

impl Default for CancelToken {
    fn default() -> CancelToken {
        CancelToken::new()
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken")
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

/// A pool or scope whose work a token may cancel; made by [`CancelToken::on`].
///
/// ```
/// use asynckit::{CancelToken, Pool, work};
///
/// let (pool, token) = (Pool::new(1), CancelToken::new());
/// let place = token.on(&pool); // wherever `&pool` may stand
/// assert_eq!(work(|| 1).spawn_on(&place).get()?, 1);
/// # Ok::<(), asynckit::Error>(())
/// ```
pub struct Cancellable<'a, S: ?Sized> {
    place: Place,
    of: PhantomData<&'a S>,
}

impl<S: ?Sized> Cancellable<'_, S> {
    /// Runs a closure there: short for [`asynckit::work`](crate::work) and
    /// [`spawn_on`](crate::Work::spawn_on).
    ///
    /// ```
    /// use asynckit::{CancelToken, Pool};
    ///
    /// let (pool, token) = (Pool::new(1), CancelToken::new());
    /// assert_eq!(token.on(&pool).spawn(|| 6 * 7).get()?, 42);
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

narrows_a_place!(Cancellable);
