//! Many items through several stages, in bounded memory.
//!
//! `flow.rs` tells what moves them, `stages.rs` has the stages, `gate.rs` the lines before them, `starts.rs` and `sinks.rs`
//! both ends.

mod flow;
mod gate;
mod sinks;
mod stages;
mod starts;

use std::fmt;

use crate::error::{Error, Hop};
use crate::map::Mapped;
use crate::pool::{self, Handle, Place, is_cancelled};
use crate::stream::flow::{Crew, Flow, Room};
use crate::stream::gate::Gate;
use crate::stream::stages::{Apart, Apply, Maker, Next, Remake, Together};
use crate::sync::Arc;

/// Items on their way through several stages, each of which works on many at once; made by
/// [`Pool::stream`](crate::Pool::stream) and [`Scope::stream`](crate::Scope::stream).
///
/// ```
/// use asynckit::Pool;
///
/// let pool = Pool::new(2);
/// let mut lines = Vec::new();
/// pool.stream(1..=1_000u64)
///     .map(|n| n * n).limit(8)
///     .filter(|n| n % 2 == 0)
///     .map(|n| n.to_string()).limit(2)
///     .for_each(|line| lines.push(line))?;
/// assert_eq!((lines.len(), lines[1].as_str()), (500, "16"));
/// # Ok::<(), asynckit::Error>(())
/// ```
///
/// # Where the code runs
///
/// - Nothing runs before a stream is ended, by [`for_each`](Stream::for_each),
///   [`try_for_each`](Stream::try_for_each), [`fold`](Stream::fold) or [`collect`](Stream::collect); these
///   return when all is over. So everything may borrow what lives outside of the call, on a pool too.
/// - The *source* is asked for its items on the thread that has called the end. It may block, and
///   need not be `Send`: no thread of the pool waits with it.
/// - *Stages* are called on the pool's threads, for many items at the same time, each for so many as its
///   [`limit`](Stream::limit) says.
/// - The *end* is called on the pool's threads too, for one item at a time. To do it for several at once, make it a stage:
///   `.map(write).limit(2).for_each(drop)`.
///
/// A stream has no threads of its own. Tasks of the pool, which a snapshot shows by the name of the end, take an
/// item through as many stages as they can. Work of the pool may run a stream on its own pool: it does what nobody
/// else does, however few workers there are.
///
/// # Memory and order
///
/// From when an item is asked for until its end is over it is one of those in memory, of which there are never
/// more than the limits of the stages add up to: with limits of 8 and 2, ten. (Where there is no stage, one.)
/// [`flat_map`](Stream::flat_map) and [`chunks`](Stream::chunks) make other items of them, and those after them are
/// counted by themselves.
///
/// The end gets the items in the order of the source, and so do `chunks`, what `flat_map` takes apart, and a stage of
/// limit 1; stages with a larger limit are called for them as they come. With [`unordered`](Stream::unordered)
/// all are.
///
/// # Failures
///
/// An item may be a `Result`, and its failure stays with it through all stages. A stage that is an annotated
/// function gives a `Result`: `.map(parse)` goes on with `Result<T, Error>`. To stop at the first one, end the stream by
/// [`try_for_each`](Stream::try_for_each). Where a stage or the end panics, where the pool is stopped or the
/// token of the stream ([`CancelToken::on`](crate::CancelToken::on)) is cancelled, the end gives that failure. Then
/// the source is asked for no more, what has not begun is dropped, and what runs may ask
/// [`is_cancelled`](crate::is_cancelled).
#[must_use = "a stream does nothing until it is ended, with `.for_each(..)` for example"]
pub struct Stream<'a, T> {
    place: Place,
    plan: Plan,
    /// Whether the last stage takes a limit.
    is_limitable: bool,
    make: Make<'a, T>,
}

/// Makes the stages, when all that follow are known.
type Make<'a, T> = Box<dyn FnOnce(Next<'a, T>, &Plan) -> Box<dyn Source + 'a> + 'a>;

/// What the stages of a stream are made by.
struct Plan {
    in_order: bool,
    /// The limits of the stages between two ends, where there are any.
    parts: Vec<Vec<Option<usize>>>,
}

impl Plan {
    fn last_part(&self) -> usize {
        self.parts.len() - 1
    }

