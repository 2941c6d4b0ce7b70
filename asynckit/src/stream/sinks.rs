//! How streams end.

use crate::error::{BoxError, Error, Hop};
use crate::stream::Stream;
use crate::stream::flow::Flow;
use crate::stream::stages::EachItem;
use crate::sync::{Arc, Mutex, lock};

impl<'a, T: Send + 'a> Stream<'a, T> {
    /// Moves all items through all stages, and calls `f` for each.
    fn run(self, hop: Hop, f: impl FnMut(T) -> Result<(), Error> + Send + 'a) -> Result<(), Error> {
        let Stream { place, plan, make, .. } = self;
        let default = 16 * place.pool().wanted().max(1);
        let places = |part: &Vec<Option<usize>>| {
            let limits = part.iter().map(|limit| limit.unwrap_or(default));
            limits.fold(0, usize::saturating_add).max(1)
        };
        let places: Vec<usize> = plan.parts.iter().map(places).collect();
        let flow = Arc::new(Flow::new(hop, place.pool(), &places));
        let (part, gate) = (plan.last_part(), plan.gate_for_one());
        let end = Box::new(EachItem { hop, part, gate, f: Mutex::new(Some(f)) });
        make(end, &plan).flow(&place, &flow)
    }

    /// Ends the stream: `f` is called for each item, one at a time, on the pool's threads. It returns when all is
    /// over.
    ///
    /// # Errors
    ///
    /// The panic of a stage or of `f`; that the pool was stopped, or the stream cancelled.
    ///
    /// # Panics
    ///
    /// Where the source does.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(2);
    /// let mut written = String::new();
    /// pool.stream(1..=3).map(|n| n.to_string()).for_each(|text| written += &text)?;
    /// assert_eq!(written, "123");
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn for_each(self, mut f: impl FnMut(T) + Send + 'a) -> Result<(), Error> {
        let f = move |item| {
            f(item);
            Ok(())
        };
        self.run(Hop::here(&"for_each"), f)
    }

    /// As [`for_each`](Stream::for_each), and stops where `f` fails: the source is asked for no more, and what has
    /// not begun is dropped.
    ///
    /// # Errors
    ///
    /// The failure of `f`, and those of `for_each`.
    ///
    /// # Panics
    ///
    /// Where the source does.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(2);
    /// let numbers = pool.stream(["1", "x", "3"]).map(|text| text.parse::<u32>());
    /// let stopped = numbers.try_for_each(|number| number.map(|number| println!("{number}")));
    /// assert!(stopped.unwrap_err().downcast_ref::<std::num::ParseIntError>().is_some());
    /// ```
    #[track_caller]
    pub fn try_for_each<E: Into<BoxError>>(
        self,
        mut f: impl FnMut(T) -> Result<(), E> + Send + 'a,
    ) -> Result<(), Error> {
        let hop = Hop::here(&"try_for_each");
        self.run(hop, move |item| f(item).map_err(|error| Error::failed(hop, error.into(), None)))
    }

    /// Ends the stream: `f` makes one value of all items, one at a time, on the pool's threads.
    ///
    /// # Errors
    ///
    /// As [`for_each`](Stream::for_each).
    ///
    /// # Panics
    ///
    /// Where the source does.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(2);
    /// let sum = pool.stream(1..=100u64).map(|n| n * n).fold(0, |sum, n| sum + n)?;
    /// assert_eq!(sum, 338_350);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn fold<A: Send + 'a>(
        self,
        init: A,
        f: impl FnMut(A, T) -> A + Send + 'a,
    ) -> Result<A, Error> {
        self.fold_in(Hop::here(&"fold"), init, f)
    }

    /// Ends the stream: collects all items.
    ///
    /// Into a `Result` it collects the same; it does not stop at the first failure, as
    /// [`try_for_each`](Stream::try_for_each) does.
    ///
    /// # Errors
    ///
    /// As [`for_each`](Stream::for_each).
    ///
    /// # Panics
    ///
    /// Where the source does.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(2);
    /// let squares: Vec<u32> = pool.stream(1..=4).map(|n| n * n).collect()?;
    /// assert_eq!(squares, [1, 4, 9, 16]);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn collect<C: FromIterator<T>>(self) -> Result<C, Error> {
        let push = |mut all: Vec<T>, item| {
            all.push(item);
            all
        };
        let all = self.fold_in(Hop::here(&"collect"), Vec::new(), push)?;
        Ok(all.into_iter().collect())
    }

    fn fold_in<A: Send + 'a>(
        self,
        hop: Hop,
        init: A,
        mut f: impl FnMut(A, T) -> A + Send + 'a,
    ) -> Result<A, Error> {
        let value = Arc::new(Mutex::new(Some(init)));
        let inside = value.clone();
        self.run(hop, move |item| {
            let before = lock(&inside).take();
            let after = before.map(|value| f(value, item));
            *lock(&inside) = after;
            Ok(())
        })?;
        let value = lock(&value).take();
        Ok(value.unwrap_or_else(|| unreachable!("a fold that has not panicked has its value")))
    }
}
