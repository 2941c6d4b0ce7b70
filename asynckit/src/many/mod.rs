//! Many results at once.

mod keyed;
mod scoped;

use std::panic::Location;

use crate::core::{Gathered, Inputs, Many, Moved, Outcomes, TaskRef};
use crate::error::{self, Error, Hop};
use crate::pool::{Handle, Set, wait};
use crate::result::{AsCompleted, AsyncResult};
use crate::work::{gather, gather_at};
pub use keyed::Keyed;

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
    /// Anything that gives keys with their results.
    #[derive(Debug)]
    pub struct Pairs<K, T>(K, T);

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
    impl<K, T> Kind for Pairs<K, T> {
        type Item = (K, T);
        type Values = ();
    }
    impl<T> Kind for Tuple<T> {
        type Item = ();
        type Values = T;
    }
}
use sealed::{Kind, List, Pairs, Slice, Tuple};

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
    /// soon as one of them does. What else fails of them then counts as seen when that failure is.
    ///
    /// The values own all they use; for those that borrow there is
    /// [`Scope::join_all`](crate::Scope::join_all).
    ///
    /// ```
    /// use asynckit::{Pool, Results};
    ///
    /// let pool = Pool::new(2);
    /// let squares = (0..4).map(|n| pool.spawn(move || n * n)).join_all();
    /// assert_eq!(squares.get()?, [0, 1, 4, 9]);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    fn join_all(self) -> AsyncResult<Vec<K::Item>>
    where
        Self: IntoIterator<Item = AsyncResult<K::Item>> + Sized,
        K::Item: Send + 'static,
    {
        join_list(Hop::here(&"join_all"), None, self)
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
        K::Item: Send + 'static,
    {
        let inputs = Gathered::<_, true>::of((many(self), ()));
        gather(Hop::here(&"try_join_all"), inputs, |(values, ())| values)
    }

    /// One result of how each of them ended, in their order: its value, or its failure. It is set when
    /// all of them are, at once where there are none, and never fails. Each failure counts as seen.
    ///
    /// ```
    /// use asynckit::{Pool, Results, async_work};
    ///
    /// #[async_work]
    /// fn lint(name: &'static str) -> Result<&'static str, String> {
    ///     if name.len() > 3 { Err(format!("`{name}` is too long")) } else { Ok(name) }
    /// }
    ///
    /// let pool = Pool::new(2);
    /// let lints = ["one", "three", "two"].map(|name| lint(name).spawn_on(&pool));
    /// let (mut fine, mut failed) = (0, Vec::new());
    /// for ended in lints.settle_all().get()? {
    ///     match ended {
    ///         Ok(_) => fine += 1,
    ///         Err(error) => failed.push(error.to_string()),
    ///     }
    /// }
    /// assert_eq!(fine, 2);
    /// assert!(failed[0].ends_with("lint failed: `three` is too long"));
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    fn settle_all(self) -> AsyncResult<Vec<Result<K::Item, Error>>>
    where
        Self: IntoIterator<Item = AsyncResult<K::Item>> + Sized,
        K::Item: Send + 'static,
    {
        // It belongs to no scope, whose end would fail it: what it gathers borrows nothing.
        let inputs = (Outcomes::of(self.into_iter().map(AsyncResult::into_owner)), ());
        gather_at(Hop::here(&"settle_all"), None, inputs, |(outcomes, ())| outcomes)
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

    /// Results with keys: pairs of anything and a result, as a map has them.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use asynckit::{AsyncResult, Pool, Results};
    ///
    /// let pool = Pool::new(2);
    /// let sizes: HashMap<&str, AsyncResult<usize>> =
    ///     ["one", "three"].into_iter().map(|word| (word, pool.spawn(move || word.len()))).collect();
    /// for (word, size) in sizes.keyed().as_completed() {
    ///     assert_eq!(size.get()?, word.len()); // each when it is there
    /// }
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    fn keyed<Key, T>(self) -> Keyed<Self>
    where
        Self: IntoIterator<Item = (Key, AsyncResult<T>)> + Sized,
    {
        Keyed::new(self)
    }

    /// Blocks until one of the results is set, and tells which; `None` where there are none.
    ///
    /// # Panics
    ///
    /// As [`AsyncResult::wait`].
    ///
    /// ```
    /// use asynckit::{AsyncResult, Results};
    ///
    /// let mirrors = [AsyncResult::channel(), AsyncResult::channel()];
    /// let [(_slow, first), (quick, second)] = mirrors;
    /// quick.set("page").unwrap();
    /// let mut results = vec![first, second];
    /// let winner = results[..].wait_any().expect("there are two");
    /// assert_eq!(winner, 1);
    /// assert_eq!(results.swap_remove(winner).get()?, "page");
    /// # Ok::<(), asynckit::Error>(())
    /// ```
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
        if let Err(error) = wait(&Set(&tasks), None, at) {
            error::raise(error);
        }
        tasks.iter().position(|task| task.is_set())
    }

    /// One result of all values of a tuple of 1 to 12 results. It fails as soon as one of them
    /// does.
    ///
    /// The values own all they use; for those that borrow there is
    /// [`Scope::join`](crate::Scope::join), and the end of a chain on their scope.
    ///
    /// ```
    /// use asynckit::{Pool, Results};
    ///
    /// let pool = Pool::new(2);
    /// let (name, size) = (pool.spawn(|| "a page"), pool.spawn(|| 7_usize));
    /// assert_eq!((name, size).join().get()?, ("a page", 7));
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    fn join(self) -> AsyncResult<K::Values>
    where
        Self: JoinTuple<Values = K::Values> + Sized + 'static,
    {
        join_tuple(Hop::here(&"join"), None, self)
    }

    /// As [`join`](Results::join); and when one fails the others are cancelled, where nothing else
    /// needs them or holds them.
    ///
    /// ```
    /// use asynckit::{AsyncResult, Pool, Results, is_cancelled, work};
    ///
    /// let pool = Pool::new(1);
    /// let endless = work(|| while !is_cancelled() {}).spawn_on(&pool);
    /// let pair = (endless, AsyncResult::<u8>::failed("no")).try_join();
    /// assert!(pair.get().is_err());
    /// pool.stop(); // the other one has seen that nobody wants its value
    /// ```
    #[track_caller]
    fn try_join(self) -> AsyncResult<K::Values>
    where
        Self: JoinTuple<Values = K::Values> + Sized + 'static,
    {
        try_join_tuple(Hop::here(&"try_join"), self)
    }
}

