//! Many results at once.

use std::panic::Location;

use super::{AsCompleted, AsyncResult};
use crate::core::{Many, Moved, Observer, OrCancelled, TaskRef, Watch};
use crate::error::{self, Hop};
use crate::lift::gather;
use crate::pool::{Goal, Test, wait};
use crate::sync::{Arc, Parker};

mod sealed {
    /// Anything that gives results one after the other.
    #[derive(Debug)]
    pub struct List<T>(T);
    /// A slice of results.
    #[derive(Debug)]
    pub struct Slice<T>(T);
    /// A tuple of results.
    #[derive(Debug)]
    pub struct Tuple<T>(T);

    pub trait Kind {
        /// What one result of a list has.
        type Item;
        /// What all of it comes to.
        type Values;
    }
    impl<T> Kind for List<T> {
        type Item = T;
        type Values = Vec<T>;
    }
    impl<T> Kind for Slice<T> {
        type Item = T;
        type Values = Vec<T>;
    }
    impl<T> Kind for Tuple<T> {
        type Item = ();
        type Values = T;
    }
}
use sealed::{Kind, List, Slice, Tuple};

/// Methods over many results: on anything iterable, on slices and on tuples.
///
/// `results.collect::<AsyncResult<Vec<_>>>()` works too, for any collection.
///
/// ```
/// use asynckit::{AsyncResult, Pool, Results};
///
/// let pool = Pool::new(2);
/// let squares: Vec<AsyncResult<u32>> = (0..4).map(|n| pool.spawn(move || n * n)).collect();
/// assert_eq!(squares.join_all().get()?, [0, 1, 4, 9]);
///
/// let pair = (pool.spawn(|| 1), pool.spawn(|| "one")).join();
/// assert_eq!(pair.get()?, (1, "one"));
/// # Ok::<(), asynckit::Error>(())
/// ```
pub trait Results<K: Kind> {
    /// One result of all values, in their order; set at once where there are none. It fails as
    /// soon as one of them does.
    #[track_caller]
    fn join_all(self) -> AsyncResult<Vec<K::Item>>
    where
        Self: IntoIterator<Item = AsyncResult<K::Item>> + Sized,
        K::Item: Send,
    {
        gather(Hop::here(&"join_all"), (many(self), ()), |(values, ())| values)
    }

    /// As [`join_all`](Results::join_all); and when one fails the others are cancelled, where
    /// nothing else needs them or holds them.
    ///
    /// ```
    /// use asynckit::{AsyncResult, ErrorKind, Pool, Results, is_cancelled, try_work, work};
    ///
    /// let pool = Pool::new(2);
    /// let endless = work(|| while !is_cancelled() {}).spawn_on(&pool);
    /// let fails = try_work(|| Err::<(), _>("no")).spawn_on(&pool);
    /// let both = [endless, fails].try_join_all();
    /// assert_eq!(both.get().unwrap_err().kind(), ErrorKind::Failed);
    /// pool.stop(); // the other one has seen that nobody wants its value
    /// ```
    #[track_caller]
    fn try_join_all(self) -> AsyncResult<Vec<K::Item>>
    where
        Self: IntoIterator<Item = AsyncResult<K::Item>> + Sized,
        K::Item: Send,
    {
        let inputs = OrCancelled((many(self), ()));
        gather(Hop::here(&"try_join_all"), inputs, |(values, ())| values)
    }

    /// The results, each when it is set, in the order of their completion. The iterator blocks.
    ///
    /// ```
    /// use asynckit::{AsyncResult, Results};
    ///
    /// let (first, second) = (AsyncResult::channel(), AsyncResult::channel());
    /// let mut done = vec![first.1, second.1].as_completed();
    /// second.0.set("second").unwrap();
    /// assert_eq!(done.next().unwrap().get()?, "second");
    /// # drop(first.0);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[allow(clippy::wrong_self_convention, reason = "known by this name elsewhere")]
    fn as_completed(self) -> AsCompleted<K::Item>
    where
        Self: IntoIterator<Item = AsyncResult<K::Item>> + Sized,
    {
        AsCompleted::new(self)
    }

    /// Blocks until one of the results is set, and tells which; `None` where there are none.
    ///
    /// # Panics
    ///
    /// As [`AsyncResult::wait`].
    #[track_caller]
    fn wait_any(&self) -> Option<usize>
    where
        Self: AsRef<[AsyncResult<K::Item>]>,
    {
        let results = self.as_ref();
        if results.is_empty() {
            return None;
        }
        let at = Location::caller();
        let tasks: Vec<TaskRef> = results.iter().map(|result| result.owner().reference()).collect();
        if let Err(error) = wait(&AnySet(&tasks), None, at) {
            error::raise(error);
        }
        tasks.iter().position(|task| task.is_set())
    }

