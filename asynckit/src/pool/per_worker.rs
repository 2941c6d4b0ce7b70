//! A value for each worker: a connection, a cache, a buffer that is dear to make.

use std::fmt;

use crate::panic;
use crate::pool::attached::Keeps;
use crate::pool::shared::Shared;
use crate::pool::spawner::{Handle, Spawn};
use crate::sync::thread::{self, ThreadId};
use crate::sync::{Arc, Mutex, Weak, lock};

/// A value for each worker of a pool, made when a worker first asks for it: a connection, say.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use asynckit::{PerWorker, Pool};
///
/// static OPENED: AtomicUsize = AtomicUsize::new(0);
///
/// struct Connection { sent: usize }
///
/// fn connect() -> Connection {
///     OPENED.fetch_add(1, Ordering::Relaxed);
///     Connection { sent: 0 }
/// }
///
/// let pool = Pool::new(2);
/// let connection = PerWorker::new(&pool, connect);
/// pool.stream(0..100).map(|_| connection.with(|connection| connection.sent += 1)).for_each(drop)?;
/// assert!((1..=2).contains(&OPENED.load(Ordering::Relaxed)));
/// # Ok::<(), asynckit::Error>(())
/// ```
///
/// # Whose it is
///
/// - A worker has its own. One that has none makes one, as long as there are fewer than
///   [`worker_count`](crate::Pool::worker_count). Any other thread, such as a spare worker or one that helps a pool without
///   workers, borrows one that nobody uses; where there is none it makes one.
/// - There are never more than the pool may have threads, with spares
///   ([`max_spares`](crate::PoolBuilder::max_spares)).
/// - It is dropped on the worker that has made it, when that ends: at the latest when the pool stops. What no
///   worker has made, and what is made on the threads of rayon or tokio, which come and go, is dropped by the thread that
///   brings the pool to its end. Where all handles are dropped before, the last one drops the values with it.
///
/// Clones are handles on the same values.
pub struct PerWorker<T: Send + 'static> {
    inside: Arc<PerWorkerInner<T>>,
}

struct PerWorkerInner<T> {
    pool: Weak<Shared>,
    make: Box<dyn Fn() -> T + Send + Sync>,
    values: Mutex<Values<T>>,
}

struct Values<T> {
    /// Those that nobody uses, and who has made them; the last used at the end.
    free: Vec<(ThreadId, T)>,
    /// How many there are, or are being made.
    made: usize,
}

impl<T: Send + 'static> PerWorker<T> {
    /// Values for the workers of a pool, which `make` makes, on the thread that asks.
    pub fn new<S: Spawn + ?Sized>(
        place: &S,
        make: impl Fn() -> T + Send + Sync + 'static,
    ) -> PerWorker<T> {
        let Handle(place) = place.place();
        let values = Mutex::new(Values { free: Vec::new(), made: 0 });
        let pool = Arc::downgrade(place.pool());
        let inside = Arc::new(PerWorkerInner { pool, make: Box::new(make), values });
        let keeper: Weak<PerWorkerInner<T>> = Arc::downgrade(&inside);
        place.pool().keepers.add(keeper);
        PerWorker { inside }
    }

    /// Calls `f` with the value of this worker.
    ///
    /// Nobody else has it meanwhile. Work that waits inside of `f` may do other work on its thread; if that asks, it
    /// gets another value, as a spare worker would.
    ///
    /// # Panics
    ///
    /// Where `make` does, so that the work fails which asked; the next one to ask tries again. Where `f` does: its
    /// value is dropped, as nobody knows what state it is in. Where there are as many values as there may be, and all are
    /// used.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(1);
    /// let buffer = asynckit::PerWorker::new(&pool, || Vec::<u8>::with_capacity(1 << 16));
    /// let mine = buffer.clone();
    /// let length = pool.spawn(move || {
    ///     mine.with(|buffer| {
    ///         buffer.clear();
    ///         buffer.extend(b"a line");
    ///         buffer.len()
    ///     })
    /// });
    /// assert_eq!(length.get()?, 6);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let mut used = self.inside.take();
        let value = used.value.as_mut().unwrap_or_else(|| unreachable!("it was just taken"));
        let answer = f(value);
        used.is_whole = true;
        answer
    }
}

