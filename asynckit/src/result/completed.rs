//! Results in the order of their completion.

use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;

use super::AsyncResult;
use crate::core::{TaskRef, Watch, Watcher};
use crate::error::{self, At};
use crate::pool::{Goal, Shared, Test, pool_of, pools_of, wait};
use crate::sync::{Arc, Mutex, Parker, lock};

/// Results, each with a key, of which each is handed out when it is set. To add one and to hand one out costs
/// the same however many there are.
pub(crate) struct Completed<T, K = ()> {
    /// Those that were not handed out.
    results: Vec<Option<WatchedResult<T, K>>>,
    /// Places of such as were.
    vacant: Vec<usize>,
    /// All before this place were handed out.
    first: usize,
    done: Arc<Done>,
    pools: Vec<Arc<Shared>>,
}

struct WatchedResult<T, K> {
    key: K,
    watch: Option<Watch>,
    result: AsyncResult<T>,
}

/// Which results are set and were not handed out yet, and who waits for them.
struct Done {
    order: Mutex<VecDeque<usize>>,
    waits: Mutex<Option<Arc<Parker>>>,
}

impl Done {
    fn push(&self, place: usize) {
        lock(&self.order).push_back(place);
        let parker = lock(&self.waits).clone();
        if let Some(parker) = parker {
            parker.unpark();
        }
    }

    fn pop(&self) -> Option<usize> {
        lock(&self.order).pop_front()
    }
}

impl<T, K> Completed<T, K> {
    pub(crate) fn new() -> Completed<T, K> {
        Completed {
            results: Vec::new(),
            vacant: Vec::new(),
            first: 0,
            done: Arc::new(Done { order: Mutex::new(VecDeque::new()), waits: Mutex::new(None) }),
            pools: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.results.len() - self.vacant.len()
    }

    pub(crate) fn add(&mut self, key: K, result: AsyncResult<T>) {
        let place = self.vacant.pop().unwrap_or_else(|| {
            self.results.push(None);
            self.results.len() - 1
        });
        self.first = self.first.min(place);
        let task = result.owner().reference();
        if let Some(its) = pool_of(&task).filter(|_| !task.is_set())
            && !self.pools.iter().any(|pool| Arc::ptr_eq(pool, &its))
        {
            self.pools.push(its);
        }
        let told = self.done.clone();
        let watch = task.watch(Watcher::Note(Box::new(move || told.push(place)))).ok();
        if watch.is_none() {
            self.done.push(place);
        }
        self.results[place] = Some(WatchedResult { key, watch, result });
    }

    /// Waits for the next one to be set; `None` where none is left. As an error, why the wait
    /// could never end.
    pub(crate) fn next(&mut self, at: At) -> Option<(K, AsyncResult<T>)> {
        if self.len() == 0 {
            return None;
        }
        let mut place = self.done.pop();
        while place.is_none() {
            let waited = wait(&*self, None, at);
            let waiter = lock(&self.done.waits).take();
            drop(waiter);
            if let Err(error) = waited {
                error::raise(error);
            }
            place = self.done.pop();
        }
        let WatchedResult { key, watch, result } = self.results[place?].take()?;
        if let Some(watch) = watch {
            // It has been told.
            watch.stay();
        }
        self.vacant.extend(place);
        while self.first < self.results.len() && self.results[self.first].is_none() {
            self.first += 1;
        }
        Some((key, result))
    }

    fn unset(&self) -> impl Iterator<Item = TaskRef> {
        let left = self.results[self.first..].iter().flatten();
        let unset = left.filter(|watched| !watched.result.is_set());
        unset.map(|watched| watched.result.owner().reference())
    }

    /// Gives up what is left.
    pub(crate) fn cancel(&self) {
        for watched in self.results.iter().flatten() {
            watched.result.cancel();
        }
    }
}

/// More than so many results are not looked at for a wait without end.
const MANY: usize = 256;

/// How many of the results a wait has a look at for work to do: any of them will do.
const LOOKS: usize = 16;

impl<T, K> Goal for Completed<T, K> {
    fn reached(&self) -> bool {
        !lock(&self.done.order).is_empty()
    }

