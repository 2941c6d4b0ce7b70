//! A call for each of many items, so many at a time.

use std::collections::VecDeque;
use std::fmt;
use std::iter::FusedIterator;
use std::panic::Location;

use crate::core::{Here, Outcome};
use crate::error::{BoxError, Error, Hop};
use crate::pool::{Handle, Place, Pool, Scope, Spawn};
use crate::result::{AsyncResult, Completed};
use crate::sync::Arc;
use crate::work::{Work, pending_work};

mod sealed {
    /// A function's value is what it returns.
    #[derive(Debug)]
    pub struct AsItsValue;
    /// A function returns work, and the value is what that comes to.
    #[derive(Debug)]
    pub struct AsWork;
}
use sealed::{AsItsValue, AsWork};

/// What a function that is mapped over items may return: any value, or [`Work`] that makes it.
///
/// `How` tells the two apart: `Work` is not `Unpin`, so that only one of the two fits.
pub trait Mapped<'w, How> {
    /// The value for one item.
    type Value;
    /// What a [`Stream`](crate::Stream) goes on with: the value, for work a `Result` of it.
    type Item;

    #[doc(hidden)]
    fn outcome(self, here: &Here<'_>) -> Outcome<Self::Value>;

    #[doc(hidden)]
    fn in_place(self) -> Self::Item;
}

impl<'w, T: Unpin> Mapped<'w, AsItsValue> for T {
    type Value = T;
    type Item = T;

    fn outcome(self, _here: &Here<'_>) -> Outcome<T> {
        Outcome::Done(Ok(self))
    }

    fn in_place(self) -> T {
        self
    }
}

impl<'w, 'v: 'w, T: Send + 'w> Mapped<'w, AsWork> for Work<'v, T> {
    type Value = T;
    type Item = Result<T, Error>;

    fn outcome(self, here: &Here<'_>) -> Outcome<T> {
        self.finish_inside(here)
    }

    fn in_place(self) -> Result<T, Error> {
        self.run()
    }
}

/// The values of a function for many items: an iterator, made by `map` and `try_map` of [`Pool`] and
/// [`Scope`].
///
/// It takes items from the underlying iterator as room for their calls becomes free, so that no
/// more than the [`limit`](Map::limit) are in memory at once. An item's failure is an `Err` in its
/// place and does not end the rest; collect into a `Result` to end at the first one. What is under
/// way when the iterator is dropped is cancelled.
///
/// ```
/// let pool = asynckit::Pool::new(2);
/// let mut squares = pool.map(1..=3, |n| n * n);
/// assert_eq!(squares.next().unwrap()?, 1);
/// assert_eq!(squares.map(Result::unwrap).sum::<i32>(), 13);
/// # Ok::<(), asynckit::Error>(())
/// ```
#[must_use = "an iterator does nothing until it is asked for values"]
pub struct Map<'a, T> {
    /// Starts the call for the next item.
    start: Box<dyn FnMut() -> Option<AsyncResult<T>> + 'a>,
    limit: usize,
    under_way: UnderWay<T>,
}

/// The calls that were started and whose values were not handed out.
enum UnderWay<T> {
    InOrder(VecDeque<AsyncResult<T>>),
    AsCompleted(Completed<T>),
}

impl<T> UnderWay<T> {
    fn len(&self) -> usize {
        match self {
            UnderWay::InOrder(results) => results.len(),
            UnderWay::AsCompleted(results) => results.len(),
        }
    }

    fn add(&mut self, result: AsyncResult<T>) {
        match self {
            UnderWay::InOrder(results) => results.push_back(result),
            UnderWay::AsCompleted(results) => results.add((), result),
        }
    }

    #[track_caller]
    fn next(&mut self) -> Option<AsyncResult<T>> {
        match self {
            UnderWay::InOrder(results) => results.pop_front(),
            UnderWay::AsCompleted(results) => Some(results.next(Location::caller())?.1),
        }
    }
}