/// A value in use, which goes back where it came from.
struct Used<'a, T> {
    inside: &'a PerWorkerInner<T>,
    value: Option<T>,
    /// Who has made it.
    by: ThreadId,
    is_whole: bool,
}

impl<T> Drop for Used<'_, T> {
    fn drop(&mut self) {
        let value = self.value.take();
        let mut values = lock(&self.inside.values);
        match value {
            Some(value) if self.is_whole => {
                let pool = self.inside.pool.upgrade();
                if let Some(pool) = pool.filter(|pool| !pool.is_over()) {
                    // Of one who has left it becomes that of who has borrowed it.
                    let stays = pool.is_hosted() || pool.keepers.has_worker(self.by);
                    let by = if stays { self.by } else { thread::current().id() };
                    return values.free.push((by, value));
                }
                // Nobody comes to drop it.
                values.made -= 1;
                drop(values);
                drop(value);
            }
            // It was not made, or is broken.
            value => {
                values.made -= 1;
                drop(values);
                let _ = panic::contain(|| drop(value));
            }
        }
    }
}

impl<T> PerWorkerInner<T> {
    #[track_caller]
    fn take(&self) -> Used<'_, T> {
        let here = thread::current().id();
        let pool = self.pool.upgrade();
        let (workers, most) = pool.as_ref().map_or((0, 1), |pool| pool.threads_wanted_and_most());
        let mut values = lock(&self.values);
        let own = values.free.iter().rposition(|(by, _)| *by == here);
        // Its own; but rather one more than somebody else's, while not every worker has its own.
        let at = own.or_else(|| {
            if values.made < workers { None } else { values.free.len().checked_sub(1) }
        });
        if let Some(at) = at {
            let (by, value) = values.free.swap_remove(at);
            return Used { inside: self, value: Some(value), by, is_whole: false };
        }
        assert!(
            values.made < most.max(1),
            "all {} values of a `PerWorker` are in use: there are as many as the pool may have threads",
            values.made
        );
        values.made += 1;
        drop(values);
        let mut used = Used { inside: self, value: None, by: here, is_whole: false };
        used.value = Some((self.make)());
        used
    }

    /// Drops those that nobody uses and that are `whose`, one after the other: a drop may panic.
    fn drop_free(&self, whose: impl Fn(ThreadId) -> bool) {
        loop {
            let mut values = lock(&self.values);
            let Some(at) = values.free.iter().position(|(by, _)| whose(*by)) else { return };
            let (_, value) = values.free.swap_remove(at);
            values.made -= 1;
            drop(values);
            let _ = panic::contain(|| drop(value));
        }
    }
}

impl<T: Send> Keeps for PerWorkerInner<T> {
    fn worker_leaves(&self) {
        let here = thread::current().id();
        self.drop_free(|by| by == here);
    }

    fn pool_ends(&self) {
        self.drop_free(|_| true);
    }
}

impl Shared {
    /// How many workers there should be, and how many threads there may be, with spares; or are, with helpers.
    fn threads_wanted_and_most(&self) -> (usize, usize) {
        let threads = self.threads();
        (threads.wanted, self.most_threads(&threads).max(threads.alive))
    }
}

impl<T: Send + 'static> Clone for PerWorker<T> {
    fn clone(&self) -> PerWorker<T> {
        PerWorker { inside: self.inside.clone() }
    }
}

impl<T: Send + 'static> fmt::Debug for PerWorker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerWorker")
            .field("values", &lock(&self.inside.values).made)
            .finish_non_exhaustive()
    }
}