    /// The line of a stage: none where whoever comes may pass.
    fn gate<T>(&self, (part, stage): (usize, usize)) -> (Option<Gate<T>>, bool) {
        let limit = self.parts[part][stage];
        let in_order = self.in_order && limit == Some(1);
        let is_first = (part, stage) == (0, 0);
        let limit = limit.or(is_first.then_some(usize::MAX));
        (limit.map(|limit| Gate::new(limit, in_order)), in_order)
    }

    /// The line of what takes one item at a time.
    fn gate_for_one<T>(&self) -> Gate<T> {
        Gate::new(1, self.in_order)
    }
}

/// Items, and the first of the stages that they go through.
trait Source {
    /// Moves them all, as far as nothing fails.
    fn flow(self: Box<Self>, place: &Place, flow: &Arc<Flow>) -> Result<(), Error>;
}

struct Items<'a, I: Iterator> {
    items: I,
    first: Next<'a, I::Item>,
}

impl<I: Iterator> Source for Items<'_, I> {
    fn flow(self: Box<Self>, place: &Place, flow: &Arc<Flow>) -> Result<(), Error> {
        let Items { items, first } = *self;
        let first = &*first;
        pool::in_scope(place.pool(), flow.hop().at, |scope| {
            let inside = Place::Part(scope.place.clone()).inheriting(place);
            let crew = Crew { place: inside, flow, stages: first };
            let mut items = items.enumerate();
            let mut total = 0;
            while !flow.is_over() {
                if is_cancelled() {
                    flow.fail(Error::cancelled(flow.hop()));
                } else if !flow.take_place(0) {
                    if flow.looks_for_place() {
                        continue;
                    }
                    let room = Room { flow: flow.clone(), scope: scope.place.clone() };
                    if let Err(error) = pool::wait(&room, None, flow.hop().at) {
                        flow.fail(error);
                    }
                } else if let Some((number, item)) = items.next() {
                    total = number as u64 + 1;
                    first.put(number as u64, item);
                    crew.more();
                } else {
                    break;
                }
            }
            first.end(total);
            crew.more();
        });
        flow.came_to()
    }
}