impl<'a, T> Map<'a, T> {
    fn new<'w, I, F>(hop: Hop, place: Place, items: I, f: F) -> Map<'a, T>
    where
        I: Iterator<Item: Send + 'w> + 'a,
        F: Fn(I::Item, &Here<'_>) -> Outcome<T> + Send + Sync + 'w,
        T: Send + 'w,
        'w: 'a,
    {
        let (mut items, f) = (items.fuse(), Arc::new(f));
        let limit = 16 * place.pool().wanted().max(1);
        let start = move || {
            let (item, f) = (items.next()?, f.clone());
            let call = move |here: &Here<'_>, ()| {
                let outcome = f(item, here);
                drop(f);
                outcome
            };
            Some(pending_work(hop, (), call).spawn_at(place.clone()))
        };
        let under_way = UnderWay::InOrder(VecDeque::new());
        Map { start: Box::new(start), limit, under_way }
    }

    /// At most so many items at once: those whose calls wait or run, and those whose values are
    /// there and were not handed out. 16 for each worker unless said.
    ///
    /// # Panics
    ///
    /// For 0, as nothing would ever begin.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(4);
    /// // However many files there are, two are in memory.
    /// let sizes = pool.try_map(["Cargo.toml", "README.md"], std::fs::read_to_string).limit(2);
    /// let total: usize = sizes.map(|text| text.map_or(0, |text| text.len())).sum();
    /// assert!(total > 0);
    /// ```
    pub fn limit(mut self, most: usize) -> Map<'a, T> {
        assert!(most > 0, "a limit of 0 would let no call begin");
        self.limit = most;
        self
    }

    /// The values as they come, rather than in the order of their items: a slow one does not hold
    /// the others up.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(2);
    /// let mut seen: Vec<u32> = pool.map(0..10, |n| n).unordered().map(Result::unwrap).collect();
    /// seen.sort();
    /// assert_eq!(seen, (0..10).collect::<Vec<_>>());
    /// ```
    pub fn unordered(mut self) -> Map<'a, T> {
        if let UnderWay::InOrder(results) = &mut self.under_way {
            let mut completed = Completed::new();
            std::mem::take(results).into_iter().for_each(|result| completed.add((), result));
            self.under_way = UnderWay::AsCompleted(completed);
        }
        self
    }
}

impl<T> Iterator for Map<'_, T> {
    type Item = Result<T, Error>;

    /// Blocks until the next value is there.
    ///
    /// # Panics
    ///
    /// Where the underlying iterator does; and if unordered, as [`AsyncResult::wait`].
    #[track_caller]
    fn next(&mut self) -> Option<Result<T, Error>> {
        while self.under_way.len() < self.limit
            && let Some(result) = (self.start)()
        {
            self.under_way.add(result);
        }
        self.under_way.next().map(AsyncResult::get)
    }
}

impl<T> FusedIterator for Map<'_, T> {}

impl<T> Drop for Map<'_, T> {
    fn drop(&mut self) {
        match &self.under_way {
            UnderWay::InOrder(results) => {
                for result in results {
                    result.cancel();
                }
            }
            UnderWay::AsCompleted(results) => results.cancel(),
        }
    }
}