impl<T, I: IntoIterator<Item = AsyncResult<T>>> Results<List<T>> for I {}
impl<K, T, I: IntoIterator<Item = (K, AsyncResult<T>)>> Results<Pairs<K, T>> for I {}
impl<T> Results<Slice<T>> for [AsyncResult<T>] {}

/// The values of a list, gathered in a scope or, if they borrow nothing, by themselves.
pub(crate) fn join_list<T: Send>(
    hop: Hop,
    place: Option<Handle>,
    results: impl IntoIterator<Item = AsyncResult<T>>,
) -> AsyncResult<Vec<T>> {
    gather_in(hop, place, Gathered::<_, false>::of((many(results), ())), |(values, ())| values)
}

fn gather_in<L, U>(
    hop: Hop,
    place: Option<Handle>,
    inputs: L,
    shape: impl FnOnce(L::Values) -> U + Send,
) -> AsyncResult<U>
where
    L: Inputs + Send,
    U: Send,
{
    match place {
        Some(Handle(place)) => gather_at(hop, Some(place), inputs, shape),
        None => gather(hop, inputs, shape),
    }
}

/// The values of a tuple, likewise.
fn join_tuple<R: JoinTuple>(hop: Hop, place: Option<Handle>, results: R) -> AsyncResult<R::Values> {
    gather_in(hop, place, Gathered::<_, false>::of(results.into_inputs()), R::values)
}

/// Likewise, with the others cancelled where one fails.
fn try_join_tuple<R: JoinTuple>(hop: Hop, results: R) -> AsyncResult<R::Values> {
    gather(hop, Gathered::<_, true>::of(results.into_inputs()), R::values)
}

/// Tuples of results.
#[doc(hidden)]
pub trait JoinTuple {
    type Values: Send;
    type Inputs: Inputs + Send;

    fn into_inputs(self) -> Self::Inputs;
    fn values(pairs: <Self::Inputs as Inputs>::Values) -> Self::Values;
}

/// Calls a macro for each tuple of 1 to 12, with the names and places of its parts.
macro_rules! each_tuple {
    ($each:ident) => {
        $each!(A 0);
        $each!(A 0 B 1);
        $each!(A 0 B 1 C 2);
        $each!(A 0 B 1 C 2 D 3);
        $each!(A 0 B 1 C 2 D 3 E 4);
        $each!(A 0 B 1 C 2 D 3 E 4 F 5);
        $each!(A 0 B 1 C 2 D 3 E 4 F 5 G 6);
        $each!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
        $each!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8);
        $each!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9);
        $each!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10);
        $each!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11);
    };
}
pub(crate) use each_tuple;

/// `a b c` as `(a, (b, (c, ())))`: a type, a pattern, an expression.
macro_rules! pairs {
    () => { () };
    (($($first:tt)*) $($rest:tt)*) => { ($($first)*, pairs!($($rest)*)) };
}

macro_rules! tuple {
    ($($name:ident $place:tt)+) => {
        impl<$($name),+> Results<Tuple<($($name,)+)>> for ($(AsyncResult<$name>,)+) {}

        impl<$($name: Send),+> JoinTuple for ($(AsyncResult<$name>,)+) {
            type Values = ($($name,)+);
            type Inputs = pairs!($((Moved<$name>))+);

            fn into_inputs(self) -> Self::Inputs {
                pairs!($((Moved::of(self.$place.into_owner())))+)
            }

            #[allow(non_snake_case)]
            fn values(pairs!($(($name))+): <Self::Inputs as Inputs>::Values) -> Self::Values {
                ($($name,)+)
            }
        }
    };
}
each_tuple!(tuple);

impl<T: Send + 'static, C: FromIterator<T> + Send + 'static> FromIterator<AsyncResult<T>>
    for AsyncResult<C>
{
    /// The result of a collection of all values; it fails as soon as one of them does.
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = AsyncResult<T>>>(results: I) -> AsyncResult<C> {
        let inputs = Gathered::<_, false>::of((many(results), ()));
        gather(Hop::here(&"collect"), inputs, |(values, ())| values.into_iter().collect())
    }
}

/// Results whose values move in as a list.
fn many<T>(results: impl IntoIterator<Item = AsyncResult<T>>) -> Many<T> {
    Many::of(results.into_iter().map(AsyncResult::into_owner))
}