    /// One result of all values of a tuple of 1 to 12 results. It fails as soon as one of them
    /// does. The values own all they use; for those that borrow, end a chain on their scope with
    /// the tuple.
    #[track_caller]
    fn join(self) -> AsyncResult<K::Values>
    where
        Self: JoinTuple<Values = K::Values> + Sized,
    {
        self.join_tuple()
    }

    /// As [`join`](Results::join); and when one fails the others are cancelled, where nothing else
    /// needs them or holds them.
    #[track_caller]
    fn try_join(self) -> AsyncResult<K::Values>
    where
        Self: JoinTuple<Values = K::Values> + Sized,
    {
        self.try_join_tuple()
    }
}

impl<T, I: IntoIterator<Item = AsyncResult<T>>> Results<List<T>> for I {}
impl<T> Results<Slice<T>> for [AsyncResult<T>] {}

/// Tuples of results.
#[doc(hidden)]
pub trait JoinTuple {
    type Values;
    #[track_caller]
    fn join_tuple(self) -> AsyncResult<Self::Values>;
    #[track_caller]
    fn try_join_tuple(self) -> AsyncResult<Self::Values>;
}

macro_rules! tuples {
    ($($name:ident)*) => {
        tuples!(@one $($name)*);
        tuples!(@shorter $($name)*);
    };
    (@shorter $first:ident) => {};
    (@shorter $first:ident $($rest:ident)+) => { tuples!($($rest)+); };
    (@one $($name:ident)*) => {
        impl<$($name),*> Results<Tuple<($($name,)*)>> for ($(AsyncResult<$name>,)*) {}

        impl<$($name: Send + 'static),*> JoinTuple for ($(AsyncResult<$name>,)*) {
            type Values = ($($name,)*);

            #[allow(non_snake_case)]
            fn join_tuple(self) -> AsyncResult<Self::Values> {
                let ($($name,)*) = self;
                let inputs = tuples!(@nest $($name)*);
                gather(Hop::here(&"join"), inputs, |tuples!(@pattern $($name)*)| ($($name,)*))
            }

            #[allow(non_snake_case)]
            fn try_join_tuple(self) -> AsyncResult<Self::Values> {
                let ($($name,)*) = self;
                let inputs = OrCancelled(tuples!(@nest $($name)*));
                gather(Hop::here(&"try_join"), inputs, |tuples!(@pattern $($name)*)| ($($name,)*))
            }
        }
    };
    (@nest) => { () };
    (@nest $first:ident $($rest:ident)*) => { (Moved::of($first.into_owner()), tuples!(@nest $($rest)*)) };
    (@pattern) => { () };
    (@pattern $first:ident $($rest:ident)*) => { ($first, tuples!(@pattern $($rest)*)) };
}
tuples!(A B C D E F G H I J K L);

impl<T: Send, C: FromIterator<T> + Send> FromIterator<AsyncResult<T>> for AsyncResult<C> {
    /// The result of a collection of all values; it fails as soon as one of them does.
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = AsyncResult<T>>>(results: I) -> AsyncResult<C> {
        let inputs = (many(results), ());
        gather(Hop::here(&"collect"), inputs, |(values, ())| values.into_iter().collect())
    }
}

/// Results whose values move in as a list.
fn many<T>(results: impl IntoIterator<Item = AsyncResult<T>>) -> Many<T> {
    Many::of(results.into_iter().map(AsyncResult::into_owner))
}

/// One of several results is to be set.
struct AnySet<'a>(&'a [TaskRef]);

impl Goal for AnySet<'_> {
    fn reached(&self) -> bool {
        self.0.iter().any(|task| task.is_set())
    }

    fn test(&self) -> Test {
        let tasks = self.0.to_vec();
        Box::new(move || tasks.iter().any(|task| task.is_set()))
    }

    fn any(&self) -> bool {
        true
    }

    fn roots(&self) -> Vec<TaskRef> {
        self.0.to_vec()
    }

    fn watch(&self, parker: &Arc<Parker>) -> Vec<Watch> {
        let watch = |task: &TaskRef| task.watch(Observer::Thread(parker.clone())).ok();
        self.0.iter().filter_map(watch).collect()
    }
}