impl<T> fmt::Debug for Map<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("limit", &self.limit)
            .field("under_way", &self.under_way.len())
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// Calls `f` on the pool for each item, and iterates over the values in the items' order.
    ///
    /// `f` is a closure or an annotated function. The error of an annotated function that fails is the
    /// item's, and so is a panic. What a *closure* returns is the value as it is, also a `Result`:
    /// `pool.map(["x"], |s| s.parse::<u32>())` gives one item, `Ok(Err(..))`, which
    /// `.collect::<Result<Vec<_>, _>>()` takes for a success. Where the closure's error is to be the
    /// item's, call [`try_map`](Pool::try_map).
    ///
    /// Items are taken as they are needed, so that there may be more of them than fit into memory; how
    /// many are under way at once says [`Map::limit`].
    ///
    /// ```
    /// use asynckit::{Pool, async_work};
    ///
    /// #[async_work]
    /// fn parse(text: &'static str) -> Result<u32, std::num::ParseIntError> { text.parse() }
    ///
    /// let pool = Pool::new(2);
    /// let squares = pool.map(0..1_000u64, |n| n * n);
    /// assert_eq!(squares.map(Result::unwrap).sum::<u64>(), 332_833_500);
    ///
    /// let numbers: Result<Vec<u32>, _> = pool.map(["1", "2"], parse).limit(8).collect();
    /// assert_eq!(numbers?, [1, 2]);
    /// let failures = pool.map(["1", "x"], parse).unordered().filter(|n| n.is_err());
    /// assert_eq!(failures.count(), 1);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn map<'a, I, F, R, How>(&self, items: I, f: F) -> Map<'a, R::Value>
    where
        I: IntoIterator<IntoIter: 'a, Item: Send + 'static>,
        F: Fn(I::Item) -> R + Send + Sync + 'static,
        R: Mapped<'static, How, Value: Send + 'static>,
    {
        let Handle(place) = self.place();
        let call = move |item, here: &Here<'_>| f(item).outcome(here);
        Map::new(Hop::here(&"map"), place, items.into_iter(), call)
    }

    /// As [`map`](Pool::map), by a closure that may fail: the value of its `Ok` is the value, and its
    /// error is the item's failure.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(2);
    /// let numbers: Result<Vec<u32>, _> = pool.try_map(["1", "2"], |s| s.parse()).collect();
    /// assert_eq!(numbers?, [1, 2]);
    ///
    /// let failed: Result<Vec<u32>, _> = pool.try_map(["1", "x"], |s| s.parse()).collect();
    /// assert!(failed.unwrap_err().downcast_ref::<std::num::ParseIntError>().is_some());
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn try_map<'a, I, F, T, E>(&self, items: I, f: F) -> Map<'a, T>
    where
        I: IntoIterator<IntoIter: 'a, Item: Send + 'static>,
        F: Fn(I::Item) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let Handle(place) = self.place();
        Map::new(Hop::here(&"try_map"), place, items.into_iter(), tried(f))
    }
}

/// A call whose error is the item's failure.
fn tried<I, T, E: Into<BoxError>>(
    f: impl Fn(I) -> Result<T, E>,
) -> impl Fn(I, &Here<'_>) -> Outcome<T> {
    move |item, here| Outcome::Done(f(item).map_err(|error| here.failed(error.into())))
}

impl<'s> Scope<'s, '_> {
    /// As [`Pool::map`], of items and by a function that may borrow what lives outside of the scope.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(2);
    /// let words = ["one".to_owned(), "three".to_owned()];
    /// let longest = pool.scope(|s| s.map(&words, |word| word.len()).map(Result::unwrap).max());
    /// assert_eq!(longest, Some(5));
    /// ```
    #[track_caller]
    pub fn map<'a, I, F, R, How>(&self, items: I, f: F) -> Map<'a, R::Value>
    where
        I: IntoIterator<IntoIter: 'a, Item: Send + 's>,
        F: Fn(I::Item) -> R + Send + Sync + 's,
        R: Mapped<'s, How, Value: Send + 's>,
        's: 'a,
    {
        let Handle(place) = self.place();
        let call = move |item, here: &Here<'_>| f(item).outcome(here);
        Map::new(Hop::here(&"map"), place, items.into_iter(), call)
    }

    /// As [`Pool::try_map`], of items and by a closure that may borrow what lives outside of the scope.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(2);
    /// let lines = ["1".to_owned(), "2".to_owned()];
    /// let sum: Result<u32, asynckit::Error> = pool.scope(|s| {
    ///     s.try_map(&lines, |line| line.parse::<u32>()).sum()
    /// });
    /// assert_eq!(sum?, 3);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn try_map<'a, I, F, T, E>(&self, items: I, f: F) -> Map<'a, T>
    where
        I: IntoIterator<IntoIter: 'a, Item: Send + 's>,
        F: Fn(I::Item) -> Result<T, E> + Send + Sync + 's,
        T: Send + 's,
        E: Into<BoxError> + 's,
        's: 'a,
    {
        let Handle(place) = self.place();
        Map::new(Hop::here(&"try_map"), place, items.into_iter(), tried(f))
    }
}