impl<'a, T: Send + 'a> Stream<'a, T> {
    fn new<I: Iterator<Item = T> + 'a>(Handle(place): Handle, items: I) -> Stream<'a, T> {
        Stream {
            place,
            plan: Plan { in_order: true, parts: vec![Vec::new()] },
            is_limitable: false,
            make: Box::new(|first, _| Box::new(Items { items, first })),
        }
    }

    /// One stage more.
    fn call<U: 'a>(
        mut self,
        hop: Hop,
        f: impl Fn(T) -> Option<U> + Send + Sync + 'a,
    ) -> Stream<'a, U> {
        let part = self.plan.last_part();
        self.plan.parts[part].push(None);
        let at = (part, self.plan.parts[part].len() - 1);
        self.is_limitable = true;
        self.then(move |plan, next| {
            let (gate, in_order) = plan.gate(at);
            Box::new(Apply { hop, f, gate, in_order, next })
        })
    }

    /// Has other items made, which have places of their own.
    fn remake<U: 'a>(mut self, hop: Hop, maker: impl Maker<T, U> + 'a) -> Stream<'a, U> {
        let part = self.plan.last_part();
        self.plan.parts.push(Vec::new());
        self.then(move |plan, next| {
            Box::new(Remake::new(hop, part, plan.gate_for_one(), maker, next))
        })
    }

    fn then<U: 'a>(
        self,
        stage: impl FnOnce(&Plan, Next<'a, U>) -> Next<'a, T> + 'a,
    ) -> Stream<'a, U> {
        let Stream { place, plan, is_limitable, make } = self;
        let make: Make<'a, U> = Box::new(move |next, plan| make(stage(plan, next), plan));
        Stream { place, plan, is_limitable, make }
    }

    /// A stage that makes one item of each. `f` is a closure or an annotated function; what that
    /// gives is a `Result`, whose failure stays with its item. (Its work is run in place: a pause between its tries, say,
    /// holds the thread.)
    ///
    /// ```
    /// use asynckit::{Error, Pool, async_work};
    ///
    /// #[async_work]
    /// fn parse(text: &'static str) -> Result<u32, std::num::ParseIntError> { text.parse() }
    ///
    /// let pool = Pool::new(2);
    /// let numbers: Vec<Result<u32, Error>> = pool.stream(["1", "x", "3"]).map(parse).collect()?;
    /// assert!(numbers[1].is_err());
    /// let sum = pool.stream(numbers).filter_map(Result::ok).map(|n| n * 2).fold(0, |a, b| a + b)?;
    /// assert_eq!(sum, 8);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn map<R, How>(self, f: impl Fn(T) -> R + Send + Sync + 'a) -> Stream<'a, R::Item>
    where
        R: Mapped<'a, How, Item: Send + 'a>,
    {
        self.call(Hop::here(&"map"), move |item| Some(f(item).in_place()))
    }

    /// A stage that makes one item of each, or none.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(2);
    /// let texts = ["1", "x", "3"];
    /// let numbers: Vec<u32> = pool.stream(texts).filter_map(|text| text.parse().ok()).collect()?;
    /// assert_eq!(numbers, [1, 3]);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn filter_map<U: Send + 'a>(
        self,
        f: impl Fn(T) -> Option<U> + Send + Sync + 'a,
    ) -> Stream<'a, U> {
        self.call(Hop::here(&"filter_map"), f)
    }

    /// A stage that lets some items through.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(2);
    /// let even: Vec<u32> = pool.stream(0..5).filter(|n| n % 2 == 0).collect()?;
    /// assert_eq!(even, [0, 2, 4]);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn filter(self, f: impl Fn(&T) -> bool + Send + Sync + 'a) -> Stream<'a, T> {
        self.call(Hop::here(&"filter"), move |item| f(&item).then_some(item))
    }

    /// A stage that makes any number of items of each. `f` is called for many items at once; the
    /// iterators that it gives are asked one after the other, as there is room for what they
    /// give: they need not fit into memory.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(2);
    /// let texts = ["a b", "c", ""];
    /// let words: Vec<&str> = pool.stream(texts).flat_map(|text| text.split_whitespace()).collect()?;
    /// assert_eq!(words, ["a", "b", "c"]);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn flat_map<U>(self, f: impl Fn(T) -> U + Send + Sync + 'a) -> Stream<'a, U::Item>
    where
        U: IntoIterator<IntoIter: Send + 'a, Item: Send + 'a>,
    {
        let hop = Hop::here(&"flat_map");
        self.call(hop, move |item| Some(f(item).into_iter())).remake(hop, Apart(None))
    }

    /// Takes so many items together, the last ones as many as are left. It is no stage that has a limit: a chunk
    /// that is not complete is in memory besides those that are counted.
    ///
    /// # Panics
    ///
    /// For 0.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(2);
    /// let pairs: Vec<Vec<u32>> = pool.stream(1..=5).chunks(2).collect()?;
    /// assert_eq!(pairs, [vec![1, 2], vec![3, 4], vec![5]]);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn chunks(mut self, size: usize) -> Stream<'a, Vec<T>> {
        assert!(size > 0, "a chunk of 0 items would never be complete");
        self.is_limitable = false;
        self.remake(Hop::here(&"chunks"), Together { size, items: Vec::new() })
    }

    /// The stage before it is called for at most so many items at once, and adds as many to those that may be
    /// in memory. Unless said, it is called for as many as there are threads, and adds 16 for each
    /// worker.
    ///
    /// # Panics
    ///
    /// For 0, and where there is no stage before it.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// let pool = asynckit::Pool::new(4);
    /// let inside = AtomicUsize::new(0);
    /// pool.stream(0..100)
    ///     .map(|n| {
    ///         assert!(inside.fetch_add(1, Ordering::SeqCst) < 2);
    ///         inside.fetch_sub(1, Ordering::SeqCst);
    ///         n
    ///     })
    ///     .limit(2)
    ///     .for_each(drop)?;
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn limit(mut self, most: usize) -> Stream<'a, T> {
        assert!(most > 0, "a limit of 0 would let no call begin");
        assert!(self.is_limitable, "a limit belongs behind the stage that it is for");
        // `flat_map` has begun a part behind its calls.
        let stages = self.plan.parts.iter_mut().rev().find_map(|part| part.last_mut());
        *stages.unwrap_or_else(|| unreachable!("there is a stage")) = Some(most);
        self
    }

    /// Gives items as they come, rather than in the order of the source: a slow one does not hold the others up.
    ///
    /// ```
    /// let pool = asynckit::Pool::new(2);
    /// let mut seen: Vec<u32> = pool.stream(0..10).map(|n| n).unordered().collect()?;
    /// seen.sort();
    /// assert_eq!(seen, (0..10).collect::<Vec<_>>());
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn unordered(mut self) -> Stream<'a, T> {
        self.plan.in_order = false;
        self
    }
}

impl<T> fmt::Debug for Stream<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("limits", &self.plan.parts.concat()).finish_non_exhaustive()
    }
}