    fn test(&self) -> Test {
        let done = self.done.clone();
        Box::new(move || !lock(&done.order).is_empty())
    }

    fn any(&self) -> bool {
        true
    }

    fn roots(&self) -> Vec<TaskRef> {
        self.unset().take(LOOKS).collect()
    }

    fn targets(&self) -> Option<Vec<TaskRef>> {
        (self.len() <= MANY).then(|| self.unset().collect())
    }

    fn pools(&self) -> Vec<Arc<Shared>> {
        let mut pools = pools_of(self.roots());
        for pool in &self.pools {
            if !pools.iter().any(|its| Arc::ptr_eq(its, pool)) {
                pools.push(pool.clone());
            }
        }
        pools
    }

    fn watch(&self, parker: &Arc<Parker>) -> Vec<Watch> {
        *lock(&self.done.waits) = Some(parker.clone());
        Vec::new()
    }
}

/// The iterator of [`Results::as_completed`](crate::Results::as_completed).
///
/// ```
/// use asynckit::{Pool, Results};
///
/// let pool = Pool::new(4);
/// let mut done = (0..100).map(|n| pool.spawn(move || n)).as_completed();
/// let mut sum = 0;
/// for (count, result) in done.by_ref().enumerate() {
///     sum += result.get()?;
///     println!("{} of 100", count + 1);
/// }
/// assert_eq!((sum, done.len()), (4950, 0));
/// # Ok::<(), asynckit::Error>(())
/// ```
pub struct AsCompleted<T> {
    results: Completed<T>,
}

/// The iterator of [`Keyed::as_completed`](crate::Keyed::as_completed): each key with its result, when that is set.
///
/// ```
/// use asynckit::{Pool, Results};
///
/// let pool = Pool::new(4);
/// let mut done = (0..100).map(|n| (n, pool.spawn(move || n * n))).keyed().as_completed();
/// for (n, square) in done.by_ref() {
///     assert_eq!(square.get()?, n * n);
/// }
/// assert_eq!(done.len(), 0);
/// # Ok::<(), asynckit::Error>(())
/// ```
pub struct KeyedAsCompleted<K, T> {
    results: Completed<T, K>,
}

impl<T> AsCompleted<T> {
    pub(crate) fn new(results: impl IntoIterator<Item = AsyncResult<T>>) -> AsCompleted<T> {
        let mut completed = Completed::new();
        results.into_iter().for_each(|result| completed.add((), result));
        AsCompleted { results: completed }
    }
}

impl<K, T> KeyedAsCompleted<K, T> {
    pub(crate) fn new(results: impl IntoIterator<Item = (K, AsyncResult<T>)>) -> Self {
        let mut completed = Completed::new();
        results.into_iter().for_each(|(key, result)| completed.add(key, result));
        KeyedAsCompleted { results: completed }
    }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = AsyncResult<T>;

    /// # Panics
    ///
    /// As [`AsyncResult::wait`].
    #[track_caller]
    fn next(&mut self) -> Option<AsyncResult<T>> {
        Some(self.results.next(Location::caller())?.1)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.results.len(), Some(self.results.len()))
    }
}

impl<K, T> Iterator for KeyedAsCompleted<K, T> {
    type Item = (K, AsyncResult<T>);

    /// # Panics
    ///
    /// As [`AsyncResult::wait`].
    #[track_caller]
    fn next(&mut self) -> Option<(K, AsyncResult<T>)> {
        self.results.next(Location::caller())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.results.len(), Some(self.results.len()))
    }
}

impl<T> ExactSizeIterator for AsCompleted<T> {}
impl<T> std::iter::FusedIterator for AsCompleted<T> {}
impl<K, T> ExactSizeIterator for KeyedAsCompleted<K, T> {}
impl<K, T> std::iter::FusedIterator for KeyedAsCompleted<K, T> {}

impl<T> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("left", &self.results.len()).finish_non_exhaustive()
    }
}

impl<K, T> fmt::Debug for KeyedAsCompleted<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedAsCompleted")
            .field("left", &self.results.len())
            .finish_non_exhaustive()
    }
}
